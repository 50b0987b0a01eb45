/* graph: nodes and their only constructor.
 *
 * node() infers the type, simplifies (fold.c) and shares: equal op, operands,
 * attributes and remat word give the same node, so dead code, folding and
 * common subexpressions need no pass of their own; rebuilding a graph does it. */
#include "ir.h"

#include <string.h>

Graph *
graph_new(Arena *a, const char *name)
{
	Graph *g = NEW(a, 1, Graph);

	g->arena = a;
	g->names = map_new(a);
	g->files = map_new(a);
	g->name = intern(g->names, name, (int64_t)strlen(name));
	g->loss = -1;
	g->shared = map_new(a);
	g->sharing = g->folding = true;
	g->path.arena = g->key.arena = a;
	return g;
}

Graph *
graph_like(Arena *a, const Graph *g)
{
	Graph *h = graph_new(a, g->name);

	h->names = g->names;
	h->files = g->files;
	h->name = g->name;
	h->doc = g->doc;
	h->file = g->file;
	h->nsym = g->nsym;
	memcpy(h->sym, g->sym, sizeof h->sym);
	return h;
}

const char *
graph_str(Graph *g, const char *s)
{
	return intern(g->names, s, (int64_t)strlen(s));
}

/* ---- sharing ---- */

static void
key_put(Buf *b, const void *p, size_t n)
{
	buf_put(b, p, (int64_t)n);
}

static void
key_attr(Buf *b, const Attr *a)
{
	key_put(b, &a->set, sizeof a->set);
	if (!a->set)
		return;
	key_put(b, &a->i, sizeof a->i);
	key_put(b, &a->f, sizeof a->f);
	key_put(b, &a->s, sizeof a->s);
	key_put(b, &a->fn, sizeof a->fn);
	key_put(b, &a->n, sizeof a->n);
	if (a->ints)
		key_put(b, a->ints, (size_t)a->n * sizeof *a->ints);
	for (int i = 0; a->dims && i < MAX(a->n, 1); i++) {
		key_put(b, &a->dims[i].k, sizeof a->dims[i].k);
		key_put(b, &a->dims[i].sym, sizeof a->dims[i].sym);
	}
}

/* everything that the value depends on, as bytes */
static void
key_of(Buf *b, const Node *n)
{
	int in[2] = {0, 0};
	int first = 0;

	key_put(b, &n->op->id, sizeof n->op->id);
	key_put(b, &n->remat, sizeof n->remat);
	if (n->op->flags & COMMUTATIVE) {
		in[0] = MIN(n->in[0]->id, n->in[1]->id);
		in[1] = MAX(n->in[0]->id, n->in[1]->id);
		key_put(b, in, sizeof in);
		first = 2;
	}
	for (int i = first; i < n->nin; i++)
		key_put(b, &n->in[i]->id, sizeof n->in[i]->id);
	for (int i = 0; i < op_nattr(n->op); i++)
		key_attr(b, &n->attr[i]);
	if (n->blob) {
		key_put(b, &n->type.dt, sizeof n->type.dt);
		key_put(b, n->type.dim, (size_t)n->type.rank * sizeof *n->type.dim);
		key_put(b, n->blob->data, (size_t)n->blob->nbytes);
	}
}

/* n itself, or the equal node that exists already */
static Node *
share(Graph *g, Node *n)
{
	Buf *key = &g->key;
	Node *old;

	key->n = 0;
	key_of(key, n);
	if ((old = map_get_bytes(g->shared, key->s, key->n)))
		return old;
	map_set_bytes(g->shared, key->s, key->n, n);
	return n;
}

static Node *
append(Graph *g, Node *n)
{
	n->id = (int)g->nnode;
	PUSH(g->arena, g->node, g->nnode, g->capnode, n);
	return n;
}

/* ---- construction ---- */

void
attrs_default(Graph *g, const Op *op, Attr *out)
{
	for (int i = 0; i < op_nattr(op); i++)
		out[i] = attr_default(g, &op->attr[i]);
}

