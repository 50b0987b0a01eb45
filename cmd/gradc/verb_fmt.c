/* gradc fmt: canonical JSON, to standard output or in place. */
#include "cmd.h"

int
verb_fmt(Args *a)
{
	Outputs *o = outputs_new(a->arena);

	if (!a->val[O_WRITE] && a->npos > 1)
		usage_error(a, "gradc fmt: several files need --write");
	if (a->val[O_WRITE] && a->val[O_OUT])
		usage_error(a, "gradc fmt: --write changes the files themselves, -o writes to another one");
	for (int i = 0; i < a->npos; i++) {
		Buf b = {.arena = a->arena};
		graph_write(&b, input_graph(a, a->pos[i]));
		if (a->val[O_WRITE])
			outputs_add(o, a->pos[i], buf_str(&b), b.n);
		else
			output_text(a, &b);
	}
	outputs_commit(o);
	return 0;
}
