/* scan: the derivative of a scan is a scan in the other direction.
 *
 * Before grad walks the graph, each scan that it will differentiate is replaced
 * by one that keeps more. Its body is differentiated by itself and partitioned
 * as a model is, with the same options: all costs are those of one step, and T
 * times that is the same problem. The forward half is the new body; what it
 * saves are more of the ys, so that they are ordinary values of the graph
 * around, with a leading axis of T. Of the carry, a step has what it was given
 * only if that is saved: the next step replaces it, as an update does.
 *
 * The backward half is the body of the scan that scan_vjp() makes. It carries
 * the cotangents of the carry, then sums of the cotangents of what is captured;
 * its xs are cotangents of the ys, saved values, and the xs that it reads again. */
#include "ir.h"

#include <string.h>

/* what the operands and results of the reverse scan are, in order; operands k and results r of the forward one */
typedef struct Index { int *v; int n; } Index;
struct Reverse {
	Graph *body;
	Index carry;                   /* r: their cotangents are carried, and given for operand r */
	Index sum;                     /* k: captured; carried from zero, and given */
	Index ct;                      /* r: cotangents of ys */
	Index saved;                   /* r: ys that are read */
	Index x, captured;             /* k: operands that are read */
	Index dx;                      /* k: cotangents that it stacks */
};

typedef struct Prepare {
	Arena *a;
	const Options *o;
	const Node *n;                 /* the scan */
	ScanSpec s;
	const Graph *body;
	bool *with;                    /* by input of the body: differentiated with respect to */
	bool *kept, *seeded;           /* by output of the body */
	int *at;                       /* by output: result of the new scan, or -1 */
	Split *split;
	Graph *fwd;
} Prepare;

static void
push(Arena *a, Index *x, int v)
{
	int *more = NEW(a, x->n + 1, int);

	if (x->n)
		memcpy(more, x->v, (size_t)x->n * sizeof *more);
	more[x->n] = v;
	x->v = more;
	x->n++;
}

/* ---- what is differentiated ---- */

static bool
is_carry(const ScanSpec *s, int64_t k)
{
	return k < s->ncarry;
}

static bool *
depends_on_inputs(const Prepare *p)
{
	bool *is_wrt = NEW(p->a, MAX(p->body->nnode, 1), bool);

	for (int64_t k = 0; k < p->body->nleaf; k++)
		is_wrt[p->body->leaf[k]->node->id] = p->with[k];
	return grad_depends(p->a, p->body, is_wrt);
}

/* the carry depends on what is wanted from the second step on, when its next value does */
static bool *
find_with(Prepare *p, const bool *wanted)
{
	bool *dep = NULL, grown = true;

	p->with = NEW(p->a, MAX(p->n->nin, 1), bool);
	for (int k = 0; k < p->n->nin; k++)
		p->with[k] = wanted[p->n->in[k]->id] && dtype_float(p->n->in[k]->type.dt);
	while (grown) {
		grown = false;
		dep = depends_on_inputs(p);
		for (int k = 0; k < p->s.ncarry; k++)
			if (!p->with[k] && dep[p->body->out.p[k].v->id] && dtype_float(p->n->in[k]->type.dt))
				grown = p->with[k] = true;
	}
	return dep;
}

/* results that are used, and those that have a cotangent */
static void
find_outputs(Prepare *p, const Graph *g, const bool *live, const bool *reached, const bool *dep)
{
	p->kept = NEW(p->a, p->body->out.n, bool);
	p->seeded = NEW(p->a, p->body->out.n, bool);
	for (int64_t i = p->n->id; i < g->nnode; i++) {
		const Node *m = g->node[i];
		int64_t r = m->op->kind == ITEM ? attr(m, 0)->i : 0;
		if (!live[i] || (m != p->n && (m->op->kind != ITEM || m->in[0] != p->n)) || (m == p->n && node_nres(m) > 1))
			continue;
		p->kept[r] = true;
		p->seeded[r] |= reached[i] && dtype_float(m->type.dt) && dep[p->body->out.p[r].v->id];
	}
	for (int r = 0; r < p->s.ncarry; r++) {
		p->kept[r] = true;
		p->seeded[r] = p->with[r];
	}
}

/* ---- the body, differentiated and cut ---- */