static Node *
node_blank(Graph *g, const Op *op, Node *const *in, int nin)
{
	Node *n = NEW(g->arena, 1, Node);

	n->g = g;
	n->op = op;
	n->nin = nin;
	n->in = NEW(g->arena, MAX(nin, 1), Node *);
	for (int i = 0; i < nin; i++) {
		if (in[i]->g != g)
			bug("%s: operand %d belongs to another graph", op->name, i);
		n->in[i] = in[i];
	}
	n->name = g->cur_name;
	n->in_at = g->cur_in_at;
	n->from = g->cur_from;
	n->scope = g->cur_scope;
	n->at = g->cur_at;
	n->side = g->cur_side;
	n->remat = g->cur_remat;
	return n;
}

static bool
poisoned(const Node *n)
{
	for (int i = 0; i < n->nin; i++)
		if (n->in[i]->type.dt == NDTYPE)
			return true;
	return false;
}

/* type, fold, share, append */
static Node *
finish(Graph *g, Node *n)
{
	Node *m;

	n->type.dt = NDTYPE;
	if (!poisoned(n))
		n->op->shape(n);
	if (n->type.dt == NDTYPE || n->pinned)
		return append(g, n);
	if (g->folding && (m = fold(n)))
		return m;
	if (g->sharing && (m = share(g, n)) != n)
		return m;
	return append(g, n);
}

static Node *
make(Graph *g, const Op *op, Node *const *in, int nin, const Attr *attrs, bool pinned)
{
	Node *n = node_blank(g, op, in, nin);
	int na = op_nattr(op);
	Attr *copy = NEW(g->arena, MAX(na, 1), Attr);

	if (attrs)
		memcpy(copy, attrs, (size_t)na * sizeof *copy);
	else
		attrs_default(g, op, copy);
	n->attr = copy;
	n->pinned = pinned;
	return finish(g, n);
}

Node *
node(Graph *g, const Op *op, Node *const *in, int nin, const Attr *attrs)
{
	return make(g, op, in, nin, attrs, false);
}

Node *
node_pinned(Graph *g, const Op *op, Node *const *in, int nin, const Attr *attrs)
{
	return make(g, op, in, nin, attrs, true);
}

Node *
node_leaf(Graph *g, const Leaf *l, Type t)
{
	Node *n = node_blank(g, op_get(OP_input), NULL, 0);
	Leaf *leaf = NEW(g->arena, 1, Leaf);

	*leaf = *l;
	leaf->node = n;
	n->leaf = leaf;
	n->name = leaf->name;
	n->type = t;
	n->at = leaf->at;
	n->side = SIDE_NONE;
	n->remat = REMAT_AUTO;
	PUSH(g->arena, g->leaf, g->nleaf, g->capleaf, leaf);
	return append(g, n);
}

Node *
node_constant(Graph *g, Type t, const Blob *b)
{
	Node *n = node_blank(g, op_get(OP_constant), NULL, 0), *m;

	n->attr = NEW(g->arena, 1, Attr);
	n->blob = b;
	n->type = t;
	if (g->sharing && (m = share(g, n)) != n)
		return m;
	return append(g, n);
}

Node *
node_copy(Graph *g, const Node *n, Node *const *in)
{
	Node *m, *made;

	if (n->leaf)
		return node_leaf(g, n->leaf, n->type);
	m = node_blank(g, n->op, in, n->nin);
	m->attr = n->attr;
	m->blob = n->blob;
	m->name = n->name;
	m->from = n->from;
	m->scope = n->scope;
	m->at = n->at;
	m->side = n->side;
	m->remat = n->remat;
	m->typed = n->typed;
	m->pinned = n->pinned;
	if (n->blob) {
		m->type = n->type;
		return g->sharing && (made = share(g, m)) != m ? made : append(g, m);
	}
	made = finish(g, m);
	/* folded into a nameless node that was made for this one: the name goes along */
	if (made != m && !made->name && n->name && !made->leaf && made->id == (int)g->nnode - 1) {
		made->name = n->name;
		made->from = n->from;
	}
	return made;
}

