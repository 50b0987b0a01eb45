#!/bin/sh
# tests/err/run.sh: every complaint, word by word. NAME.err holds a command line, what it prints
# on standard error, and its exit status; it must print nothing on standard output. With --accept
# the files are rewritten from what happens: read the difference before committing it.
cd "$(dirname "$0")" || exit 2
accept=${1:-}
passed=0 failed=0
actual=$BUILD/log/err.actual
mkdir -p "$BUILD/log"

for want in *.err; do
	command=$(sed -n '1s/^\$ gradc //p' "$want")
	{
		echo "\$ gradc $command"
		# shellcheck disable=SC2086  # words of a command line
		"$GRADC" $command </dev/null 2>&1 >"$actual.out"
		echo "exit $?"
		sed 's/^/stdout: /' "$actual.out"
	} >"$actual"
	if [ "$accept" = --accept ]; then
		cp "$actual" "$want"
	elif cmp -s "$want" "$actual"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $want"
		diff -u "$want" "$actual" | tail -n +3
	fi
done
for input in *.json; do
	[ -f "${input%.json}.err" ] || { failed=$((failed + 1)); echo "FAIL $input has no .err"; }
done
rm -f "$actual" "$actual.out"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
