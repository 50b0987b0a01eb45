#!/bin/sh
# tests/golden/run.sh: the interpreter against what PyTorch gave
exec "$BUILD/tests/golden" tests/golden/*.txt
