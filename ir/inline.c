/* inline: calls become the nodes of what they call.
 *
 * needs: a graph as read. gives: a graph without calls; scans whose bodies are
 * without calls and constants and whose random numbers are told apart. A value
 * of a function is named after the path of calls that lead to it, so is the
 * stream of a random op. Where a body draws other numbers in each step, its keys
 * are folded with the number of the step, an element of an iota that becomes one
 * more of the xs; a constant of a body becomes a value that is captured. */
#include "ir.h"

#include <string.h>

enum { MAXNEST = 64, MAXNODES = 1 << 20 };

/* a body made for a scan */
typedef struct Body {
	const Graph *fn;
	const char *path;              /* "": the streams do not depend on it */
	bool by_step, steps;           /* takes its step; takes those of the scans around */
	int nouter;
	Graph *g;
	const Node **lifted;           /* constants that became inputs, in their order */
	int64_t nlifted, cap;
} Body;

typedef struct Inline {
	Arena *a;
	Body **body;
	int64_t nbody, cap;
} Inline;

/* what is being built, at one level of scans */
typedef struct Ctx {
	Inline *w;
	Graph *h;
	Map *taken;                    /* names of h */
	Body *of;                      /* NULL: the graph itself */
	Map *lifted;                   /* data of a constant -> leaf */
	const char *path;              /* of scans and calls that led to h, for streams: "" or "a/b/" */
	Node *step[MAXNEST];           /* of the scans around, the outermost first */
	int nstep;
} Ctx;

/* one function in its place */
typedef struct Site {
	const char *prefix;            /* of names in h: "" or "a/b/" */
	const char *scope;             /* or NULL */
	Remat remat;
	Side side;
} Site;

/* ---- what there is to do ---- */

static bool
has_random(const Graph *g)
{
	for (int64_t i = 0; i < g->nnode; i++)
		if (g->node[i]->op->flags & RANDOM || (node_function(g->node[i]) && has_random(node_function(g->node[i]))))
			return true;
	return false;
}

static bool
is_call(const Node *n)
{
	return node_function(n) && !n->op->run;
}

/* scalars are no memory and may stay */
static bool
is_array(const Node *n)
{
	return n->blob && !dim_one(type_count(&n->type));
}

static bool
has_work(const Graph *g, bool body)
{
	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		if (is_call(n) || (body && is_array(n)))
			return true;
		if (node_function(n) && (!scan_spec(n).fixed || has_work(node_function(n), true)))
			return true;
	}
	return false;
}

/* nodes that calls expand to; saturates */
static int64_t
size_of(const Graph *g, Map *memo)
{
	int64_t *known = map_get_bytes(memo, &g, sizeof g), n = g->nnode;

	if (known)
		return *known;
	for (int64_t i = 0; i < g->nnode; i++)
		if (node_function(g->node[i]))
			n = add_sat(n, size_of(node_function(g->node[i]), memo));
	map_set_bytes(memo, &g, sizeof g, known = NEW(g->arena, 1, int64_t));
	return *known = n;
}

/* ---- names ---- */

static const char *
fresh(Ctx *c, const char *name)
{
	const char *s = name;

	for (int i = 2; map_get(c->taken, s); i++)
		s = arena_fmt(c->w->a, "%s.%d", name, i);
	map_set(c->taken, s, c);
	return graph_str(c->h, s);
}

/* a constant of a body gives its name to the input that it becomes */
static void
take_names(Ctx *c, const Graph *g)
{
	for (int64_t i = 0; i < g->nnode; i++)
		if (g->node[i]->name && !(c->of && is_array(g->node[i])))
			map_set(c->taken, g->node[i]->name, c);
}

static const char *
joined(Graph *h, const char *a, const char *b)
{
	return a && b ? graph_str(h, arena_fmt(h->arena, "%s/%s", a, b)) : a ? a : b;
}

/* ---- random ops ---- */

static int
key_operand(const Op *op)
{
	int k = 0;

	for (const char *s = op->operands; *s; s += strspn(s, " "), k++) {
		size_t n = strcspn(s, " ");
		if (n == 3 && !memcmp(s, "key", 3))
			return k;
		s += n;
	}
	bug("%s draws random numbers without a key", op->name);
}

static const Attr *
with_stream(Ctx *c, const Site *at, const Node *n)
{
	const char *path = arena_fmt(c->w->a, "%s%s", c->path, at->prefix);
	int64_t old, new;
	Attr *a;
	int k;

	if (!*path || !op_attr(n->op, "stream", &k))
		return n->attr;
	a = memcpy(NEW(c->h->arena, op_nattr(n->op), Attr), n->attr, (size_t)op_nattr(n->op) * sizeof *a);
	old = a[k].i;
	if (n->name && old == stream_of(n->name))
		new = stream_of(arena_fmt(c->w->a, "%s%s", path, n->name));
	else
		new = (int64_t)(hash64(path, (int64_t)strlen(path), (uint64_t)old) & INT64_MAX);
	set_int(n->op, a, "stream", new);
	return a;
}

/* ---- nodes ---- */

static void expand(Ctx *c, const Graph *g, Node **map, const Site *at);

