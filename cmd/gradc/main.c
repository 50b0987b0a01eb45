/* main: parse the command line, run the verb. */
#include "cmd.h"

#include <string.h>

int
main(int argc, char **argv)
{
	Arena *a = arena_new();
	Args *args = args_parse(a, argc, argv);
	int code;

	if (args->val[O_DIAGNOSTICS])
		diag_json(!strcmp(args->val[O_DIAGNOSTICS], "json"));
	code = args->verb->run(args);
	diag_check();
	stdout_check();
	arena_free(a);
	return code;
}
