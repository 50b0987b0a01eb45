#!/bin/sh
# Rules of the architecture that a grep can hold.
pass=0
fail=0

# rule NAME FORBIDDEN-LINES: passes when there are none
rule() {
	if [ -z "$2" ]; then
		pass=$((pass + 1))
	else
		fail=$((fail + 1))
		printf 'FAIL %s\n%s\n' "$1" "$2"
	fi
}

# the interface of a graph (input, constant, full) may be named; no other op
generic='ir/graph.c ir/grad.c ir/compose.c ir/infer.c ir/pass.c ir/split.c ir/cost.c ir/fuse.c ir/fusible.c ir/place.c ir/price.c ir/certificate.c ir/verify.c ir/range.c ir/write.c ir/schema.c'
for f in $generic; do
	[ -f "$f" ] || continue
	rule "$f names no op" "$(grep -nE '\bOP_[a-z]' "$f" | grep -vE '\bOP_(input|constant|full|item)\b')"
done
rule 'only lib/json.c knows cJSON' "$(grep -lE '#include [<"]cjson' -r lib ir codegen cmd | grep -v '^lib/json.c$')"
rule 'only lib/cparse.c knows libclang' "$(grep -lE '#include [<"]clang-c' -r lib ir codegen cmd | grep -v '^lib/cparse.c$')"
rule 'lib includes nothing of ours but lib.h' "$(grep -nE '#include "' lib/*.c | grep -vE '"lib\.h"')"
rule 'ir includes ir.h, op tables and nothing above' "$(grep -nE '#include "' ir/*.c ir/*.h | grep -vE '"(lib|ir|[a-z_]+)\.h"|"[a-z_]+\.def"' )"
rule 'ir does not see codegen or cmd' "$(grep -nE '#include "(gen|cmd)\.h"' ir/*.c ir/*.h lib/*.c lib/*.h)"
rule 'codegen does not see cmd' "$(grep -nE '#include "cmd\.h"' codegen/*.c codegen/*.h)"
rule 'C is laid out as docs/style.md says' "$(find lib ir codegen cmd tests docs -name '*.[ch]' -o -name '*.def' | sort |
	LC_ALL=C xargs awk -f tests/static/layout.awk)"
# that check finds one fault a line in these, and none in those
printf '%s\n' 'int x; ' '' '' '  int y;' 'for(;;)' 'while (x){' '} else{' 'int f(void)' '{' 'int g(void) {' \
	"$(printf '%0121d' 0)" "$(printf '"%0159d"' 0)" '' 'void' 'h(void)' '{' '	if (x)' '	{' '	}' '	else' \
	>"$BUILD/layout_bad.c"
printf '%s\n' '/* two' '   lines */' 'static int' 'f(const char *a,' '	int b)' '{' "	if (b == '{')" '		f("if(x){", 1);' \
	'	for (int i = 0; i < 3; i++) {' '		x = (T){1};' '	}' '}' 'enum { A, B };' "$(printf '"%0158d"' 0)" >"$BUILD/layout_good.c"
rule 'the layout check finds what is wrong' "$(LC_ALL=C awk -f tests/static/layout.awk "$BUILD/layout_bad.c" | cut -d: -f2 | tr '\n' ' ' |
	grep -vx '1 3 4 5 6 7 9 10 11 12 18 20 ')"
rule 'the layout check accepts what is right' "$(LC_ALL=C awk -f tests/static/layout.awk "$BUILD/layout_good.c")"
rule 'no marks of unfinished work' "$(grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -r lib ir codegen cmd tests docs README.md 2>/dev/null | grep -v 'tests/static/run.sh' | head -5)"
# every op of the table has a line of tests
ops=$("$GRADC" ops | awk '{print $1}')
missing=
for op in $ops; do
	cat tests/op/*.t 2>/dev/null | grep -qE "(^|[ !])$op( |\$)" || missing="$missing $op"
done
rule 'every op has a line in tests/op' "$missing"

echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]
