/* split: the joint graph as a forward and a backward graph, by a minimum cut.
 *
 * needs: a joint graph of core ops. gives: forward, which computes outputs,
 * updates and what it saves; backward, which computes gradients from leaves,
 * saved values and cotangents, and computes again what was not worth keeping.
 * Every op that is computed twice is the same op on the same operands: which
 * cut is taken changes no bit of a result.
 *
 * A value v that backward can use is two vertices. v_in on the sink side:
 * backward computes v; v_out on the sink side: backward has v. So the arc
 *   source -> v_in   costs computing it again,
 *   v_in   -> v_out  costs saving it (not computed, yet there),
 *   u_out  -> v_in   is infinite: what v is computed from must be there,
 *   v_out  -> sink   is infinite where a cotangent's formula reads v,
 *   v_in   -> z      costs a kernel's reading of saved v, where z is the sink
 *                    or stands for the kernel: z -> w_in is infinite for each
 *                    w that the kernel would compute from v.
 * A capacity is the price in price.c's first rank, or infinite with a
 * reason. Of several least cuts the further ranks choose, then the one nearest
 * the sink, so the plan does not depend on the order of nodes.
 * (Jain et al., Checkmate, 2020, and PyTorch's partitioner cut vertices of
 * infinite or no recomputation cost; finite costs and reads are the difference.) */
#include "ir.h"

#include <string.h>

enum { SOURCE_VERTEX, SINK_VERTEX };
enum { MAXROUND = 3 };

/* what an arc says, for messages: about node `who`, and `by` where there is one */
typedef enum ArcKind { ARC_AGAIN, ARC_SAVE, ARC_OPERAND, ARC_NEEDED, ARC_READ, ARC_KERNEL } ArcKind;
typedef struct ArcNote { ArcKind kind; int who, by; } ArcNote;

typedef struct Net {
	Arena *a;
	const Graph *g;
	const Prices *p;
	int *in, *out;                 /* vertex by node id, -1: none */
	int nvertex;
	FlowArc *arc;
	ArcNote *note;
	int64_t *rank[NRANK - 1];
	int narc, maxarc;
	int *seen, *seen_at;           /* by kernel: the value whose reads were listed last, and index of that read */
} Net;

static bool
is_value(const Prices *p, const Node *n)
{
	return p->claim[n->id] == V_FORWARD || p->claim[n->id] == V_UNCLAIMED;
}

/* ---- network ---- */

static const int64_t infinite[NRANK] = {FLOW_INF};

static void
add_arc(Net *t, int from, int to, const int64_t *price, ArcNote note)
{
	if (t->narc == t->maxarc)
		bug("split: more than %d arcs", t->maxarc);
	t->arc[t->narc] = (FlowArc){from, to, price[0]};
	t->note[t->narc] = note;
	for (int r = 1; r < NRANK; r++)
		t->rank[r - 1][t->narc] = price[r];
	t->narc++;
}

/* Room for all arcs at once: a network that grows would leave its smaller copies behind. Beside its own four, a
 * value has an arc for each operand, each kernel, and each user in a kernel. */
static void
reserve_arcs(Net *t)
{
	int64_t n = 0;

	for (int64_t i = 0; i < t->g->nnode; i++) {
		const Node *v = t->g->node[i];
		if (t->in[i] < 0)
			continue;
		n += 4 + v->nin + t->p->nread[i];
		for (int u = t->p->users.start[i]; u < t->p->users.start[i + 1]; u++)
			n += t->p->nplace[t->p->users.user[u]->id];
	}
	if (n > INT32_MAX / 2)
		bug("split: %lld arcs", (long long)n);
	t->maxarc = (int)n;
	t->arc = NEW(t->a, n, FlowArc);
	t->note = NEW(t->a, n, ArcNote);
	for (int r = 1; r < NRANK; r++)
		t->rank[r - 1] = NEW(t->a, n, int64_t);
}

