/* fuse: which nodes share a kernel.
 *
 * Nodes are visited from the last to the first, so that whoever reads a value is
 * settled before it. A value goes through memory when the interface names it, a
 * reader cannot compute it by the element, or several kernels read it and
 * computing it again costs more than reading it; all others are computed where
 * they are read. A value in memory is written by one of the kernels that compute
 * it anyway, as long as no kernel comes to wait for itself, or by one of its own.
 * Then kernels over the same elements that read the same values are joined.
 * What may be computed where is judged in fusible.c. */
#include "ir.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAXBUFFERS = 48,               /* of a kernel that others are joined to */
	SMALL = 1 << 15,               /* operations that are not worth a call */
	MAXREADERS = 16,               /* of one value, that are tried */
	MAXCOPIES = 16                 /* elements of a value that one element of a kernel is computed from */
};

typedef struct In In;                  /* a node is computed, or read, in kernel k */
/* Ways from an element of a kernel to one of a value, through views and broadcasts: each is computed by itself. */
typedef struct Paths {
	int n;                         /* more than MAXCOPIES: too many */
	uint64_t way[MAXCOPIES];
} Paths;

typedef struct Fuse {
	Arena *arena;
	Graph *g;
	bool *live;
	bool *named;                   /* must be in memory */
	Node **memory;                 /* by node: whose memory it is written to */
	Users users;
	Judge judge;
	Ins *in;                       /* by node: kernels that compute it */
	Ins *read;                     /* by node: kernels that load it */
	int *host;                     /* by node: the kernel that writes it; -1: none */
	bool *shown;                   /* a view in whose memory its operand is written */
	Paths *paths;                  /* by node: the ways of index maps from kernels' elements to its own */
	Group **group;
	int64_t n, cap;
	int stamp;
	bool packing;                  /* kernels that pack may be joined: last, since they have rows of their own */
} Fuse;

static Dim
count(const Node *n)
{
	return type_count(&n->type);
}

static void
in_add(Arena *a, Ins *s, int k, unsigned place)
{
	for (int64_t i = 0; i < s->n; i++)
		if (s->v[i].k == k) {
			s->v[i].place |= place;
			return;
		}
	PUSH(a, s->v, s->n, s->cap, ((In){k, place}));
}

static unsigned
place_in(const Ins *s, int k)
{
	for (int64_t i = 0; i < s->n; i++)
		if (s->v[i].k == k)
			return s->v[i].place;
	return 0;
}

/* ---- kernels ---- */

static Group *
group_new(Fuse *f, Node *root)
{
	Group *k = NEW(f->arena, 1, Group);

	k->id = (int)f->n;
	k->count = count(root);
	k->scatter = root->op->flags & SCATTERS;
	if (root->op->kind == REDUCE && reduce_form(root) != REDUCE_NOTHING) {
		k->first = root;
		k->form = reduce_form(root);
		k->count = count(root->in[0]);
		k->rows = count(root);
		k->has_rows = true;
		if (k->form == REDUCE_COLUMNS && (!k->rows.k || !dim_div(k->count, k->rows, &k->rows)))
			k->form = REDUCE_MIXED;
		k->columns = k->form == REDUCE_COLUMNS;
	}
	/* a row is what is packed as one */
	if (root->op->kind == PACK && dim_div(k->count, root->type.dim[root->type.rank - 1], &k->rows)) {
		k->count = count(root->in[0]);
		k->has_rows = true;
	}
	PUSH(f->arena, f->group, f->n, f->cap, k);
	return k;
}

/* all results of a scan are one kernel's */
static Group *
group_of(Fuse *f, Node *n)
{
	Node *call = n->op->kind == ITEM ? n->in[0] : n->op->kind == CALL ? n : NULL;

	for (int64_t i = 0; call && i < f->n; i++)
		if (f->group[i]->call == call)
			return f->group[i];
	group_new(f, n)->call = call;
	return f->group[f->n - 1];
}

/* kernels that compute node n: all that hold it, or the one that writes it */
static Ins
computed_in(const Fuse *f, const Node *n)
{
	Ins out = f->in[n->id];

	for (int64_t i = 0; f->host[n->id] >= 0 && i < out.n; i++)
		if (out.v[i].k == f->host[n->id])
			return (Ins){&out.v[i], 1, 1};
	return out;
}

