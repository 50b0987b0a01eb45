#!/bin/sh
# emitted models against the interpreter and their contract, under gcc and clang; then what only whole
# programs show: two models side by side, C++, other flags
passed=0 failed=0
count() {
	passed=$((passed + ${1:-0})) failed=$((failed + ${3:-1}))
}
e2e() {
	mkdir -p "$BUILD/e2e"
	count $("$BUILD/tests/e2e" "$@" 2>&1 | tee -a /dev/stderr | tail -n 1)
}
try() {
	what=$1; shift
	if "$@" >"$dir/log" 2>&1; then
		passed=$((passed + 1))
	else
		echo "FAIL $what"; head -n 20 "$dir/log"; failed=$((failed + 1))
	fi
}
few="tests/e2e/corners.json tests/e2e/fixed.json tests/e2e/seeds.json tests/e2e/stateful.json tests/e2e/swap.json"
{
e2e "$CC" "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all" "$BUILD/e2e" $few tests/models/awkward_names.json
e2e "$CC" "-O2 -march=native -fopenmp" "$BUILD/e2e" -quick tests/models/mlp.json tests/models/block.json \
	tests/models/bn_dropout.json tests/models/gcn.json tests/models/pendulum.json tests/models/lenet.json \
	tests/models/resnet_block.json tests/models/residual.json tests/models/half.json
if command -v clang-19 >/dev/null; then
	e2e clang-19 "-O2" "$BUILD/e2e" $few -quick tests/models/mlp.json
fi

dir=$BUILD/e2e/programs
mkdir -p "$dir"
for m in mlp gcn awkward_names; do
	"$GRADC" compile "tests/models/$m.json" -o "$dir" --optimizer=adam || failed=$((failed + 1))
done
strict="-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror"
for cc in "$CC" clang-19; do
	command -v $cc >/dev/null || continue
	try "$cc: two models in one program" $cc $strict -I"$dir" tests/e2e/two.c "$dir/mlp.c" "$dir/gcn.c" -lm -o "$dir/two"
	try "$cc: it runs" "$dir/two"
	try "$cc: without vector extensions" $cc $strict -O2 -DMLP_NO_SIMD -c "$dir/mlp.c" -o "$dir/mlp.o"
	try "$cc: gnu11" $cc -std=gnu11 -O2 -Wall -Werror -c "$dir/mlp.c" -o "$dir/mlp.o"
	if $cc -ffast-math -c "$dir/mlp.c" -o "$dir/mlp.o" 2>"$dir/log"; then
		echo "FAIL $cc: -ffast-math is let pass"; failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
done

# constants and first values from files: 512 x 1024 ones are bound, two ones stand in the source
cp tests/e2e/loads.json "$dir"
printf '\000\000\200\077' >"$dir/ones"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
	cat "$dir/ones" "$dir/ones" >"$dir/more" && mv "$dir/more" "$dir/ones"
done
{
	printf '\210\0\0\0\0\0\0\0%-136s' '{"big":{"dtype":"F32","shape":[512,1024],"data_offsets":[0,2097152]},"two":{"dtype":"F32","shape":[2],"data_offsets":[2097152,2097160]}}'
	cat "$dir/ones"; head -c 8 "$dir/ones"
} >"$dir/loads.safetensors"
try "arrays of files" "$GRADC" compile "$dir/loads.json" -o "$dir"
try "arrays of files: builds" "$CC" $strict -D_POSIX_C_SOURCE=200809L -I"$dir" tests/e2e/loads.c "$dir/loads.c" -lm -o "$dir/loads"
try "arrays of files: values" "$dir/loads" "$dir/ones"
sed 's/"f32\[2\]", "file": "loads.safetensors", "tensor": "two"/"f32[512,1024]", "file": "loads.safetensors", "tensor": "big"/
	s/"loads"/"bound"/' "$dir/loads.json" >"$dir/bound.json"
try "parameters that are all bound" "$GRADC" compile "$dir/bound.json" -o "$dir"
try "parameters that are all bound: builds" "$CC" $strict -I"$dir" -c "$dir/bound.c" -o "$dir/bound.o"

# checkpoints: training goes on from them; then values of the files that this wrote
sed 's/"kept"/"plain"/' tests/e2e/checkpoint.json >"$dir/plain.json"
cp tests/e2e/weights.json "$dir"
sed 's/"name": "weights"/"name": "inside"/' tests/e2e/weights.json >"$dir/inside.json"
for cc in "$CC" "$CC -O2 -fsanitize=address,undefined -fno-sanitize-recover=all" "clang-19 -O2"; do
	command -v "${cc%% *}" >/dev/null || continue
	try "checkpoint" "$GRADC" compile tests/e2e/checkpoint.json -o "$dir" --checkpoint --optimizer=adamw
	try "checkpoint, no optimizer" "$GRADC" compile "$dir/plain.json" -o "$dir" --checkpoint
	try "$cc: checkpoint builds" $cc $strict -I"$dir" tests/e2e/checkpoint.c "$dir/kept.c" "$dir/plain.c" -lm -o "$dir/checkpoint"
	try "$cc: checkpoint" "$dir/checkpoint" "$dir"
	try "$cc: saved again, the same bytes" cmp "$dir/whole.safetensors" "$dir/again.safetensors"
	try "$cc: without an optimizer, the same bytes" cmp "$dir/kept.safetensors" "$dir/plain.safetensors"
	try "weights of files" "$GRADC" compile "$dir/weights.json" -o "$dir" --weights=file
	try "weights in the source" "$GRADC" compile "$dir/inside.json" -o "$dir" --weights=inline
	mkdir -p "$dir/wrong"
	cp "$dir/kept.safetensors" "$dir/wrong"
	head -c 300 "$dir/plain.safetensors" >"$dir/wrong/plain.safetensors"
	try "$cc: weights build" $cc $strict -I"$dir" tests/e2e/weights.c "$dir/weights.c" "$dir/inside.c" -lm -o "$dir/weights"
	try "$cc: weights" sh -c 'cd "$1" && ./weights . wrong' sh "$dir"
done
try "check: the options are those of the files" "$GRADC" check "$dir/weights.json" -o "$dir"
try "the checkpoint in gradc" "$GRADC" verify "$dir/plain.json" --params="$dir/kept.safetensors" --cc="$CC"

# an index that the model computes is clamped, and reported
try "computed indices" "$GRADC" compile tests/e2e/computed.json -o "$dir"
try "computed indices: builds" "$CC" $strict -I"$dir" tests/e2e/computed.c "$dir/computed.c" -lm -o "$dir/computed"
try "computed indices: code and values" "$dir/computed"

# optimizers, with settings of their own
for o in sgd momentum adam adamw; do
	sed "s/\"sgd\"/\"$o\"/" tests/e2e/optimizers.json >"$dir/$o.json"
	try "optimizer $o" "$GRADC" compile "$dir/$o.json" --optimizer=$o -o "$dir"
done
try "optimizers: builds" "$CC" $strict -O2 -I"$dir" tests/e2e/optimizers.c "$dir/sgd.c" "$dir/momentum.c" "$dir/adam.c" \
	"$dir/adamw.c" -lm -o "$dir/optimizers"
try "optimizers: PyTorch's values" "$dir/optimizers"

for m in mlp int; do
	printf '#include "%s.h"\nint main() { return %s_OK; }\n' $m $(echo $m | tr a-z A-Z) >"$dir/$m.cc"
	for cxx in g++ clang++-19; do
		command -v $cxx >/dev/null || continue
		try "$cxx: $m.h" $cxx -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only "$dir/$m.cc"
	done
done
} 2>&1
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
