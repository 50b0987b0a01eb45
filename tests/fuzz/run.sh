#!/bin/sh
# tests/fuzz/run.sh: a short run of the fuzzer of graphs, the same graphs each time; `make fuzz` goes on
# from there. Findings are left in build/fuzz.
set -u
prog=$BUILD/fuzz/fuzz_graph
cd "$BUILD/fuzz" || exit 1
exec "$prog" 160 1
