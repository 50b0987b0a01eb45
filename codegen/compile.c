/* compile: the whole pipeline from a model as read to the texts of its files. */
#include "gen.h"

#include <string.h>

/* what the texts depend on: the canonical model, the data that it takes from files, the options */
static const char *
fingerprint(Arena *a, const Program *p)
{
	const Graph *g = p->user;
	Buf b = {.arena = a};
	char *hex = NEW(a, 65, char);

	graph_write(&b, g);
	for (int64_t i = 0; i < g->nnode; i++)
		if (g->node[i]->blob && g->node[i]->blob->file)
			buf_put(&b, g->node[i]->blob->data, g->node[i]->blob->nbytes);
	for (int area = AREA_PARAM; area <= AREA_STATE; area++)
		for (int64_t i = 0; i < p->of[area].n; i++)
			if (init_inline(p, &p->of[area].m[i]))
				buf_put(&b, p->of[area].m[i].blob->data, p->of[area].m[i].blob->nbytes);
	buf_printf(&b, "\n%s\n", p->opt->option_text);
	sha256_hex(b.s, b.n, hex);
	return hex;
}

Program *
program_make(Arena *a, const Graph *user, const Split *s, const GenOptions *g)
{
	Graph *inferring = simplify(a, infer(a, user, g->infer));
	Program *p;

	diag_check();
	p = program(a, user, s, inferring, g);
	p->sha = fingerprint(a, p);
	return p;
}

Unit
unit_make(Arena *a, const Graph *user, const Split *s, const GenOptions *g)
{
	Unit u = {{.arena = a}, {.arena = a}, {.arena = a}};
	Program *p = program_make(a, user, s, g);

	unit_header(&u.header, p);
	unit_source(&u.source, p);
	unit_manifest(&u.manifest, p, &u.header, &u.source);
	return u;
}

Unit
compile_model(Arena *a, const Graph *user, const Options *o, const GenOptions *g)
{
	Module m = {.arena = a, .options = o};

	if (!differentiable(user))
		return unit_make(a, user, NULL, g);
	m.graph = graph_rebuild(a, user, false);
	module_run(&m, 0, pass_find("split"));
	return unit_make(a, user, m.split, g);
}
