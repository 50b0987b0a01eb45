/* price: what it costs to keep a forward value for the backward pass, and what to
 * compute it there again.
 *
 * Prices are integers in the unit of an objective (an eighth of a byte moved,
 * a picosecond, a byte kept); an objective is a list of criteria, the later
 * ones for ties. Sizes are those at the hints of the symbols, but for bytes
 * kept, which are planned for the maxima.
 *
 * How often a saved value is read, and how often a recomputed one is computed,
 * depends on the kernels of backward. Those of a plan are known when its graph
 * was fused (place.c). What is not in them is guessed from fusible(): nodes of
 * backward that can share a kernel and have equally many kernels before them
 * do. A forward value that is recomputed joins each of its readers, or goes
 * through memory once when one of them cannot take it, or when it did in the
 * last plan that recomputed it.
 *
 * A value is kept as it is, or packed, whichever costs less. A contraction's
 * last loops write elements, not bits: what is computed there is packed by a
 * kernel of its own. */
#include "ir.h"

#include <string.h>

static bool
is_alias(const Node *n)
{
	return n->op->flags & ALIAS;
}

static int64_t
count(const Node *n)
{
	return type_hint_count(n->g, &n->type);
}

/* ---- criteria ---- */

enum { BY_TRAFFIC, BY_TIME, BY_BYTES, BY_WORK };

static const struct {
	const char *name;
	int by[NRANK];
} objectives[] = {
	{"traffic", {BY_TRAFFIC, BY_BYTES, BY_WORK}},
	{"bytes",   {BY_BYTES, BY_WORK, BY_TRAFFIC}},
	{"time",    {BY_TIME, BY_BYTES, BY_WORK}},
};

/* picoseconds on one core of a Zen 5 at 3.6 GHz: memory at 45 GB/s beyond the caches, at 100 GB/s within the
 * third level; an exponential (20 operations) in 0.12 ns; contractions at 200 GFLOP/s */
enum { CACHE_BYTES = 8 << 20, PS_FAR_BYTE = 22, PS_NEAR_BYTE = 10, PS_OPERATION = 6, PS_FLOP = 5 };

static int64_t
price_moved(int by, int64_t bytes)
{
	switch (by) {
	case BY_TRAFFIC: return mul_sat(bytes, 8);
	case BY_TIME:    return mul_sat(bytes, bytes > CACHE_BYTES ? PS_FAR_BYTE : PS_NEAR_BYTE);
	default:         return 0;
	}
}

static int64_t
price_worked(int by, const Node *n, int64_t ops)
{
	switch (by) {
	case BY_TRAFFIC:
	case BY_WORK: return ops;
	case BY_TIME: return mul_sat(ops, n->op->kind == DOT || n->op->kind == WINDOW ? PS_FLOP : PS_OPERATION);
	default:      return 0;
	}
}

/* What only backward wants, such as the mask of a relu, is memory on top of what forward has, so it must pay by more
 * than the traffic of one read: a bool beside the f32 that it is a comparison of must not (4 bytes read against 1
 * written and read, or the work of packing and unpacking), the bool in its place must. Both hold for 3 to 6 bytes a
 * byte, whether it is packed or not: what counts is that there is one value more. Seen on the classifiers and the
 * transformers of tests/models, where it changes nothing but masks. */
enum { ON_TOP = 4 };

/* how a value is kept: as it is, or in fewer bytes */
typedef struct Form {
	bool packed, apart;            /* apart: by a kernel that does nothing else */
	int pack, unpack;              /* operations per element */
	int64_t bytes, max_bytes;      /* at the symbols' hint and max */
} Form;

static Form
own_form(const Node *n)
{
	return (Form){.bytes = node_hint_bytes(n), .max_bytes = type_max_bytes(n->g, &n->type)};
}

/* one kernel's reading of `bytes` bytes of n, which are kept so */
static int64_t
price_read(int by, const Node *n, const Form *f, int64_t bytes)
{
	int64_t all = node_hint_bytes(n);

	if (!f->packed)
		return price_moved(by, bytes);
	return add_sat(price_moved(by, MIN(f->bytes, bytes / MAX(all / MAX(f->bytes, 1), 1) + 1)),
		price_worked(by, n, mul_sat(bytes / dtype_size(n->type.dt), f->unpack)));
}

