# gradc init
is "init: what it says" "$("$GRADC" init net | tr -d "'")" "net: net.json, main.c, Makefile
now: make -C net GRADC=$GRADC"
is "init: the files" "$(ls net | tr '\n' ' ')" "Makefile main.c net.json "
is "init: no other name is left" "$(grep -il starter net/*)" ""
is "init: the model is called so" "$(grep '"name"' net/net.json)" '  "name": "net",'
is "init: capitals" "$(grep -c 'NET_TRAIN_WORKSPACE_BYTES' net/main.c)" 1
is "init: a model that gradc reads" "$("$GRADC" fmt net/net.json >/dev/null 2>&1; echo $?)" 0

echo mine >net/main.c
rm net/Makefile
is "init: never over a file" "$(says init net)" "net/main.c: error: this file exists; gradc init never writes over one
net/net.json: error: this file exists; gradc init never writes over one
=> 2"
is "init: and then nothing at all" "$(ls net | tr '\n' ' ')$(cat net/main.c)" "main.c net.json mine"
"$GRADC" init net -o "other place" >/dev/null
is "init: into another directory" "$(ls "other place" | tr '\n' ' ')" "Makefile main.c net.json "
is "init: into this directory" "$(mkdir here; cd here; "$GRADC" init net -o . >/dev/null; ls | tr '\n' ' ')" \
	"Makefile main.c net.json "
is "init: not a name" "$(says init my-net | head -n 1)" \
"gradc: error: gradc init: 'my-net' is not of the form: a letter, then at most 63 letters, digits or '_'; 'my_net' would do"
is "init: a name of the system's" "$(says init math | head -n 1)" \
"gradc: error: gradc init: 'math': the file math.h would hide the system's <math.h>; 'math_model' would do"
is "init: no name" "$(says init | head -n 1)" "gradc: error: a name for the model is missing; usage: gradc init NAME"
is "init: nothing was written for these" "$(ls -d my* math* 2>/dev/null)" ""
