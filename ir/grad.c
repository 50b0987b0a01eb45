/* grad: reverse-mode differentiation (Linnainmaa 1970; Griewank and Walther,
 * Evaluating Derivatives, 2nd ed., section 3.2).
 *
 * needs: a verified graph of either level. gives: a joint graph, the old nodes
 * first, then the cotangents that the op table's rules build, walking users
 * before producers; ports ct and grad are filled. A value used twice adds its
 * cotangents in the order of the walk; a value that does not influence what is
 * differentiated has gradient zero.
 *
 * The seed is a cotangent leaf also where it is 1, for a loss: only so can be
 * told what must wait for the backward pass (all that depends on a cotangent)
 * from what forward may compute and keep. seed_one() puts the 1 in its place,
 * after the split or for an ordinary graph. */
#include "ir.h"

#include <string.h>

typedef struct Walk {
	Graph *g;
	int64_t n;             /* nodes of the forward part */
	bool *wanted;          /* depends on a wrt value, other than through ops whose derivative is zero */
	Node **ct;             /* cotangent by node id; NULL: zero so far */
	Node ***res_ct;        /* cotangents of the results of a composite with several */
} Walk;

static void
accumulate(Node **slot, Node *d)
{
	*slot = *slot ? Add(*slot, d) : d;
}

/* a cotangent as the rule gave it, brought to the operand's shape */
static Node *
fit(Node *d, const Node *in)
{
	if (d->type.dt != in->type.dt)
		bug("cotangent of %s is %s", tt(in), tt(d));
	if (in->type.rank > d->type.rank)
		return ExpandLike(d, in);
	d = SumTo(d, &in->type);
	return shape_eq(&d->type, &in->type) ? d : ExpandLike(d, in);
}

static void
walk_node(Walk *w, Node *n)
{
	int nres = node_nres(n);
	Node **g = nres > 1 ? w->res_ct[n->id] : &w->ct[n->id];
	Node **d;

	if (n->op->kind == ITEM) {
		Node *base = n->in[0];
		if (!w->res_ct[base->id])
			w->res_ct[base->id] = NEW(w->g->arena, node_nres(base), Node *);
		accumulate(&w->res_ct[base->id][attr(n, 0)->i], w->ct[n->id]);
		return;
	}
	if (is_leaf(n) || n->op->flags & (FLAT | STOP))
		return;
	if (!n->op->vjp) {
		diag(DIAG_UNSUPPORTED, n->at, "node %s (%s): no gradient of this op yet", nn(n), n->op->name);
		return;
	}
	d = NEW(w->g->arena, MAX(n->nin, 1), Node *);
	w->g->cur_from = n->name ? n->name : n->from;
	w->g->cur_scope = n->scope;
	w->g->cur_at = n->at;
	w->g->cur_remat = n->remat == REMAT_RECOMPUTE ? n->remat : REMAT_AUTO;         /* as compose.c, to share with it */
	n->op->vjp(n, g, d);
	w->g->cur_remat = REMAT_AUTO;
	for (int k = 0; k < n->nin; k++)
		if (d[k] && w->wanted[n->in[k]->id] && dtype_float(n->in[k]->type.dt))
			accumulate(&w->ct[n->in[k]->id], fit(d[k], n->in[k]));
}

bool *
grad_depends(Arena *a, const Graph *g, const bool *wrt)
{
	bool *dep = memcpy(NEW(a, MAX(g->nnode, 1), bool), wrt, (size_t)g->nnode * sizeof *dep);

	for (int64_t i = 0; i < g->nnode; i++)
		for (int k = 0; k < g->node[i]->nin && !(g->node[i]->op->flags & (FLAT | STOP)); k++)
			dep[i] |= dep[g->node[i]->in[k]->id];
	return dep;
}

static bool *
depends(Arena *a, const Graph *g, const Ports *wrt)
{
	bool *is_wrt = NEW(a, MAX(g->nnode, 1), bool);

	for (int64_t i = 0; i < wrt->n; i++)
		is_wrt[wrt->p[i].v->id] = true;
	return grad_depends(a, g, is_wrt);
}