Node *
node_onto(Graph *h, const Node *n, Node *const *map)
{
	Node *few[16], **in = n->nin <= LEN(few) ? few : NEW(h->arena, n->nin, Node *);

	for (int k = 0; k < n->nin; k++)
		in[k] = map[n->in[k]->id];
	return node_copy(h, n, in);
}

/* ---- interface ---- */

void
port_add(Graph *g, Ports *ps, const char *name, Node *v, Loc at)
{
	PUSH(g->arena, ps->p, ps->n, ps->cap, ((Port){graph_str(g, name), v, at}));
}

Node *
port_find(const Ports *ps, const char *name)
{
	for (int64_t i = 0; i < ps->n; i++)
		if (!strcmp(ps->p[i].name, name))
			return ps->p[i].v;
	return NULL;
}

Leaf *
leaf_find(const Graph *g, const char *name)
{
	for (int64_t i = 0; i < g->nleaf; i++)
		if (!strcmp(g->leaf[i]->name, name))
			return g->leaf[i];
	return NULL;
}

static void
mark_ports(bool *live, const Ports *ps)
{
	for (int64_t i = 0; i < ps->n; i++)
		live[ps->p[i].v->id] = true;
}

bool *
graph_live(Arena *a, const Graph *g)
{
	bool *live = NEW(a, MAX(g->nnode, 1), bool);

	mark_ports(live, &g->out);
	mark_ports(live, &g->update);
	mark_ports(live, &g->grad);
	mark_ports(live, &g->saved);
	mark_ports(live, &g->wrt);
	for (int64_t i = g->nnode - 1; i >= 0; i--)
		for (int k = 0; live[i] && k < g->node[i]->nin; k++)
			live[g->node[i]->in[k]->id] = true;
	return live;
}

bool *
graph_left(Arena *a, const Graph *g)
{
	bool *left = NEW(a, MAX(g->nnode, 1), bool);

	mark_ports(left, &g->out);
	mark_ports(left, &g->update);
	mark_ports(left, &g->grad);
	mark_ports(left, &g->saved);
	return left;
}

bool *
graph_named(Arena *a, const Graph *g)
{
	bool *named = graph_left(a, g), *live = graph_live(a, g);

	for (int64_t i = 0; i < g->nnode; i++)
		for (int k = 0; live[i] && node_function(g->node[i]) && k < g->node[i]->nin; k++)
			named[g->node[i]->in[k]->id] = true;
	return named;
}

void
ports_through(Graph *h, Ports *to, const Ports *from, Node *const *map)
{
	for (int64_t i = 0; i < from->n; i++)
		if (map[from->p[i].v->id])
			port_add(h, to, from->p[i].name, map[from->p[i].v->id], from->p[i].at);
}

void
graph_interface(Graph *h, const Graph *g, Node *const *map)
{
	h->loss = g->loss;
	h->wrt_given = g->wrt_given;
	h->joint = g->joint;
	ports_through(h, &h->out, &g->out, map);
	ports_through(h, &h->update, &g->update, map);
	ports_through(h, &h->wrt, &g->wrt, map);
	ports_through(h, &h->ct, &g->ct, map);
	ports_through(h, &h->grad, &g->grad, map);
	ports_through(h, &h->saved, &g->saved, map);
}

/* live nodes of g, and its interface, onto h; map holds what stands for the leaves */
Graph *
graph_copy_onto(Graph *h, const Graph *g, Node **map)
{
	Arena *a = h->arena;
	bool *live = graph_live(a, g);

	for (int64_t i = 0; i < g->nnode; i++)
		if (live[i] && !map[i])
			map[i] = node_onto(h, g->node[i], map);
	graph_interface(h, g, map);
	return h;
}

