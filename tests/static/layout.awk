# C as the house lays it out; a line a fault. Tabs count as 4 columns.
function fault(what) { printf "%s:%d: %s\n", FILENAME, FNR, what }
FNR == 1 { blank = 0; comment = 0; prev = ""; before = ""; head = "" }
{
	line = $0
	wide = line; gsub(/\t/, "    ", wide); gsub(/[\200-\277]/, "", wide)
	most = line ~ /"/ || FILENAME ~ /\.def$/ ? 160 : 120
	if (length(wide) > most) fault("beyond " most " columns: " length(wide))
	if (line ~ /[ \t]$/) fault("blanks at the end")
	if (line ~ /^\t* +[^ *]/ && !comment) fault("indented by blanks")
	if (line ~ /\r/) fault("carriage return")
	if (line == "") { if (++blank == 2) fault("two blank lines") } else blank = 0
	# code alone: strings, characters and comments out
	code = line
	if (comment) { if (code !~ /\*\//) code = ""; else { sub(/^.*\*\//, "", code); comment = 0 } }
	gsub(/\\./, "", code); gsub(/"[^"]*"/, "\"\"", code); gsub(/'[^']*'/, "0", code)
	gsub(/\/\*([^*]|\*[^\/])*\*\//, "", code); sub(/\/\/.*/, "", code)
	if (code ~ /\/\*/) { sub(/\/\*.*/, "", code); comment = 1 }
	if (code ~ /(^|[^a-zA-Z0-9_])(if|for|while|switch)\(/) fault("no blank after if, for, while or switch")
	if (code ~ /^[\t ]*(if|for|while|switch) .*\)\{$|(else|do)\{|\}(else|while)/) fault("no blank at a brace")
	if (code ~ /^[\t ]*else/ && prev ~ /^[\t ]*\}$/ && match(code, /else/) == match(prev, /\}/)) fault("else on the line after its brace")
	if (code ~ /^[\t ]+\{$/ && prev ~ /\)$|else$/) fault("brace of a statement on a line of its own")
	# a definition: its type, on the next line its name, then its brace
	if (code == "{" && head !~ /^[a-zA-Z0-9_]+\(/) fault("the name of a definition is not at column 0")
	if (code ~ /^[a-zA-Z].*\) \{$/ && code !~ /=/) fault("brace of a function on the line of its name")
	if (code ~ /^[^ \t{}#]/) head = code
	if (code != "") prev = code
}