static bool
reaches(Fuse *f, int k, int h)
{
	Group *g = f->group[k];

	if (k == h)
		return true;
	if (g->mark == f->stamp)
		return false;
	g->mark = f->stamp;
	for (int64_t i = 0; i < g->dep.n; i++)
		if (reaches(f, g->dep.v[i].k, h))
			return true;
	return false;
}

/* whether kernel k waits for kernel h, directly or through others */
static bool
waits_for(Fuse *f, int k, int h)
{
	f->stamp++;
	return reaches(f, k, h);
}

/* ---- one node ---- */

typedef struct Readers {
	bool forced;                   /* somebody needs it in memory */
	Ins fit;                       /* kernels of which a reader can compute it */
	Ins unfit;                     /* kernels of which a reader cannot */
	Ins all;
	Paths paths;
} Readers;

static void
path_add(Paths *p, uint64_t way)
{
	for (int i = 0; i < p->n && i < MAXCOPIES; i++)
		if (p->way[i] == way)
			return;
	if (p->n < MAXCOPIES)
		p->way[p->n] = way;
	p->n = MIN(p->n + 1, MAXCOPIES + 1);
}

/* the ways to what u reads: its own, or each one step longer */
static void
paths_through(Paths *p, const Paths *of, const Node *u, int operand, bool same)
{
	int64_t step[] = {u->id, operand};

	for (int i = 0; i < MIN(of->n, MAXCOPIES); i++)
		path_add(p, same ? of->way[i] : hash64(step, sizeof step, of->way[i]));
	if (of->n > MAXCOPIES)
		p->n = of->n;
}

static bool
same_element(const Node *n, const Node *u)
{
	return u->op->kind == MAP && shape_eq(&n->type, &u->type);
}

static void
add_reader(Fuse *f, Readers *r, const Node *n, const Node *u, int operand)
{
	Ins in = computed_in(f, u);
	bool strided = u->op->kind == DOT || f->judge.addressed[u->id];

	paths_through(&r->paths, &f->paths[u->id], u, operand, same_element(n, u));
	if (strided)
		f->judge.addressed[n->id] = is_affine_view(n) || is_packed_view(n);
	if (selects_from(&f->judge, u, operand))
		f->judge.table[n->id] = n->op->kind == VIEW;
	for (int64_t i = 0; i < in.n; i++) {
		const Group *k = f->group[in.v[i].k];
		unsigned place = group_place(n, u, operand, k, in.v[i].place);
		in_add(f->arena, &r->all, k->id, place);
		if (strided ? f->judge.addressed[n->id] || fits_prologue(&f->judge, n, k)
			: group_fits(&f->judge, n, u, operand, k, place)) {
			in_add(f->arena, &r->fit, k->id, place);
			continue;
		}
		in_add(f->arena, &r->unfit, k->id, place);
		r->forced = true;
	}
}

static Readers
readers(Fuse *f, Node *n)
{
	Readers r = {.forced = f->named[n->id]};

	for (int i = f->users.start[n->id]; i < f->users.start[n->id + 1]; i++) {
		Node *u = f->users.user[i];
		bool again = i > f->users.start[n->id] && f->users.user[i - 1] == u;
		for (int k = 0; k < u->nin && f->live[u->id] && !again; k++)
			if (u->in[k] == n)
				add_reader(f, &r, n, u, k);
	}
	return r;
}

/* n, computed in kernel k at that place, can be written there: it has an element for each of k's, or for each row */
static bool
can_host(const Fuse *f, const Node *n, const Group *k, unsigned place)
{
	if (k->scatter || (k->first && k->form != REDUCE_ROWS && k->form != REDUCE_COLUMNS))
		return false;
	if (n->op->kind == DOT || n->op->kind == ORDERED)
		return true;
	if (k->has_rows && dim_eq(count(n), k->rows))
		return place & (AT_ROW | AT_ELEMENT);
	if (place & AT_ELEMENT && dim_eq(count(n), k->count))
		return true;
	return place & AT_ROW && !k->has_rows && !k->dot && f->judge.nested[n->id];
}

/* a kernel that can write n without any kernel waiting for itself; -1: none */
static int
find_host(Fuse *f, const Node *n, const Readers *r)
{
	for (int64_t i = 0; i < r->fit.n; i++) {
		int k = r->fit.v[i].k;
		bool ok = can_host(f, n, f->group[k], r->fit.v[i].place) && !place_in(&r->unfit, k);
		for (int64_t j = 0; ok && j < r->all.n; j++)
			ok = r->all.v[j].k == k || !waits_for(f, k, r->all.v[j].k);
		if (ok)
			return k;
	}
	return -1;
}

