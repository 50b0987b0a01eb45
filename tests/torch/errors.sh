#!/bin/sh
exec "$BUILD/torch/bin/python" tests/torch/errors.py "$BUILD/torch-errors"
