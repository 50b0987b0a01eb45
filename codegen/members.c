/* members: the structs of the API as tables.
 *
 * Inputs, parameters, state and outputs stand in declared order, cotangents and
 * gradients in that of the joint graph. Params, grads, state have a flat array:
 * each tensor at a multiple of ALIGN, and a parameter's gradient where the
 * parameter lies in its own array, so that one loop or one all-reduce goes over
 * all of them; gradients of other values follow. */
#include "gen.h"

#include <string.h>

static int64_t
align_up(int64_t n)
{
	int64_t m;

	if (!add_ok(n, ALIGN - 1, &m))
		bug("a flat array overflows");
	return m / ALIGN * ALIGN;
}

static Member *
member_add(Arena *a, Members *ms, const char *name, const char *cname, Loc at, const Graph *g, Type t)
{
	Member *m;

	cname = cname ? cname : c_ident(a, name);
	for (int i = 0; i < ms->n; i++)
		if (!strcmp(ms->m[i].cname, cname))
			diag(DIAG_ERROR, at, "'%s' and '%s' are both '%s' in one struct of C", ms->m[i].name, name, cname);
	PUSH(a, ms->m, ms->n, ms->cap, ((Member){.name = name, .cname = cname, .type = t, .param = -1}));
	m = &ms->m[ms->n - 1];
	m->bytes = type_max_bytes(g, &t);
	return m;
}

int
member_find(const Members *ms, const char *name)
{
	for (int i = 0; i < ms->n; i++)
		if (!strcmp(ms->m[i].name, name))
			return i;
	return -1;
}

/* the next free place of a flat array */
static void
append(Members *ms, Member *m)
{
	m->offset = align_up(ms->bytes);
	if (!add_ok(m->offset, align_up(m->bytes), &ms->bytes))
		bug("a flat array overflows");
}

Area
area_of(Role r)
{
	static const Area area[NROLE] = {[INPUT] = AREA_INPUT, [PARAM] = AREA_PARAM, [BUFFER] = AREA_STATE,
		[COTANGENT] = AREA_COTANGENT, [SAVED] = AREA_SAVED};

	return area[r];
}

static void
leaves(Arena *a, Program *p)
{
	const Graph *g = p->user;

	for (int64_t i = 0; i < g->nleaf; i++) {
		const Leaf *l = g->leaf[i];
		Members *ms = &p->of[area_of(l->role)];
		Member *m;
		if (l->role == COTANGENT || l->role == SAVED)
			bug("a model as read has the leaf %s", l->name);
		m = member_add(a, ms, l->name, l->cname, l->at, g, l->node->type);
		m->leaf = l;
		m->doc = l->doc;
		if (l->role != INPUT)
			append(ms, m);
		if (l->file)
			m->blob = file_blob((Graph *)g, arena_fmt(a, "'%s'", l->name), l->file, l->at, l->tensor, l->at,
				&l->node->type);
	}
}

static void
outputs(Arena *a, Program *p)
{
	const Graph *g = p->user;

	for (int64_t i = 0; i < g->out.n; i++)
		member_add(a, &p->of[AREA_OUTPUT], g->out.p[i].name, NULL, g->out.p[i].at, g, g->out.p[i].v->type);
}

/* one for each differentiable output, unless a loss seeds itself */
static void
cotangents(Arena *a, Program *p)
{
	const Graph *g = p->split->joint;

	for (int64_t i = 0; p->user->loss < 0 && i < g->ct.n; i++)
		member_add(a, &p->of[AREA_COTANGENT], g->ct.p[i].name, NULL, g->ct.p[i].at, g, g->ct.p[i].v->type);
}

static void
gradients(Arena *a, Program *p)
{
	const Graph *g = p->split->joint;
	Members *ms = &p->of[AREA_GRAD], *params = &p->of[AREA_PARAM];

	for (int64_t i = 0; i < g->grad.n; i++) {
		Port q = g->grad.p[i];
		int k = member_find(params, q.name);
		Member *m = member_add(a, ms, q.name, k < 0 ? NULL : params->m[k].cname, q.at, g, q.v->type);
		m->param = k;
		if (k < 0)
			continue;
		m->offset = params->m[k].offset;
		ms->bytes = params->bytes;
	}
	for (int i = 0; i < ms->n; i++)
		if (ms->m[i].param < 0)
			append(ms, &ms->m[i]);
}

/* what each integer member is an index into: checked before anything is stored */
static void
limits(Arena *a, Program *p)
{
	Range *r;
	int n = index_ranges(a, p->user, &r);

	for (int i = 0; i < n; i++) {
		Members *ms = &p->of[area_of(r[i].leaf->role)];
		Member *m = &ms->m[member_find(ms, r[i].leaf->name)];
		PUSH(a, m->limit, m->nlimit, m->caplimit, r[i]);
	}
}

int
data_member(Arena *a, Program *p, const Node *n)
{
	Members *ms = &p->of[AREA_DATA];
	const char *name = n->name ? n->name : "constant";
	Member *m;

	for (int i = 0; i < ms->n; i++)
		if (ms->m[i].blob == n->blob)
			return i;
	m = member_add(a, ms, name, NULL, n->at, p->user, n->type);
	m->blob = n->blob;
	append(ms, m);
	return (int)ms->n - 1;
}

static uint32_t
symbols_used(const Graph *g)
{
	uint32_t set = 0;

	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		for (int d = 0; d < n->type.rank; d++)
			set |= dim_symbols(n->type.dim[d]);
		for (int k = 0; k < op_nattr(n->op); k++)
			for (int d = 0; n->attr[k].dims && d < n->attr[k].n; d++)
				set |= dim_symbols(n->attr[k].dims[d]);
	}
	return set;
}

void
members_make(Arena *a, Program *p)
{
	p->all = inlined(a, p->user);
	leaves(a, p);
	outputs(a, p);
	if (p->split) {
		cotangents(a, p);
		gradients(a, p);
	}
	limits(a, p);
	p->syms = symbols_used(p->all);
	values_place(a, p);
}
