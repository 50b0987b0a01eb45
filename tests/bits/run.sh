#!/bin/sh
# the same bits whatever is recomputed and however many threads run. FULL=1: every model under every compiler
# and level, and under sanitizers; else each model and each of those at least once
passed=0 failed=0
big="tests/models/gpt2_tiny.json tests/models/pointwise_chain.json"
small=
for m in tests/models/*.json tests/e2e/*.json; do
	case " $big tests/e2e/loads.json tests/e2e/weights.json " in *" $m "*) ;; *) small="$small $m" ;; esac
done
bits() {
	set -- $("$BUILD/tests/bits" "$@" 2>&1 | tee -a /dev/stderr | tail -n 1)
	passed=$((passed + ${1:-0})) failed=$((failed + ${3:-1}))
}
{
for cc in "$CC" clang-19; do
	command -v $cc >/dev/null || continue
	for level in -O0 -O2 "-O3 -march=native"; do
		if [ -n "${FULL:-}" ]; then
			bits "$cc $level -fopenmp" $small $big
		else
			case $cc$level in
			"$CC-O0") bits "$cc $level -fopenmp" $small ;;
			"$CC-O2") bits "$cc $level -fopenmp" $big ;;
			"$CC-O3 -march=native") bits "$cc $level -fopenmp" $small tests/models/gpt2_tiny.json ;;
			clang-19-O2) bits "$cc $level -fopenmp" $small ;;
			*) bits "$cc $level -fopenmp" tests/models/block.json ;;
			esac
		fi
	done
done
if [ -n "${FULL:-}" ]; then
	bits "$CC -O0 -g -fsanitize=address,undefined -fno-sanitize-recover=all" $small $big
fi
} 2>&1
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