/* A kernel that only packs reads the value as another wrote it, or what it is made from, which is no less. Copying a
 * view out is work. That of an unclaimed value is done once in any case; as a tie-break it counts, so
 * that forward keeps what it has before it does backward's work. */
static int64_t
price_saved(int by, const Node *n, const Form *f, bool unclaimed)
{
	int64_t written = unclaimed ? mul_sat(node_hint_bytes(n), ON_TOP) : f->bytes;
	int64_t p = by == BY_BYTES ? f->max_bytes : price_moved(by, written);

	if (f->packed)
		p = add_sat(p, price_worked(by, n, mul_sat(count(n), f->pack)));
	if (f->apart)
		p = add_sat(p, price_moved(by, mul_sat(node_hint_bytes(n), 2)));
	if (is_alias(n))
		p = add_sat(p, price_worked(by, n, count(n)));
	else if (unclaimed && by == BY_WORK)
		p = add_sat(p, node_work(n));
	return p;
}

/* the cheaper of its forms, written once and read once */
static Form
form_of(const int *by, const Node *n, bool at_dot)
{
	Form own = own_form(n), packed;
	Packing p;

	if (!packing_of(n->g, &n->type, &p))
		return own;
	packed = (Form){.packed = true, .apart = at_dot, .pack = p.pack, .unpack = p.unpack,
		.bytes = type_hint_count(n->g, &p.type), .max_bytes = type_max_bytes(n->g, &p.type)};
	for (int r = 0; r < NRANK; r++) {
		int64_t x = add_sat(price_saved(by[r], n, &own, false), price_read(by[r], n, &own, own.bytes));
		int64_t y = add_sat(price_saved(by[r], n, &packed, false), price_read(by[r], n, &packed, own.bytes));
		if (x != y)
			return x < y ? own : packed;
	}
	return own;
}

/* ---- the facts ---- */

enum { MAXPLACE = 32 };            /* a value recomputed in more kernels than this goes through memory */
enum { HAS_REDUCE = 1, HAS_DOT = 2 };

typedef enum Mode { MIN_CUT, KEEP_ALL, REPEAT_ALL } Mode;

/* reads of one value, before they are copied to their size */
typedef struct Reads {
	int64_t n, cap, capmoved, capruns;
	Read *read;
	int64_t *moved;
	bool *runs;                    /* under the plan the kernel reads it */
} Reads;

typedef struct Pricing Pricing;
struct Pricing {
	Arena *a;
	const Graph *g;
	const Options *o;
	const bool *plan;              /* by id: what backward recomputes; NULL: all that it may */
	const Places *real;            /* kernels of the plan's graph; NULL: they are guessed */
	Mode mode;
	const int *by;                 /* NRANK criteria */
	bool *is_grad;                 /* it is a gradient itself */
	bool *at_dot;                  /* forward computes it where a contraction ends */
	bool *evades;                  /* see evades() */
	const Node **word;             /* whose "remat": "save" it is */
	bool *apart;                   /* recomputed, it goes through memory */
	const bool *known;             /* it does in a plan before; NULL: there was none */
	bool *crowded;                 /* a view that more than MAXPLACE kernels look through */
	int *group;                    /* union-find over nodes of backward, then their kernels */
	int *level;                    /* nodes of backward: kernels before this one, on the longest path */
	uint8_t *has;                  /* what its kernel has done up to here: HAS_ bits */
	bool *dotted;                  /* by kernel: it contains a contraction */
	int64_t **moved;               /* of views: bytes of each Read, at the hint */
	Reads list;                    /* of the value at hand */
	int *seen, *seen_at;           /* by kernel: node last seen in it, and index in that node's list */
	int nkernel;                   /* kernels of backward's own nodes; those of recomputed values follow */
	Prices *p;
};

static bool
in_list(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = list; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
		if (!strncmp(s, word, n) && (s[n] == ',' || !s[n]))
			return true;
	return false;
}