/* the body as a graph whose outputs are kept */
static Graph *
as_graph(const Prepare *p, bool *seeded)
{
	Graph *d = graph_rebuild(p->a, p->body, false);
	Ports all = d->out;

	d->out = (Ports){0};
	d->wrt_given = true;
	for (int64_t r = 0; r < all.n; r++)
		if (p->kept[r]) {
			seeded[d->out.n] = p->seeded[r];
			port_add(d, &d->out, all.p[r].name, all.p[r].v, all.p[r].at);
		}
	for (int64_t k = 0; k < d->nleaf; k++)
		if (p->with[k])
			port_add(d, &d->wrt, d->leaf[k]->name, d->leaf[k]->node, d->leaf[k]->at);
	return d;
}

static void
cut_body(Prepare *p)
{
	bool *seeded = NEW(p->a, p->body->out.n, bool);
	Graph *d = as_graph(p, seeded), *joint;
	Options *o = NEW(p->a, 1, Options);

	*o = p->o ? *p->o : (Options){.training = true};
	o->of = NULL;
	joint = compose_stopped(p->a, grad_of(p->a, d, o, seeded), o->training);
	for (int r = 0; r < p->s.ncarry; r++)
		port_add(joint, &joint->update, joint->leaf[r]->name, joint->out.p[r].v, (Loc){0});
	p->split = split(p->a, joint, o);
	if (!p->split)
		diag_check();
}

/* ---- forward ---- */

static const char *
free_port(const Graph *g, const Ports *ps, const char *name)
{
	const char *s = name;

	for (int i = 2; port_find(ps, s); i++)
		s = arena_fmt(g->arena, "%s.%d", name, i);
	return s;
}

/* saved values that are no ys become ys; *saved: of which result each saved value is */
static Graph *
make_forward(Prepare *p, int *saved)
{
	Graph *f = p->split->fwd;
	int64_t nout = f->out.n;

	p->at = NEW(p->a, p->body->out.n, int);
	for (int64_t r = 0, next = 0; r < p->body->out.n; r++)
		p->at[r] = p->kept[r] ? (int)next++ : -1;
	for (int64_t i = 0; i < f->saved.n; i++) {
		const Node *v = f->saved.p[i].v;
		saved[i] = -1;
		for (int64_t r = p->s.ncarry; r < nout && saved[i] < 0; r++)
			if (f->out.p[r].v == v)
				saved[i] = (int)r;
		if (saved[i] >= 0)
			continue;
		saved[i] = (int)f->out.n;
		port_add(f, &f->out, free_port(f, &f->out, f->saved.p[i].name), f->saved.p[i].v, f->saved.p[i].at);
	}
	f->name = graph_str(f, arena_fmt(p->a, "%s.f", p->body->name));
	f->loss = -1;
	for (int64_t i = 0; i < f->nnode; i++)
		f->node[i]->side = SIDE_NONE;
	return f;
}

/* ---- backward ---- */

typedef struct Back {
	Prepare *p;
	struct Reverse *r;
	const Graph *from;             /* the half of the split */
	Graph *h;
	Node **map;
} Back;

static void
put_leaf(Back *b, const Leaf *l, const char *name)
{
	Leaf input = {.role = INPUT, .name = graph_str(b->h, name), .at = l->at};

	b->map[l->node->id] = node_leaf(b->h, &input, l->node->type);
}

static const Leaf *
cotangent_of(const Graph *g, const char *output)
{
	for (int64_t i = 0; i < g->nleaf; i++)
		if (g->leaf[i]->role == COTANGENT && !strcmp(g->leaf[i]->of, output))
			return g->leaf[i];
	bug("no cotangent of the output %s", output);
}

/* of a leaf beside those of the split */
static const char *
sum_name(const Back *b, const char *of)
{
	const char *name = arena_fmt(b->p->a, "sum.%s", of);
	bool taken = true;

	for (int i = 2; taken; i++) {
		taken = leaf_find(b->from, name) != NULL;
		for (int64_t k = 0; k < b->from->nnode && !taken; k++)
			taken = b->from->node[k]->name && !strcmp(b->from->node[k]->name, name);
		if (taken)
			name = arena_fmt(b->p->a, "sum.%s.%d", of, i);
	}
	return graph_str(b->h, name);
}

static void
carried_leaves(Back *b, Node **sum)
{
	const Prepare *p = b->p;

	for (int r = 0; r < p->s.ncarry; r++)
		if (p->with[r]) {
			const Leaf *l = cotangent_of(b->from, p->body->out.p[r].name);
			put_leaf(b, l, l->name);
			push(p->a, &b->r->carry, r);
		}
	for (int k = p->s.ncarry + p->s.nxs; k < p->n->nin; k++)
		if (p->with[k]) {
			Leaf l = {.role = INPUT, .name = sum_name(b, p->body->leaf[k]->name)};
			sum[k] = node_leaf(b->h, &l, p->n->in[k]->type);
			push(p->a, &b->r->sum, k);
		}
}

