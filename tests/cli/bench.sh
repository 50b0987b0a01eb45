# gradc bench
mkdir bench && cd bench || exit 1
"$GRADC" bench "$models/mlp.json" --dim=B=8 --seconds=0.05 --cc='cc -O2' --optimizer=adamw --svg=roof.svg >table 2>err
is "bench: runs, silently" "$? $(cat err)" "0 "
is "bench: the heading" "$(sed -n 1p table)" "mlp: B=8 threads=1 cc='cc -O2'"
is "bench: the machine" "$(sed -n 2p table | sed 's/[0-9][0-9.e+]*/N/g')" \
	"machine: N GFLOP/s in fN, N in fN; copies of N KiB N, N KiB N, N KiB N, N MiB N, N MiB N, N MiB N, N MiB N, N MiB N GB/s"
is "bench: every function" "$(grep -oE '^[a-z_]+: [0-9.e-]+ ms, [0-9]+ samples' table | sed 's/:.*//' | tr '\n' ' ')" \
	"infer forward backward train_step update "
"$GRADC" bench "$models/mlp.json" --dim=B=8 --seconds=0.05 --cc='cc -O2' --json >json
is "bench: as JSON" "$(head -c 45 json | tr -d '\n')" '{  "model": "mlp",  "dims": {"B": 8},  "th'

# the kernels are those of the C that compile writes for these sizes, called as often
sed 's/"max": 128/"max": 128, "hint": 8/' "$models/mlp.json" >hint.json
"$GRADC" compile hint.json -o . --optimizer=adamw
is "bench: the steps of the emitted C" "$(sed -n '/^train_step:/,/^  else/p' table | awk '/ k[0-9]/ {for (i = 0; i < $2; i++) print $1}' | sort | tr '\n' ' ')" \
	"$(sed -n '/^mlp_train_step/,/^}/p' mlp.c | grep -oE 'mlp_k[0-9a-z_]+\(' | sed 's/mlp_//;s/(//' | sort | tr '\n' ' ')"
is "bench: shares sum to the whole, nearly" "$(sed -n '/^train_step:/,/^update/p' table \
	| awk '/%/ {gsub("%", ""); s += ($1 == "else" ? $3 : $4)} END {print (s > 80 && s < 120)}')" 1
is "bench: nothing is faster than the machine" "$(awk '/ k[0-9]/ {gsub("%", ""); if ($6 > 120) print}' table)" ""
is "bench: the plot" "$(head -c 39 roof.svg) $(grep -c '<circle.*<title>.*k[0-9].* ms, ' roof.svg)" \
	"<svg xmlns=\"http://www.w3.org/2000/svg\" $(awk '/ k[0-9]/ && $5 > 0' table | wc -l | tr -d ' ')"

# threads, a model without a loss, scans, indices out of range
is "bench: threads" "$("$GRADC" bench "$models/mlp.json" --seconds=0.05 --threads=2 | sed -n 1p)" \
	"mlp: B=128 threads=2 cc='cc -O3 -march=native'"
cat >plain.json <<'Y'
{"gradc": 1, "name": "plain", "inputs": {"x": "f64[300]"}, "nodes": [
	{"out": "y", "op": "sin", "in": ["x"]}], "outputs": {"y": "y"}, "wrt": []}
Y
is "bench: what is not differentiated" "$("$GRADC" bench plain.json --seconds=0.01 | grep -cE '^(infer|forward|backward):')" 1
is "bench: no number" "$(says bench plain.json --seconds=x | head -n 1)" "gradc: error: --seconds: 'x' is no number from 0 to 3600"
is "bench: half a thread" "$(says bench plain.json --threads=1.5 | head -n 1)" "gradc: error: --threads: '1.5' is no whole number"
is "bench: no compiler" "$(says bench plain.json --cc=/none/cc | tail -n 1)" "=> 2"
