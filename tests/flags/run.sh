#!/bin/sh
# every emitted file compiles without a warning, as C99. FULL=1: under every level, backend, partition and optimizer
passed=0 failed=0
strict="-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror"
dir=$BUILD/flags
rm -rf "$dir"
mkdir -p "$dir"
# compile MODEL OPTION...
compile() {
	if ! "$GRADC" compile "$@" --no-reparse -o "$dir" 2>"$dir/log"; then
		echo "FAIL gradc compile $*"; cat "$dir/log"; failed=$((failed + 1))
	fi
}
# try CC FLAGS OPTION...: all that was emitted
try() {
	cc=$1 flags=$2
	shift 2
	for c in "$dir"/*.c; do
		if $cc $strict $flags -c "$c" -o "$dir/o" 2>"$dir/log"; then
			passed=$((passed + 1))
		else
			echo "FAIL $cc $flags: $c $*"; head -n 20 "$dir/log"; failed=$((failed + 1))
		fi
	done
}
# the loops of pointwise kernels are loops of vectors, though gcc is asked for -O2 only
vectors() {
	"$GRADC" compile tests/flags/pointwise.json --no-reparse -o "$dir/vectors"
	innermost=$(awk '/^pointwise_k/ { on = 1 } /^}/ { on = 0 } on && /for \(int64_t [jk] = 0.*{$/ { print FNR }' "$dir/vectors/pointwise.c")
	$CC $strict -O2 -fopt-info-vec-optimized -c "$dir/vectors/pointwise.c" -o "$dir/o" 2>"$dir/log"
	for line in $innermost; do
		if grep -q "pointwise.c:$line:.*loop vectorized" "$dir/log"; then
			passed=$((passed + 1))
		else
			echo "FAIL $CC -O2: pointwise.c:$line: a scalar loop"; sed -n "${line}p" "$dir/vectors/pointwise.c"; failed=$((failed + 1))
		fi
	done
}
emit() {
	rm -f "$dir"/*.c
	for m in tests/models/*.json docs/examples/*/*.json; do
		compile "$m" "$@"
	done
}
compilers=$CC
command -v clang-19 >/dev/null && compilers="$CC clang-19"
emit
for cc in $compilers; do
	try "$cc" -O2
	[ -n "${FULL:-}" ] || try "$cc" "-O1 -fopenmp"
done
if [ -n "${FULL:-}" ]; then
	for options in --backend=nop --partition=default "--partition=recompute --optimizer=adamw" "--grad=accumulate --optimizer=sgd" \
		"--backend=nop --partition=recompute --optimizer=momentum"; do
		emit $options
		for cc in $compilers; do
			for flags in -O0 "-O2 -fopenmp" "-O3 -march=native" "-O2 -mavx2 -mfma -fopenmp" "-O2 -march=skylake-avx512"; do
				try "$cc" "$flags" $options
			done
		done
	done
fi
case $($CC --version 2>/dev/null | head -n 1) in
*clang*) ;;
*) vectors ;;
esac
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