static void
number_vertices(Net *t)
{
	t->nvertex = 2;
	for (int64_t i = 0; i < t->g->nnode; i++) {
		bool value = is_value(t->p, t->g->node[i]);
		t->in[i] = value ? t->nvertex++ : -1;
		t->out[i] = value ? t->nvertex++ : -1;
	}
}

/* a reader of v in backward: computed there in any case, or if the cut says so */
static bool
reads_always(const Net *t, const Node *w)
{
	return t->p->live[w->id] && t->p->claim[w->id] == V_BACKWARD;
}

static bool
reads_perhaps(const Net *t, const Node *w)
{
	return t->p->live[w->id] && is_value(t->p, w) && !t->p->price[w->id].no_again;
}

static void
own_arcs(Net *t, const Node *v, bool gradient)
{
	const Price *p = &t->p->price[v->id];
	int in = t->in[v->id], out = t->out[v->id];
	bool needed = gradient;
	int by = -1;

	add_arc(t, SOURCE_VERTEX, in, p->no_again ? infinite : p->again, (ArcNote){ARC_AGAIN, v->id, -1});
	add_arc(t, in, out, p->no_save ? infinite : p->save, (ArcNote){ARC_SAVE, v->id, -1});
	for (int k = 0; k < v->nin && !p->no_again; k++)
		if (t->in[v->in[k]->id] >= 0)
			add_arc(t, t->out[v->in[k]->id], in, infinite, (ArcNote){ARC_OPERAND, v->in[k]->id, v->id});
	for (int u = t->p->users.start[v->id]; u < t->p->users.start[v->id + 1] && !needed; u++)
		if (reads_always(t, t->p->users.user[u])) {
			needed = true;
			by = t->p->users.user[u]->id;
		}
	if (needed || p->must)
		add_arc(t, out, SINK_VERTEX, infinite, (ArcNote){ARC_NEEDED, v->id, by});
}

/* one kernel's readers of a value */
typedef struct Readers {
	bool always;
	int n, only;                   /* computed if the cut says so: how many, one of them */
	int z;                         /* vertex of several */
} Readers;

static Readers *
find_readers(Net *t, const Node *v, bool gradient)
{
	Readers *r = NEW(t->a, MAX(t->p->nread[v->id], 1), Readers);

	for (int i = 0; i < t->p->nread[v->id]; i++) {
		int kernel = t->p->read[v->id][i].kernel;
		t->seen[kernel] = v->id;
		t->seen_at[kernel] = i;
		r[i].always = kernel == COPY_KERNEL && gradient;
	}
	for (int u = t->p->users.start[v->id]; u < t->p->users.start[v->id + 1]; u++) {
		const Node *w = t->p->users.user[u];
		for (int k = 0; k < t->p->nplace[w->id]; k++) {
			Readers *at = &r[t->seen_at[t->p->place[w->id][k]]];
			if (reads_always(t, w))
				at->always = true;
			else if (reads_perhaps(t, w) && (!at->n || at->only != w->id)) {
				at->only = w->id;
				at->n++;
			}
		}
	}
	return r;
}

/* Only kernels with several readers that may or may not be there need a vertex. */
static void
kernel_arcs(Net *t, const Node *v, Readers *r)
{
	bool any = false;

	for (int i = 0; i < t->p->nread[v->id]; i++) {
		const Read *read = &t->p->read[v->id][i];
		if (r[i].always || !r[i].n)
			continue;
		r[i].z = r[i].n > 1 ? t->nvertex++ : t->in[r[i].only];
		any |= r[i].n > 1;
		add_arc(t, t->in[v->id], r[i].z, read->price, (ArcNote){ARC_READ, v->id, -1});
	}
	for (int u = t->p->users.start[v->id]; u < t->p->users.start[v->id + 1] && any; u++) {
		const Node *w = t->p->users.user[u];
		for (int k = 0; reads_perhaps(t, w) && k < t->p->nplace[w->id]; k++) {
			const Readers *at = &r[t->seen_at[t->p->place[w->id][k]]];
			if (!at->always && at->n > 1)
				add_arc(t, at->z, t->in[w->id], infinite, (ArcNote){ARC_KERNEL, v->id, w->id});
		}
	}
}

