#!/bin/sh
# tests/run.sh BUILD SUITE...: runs each suite and adds up what they count; tests/README.md
# says what a suite is. The last line is "N passed, N failed"; exit 1 when any failed.
set -u
case $1 in
/*) BUILD=$1 ;;
*) BUILD=$PWD/$1 ;;
esac
GRADC=$BUILD/gradc
CC=${CC:-cc}
LOCPATH=$BUILD/locale          # a locale with a decimal comma, for those who ask for it
export BUILD GRADC CC LOCPATH
shift
logs=$BUILD/log
mkdir -p "$logs" "$LOCPATH" || exit 1
[ -d "$LOCPATH/de_DE.UTF-8" ] || localedef -i de_DE -f UTF-8 "$LOCPATH/de_DE.UTF-8" >/dev/null 2>&1

# counts LOG: "passed failed skipped" of a suite's output, nothing when it counts nothing.
# cmocka's TAP, whose skipped tests are "not ok N # SKIP", or a last line "N passed, N failed".
counts() {
	awk '
		/^1\.\.[0-9]+$/ { tap = 1; plan = substr($0, 4) + 0 }
		tap && /^(not )?ok [0-9]+.*# SKIP/ { skip++; next }
		tap && /^ok [0-9]+/ { ok++ }
		tap && /^not ok [0-9]+/ { bad++ }
		{ sub(/\r$/, "") }
		/[^ \t]/ { last = $0 }
		END {
			if (tap) {
				lost = plan - ok - bad - skip
				print ok + 0, bad + (lost > 0 ? lost : 0), skip + 0
			} else if (last ~ /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/) {
				split(last, w, " ")
				print w[1], w[3], w[5] + 0
			}
		}' "$1"
}

passed=0 failed=0 skipped=0 broken=
for suite in "$@"; do
	name=${suite#"$BUILD"/}
	name=${name#build/}
	name=${name#tests/}
	name=${name%/run.sh}
	log=$logs/$(echo "$name" | tr '/ ' '__').log
	start=$(date +%s)
	: >"$log"        # then appended to, as suites do that write to it by another way as well
	CMOCKA_MESSAGE_OUTPUT=TAP "$suite" </dev/null >>"$log" 2>&1
	status=$?
	seconds=$(($(date +%s) - start))
	# shellcheck disable=SC2046  # three words
	set -- $(counts "$log")
	p=${1:-0} f=${2:-0} s=${3:-0} note=
	if [ $# = 0 ]; then
		note=" (it counts nothing; exit $status)"
		f=1
	elif [ $status != 0 ] && [ "$f" = 0 ]; then
		note=" (exit $status)"
		f=1
	fi
	[ "$s" = 0 ] || note="$note, $s skipped"
	printf '%-28s %5d passed %4d failed%s  %d s\n' "$name" "$p" "$f" "$note" "$seconds"
	if [ "$f" != 0 ]; then
		broken="$broken $name"
		# what failed, or else the end: whole logs stay in $logs
		{ grep -E -A4 '^(not ok|FAIL)' "$log" | grep -v '# SKIP' || tail -n 20 "$log"; } | head -n 60 | sed 's/^/    /'
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
[ $skipped = 0 ] || echo "$skipped skipped"
[ -z "$broken" ] || echo "failed:$broken (logs: $logs)"
echo "$passed passed, $failed failed" | tee "$logs/total"
[ $failed = 0 ]
