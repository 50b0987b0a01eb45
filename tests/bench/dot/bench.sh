#!/bin/sh
# contractions timed under each compiler at -O2 and -O3, for this machine and for any
for cc in "${CC:-cc}" clang-19; do
	command -v "${cc%% *}" > /dev/null || continue
	for flags in "-O2 -march=native" "-O3 -march=native" "-O2"; do
		echo "== $cc $flags"
		$cc -std=c99 $flags -I"$BUILD/bench" -Icodegen/harness tests/bench/dot/main.c -o "$BUILD/bench/dot" -lm && "$BUILD/bench/dot"
	done
done