static void
read_arcs(Net *t, const Node *v, bool gradient)
{
	Readers *r;
	int64_t sum[NRANK] = {0};

	if (t->p->price[v->id].no_save || !t->p->nread[v->id])
		return;
	r = find_readers(t, v, gradient);
	for (int i = 0; i < t->p->nread[v->id]; i++)
		for (int k = 0; k < NRANK && r[i].always; k++)
			sum[k] += t->p->read[v->id][i].price[k];
	add_arc(t, t->in[v->id], SINK_VERTEX, sum, (ArcNote){ARC_READ, v->id, -1});
	kernel_arcs(t, v, r);
}

static Net
build_network(Arena *a, const Graph *g, const Prices *p)
{
	int64_t n = MAX(g->nnode, 1);
	Net t = {.a = a, .g = g, .p = p, .in = NEW(a, n, int),
		.out = NEW(a, n, int), .seen = NEW(a, MAX(p->nkernel, 1), int), .seen_at = NEW(a, MAX(p->nkernel, 1), int)};
	bool *gradient = NEW(a, n, bool);

	for (int64_t i = 0; i < g->grad.n; i++)
		gradient[g->grad.p[i].v->id] = true;
	number_vertices(&t);
	reserve_arcs(&t);
	for (int64_t i = 0; i < g->nnode; i++)
		if (t.in[i] >= 0) {
			own_arcs(&t, g->node[i], gradient[i]);
			read_arcs(&t, g->node[i], gradient[i]);
		}
	return t;
}

/* ---- complaints ---- */

static const char *
value_text(const Node *n)
{
	return n->name ? arena_fmt(n->g->arena, "'%s' (%s)", n->name, n->op->name) : nn(n);
}

static void
explain_arc(Buf *b, const Net *t, const ArcNote *note)
{
	const Node *v = t->g->node[note->who];
	const Price *p = &t->p->price[note->who];

	switch (note->kind) {
	case ARC_AGAIN:
		buf_printf(b, "\n%s is not recomputed: %s", value_text(v), p->no_again);
		break;
	case ARC_SAVE:
		buf_printf(b, "\n%s is not saved: %s", value_text(v), p->no_save);
		break;
	case ARC_OPERAND:
		buf_printf(b, "\n%s is computed from %s", value_text(t->g->node[note->by]), value_text(v));
		break;
	default:
		buf_printf(b, "\nbackward needs %s", value_text(v));
	}
}

/* the path of infinite arcs is the proof that no partition obeys all that was asked for */
static void
complain(const Net *t, const FlowCut *cut)
{
	Buf b = {.arena = t->a};
	const Node *at = NULL;

	for (int i = 0; i < cut->npath; i++) {
		const ArcNote *note = &t->note[cut->path[i]];
		const Node *v = t->g->node[note->who];
		explain_arc(&b, t, note);
		if (v->remat != REMAT_AUTO && !at)
			at = v;
	}
	if (!at)
		bug("no partition exists:%s", buf_str(&b));
	diag(DIAG_ERROR, at->at, "no partition can obey the \"remat\" of %s%s", nn(at), buf_str(&b));
}

/* options and graphs that were read, not made, can be wrong; false: there was an error */
static bool
check_options(Graph *g, const Options *o)
{
	const char *names[NOP];
	bool ok = true;

	for (int i = 0; i < NOP; i++)
		names[i] = op_get(i)->name;
	for (const char *s = o ? o->recomputable : NULL; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
		const char *name = arena_copy(g->arena, s, (int64_t)strcspn(s, ","));
		const Op *op = op_find(name);
		if (op && op->kind != COMPOSITE)
			continue;
		if (op)
			diag(DIAG_ERROR, (Loc){0}, "--recomputable-ops=%s: it becomes other ops before it is "
				"partitioned; name those", name);
		else
			diag(DIAG_ERROR, (Loc){0}, "--recomputable-ops=%s: there is no op of that name%s", name,
				did_you_mean(g, name, names, NOP));
		ok = false;
	}
	return ok;
}

