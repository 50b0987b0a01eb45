/* verify: the contract of every graph, checked after every pass in linear time.
 *
 * Ids are positions, operands stand before their users, types are what shape
 * inference says, names are unique, and the interface points into the graph.
 * What is found broken is a fault of the pass, not of the input: bug(). */
#include "ir.h"

#include <string.h>

typedef struct Verify {
	const Graph *g;
	const char *pass;
	Arena *a;                  /* scratch */
	Map *names;
	Map *functions;            /* by pointer: checked */
} Verify;

static void verify_graph(const Graph *g, const char *pass, Map *functions);

_Noreturn PRINTF(3, 4) static void
broken(const Verify *v, const Node *n, const char *fmt, ...)
{
	Buf b = {.arena = v->a};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	bug_context(v->pass, n->name ? n->name : n->from);
	bug("%%%d (%s): %s", n->id, n->op ? n->op->name : "no op", buf_str(&b));
}

static bool
within(const Verify *v, const Node *n)
{
	return n && n->g == v->g && n->id >= 0 && n->id < v->g->nnode && v->g->node[n->id] == n;
}

static void
name_once(Verify *v, const Node *n, const char *name)
{
	if (map_get(v->names, name))
		broken(v, n, "the name '%s' is taken", name);
	map_set(v->names, name, v);
}

static void
check_operands(const Verify *v, const Node *n)
{
	if (!n->leaf && (n->nin < n->op->min_in || (n->op->max_in >= 0 && n->nin > n->op->max_in)))
		broken(v, n, "%d operands", n->nin);
	for (int k = 0; k < n->nin; k++) {
		if (!within(v, n->in[k]))
			broken(v, n, "operand %d is of another graph", k);
		if (n->in[k]->id >= n->id)
			broken(v, n, "operand %d, %%%d, does not stand before it", k, n->in[k]->id);
		if (node_nres(n->in[k]) > 1 && n->op->kind != ITEM)
			broken(v, n, "operand %d has several results and needs an item", k);
	}
}

static void
check_type(const Verify *v, const Node *n, const Type *t)
{
	if (t->dt >= NDTYPE || t->rank < 0 || t->rank > MAXRANK)
		broken(v, n, "it has no type");
	for (int i = 0; i < t->rank; i++)
		if (t->dim[i].k < 0 || (v->g->nsym < MAXSYM && t->dim[i].sym >> 4 * v->g->nsym))
			broken(v, n, "dimension %d is malformed", i);
}

/* the type again, from operands and attributes */
static void
check_inferred(const Verify *v, const Node *n)
{
	Node again = *n;

	again.type.dt = NDTYPE;
	again.res = NULL;
	again.nres = 0;
	bug_context(v->pass, n->name ? n->name : n->from);
	n->op->shape(&again);
	if (!type_eq(&again.type, &n->type))
		broken(v, n, "its type is %s, inferred %s", tt(n), tt(&again));
	if (node_nres(&again) != node_nres(n))
		broken(v, n, "it has %d results, inferred %d", node_nres(n), node_nres(&again));
	for (int r = 0; r < node_nres(n) && node_nres(n) > 1; r++)
		if (!n->res || !type_eq(&again.res[r], &n->res[r]))
			broken(v, n, "the type of result %d is not what is inferred", r);
}

static void
check_leaf(const Verify *v, const Node *n)
{
	if (!n->leaf || n->leaf->node != n)
		broken(v, n, "its leaf is of another node");
}

static void
check_constant(const Verify *v, const Node *n)
{
	Dim count = type_count(&n->type);

	if (!n->blob || count.sym || n->blob->nbytes != count.k * dtype_size(n->type.dt))
		broken(v, n, "the data do not fit the type %s", tt(n));
}

static void
check_function(Verify *v, const Graph *fn)
{
	if (map_get_bytes(v->functions, &fn, sizeof fn))
		return;
	map_set_bytes(v->functions, &fn, sizeof fn, v);
	for (int64_t i = 0; i < fn->nleaf; i++)
		if (fn->leaf[i]->role != INPUT)
			broken(v, fn->leaf[i]->node, "function '%s' has a leaf that is no input", fn->name);
	if (!fn->out.n)
		bug("function '%s' has no outputs", fn->name);
	verify_graph(fn, v->pass, v->functions);
}

