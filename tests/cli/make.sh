# gradc in build systems: what is made again, and when. A wrapper counts the runs of gradc.
mkdir make && cd make || exit 1
mkdir bin
cat >bin/gradc <<X
#!/bin/sh
echo "\$1" >>"$PWD/runs"
exec "$GRADC" "\$@"
X
chmod +x bin/gradc
PATH_BEFORE=$PATH
PATH=$PWD/bin:$PATH
gradc=$GRADC
unset GRADC
runs=$PWD/runs

# ran: what gradc was asked to do since the last time, and what the compiler was, in the log
ran() {
	cat "$runs" 2>/dev/null | tr '\n' ' '
	: >"$runs"
	[ ! -f log ] || sed -n 's/.* -c \([^ ]*\)$/\1/p; s/.*Building C object //p' log | sed 's/.*\///' | sort | tr '\n' ' '
}
# time stamps of files have the kernel's tick, some milliseconds
later() { sleep 0.02; }

# a project as gradc init makes it
"$gradc" init net >/dev/null
is "init: make builds and runs" "$(make -C net CFLAGS=-O1 >log 2>&1; echo $?; tail -n 2 log | head -n 1 | cut -c 1-30)" "0
x  1.00  sin(3x)  0.1411  lear"
is "init: it has learned" "$(sed -n 's/^step 3000  loss //p' log | awk '{print ($1 < 0.001)}')" 1
rm log
is "init: make check" "$(make -s -C net check 2>&1; echo $?; ran)" "0
compile check "
is "init: once more, nothing is made" "$(make -s -C net build/net; ran)" ""
is "init: make clean" "$(make -s -C net clean; ls net | tr '\n' ' ')" "Makefile gen main.c net.json "

# the recipe of docs/cli.md
mkdir plain && cd plain || exit 1
printf '\223NUMPY\001\000v\000' >w.npy
printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }" >>w.npy
printf '\000\000\200\077\000\000\000\100' >>w.npy
cat >net.json <<'X'
{"gradc": 1, "name": "net", "doc": "one", "inputs": {"x": "f32[2]"}, "constants": {"c": {"type": "f32[2]", "file": "w.npy"}},
 "params": {"p": {"type": "f32[2]", "init": "ones"}},
 "nodes": [{"out": "y", "op": "mul", "in": ["x", "c"]}, {"out": "z", "op": "mul", "in": ["y", "p"]}, {"out": "l", "op": "sum", "in": ["z"]}],
 "outputs": {"l": "l"}, "loss": "l"}
X
cat >main.c <<'X'
#include "net.h"
int main(void) { return NET_OK; }
X
cat >Makefile <<'X'
net: main.o net.o
	$(CC) main.o net.o -lm -o net
main.o: main.c gen/net.h
	$(CC) -Igen -c main.c
net.o: gen/net.c gen/net.h
	$(CC) -Igen -c gen/net.c
gen/net.c gen/net.h: gen/net.stamp ;
gen/net.stamp: net.json
	gradc compile net.json -o gen --stamp $@ -MD -MP