static void
read_options(Pricing *c)
{
	const char *partition = c->o && c->o->partition ? c->o->partition : "min-cut";
	const char *objective = c->o && c->o->objective ? c->o->objective : "traffic";

	c->mode = !strcmp(partition, "default") ? KEEP_ALL : !strcmp(partition, "recompute") ? REPEAT_ALL : MIN_CUT;
	for (int i = 0; i < LEN(objectives); i++)
		if (!strcmp(objectives[i].name, objective))
			c->by = objectives[i].by;
	if (!c->by)
		bug("objective '%s'", objective);
}

/* a leaf that has another value after forward */
static bool *
find_updated(const Pricing *c)
{
	bool *updated = NEW(c->a, MAX(c->g->nnode, 1), bool);
	Map *by_name = map_new(c->a);

	for (int64_t i = 0; i < c->g->nleaf; i++)
		map_set(by_name, c->g->leaf[i]->name, c->g->leaf[i]->node);
	for (int64_t i = 0; i < c->g->update.n; i++) {
		const Node *leaf = map_get(by_name, c->g->update.p[i].name);
		if (leaf && leaf != c->g->update.p[i].v)
			updated[leaf->id] = true;
	}
	return updated;
}

static bool *
find_forward(const Pricing *c)
{
	bool *need = NEW(c->a, MAX(c->g->nnode, 1), bool);

	for (int64_t i = 0; i < c->g->out.n; i++)
		need[c->g->out.p[i].v->id] = true;
	for (int64_t i = 0; i < c->g->update.n; i++)
		need[c->g->update.p[i].v->id] = true;
	for (int64_t i = c->g->nnode - 1; i >= 0; i--)
		for (int k = 0; need[i] && k < c->g->node[i]->nin; k++)
			need[c->g->node[i]->in[k]->id] = true;
	return need;
}

static Claim
claim(const Pricing *c, const Node *n, const bool *updated, const bool *forward)
{
	const Claim *of = c->p->claim;

	if (n->leaf)
		return n->leaf->role == COTANGENT ? V_BACKWARD : updated[n->id] ? V_FORWARD : V_FREE;
	for (int k = 0; k < n->nin; k++)
		if (of[n->in[k]->id] == V_BACKWARD)
			return V_BACKWARD;
	if (n->op->kind == SOURCE && !(n->op->flags & RANDOM))
		return V_FREE;
	if (n->op->kind == ITEM)
		return of[n->in[0]->id];       /* it is there when the others are */
	if (is_alias(n) && of[n->in[0]->id] == V_FREE)
		return V_FREE;
	return forward[n->id] ? V_FORWARD : V_UNCLAIMED;
}

static void
find_claims(Pricing *c, const bool *forward)
{
	bool *updated = find_updated(c);

	for (int64_t i = 0; i < c->g->nnode; i++)
		if (c->p->live[i] || c->g->node[i]->leaf)
			c->p->claim[i] = claim(c, c->g->node[i], updated, forward);
	for (int64_t i = 0; i < c->g->grad.n; i++)
		c->is_grad[c->g->grad.p[i].v->id] = true;
}

static bool
is_value(const Pricing *c, int64_t id)
{
	return c->p->claim[id] == V_FORWARD || c->p->claim[id] == V_UNCLAIMED;
}

/* ---- what may be done with a value ---- */

/* a view is not saved, but what it shows; of a view that is smaller, a copy may be better */
static bool
stands_for_base(const Pricing *c, const Node *n)
{
	return is_alias(n) && !(c->mode == MIN_CUT && count(n) < count(n->in[0]));
}

static const char *
no_again(const Pricing *c, const Node *n)
{
	bool unclaimed = c->p->claim[n->id] == V_UNCLAIMED;

	if (n->leaf)
		return "forward updates it";
	if (c->p->price[n->id].must)
		return c->word[n->id] == n ? "\"remat\": \"save\""
			: arena_fmt(c->a, "\"remat\": \"save\" of %s, a view of it", nn(c->word[n->id]));
	if (n->remat == REMAT_RECOMPUTE || c->mode == REPEAT_ALL || unclaimed || is_alias(n))
		return NULL;
	if (c->mode == KEEP_ALL)
		return "--partition=default recomputes nothing";
	if (ends_kernel(n) && !in_list(c->o ? c->o->recomputable : NULL, n->op->name))
		return "an op of its class is recomputed only when asked for";
	return NULL;
}