Graph *
graph_rebuild(Arena *a, const Graph *g, bool folding)
{
	Graph *h = graph_like(a, g);
	Node **map = NEW(a, MAX(g->nnode, 1), Node *);

	h->folding = folding;
	for (int64_t i = 0; i < g->nleaf; i++)
		map[g->leaf[i]->node->id] = node_leaf(h, g->leaf[i], g->leaf[i]->node->type);
	return graph_copy_onto(h, g, map);
}

Users
graph_users(Arena *a, const Graph *g)
{
	Users u = {NEW(a, g->nnode + 1, int), NULL};
	int *fill = NEW(a, g->nnode + 1, int);

	for (int64_t i = 0; i < g->nnode; i++)
		for (int k = 0; k < g->node[i]->nin; k++)
			u.start[g->node[i]->in[k]->id + 1]++;
	for (int64_t i = 0; i < g->nnode; i++)
		fill[i + 1] = u.start[i + 1] += u.start[i];
	u.user = NEW(a, MAX(u.start[g->nnode], 1), Node *);
	fill[0] = 0;
	for (int64_t i = 0; i < g->nnode; i++)
		for (int k = 0; k < g->node[i]->nin; k++)
			u.user[fill[g->node[i]->in[k]->id]++] = g->node[i];
	return u;
}

/* ---- messages and helpers of shape functions ---- */

const char *
tt(const Node *n)
{
	return type_text(n->g->arena, n->g, &n->type);
}

const char *
nn(const Node *n)
{
	if (n->name)
		return arena_fmt(n->g->arena, "'%s'", n->name);
	if (n->from)
		return arena_fmt(n->g->arena, "a value of '%s'", n->from);
	return n->op->kind == SOURCE ? "the literal" : arena_fmt(n->g->arena, "the %s", n->op->name);
}

static void
vdiag(Graph *g, Severity s, Loc at, const char *fmt, va_list ap)
{
	Buf b = {.arena = g->arena};

	buf_vprintf(&b, fmt, ap);
	if (g->path.n)
		buf_printf(&b, "\nin: %s", g->path.s);
	diag(s, at, "%s", buf_str(&b));
}

void
graph_diag(Graph *g, Severity s, Loc at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdiag(g, s, at, fmt, ap);
	va_end(ap);
}

/* "params.w", or "params[\"fc1.weight\"]" where dots would mislead */
int64_t
path_key(Graph *g, const char *key)
{
	static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
	int64_t mark = g->path.n;

	if (*key && !key[strspn(key, word)]) {
		buf_puts(&g->path, mark ? "." : "");
		buf_puts(&g->path, key);
	} else {
		buf_putc(&g->path, '[');
		json_quote(&g->path, key);
		buf_putc(&g->path, ']');
	}
	return mark;
}

int64_t
path_index(Graph *g, int64_t i)
{
	int64_t mark = g->path.n;

	buf_printf(&g->path, "[%lld]", (long long)i);
	return mark;
}

void
path_back(Graph *g, int64_t mark)
{
	g->path.n = mark;
	if (g->path.s)
		g->path.s[mark] = 0;
}

static void
vtype_error(Node *n, Loc at, const char *fmt, va_list ap)
{
	Buf b = {.arena = n->g->arena};

	buf_vprintf(&b, fmt, ap);
	n->type.dt = NDTYPE;
	if (!n->g->reading)
		bug("%s: %s", n->op->name, buf_str(&b));
	if (n->name)
		graph_diag(n->g, DIAG_ERROR, at, "node '%s' (%s): %s", n->name, n->op->name, buf_str(&b));
	else
		graph_diag(n->g, DIAG_ERROR, at, "%s: %s", n->op->name, buf_str(&b));
}

void
type_error(Node *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vtype_error(n, n->at, fmt, ap);
	va_end(ap);
}

void
type_error_in(Node *n, int operand, const char *fmt, ...)
{
	va_list ap;
	int64_t mark = n->g->path.n;

	if (mark) {
		path_key(n->g, "in");
		path_index(n->g, operand);
	}
	va_start(ap, fmt);
	vtype_error(n, n->in_at ? n->in_at[operand] : n->at, fmt, ap);
	va_end(ap);
	path_back(n->g, mark);
}

