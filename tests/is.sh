# what suites written in sh share: passed and failed count

# is WHAT GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAIL %s\n  got:  %s\n  want: %s\n' "$1" "$2" "$3"
	fi
}
