# gradc run: the interpreter and the emitted C, on values that are exact in both
mkdir run && cd run || exit 1
cat >m.json <<'X'
{"gradc": 1, "name": "m", "dims": {"N": {"max": 5}}, "inputs": {"x": "i32[N]", "at": "i64[2]"},
 "params": {"w": {"type": "f32[4]", "init": {"constant": 0.5}}}, "buffers": {"count": {"type": "i64[]", "init": "zeros"}},
 "nodes": [{"out": "square", "op": "mul", "in": ["x", "x"]}, {"out": "s", "op": "sum", "in": ["square"]},
  {"out": "next", "op": "add", "in": ["count", "s"]}, {"out": "picked", "op": "index_select", "in": ["w", "at"], "attrs": {"dim": 0}},
  {"out": "l", "op": "sum", "in": ["picked"]}],
 "outputs": {"l": "l", "y": "square"}, "updates": {"count": "next"}, "loss": "l"}
X
# npy FILE DTYPE COUNT BYTES: little-endian
npy() {
	printf '\223NUMPY\001\000v\000' >"$1"
	printf '%-117s\n' "{'descr': '$2', 'fortran_order': False, 'shape': ($3,), }" >>"$1"
	printf "$4" >>"$1"
}
npy x.npy '<i4' 3 '\001\000\000\000\376\377\377\377\003\000\000\000'
npy at.npy '<i8' 2 '\003\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000'
npy far.npy '<i8' 2 '\004\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000'
want="l f32[] = 1
y i32[3] = [1, 4, 9]
count i64[] = 14
=> 0"
for backend in interp nop fused; do
	is "run: $backend" "$(says run m.json --in x=x.npy --in at=at.npy --backend=$backend)" "$want"
	"$GRADC" run m.json --in x=x.npy --in at=at.npy --backend=$backend -o $backend.npz
	is "run: $backend, into a file" "$(cmp $backend.npz interp.npz && wc -c <$backend.npz)" "$(wc -c <interp.npz)"
done
is "run: results are inputs" "$("$GRADC" run m.json --in x=x.npy --in at=at.npy --params interp.npz 2>&1 | tail -n 1)" \
	"count i64[] = 28"
is "run: what a file of parameters lacks" "$("$GRADC" run m.json --in x=x.npy --in at=at.npy --params interp.npz 2>&1 | grep random)" \
	"interp.npz: warning: not in this file, drawn at random: 'w'"
mkdir sub
npy sub/w.npy '<f4' 4 '\000\000\000\100\000\000\000\000\000\000\000\000\000\000\200\077'
sed 's/"init": {"constant": 0.5}/"file": "w.npy"/' m.json >sub/m.json
is "run: a parameter's own file lies beside the model" "$("$GRADC" run sub/m.json --in x=x.npy --in at=at.npy | head -n 1)" "l f32[] = 3"
npy zeros.npy '<f4' 4 '\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000'
is "run: what is given comes first" \
	"$("$GRADC" run sub/m.json --in x=x.npy --in at=at.npy --in w=zeros.npy | head -n 1)" "l f32[] = 0"
is "run: a seed" "$("$GRADC" run m.json --seed 7 | cksum)" "$("$GRADC" run m.json --seed=7 | cksum)"
is "run: another seed" "$("$GRADC" run m.json --seed 7 >a; "$GRADC" run m.json --seed 8 >b; cmp -s a b; echo $?)" 1
is "run: a symbol's hint" "$("$GRADC" run m.json | sed -n 's/^\(y .*\) =.*/\1/p')" "y i32[5]"
is "run: an index out of range, interpreted" "$(says run m.json --in x=x.npy --in at=far.npy | grep -c warning)" 1
is "run: an index out of range, compiled" "$(says run m.json --in x=x.npy --in at=far.npy --backend=nop)" \
"gradc: error: an index is out of range
=> 2"
is "run: another compiler" "$(says run m.json --backend=nop --cc=/none/cc | head -n 1)" "gradc: error: /none/cc: exit status 127"
is "run: the wrong type" "$(says run m.json --in x=at.npy | head -n 1)" \
	"m.json:1:65: error: 'x' is i32[N] in the model, i64[2] in the file"
is "run: --round is not for C" "$(says run m.json --round --backend=fused | head -n 1)" "gradc: error: --round is for the interpreter"
is "run: nothing is left behind" "$(TMPDIR=$PWD "$GRADC" run m.json --backend=nop >out; sleep 0.2; ls -d gradc-* 2>/dev/null)" ""
