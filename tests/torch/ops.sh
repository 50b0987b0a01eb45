#!/bin/sh
exec "$BUILD/torch/bin/python" tests/torch/opinfo.py "$GRADC" "$BUILD/torch-ops" "$CC -O1" --compare=docs/op-coverage.md
