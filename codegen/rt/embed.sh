# embed.sh FILE...: C arrays with the lines of the files, and a table of them
for f; do
	n=${f##*/}
	echo "static const char *const rt_${n%.h}[] = {"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/	"&\\n",/' "$f"
	echo "};"
done
echo "static const struct { const char *name; const char *const *line; int n; } rt_files[] = {"
for f; do
	n=${f##*/}; n=${n%.h}
	echo "	{\"$n\", rt_$n, (int)(sizeof rt_$n / sizeof *rt_$n)},"
done
echo "};"
