# functions: a call means what its nodes written out mean, and what is equal in two calls is one kernel
"$GRADC" print --after=inline "$models/encoder.json" >flat.json
is "functions: no call is left" "$(grep -c '"op": "call"' flat.json)" 0
"$GRADC" compile "$models/encoder.json" -o called
"$GRADC" compile flat.json -o flat
bare() {
	sed 's/encoder.json\|flat.json\|[0-9a-f]\{16,\}//g' "$1/encoder.c"
}
bare called >called.c
is "functions: the code of calls is that of nodes" "$(bare flat | cmp - called.c && echo same)" same
sed '/"h[2-9]", "op": "call"/d; /"h1[0-2]", "op": "call"/d; s/\["h12"\]/["h1"]/; /"layers\.[2-9]\./d; /"layers\.1[0-9]*\./d; s/^\(    "layers.0.down.bias".*\),$/\1/' \
	"$models/encoder.json" >one.json
"$GRADC" compile one.json -o one
kernels() {
	grep -c '^encoder_k[0-9]*_' "$1/encoder.c"
}
# the first and the last layer have neighbours of another kind
has "functions: one set of kernels for all layers" \
	"$([ "$(kernels called)" -le $(($(kernels one) + 8)) ] && echo few || echo "$(kernels called) of $(kernels one)")" few

# random numbers of a scan: (key, stream, step, element) decide, and the stream is that of the path of calls
cat >drawn.json <<'X'
{"gradc": 1, "name": "drawn", "constants": {"key": {"type": "u64[]", "data": 7}, "c": {"type": "f32[]", "data": 0}},
 "nodes": [{"out": ["s", "us"], "op": "scan", "in": ["c", "key"], "attrs": {"function": "step", "length": 3}},
           {"out": ["z", "same"], "op": "scan", "in": ["c", "key"], "attrs": {"function": "step", "length": 2, "random": "same"}},
           {"out": "one", "op": "slice", "in": ["us"], "attrs": {"start": 1, "end": 2}},
           {"out": "k", "op": "fold_in", "in": ["key", 1]},
           {"out": "s/u", "op": "rand", "in": ["k"], "attrs": {"shape": [1, 4]}},
           {"out": "z/u", "op": "rand", "in": ["key"], "attrs": {"shape": [4]}},
           {"out": "e", "op": "eq", "in": ["one", "s/u"]}, {"out": "e1", "op": "all", "in": ["e"]},
           {"out": "f", "op": "eq", "in": ["same", "z/u"]}, {"out": "f1", "op": "all", "in": ["f"]},
           {"out": "two", "op": "slice", "in": ["us"], "attrs": {"start": 2}},
           {"out": "g", "op": "eq", "in": ["one", "two"]}, {"out": "g1", "op": "any", "in": ["g"]}],
 "outputs": {"step": "e1", "same": "f1", "repeated": "g1"},
 "functions": {"step": {"inputs": {"c": "f32[]", "key": "u64[]"}, "nodes": [{"out": "u", "op": "rand", "in": ["key"], "attrs": {"shape": [4]}}],
  "outputs": {"c": "c", "u": "u"}}}}
X
is "functions: random numbers of each step" "$("$GRADC" run drawn.json)" "step bool[] = 1
same bool[] = 1
repeated bool[] = 0"
is "functions: they stay when what a pass printed is read" "$("$GRADC" print --after=inline drawn.json | "$GRADC" run -)" \
	"$("$GRADC" run drawn.json)"

# a shift beyond the size reads nothing of the scan: neither it nor what is computed for it is emitted
cat >unread.json <<'X'
{"gradc": 1, "name": "unread", "inputs": {"x": "f32[2]"},
 "nodes": [{"out": "e", "op": "exp", "in": ["x"]}, {"out": "c", "op": "scan", "in": ["e", "x"], "attrs": {"function": "f", "xs": 1}},
           {"out": "y", "op": "shift", "in": ["c"], "attrs": {"dim": 0, "by": 4}}], "outputs": {"y": "y"},
 "functions": {"f": {"inputs": {"c": "f32[2]", "k": "f32[]"}, "nodes": [{"out": "n", "op": "mul", "in": ["c", "k"]}], "outputs": {"n": "n"}}}}
X
"$GRADC" compile unread.json -o unread
is "functions: operands of a scan that nothing reads" "$(grep -c '^unread_k[0-9]*_' unread/unread.c)" 1
