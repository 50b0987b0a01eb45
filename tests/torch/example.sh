#!/bin/sh
exec "$BUILD/torch/bin/python" tests/torch/example.py "$GRADC" "$BUILD/torch-example" "$CC"
