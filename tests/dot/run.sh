#!/bin/sh
# kernels of contractions: values, and equal bits wherever the same element is computed
passed=0 failed=0
mkdir -p "$BUILD/dot"
# dot COMPILER FLAGS
dot() {
	"$BUILD/tests/dot" "$1" "$2" "$BUILD/dot" $([ -n "${FULL:-}" ] && echo 150 || echo 50) > "$BUILD/dot/log" 2>&1
	grep -v passed "$BUILD/dot/log"
	set -- $(tail -n 1 "$BUILD/dot/log")
	passed=$((passed + ${1:-0})) failed=$((failed + ${3:-1}))
}
dot "$CC" "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
dot "$CC" "-O2 -march=native -fopenmp"
dot "$CC" "-O3"
dot "$CC" "-O2 -march=native -DT_NO_SIMD"
if command -v clang-19 > /dev/null; then
	dot clang-19 "-O2 -march=native"
	dot clang-19 "-O1"
fi
if [ -n "${FULL:-}" ]; then
	dot "$CC" "-O3 -mavx2 -mfma -ffp-contract=off"
	dot "$CC" "-O2 -msse2 -mno-avx"
	dot "$CC" "-O0 -march=native"
	command -v clang-19 > /dev/null && dot clang-19 "-O3 -mavx2 -mfma"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