static void
check_node(Verify *v, const Node *n)
{
	if (!n->op)
		broken(v, n, "there is no op");
	check_operands(v, n);
	check_type(v, n, &n->type);
	if (n->op->kind == LEAF)
		check_leaf(v, n);
	else if (n->op->id == OP_constant)
		check_constant(v, n);
	else
		check_inferred(v, n);
	if (node_function(n))
		check_function(v, node_function(n));
	if (n->leaf || n->name)
		name_once(v, n, n->leaf ? n->leaf->name : n->name);
}

/* ---- the interface ---- */

static void
check_ports(const Verify *v, const Ports *ps, const char *what)
{
	Map *seen = map_new(v->a);

	for (int64_t i = 0; i < ps->n; i++) {
		const Port *p = &ps->p[i];
		if (!within(v, p->v))
			bug("%s '%s' is not in the graph", what, p->name);
		if (map_get(seen, p->name))
			broken(v, p->v, "two %ss are named '%s'", what, p->name);
		map_set(seen, p->name, v->a);
	}
}

static void
check_updates(const Verify *v)
{
	for (int64_t i = 0; i < v->g->update.n; i++) {
		const Port *p = &v->g->update.p[i];
		const Leaf *l = leaf_find(v->g, p->name);
		if (!l || (l->role != PARAM && l->role != BUFFER))
			broken(v, p->v, "'%s', which it updates, is no buffer or param", p->name);
		if (!type_eq(&l->node->type, &p->v->type))
			broken(v, p->v, "it updates '%s', which is %s, with %s", p->name, tt(l->node), tt(p->v));
	}
}

static void
check_derivatives(const Verify *v)
{
	const Graph *g = v->g;

	for (int64_t i = 0; i < g->wrt.n; i++)
		if (!dtype_float(g->wrt.p[i].v->type.dt))
			broken(v, g->wrt.p[i].v, "a derivative with respect to %s", tt(g->wrt.p[i].v));
	for (int64_t i = 0; i < g->ct.n; i++) {
		const Node *of = port_find(&g->out, g->ct.p[i].name), *ct = g->ct.p[i].v;
		if (of && !type_eq(&of->type, &ct->type))
			broken(v, ct, "the cotangent of '%s', which is %s, is %s", g->ct.p[i].name, tt(of), tt(ct));
	}
	if (g->loss >= g->out.n)
		bug("the loss is output %d of %lld", g->loss, (long long)g->out.n);
}

static void
check_interface(const Verify *v)
{
	const Graph *g = v->g;

	check_ports(v, &g->out, "output");
	check_ports(v, &g->update, "update");
	check_ports(v, &g->wrt, "wrt");
	check_ports(v, &g->ct, "cotangent");
	check_ports(v, &g->grad, "gradient");
	check_ports(v, &g->saved, "saved value");
	check_updates(v);
	check_derivatives(v);
	for (int64_t i = 0; i < g->nleaf; i++)
		if (!within(v, g->leaf[i]->node))
			bug("leaf '%s' is not in the graph", g->leaf[i]->name);
}

static void
verify_graph(const Graph *g, const char *pass, Map *functions)
{
	Verify v = {.g = g, .pass = pass, .a = arena_new(), .functions = functions};

	v.names = map_new(v.a);
	bug_context(pass, NULL);
	for (int64_t i = 0; i < g->nnode; i++) {
		if (!within(&v, g->node[i]) || g->node[i]->id != i)
			bug("node %lld is not at its place", (long long)i);
		check_node(&v, g->node[i]);
	}
	bug_context(pass, NULL);
	check_interface(&v);
	bug_context(NULL, NULL);
	arena_free(v.a);
}

void
graph_verify(const Graph *g, const char *pass)
{
	Arena *a = arena_new();

	verify_graph(g, pass, map_new(a));
	arena_free(a);
}