/* the leaf of backward that is input k of the body; NULL: it does not read it */
static const Leaf *
input_of(const Back *b, int k)
{
	const Leaf *l = leaf_find(b->from, b->p->body->leaf[k]->name);

	return l && l->role == INPUT ? l : NULL;
}

static void
stepped_leaves(Back *b, const int *saved)
{
	const Prepare *p = b->p;

	for (int64_t r = p->s.ncarry; r < p->body->out.n; r++)
		if (p->seeded[r]) {
			const Leaf *l = cotangent_of(b->from, p->body->out.p[r].name);
			put_leaf(b, l, l->name);
			push(p->a, &b->r->ct, p->at[r]);
		}
	for (int64_t i = 0; i < p->fwd->saved.n; i++) {
		const Leaf *l = leaf_find(b->from, p->fwd->saved.p[i].name);
		if (!l)
			continue;
		put_leaf(b, l, l->name);
		push(p->a, &b->r->saved, saved[i]);
	}
	for (int k = p->s.ncarry; k < p->s.ncarry + p->s.nxs; k++)
		if (input_of(b, k)) {
			put_leaf(b, input_of(b, k), input_of(b, k)->name);
			push(p->a, &b->r->x, k);
		}
}

/* a carry that is free is one that no step changes */
static void
captured_leaves(Back *b)
{
	const Prepare *p = b->p;

	for (int k = 0; k < p->n->nin; k++)
		if ((is_carry(&p->s, k) || k >= p->s.ncarry + p->s.nxs) && input_of(b, k)) {
			put_leaf(b, input_of(b, k), input_of(b, k)->name);
			push(p->a, &b->r->captured, k);
		}
}

static void
put_gradient(Back *b, int k, Node *sum)
{
	const char *name = b->p->body->leaf[k]->name;
	Node *v = b->map[port_find(&b->from->grad, name)->id];

	port_add(b->h, &b->h->out, arena_fmt(b->p->a, "d.%s", name), sum ? Add(sum, v) : v, (Loc){0});
}

static void
make_backward(Prepare *p, const int *saved)
{
	Back b = {.p = p, .r = NEW(p->a, 1, struct Reverse), .from = p->split->bwd};
	Node **sum = NEW(p->a, MAX(p->n->nin, 1), Node *);
	bool *live = graph_live(p->a, b.from);

	b.h = b.r->body = graph_like(p->a, p->body);
	b.h->name = graph_str(b.h, arena_fmt(p->a, "%s.b", p->body->name));
	b.map = NEW(p->a, MAX(b.from->nnode, 1), Node *);
	carried_leaves(&b, sum);
	stepped_leaves(&b, saved);
	captured_leaves(&b);
	for (int64_t i = 0; i < b.from->nnode; i++)
		if (live[i] && !b.map[i])
			b.map[i] = node_onto(b.h, b.from->node[i], b.map);
	for (int i = 0; i < b.r->carry.n; i++)
		put_gradient(&b, b.r->carry.v[i], NULL);
	for (int i = 0; i < b.r->sum.n; i++)
		put_gradient(&b, b.r->sum.v[i], sum[b.r->sum.v[i]]);
	for (int k = p->s.ncarry; k < p->s.ncarry + p->s.nxs; k++)
		if (p->with[k]) {
			put_gradient(&b, k, NULL);
			push(p->a, &b.r->dx, k);
		}
	p->fwd->reverse = b.r;
}

/* ---- the scan that keeps more ---- */

/* the base of all results */
static Node *
put_scan(const Prepare *p, Graph *h, Node *const *map)
{
	const Node *n = p->n;
	Attr *attrs = memcpy(NEW(h->arena, op_nattr(n->op), Attr), n->attr, (size_t)op_nattr(n->op) * sizeof *attrs);
	Node m = *n;

	scan_set(h, n->op, attrs, p->fwd, p->s.nxs);
	m.attr = attrs;
	m.pinned = false;
	m.typed = false;
	if (p->fwd->out.n > 1)
		m.name = NULL;
	return node_onto(h, &m, map);
}

/* result r of the old scan, as the node m of the old graph was */
static Node *
put_result(const Prepare *p, Graph *h, Node *base, const Node *m, int64_t r)
{
	const Op *item = op_get(OP_item);
	Node v = *m;
	Attr *a;

	if (node_nres(base) == 1)
		return m->pinned ? node_pin(base) : base;
	a = attrs_new(h, item);
	set_int(item, a, "index", p->at[r]);
	v.op = item;
	v.attr = a;
	v.nin = 1;
	return node_copy(h, &v, &base);
}