/* Saving it would go round the user's word to recompute an operand: forward would do backward's work on that. */
static bool
evades(const Pricing *c, const Node *n)
{
	for (int k = 0; k < n->nin && c->p->claim[n->id] == V_UNCLAIMED; k++)
		if (n->in[k]->remat == REMAT_RECOMPUTE || c->evades[n->in[k]->id])
			return true;
	return false;
}

static const char *
no_save(const Pricing *c, const Node *n)
{
	const Price *p = &c->p->price[n->id];

	if (stands_for_base(c, n))
		return "it is a view, and shares the memory of what it shows";
	if (node_nres(n) > 1)
		return "its results are saved one by one";
	if (n->remat == REMAT_RECOMPUTE)
		return "\"remat\": \"recompute\"";
	if (c->mode == REPEAT_ALL && !p->no_again)
		return "--partition=recompute saves nothing that can be recomputed";
	if (c->mode == KEEP_ALL && c->p->claim[n->id] == V_UNCLAIMED && !p->must)
		return "only backward needs it";
	if (c->evades[n->id] && !p->must)
		return "only backward needs it, and what it is made from is to be recomputed";
	return NULL;
}

/* the user's word to save a view is about the memory that it shows */
static void
find_must(Pricing *c)
{
	for (int64_t i = c->g->nnode - 1; i >= 0; i--) {
		const Node *n = c->g->node[i];
		if (!is_value(c, i))
			continue;
		if (n->remat == REMAT_SAVE)
			c->word[i] = n;
		if (c->word[i] && stands_for_base(c, n)) {
			c->word[n->in[0]->id] = c->word[i];
			c->word[i] = NULL;
		}
		c->p->price[i].must = c->word[i] != NULL;
	}
}

static void
find_rules(Pricing *c)
{
	find_must(c);
	for (int64_t i = 0; i < c->g->nnode; i++)
		if (is_value(c, i)) {
			Price *p = &c->p->price[i];
			c->evades[i] = evades(c, c->g->node[i]);
			p->no_again = no_again(c, c->g->node[i]);
			p->no_save = no_save(c, c->g->node[i]);
		}
}

/* ---- kernels of backward ---- */

static int
root(int *group, int i)
{
	while (group[i] != i)
		i = group[i] = group[group[i]];
	return i;
}

static int
backward_users(const Pricing *c, const Node *n)
{
	int k = 0;

	for (int u = c->p->users.start[n->id]; u < c->p->users.start[n->id + 1]; u++)
		k += c->p->live[c->p->users.user[u]->id];
	return k;
}

/* may n run in the kernel that computes its operand p, both of backward? */
static bool
joins(const Pricing *c, const Node *p, const Node *n)
{
	bool dot = ends_kernel(n);

	if (!fusible(p, n))
		return false;
	if (c->has[p->id] & HAS_DOT && (dot || n->op->kind == REDUCE))
		return false;
	if (dot && (c->has[p->id] & HAS_REDUCE || backward_users(c, p) > 1))
		return false;
	return true;
}

/* Kernels before n: one more than before an operand whose kernel it cannot join. It joins those of its
 * operands that have as many; a kernel then holds no path that leaves it and comes back. */
