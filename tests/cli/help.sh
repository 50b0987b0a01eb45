# help, the manual page, completion: all from one table
verbs=$("$GRADC" help | sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')
options=$(for v in $verbs; do "$GRADC" help "$v"; done | sed -n 's/^  \(-[-A-Za-z]*\).*/\1/p' | sort -u)
is "help: some verbs" "$(echo "$verbs" | grep -cE '^(grad|fmt|explain|help)$')" 4
is "help: -h, --help and help are one" "$("$GRADC" -h | cksum) $("$GRADC" --help | cksum)" \
	"$("$GRADC" help | cksum) $("$GRADC" help | cksum)"
is "help: an unknown verb" "$(says help prnt)" "gradc: error: there is no verb 'prnt'; did you mean 'print'?
    \`gradc help --help\` lists its options
=> 2"
for v in $verbs; do
	is "help: $v" "$("$GRADC" "$v" --help | cksum)" "$("$GRADC" help "$v" | cksum)"
	is "help: no line of $v is longer than 79" "$("$GRADC" help "$v" | awk 'length > 79')" ""
	is "docs/cli.md has $v" "$(grep -cE "(\`|    )gradc $v" "$docs/cli.md" | sed 's/[1-9][0-9]*/some/')" some
done
for o in $options; do
	is "docs/cli.md has $o" "$(grep -cE -- "(^|[^-a-z])$o([^-a-z]|\$)" "$docs/cli.md" | sed 's/[1-9][0-9]*/some/')" some
done

"$GRADC" help --man >gradc.1
is "man: a title" "$(head -c 11 gradc.1)" ".TH GRADC 1"
for v in $verbs; do
	is "man: $v" "$(grep -c "^.fBgradc $v.fR" gradc.1)" 1
done
for o in $options; do
	case $o in --backend | --cc) said=2 ;; *) said=1 ;; esac
	is "man: $o" "$(tr -d '\\' <gradc.1 | grep -c "^fB${o}fR")" $said
done
if command -v groff >/dev/null 2>&1; then
	is "man: groff has no complaints" "$(groff -man -Tascii -ww -z gradc.1 2>&1)" ""
else
	skip "man" "no groff"
fi

if command -v bash >/dev/null 2>&1; then
	"$GRADC" help --completion=bash >gradc.bash
	# completes WORD...: what bash offers for the last word
	completes() {
		PATH="$(dirname "$GRADC"):$PATH" bash -c '
			. ./gradc.bash
			COMP_WORDS=(gradc "$@"); COMP_CWORD=$#
			_gradc
			printf "%s " "${COMPREPLY[@]}"' bash "$@"
	}
	is "completion: verbs" "$(completes pr)" "print "
	is "completion: options of the verb" "$(completes print --e)" "--emit= "
	is "completion: not those of other verbs" "$(completes print --wr | tr -d ' ')" ""
	is "completion: values after =" "$(completes print --emit = d)" "dot "
	is "completion: all values" "$(completes print --emit =)" "json dot text "
	is "completion: an option of one name in two verbs" "$(completes run --backend = i)$(completes compile --backend = i)" "interp  "
	is "completion: options without a verb" "$(completes m.json --backend =)" "fused nop "
	is "completion: passes" "$(completes print --after = c)" "compose clean "
	is "completion: verbs of help" "$(completes help fm)" "fmt "
	is "completion: ops" "$(completes ops layer)" "layer_norm "
	is "completion: files are bash's" "$(completes fmt mod | tr -d ' ')" ""
else
	skip "completion" "no bash"
fi
