#!/bin/sh
# .ci/torch113.sh LOG: the distribution's own PyTorch, for /usr/bin/python3, where that is 1.13 (Debian 12's python3-torch:
# 152 MB to fetch, a minute and a half). Elsewhere, or without the rights to install, it does nothing, and the suite of
# PyTorch 1.13 is skipped.
set -u
log=$1
! /usr/bin/python3 -c 'import torch' 2>/dev/null || exit 0
case $(apt-cache policy python3-torch 2>/dev/null | sed -n 's/^ *Candidate: //p') in
1.13*) ;;
*) exit 0 ;;
esac
if [ "$(id -u)" = 0 ]; then
	as_root=
elif sudo -n true 2>/dev/null; then
	as_root=sudo
else
	exit 0
fi
echo "torch113: installing python3-torch"
mkdir -p "$(dirname "$log")"
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-torch </dev/null >"$log" 2>&1 ||
	echo "torch113: apt cannot install python3-torch ($log)" >&2