/* a constant in a body, as one of its inputs */
static Node *
lift(Ctx *c, const Node *n)
{
	Body *b = c->of;
	Node *leaf = map_get_bytes(c->lifted, &n->blob, sizeof n->blob);
	Leaf l = {.role = INPUT, .at = n->at};

	if (leaf)
		return leaf;
	l.name = fresh(c, n->name ? n->name : "constant");
	leaf = node_leaf(c->h, &l, n->type);
	map_set_bytes(c->lifted, &n->blob, sizeof n->blob, leaf);
	PUSH(c->w->a, b->lifted, b->nlifted, b->cap, n);
	return leaf;
}

static Node *
constant_in(Ctx *c, const Node *n)
{
	return c->of && is_array(n) ? lift(c, n) : node_copy(c->h, n, NULL);
}

static Node *
put_copy(Ctx *c, const Node *n, Node **in, int nin, const Attr *attrs, const Site *at)
{
	Node m = *n;

	m.nin = nin;
	m.attr = attrs;
	if (*at->prefix && n->name) {
		const char *full = graph_str(c->h, arena_fmt(c->w->a, "%s%s", at->prefix, n->name));
		m.name = map_get(c->taken, full) ? NULL : full;
		map_set(c->taken, full, c);
	}
	m.scope = joined(c->h, at->scope, n->scope);
	m.remat = n->remat == REMAT_AUTO ? at->remat : n->remat;
	m.side = n->side == SIDE_NONE ? at->side : n->side;
	m.typed = n->typed && !*at->prefix;
	return node_copy(c->h, &m, in);
}

static Node **
operands(Ctx *c, const Node *n, Node *const *map, int room)
{
	Node **in = NEW(c->h->arena, MAX(n->nin + room, 1), Node *);

	for (int k = 0; k < n->nin; k++)
		in[k] = map[n->in[k]->id];
	return in;
}

static Node *
plain_node(Ctx *c, const Node *n, Node **map, const Site *at)
{
	Node **in = operands(c, n, map, 0);
	const Attr *attrs = n->attr;

	if (n->blob && (c->of || *at->prefix)) {
		Node *m = memcpy(NEW(c->w->a, 1, Node), n, sizeof *n);
		if (*at->prefix && n->name)
			m->name = fresh(c, arena_fmt(c->w->a, "%s%s", at->prefix, n->name));
		return constant_in(c, m);
	}
	if (n->op->flags & RANDOM) {
		int key = key_operand(n->op);
		for (int i = 0; i < c->nstep; i++)
			in[key] = FoldIn(in[key], c->step[i]);
		attrs = with_stream(c, at, n);
	}
	return put_copy(c, n, in, n->nin, attrs, at);
}

/* the value that stands for result m of a call is called as the user called it */
static Node *
named_result(Ctx *c, Node *v, const Node *m, int64_t first, const Site *at)
{
	if (m->pinned) {
		Node *old = v;
		v = node_pin(old);
		v->scope = old->scope;
		old->name = old->leaf || old->id < first ? old->name : NULL;
	}
	if (v->leaf || v->id < first || !m->name)
		return v;
	v->name = *at->prefix ? graph_str(c->h, arena_fmt(c->w->a, "%s%s", at->prefix, m->name)) : m->name;
	if (m->remat != REMAT_AUTO)
		v->remat = m->remat;
	return v;
}

static Node **
call_results(Ctx *c, const Node *n, Node **map, const Site *at)
{
	const Graph *fn = node_function(n);
	const char *name = call_name(n);
	Node **inner = NEW(c->w->a, MAX(fn->nnode, 1), Node *), **res = NEW(c->w->a, fn->out.n, Node *);
	Site site = {.remat = n->remat == REMAT_RECOMPUTE || at->remat == REMAT_RECOMPUTE ? REMAT_RECOMPUTE : REMAT_AUTO,
		.side = n->side == SIDE_NONE ? at->side : n->side};

	site.prefix = arena_fmt(c->w->a, "%s%s/", at->prefix, name);
	site.scope = joined(c->h, at->scope, n->scope ? n->scope : name);
	for (int k = 0; k < n->nin; k++)
		inner[fn->leaf[k]->node->id] = map[n->in[k]->id];
	expand(c, fn, inner, &site);
	for (int64_t r = 0; r < fn->out.n; r++)
		res[r] = inner[fn->out.p[r].v->id];
	return res;
}

/* ---- scans ---- */

static Node *
input(Graph *h, const char *name, Type t)
{
	Leaf l = {.role = INPUT, .name = name};

	return node_leaf(h, &l, t);
}

/* inputs in order: carry, xs, the step, what is captured, the steps of scans around; constants come as they are met */
static void
body_inputs(Ctx *c, const ScanSpec *s, const Body *b, Node **map)
{
	const Graph *fn = b->fn;
	const char *name = b->by_step ? fresh(c, "step") : NULL;
	Node *step = NULL;

	for (int k = 0; k <= fn->nleaf; k++) {
		if (k == s->ncarry + s->nxs && b->by_step)
			step = input(c->h, name, type_scalar(U64));
		if (k < fn->nleaf)
			map[fn->leaf[k]->node->id] = node_leaf(c->h, fn->leaf[k], fn->leaf[k]->node->type);
	}
	for (int i = 0; i < b->nouter; i++)
		c->step[c->nstep++] = input(c->h, fresh(c, "step"), type_scalar(U64));
	if (step)
		c->step[c->nstep++] = step;
}

