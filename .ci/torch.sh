#!/bin/sh
# .ci/torch.sh DIR: a virtual environment with PyTorch in DIR, unless it is there. Of the builds of one version pip takes
# that for the CPU, from PyTorch's own index; where only another index can be reached, what that one has.
# Exit status 3: PyTorch cannot be installed here.
set -u
dir=$1
log=$dir.log
CPU=https://download.pytorch.org/whl/cpu

give_up() {
	echo "torch: PyTorch cannot be installed here: $1" >&2
	rm -rf "$dir"
	exit 3
}

works() {
	"$dir/bin/python" -c 'import torch, numpy, expecttest' >>"$log" 2>&1
}

sh .ci/deps.sh torch || exit 3
mkdir -p "$(dirname "$dir")"
: >"$log"
! works || exit 0
echo "torch: installing PyTorch into $dir"
rm -rf "$dir"                     # what is left of an attempt
python3 -m venv "$dir" >>"$log" 2>&1 || give_up "python3 -m venv fails ($log)"
"$dir/bin/pip" install --retries 1 --timeout 30 --extra-index-url "$CPU" torch==2.13.0 numpy expecttest >>"$log" 2>&1 ||
	give_up "$(grep '^ERROR' "$log" | tail -n 1) ($log)"
works || give_up "what pip installed does not work ($log)"
