/* buffers: where the values of a function live, from its plans and results.
 *
 * Time counts the steps of all phases; the end of a phase is a moment of its
 * own, at which results are copied that could not be computed in place. What
 * is in memory is a slot: leaves and constants have theirs from the start, a
 * result is written where the caller wants it when it can be, and all others
 * share the workspace by lifetime (lib/pack.c). A step whose kernel allows it
 * writes over what it reads for the last time.
 *
 * A caller may leave out gradients and outputs. Need, going backwards, says which
 * of them a step works for, so that the others' work is skipped. */
#include "gen.h"

#include <string.h>

typedef struct Planner {
	Arena *arena;
	Program *p;
	Function *f;
	int *leaf[NAREA];              /* slot of a member + 1; 0: none yet */
	Map *names;
	int words;                     /* of a need's set */
	PackBuf *item;                 /* what the workspace holds */
	int64_t nitem, capitem;
	int *item_of;                  /* slot -> item, or -1 */
	bool *taken;                   /* by slot: another one has taken over its memory */
	int *touch;                    /* by slot: the need of all steps that touch it, or MIXED */
} Planner;

/* ---- slots ---- */

/* v_h for the user's h, v_h_exp for an exp that h is made of, d_h_exp when backward has it for h */
static const char *
slot_base(Planner *w, const Node *n)
{
	const char *made = n->from ? n->from : "";

	if (n->name)
		return arena_fmt(w->arena, "v_%s", c_ident(w->arena, n->name));
	if (!*made)
		return arena_fmt(w->arena, "t_%s", n->op->name);
	return arena_fmt(w->arena, "%s_%s_%s", n->side == SIDE_B ? "d" : "v", c_ident(w->arena, made), n->op->name);
}

static void
name_slot(Planner *w, Slot *s)
{
	const char *base = slot_base(w, s->n), *name = base;

	for (int i = 2; map_get(w->names, name); i++)
		name = arena_fmt(w->arena, "%s_%d", base, i);
	map_set(w->names, name, w);
	s->cname = name;
}

/* the user's names first */
static void
name_slots(Planner *w)
{
	for (int named = 1; named >= 0; named--)
		for (int64_t i = 0; i < w->f->nslot; i++)
			if ((w->f->slot[i].n->name != NULL) == named)
				name_slot(w, &w->f->slot[i]);
}

static int
slot_add(Planner *w, Node *n, Place at)
{
	Function *f = w->f;
	Slot s = {.n = n, .place = at, .def = at.area ? -1 : INT32_MAX, .last = -1, .same = -1};

	s.place.bytes = type_max_bytes(w->p->user, &n->type);
	s.need.set = NEW(w->arena, w->words, uint64_t);
	PUSH(w->arena, f->slot, f->nslot, f->capslot, s);
	return (int)f->nslot - 1;
}

/* index in the unit's table of constants */
static int
constant_index(Planner *w, Node *n)
{
	Program *p = w->p;
	Buf key = {.arena = w->arena};
	intptr_t i;

	buf_put(&key, (const char *)&n->type.dt, sizeof n->type.dt);
	buf_put(&key, n->blob->data, n->blob->nbytes);
	if ((i = (intptr_t)map_get_bytes(p->constants, key.s, key.n)))
		return (int)i - 1;
	PUSH(w->arena, p->constant, p->nconstant, p->capconstant, n);
	map_set_bytes(p->constants, key.s, key.n, (void *)(intptr_t)p->nconstant);
	return (int)p->nconstant - 1;
}

/* the member that a leaf is, in the eyes of this function */
static Place
leaf_place(Planner *w, const Leaf *l)
{
	Program *p = w->p;
	const char *name = l->role == COTANGENT || (l->role == SAVED && l->of) ? l->of : l->name;
	Place at = {.area = area_of(l->role)};
	int old = member_find(&p->of[AREA_SAVED], name);

	/* backward after forward has updated the leaf: forward kept the old value */
	if (w->f == p->backward && old >= 0 && p->of[AREA_SAVED].m[old].leaf)
		at.area = AREA_SAVED;
	at.index = member_find(&p->of[at.area], name);
	if (at.index < 0)
		bug("the leaf %s is no member of %s's arguments", l->name, w->f->name);
	if (at.area == AREA_SAVED)
		at.offset = p->of[AREA_SAVED].m[at.index].offset;
	return at;
}

static int
fixed_slot(Planner *w, Node *n, Place at)
{
	int *memo = &w->leaf[at.area][at.index];

	if (!*memo)
		*memo = slot_add(w, n, at) + 1;
	return *memo - 1;
}