static bool
check_graph(const Graph *g, const Prices *p)
{
	const struct { const char *what; const Ports *p; } kind[] = {{"output", &g->out}, {"update", &g->update}};
	bool ok = true;

	for (int k = 0; k < LEN(kind); k++)
		for (int64_t i = 0; i < kind[k].p->n; i++)
			if (p->claim[kind[k].p->p[i].v->id] == V_BACKWARD) {
				diag(DIAG_ERROR, kind[k].p->p[i].at, "%s '%s' depends on a cotangent", kind[k].what,
					kind[k].p->p[i].name);
				ok = false;
			}
	return ok;
}

static void
warn_unused(const Graph *g, const Prices *p)
{
	for (int64_t i = 0; i < g->nnode; i++)
		if (p->claim[i] == V_UNUSED && p->price[i].must)
			diag(DIAG_WARNING, g->node[i]->at, "\"remat\": \"save\" of %s has no effect: backward cannot use it",
				nn(g->node[i]));
}

/* ---- graphs ---- */

typedef struct Rewrite {
	Arena *a;
	const Graph *g;
	const Prices *p;
	Split *s;
	const char **saved_name;       /* by node id */
	bool *need;                    /* by node id: it is in the backward graph */
} Rewrite;

/* base, or base.2, base.3, ... ; used: how many of that base there are, by base */
static const char *
fresh_name(Rewrite *w, Map *taken, Map *used, const char *base)
{
	int *n = map_get(used, base);
	const char *name;

	if (!n)
		map_set(used, base, n = NEW(w->a, 1, int));
	do
		name = ++*n == 1 ? base : arena_fmt(w->a, "%s.%d", base, *n);
	while (map_get(taken, name));
	return name;
}

static bool
is_packed(const Rewrite *w, int64_t id)
{
	return w->s->is_saved[id] && w->p->price[id].packed;
}

/* a value without a name is named after the user's node it was made for; what is packed has a name of its own */
static void
name_saved(Rewrite *w)
{
	Map *taken = map_new(w->a), *used = map_new(w->a);

	for (int64_t i = 0; i < w->g->nnode; i++)
		if (w->g->node[i]->name)
			map_set(taken, w->g->node[i]->name, w->s);
	for (int64_t i = 0; i < w->g->nnode; i++) {
		const Node *n = w->g->node[i];
		if (!w->s->is_saved[i])
			continue;
		w->saved_name[i] = n->name ? n->name : fresh_name(w, taken, used,
			n->from ? arena_fmt(w->a, "%s.%s", n->from, n->op->name) : n->op->name);
		if (is_packed(w, i))
			w->saved_name[i] = fresh_name(w, taken, used, arena_fmt(w->a, "%s.bits", w->saved_name[i]));
		map_set(taken, w->saved_name[i], w->s);
	}
}

static Type
kept_type(const Rewrite *w, const Node *n)
{
	Packing p;

	return is_packed(w, n->id) && packing_of(n->g, &n->type, &p) ? p.type : n->type;
}

/* what forward keeps of joint node n, where it is v */
static Node *
kept_form(const Rewrite *w, const Node *n, Node *v)
{
	Graph *h = v->g;

	if (!is_packed(w, n->id))
		return v;
	h->cur_from = n->name ? n->name : n->from;
	h->cur_scope = n->scope;
	h->cur_side = SIDE_F;
	v = Pack(v);
	h->cur_from = h->cur_scope = NULL;
	h->cur_side = SIDE_NONE;
	return v;
}

