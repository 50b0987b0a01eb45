#!/bin/sh
# tests/fuzz/run.sh: short runs of the fuzzers, the same inputs each time (FULL=1: more of them); `make fuzz`
# goes on from there, and `make asan` runs those of the readers under sanitizers. Findings of the fuzzer of
# graphs are left in build/fuzz.
set -u
fuzz=$BUILD/fuzz
passed=0 failed=0
more=$([ -n "${FULL:-}" ] && echo 10 || echo 1)

for run in "fuzz_json $((more * 20000))" "fuzz_read $((more * 2000))"; do
	# shellcheck disable=SC2086  # a program and its argument
	if (set -- $run; "$fuzz/$1" "$2") >"$fuzz/log" 2>&1; then
		passed=$((passed + 1))
		tail -n 1 "$fuzz/log"
	else
		failed=$((failed + 1))
		echo "FAIL $run"
		cat "$fuzz/log"
	fi
done
cd "$fuzz" || exit 1
./fuzz_graph $((more > 1 ? 2000 : 160)) 1 >log
status=$?
sed '$d' log
total=$(tail -n 1 log)                 # N passed, N failed
graphs=${total%% passed*} wrong=${total#*, }
wrong=${wrong%% failed*}
case $graphs$wrong in *[!0-9]* | '') echo "FAIL fuzz_graph: it ended early ($status): $total"; graphs=0 wrong=1 ;; esac
echo "$((passed + graphs)) passed, $((failed + wrong)) failed"
[ "$status" -eq 0 ] && [ $((failed + wrong)) -eq 0 ]
