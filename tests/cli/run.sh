#!/bin/sh
# The command line as people and makefiles meet it: help, complaints, exit codes, files that
# are written or left alone. Each test file beside this one is read in turn.
set -u
passed=0 failed=0 skipped=0
here=$PWD/tests/cli
docs=$PWD/docs
share=$PWD/share
models=$PWD/tests/models
work="$BUILD/test cli"
rm -rf "$work"
mkdir -p "$work"
cd "$work" || exit 1
unset NO_COLOR MAKEFLAGS MAKELEVEL

. "$OLDPWD/tests/is.sh"

# has WHAT TEXT PART: PART occurs in TEXT
has() {
	case $2 in
	*"$3"*) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)); printf 'FAIL %s\n  got:  %s\n  want: ... %s ...\n' "$1" "$2" "$3" ;;
	esac
}

# skip WHAT WHY
skip() {
	skipped=$((skipped + 1))
	echo "skipped: $1: $2"
}

# says COMMAND...: what gradc prints to both streams, and its exit status
says() {
	"$GRADC" "$@" 2>&1 </dev/null
	echo "=> $?"
}

# snapshot DIR...: the time and content of every file
snapshot() {
	find "$@" -type f -exec stat -c '%n %y %s' {} + 2>/dev/null | sort
	find "$@" -type f -exec cksum {} + 2>/dev/null | sort -k 3
}

for part in "$here"/[a-z]*.sh; do
	[ "$part" = "$here/run.sh" ] || . "$part"
	cd "$work" || exit 1
done

[ $skipped = 0 ] || echo "$passed passed, $failed failed, $skipped skipped"
[ $skipped != 0 ] || echo "$passed passed, $failed failed"
[ $failed = 0 ]