/* joint node n in backward, from what was kept */
static Node *
own_form(const Rewrite *w, const Node *n, Node *kept)
{
	Node *v;

	if (!is_packed(w, n->id))
		return kept;
	v = Unpack(kept, &n->type);
	v->name = n->name;
	v->from = n->from;
	v->scope = n->scope;
	v->side = SIDE_B;
	return v;
}

static Graph *
make_forward(Rewrite *w)
{
	const Graph *g = w->g;
	Graph *h;
	bool *need = NEW(w->a, MAX(g->nnode, 1), bool);
	Node **map = NEW(w->a, MAX(g->nnode, 1), Node *);

	for (int64_t i = 0; i < g->out.n; i++)
		need[g->out.p[i].v->id] = true;
	for (int64_t i = 0; i < g->update.n; i++)
		need[g->update.p[i].v->id] = true;
	for (int64_t i = g->nnode - 1; i >= 0; i--) {
		need[i] |= w->s->is_saved[i];
		for (int k = 0; need[i] && k < g->node[i]->nin; k++)
			need[g->node[i]->in[k]->id] = true;
	}
	h = forward_graph(w->a, g, need, map);
	for (int64_t i = 0; i < g->nnode; i++)
		if (w->s->is_saved[i])
			port_add(h, &h->saved, w->saved_name[i], kept_form(w, g->node[i], map[i]), g->node[i]->at);
	return h;
}

/* what backward computes or takes; is_recomputed is set to what it computes of forward's */
static void
find_backward(Rewrite *w)
{
	const Graph *g = w->g;
	bool *need = w->need;

	for (int64_t i = 0; i < g->grad.n; i++)
		need[g->grad.p[i].v->id] = true;
	for (int64_t i = g->nnode - 1; i >= 0; i--) {
		need[i] |= w->s->is_saved[i];
		if (!need[i] || w->s->is_saved[i])
			continue;
		if (is_value(w->p, g->node[i]) && !w->s->is_recomputed[i])
			bug("backward needs node %lld, which the cut does not give it", (long long)i);
		for (int k = 0; k < g->node[i]->nin; k++)
			need[g->node[i]->in[k]->id] = true;
	}
	for (int64_t i = 0; i < g->nnode; i++)
		w->s->is_recomputed[i] &= need[i];
}

static void
backward_leaves(Rewrite *w, Graph *h, Node **map)
{
	const Graph *g = w->g;

	for (int64_t i = 0; i < g->nleaf; i++) {
		const Node *n = g->leaf[i]->node;
		if (g->leaf[i]->role != COTANGENT && w->need[n->id] && !w->s->is_saved[n->id])
			map[n->id] = node_leaf(h, g->leaf[i], n->type);
	}
	for (int64_t i = 0; i < g->nnode; i++) {
		const char *name = w->saved_name[i];
		if (w->s->is_saved[i])
			map[i] = node_leaf(h, &(Leaf){.role = SAVED, .name = graph_str(h, name), .of = graph_str(h, name),
				.at = g->node[i]->at}, kept_type(w, g->node[i]));
	}
	for (int64_t i = 0; i < g->nleaf; i++)
		if (g->leaf[i]->role == COTANGENT)
			map[g->leaf[i]->node->id] = node_leaf(h, g->leaf[i], g->leaf[i]->node->type);
	for (int64_t i = 0; i < g->nnode; i++)
		if (w->s->is_saved[i])
			map[i] = own_form(w, g->node[i], map[i]);
}

/* the loss's cotangent is 1 */
static void
seed_loss(Rewrite *w)
{
	Split *s = w->s;
	const Node *ct = w->g->loss < 0 ? NULL : port_find(&s->open->ct, w->g->out.p[w->g->loss].name);
	Node **seeded;

	s->bwd = (Graph *)s->open;
	if (!ct)
		return;
	seeded = NEW(w->a, MAX(s->open->nnode, 1), Node *);
	s->bwd = seed_leaf(w->a, s->open, ct, seeded);
	for (int64_t i = 0; i < w->g->nnode; i++)
		s->map[i] = s->map[i] ? seeded[s->map[i]->id] : NULL;
}