static Prepare *
prepare(Arena *a, const Graph *g, const Node *n, const Options *o, const bool *wanted, const bool *reached,
	const bool *live)
{
	Prepare *p = NEW(a, 1, Prepare);
	const bool *dep;
	int *saved;

	*p = (Prepare){.a = a, .o = o, .n = n, .s = scan_spec(n)};
	p->body = p->s.body;
	dep = find_with(p, wanted);
	find_outputs(p, g, live, reached, dep);
	cut_body(p);
	saved = NEW(a, MAX(p->split->fwd->saved.n, 1), int);
	p->fwd = make_forward(p, saved);
	make_backward(p, saved);
	p->fwd->saved = p->fwd->update = (Ports){0};
	return p;
}

Graph *
scans_prepare(Arena *a, const Graph *g, const Options *o, const bool *wanted, const bool *reached)
{
	bool *live = graph_live(a, g);
	Node **map = NEW(a, MAX(g->nnode, 1), Node *);
	Prepare **of = NEW(a, MAX(g->nnode, 1), Prepare *);
	Graph *h = graph_like(a, g);

	for (int64_t i = 0; i < g->nleaf; i++)
		map[g->leaf[i]->node->id] = node_leaf(h, g->leaf[i], g->leaf[i]->node->type);
	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		if (!live[i] || map[i])
			continue;
		if (node_function(n) && wanted[i] && reached[i]) {
			of[i] = prepare(a, g, n, o, wanted, reached, live);
			map[i] = put_scan(of[i], h, map);
			if (node_nres(n) == 1)
				map[i] = put_result(of[i], h, map[i], n, 0);
		} else if (n->op->kind == ITEM && of[n->in[0]->id])
			map[i] = put_result(of[n->in[0]->id], h, map[n->in[0]->id], n, attr(n, 0)->i);
		else
			map[i] = node_onto(h, n, map);
	}
	graph_interface(h, g, map);
	return h;
}

/* ---- the derivative ---- */

/* a value that is kept for this is called after the scan and its name in the body */
static Node *
saved_item(Node *n, int r)
{
	Node *v = Item(n, r);
	const char *name = arena_fmt(n->g->arena, "%s.%s", call_name(n), node_function(n)->out.p[r].name);
	bool taken = v->name || v == n;

	for (int64_t i = 0; i < n->g->nnode && !taken; i++)
		taken = n->g->node[i]->name && !strcmp(n->g->node[i]->name, name);
	if (!taken)
		v->name = graph_str(n->g, name);
	return v;
}

void
scan_vjp(Node *n, Node *const *g, Node **d)
{
	ScanSpec s = scan_spec(n);
	const struct Reverse *v = s.body->reverse;
	int nin = 0, ncarry, nxs;
	Node **in, *w;

	if (!v)
		bug("%s: a scan that is not prepared", nn(n));
	in = NEW(n->g->arena, v->body->nleaf, Node *);
	for (int i = 0; i < v->carry.n; i++)
		in[nin++] = g[v->carry.v[i]] ? g[v->carry.v[i]] : Full(n->g, n->in[v->carry.v[i]]->type, 0);
	for (int i = 0; i < v->sum.n; i++)
		in[nin++] = Zeros(n->in[v->sum.v[i]]);
	ncarry = nin;
	for (int i = 0; i < v->ct.n; i++)
		in[nin++] = g[v->ct.v[i]] ? g[v->ct.v[i]] : Full(n->g, n->res ? n->res[v->ct.v[i]] : n->type, 0);
	for (int i = 0; i < v->saved.n; i++)
		in[nin++] = saved_item(n, v->saved.v[i]);
	for (int i = 0; i < v->x.n; i++)
		in[nin++] = n->in[v->x.v[i]];
	nxs = nin - ncarry;
	for (int i = 0; i < v->captured.n; i++)
		in[nin++] = n->in[v->captured.v[i]];
	w = MakeScan(n->g, v->body, in, nin, ncarry, nxs, s.length, !s.reverse);
	for (int i = 0; i < v->carry.n; i++)
		d[v->carry.v[i]] = Item(w, i);
	for (int i = 0; i < v->sum.n; i++)
		d[v->sum.v[i]] = Item(w, v->carry.n + i);
	for (int i = 0; i < v->dx.n; i++)
		d[v->dx.v[i]] = Item(w, ncarry + i);
}