static void
join_operands(Pricing *c, const Node *n)
{
	int level = 0, dots = 0;
	uint8_t has = n->op->kind == REDUCE ? HAS_REDUCE : ends_kernel(n) ? HAS_DOT : 0;

	for (int k = 0; k < n->nin; k++)
		if (c->p->claim[n->in[k]->id] == V_BACKWARD)
			level = MAX(level, c->level[n->in[k]->id] + !joins(c, n->in[k], n));
	for (int k = 0; k < n->nin; k++) {
		const Node *p = n->in[k];
		if (c->p->claim[p->id] == V_BACKWARD && c->level[p->id] == level)
			dots += (c->has[p->id] & HAS_DOT) != 0 && (k == 0 || p != n->in[k - 1]);
	}
	c->level[n->id] = level + (dots > 1);      /* two contractions do not share a kernel */
	for (int k = 0; k < n->nin && dots <= 1; k++) {
		const Node *p = n->in[k];
		if (c->p->claim[p->id] != V_BACKWARD || c->level[p->id] != level)
			continue;
		has |= c->has[p->id];
		c->group[root(c->group, n->id)] = root(c->group, p->id);
	}
	c->has[n->id] = has;
}

static int
kernel_new(Pricing *c)
{
	return c->p->nkernel++;
}

static void
place_one(Pricing *c, int64_t id, int kernel)
{
	c->p->nplace[id] = 1;
	c->p->place[id] = NEW(c->a, 1, int);
	c->p->place[id][0] = kernel;
}

static void
group_backward(Pricing *c)
{
	int *kernel = NEW(c->a, MAX(c->g->nnode, 1), int);      /* by root, + 1 */

	for (int64_t i = 0; i < c->g->nnode; i++) {
		c->group[i] = (int)i;
		if (c->p->claim[i] == V_BACKWARD && c->p->live[i])
			join_operands(c, c->g->node[i]);
	}
	for (int64_t i = 0; i < c->g->nnode; i++) {
		int r = root(c->group, (int)i);
		if (c->p->claim[i] != V_BACKWARD || !c->p->live[i])
			continue;
		if (!kernel[r])
			kernel[r] = kernel_new(c) + 1;
		place_one(c, i, kernel[r] - 1);
		c->dotted[kernel[r] - 1] |= ends_kernel(c->g->node[i]);
	}
}

/* the same, as it is */
static void
place_backward(Pricing *c)
{
	for (int64_t i = 0; i < c->g->nnode; i++)
		if (c->p->claim[i] == V_BACKWARD) {
			c->p->nplace[i] = c->real->n[i];
			c->p->place[i] = c->real->kernel[i];
		}
	c->nkernel = c->real->nkernel;
	c->dotted = c->real->dotted;
}

/* ---- places and reads of forward values ---- */

/* does w compute in backward, reading what it reads there? */
static bool
reads_in_backward(const Pricing *c, const Node *w)
{
	if (!c->p->live[w->id])
		return false;
	return c->p->claim[w->id] == V_BACKWARD || (is_value(c, w->id) && !c->p->price[w->id].no_again);
}

/* and does it so under the plan? */
static bool
runs_in_backward(const Pricing *c, const Node *w)
{
	return reads_in_backward(c, w) && (!c->plan || c->p->claim[w->id] == V_BACKWARD || c->plan[w->id]);
}

static bool
is_needed(const Pricing *c, const Node *n)
{
	if (c->is_grad[n->id])
		return true;
	for (int u = c->p->users.start[n->id]; u < c->p->users.start[n->id + 1]; u++)
		if (reads_in_backward(c, c->p->users.user[u]))
			return true;
	return false;
}

/* may v be computed within kernel k, where w reads it? */
static bool
fits(const Pricing *c, const Node *v, const Node *w, int k)
{
	if (is_alias(w) && c->apart[w->id] && c->p->claim[w->id] != V_BACKWARD)
		return false;
	return fusible(v, w) && !((v->op->kind == REDUCE || ends_kernel(v)) && c->dotted[k]);
}

/* Adds the kernels of those readers of v that `runs` chooses to the n in buf; -1: they are too many. */
static int
join_readers(Pricing *c, const Node *v, bool (*runs)(const Pricing *c, const Node *w), int *buf)
{
	int n = 0;

	for (int u = c->p->users.start[v->id]; u < c->p->users.start[v->id + 1]; u++) {
		const Node *w = c->p->users.user[u];
		for (int k = 0; runs(c, w) && k < c->p->nplace[w->id]; k++) {
			int kernel = c->p->place[w->id][k];
			c->apart[v->id] |= !fits(c, v, w, kernel);
			if (c->seen[kernel] == v->id + 1)
				continue;
			if (n == MAXPLACE)
				return -1;
			c->seen[kernel] = v->id + 1;
			buf[n++] = kernel;
		}
	}
	return n;
}