static void
make_backward(Rewrite *w)
{
	const Graph *g = w->g;
	Graph *h = graph_like(w->a, g);
	Node **map = w->s->map = NEW(w->a, MAX(g->nnode, 1), Node *);

	h->folding = false;
	h->joint = true;
	backward_leaves(w, h, map);
	for (int64_t i = 0; i < g->nnode; i++)
		if (w->need[i] && !map[i]) {
			map[i] = node_onto(h, g->node[i], map);
			map[i]->side = w->p->claim[i] == V_FORWARD || w->p->claim[i] == V_FREE ? SIDE_F : SIDE_B;
		}
	ports_through(h, &h->ct, &g->ct, map);
	ports_through(h, &h->grad, &g->grad, map);
	w->s->open = h;
	seed_loss(w);
}

static Rewrite
rewrite_new(Arena *a, const Graph *g, const Prices *p, Split *s)
{
	Rewrite w = {.a = a, .g = g, .p = p, .s = s, .saved_name = NEW(a, MAX(g->nnode, 1), const char *),
		.need = NEW(a, MAX(g->nnode, 1), bool)};

	name_saved(&w);
	find_backward(&w);
	return w;
}

/* ---- report ---- */

/* an operand: by its name, or the user's node and the op within it */
static const char *
label(const Node *v)
{
	if (v->name)
		return arena_fmt(v->g->arena, "'%s'", v->name);
	return v->from ? arena_fmt(v->g->arena, "'%s' (%s)", v->from, v->op->name) : v->op->name;
}

/* the first operand that backward lacks, or else the first that it reads; NULL: all are free */
static const Node *
dear_operand(const Net *t, const Split *s, const Node *v, bool *lacks)
{
	const Node *read = NULL;

	*lacks = false;
	for (int k = 0; k < v->nin; k++) {
		const Node *u = v->in[k];
		if (t->in[u->id] < 0)
			continue;
		if (!s->cut.sink_side[t->out[u->id]]) {
			*lacks = true;
			return u;
		}
		read = read ? read : u;
	}
	return read;
}

static const char *
why_saved(const Net *t, const Split *s, const Node *v)
{
	const Price *p = &t->p->price[v->id];
	long long ops = (long long)node_work(v) * MAX(t->p->nplace[v->id], 1);
	bool lacks;
	const Node *u = dear_operand(t, s, v, &lacks);

	if (p->no_again)
		return p->no_again;
	if (lacks)
		return arena_fmt(t->a, "computed from %s, which backward lacks", label(u));
	if (u)
		return arena_fmt(t->a, "cheaper to read than %s with %lld operations", label(u), ops);
	return arena_fmt(t->a, "cheaper to read than %lld operations", ops);
}

static const char *
why_recomputed(const Net *t, const Node *v)
{
	const Price *p = &t->p->price[v->id];

	if (v->op->flags & ALIAS)
		return "a view costs nothing";
	if (p->no_save)
		return p->no_save;
	if (t->p->claim[v->id] == V_UNCLAIMED)
		return "only backward needs it";
	return arena_fmt(t->a, "%lld operations cost less than moving %lld bytes",
		(long long)node_work(v) * MAX(t->p->nplace[v->id], 1), (long long)node_hint_bytes(v));
}

static int64_t
price_of_other(const Net *t, const Split *s, int id)
{
	const Price *p = &t->p->price[id];
	int64_t sum = p->save[0];

	if (s->is_saved[id])
		return p->no_again ? INT64_MAX : p->again[0];
	for (int i = 0; i < t->p->nread[id]; i++)
		sum += t->p->read[id][i].price[0];
	return p->no_save ? INT64_MAX : sum;
}

