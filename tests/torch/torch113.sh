#!/bin/sh
# With the distribution's interpreter, where its PyTorch is 1.13 (Debian 12: python3-torch).
python=/usr/bin/python3
version=$($python -c 'import numpy, torch; print(torch.__version__)' 2>/dev/null)
case $version in
1.13*) ;;
*)
	echo "skipped: $python has no PyTorch 1.13"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
	;;
esac
exec $python tests/torch/torch113.py "$GRADC" "$BUILD/torch113-models" "$CC -O1"