static int
constant_slot(Planner *w, Node *n)
{
	int index = constant_index(w, n);

	for (int64_t i = 0; i < w->f->nslot; i++)
		if (w->f->slot[i].place.area == AREA_CONST && w->f->slot[i].place.index == index)
			return (int)i;
	return slot_add(w, n, (Place){.area = AREA_CONST, .index = index});
}

/* a constant that the caller loads */
static int
data_slot(Planner *w, Node *n)
{
	int index = data_member(w->arena, w->p, n);

	for (int64_t i = 0; i < w->f->nslot; i++)
		if (w->f->slot[i].place.area == AREA_DATA && w->f->slot[i].place.index == index)
			return (int)i;
	return slot_add(w, n, (Place){.area = AREA_DATA, .index = index});
}

static int slot_of(Planner *w, int phase, Node *n);

/* in train_step, the value that the first phase left */
static int
saved_slot(Planner *w, const Leaf *l)
{
	const Graph *fwd = w->f->phase[0].plan->g;
	Node *v = port_find(&fwd->saved, l->of ? l->of : l->name);

	if (!v)
		bug("forward does not save %s", l->name);
	return slot_of(w, 0, v);
}

static int
slot_of(Planner *w, int phase, Node *n)
{
	Phase *ph = &w->f->phase[phase];
	Node *home = ph->plan->storage[n->id];
	int *s;

	if (!home)
		bug("%s: %s is not in memory", w->f->name, nn(n));
	s = &ph->slot[home->id];
	if (*s >= 0)
		return *s;
	if (home->leaf && home->leaf->role == SAVED && phase > 0)
		return *s = saved_slot(w, home->leaf);
	if (home->leaf)
		return *s = fixed_slot(w, home, leaf_place(w, home->leaf));
	if (node_given(home) && home->blob->file && !w->p->constants_inline)
		return *s = data_slot(w, home);
	if (node_given(home))
		return *s = constant_slot(w, home);
	return *s = slot_add(w, home, (Place){0});
}

/* ---- lifetimes ---- */

static void
use(Slot *s, int t)
{
	s->last = MAX(s->last, t);
}

static void
walk_steps(Planner *w, int phase)
{
	Phase *ph = &w->f->phase[phase];

	for (int i = 0; i < ph->plan->nstep; i++) {
		const Step *st = &ph->plan->step[i];
		for (int k = 0; k < st->kernel->nbuf; k++) {
			int id = slot_of(w, phase, st->buf[k]);
			Slot *s = &w->f->slot[id];
			use(s, ph->start + i);
			if (!st->kernel->buf[k].write)
				continue;
			if (s->place.area)
				bug("%s: step %d (%s) writes %s, an argument", w->f->name, i, st->kernel->name, nn(s->n));
			s->def = MIN(s->def, ph->start + i);
		}
	}
}

static void
check_defined(const Function *f)
{
	for (int64_t i = 0; i < f->nslot; i++)
		if (f->slot[i].def == INT32_MAX)
			bug("%s: nothing computes %s", f->name, nn(f->slot[i].n));
}

/* ---- needs ---- */

static void
join(Planner *w, Need *to, const Need *from)
{
	to->always |= from->always;
	for (int i = 0; i < w->words; i++)
		to->set[i] |= from->set[i];
}

static void
need_results(Planner *w)
{
	Function *f = w->f;

	for (int64_t i = 0; i < f->nresult; i++) {
		Need *n = &f->slot[f->result[i].slot].need;
		if (f->result[i].optional)
			n->set[i / 64] |= (uint64_t)1 << i % 64;
		else
			n->always = true;
	}
}

/* users before producers */
static void
need_steps(Planner *w)
{
	Function *f = w->f;

	for (int h = f->nphase - 1; h >= 0; h--) {
		Phase *ph = &f->phase[h];
		for (int i = ph->plan->nstep - 1; i >= 0; i--) {
			const Step *st = &ph->plan->step[i];
			Need *n = &ph->need[i];
			n->set = NEW(w->arena, w->words, uint64_t);
			for (int k = 0; k < st->kernel->nbuf; k++)
				if (st->kernel->buf[k].write)
					join(w, n, &f->slot[slot_of(w, h, st->buf[k])].need);
			for (int k = 0; k < st->kernel->nbuf; k++)
				if (!st->kernel->buf[k].write || st->kernel->buf[k].read)
					join(w, &f->slot[slot_of(w, h, st->buf[k])].need, n);
		}
	}
}