/* kernel k now computes n */
static void
enter(Fuse *f, Group *k, Node *n, unsigned place)
{
	in_add(f->arena, &f->in[n->id], k->id, place);
	k->nnode++;
	if (n->op->kind == DOT || n->op->kind == ORDERED)
		k->dot = n;
	if (n->op->kind == REDUCE && reduce_form(n) == REDUCE_ROWS) {
		if (dim_eq(k->count, count(n)))
			k->count = count(n->in[0]);
		k->has_rows = true;
		k->rows = count(n);
	}
}

/* the ways to n of its readers in kernel k, which writes it: they compute it, and others load it */
static Paths
paths_within(const Fuse *f, const Node *n, int k)
{
	Paths p = {0};

	for (int i = f->users.start[n->id]; i < f->users.start[n->id + 1]; i++) {
		const Node *u = f->users.user[i];
		Ins in = computed_in(f, u);
		for (int j = 0; j < u->nin && place_in(&in, k); j++)
			if (u->in[j] == n)
				paths_through(&p, &f->paths[u->id], u, j, same_element(n, u));
	}
	return p;
}

static void
store(Fuse *f, Node *n, const Readers *r)
{
	int h = find_host(f, n, r);
	Group *k = h >= 0 ? f->group[h] : group_of(f, n);
	unsigned place = h >= 0 ? place_in(&r->fit, h) : k->first == n ? AT_ROW : AT_ELEMENT;

	if (h >= 0 && place & AT_ROW && !k->has_rows && !dim_eq(count(n), k->count)) {
		k->has_rows = true;
		k->rows = count(n);
	}
	if (k->first == n)
		in_add(f->arena, &f->in[n->id], k->id, place), k->nnode++;
	else
		enter(f, k, n, place);
	PUSH(f->arena, k->root, k->nroot, k->caproot, n);
	f->host[n->id] = k->id;
	f->paths[n->id] = h >= 0 ? paths_within(f, n, h) : (Paths){0};
	path_add(&f->paths[n->id], 0);
	for (int64_t i = 0; i < r->all.n; i++)
		if (r->all.v[i].k != k->id) {
			in_add(f->arena, &f->group[r->all.v[i].k]->dep, k->id, 0);
			in_add(f->arena, &f->read[n->id], r->all.v[i].k, r->all.v[i].place);
		}
}

static void
settle(Fuse *f, Node *n)
{
	Readers r = readers(f, n);

	if (node_nres(n) > 1) {
		in_add(f->arena, &f->in[n->id], group_of(f, n)->id, ELSEWHERE);
		return;
	}
	if (f->shown[n->id] && !r.all.n)
		return;
	if (node_given(n)) {
		f->read[n->id] = r.all;
		return;
	}
	if (node_literal(n) && !f->named[n->id])
		return;
	f->paths[n->id] = r.paths;
	if (r.paths.n > MAXCOPIES && n->op->kind != VIEW) {
		r.unfit = r.all;               /* chains of shifted values would double at each step */
		r.fit = (Ins){0};
		r.forced = true;
	}
	if (r.forced || (r.fit.n > 1 && !cheap_again(&f->judge, n, r.fit.n)) || !r.all.n) {
		store(f, n, &r);
		return;
	}
	for (int64_t i = 0; i < r.all.n; i++)
		enter(f, f->group[r.all.v[i].k], n, r.all.v[i].place);
}

/* ---- kernels that read the same values, or one what the other writes ---- */

static bool
joinable(const Group *k)
{
	return !k->gone && !k->dot && !k->scatter && !k->call
		&& (!k->first || k->form == REDUCE_ROWS || k->form == REDUCE_COLUMNS);
}

/* whether k waits for h through some other kernel */
static bool
waits_around(Fuse *f, const Group *k, int h)
{
	for (int64_t i = 0; i < k->dep.n; i++)
		if (k->dep.v[i].k != h && waits_for(f, k->dep.v[i].k, h))
			return true;
	return false;
}

/* what `by` reads of the values that k writes is there for it when k's row, or element, is done */
static bool
reads_in_place(const Fuse *f, const Group *k, const Group *by)
{
	for (int64_t i = 0; i < k->nroot; i++) {
		const Node *n = k->root[i];
		unsigned place = place_in(&f->read[n->id], by->id);
		if (place & ELSEWHERE || (place && n->op->kind == REDUCE && reduce_form(n) == REDUCE_COLUMNS))
			return false;
	}
	return true;
}

