# embed.sh TABLE FILE...: C text of a table of files: {name, lines, number of lines}
table=$1
shift
i=0
for f; do
	echo "static const char *const ${table}_$i[] = {"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/	"&\\n",/' "$f"
	echo "};"
	i=$((i + 1))
done
echo "static const struct { const char *name; const char *const *line; int n; } $table[] = {"
i=0
for f; do
	echo "	{\"${f##*/}\", ${table}_$i, (int)(sizeof ${table}_$i / sizeof *${table}_$i)},"
	i=$((i + 1))
done
echo "};"
