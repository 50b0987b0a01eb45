/* test_buffers.c: random programs are executed on their memory plan, where each 64 bytes of memory hold the
 * number of the value that lies there. Whatever a step reads or a result is must be there, for every choice of
 * results that the caller wants. */
#include "unit.h"
#include "gen.h"

enum { CELLS = 4096, MAXV = 64, MAXRES = 16 };

typedef struct Sim {
	Arena *a;
	Rng r;
	Program p;
	Function f;
	int saved[CELLS], work[CELLS];         /* what lies there: slot + 1 */
	int member[NAREA][MAXV];
	bool wanted[MAXRES];
	int spared;                            /* values that had to live in a spare place */
	int in_place, updated;                 /* what was seen, so that the test is about something */
} Sim;

/* ---- random programs ---- */

static Type
vec(Sim *s)
{
	Type t = {.dt = F32, .rank = 1};

	t.dim[0] = DIM(16 * (1 + rng_below(&s->r, 3)));
	return t;
}

static Node *
leaf(Sim *s, Graph *g, Role role, const char *name, Type t)
{
	Leaf l = {.role = role, .name = graph_str(g, name)};

	(void)s;
	return node_leaf(g, &l, t);
}

static Member
member(Sim *s, const char *name, Type t)
{
	return (Member){.name = name, .cname = name, .type = t, .bytes = type_max_bytes(s->p.user, &t), .param = -1};
}

static void
add_member(Sim *s, Area area, const char *name, Type t)
{
	Members *ms = &s->p.of[area];

	PUSH(s->a, ms->m, ms->n, ms->cap, member(s, name, t));
	ms->m[ms->n - 1].offset = ms->bytes;
	ms->bytes += (ms->m[ms->n - 1].bytes + 63) / 64 * 64;
}

static Node *
pick(Sim *s, Graph *g)
{
	return g->node[rng_below(&s->r, g->nnode)];
}

/* a node that no one but the plan looks into */
static Node *
value(Sim *s, Graph *g)
{
	Node *n = NEW(s->a, 1, Node);

	n->g = g;
	n->op = op_get(OP_add);
	n->type = vec(s);
	n->id = (int)g->nnode;
	PUSH(s->a, g->node, g->nnode, g->capnode, n);
	return n;
}

static Kernel *
kernel(Sim *s, int nread, int nwrite)
{
	Kernel *k = NEW(s->a, 1, Kernel);
	KBuf *b = NEW(s->a, nread + nwrite, KBuf);

	for (int i = 0; i < nread + nwrite; i++)
		b[i] = (KBuf){.name = "b", .dt = F32, .read = i < nread, .write = i >= nread};
	*k = (Kernel){.name = "k", .nbuf = nread + nwrite, .buf = b, .scratch = rng_below(&s->r, 4) ? 0 : 100};
	return k;
}

/* one step that reads up to three distinct memories and writes one or two new values */
static Step
step(Sim *s, Plan *p, Graph *g)
{
	int nread = 0, nwrite = 1 + (rng_below(&s->r, 4) == 0);
	Node *read[3];
	Step st = {0};
	uint64_t *reuse;

	for (int i = 0; i < 3 && g->nnode; i++) {
		Node *n = pick(s, g);
		bool seen = false;
		for (int k = 0; k < nread; k++)
			seen |= p->storage[read[k]->id] == p->storage[n->id];
		if (!seen)
			read[nread++] = n;
	}
	st.kernel = kernel(s, nread, nwrite);
	st.buf = NEW(s->a, nread + nwrite, Node *);
	reuse = NEW(s->a, nread + nwrite, uint64_t);
	for (int i = 0; i < nread; i++)
		st.buf[i] = read[i];
	for (int i = nread; i < nread + nwrite; i++) {
		st.buf[i] = value(s, g);
		p->storage[st.buf[i]->id] = st.buf[i];
		for (int k = 0; k < nread; k++)
			if (rng_below(&s->r, 3))
				reuse[i] |= (uint64_t)1 << k;
	}
	st.reuse = reuse;
	return st;
}

static Plan *
plan(Sim *s, Graph *g, int nstep)
{
	Plan *p = NEW(s->a, 1, Plan);

	*p = (Plan){.g = g, .nstep = nstep, .step = NEW(s->a, nstep, Step), .storage = NEW(s->a, MAXV, Node *)};
	for (int64_t i = 0; i < g->nnode; i++)
		p->storage[i] = g->node[i];
	for (int i = 0; i < nstep; i++) {
		p->step[i] = step(s, p, g);
		if (rng_below(&s->r, 4) == 0) {        /* a view of something */
			Node *base = pick(s, g), *view = value(s, g);
			view->type = base->type;
			p->storage[view->id] = p->storage[base->id];
		}
	}
	return p;
}