/* default: all trainable floating parameters; in a graph without parameters, all floating inputs */
static void
choose_wrt(Graph *g)
{
	for (int role = PARAM; g->wrt.n == 0 && role >= 0; role = role == PARAM ? (int)INPUT : -1)
		for (int64_t i = 0; i < g->nleaf; i++) {
			const Leaf *l = g->leaf[i];
			if ((int)l->role == role && dtype_float(l->node->type.dt) && (l->trainable || role == INPUT))
				port_add(g, &g->wrt, l->name, l->node, l->at);
		}
}

static void
seed_output(Walk *w, Port p)
{
	Graph *g = w->g;
	Leaf l = {.role = COTANGENT, .of = p.name, .at = p.at};
	Node *ct;

	l.name = arena_fmt(g->arena, "ct.%s", p.name);
	while (leaf_find(g, l.name))
		l.name = arena_fmt(g->arena, "ct.%s", l.name);
	l.name = graph_str(g, l.name);
	ct = node_leaf(g, &l, p.v->type);
	port_add(g, &g->ct, p.name, ct, p.at);
	accumulate(&w->ct[p.v->id], ct);
}

static int
output_index(const Graph *g, const char *name)
{
	for (int64_t i = 0; i < g->out.n; i++)
		if (!strcmp(g->out.p[i].name, name))
			return (int)i;
	diag(DIAG_ERROR, (Loc){.file = g->file}, "--of=%s: there is no output of that name", name);
	return -1;
}

/* by output: it gets a cotangent */
static bool *
choose_seeds(Graph *g, const Options *o, const bool *wanted)
{
	bool *seeded = NEW(g->arena, MAX(g->out.n, 1), bool);

	if (o && o->of && (g->loss = output_index(g, o->of)) < 0)
		return seeded;
	if (g->loss >= 0) {
		Port p = g->out.p[g->loss];
		seeded[g->loss] = dtype_float(p.v->type.dt) && !p.v->type.rank;
		if (!seeded[g->loss])
			diag(DIAG_ERROR, p.at, "output '%s' is %s; only a floating scalar has a gradient", p.name, tt(p.v));
		return seeded;
	}
	for (int64_t i = 0; i < g->out.n; i++)
		seeded[i] = dtype_float(g->out.p[i].v->type.dt) && wanted[g->out.p[i].v->id];
	return seeded;
}

/* by id: a cotangent of a seed comes to it */
static bool *
find_reached(const Graph *g, const bool *seeded)
{
	bool *reached = NEW(g->arena, MAX(g->nnode, 1), bool);

	for (int64_t i = 0; i < g->out.n; i++)
		reached[g->out.p[i].v->id] |= seeded[i];
	for (int64_t i = g->nnode - 1; i >= 0; i--)
		for (int k = 0; reached[i] && !(g->node[i]->op->flags & (FLAT | STOP)) && k < g->node[i]->nin; k++)
			reached[g->node[i]->in[k]->id] = true;
	return reached;
}

/* what depends on a cotangent is backward's, all else may be forward's; the user's word is about the latter */
static void
mark_sides(Graph *g)
{
	for (int64_t i = 0; i < g->nnode; i++) {
		Node *n = g->node[i];
		n->side = n->leaf && n->leaf->role == COTANGENT ? SIDE_B : SIDE_F;
		for (int k = 0; k < n->nin; k++)
			if (n->in[k]->side == SIDE_B)
				n->side = SIDE_B;
		if (n->side == SIDE_B)
			n->remat = REMAT_AUTO;
	}
}

static bool
any_scan(const Graph *g)
{
	for (int64_t i = 0; i < g->nnode; i++)
		if (node_function(g->node[i]))
			return true;
	return false;
}

/* bodies of scans have no reverse once it is used: they are functions like others */
static void
forget_reverses(Graph *g)
{
	for (int64_t i = 0; i < g->nnode; i++)
		if (node_function(g->node[i]))
			((Graph *)node_function(g->node[i]))->reverse = NULL;
}

Graph *
grad(Arena *a, const Graph *user, const Options *o)
{
	return grad_of(a, user, o, NULL);
}

