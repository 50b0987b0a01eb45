#!/bin/sh
# tests/op/run.sh: the lines of tests/op/*.t
exec "$BUILD/tests/op" --all tests/op/*.t
