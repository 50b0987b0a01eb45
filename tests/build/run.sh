#!/bin/sh
# The build as people meet it: the runner notices every kind of failure, deps is silent when
# all is there and clear when it may not install, install and uninstall leave nothing else.
set -u
passed=0 failed=0 skipped=0
dir="$BUILD/test build"
rm -rf "$dir"
mkdir -p "$dir"

. tests/is.sh

# suite NAME: a script from standard input
suite() {
	{ echo '#!/bin/sh'; cat; } >"$dir/$1.sh"
	chmod +x "$dir/$1.sh"
}

# runner SUITE...: its last line and exit status
runner() {
	out=$(sh tests/run.sh "$dir/build" "$@")
	status=$?
	echo "$(echo "$out" | tail -n 1); $status"
}

suite good <<'E2'
echo 3 passed, 0 failed, 2 skipped
E2
suite bad <<'E2'
echo FAIL one
echo 3 passed, 1 failed
exit 1
E2
suite wrong_status <<'E2'
echo 3 passed, 0 failed
exit 3
E2
suite dies <<'E2'
echo 3 passed, 0 failed
kill -KILL $$
E2
suite counts_nothing <<'E2'
echo fine
E2
suite tap <<'E2'
printf '1..4\nok 1 - a\nnot ok 2 # SKIP b\nok 3 # SKIP c\nok 4 - d\n# ok - tests\n'
E2
suite tap_bad <<'E2'
printf '1..2\nok 1 - a\nnot ok 2 - b\n'
exit 1
E2
suite tap_stops <<'E2'
printf '1..4\nok 1 - a\nok 2 - b\n'
E2
is "runner: a good suite" "$(runner "$dir/good.sh")" "3 passed, 0 failed; 0"
is "runner: a failed test" "$(runner "$dir/bad.sh" "$dir/good.sh")" "6 passed, 1 failed; 1"
is "runner: a wrong exit status" "$(runner "$dir/wrong_status.sh")" "3 passed, 1 failed; 1"
is "runner: a suite that dies" "$(runner "$dir/dies.sh" | sed 's/.*, //')" "1 failed; 1"
is "runner: a suite that counts nothing" "$(runner "$dir/counts_nothing.sh")" "0 passed, 1 failed; 1"
is "runner: a suite that is not there" "$(runner "$dir/none.sh")" "0 passed, 1 failed; 1"
is "runner: tap" "$(runner "$dir/tap.sh")" "2 passed, 0 failed; 0"
is "runner: a failed tap test" "$(runner "$dir/tap_bad.sh")" "1 passed, 1 failed; 1"
is "runner: tap that stops early" "$(runner "$dir/tap_stops.sh")" "2 passed, 2 failed; 1"

is "deps: silent when all is there" "$(sh .ci/deps.sh 2>&1; echo $?)" "0"
# a PATH without sudo, and a compiler that finds nothing, for a user who is not root
mkdir "$dir/bin"
for c in sh id env sed tr cat gzip make apt-get apt-cache clang-17 clang-18 clang-19 clang-20 clang-21; do
	p=$(command -v $c) && ln -s "$p" "$dir/bin/$c"
done
printf '#!/bin/sh\nexit 1\n' >"$dir/bin/nocc"
printf '#!/bin/sh\necho 1000\n' >"$dir/bin/id.new"
chmod +x "$dir/bin/nocc" "$dir/bin/id.new"
mv "$dir/bin/id.new" "$dir/bin/id"
is "deps: neither root nor sudo" "$(PATH="$dir/bin" CC=nocc sh .ci/deps.sh 2>&1; echo $?)" \
"deps: missing packages, and neither root nor sudo to install them; as root: apt-get install \
gcc libc6-dev libcjson-dev libcmocka-dev
2"

# apt without some packages; nothing may be installed
printf '#!/bin/sh\necho 0\n' >"$dir/bin/id"
printf '#!/bin/sh\necho "$*" >>"$APT_LOG"\n' >"$dir/bin/apt-get.new"
printf '#!/bin/sh\nfor p in $APT_LACKS; do [ "$p" != "$2" ] || exit 1; done\n' >"$dir/bin/apt-cache.new"
for c in apt-get apt-cache; do
	chmod +x "$dir/bin/$c.new" && mv "$dir/bin/$c.new" "$dir/bin/$c"
done
for c in mktemp rm; do
	ln -s "$(command -v $c)" "$dir/bin/$c"
done
# deps_lacking PACKAGE...: what is said by a system whose apt lacks these, and what it calls apt-get for
deps_lacking() {
	: >"$dir/apt.log"
	APT_LACKS=$* APT_LOG=$dir/apt.log PATH="$dir/bin" DATA=/none CC=nocc sh .ci/deps.sh 2>&1
	echo $?
	cat "$dir/apt.log"
}
need="gcc libc6-dev libcjson-dev libcmocka-dev"
is "deps: a package that apt does not have" "$(deps_lacking libcjson-dev)" \
"deps: missing: $need dataset-fashion-mnist; asking apt
deps: apt has no package libcjson-dev (on Ubuntu: is the component 'universe' enabled?)
2
-qq update"
is "deps: without the data set it goes on" "$(deps_lacking dataset-fashion-mnist | grep -v '^deps: still\|^2$')" \
"deps: missing: $need dataset-fashion-mnist; asking apt
deps: apt has no package dataset-fashion-mnist; for the demo, put its four .gz files somewhere: make demo DATA=DIR
deps: installing $need
-qq update
-qq install -y --no-install-recommends $need"

