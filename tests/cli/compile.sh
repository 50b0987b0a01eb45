# gradc compile
mkdir compile && cd compile || exit 1
cp "$models/mlp.json" .

is "compile: quiet" "$(says compile mlp.json -o gen)" "=> 0"
is "compile: the files" "$(ls gen | tr '\n' ' ')" "mlp.c mlp.h mlp.manifest.json "
is "compile: without its name" "$(says mlp.json -o short)$(cat short/* | cksum)" "=> 0$(cat gen/* | cksum)"
is "compile: no trailing blanks" "$(grep -nE '[ 	]$' gen/mlp.[ch])" ""
sed 's/"name": "mlp"/"name": "a_model_with_a_long_name"/' mlp.json >long.json
"$GRADC" compile long.json -o long
is "compile: no line beyond 100 columns" "$(expand gen/mlp.[ch] long/*.[ch] | awk 'length > 100' | head -n 3)" ""
is "compile: from standard input" \
	"$("$GRADC" - -o stdin <mlp.json; sed 's/from standard input/from mlp.json/' stdin/mlp.c | cksum)" "$(cksum <gen/mlp.c)"

# gcc before 12.4 drops lanes of a sum whose terms are loaded under a mask (PR 114375): what where chooses from is loaded
# whatever is chosen, before the choice
cat >where.json <<'EOF'
{"gradc": 1, "name": "choose", "inputs": {"c": "bool[70]", "a": "f32[70]", "d": "f32[70]"},
 "nodes": [{"out": "y", "op": "where", "in": ["c", 0, "a"]}, {"out": "s", "op": "sum", "in": ["y"]},
           {"out": "z", "op": "where", "in": ["c", "a", "d"]}, {"out": "t", "op": "sum", "in": ["z"]}],
 "outputs": {"s": "s", "t": "t"}}
EOF
"$GRADC" compile where.json -o choose
is "compile: no load depends on a choice" "$(grep -c ' ? ' choose/choose.c) $(grep ' ? .*\[' choose/choose.c)" "4 "