static int
need_size(const Planner *w, const Need *n)
{
	int count = 0;

	for (int i = 0; i < w->words; i++)
		for (uint64_t b = n->set[i]; b; b &= b - 1)
			count++;
	return count;
}

static bool
need_eq(const Planner *w, const Need *a, const Need *b)
{
	return a->always == b->always && (a->always || !memcmp(a->set, b->set, (size_t)w->words * sizeof *a->set));
}

static int
need_id(Planner *w, const Need *n)
{
	Function *f = w->f;

	if (n->always || !need_size(w, n))
		return -1;
	for (int64_t i = 0; i < f->nneed; i++)
		if (need_eq(w, &f->need[i], n))
			return (int)i;
	PUSH(w->arena, f->need, f->nneed, f->capneed, *n);
	f->need[f->nneed - 1].id = (int)f->nneed - 1;
	return (int)f->nneed - 1;
}

static void
number_needs(Planner *w)
{
	Function *f = w->f;

	for (int h = 0; h < f->nphase; h++)
		for (int i = 0; i < f->phase[h].plan->nstep; i++)
			f->phase[h].need[i].id = need_id(w, &f->phase[h].need[i]);
	for (int64_t i = 0; i < f->nslot; i++)
		f->slot[i].need.id = need_id(w, &f->slot[i].need);
}

/* ---- places of results ---- */

static void
copy_add(Planner *w, int result, int phase)
{
	Phase *ph = &w->f->phase[phase];

	use(&w->f->slot[w->f->result[result].slot], ph->end);
	PUSH(w->arena, ph->copy, ph->ncopy, ph->capcopy, ((Copy){result, -1}));
}

/* what stays where it is: leaves and constants, which are results of their own name only */
static bool
is_fixed(const Slot *s)
{
	return s->def < 0;
}

static bool
is_update(const Result *r)
{
	return r->to == AREA_STATE || r->to == AREA_PARAM;
}

/* does the step at time t allow slot `to` to be written over slot `from`? */
static bool
step_reuses(Planner *w, const Step *st, int phase, int to, int from, int *i, int *j)
{
	int seen = 0;

	*i = *j = -1;
	for (int k = 0; k < st->kernel->nbuf; k++) {
		int s = slot_of(w, phase, st->buf[k]);
		if (s == to)
			*i = k;
		if (s == from) {
			*j = k;
			seen++;
		}
	}
	return *i >= 0 && seen == 1 && st->reuse && st->reuse[*i] >> *j & 1;
}

static const Step *
step_at(const Function *f, int t, int *phase)
{
	*phase = f->nphase > 1 && t >= f->phase[1].start;
	return &f->phase[*phase].plan->step[t - f->phase[*phase].start];
}

/* slot s is computed when the old value of the leaf it updates is not read again */
static bool
update_in_place(Planner *w, const Result *r)
{
	Slot *s = &w->f->slot[r->slot];
	int old = w->leaf[r->to][r->index] - 1, phase, i, j;
	const Step *st;

	if (s->place.area)
		return false;
	if (old < 0 || w->f->slot[old].last < s->def)
		return true;
	if (w->f->slot[old].last > s->def)
		return false;
	st = step_at(w->f, s->def, &phase);
	if (!step_reuses(w, st, phase, r->slot, old, &i, &j))
		return false;
	st->same[i] = j;
	s->same = old;
	return true;
}

static void
place_updates(Planner *w)
{
	Function *f = w->f;

	for (int64_t i = 0; i < f->nresult; i++) {
		Result *r = &f->result[i];
		Slot *s = &f->slot[r->slot];
		if (is_update(r) && !is_fixed(s) && update_in_place(w, r))
			s->place = (Place){.area = r->to, .index = r->index, .bytes = s->place.bytes};
	}
}

enum { MIXED = -2, UNTOUCHED = -3 };

/* which steps touch a slot, as far as needs can tell */
static void
touch_all(Planner *w)
{
	w->touch = NEW(w->arena, MAX(w->f->nslot, 1), int);
	for (int64_t i = 0; i < w->f->nslot; i++)
		w->touch[i] = UNTOUCHED;
	for (int h = 0; h < w->f->nphase; h++) {
		Phase *ph = &w->f->phase[h];
		for (int i = 0; i < ph->plan->nstep; i++)
			for (int k = 0; k < ph->plan->step[i].kernel->nbuf; k++) {
				int *t = &w->touch[slot_of(w, h, ph->plan->step[i].buf[k])];
				*t = *t == UNTOUCHED || *t == ph->need[i].id ? ph->need[i].id : MIXED;
			}
	}
}

