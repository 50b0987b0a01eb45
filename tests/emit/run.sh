#!/bin/sh
# emitted kernels against the interpreter, under gcc and clang, plain and under sanitizers
passed=0 failed=0
emit() {
	mkdir -p "$BUILD/emit"
	last=$("$BUILD/tests/emit" "$1" "$2" "$BUILD/emit" 2>&1 | tee /dev/stderr | tail -n 1)
	set -- $last
	passed=$((passed + ${1:-0})) failed=$((failed + ${3:-1}))
} 2>&1
emit "$CC" "-O2 -march=native -fopenmp"
emit "$CC" "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
if command -v clang-19 > /dev/null; then
	emit clang-19 "-O2 -march=native"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
