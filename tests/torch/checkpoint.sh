#!/bin/sh
exec "$BUILD/torch/bin/python" tests/torch/checkpoint.py "$GRADC" "$BUILD/torch-checkpoint" "$CC"