is "deps: with torch, Python too" "$(PATH="$dir/bin" APT_LOG=/dev/null DATA=/ sh .ci/deps.sh torch 2>&1 | grep -o 'python3.*' | head -n 1)" \
"python3 python3-venv"

# PyTorch, where Python makes no environment, and where pip gets nothing
mkdir "$dir/python"
cat >"$dir/python/python3" <<'EOF'
#!/bin/sh
case "$1 $2" in
"-c import venv, ensurepip") exit 0 ;;
"-m venv") [ -n "${NO_PIP:-}" ] && mkdir -p "$3/bin" && cp "$NO_PIP" "$3/bin/pip" ;;
esac
EOF
printf '#!/bin/sh\necho "ERROR: No matching distribution found for torch"\nexit 1\n' >"$dir/python/pip"
chmod +x "$dir/python/python3" "$dir/python/pip"
no_torch() {
	PATH="$dir/python:$PATH" sh .ci/torch.sh "$dir/torch" 2>&1
	echo "$?"
}
is "torch: no environment" "$(no_torch)" "torch: installing PyTorch into $dir/torch
torch: PyTorch cannot be installed here: python3 -m venv fails ($dir/torch.log)
3"
is "torch: nothing from pip" "$(NO_PIP="$dir/python/pip" no_torch)" "torch: installing PyTorch into $dir/torch
torch: PyTorch cannot be installed here: ERROR: No matching distribution found for torch ($dir/torch.log)
3"

# the program that is tested is the one installed: nothing may be built anew here
stage="$dir/stage with space"
build=$BUILD
unset BUILD MAKEFLAGS MAKELEVEL
case $build in
"$PWD"/*) build=${build#"$PWD"/} ;;
esac
make BUILD="$build" install DESTDIR="$stage" PREFIX=/opt/gradc >"$dir/install.log" 2>&1
is "install: exit status" "$?" 0
is "install: the program is whole" "$(cmp "$stage/opt/gradc/bin/gradc" "$GRADC" 2>&1)" ""
is "install: the licence" "$(cmp "$stage/opt/gradc/share/doc/gradc/LICENSE" LICENSE 2>&1)" ""
is "install: the example" "$(ls "$stage/opt/gradc/share/doc/gradc/examples/fashion_mlp" | tr '\n' ' ')" \
	"Makefile main.c model.json "
is "install: the manual page" "$(head -c 11 "$stage/opt/gradc/share/man/man1/gradc.1")" ".TH GRADC 1"
is "install: completion" "$(grep -c '^complete .*gradc$' "$stage/opt/gradc/share/bash-completion/completions/gradc")" 1
is "install: rules for make and CMake" "$(ls "$stage/opt/gradc/share/gradc" | tr '\n' ' ')" "gradc.cmake gradc.mk "
# the example of the rules, with gradc as it is installed; make takes no blanks in names
line="$dir/line"
share=$(mktemp -d)
cp -r "$stage/opt/gradc/." "$share"
cp -r docs/examples/line "$line"
is "gradc.mk, installed: the example" \
	"$(make -s -C "$line" GRADC="$share/bin/gradc" GRADC_SHARE="$share/share/gradc" run 2>&1)" "y = 3.000 x -1.000"
half="$dir/half"
cp -r docs/examples/mixed_precision "$half"
is "the example of mixed precision learns" \
	"$(make -s -C "$half" GRADC="$share/bin/gradc" GRADC_SHARE="$share/share/gradc" run 2>&1 |
	sed -n 's/^step 1500  loss 0.00.*right 96 of 96.*/all/p')" all
if command -v cmake >/dev/null 2>&1; then
	rm -r "$line"
	cp -r docs/examples/line "$line"
	cmake -S "$line" -B "$line/build" -DGRADC_SHARE="$stage/opt/gradc/share/gradc" >"$dir/cmake.log" 2>&1 &&
		cmake --build "$line/build" >>"$dir/cmake.log" 2>&1 || cat "$dir/cmake.log"
	is "gradc.cmake, installed: the example" "$("$line/build/line")" "y = 3.000 x -1.000"
	has_gradc=$(grep -c "^GRADC:.*stage with space/opt/gradc/bin/gradc" "$line/build/CMakeCache.txt")
	is "gradc.cmake finds the gradc that it came with" "$has_gradc" 1
else
	skipped=2
	echo "skipped: the example with CMake: no cmake"
fi
rm -r "$share"
make BUILD="$build" uninstall DESTDIR="$stage" PREFIX=/opt/gradc >"$dir/install.log" 2>&1
is "uninstall: no file left" "$(find "$stage" -type f)" ""

if $CC -fopenmp -include omp.h -fsyntax-only -x c /dev/null 2>/dev/null; then
	rule=$(make -n -C docs/examples/fashion_mlp OUT=out GRADC=gradc out/train)
	is "the example uses OpenMP where the compiler has it" "$(echo "$rule" | grep -c -e ' -fopenmp ')" 1
fi
lines=$(wc -l <docs/examples/fashion_mlp/main.c)
is "the example's main.c has at most 150 lines" "$([ "$lines" -le 150 ] && echo yes)" yes

[ $skipped = 0 ] || echo "$passed passed, $failed failed, $skipped skipped"
[ $skipped != 0 ] || echo "$passed passed, $failed failed"
[ $failed = 0 ]
