#!/bin/sh
exec "$BUILD/torch/bin/python" tests/torch/run.py "$GRADC" "$BUILD/torch-models" "$CC -O1"