/* the kernels run over the same elements, in the same rows if both have rows */
static bool
same_space(const Group *a, const Group *b)
{
	return dim_eq(a->count, b->count) && (!a->has_rows || !b->has_rows || dim_eq(a->rows, b->rows));
}

static bool
packs(const Group *k)
{
	for (int64_t i = 0; i < k->nroot; i++)
		if (k->root[i]->op->kind == PACK)
			return true;
	return false;
}

static int64_t
buffers_of(const Fuse *f, const Group *k)
{
	int64_t n = k->nroot;

	for (int64_t i = 0; i < f->g->nnode; i++)
		n += place_in(&f->read[i], k->id) != 0;
	return n;
}

static void
ins_rename(Arena *a, Ins *s, int from, int to)
{
	Ins out = {0};

	for (int64_t i = 0; i < s->n; i++)
		in_add(a, &out, s->v[i].k == from ? to : s->v[i].k, s->v[i].place);
	*s = out;
}

static void
ins_drop(Ins *s, int k)
{
	int64_t n = 0;

	for (int64_t i = 0; i < s->n; i++)
		if (s->v[i].k != k)
			s->v[n++] = s->v[i];
	s->n = n;
}

/* all that b does, a does from now on */
static void
join(Fuse *f, Group *a, Group *b)
{
	for (int64_t i = 0; i < f->g->nnode; i++) {
		if (place_in(&f->in[i], b->id))
			ins_rename(f->arena, &f->in[i], b->id, a->id);
		if (place_in(&f->read[i], b->id))
			ins_rename(f->arena, &f->read[i], b->id, a->id);
		if (f->host[i] == b->id)
			f->host[i] = a->id;
		if (f->host[i] == a->id)
			ins_drop(&f->read[i], a->id);
	}
	for (int64_t i = 0; i < b->nroot; i++)
		PUSH(f->arena, a->root, a->nroot, a->caproot, b->root[i]);
	for (int64_t i = 0; i < b->dep.n; i++)
		in_add(f->arena, &a->dep, b->dep.v[i].k, 0);
	for (int64_t i = 0; i < f->n; i++)
		ins_rename(f->arena, &f->group[i]->dep, b->id, a->id);
	ins_drop(&a->dep, a->id);
	if (!a->has_rows) {
		a->has_rows = b->has_rows;
		a->rows = b->rows;
	}
	if (!a->first) {
		a->first = b->first;
		a->form = b->form;
	}
	if (!a->dot)
		a->dot = b->dot;
	a->columns |= b->columns;
	a->nnode += b->nnode;
	b->gone = true;
}

/* what `by` computes of elements that contraction k writes is done with its tiles */
static bool
is_epilogue(const Fuse *f, const Group *k, const Group *by)
{
	bool reads = false;

	if (k->gone || !k->dot || k->scatter || by->dot || by->first || by->has_rows || !joinable(by))
		return false;
	for (int64_t i = 0; i < k->nroot; i++)
		reads |= place_in(&f->read[k->root[i]->id], by->id) == AT_ELEMENT;
	return reads;
}

static bool
try_join(Fuse *f, Group *a, Group *b)
{
	bool alike = joinable(a) && joinable(b);

	if ((packs(a) || packs(b)) && !(alike && f->packing))
		return false;
	if (a == b || !(alike || is_epilogue(f, a, b) || is_epilogue(f, b, a)) || !same_space(a, b)
		|| a->nnode + b->nnode > MAXGROUP || !reads_in_place(f, a, b) || !reads_in_place(f, b, a)
		|| waits_around(f, a, b->id) || waits_around(f, b, a->id)
		|| buffers_of(f, a) + buffers_of(f, b) > MAXBUFFERS)
		return false;
	if (a->id < b->id)
		join(f, a, b);
	else
		join(f, b, a);
	return true;
}

/* kernels that have value n at their element: those that read it there, and the one that writes it */
static void
join_around(Fuse *f, const Node *n)
{
	for (;;) {
		Ins at = {0};
		bool any = false;
		if (f->host[n->id] >= 0)
			in_add(f->arena, &at, f->host[n->id], AT_ELEMENT);
		for (int64_t i = 0; i < f->read[n->id].n && at.n < MAXREADERS; i++)
			if (f->read[n->id].v[i].place & AT_ELEMENT)
				in_add(f->arena, &at, f->read[n->id].v[i].k, AT_ELEMENT);
		for (int64_t i = 0; i < at.n && !any; i++)
			for (int64_t j = i + 1; j < at.n && !any; j++)
				any = try_join(f, f->group[at.v[i].k], f->group[at.v[j].k]);
		if (!any)
			return;
	}
}