static void
result(Sim *s, Area to, int index, Node *v, int phase, bool optional, bool add)
{
	Function *f = &s->f;

	if (f->nresult < MAXRES)
		PUSH(s->a, f->result, f->nresult, f->capresult,
			((Result){.to = to, .index = index, .v = v, .phase = phase, .optional = optional, .add = add}));
}

static void
results(Sim *s, Graph *g, int phase)
{
	static const char *const out[] = {"o0", "o1", "o2"}, *const grad[] = {"g0", "g1", "g2"};

	for (int i = 0; i < 3; i++) {
		Node *v = pick(s, g), *w = pick(s, g);
		if (phase == 0) {
			add_member(s, AREA_OUTPUT, out[i], v->type);
			result(s, AREA_OUTPUT, i, v, 0, true, false);
		}
		if (phase == s->f.nphase - 1) {
			add_member(s, AREA_GRAD, grad[i], w->type);
			result(s, AREA_GRAD, i, w, phase, rng_below(&s->r, 3), rng_below(&s->r, 4) == 0);
		}
	}
}

static void
updates(Sim *s, Graph *g)
{
	for (int i = 0; i < s->p.of[AREA_STATE].n; i++)
		for (int try = 0; try < 20; try++) {
			Node *v = pick(s, g);
			if (type_eq(&v->type, &s->p.of[AREA_STATE].m[i].type)) {
				result(s, AREA_STATE, i, v, 0, false, false);
				break;
			}
		}
}

static Graph *
leaves(Sim *s, const char *const *saved, Node *const *of, int nsaved)
{
	static const char *const name[] = {"x", "y", "w", "s0", "s1"};
	static const Role role[] = {INPUT, INPUT, PARAM, BUFFER, BUFFER};
	Graph *g = graph_new(s->a, "g");

	for (int i = 0; i < LEN(name); i++) {
		Members *ms = &s->p.of[area_of(role[i])];
		int k = member_find(ms, name[i]);
		Type t = k < 0 ? vec(s) : ms->m[k].type;
		if (k < 0)
			add_member(s, area_of(role[i]), name[i], t);
		leaf(s, g, role[i], name[i], t);
	}
	for (int i = 0; i < nsaved; i++)
		leaf(s, g, SAVED, saved[i], of[i]->type);
	return g;
}

static void
draw(Sim *s)
{
	static const char *const saved[] = {"h0", "h1"};
	bool two = rng_below(&s->r, 2);
	Node *kept[2];
	Graph *g, *b;

	s->p.user = graph_new(s->a, "user");
	s->p.constants = map_new(s->a);
	s->f.name = "f";
	s->f.nphase = 1 + two;
	g = leaves(s, NULL, NULL, 0);
	s->f.phase[0].plan = plan(s, g, 3 + (int)rng_below(&s->r, 12));
	for (int i = 0; i < 2; i++) {
		kept[i] = pick(s, g);
		port_add(g, &g->saved, saved[i], kept[i], (Loc){0});
		add_member(s, AREA_SAVED, saved[i], kept[i]->type);
		if (!two)
			result(s, AREA_SAVED, i, kept[i], 0, false, false);
	}
	if (two) {
		b = leaves(s, saved, kept, 2);
		s->f.phase[1].plan = plan(s, b, 1 + (int)rng_below(&s->r, 8));
		results(s, b, 1);
	}
	results(s, g, 0);
	updates(s, g);
}

/* ---- execution ---- */

static bool
needed(Sim *s, const Need *n)
{
	bool any = n->always;

	for (int i = 0; i < s->f.nresult; i++)
		any |= s->wanted[i] && n->set[0] >> i & 1;
	return any;
}

/* is the caller's array of that member there? */
static bool
given(Sim *s, Area area, int index)
{
	for (int i = 0; i < s->f.nresult; i++)
		if (s->f.result[i].to == area && s->f.result[i].index == index)
			return s->wanted[i] || !s->f.result[i].optional;
	return true;
}

/* the cells of a slot at this call: *n of them */
static int *
cells(Sim *s, const Slot *x, int *n)
{
	const Place *at = &x->place;

	*n = (int)((at->bytes + 63) / 64);
	if (at->area == AREA_SAVED)
		return s->saved + at->offset / 64;
	if (at->area == AREA_WORKSPACE)
		return s->work + at->offset / 64;
	if (!given(s, at->area, at->index)) {
		assert_true(at->spare);
		s->spared++;
		return s->work + at->offset / 64;
	}
	*n = 1;
	return &s->member[at->area][at->index];
}

static void
expect(Sim *s, int slot)
{
	int n, *c = cells(s, &s->f.slot[slot], &n);

	for (int i = 0; i < n; i++)
		assert_int_equal(c[i], slot + 1);
}

static void
put(Sim *s, int slot)
{
	int n, *c = cells(s, &s->f.slot[slot], &n);

	for (int i = 0; i < n; i++)
		c[i] = slot + 1;
}

