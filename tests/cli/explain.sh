# gradc explain
"$GRADC" explain "$models/pointwise_chain.json" >chain
is "explain: the totals" "$(head -n 1 chain)" \
	"pointwise_chain: forward keeps 2 values for backward, 32,768 bytes; backward computes 11 again"
is "explain: what is saved" "$(sed -n '/^saved/,/^recomputed/p' chain | awk '/^ / {print $1, $2, $3}')" \
"y.div f32[4096,1] 16,384
y.rsqrt f32[4096,1] 16,384"
is "explain: what is free" "$(sed -n '/^free/,$p' chain | awk '/^ / {printf "%s ", $1}')" "x r bias ln.weight "
is "explain: names are unique" "$(awk '/^  / {print $1}' chain | sort | uniq -d)" ""
is "explain: the scope" "$("$GRADC" explain "$models/gpt2_tiny.json" | awk '$1 == "h0.p" {print $6}')" h.0/attn
"$GRADC" explain "$models/pointwise_chain.json" y.rsqrt >value
is "explain: a value" "$(sed -n '1p;3p' value)" "y.rsqrt: f32[4096,1], rsqrt of 'y' ($models/pointwise_chain.json:18:24)
  16,384 bytes"
is "explain: the kernels that hold it" "$(sed -n '4,5s/k[0-9]*_[a-z_]*\(, k.*\)*/KERNEL/gp' value)" "  written by KERNEL
  in backward read by KERNEL"
is "explain: the kernels of the nop backend" \
	"$("$GRADC" explain --backend=nop "$models/mlp.json" a1 | sed -n 's/written by k[0-9]*_/written by /p')" "  written by where"
is "explain: as JSON" "$("$GRADC" explain --json --backend=nop "$models/mlp.json" a1 | grep -oE '"(value|fate|bytes|written_by)": [^,]*' | tr '\n' ' ' | sed 's/k[0-9]*_//')" \
	'"value": "a1" "fate": "saved" "bytes": 262144 "written_by": ["where"] '
has "explain: a composite is all that it came to" "$("$GRADC" explain "$models/mlp.json" l)" "l.sub: f32[B,10], sub of 'l'"
is "explain: a value of forward alone" "$("$GRADC" explain "$models/mlp.json" logits)" "logits: backward does not use it"
is "explain: bytes at the maximum and at the hint" "$("$GRADC" explain "$models/block.json" | sed -n '1s/[0-9,]*[0-9]/N/gp')" \
"block: forward keeps N values for backward, N bytes (B = N, T = N), N at the hints; backward computes N again"
is "explain: an unknown value" "$(says explain "$models/mlp.json" logit | sed 's/.*error/error/')" \
"error: there is no value 'logit'; did you mean 'logits'?
=> 2"
"$GRADC" explain --objective=bytes "$models/mlp.json" >bytes
is "explain: by bytes, the plan costs what is saved" "$(sed -n '2s/the plan costs \(.* bytes\) .*/\1/p' bytes)" \
	"$(sed -n '1s/.*backward, \(.* bytes\).*/\1/p' bytes)"
cat >still.json <<'X'
{"gradc": 1, "name": "still", "inputs": {"x": "i32[3]"}, "nodes": [{"out": "y", "op": "neg", "in": ["x"]}], "outputs": {"y": "y"}}
X
is "explain: nothing to differentiate" "$(says explain still.json)" \
'still.json: error: there is nothing to differentiate: no loss, no "wrt", no trainable floating parameter
=> 2'
