#!/bin/sh
# Pairs of a graph and what one pass makes of it: tests/pass/PASS/NAME.json and NAME.want, the canonical
# JSON that `gradc print --after=PASS` prints. What is printed must also read back as the same text.
pass=0
fail=0
out="$BUILD/tests/pass"
mkdir -p "$out"

bad() {
	fail=$((fail + 1))
	echo "FAIL $1"
}

for f in tests/pass/*/*.json; do
	[ -f "$f" ] || continue
	p=$(basename "$(dirname "$f")")
	name=$(basename "$f" .json)
	got="$out/$p-$name.json"
	case $p in
	grad-verb) "$GRADC" grad "$f" -o "$got" ;;
	*) "$GRADC" print --after="$p" "$f" -o "$got" ;;
	esac || { bad "$f: exit code"; continue; }
	if ! cmp -s "$got" "${f%.json}.want"; then
		bad "$f: differs from ${f%.json}.want"
		diff "${f%.json}.want" "$got" | head -20
		continue
	fi
	pass=$((pass + 1))
	case $p in split | fuse) continue ;; esac
	if "$GRADC" fmt "$got" -o "$out/again.json" && cmp -s "$got" "$out/again.json"; then
		pass=$((pass + 1))
	else
		bad "$f: its dump does not read back the same"
	fi
done

echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]