static bool
overlap(Sim *s, int x, int y)
{
	int n, m, *c = cells(s, &s->f.slot[x], &n), *d = cells(s, &s->f.slot[y], &m);

	return (uintptr_t)c < (uintptr_t)(d + m) && (uintptr_t)d < (uintptr_t)(c + n);
}

static int
slot_of(Sim *s, int h, const Node *n)
{
	return s->f.phase[h].slot[s->f.phase[h].plan->storage[n->id]->id];
}

static void
run_step(Sim *s, int h, int i)
{
	const Phase *ph = &s->f.phase[h];
	const Step *st = &ph->plan->step[i];
	int nread = 0;

	while (!st->kernel->buf[nread].write)
		expect(s, slot_of(s, h, st->buf[nread++]));
	for (int k = nread; k < st->kernel->nbuf; k++) {
		int to = slot_of(s, h, st->buf[k]);
		for (int j = 0; j < k; j++)
			if (overlap(s, to, slot_of(s, h, st->buf[j]))) {
				assert_int_equal(st->same[k], j);
				assert_true(st->reuse[k] >> j & 1);
				s->in_place++;
			}
	}
	if (st->kernel->scratch) {
		assert_true(ph->scratch[i] >= 0 && ph->scratch[i] % 64 == 0);
		s->work[ph->scratch[i] / 64] = s->work[ph->scratch[i] / 64 + 1] = -1;
	}
	for (int k = nread; k < st->kernel->nbuf; k++)
		put(s, slot_of(s, h, st->buf[k]));
}

static int *
target(Sim *s, const Result *r)
{
	if (r->to == AREA_SAVED)
		return s->saved + s->p.of[AREA_SAVED].m[r->index].offset / 64;
	return &s->member[r->to][r->index];
}

static void
run_copies(Sim *s, const Phase *ph)
{
	for (int64_t i = 0; i < ph->ncopy; i++)
		if (ph->copy[i].via >= 0) {
			int slot = s->f.result[ph->copy[i].result].slot, n;
			expect(s, slot);
			n = (int)((s->f.slot[slot].place.bytes + 63) / 64);
			for (int k = 0; k < n; k++)
				s->work[ph->copy[i].via / 64 + k] = slot + 1;
		}
	for (int64_t i = 0; i < ph->ncopy; i++) {
		const Result *r = &s->f.result[ph->copy[i].result];
		int *t = target(s, r), n = 1;
		if (r->optional && !s->wanted[ph->copy[i].result])
			continue;
		if (r->to == AREA_SAVED)
			n = (int)((s->f.slot[r->slot].place.bytes + 63) / 64);
		if (ph->copy[i].via >= 0)
			assert_int_equal(s->work[ph->copy[i].via / 64], r->slot + 1);
		else
			expect(s, r->slot);
		for (int k = 0; k < n; k++)
			t[k] = r->slot + 1;
	}
}

static void
check_results(Sim *s)
{
	for (int i = 0; i < s->f.nresult; i++) {
		const Result *r = &s->f.result[i];
		int *t = target(s, r);
		if (r->optional && !s->wanted[i])
			continue;
		assert_int_equal(*t, r->slot + 1);
		s->updated += r->to == AREA_STATE && s->f.slot[r->slot].place.area == AREA_STATE && s->f.slot[r->slot].def >= 0;
	}
}

static void
run(Sim *s)
{
	memset(s->work, 0, sizeof s->work);
	memset(s->saved, 0, sizeof s->saved);
	memset(s->member, 0, sizeof s->member);
	for (int i = 0; i < s->f.nslot; i++)
		if (s->f.slot[i].def < 0)
			put(s, i);
	for (int h = 0; h < s->f.nphase; h++) {
		for (int i = 0; i < s->f.phase[h].plan->nstep; i++)
			if (needed(s, &s->f.phase[h].need[i]))
				run_step(s, h, i);
		run_copies(s, &s->f.phase[h]);
	}
	check_results(s);
}

static void
plans_hold_what_is_read(void **state)
{
	int in_place = 0, updated = 0, spared = 0;

	(void)state;
	for (int seed = 0; seed < 3000; seed++) {
		Sim *s = calloc(1, sizeof *s);
		s->a = arena_new();
		s->r = rng_seed((uint64_t)seed);
		draw(s);
		buffers(s->a, &s->p, &s->f);
		assert_true(s->f.workspace <= CELLS * 64);
		assert_true(s->f.workspace >= s->f.bound);
		for (int k = 0; k < 6; k++) {
			for (int i = 0; i < s->f.nresult; i++)
				s->wanted[i] = k == 0 || (k > 1 && rng_below(&s->r, 2));
			run(s);
		}
		in_place += s->in_place;
		updated += s->updated;
		spared += s->spared;
		arena_free(s->a);
		free(s);
	}
	assert_true(in_place > 1000);
	assert_true(updated > 100);
	assert_true(spared > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_hold_what_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