/* What only kernels read that came to be one with its own need not be in memory. */
static void
drop_unread(Fuse *f)
{
	for (int64_t i = 0; i < f->n; i++) {
		Group *k = f->group[i];
		int64_t n = 0;
		for (int64_t r = 0; r < k->nroot; r++) {
			const Node *x = k->root[r];
			if (f->named[x->id] || f->read[x->id].n || x == k->first)
				k->root[n++] = k->root[r];
		}
		k->nroot = n;
	}
}

/* ---- small kernels ---- */

int64_t
group_work(const Group *k)
{
	int64_t work = 0;

	for (int64_t i = 0; i < k->nmember; i++)
		if (!add_ok(work, node_work(k->node[i]), &work))
			return INT64_MAX;
	return work;
}

static int64_t
chain_work(const Group *k)
{
	int64_t work = 0;

	for (; k; k = k->then)
		work = add_ok(work, group_work(k), &work) ? work : INT64_MAX;
	return work;
}

/* b, which waits for a, comes to stand behind it in one function when either does little */
static bool
try_append(Fuse *f, Group *a, Group *b)
{
	Group *last = a;
	int nnode = a->nnode + b->nnode;

	if (a->dot || b->dot || a->scatter || b->scatter || a->call || b->call || nnode > MAXGROUP
		|| (chain_work(a) > SMALL && chain_work(b) > SMALL)
		|| waits_around(f, b, a->id))
		return false;
	while (last->then)
		last = last->then;
	last->then = b;
	for (int64_t i = 0; i < b->dep.n; i++)
		in_add(f->arena, &a->dep, b->dep.v[i].k, 0);
	for (int64_t i = 0; i < f->n; i++)
		ins_rename(f->arena, &f->group[i]->dep, b->id, a->id);
	ins_drop(&a->dep, a->id);
	a->nnode = nnode;
	b->gone = true;
	return true;
}

/* A kernel that others were appended to waits for what they wait for, and is looked at again. */
static void
append_small(Fuse *f)
{
	for (int64_t i = f->n - 1; i >= 0; i--) {
		Group *b = f->group[i];
		for (int64_t d = 0; d < b->dep.n && !b->gone; d++) {
			int64_t k = b->dep.v[d].k;
			if (try_append(f, f->group[k], b) && k > i)
				i = k + 1;
		}
	}
}

/* ---- order ---- */

static void
visit(const Fuse *f, Group *k, Groups *out)
{
	if (k->mark == f->stamp)
		return;
	k->mark = f->stamp;
	for (int64_t i = 0; i < k->dep.n; i++)
		visit(f, f->group[k->dep.v[i].k], out);
	out->v[out->n++] = k;
}

static int
by_root(const void *p, const void *q)
{
	const Group *a = *(Group *const *)p, *b = *(Group *const *)q;

	return a->root[0]->id < b->root[0]->id ? -1 : a->root[0]->id > b->root[0]->id;
}

/* kernels in an order in which each comes after those that it waits for, else in the graph's */
static Groups
ordered(Fuse *f)
{
	Groups out = {NEW(f->arena, MAX(f->n, 1), Group *), 0};
	Group **byid = NEW(f->arena, MAX(f->n, 1), Group *);
	int64_t n = 0;

	for (int64_t i = 0; i < f->n; i++)
		if (!f->group[i]->gone)
			byid[n++] = f->group[i];
	if (n)
		qsort(byid, (size_t)n, sizeof *byid, by_root);
	f->stamp++;
	for (int64_t i = 0; i < n; i++)
		visit(f, byid[i], &out);
	return out;
}

static void
find_nested(Fuse *f)
{
	for (int64_t i = 0; i < f->g->nnode; i++) {
		const Node *n = f->g->node[i];
		if (n->op->kind == REDUCE)
			f->judge.nested[i] = reduce_form(n) == REDUCE_ROWS;
		else if (n->op->kind == MAP || n->op->kind == VIEW)
			for (int k = 0; k < n->nin; k++)
				f->judge.nested[i] |= f->judge.nested[n->in[k]->id] && dim_eq(count(n), count(n->in[k]))
						&& element_relation(n->in[k], n, k) == AT_ELEMENT;
	}
}