/* The kernels that would compute v: those of its readers under the plan, or of all that could read it when
 * the plan has none. What goes through memory has a kernel of its own. */
static void
find_places(Pricing *c, const Node *v)
{
	int buf[MAXPLACE], n;
	bool own;

	if (c->real && c->plan[v->id]) {
		c->p->nplace[v->id] = c->real->n[v->id];
		c->p->place[v->id] = c->real->kernel[v->id];
		c->apart[v->id] = c->real->host[v->id] >= 0;
		return;
	}
	c->apart[v->id] = node_nres(v) > 1 || c->is_grad[v->id] || (c->known && c->known[v->id]);
	n = join_readers(c, v, runs_in_backward, buf);
	if (!n)
		n = join_readers(c, v, reads_in_backward, buf);
	c->crowded[v->id] = is_alias(v) && n < 0;
	c->apart[v->id] |= n < 0 || (n > 1 && ends_kernel(v));
	own = n <= 0 || (c->apart[v->id] && !is_alias(v));
	if (own) {
		n = 1;
		buf[0] = kernel_new(c);
	}
	for (int i = 0; i < n && ends_kernel(v); i++)
		c->dotted[buf[i]] = true;
	c->p->nplace[v->id] = n;
	c->p->place[v->id] = memcpy(NEW(c->a, n, int), buf, (size_t)n * sizeof *buf);
}

/* bytes that kernel k reads of v when w, a reader of v, runs there */
static int64_t
bytes_through(const Pricing *c, const Node *v, const Node *w, int k)
{
	int64_t all = node_hint_bytes(v);

	if (!is_alias(w) || c->p->claim[w->id] == V_BACKWARD)
		return all;
	if (c->crowded[w->id])
		return mul_sat(all, MAXPLACE);
	for (int i = 0; i < c->p->nread[w->id]; i++)
		if (c->p->read[w->id][i].kernel == k)
			return MIN(all, c->moved[w->id][i]);
	return all;
}

static void
add_read(Pricing *c, Reads *list, const Node *v, int kernel, int64_t bytes, bool runs)
{
	int64_t n = list->n, m = n, *sum;

	if (c->seen[kernel] != -1 - v->id) {
		c->seen[kernel] = -1 - v->id;
		c->seen_at[kernel] = (int)n;
		PUSH(c->a, list->moved, n, list->capmoved, 0);
		PUSH(c->a, list->runs, m, list->capruns, false);
		PUSH(c->a, list->read, list->n, list->cap, ((Read){.kernel = kernel}));
	}
	list->runs[c->seen_at[kernel]] |= runs;
	sum = &list->moved[c->seen_at[kernel]];
	*sum = MIN(add_sat(*sum, bytes), MAX(bytes, node_hint_bytes(v)));
}

static void
find_reads(Pricing *c, const Node *v, const Form *f)
{
	Reads *list = &c->list;

	list->n = 0;
	for (int u = c->p->users.start[v->id]; u < c->p->users.start[v->id + 1]; u++) {
		const Node *w = c->p->users.user[u];
		for (int k = 0; reads_in_backward(c, w) && k < c->p->nplace[w->id]; k++) {
			int kernel = c->p->place[w->id][k];
			add_read(c, list, v, kernel, bytes_through(c, v, w, kernel), runs_in_backward(c, w));
		}
	}
	if (c->is_grad[v->id])
		add_read(c, list, v, COPY_KERNEL, node_hint_bytes(v), true);
	for (int i = 0; i < list->n; i++)
		for (int r = 0; r < NRANK; r++)
			list->read[i].price[r] = price_read(c->by[r], v, f, list->moved[i]);
	c->p->nread[v->id] = (int)list->n;
	c->p->read[v->id] = memcpy(NEW(c->a, MAX(list->n, 1), Read), list->read, (size_t)list->n * sizeof(Read));
	if (is_alias(v))
		c->moved[v->id] = memcpy(NEW(c->a, MAX(list->n, 1), int64_t), list->moved, (size_t)list->n * sizeof(int64_t));
}

