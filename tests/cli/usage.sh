# what people mistype
is "usage: nothing at all" "$(says)" "gradc: error: usage: gradc VERB ..., or gradc IR -o DIR
    \`gradc --help\` lists verbs
=> 2"
is "usage: an unknown verb" "$(says prnt m.json)" "gradc: error: unknown verb 'prnt'; did you mean 'print'?
    \`gradc --help\` lists verbs
=> 2"
is "usage: a verb like no other" "$(says frobnicate)" "gradc: error: unknown verb 'frobnicate'
    \`gradc --help\` lists verbs
=> 2"
is "usage: an unknown option" "$(says print --emmit=dot m.json)" \
"gradc: error: unknown option --emmit; did you mean --emit?
    \`gradc print --help\` lists its options
=> 2"
is "usage: an option with one dash" "$(says print -emit=dot m.json)" \
"gradc: error: unknown option -emit; did you mean --emit?
    \`gradc print --help\` lists its options
=> 2"
is "usage: an option of another verb" "$(says fmt --after=grad m.json)" \
"gradc: error: gradc fmt has no option --after; it is one of print
    \`gradc fmt --help\` lists its options
=> 2"
is "usage: a word that is not among the values" "$(says print --emit=svg m.json)" \
"gradc: error: --emit: 'svg' is not one of json|dot|text
    \`gradc print --help\` lists its options
=> 2"
is "usage: an option without its value" "$(says print m.json --after)" \
"gradc: error: --after needs a value: PASS
    \`gradc print --help\` lists its options
=> 2"
is "usage: an empty value" "$(says print m.json --after=)" \
"gradc: error: --after needs a value: PASS
    \`gradc print --help\` lists its options
=> 2"
is "usage: a value for a switch" "$(says ops --json=yes)" \
"gradc: error: --json takes no value
    \`gradc ops --help\` lists its options
=> 2"
is "usage: twice, differently" "$(says print --emit=dot --emit=text m.json)" \
"gradc: error: --emit is given twice: 'dot' and 'text'
    \`gradc print --help\` lists its options
=> 2"
is "usage: no file" "$(says fmt)" "gradc: error: IR is missing; usage: gradc fmt IR...
    \`gradc fmt --help\` lists its options
=> 2"
is "usage: too many files" "$(says print a.json b.json)" \
"gradc: error: gradc print: one argument too many: 'b.json'
    \`gradc print --help\` lists its options
=> 2"
is "usage: a file that is not there" "$(says fmt none.json)" \
"none.json: error: cannot open: No such file or directory
=> 2"
is "usage: a directory for a file" "$(says fmt .)" ".: error: cannot read: Is a directory
=> 2"
is "usage: an unknown pass" "$(says print "$models/mlp.json" --after=foo)" \
"gradc: error: --after: there is no pass 'foo'; passes are inline simplify grad compose clean split fuse
=> 2"
is "usage: an unknown op" "$(says ops relux)" "gradc: error: there is no op 'relux'; did you mean 'relu'?
=> 2"
is "usage: a preset against an option" "$(says partition --preset=memory-efficient --partition=default "$models/mlp.json")" \
"gradc: error: --preset=memory-efficient is --partition=min-cut, not default
    \`gradc partition --help\` lists its options
=> 2"
is "usage: a preset" "$("$GRADC" partition --preset=memory-efficient "$models/mlp.json" | cksum)" \
	"$("$GRADC" partition "$models/mlp.json" | cksum)"
is "usage: -- ends the options" "$(says fmt -- --json)" "--json: error: cannot open: No such file or directory
=> 2"
is "usage: a verb that is an option" "$(says version | head -n 1)" "gradc: error: unknown verb 'version'; did you mean --version?"
is "usage: a directory without -o" "$(says m.json gen | head -n 1)" \
	"gradc: error: gradc compile: one argument too many: 'gen'; did you mean -o gen?"
is "usage: the interpreter as backend of C" "$(says "$models/mlp.json" -o gen --backend=interp | head -n 1)" \
	"gradc: error: --backend: 'interp' is not one of fused|nop"
is "usage: the interpreter for run" "$(says --backend=interp run none.json)" "none.json: error: cannot open: No such file or directory
=> 2"
is "usage: fmt of several files" "$(says fmt a.json b.json | head -n 1)" "gradc: error: gradc fmt: several files need --write"
is "usage: fmt into two places" "$(says fmt --write a.json -o b.json | head -n 1)" \
	"gradc: error: gradc fmt: --write changes the files themselves, -o writes to another one"
is "usage: an array without a name" "$(says run "$models/mlp.json" --in=x.npy)" \
"gradc: error: --in=x.npy: an npy file has no names in it; --in=NAME=x.npy tells which input it is
=> 2"
is "usage: an unknown symbol" "$(says run "$models/mlp.json" --dim=C=3)" \
"gradc: error: --dim=C=3: the model has no symbolic dimension 'C'; it has 'B'
=> 2"
is "usage: a symbol without a value" "$(says run "$models/mlp.json" --dim=B | head -n 1)" \
	"gradc: error: --dim=B: not of the form SYMBOL=INTEGER"
is "usage: a size that is no number" "$(says run "$models/mlp.json" --dim=B=x | head -n 1)" \
	"gradc: error: --dim=B=x: 'x' is no integer"
is "usage: a size out of range" "$(says run "$models/mlp.json" --dim=B=1000)" \
"gradc: error: dimension B is 1000, not between 1 and 128
=> 2"
is "usage: a model where a module is wanted" "$(says print --from=split "$models/mlp.json" | sed 's/.*error/error/')" \
"error: key 'module' is missing: this is no partitioned graph
=> 2"
is "usage: complaints as JSON" "$(says fmt --nonsense --diagnostics=json)" \
'{"file": null, "line": 0, "col": 0, "severity": "error", "message": "unknown option --nonsense\n`gradc fmt --help` lists its options"}
=> 2'

printf '{"gradc": 1, "name": "m"' >broken.json
is "errors as JSON" "$(says fmt --diagnostics=json broken.json)" \
'{"file": "broken.json", "line": 1, "col": 25, "severity": "error", "message": "the file ends inside the object opened at line 1, column 1"}
=> 2'
is "from standard input" "$("$GRADC" fmt - <"$models/mlp.json" | cksum)" "$("$GRADC" fmt "$models/mlp.json" | cksum)"
is "errors from standard input" "$("$GRADC" fmt - 2>&1 <broken.json)" \
	"<stdin>:1:25: error: the file ends inside the object opened at line 1, column 1"
is "to standard output by name" "$("$GRADC" fmt -o - "$models/mlp.json" | cksum)" "$("$GRADC" fmt "$models/mlp.json" | cksum)"
cp "$models/mlp.json" disk.json
for command in "--version" "help" "ops" "fmt disk.json" "init full"; do
	is "a full disk: gradc $command" "$("$GRADC" $command 2>&1 >/dev/full; echo "=> $?")" \
"<stdout>: error: cannot write: No space left on device
=> 2"
done
has "version" "$(says --version)" "gradc 0."

# colour is for terminals, and NO_COLOR is obeyed
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
	esc=$(printf '\033')
	tty_says() { TERM=xterm script -qec "'$GRADC' fmt none.json" /dev/null </dev/null 2>&1; }
	has "colour on a terminal" "$(tty_says)" "${esc}[1;31m"
	is "NO_COLOR" "$(NO_COLOR=1 tty_says | tr -d '\r')" "none.json: error: cannot open: No such file or directory"
else
	skip "colour" "no script(1), or no terminals"
fi

# dumps are inputs
"$GRADC" partition --dump-dir=dumps "$models/mlp.json" -o partition.json
is "dumps: one a pass" "$(ls dumps | tr '\n' ' ')" \
	"00-inline.json 01-simplify.json 02-grad.json 03-compose.json 04-clean.json 05-split.json "
# the names in "saved" and "recomputed"; a dump that was read has its nodes in another order
saved() { grep '^    "saved":' "$1" | tr -d ' ' | sed 's/.*\[//; s/\].*//' | tr ',' '\n' | sort; }
for pass in 00-inline 01-simplify 02-grad 03-compose 04-clean; do
	"$GRADC" partition --from=${pass#*-} dumps/$pass.json >from.json
	is "dumps: from $pass" "$(saved from.json)" "$(saved partition.json)"
done
is "dumps: from 05-split" "$("$GRADC" print --from=split dumps/05-split.json | cksum)" "$(cksum <partition.json)"
"$GRADC" print --after=fuse "$models/mlp.json" -o fused.json
is "dumps: after fuse" "$(sed 's/, "kernel": \[[0-9, ]*\]//' fused.json | cksum)" "$(cksum <partition.json)"
is "dumps: from fuse" "$("$GRADC" print --from=fuse fused.json | cksum)" "$(cksum <fused.json)"
is "dumps: fuse takes a dump" "$("$GRADC" print --from=split --after=fuse dumps/05-split.json | grep -c '"kernel"')" \
	"$(grep -c '"kernel"' fused.json)"
has "dumps: kernels in text" "$("$GRADC" print --after=fuse --emit=text "$models/mlp.json")" "add %8, fc0.bias  # fc0, kernel 0"
has "dumps: kernels as boxes" "$("$GRADC" print --after=fuse --emit=dot "$models/mlp.json")" 'subgraph cluster0 { label="kernel 0";'
is "dumps: the last stop" "$("$GRADC" partition --stop=clean "$models/mlp.json" | cksum)" "$(cksum <dumps/04-clean.json)"
is "dumps: a joint graph without --from" "$(says grad dumps/02-grad.json)" \
"dumps/02-grad.json: error: this graph has its cotangents already, as the dump of a pass: name the pass with --from
=> 2"
is "dumps: --from of a model" "$(says partition --from=grad "$models/mlp.json" | sed 's/.*error/error/')" \
"error: --from=grad: this is no joint graph
=> 2"