static Body *
body_find(const Inline *w, const Body *like)
{
	for (int64_t i = 0; i < w->nbody; i++) {
		Body *b = w->body[i];
		if (b->fn == like->fn && b->by_step == like->by_step && b->nouter == like->nouter
			&& !strcmp(b->path, like->path))
			return b;
	}
	return NULL;
}

/* the body of a scan; fixed: its streams are final */
static Body *
body_of(Ctx *out, const ScanSpec *s, const char *name, const Site *at)
{
	Arena *a = out->w->a;
	bool random = !s->fixed && has_random(s->body);
	Body like = {.fn = s->body, .path = random ? arena_fmt(a, "%s%s%s/", out->path, at->prefix, name) : "",
		.by_step = random && s->by_step, .nouter = random ? out->nstep : 0}, *b = body_find(out->w, &like);
	Ctx c = {.w = out->w, .taken = map_new(a), .lifted = map_new(a), .path = like.path};
	Node **map = NEW(a, MAX(s->body->nnode, 1), Node *);

	if (b)
		return b;
	b = memcpy(NEW(a, 1, Body), &like, sizeof like);
	c.of = b;
	c.h = b->g = graph_like(a, s->body);
	c.h->folding = false;
	take_names(&c, s->body);
	body_inputs(&c, s, b, map);
	expand(&c, s->body, map, &(Site){.prefix = ""});
	ports_through(c.h, &c.h->out, &s->body->out, map);
	PUSH(a, out->w->body, out->w->nbody, out->w->cap, b);
	return b;
}

static Node *
scan_node(Ctx *c, const Node *n, Node **map, const Site *at)
{
	ScanSpec s = scan_spec(n);
	const Body *b = body_of(c, &s, call_name(n), at);
	int extra = (int)b->nlifted + b->nouter + b->by_step, k = 0, front = s.ncarry + s.nxs;
	Node **given = operands(c, n, map, 0), **in = NEW(c->h->arena, MAX(n->nin + extra, 1), Node *);
	Attr *attrs = memcpy(NEW(c->h->arena, op_nattr(n->op), Attr), n->attr, (size_t)op_nattr(n->op) * sizeof *attrs);
	Type steps = {.dt = U64, .rank = 1, .dim = {s.length}};

	for (; k < front; k++)
		in[k] = given[k];
	if (b->by_step)
		in[k++] = Iota(c->h, steps, 0);
	for (int i = front; i < n->nin; i++)
		in[k++] = given[i];
	for (int i = 0; i < b->nouter; i++)
		in[k++] = c->step[i];
	for (int64_t i = 0; i < b->nlifted; i++)
		in[k++] = constant_in(c, b->lifted[i]);
	scan_set(c->h, n->op, attrs, b->g, s.nxs + b->by_step);
	return put_copy(c, n, in, k, attrs, at);
}

/* ---- graphs ---- */

static void
expand(Ctx *c, const Graph *g, Node **map, const Site *at)
{
	bool *live = graph_live(c->w->a, g);
	Node ***results = NEW(c->w->a, MAX(g->nnode, 1), Node **);
	int64_t *first = NEW(c->w->a, MAX(g->nnode, 1), int64_t);

	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		if (!live[i] || map[i])
			continue;
		first[i] = c->h->nnode;
		if (is_call(n)) {
			results[i] = call_results(c, n, map, at);
			map[i] = node_nres(n) == 1 ? named_result(c, results[i][0], n, first[i], at) : results[i][0];
		} else if (n->op->kind == ITEM && results[n->in[0]->id])
			map[i] = named_result(c, results[n->in[0]->id][attr(n, 0)->i], n, first[n->in[0]->id], at);
		else
			map[i] = node_function(n) ? scan_node(c, n, map, at) : plain_node(c, n, map, at);
	}
}

Graph *
inlined(Arena *a, const Graph *g)
{
	Inline w = {.a = a};
	Ctx c = {.w = &w, .taken = map_new(a), .path = ""};
	Node **map = NEW(a, MAX(g->nnode, 1), Node *);

	/* first: the other walks go through each call */
	if (size_of(g, map_new(a)) > MAX(g->nnode, MAXNODES))
		fail(EXIT_UNSUPPORTED, (Loc){.file = g->file}, "calls that expand to more than %d nodes", MAXNODES);
	if (!has_work(g, false))
		return (Graph *)g;
	c.h = graph_like(a, g);
	c.h->folding = false;
	take_names(&c, g);
	for (int64_t i = 0; i < g->nleaf; i++)
		map[g->leaf[i]->node->id] = node_leaf(c.h, g->leaf[i], g->leaf[i]->node->type);
	expand(&c, g, map, &(Site){.prefix = ""});
	graph_interface(c.h, g, map);
	c.h->folding = true;
	return c.h;
}
