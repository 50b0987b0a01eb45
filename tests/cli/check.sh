# gradc check
mkdir check && cd check || exit 1
cp "$models/mlp.json" .
"$GRADC" mlp.json -o gen --optimizer=momentum --partition=default
cp -r gen fresh
anew() { rm -rf gen; cp -r fresh gen; }

before=$(snapshot .)
is "check: fresh" "$(says check mlp.json -o gen)" "=> 0"
is "check: options that agree" "$(says check mlp.json -o gen --optimizer=momentum --grad=write)" "=> 0"
is "check: options that do not" "$(says check mlp.json -o gen --optimizer=adam)" \
"gen/mlp.c: error: made with --optimizer=momentum, not with --optimizer=adam
=> 1"
is "check: a default that does not" "$(says check mlp.json -o gen --partition=min-cut)" \
"gen/mlp.c: error: made with --partition=default, not with --partition=min-cut
=> 1"
is "check: a switch that does not" "$(says check mlp.json -o gen --stamp-version)" \
"gen/mlp.c: error: made without --stamp-version, not with --stamp-version
=> 1"
is "check: no directory" "$(says check mlp.json | head -n 1)" \
"gradc: error: -o DIR is missing: the directory of NAME.c, NAME.h and NAME.manifest.json (-o . is this one)"
is "check: nothing there" "$(says check mlp.json -o none)" \
"gradc: error: not what mlp.json gives; \`gradc compile mlp.json -o none\` writes it
none/mlp.c: error: missing
none/mlp.h: error: missing
none/mlp.manifest.json: error: missing
=> 1"
chmod a-w gen
is "check: a directory that cannot be written" "$(says check mlp.json -o gen)" "=> 0"
chmod u+w gen
is "check: never writes" "$(snapshot .)" "$before"

# what a formatter does
for style in LLVM Google GNU Microsoft; do
	if command -v clang-format-19 >/dev/null 2>&1; then
		clang-format-19 -i --style=$style gen/mlp.[ch]
		is "check: after clang-format --style=$style" "$(says check mlp.json -o gen)" "=> 0"
		is "check: clang-format --style=$style changes something" "$(cmp -s gen/mlp.c fresh/mlp.c; echo $?)" 1
		anew
	else
		skip "check after clang-format --style=$style" "no clang-format-19"
	fi
done
sed -i 's/^/ /; s/: /  :\n/' gen/mlp.manifest.json
is "check: a manifest with other blanks" "$(says check mlp.json -o gen)" "=> 0"
anew
sed -i '3,$s|/\*.*\*/|/* mine */|' gen/mlp.h
is "check: other comments" "$(says check mlp.json -o gen)" "=> 0"
anew

# what a person does
sed -i 's/return MLP_OK/return MLP_E_NULL/' gen/mlp.c
line=$(grep -n 'return MLP_E_NULL' gen/mlp.c | head -n 1 | cut -d: -f1)
is "check: an edited file" "$(says check mlp.json -o gen | sed "s/mlp.c:[0-9]*:[0-9]*:/mlp.c:L:C:/")" \
"gradc: error: not what mlp.json gives; \`gradc compile mlp.json -o gen --partition=default --optimizer=momentum\` writes it
gen/mlp.c: error: stale
    gen/mlp.c:L:C: 'MLP_E_NULL', should be 'MLP_OK'
=> 1"
has "check: as JSON" "$(says check mlp.json -o gen --diagnostics=json)" \
	'{"file": "gen/mlp.c", "line": 0, "col": 0, "severity": "error", "message": "stale'
if command -v patch >/dev/null 2>&1; then
	"$GRADC" check mlp.json -o gen --diff >stale.diff 2>/dev/null
	patch -s -p0 <stale.diff
	is "check: --diff is what mends it" "$(cmp gen/mlp.c fresh/mlp.c; says check mlp.json -o gen)" "=> 0"
else
	skip "check --diff" "no patch"
fi
anew
rm gen/mlp.h
is "check: a missing file" "$(says check mlp.json -o gen | sed -n '2,$p')" "gen/mlp.h: error: missing
=> 1"
rm gen/mlp.c
is "check: no file that tells the options" "$(says check mlp.json -o gen --partition=default --optimizer=momentum | sed -n '2,$p')" \
"gen/mlp.c: error: missing
gen/mlp.h: error: missing
=> 1"
anew
sed -i 's/"saved"/"kept"/' gen/mlp.manifest.json
is "check: an edited manifest" "$(says check mlp.json -o gen | sed -n '2,$p')" "gen/mlp.manifest.json: error: stale
=> 1"
echo '{' >gen/mlp.manifest.json
is "check: a broken manifest" "$(says check mlp.json -o gen | tail -n 1)" "=> 1"
anew
echo 'int x;' >gen/mlp.c
is "check: another's file" "$(says check mlp.json -o gen)" \
"gen/mlp.c: error: it does not begin as a file that gradc wrote
=> 1"
anew
sed -i 's/--optimizer=momentum/--optimizer=muon/' gen/mlp.c
is "check: an option of another gradc" "$(says check mlp.json -o gen)" \
"gen/mlp.c: error: made with --optimizer=muon, which this gradc does not know
=> 1"
anew
sed 's/"max": [0-9]*/"max": 64/' mlp.json >mlp64.json
mv mlp64.json mlp.json
is "check: another model" "$(says check mlp.json -o gen | grep -c stale)" 3
is "check: a wrong model" "$(echo '{' >broken.json; says check broken.json -o gen | tail -n 1)" "=> 2"
is "check: none of this wrote" "$(cat gen/* | cksum)" "$(cat fresh/* | cksum)"

# names that a comment could not hold
cat >odd.json <<'X'
{"gradc": 1, "name": "odd", "inputs": {"x": "f32[2]"}, "params": {"p": "f32[2]"},
 "nodes": [{"out": "y", "op": "mul", "in": ["x", "p"]}, {"out": "l", "op": "sum", "in": ["y"]}],
 "outputs": {"l": "l", "a */ options: --grad=accumulate %41 ü": "y"}, "loss": "l"}
X
"$GRADC" odd.json -o odd --of=l '--infer=a */ options: --grad=accumulate %41 ü'
is "check: names of outputs as options" "$(says check odd.json -o odd)" "=> 0"