static int64_t *
find_paid(const Net *t, const Split *s)
{
	int64_t *paid = NEW(t->a, MAX(t->g->nnode, 1), int64_t);

	for (int i = 0; i < t->narc; i++)
		if (!s->cut.sink_side[t->arc[i].from] && s->cut.sink_side[t->arc[i].to])
			paid[t->note[i].who] += t->arc[i].cap;
	return paid;
}

static void
report(const Net *t, Split *s, const Rewrite *w)
{
	int64_t *paid = find_paid(t, s), cap = 0, n = 0;

	for (int64_t i = 0; i < t->g->nnode; i++) {
		const Node *v = t->g->node[i];
		bool leaf = v->leaf && t->p->claim[i] == V_FREE && w->need[i];
		Type kept = kept_type(w, v);
		Choice c = {.v = v, .name = w->saved_name[i] ? w->saved_name[i] : v->name, .paid = paid[i],
			.bytes = type_max_bytes(v->g, &kept),
			.hint_bytes = mul_sat(type_hint_count(v->g, &kept), dtype_size(kept.dt))};
		if (!leaf && !s->is_saved[i] && !s->is_recomputed[i])
			continue;
		c.fate = leaf ? FATE_FREE : s->is_saved[i] ? FATE_SAVED : FATE_RECOMPUTED;
		c.other = leaf ? INT64_MAX : price_of_other(t, s, (int)i);
		c.why = leaf ? "the caller keeps it" : s->is_saved[i] ? why_saved(t, s, v) : why_recomputed(t, v);
		PUSH(t->a, s->choice, n, cap, c);
		if (c.fate == FATE_SAVED) {
			s->saved_bytes = add_sat(s->saved_bytes, c.bytes);
			s->hint_bytes = add_sat(s->hint_bytes, c.hint_bytes);
		}
		s->nrecomputed += c.fate == FATE_RECOMPUTED && t->p->claim[i] == V_FORWARD
			&& !(v->op->flags & ALIAS) && node_nres(v) == 1;
	}
	s->nchoice = (int)n;
}

/* ---- the pass ---- */

static void
read_cut(const Net *t, Split *s)
{
	const uint8_t *side = s->cut.sink_side;

	for (int64_t i = 0; i < t->g->nnode; i++)
		if (t->in[i] >= 0) {
			s->is_recomputed[i] = side[t->in[i]];
			s->is_saved[i] = side[t->out[i]] && !side[t->in[i]];
		}
}

/* the solvers' memory is given back at once: it is more than the plan's */
static FlowCut
least_cut(Arena *a, const Net *t)
{
	Arena *tmp = arena_new();
	int narc = t->narc;
	FlowCut c = flow_min_cut(tmp, t->nvertex, t->arc, narc, SOURCE_VERTEX, SINK_VERTEX), kept = c;

	if (c.value < 0)
		kept.path = memcpy(NEW(a, MAX(c.npath, 1), int), c.path, (size_t)c.npath * sizeof *c.path);
	else {
		flow_refine(tmp, t->nvertex, t->arc, narc, SOURCE_VERTEX, SINK_VERTEX, &c, (const int64_t *const *)t->rank,
			NRANK - 1);
		kept.flow = memcpy(NEW(a, MAX(narc, 1), int64_t), c.flow, (size_t)narc * sizeof *c.flow);
		kept.sink_side = memcpy(NEW(a, t->nvertex, uint8_t), c.sink_side, (size_t)t->nvertex);
	}
	arena_free(tmp);
	return kept;
}

/* the least cut for these prices; without graphs */
static Split *
cut_network(Arena *a, const Net *t, const Options *o, const Split *before)
{
	Split *s = NEW(a, 1, Split);
	int64_t n = MAX(t->g->nnode, 1);

	*s = (Split){.nvertex = t->nvertex, .narc = t->narc, .source = SOURCE_VERTEX, .sink = SINK_VERTEX,
		.arc = t->arc, .cut = least_cut(a, t), .value_in = t->in, .value_out = t->out, .joint = t->g, .options = o,
		.prices = t->p, .before = before, .is_saved = NEW(a, n, bool), .is_recomputed = NEW(a, n, bool)};
	if (s->cut.value >= 0)
		read_cut(t, s);
	return s;
}

