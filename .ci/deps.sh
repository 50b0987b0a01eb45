#!/bin/sh
# .ci/deps.sh [torch]: installs what building, testing and the demo need, where it is missing; with `torch`,
# what a virtual environment of Python needs too.
# Known systems: Debian 12 and Ubuntu 24.04. With everything there it calls neither apt
# nor sudo; without the rights to install it names the packages and exits 2. The data set is for the
# demo alone: where apt has no such package, it says so and goes on. DATA: where the data set is looked for.
set -u
LLVM_VERSIONS="19 18 17 20 21"          # in the order in which the Makefile looks for headers
DATA=${DATA:-/usr/share/datasets/fashion-mnist}
FOR=${1:-}

has_command() {
	command -v "$1" >/dev/null 2>&1
}

# has_header FILE: after the headers that cmocka.h wants before it
has_header() {
	for h in setjmp.h stdarg.h stddef.h stdint.h "$1"; do
		echo "#include <$h>"
	done | ${CC:-cc} -E -x c - >/dev/null 2>&1
}

# the version of which clang, headers and library are all there; nothing if none
llvm_here() {
	for v in $LLVM_VERSIONS; do
		if has_command "clang-$v" && [ -f "/usr/lib/llvm-$v/include/clang-c/Index.h" ] &&
			[ -e "/usr/lib/llvm-$v/lib/libclang.so" ]; then
			echo "$v"
			return
		fi
	done
}

# the first version that apt offers; 19 where apt has no lists yet
llvm_offered() {
	for v in $LLVM_VERSIONS; do
		if apt-cache show "libclang-$v-dev" "clang-$v" >/dev/null 2>&1; then
			echo "$v"
			return
		fi
	done
	echo 19
}

# the packages that are missing, on one line
missing() {
	{
		if ! has_command "${CC:-cc}" || ! has_header stdio.h; then echo gcc libc6-dev; fi
		has_command make || echo make
		has_command gzip || echo gzip
		[ -f /usr/share/i18n/locales/de_DE ] || echo locales
		has_header cjson/cJSON.h || echo libcjson-dev
		has_header cmocka.h || echo libcmocka-dev
		[ -f "$DATA/train-images-idx3-ubyte.gz" ] || echo dataset-fashion-mnist
		[ "$FOR" != torch ] || python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3 python3-venv
		v=$(llvm_here)
		if [ -z "$v" ]; then v=$(llvm_offered); echo "libclang-$v-dev clang-$v"; fi
		[ -e "/usr/lib/llvm-$v/lib/libomp.so" ] || echo "libomp-$v-dev"
	} | tr '\n' ' ' | sed 's/ $//'
}

# the packages that apt does not know
unknown() {
	for p in "$@"; do
		apt-cache show "$p" >/dev/null 2>&1 || echo "$p"
	done | tr '\n' ' ' | sed 's/ $//'
}

# as_root COMMAND...
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# quietly COMMAND...: output only when it fails
quietly() {
	log=$(mktemp) || exit 2
	if ! as_root env DEBIAN_FRONTEND=noninteractive "$@" </dev/null >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

need=$(missing)
[ -n "$need" ] || exit 0
if ! has_command apt-get; then
	echo "deps: missing: $need (Debian's names); this system has no apt-get, please install them by hand" >&2
	exit 2
fi
if [ "$(id -u)" != 0 ] && ! has_command sudo; then
	echo "deps: missing packages, and neither root nor sudo to install them; as root: apt-get install $need" >&2
	exit 2
fi
# shellcheck disable=SC2086  # lists, here and below
if [ -n "$(unknown $need)" ]; then
	echo "deps: missing: $need; asking apt"
	quietly apt-get -qq update || exit 2
	need=$(missing)          # the lists say which version of LLVM there is
fi
# shellcheck disable=SC2086
none=$(unknown $need)
case " $none " in
*" dataset-fashion-mnist "*)
	echo "deps: apt has no package dataset-fashion-mnist; for the demo, put its four .gz files somewhere: make demo DATA=DIR" >&2
	need=$(echo "$need " | sed 's/dataset-fashion-mnist //; s/ $//')
	none=$(echo "$none " | sed 's/dataset-fashion-mnist //; s/ $//')
	without=dataset-fashion-mnist
	;;
esac
if [ -n "$none" ]; then
	echo "deps: apt has no package $none (on Ubuntu: is the component 'universe' enabled?)" >&2
	exit 2
fi
[ -n "$need" ] || exit 0
echo "deps: installing $need"
# shellcheck disable=SC2086
if ! quietly apt-get -qq install -y --no-install-recommends $need; then
	# lists that are too old name files that the mirror no longer has
	# shellcheck disable=SC2086
	if ! quietly apt-get -qq update || ! quietly apt-get -qq install -y --no-install-recommends $need; then
		echo "deps: could not install; as root: apt-get install $need" >&2
		exit 2
	fi
fi
need=$(missing)
if [ -n "$need" ] && [ "$need" != "${without:-}" ]; then
	echo "deps: still missing after installation: $need" >&2
	exit 2
fi