sed 's/^  "loss": .*/  "loss": "loss", "wrt": []/' mlp.json >infer.json
is "compile: nothing to differentiate" "$(says infer.json -o infer; grep -oE 'mlp_(infer|forward|backward)\(' infer/mlp.h)" "=> 0
mlp_infer("

# values of files: in the source up to 1 MiB together, or none of them
{
	printf '\230\0\0\0\0\0\0\0%-152s' \
		'{"v":{"dtype":"F32","shape":[160000],"data_offsets":[0,640000]},"w":{"dtype":"F32","shape":[160000],"data_offsets":[640000,1280000]}}'
	head -c 1280000 /dev/zero
} >vw.safetensors
cat >files.json <<'EOF'
{"gradc": 1, "name": "files", "inputs": {"x": "f32[160000]"},
 "params": {"v": {"type": "f32[160000]", "file": "vw.safetensors", "tensor": "v"},
            "w": {"type": "f32[160000]", "file": "vw.safetensors", "tensor": "w"}},
 "nodes": [{"out": "a", "op": "mul", "in": ["x", "v"]}, {"out": "b", "op": "mul", "in": ["a", "w"]}, {"out": "l", "op": "sum", "in": ["b"]}],
 "outputs": {"l": "l"}, "loss": "l"}
EOF
sed 's/"w": {.*/"w": "f32[160000]"},/' files.json >fewer.json
loads() {
	says compile "$@" -o files
	echo "$(grep -c '_init_[vw]\[' files/files.c) $(grep -c 'include <std\(io\|lib\).h>' files/files.c)" \
		$(grep -oE 'files_(weights_)?(load|save)\(' files/files.h)
}
all="files_weights_load( files_load( files_save("
is "weights: more than 1 MiB" "$(loads files.json)" "=> 0
0 2 $all"
is "weights: check decides likewise" "$(says check files.json -o files)" "=> 0"
is "weights: less" "$(loads fewer.json)" "=> 0
1 0"
is "weights: file" "$(loads fewer.json --weights=file)" "=> 0
0 2 $all"
is "weights: check takes it from the head" "$(says check fewer.json -o files)" "=> 0"
is "weights: inline" "$(loads files.json --weights=inline)" "=> 0
2 0"
is "weights: inline with a checkpoint" "$(loads files.json --weights=inline --checkpoint)" "=> 0
2 2 files_load( files_save("
is "checkpoint: lines of 100 columns" "$(expand files/files.[ch] | awk 'length > 100' | head -n 3)" ""
is "checkpoint: nothing else changes" \
	"$(says mlp.json -o ck --checkpoint; diff gen/mlp.c ck/mlp.c | grep '^<' | grep -v 'sha256 \|options: \|_MAGIC ')" "=> 0"

# where to
is "compile: no -o" "$(says mlp.json | head -n 1)" \
"gradc: error: -o DIR is missing: the directory of NAME.c, NAME.h and NAME.manifest.json (-o . is this one)"
is "compile: -o -" "$(says mlp.json -o - | head -n 1)" "gradc: error: -o names a directory: a model becomes several files"
is "compile: -o of a file" "$(says mlp.json -o mlp.c | head -n 1)" \
"gradc: error: -o mlp.c: this is the name of a file; -o names a directory, the model names its files"
: >plain
is "compile: a file where the directory should be" "$(says mlp.json -o plain)" \
"plain/mlp.h: error: cannot write: Not a directory
=> 2"
is "compile: into nested new directories" "$(says mlp.json -o a/b/c; ls a/b/c | wc -l)" "=> 0
3"
cp mlp.json mlp.manifest.json
is "compile: never over its input" "$(says mlp.manifest.json -o .)" \
"mlp.manifest.json: error: this output would be written over the input mlp.manifest.json
=> 2"
is "compile: and then nothing is written" "$(ls mlp.[ch] 2>&1 | grep -c 'No such')$(cmp mlp.json mlp.manifest.json)" 1

# failure leaves all as it was
before=$(snapshot gen)
sed 's/"relu"/"rellu"/' mlp.json >wrong.json
is "failure: an invalid model" "$(says wrong.json -o gen --stamp gen/stamp -MD | tail -n 1)" "=> 2"
sed "s/cross_entropy/custom/g" mlp.json >custom.json
is "failure: unsupported" "$(says custom.json -o gen --stamp gen/stamp -MD | tail -n 1)" "=> 3"
is "failure: no IR" "$(says none.json -o gen)" "none.json: error: cannot open: No such file or directory
=> 2"
is "failure: an option that is wrong" "$(says mlp.json -o gen --recomputable-ops=dott)" \
"gradc: error: --recomputable-ops=dott: there is no op of that name; did you mean 'dot'?
=> 2"
is "failure: the stamp cannot be written" "$(says mlp.json -o gen --backend=nop --stamp plain/x/stamp | tail -n 1)" "=> 2"
is "failure: the certificate cannot be written" "$(says mlp.json -o gen --backend=nop --certify plain/x | tail -n 1)" "=> 2"
is "failure: the depfile is one of the files" "$(says mlp.json -o gen --backend=nop -MD -MF gen/mlp.c)" \
"gen/mlp.c: error: two outputs have this path
=> 2"
is "failure: no libclang" "$(GRADC_LIBCLANG=/none/libclang.so says mlp.json -o gen --backend=nop)" \
"gradc: error: GRADC_LIBCLANG: /none/libclang.so: cannot open shared object file: No such file or directory; \
it checks the emitted C, --no-reparse writes it unchecked
=> 2"
is "failure: nothing was touched" "$(snapshot gen)" "$before"
is "failure: nothing new" "$(ls -a gen | tr '\n' ' ')" ". .. mlp.c mlp.h mlp.manifest.json "
is "compile: without libclang" "$(GRADC_LIBCLANG=/none says mlp.json -o bare --no-reparse)$(cat bare/* | cksum)" \
	"=> 0$(cat gen/* | cksum)"
mkdir -p blocked/mlp.c
is "failure: a directory in the place of a file" "$(says mlp.json -o blocked | tail -n 1)$(ls blocked)" "=> 2mlp.c"

# what does not change is not written
touch -d 2001-01-01 gen/*
before=$(snapshot gen)
is "unchanged files are not touched" "$(says mlp.json -o gen)$(snapshot gen)" "=> 0$before"
echo "/* mine */" >>gen/mlp.h
"$GRADC" mlp.json -o gen
is "only the changed file is written" "$(find gen -type f -newermt 2002-01-01)" gen/mlp.h
is "the stamp is touched nevertheless" \
	"$("$GRADC" mlp.json -o gen --stamp s/t; touch -d 2001-01-01 s/t; "$GRADC" mlp.json -o gen --stamp s/t; find s -type f -newermt 2002-01-01)" s/t

# depfiles as gcc's
is "depfile: its name and target" "$(says mlp.json -o gen -MD)$(cat gen/mlp.gradc.d)" "=> 0gen/mlp.c: mlp.json"
is "depfile: -MF -MT -MP" "$(says mlp.json -o gen -MD -MF 'd/my deps' -MT 'a target' -MP)$(cat 'd/my deps')" \
	'=> 0a\ target: mlp.json
mlp.json:'
is "depfile: two targets" "$(says mlp.json -o gen -MD -MF d/2 -MT a -MT b -MP)$(cat d/2)" '=> 0a: mlp.json
b: mlp.json
mlp.json:'
is "depfile: joined" "$(says mlp.json -o gen -MD -MFd/j -MTt)$(cat d/j)" "=> 0t: mlp.json"
is "depfile: the stamp is the target" "$(says mlp.json -o gen -MD -MF d/s --stamp s/t)$(cat d/s)" "=> 0s/t: mlp.json"
is "depfile: nothing from standard input" "$("$GRADC" - -o gen -MD -MF d/e <mlp.json; cat d/e)" "gen/mlp.c:"
is "depfile: -MF alone" "$(says mlp.json -o gen -MF x | head -n 1)" "gradc: error: -MF needs -MD, which asks for a depfile"
mkdir 'w dir'
printf '\223NUMPY\001\000v\000' >'w dir/w.npy'
printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }" >>'w dir/w.npy'
printf '\000\000\200\077\000\000\000\100' >>'w dir/w.npy'
cat >'w dir/w.json' <<'X'
{"gradc": 1, "name": "w", "inputs": {"x": "f32[2]"}, "constants": {"c": {"type": "f32[2]", "file": "w.npy"}},
 "params": {"p": {"type": "f32[2]", "init": "ones"}},
 "nodes": [{"out": "y", "op": "mul", "in": ["x", "c"]}, {"out": "z", "op": "mul", "in": ["y", "p"]}, {"out": "l", "op": "sum", "in": ["z"]}],
 "outputs": {"l": "l"}, "loss": "l"}
X
is "depfile: weight files" "$(says 'w dir/w.json' -o gen -MD -MF d/w -MT t)$(cat d/w)" '=> 0t: w\ dir/w.json \
  w\ dir/w.npy'

# other outputs
is "certificate" "$(says mlp.json -o gen --certify c.json)$(head -c 1 c.json)" "=> 0{"
is "certificate: it changes nothing else" "$(cat gen/mlp.[ch] gen/mlp.manifest.json | cksum)" "$(cat short/* | cksum)"
is "dumps" "$(says mlp.json -o gen --dump-dir=dumps; ls dumps | tr '\n' ' ')" \
	"=> 0
00-inline.json 01-simplify.json 02-grad.json 03-compose.json 04-clean.json 05-split.json "
is "--stop" "$(says mlp.json --stop=grad --dump-dir=stopped; ls stopped | tr '\n' ' ')" "=> 0
00-inline.json 01-simplify.json 02-grad.json "
is "--preset" "$(says mlp.json -o preset --preset=memory-efficient)$(cat preset/* | cksum)" "=> 0$(cat short/* | cksum)"
is "--partition=default says so" "$("$GRADC" mlp.json -o default --partition=default; grep -c -- 'options: --partition=default' default/mlp.[ch])" \
	"default/mlp.c:1
default/mlp.h:1"
is "defaults are left out" "$("$GRADC" mlp.json -o d2 --backend=fused --grad=write; cat d2/* | cksum)" "$(cat short/* | cksum)"
has "--stamp-version" "$("$GRADC" mlp.json -o sv --stamp-version; sed -n 2p sv/mlp.h)" "by gradc 0."
is "no path, no user, no date" "$(mkdir -p /tmp/gradc-cli-$$; "$GRADC" "$PWD/mlp.json" -o /tmp/gradc-cli-$$/gen; cat /tmp/gradc-cli-$$/gen/* | cksum; rm -r /tmp/gradc-cli-$$)" \
	"$(cat short/* | cksum)"
if [ -d "$LOCPATH/de_DE.UTF-8" ]; then
	is "a locale with a decimal comma" "$(LC_ALL=de_DE.UTF-8 "$GRADC" mlp.json -o loc; cat loc/* | cksum)" "$(cat short/* | cksum)"
else
	skip "locale" "no de_DE.UTF-8"
fi

# interruption, at many moments: old files or new ones, and no temporary
"$GRADC" "$models/gpt2_tiny.json" -o int --no-reparse
old=$(cat int/gpt2_tiny.[ch] | cksum)
"$GRADC" "$models/gpt2_tiny.json" -o int2 --no-reparse --backend=nop
new=$(cat int2/gpt2_tiny.[ch] | cksum)
left='' mixed=''
for ms in 02 04 06 08 10 12 14 16 18 20 24 28 32 36 40 45 50 60 70 80 90; do
	# SIGINT is ignored in background jobs of a script
	timeout -s INT 0.0$ms "$GRADC" "$models/gpt2_tiny.json" -o int --no-reparse --backend=nop
	left=$left$(ls int | grep -v '^gpt2_tiny\.\(c\|h\|manifest.json\)$')
	now=$(cat int/gpt2_tiny.[ch] | cksum)
	[ "$now" = "$old" ] || [ "$now" = "$new" ] || mixed="$mixed $ms"
done
is "SIGINT leaves no temporaries" "$left" ""
is "SIGINT leaves old files or new ones" "$mixed" ""