bool
broadcast(Node *n, const Node *const *in, int nin, Type *out)
{
	const Node *who[MAXRANK] = {0};

	out->rank = 0;
	for (int i = 0; i < nin; i++)
		out->rank = MAX(out->rank, in[i]->type.rank);
	for (int d = 0; d < out->rank; d++)
		out->dim[d] = DIM(1);
	for (int i = 0; i < nin; i++)
		for (int k = 0; k < in[i]->type.rank; k++) {
			int d = out->rank - in[i]->type.rank + k;
			Dim x = in[i]->type.dim[k];
			if (dim_one(x) || dim_eq(x, out->dim[d]))
				continue;
			if (!dim_one(out->dim[d])) {
				type_error(n, "shapes do not broadcast: %s is %s, %s is %s", nn(who[d]), tt(who[d]),
					nn(in[i]), tt(in[i]));
				return false;
			}
			out->dim[d] = x;
			who[d] = in[i];
		}
	return true;
}

bool
dtype_as(Node *n, int i, int like)
{
	const Node *x = n->in[i], *y = n->in[like];

	if (x->type.dt == y->type.dt)
		return true;
	type_error_in(n, i, "dtypes differ: %s is %s, %s is %s\n"
		"{\"op\": \"cast\", \"in\": [%s], \"attrs\": {\"type\": \"%s\"}} converts", nn(y), tt(y), nn(x), tt(x),
		x->name ? arena_fmt(n->g->arena, "\"%s\"", x->name) : "...", dtype_name(y->type.dt));
	return false;
}

bool
same_dtype(Node *n, int from)
{
	for (int i = from + 1; i < n->nin; i++)
		if (!dtype_as(n, i, from))
			return false;
	return true;
}

int
dim_index(int64_t d, int rank)
{
	return (int)(d < 0 ? d + MAX(rank, 1) : d);
}

int
attr_dim(const Node *n, int i, int rank)
{
	return dim_index(attr(n, i)->i, rank);
}

int
norm_dim(Node *n, int64_t d, int rank)
{
	int64_t r = MAX(rank, 1);      /* as PyTorch: a scalar has dimensions 0 and -1 */

	if (d < -r || d >= r) {
		type_error(n, "dimension %lld is out of range for rank %d", (long long)d, rank);
		return -1;
	}
	return dim_index(d, rank);
}

int
norm_dims(Node *n, int i, int rank, bool empty_all, int *out)
{
	const Attr *a = attr(n, i);
	bool seen[MAXRANK + 1] = {0};
	int count = 0;

	for (int k = 0; a->set && k < a->n; k++) {
		int d = norm_dim(n, a->ints[k], rank);
		if (d < 0)
			return -1;
		if (seen[d]) {
			type_error(n, "dimension %lld appears twice", (long long)a->ints[k]);
			return -1;
		}
		seen[d] = true;
	}
	for (int d = 0; d < rank; d++)
		if (seen[d] || ((!a->set || !a->n) && empty_all))
			out[count++] = d;
	return count;
}

bool
dims_listed(Node *n, int i, int rank, int *out)
{
	const Attr *a = attr(n, i);
	int ascending[MAXRANK + 1];

	if (norm_dims(n, i, rank, false, ascending) < 0)
		return false;
	for (int k = 0; k < a->n; k++)
		out[k] = dim_index(a->ints[k], rank);
	return true;
}

bool
float_operand(Node *n, int i)
{
	const Node *x = n->in[i];

	if (dtype_float(x->type.dt))
		return true;
	type_error_in(n, i, "not defined for %s: %s is %s\n"
		"{\"op\": \"cast\", \"in\": [...], \"attrs\": {\"type\": \"f32\"}} converts",
		x->type.dt == BOOL ? "bool" : "integers", nn(x), tt(x));
	return false;
}