static void
add_members(Fuse *f)
{
	for (int64_t i = 0; i < f->g->nnode; i++) {
		Ins in = computed_in(f, f->g->node[i]);
		for (int64_t k = 0; k < in.n; k++) {
			Group *h = f->group[in.v[k].k];
			PUSH(f->arena, h->node, h->nmember, h->capmember, f->g->node[i]);
		}
	}
}

static int
live_users(const Fuse *f, const Node *n)
{
	int count = 0;

	for (int i = f->users.start[n->id]; i < f->users.start[n->id + 1]; i++)
		count += f->live[f->users.user[i]->id];
	return count;
}

/* What a named view shows in the same row-major order, and only it reads, is written to the memory of the view. */
static void
forward_names(Fuse *f)
{
	for (int64_t i = f->g->nnode - 1; i >= 0; i--) {
		Node *n = f->g->node[i], *x;
		if (!f->live[i] || !f->named[i] || n->op->kind != VIEW || n->nin != 1)
			continue;
		x = n->in[0];
		if (node_given(x) || node_literal(x) || f->named[x->id] || live_users(f, x) != 1
			|| !dim_eq(count(x), count(n)) || element_relation(x, n, 0) != AT_ELEMENT)
			continue;
		f->named[i] = false;
		f->named[x->id] = true;
		f->memory[x->id] = f->memory[n->id];
		f->shown[i] = true;
	}
}

Groups
fuse(Arena *a, Graph *g, const bool *named, Node **memory)
{
	Fuse *f = NEW(a, 1, Fuse);

	f->arena = a;
	f->g = g;
	f->named = NEW(a, MAX(g->nnode, 1), bool);
	f->memory = memory;
	f->live = graph_live(a, g);
	f->users = graph_users(a, g);
	for (int64_t i = 0; i < g->nnode; i++) {
		f->named[i] = named[i];
		f->memory[i] = g->node[i];
	}
	f->in = NEW(a, MAX(g->nnode, 1), Ins);
	f->read = NEW(a, MAX(g->nnode, 1), Ins);
	f->host = NEW(a, MAX(g->nnode, 1), int);
	f->judge.g = g;
	f->judge.addressed = NEW(a, MAX(g->nnode, 1), bool);
	f->judge.table = NEW(a, MAX(g->nnode, 1), bool);
	f->judge.nested = NEW(a, MAX(g->nnode, 1), bool);
	f->judge.again = NEW(a, MAX(g->nnode, 1), int);
	f->judge.from = NEW(a, MAX(g->nnode, 1), const Node *);
	f->paths = NEW(a, MAX(g->nnode, 1), Paths);
	f->shown = NEW(a, MAX(g->nnode, 1), bool);
	for (int64_t i = 0; i < g->nnode; i++)
		f->host[i] = -1;
	forward_names(f);
	find_nested(f);
	judge_again(&f->judge);
	for (int64_t i = g->nnode - 1; i >= 0; i--)
		if (f->live[i])
			settle(f, g->node[i]);
	for (int64_t i = 0; i < g->nnode; i++)
		join_around(f, g->node[i]);
	f->packing = true;
	for (int64_t i = 0; i < g->nnode; i++)
		join_around(f, g->node[i]);
	drop_unread(f);
	add_members(f);
	append_small(f);
	return ordered(f);
}

void
graph_fuse(Graph *g)
{
	Node **memory = NEW(g->arena, MAX(g->nnode, 1), Node *);
	Groups gs = fuse(g->arena, g, graph_named(g->arena, g), memory);
	Ins *in = NEW(g->arena, MAX(g->nnode, 1), Ins);

	for (int i = 0; i < gs.n; i++)
		for (const Group *k = gs.v[i]; k; k = k->then)
			for (int64_t m = 0; m < k->nmember; m++)
				in_add(g->arena, &in[k->node[m]->id], i, 0);
	for (int64_t i = 0; i < g->nnode; i++) {
		int *kernel = NEW(g->arena, MAX(in[i].n, 1), int);
		for (int64_t k = 0; k < in[i].n; k++)
			kernel[k] = in[i].v[k].k;
		g->node[i]->nkernel = (int)in[i].n;
		g->node[i]->kernel = kernel;
	}
}
