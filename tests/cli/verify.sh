# gradc verify: right programs pass, wrong ones are found, and where
mkdir verify && cd verify || exit 1
for m in awkward_names bn_dropout gcn pendulum; do
	"$GRADC" verify "$models/$m.json" >$m.log 2>&1
	is "verify: $m" "$? $(grep -c error: $m.log)" "0 0"
	is "verify: $m, every function by both backends" "$(grep -cE '^  (nop  |fused) (forward |backward|infer   ) +[1-9][0-9]* values' $m.log)" \
		"$(grep -q '=' $m.log && echo $((6 * $(grep -c ' seed=0 ' $m.log))))"
done
is "verify: a symbolic dimension at its hint and at its least" "$(grep -o 'B=[0-9]*' bn_dropout.log | tr '\n' ' ')" "B=16 B=2 "
is "verify: gradients by differences" "$(grep -c '^  gradient of .* by differences .* tolerance' bn_dropout.log)" 6

# functions that compute nothing
cat >same.json <<'X'
{"gradc": 1, "name": "same", "inputs": {"x": "f32[3]"}, "params": {"w": "f32[3]"}, "nodes": [],
 "outputs": {"y": "x", "z": "w"}}
X
"$GRADC" verify same.json >same.log 2>&1
is "verify: a graph whose outputs are its inputs" "$? $(grep -c ' 0 values' same.log) $(grep -c 'compared bit by bit' same.log)" "0 6 2"

# a compiler that changes the program: what it changed is found by both backends
cat >wrongcc <<'X'
#!/bin/sh
for f; do case $f in */mlp*.c) sed -i 's/[ (][a-z0-9_]*_log_f32(/&0.5f + /' "$f" ;; esac; done
exec cc "$@"
X
chmod +x wrongcc
"$GRADC" verify "$models/mlp.json" --dim=B=4 --cc="'$PWD/wrongcc'" >wrong.log 2>wrong.err
is "verify: a wrong program" "$? $(grep -c error: wrong.err)" "1 3"
has "verify: the wrong node, nop" "$(cat wrong.err)" "mlp.json:26:24: error: nop forward: a log[0,0] is "
has "verify: the wrong group, fused" "$(cat wrong.err)" "mlp.json:26:24: error: fused forward: "
has "verify: the count" "$(cat wrong.err)" "mlp.json: error: verify found 2 differences"
cat >loosecc <<'X'
#!/bin/sh
for f; do case $f in */mlp.c) sed -i 's/\([ (]\)\([a-z0-9_]*_log_f32(\)/\11.00001f * \2/' "$f" ;; esac; done
exec cc "$@"
X
chmod +x loosecc
has "verify: the program, against its own kernels" "$("$GRADC" verify "$models/mlp.json" --dim=B=4 --cc="'$PWD/loosecc'" 2>&1)" \
	"mlp.json:26:24: error: forward: 'loss' is "
is "verify: no compiler" "$(says verify "$models/mlp.json" --cc=/none/cc | head -n 1)" "gradc: error: /none/cc: exit status 127"
is "verify: no compiler, exit code" "$(says verify "$models/mlp.json" --cc=/none/cc | tail -n 1)" "=> 2"
cd ..
