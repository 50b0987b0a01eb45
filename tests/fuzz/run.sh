#!/bin/sh
# tests/fuzz/run.sh: a short run of the fuzzer of graphs, the same graphs each time (FULL=1: more of them);
# `make fuzz` goes on from there. Findings are left in build/fuzz.
set -u
prog=$BUILD/fuzz/fuzz_graph
cd "$BUILD/fuzz" || exit 1
exec "$prog" $([ -n "${FULL:-}" ] && echo 2000 || echo 160) 1