/* is the caller's array alone enough, because nothing touches the slot when it is NULL? */
static bool
only_for(Planner *w, int64_t slot, int64_t result)
{
	const Need *n = w->touch[slot] < 0 ? NULL : &w->f->need[w->touch[slot]];

	return n && need_size(w, n) == 1 && n->set[result / 64] >> result % 64 & 1;
}

static void
place_results(Planner *w, bool saved)
{
	Function *f = w->f;

	for (int64_t i = 0; i < f->nresult; i++) {
		Result *r = &f->result[i];
		Slot *s = &f->slot[r->slot];
		Place at = {.area = r->to, .index = r->index, .bytes = s->place.bytes};
		if (s->place.area || r->add || is_update(r) || (r->to == AREA_SAVED) != saved)
			continue;
		if (saved)
			at.offset = w->p->of[AREA_SAVED].m[r->index].offset;
		s->place = at;
	}
}

static bool
lies_there(const Result *r, const Slot *s)
{
	return s->place.area == r->to && s->place.index == r->index;
}

static void
copy_results(Planner *w, bool updates)
{
	Function *f = w->f;

	for (int64_t i = 0; i < f->nresult; i++) {
		Result *r = &f->result[i];
		int old = is_update(r) ? w->leaf[r->to][r->index] - 1 : -1;
		int phase = r->phase;
		if (is_update(r) != updates || lies_there(r, &f->slot[r->slot]))
			continue;
		/* the old value may be read by a later phase */
		if (old >= 0 && f->slot[old].last > f->phase[phase].end)
			phase = f->nphase - 1;
		copy_add(w, (int)i, phase);
	}
}

/* a caller's array that may be NULL while something needs the value */
static void
find_spares(Planner *w)
{
	Function *f = w->f;

	for (int64_t i = 0; i < f->nresult; i++) {
		Slot *s = &f->slot[f->result[i].slot];
		if (f->result[i].optional && lies_there(&f->result[i], s) && !is_fixed(s))
			s->place.spare = !only_for(w, f->result[i].slot, i);
	}
}

/* claims in order: what backward finds, state, what the caller sees */
static void
place_all(Planner *w)
{
	Function *f = w->f;

	/* a leaf that is a result is read at the end: known before any leaf is overwritten */
	for (int64_t i = 0; i < f->nresult; i++)
		if (is_fixed(&f->slot[f->result[i].slot]) && !lies_there(&f->result[i], &f->slot[f->result[i].slot]))
			use(&f->slot[f->result[i].slot], f->phase[f->nphase - 1].end);
	place_results(w, true);
	place_updates(w);
	place_results(w, false);
	copy_results(w, false);
	copy_results(w, true);
	touch_all(w);
	find_spares(w);
}

/* ---- the workspace ---- */

static int
item_add(Planner *w, int lo, int hi, int64_t size)
{
	PUSH(w->arena, w->item, w->nitem, w->capitem, ((PackBuf){.lo = lo, .hi = hi, .size = size, .align = ALIGN}));
	return (int)w->nitem - 1;
}

static bool
in_workspace(const Slot *s)
{
	return !s->place.area || s->place.area == AREA_WORKSPACE;
}

/* slot `to`, first written at time t, takes over memory that is read there for the last time */
static void
take_over(Planner *w, const Step *st, int phase, int t, int to)
{
	Function *f = w->f;
	Slot *s = &f->slot[to];
	int i, j;

	for (int k = 0; k < st->kernel->nbuf; k++) {
		int from = slot_of(w, phase, st->buf[k]);
		Slot *r = &f->slot[from];
		PackBuf *item = w->item_of[from] < 0 ? NULL : &w->item[w->item_of[from]];
		if (from == to || !item || w->taken[from] || !in_workspace(r) || r->last != t || item->size < s->place.bytes
			|| !step_reuses(w, st, phase, to, from, &i, &j))
			continue;
		w->taken[from] = true;
		item->hi = s->last + 1;
		w->item_of[to] = w->item_of[from];
		s->same = from;
		st->same[i] = j;
		return;
	}
}

static void
workspace_slot(Planner *w, const Step *st, int phase, int t, int id)
{
	Slot *s = &w->f->slot[id];

	if (s->def != t || w->item_of[id] >= 0)
		return;
	if (in_workspace(s)) {
		take_over(w, st, phase, t, id);
		s->place.area = AREA_WORKSPACE;
	} else if (!s->place.spare) {
		return;
	}
	if (w->item_of[id] < 0)
		w->item_of[id] = item_add(w, s->def, s->last + 1, s->place.bytes);
}

