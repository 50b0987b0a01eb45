#!/bin/sh
# emitted kernels against the interpreter, under gcc and clang, plain and under sanitizers
passed=0 failed=0
models="mlp bn_dropout awkward_names gcn pendulum block lenet resnet_block"
files=
for m in $models; do
	files="$files tests/models/$m.json"
done
# emit COMPILER FLAGS [GRAPH...]
emit() {
	compiler=$1 flags=$2
	shift 2
	mkdir -p "$BUILD/emit"
	"$BUILD/tests/emit" "$compiler" "$flags" "$BUILD/emit" "$@" > "$BUILD/emit/log" 2>&1
	grep -v passed "$BUILD/emit/log"
	set -- $(tail -n 1 "$BUILD/emit/log")
	passed=$((passed + ${1:-0})) failed=$((failed + ${3:-1}))
}
emit "$CC" "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"
emit "$CC" "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all" $files
emit "$CC" "-O3 -march=native"
emit "$CC" "-O3 -march=native -fopenmp" $files
if command -v clang-19 > /dev/null; then
	emit clang-19 "-O2 -march=native"
	emit clang-19 "-O2 -march=native" $files
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