static int
compare_costs(const int64_t *x, const int64_t *y)
{
	for (int r = 0; r < NRANK; r++)
		if (x[r] != y[r])
			return x[r] < y[r] ? -1 : 1;
	return 0;
}

static bool
same_plan(const Split *s, const Split *t)
{
	size_t n = (size_t)s->joint->nnode * sizeof(bool);

	return t && !memcmp(s->is_saved, t->is_saved, n) && !memcmp(s->is_recomputed, t->is_recomputed, n);
}

/* prices for the program that the plan makes */
static const Prices *
price_program(Rewrite *w)
{
	const Places *real = NULL;

	w->s->fused = w->g->nnode <= MAXFUSED;
	if (w->s->fused) {
		make_backward(w);
		real = places_of(w->a, w->g, w->s->bwd, w->s->map);
	}
	return prices_again(w->p, w->s->is_recomputed, real);
}

/* In which kernels a value is read, or computed again, is known when there is a program. The first network has the
 * prices of kernels that are guessed, the next those of the program that the last cut makes, until a cut is that
 * of its own prices. The plan that costs least in its own program wins. NULL: there is none, and the complaint
 * was made. */
static Split *
best_cut(Arena *a, Graph *g, const Prices *p, const Options *o, Net *net, Rewrite *rewrite)
{
	Split *best = NULL, *last = NULL;
	int64_t least[NRANK], cost[NRANK];

	for (int round = 0; round < MAXROUND && !(last && last->settled); round++) {
		Net t = build_network(a, g, p);
		Split *s = cut_network(a, &t, o, last);
		Rewrite w;
		if (s->cut.value < 0) {
			complain(&t, &s->cut);
			return NULL;
		}
		w = rewrite_new(a, g, p, s);
		s->settled = same_plan(s, last);
		s->fused = last && last->fused;
		if (!s->settled)
			p = price_program(&w);
		plan_cost(a, g, p, s->is_saved, s->is_recomputed, cost);
		s->cost = cost[0];
		if (!best || compare_costs(cost, least) <= 0) {
			best = s;
			*net = t;
			*rewrite = w;
			memcpy(least, cost, sizeof least);
		}
		last = s;
	}
	return best;
}

Split *
split(Arena *a, const Graph *joint, const Options *o)
{
	Graph *g = graph_rebuild(a, joint, false);
	const Options *kept = o ? memcpy(NEW(a, 1, Options), o, sizeof *o) : NULL;
	const Prices *p = prices_new(a, g, kept);
	Rewrite w = {0};
	Net t = {0};
	Split *s;
	bool ok;

	ok = check_options(g, o);
	if (!check_graph(g, p) || !ok)
		return NULL;
	warn_unused(g, p);
	s = best_cut(a, g, p, kept, &t, &w);
	if (!s)
		return NULL;
	s->fwd = make_forward(&w);
	if (!s->bwd)
		make_backward(&w);
	report(&t, s, &w);
	return s;
}

int64_t
split_otherwise(Arena *a, const Split *s, int id)
{
	FlowArc *arc = NEW(a, s->narc + 2, FlowArc);
	int narc = s->narc;
	FlowCut cut;

	if (s->value_in[id] < 0)
		return INT64_MAX;
	for (int i = 0; i < narc; i++)
		arc[i] = s->arc[i];
	if (s->is_saved[id])
		arc[narc++] = (FlowArc){s->value_in[id], s->value_out[id], FLOW_INF};
	else {
		arc[narc++] = (FlowArc){s->source, s->value_in[id], FLOW_INF};
		arc[narc++] = (FlowArc){s->value_out[id], s->sink, FLOW_INF};
	}
	cut = flow_min_cut(a, s->nvertex, arc, narc, s->source, s->sink);
	return cut.value < 0 ? INT64_MAX : cut.value;
}
