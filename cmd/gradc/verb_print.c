/* gradc print and gradc partition: graphs after passes. */
#include "cmd.h"

#include <string.h>

static void
print_graph(Buf *b, const char *form, const Graph *g)
{
	if (!strcmp(form, "dot"))
		graph_dot(b, g);
	else if (!strcmp(form, "text"))
		graph_text(b, g);
	else
		graph_write(b, g);
}

int
verb_print(Args *a)
{
	const char *form = a->val[O_EMIT] ? a->val[O_EMIT] : "json";
	Buf b = {.arena = a->arena};
	int from;
	Module *m = input_module(a, a->pos[0], &from);

	if (a->val[O_AFTER])
		module_run(m, from, last_pass(a, O_AFTER, NULL));
	if (m->split && !strcmp(form, "json"))
		module_write(&b, m->split);
	else if (m->split) {
		print_graph(&b, form, m->split->fwd);
		print_graph(&b, form, m->split->bwd);
	} else
		print_graph(&b, form, m->graph);
	output_text(a, &b);
	return 0;
}

int
verb_partition(Args *a)
{
	Outputs *o = outputs_new(a->arena);
	Buf b = {.arena = a->arena};
	int from;
	Module *m = input_module(a, a->pos[0], &from);

	module_run(m, from, last_pass(a, O_STOP, "split"));
	if (m->split)
		module_write(&b, m->split);
	else
		graph_write(&b, m->graph);
	if (a->val[O_CERTIFY])
		add_certificate(a, o, m->split);
	outputs_add(o, a->val[O_OUT] ? a->val[O_OUT] : "-", buf_str(&b), b.n);
	outputs_commit(o);
	return 0;
}

void
add_certificate(Args *a, Outputs *o, const Split *s)
{
	const char *wrong;
	Buf b = {.arena = a->arena};

	if (!s || !s->joint)
		fail(EXIT_INPUT, (Loc){0}, "--certify: no partition was made here");
	if ((wrong = certificate_check(a->arena, s)))
		bug("certificate: %s", wrong);
	certificate_write(&b, s);
	outputs_add(o, a->val[O_CERTIFY], buf_str(&b), b.n);
}