/* ---- prices ---- */

/* c->list: the reads of v */
static int64_t
price_again(const Pricing *c, const Node *v, int r)
{
	bool real = c->real && c->plan[v->id], unclaimed = c->p->claim[v->id] == V_UNCLAIMED;
	int by = c->by[r], times = real ? c->p->nplace[v->id] : MAX(c->p->nplace[v->id], 1);
	int64_t p = mul_sat(price_worked(by, v, node_work(v)), MAX(times - unclaimed, 0));

	if (!c->apart[v->id] || (!real && (is_alias(v) || unclaimed)))
		return p;
	p = add_sat(p, price_moved(by, node_hint_bytes(v)));
	for (int i = 0; i < c->list.n; i++)
		if (!real || (c->list.runs[i] && c->list.read[i].kernel != c->real->host[v->id]))
			p = add_sat(p, price_moved(by, c->list.moved[i]));
	return p;
}

static void
price_value(Pricing *c, const Node *v)
{
	Price *p = &c->p->price[v->id];
	bool unclaimed = c->p->claim[v->id] == V_UNCLAIMED;
	Form f = form_of(c->by, v, c->at_dot[v->id]);

	if (!is_needed(c, v)) {
		c->p->claim[v->id] = V_UNUSED;
		return;
	}
	if (!p->no_again)
		find_places(c, v);
	find_reads(c, v, &f);
	p->packed = f.packed;
	for (int r = 0; r < NRANK; r++) {
		p->save[r] = price_saved(c->by[r], v, &f, unclaimed);
		p->again[r] = p->no_again ? 0 : price_again(c, v, r);
	}
}

typedef void Visit(int64_t *price, void *arg);

static void
each_price(Prices *p, int64_t nnode, int r, Visit *visit, void *arg)
{
	for (int64_t i = 0; i < nnode; i++) {
		visit(&p->price[i].save[r], arg);
		visit(&p->price[i].again[r], arg);
		for (int k = 0; k < p->nread[i]; k++)
			visit(&p->read[i][k].price[r], arg);
	}
}

static void
sum_price(int64_t *price, void *arg)
{
	int64_t *sum = arg;

	*sum = add_sat(*sum, *price);
}

static void
halve_price(int64_t *price, void *arg)
{
	(void)arg;
	*price = *price / 2 + *price % 2;
}

/* sizes beyond all reason must not overflow the flow: prices lose their last bits */
static void
limit_prices(Prices *p, int64_t nnode)
{
	for (int r = 0; r < NRANK; r++)
		for (;;) {
			int64_t sum = 0;
			each_price(p, nnode, r, sum_price, &sum);
			if (sum < INT64_MAX / 8)
				break;
			each_price(p, nnode, r, halve_price, NULL);
		}
}

/* what depends on the plan */
static Prices *
price_plan(Pricing *c)
{
	int64_t n = MAX(c->g->nnode, 1), nkernel = c->nkernel + n;
	bool *dotted = NEW(c->a, nkernel, bool);

	c->dotted = memcpy(dotted, c->dotted, (size_t)c->nkernel * sizeof *dotted);
	c->apart = NEW(c->a, n, bool);
	c->crowded = NEW(c->a, n, bool);
	c->moved = NEW(c->a, n, int64_t *);
	c->seen = NEW(c->a, nkernel, int);
	c->seen_at = NEW(c->a, nkernel, int);
	for (int64_t i = c->g->nnode - 1; i >= 0; i--)
		if (is_value(c, i))
			price_value(c, c->g->node[i]);
	limit_prices(c->p, c->g->nnode);
	c->p->pricing = c;
	return c->p;
}