static void
workspace_steps(Planner *w, int phase)
{
	Phase *ph = &w->f->phase[phase];

	for (int i = 0; i < ph->plan->nstep; i++) {
		const Step *st = &ph->plan->step[i];
		int t = ph->start + i;
		ph->scratch[i] = -1;
		if (st->kernel->scratch)
			ph->scratch[i] = item_add(w, t, t + 1, st->kernel->scratch);
		for (int k = 0; k < st->kernel->nbuf; k++)
			if (st->kernel->buf[k].write)
				workspace_slot(w, st, phase, t, slot_of(w, phase, st->buf[k]));
	}
}

/* an update whose source is a leaf that is updated as well: all are read before the first is written */
static void
detours(Planner *w, Phase *ph)
{
	Function *f = w->f;

	for (int64_t i = 0; i < ph->ncopy; i++) {
		const Result *r = &f->result[ph->copy[i].result];
		const Slot *s = &f->slot[r->slot];
		bool target = false;
		for (int64_t k = 0; k < f->nresult; k++)
			target |= is_update(&f->result[k]) && lies_there(&f->result[k], s);
		if (is_update(r) && is_fixed(s) && target)
			ph->copy[i].via = item_add(w, ph->end, ph->end + 1, s->place.bytes);
	}
}

static void
pack_workspace(Planner *w)
{
	Function *f = w->f;
	const char *wrong;

	for (int h = 0; h < f->nphase; h++) {
		workspace_steps(w, h);
		detours(w, &f->phase[h]);
	}
	f->workspace = pack(w->arena, w->item, (int)w->nitem);
	f->bound = pack_bound(w->item, (int)w->nitem);
	if ((wrong = pack_check(w->arena, w->item, (int)w->nitem, f->workspace)))
		bug("%s: memory plan: %s", f->name, wrong);
	for (int64_t i = 0; i < f->nslot; i++)
		if (w->item_of[i] >= 0)
			f->slot[i].place.offset = w->item[w->item_of[i]].offset;
	for (int h = 0; h < f->nphase; h++) {
		Phase *ph = &f->phase[h];
		for (int i = 0; i < ph->plan->nstep; i++)
			if (ph->scratch[i] >= 0)
				ph->scratch[i] = w->item[ph->scratch[i]].offset;
		for (int64_t i = 0; i < ph->ncopy; i++)
			if (ph->copy[i].via >= 0)
				ph->copy[i].via = w->item[ph->copy[i].via].offset;
	}
}

/* ---- the function ---- */

static void
start(Planner *w)
{
	Function *f = w->f;
	int t = 0;

	w->names = map_new(w->arena);
	w->words = (int)(f->nresult / 64 + 1);
	for (int area = 0; area < NAREA; area++)
		w->leaf[area] = NEW(w->arena, MAX(w->p->of[area].n, 1), int);
	for (int h = 0; h < f->nphase; h++) {
		Phase *ph = &f->phase[h];
		const Plan *plan = ph->plan;
		ph->start = t;
		ph->end = t + plan->nstep;
		t = ph->end + 1;
		ph->slot = NEW(w->arena, MAX(plan->g->nnode, 1), int);
		for (int64_t i = 0; i < plan->g->nnode; i++)
			ph->slot[i] = -1;
		ph->need = NEW(w->arena, MAX(plan->nstep, 1), Need);
		ph->scratch = NEW(w->arena, MAX(plan->nstep, 1), int64_t);
		for (int i = 0; i < plan->nstep; i++) {
			Step *st = &plan->step[i];
			st->same = NEW(w->arena, MAX(st->kernel->nbuf, 1), int);
			for (int k = 0; k < st->kernel->nbuf; k++)
				st->same[k] = -1;
		}
	}
}

void
buffers(Arena *a, Program *p, Function *f)
{
	Planner w = {.arena = a, .p = p, .f = f};

	start(&w);
	for (int h = 0; h < f->nphase; h++)
		walk_steps(&w, h);
	for (int64_t i = 0; i < f->nresult; i++)
		f->result[i].slot = slot_of(&w, f->result[i].phase, f->result[i].v);
	check_defined(f);
	need_results(&w);
	need_steps(&w);
	number_needs(&w);
	place_all(&w);
	w.taken = NEW(a, MAX(f->nslot, 1), bool);
	w.item_of = NEW(a, MAX(f->nslot, 1), int);
	for (int64_t i = 0; i < f->nslot; i++)
		w.item_of[i] = -1;
	pack_workspace(&w);
	name_slots(&w);
}