-include gen/net.gradc.d
X
scenario() {
	made() { later; make >log 2>&1 || cat log; ran; }
	is "$1: at first all is made" "$(made)" "compile main.c net.c "
	is "$1: then nothing" "$(made)" ""
	touch net.json
	is "$1: the model's time alone" "$(made)" "compile "
	is "$1: and then nothing" "$(made)" ""
	sed -i 's/"mul", "in": \["y"/"add", "in": ["y"/' net.json
	# the head of both files has the hash of the model
	is "$1: the model" "$(made)" "compile main.c net.c "
	sed -i 's/"name": "net",/&"dims": {"N": {"max": 3}},/; s/"x": "f32\[2\]"/&, "u": "f32[N]"/; s/"outputs": {/&"v": "u", /' net.json
	is "$1: the interface" "$(made)" "compile main.c net.c "
	sed -i 's/"doc": "one"/"doc": "two"/' net.json
	later
	printf '\000\000\200\077\000\000\200\077' | dd of=w.npy bs=1 seek=128 conv=notrunc 2>/dev/null
	is "$1: model and weights" "$(made)" "compile main.c net.c "
	printf '\000\000\000\100\000\000\200\077' | dd of=w.npy bs=1 seek=128 conv=notrunc 2>/dev/null
	is "$1: the weights" "$(made)" "compile main.c net.c "
	sed -i 's/"file": "w.npy"/"data": [1, 2]/' net.json
	rm w.npy
	is "$1: the weights are gone, and their name from the model" "$(made)" "compile main.c net.c "
	is "$1: nothing at the end" "$(made)" ""
	later
	sed -i 's/"mul"/"mull"/' net.json
	is "$1: an error" "$(make >log 2>&1; grep -c "did you mean 'mul'" log)" 1
	sed -i 's/"mull"/"mul"/' net.json
	: >"$runs"
	is "$1: corrected" "$(made)" "compile "
}
cp net.json ../net.json
cp w.npy ../w.npy
scenario "makefile"

# the rules that are installed
cd .. && mkdir rules && cd rules || exit 1
cp ../net.json ../w.npy ../plain/main.c "$share/gradc.mk" .       # make cannot include a path with a space
cat >Makefile <<X
net: main.o net.o
	\$(CC) main.o net.o -lm -o net
include gradc.mk
\$(eval \$(call gradc_model,net,net.json,gen,--optimizer=sgd))
main.o: main.c \$(net_H)
	\$(CC) -Igen -c main.c
net.o: \$(net_C) \$(net_H)
	\$(CC) -Igen -c \$(net_C)
X
scenario "gradc.mk"
is "gradc.mk: check" "$(make -s check-net 2>&1; echo $?)" 0
later
touch ../bin/gradc
: >"$runs"
is "gradc.mk: gradc itself" "$(made)" "compile "

cd .. || exit 1
if command -v cmake >/dev/null 2>&1; then
	for generator in "Unix Makefiles" Ninja; do
		if [ "$generator" = Ninja ] && ! command -v ninja >/dev/null 2>&1; then
			skip "CMake with Ninja" "no ninja"
			continue
		fi
		rm -rf cmake
		mkdir cmake && cd cmake || exit 1
		cp ../net.json ../w.npy ../plain/main.c .
		cat >CMakeLists.txt <<X
cmake_minimum_required(VERSION 3.20)
project(net C)
include("$share/gradc.cmake")
gradc_add_library(model net.json OPTIONS --optimizer=sgd)
add_executable(net main.c)
target_link_libraries(net model)
X
		cmake -G "$generator" -B build >log 2>&1 || cat log
		built() { later; cmake --build build >log 2>&1 || cat log; ran; }
		is "CMake, $generator: at first" "$(built | tr ' ' '\n' | grep -cE '^(compile|main.c.o|net.c.o)$')" 3
		is "CMake, $generator: then nothing" "$(built)" ""
		touch net.json
		is "CMake, $generator: the model's time alone" "$(built)" "compile "
		is "CMake, $generator: and then nothing" "$(built)" ""
		sed -i 's/"doc": "one"/"doc": "two"/' net.json
		is "CMake, $generator: the model" "$(built | tr ' ' '\n' | grep -cE '^(compile|main.c.o|net.c.o)$')" 3
		printf '\000\000\000\100' | dd of=w.npy bs=1 seek=128 conv=notrunc 2>/dev/null
		is "CMake, $generator: the weights" "$(built | tr ' ' '\n' | grep -cE '^(compile|net.c.o)$')" 2
		is "CMake, $generator: nothing at the end" "$(built)" ""
		is "CMake, $generator: it runs" "$(build/net; echo $?)" 0
		is "CMake, $generator: check" "$(cmake --build build --target model-check >log 2>&1; echo $?)" 0
		cd .. || exit 1
	done
else
	skip "CMake" "no cmake"
fi
PATH=$PATH_BEFORE
GRADC=$gradc