Graph *
grad_of(Arena *a, const Graph *user, const Options *o, const bool *seeded)
{
	Graph *g = compose_for_grad(a, user, !o || o->training);
	bool *wanted;
	Walk w;

	if (!g->wrt_given)
		choose_wrt(g);
	if (!g->wrt.n)
		diag(DIAG_ERROR, (Loc){.file = g->file}, "nothing to differentiate with respect to: %s",
			g->wrt_given ? "\"wrt\" is empty" : "no floating params or inputs, and no \"wrt\"");
	wanted = depends(a, g, &g->wrt);
	if (!seeded)
		seeded = choose_seeds(g, o, wanted);
	if (any_scan(g)) {
		g = scans_prepare(a, g, o, wanted, find_reached(g, seeded));
		wanted = depends(a, g, &g->wrt);
	}
	w = (Walk){g, g->nnode, wanted, NULL, NULL};
	w.ct = NEW(a, MAX(w.n, 1), Node *);
	w.res_ct = NEW(a, MAX(w.n, 1), Node **);
	for (int64_t i = 0; i < g->out.n; i++)
		if (seeded[i])
			seed_output(&w, g->out.p[i]);
	for (int64_t i = w.n - 1; i >= 0; i--)
		if (w.wanted[i] && (w.ct[i] || w.res_ct[i]))
			walk_node(&w, g->node[i]);
	g->cur_from = g->cur_scope = NULL;
	g->cur_at = (Loc){0};
	for (int64_t i = 0; i < g->wrt.n; i++) {
		Node *v = g->wrt.p[i].v;
		port_add(g, &g->grad, g->wrt.p[i].name, w.ct[v->id] ? w.ct[v->id] : Zeros(v), g->wrt.p[i].at);
	}
	forget_reverses(g);
	mark_sides(g);
	for (int64_t i = 0; i < g->nnode; i++)
		g->node[i]->pinned = false;
	g->joint = true;
	return g;
}

Graph *
seed_leaf(Arena *a, const Graph *g, const Node *ct, Node **map)
{
	Graph *h = graph_like(a, g);

	for (int64_t i = 0; i < g->nleaf; i++) {
		const Leaf *l = g->leaf[i];
		map[l->node->id] = l->node == ct ? Full(h, ct->type, 1) : node_leaf(h, l, l->node->type);
	}
	graph_copy_onto(h, g, map);
	h->ct = (Ports){0};
	for (int64_t i = 0; i < g->ct.n; i++)
		if (g->ct.p[i].v != ct)
			port_add(h, &h->ct, g->ct.p[i].name, map[g->ct.p[i].v->id], g->ct.p[i].at);
	return h;
}

Graph *
seed_one(Arena *a, const Graph *joint)
{
	const Node *ct = joint->loss < 0 ? NULL : port_find(&joint->ct, joint->out.p[joint->loss].name);

	return ct ? seed_leaf(a, joint, ct, NEW(a, MAX(joint->nnode, 1), Node *)) : graph_rebuild(a, joint, true);
}

/* "d.", or "d.d." and so on where gradients of these names are outputs already */
static const char *
grad_prefix(const Graph *g, const Ports *grad, const char *first)
{
	const char *prefix = first;
	bool taken = true;

	while (taken) {
		taken = false;
		for (int64_t i = 0; i < grad->n; i++)
			taken |= port_find(&g->out, arena_fmt(g->arena, "%s%s", prefix, grad->p[i].name)) != NULL;
		if (taken)
			prefix = arena_fmt(g->arena, "%s%s", prefix, first);
	}
	return prefix;
}

void
grad_as_outputs(Graph *g, const char *first)
{
	const char *prefix = grad_prefix(g, &g->grad, first);

	for (int64_t i = 0; i < g->grad.n; i++)
		port_add(g, &g->out, arena_fmt(g->arena, "%s%s", prefix, g->grad.p[i].name), g->grad.p[i].v, g->grad.p[i].at);
	for (int64_t i = 0; i < g->nnode; i++) {
		g->node[i]->side = SIDE_NONE;
		g->node[i]->from = NULL;
	}
	g->grad = g->ct = g->wrt = (Ports){0};
	g->joint = g->wrt_given = false;
	g->loss = -1;
}

Graph *
grad_plain(Arena *a, const Graph *joint)
{
	Graph *g = seed_one(a, joint);

	for (int64_t i = 0; i < g->nleaf; i++)
		if (g->leaf[i]->role == COTANGENT)
			g->leaf[i]->role = INPUT;
	grad_as_outputs(g, "d.");
	return g;
}