Prices *
prices_new(Arena *a, const Graph *g, const Options *o)
{
	int64_t n = MAX(g->nnode, 1);
	Pricing *c = NEW(a, 1, Pricing);
	bool *forward;

	*c = (Pricing){.a = a, .g = g, .o = o, .is_grad = NEW(a, n, bool),
		.word = NEW(a, n, const Node *), .evades = NEW(a, n, bool), .group = NEW(a, n, int),
		.level = NEW(a, n, int), .has = NEW(a, n, uint8_t), .dotted = NEW(a, n + 1, bool), .p = NEW(a, 1, Prices)};
	*c->p = (Prices){.claim = NEW(a, n, Claim), .price = NEW(a, n, Price), .nplace = NEW(a, n, int),
		.place = NEW(a, n, int *), .nread = NEW(a, n, int), .read = NEW(a, n, Read *), .nkernel = COPY_KERNEL + 1,
		.live = graph_live(a, g), .users = graph_users(a, g)};
	read_options(c);
	forward = find_forward(c);
	find_claims(c, forward);
	c->at_dot = places_at_dot(a, g, forward);
	find_rules(c);
	group_backward(c);
	c->nkernel = c->p->nkernel;
	return price_plan(c);
}

/* what went through memory in the last plan that recomputed it */
static const bool *
learn(const Pricing *c)
{
	bool *known = NEW(c->a, MAX(c->g->nnode, 1), bool);

	for (int64_t i = 0; i < c->g->nnode; i++)
		known[i] = c->plan[i] ? c->real->host[i] >= 0 : c->known && c->known[i];
	return known;
}

Prices *
prices_again(const Prices *p, const bool *plan, const Places *real)
{
	Pricing *c = memcpy(NEW(p->pricing->a, 1, Pricing), p->pricing, sizeof *c);
	int64_t n = MAX(c->g->nnode, 1);

	c->known = c->real ? learn(c) : NULL;
	c->plan = plan;
	c->real = real;
	c->list = (Reads){0};
	c->p = memcpy(NEW(c->a, 1, Prices), p, sizeof *p);
	c->p->price = memcpy(NEW(c->a, n, Price), p->price, (size_t)n * sizeof *p->price);
	c->p->nplace = memcpy(NEW(c->a, n, int), p->nplace, (size_t)n * sizeof *p->nplace);
	c->p->place = memcpy(NEW(c->a, n, int *), p->place, (size_t)n * sizeof *p->place);
	c->p->nread = NEW(c->a, n, int);
	c->p->read = NEW(c->a, n, Read *);
	if (real)
		place_backward(c);
	c->p->nkernel = c->nkernel;
	return price_plan(c);
}

/* ---- the cost of a plan ---- */

typedef struct Plan {
	const Graph *g;
	const Prices *p;
	const bool *saved, *again;
	int *seen;                     /* by kernel: id + 1 of the saved value counted last */
	int64_t *sum;
} Plan;

static void
add_price(Plan *t, const int64_t *price)
{
	for (int r = 0; r < NRANK; r++)
		t->sum[r] = add_sat(t->sum[r], price[r]);
}

/* the reads of saved v, one for each kernel */
static void
add_reads(Plan *t, const Node *v)
{
	for (int u = t->p->users.start[v->id]; u < t->p->users.start[v->id + 1]; u++) {
		int w = t->p->users.user[u]->id;
		for (int k = 0; k < t->p->nplace[w]; k++)
			if (t->p->claim[w] == V_BACKWARD || t->again[w])
				t->seen[t->p->place[w][k]] = v->id + 1;
	}
	for (int i = 0; i < t->p->nread[v->id]; i++) {
		const Read *r = &t->p->read[v->id][i];
		if (r->kernel == COPY_KERNEL || t->seen[r->kernel] == v->id + 1)
			add_price(t, r->price);
	}
}

void
plan_cost(Arena *a, const Graph *g, const Prices *p, const bool *saved, const bool *again, int64_t *cost)
{
	Plan t = {g, p, saved, again, NEW(a, MAX(p->nkernel, 1), int), cost};

	for (int r = 0; r < NRANK; r++)
		cost[r] = 0;
	for (int64_t i = 0; i < g->nnode; i++) {
		if (saved[i]) {
			add_price(&t, p->price[i].save);
			add_reads(&t, g->node[i]);
		} else if (again[i])
			add_price(&t, p->price[i].again);
	}
}
