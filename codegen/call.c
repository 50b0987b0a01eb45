/* call: the bodies of forward, backward, infer and train_step: checks, the
 * places of values, and the steps, each under the condition that makes it needed.
 *
 * All that can be wrong with arguments is found before anything is written. A
 * value is a local pointer v_NAME (d_NAME: a gradient), unless it lies where an
 * argument points. */
#include "gen.h"

#include <stdlib.h>
#include <string.h>

typedef struct Caller {
	Buf *b;
	Arena *arena;
	const Program *p;
	const Function *f;
	const char *model, *upper;
	bool *live;                    /* slots that a step or copy touches */
	int *order;                    /* needs by size */
	int *number;                   /* of the variable of a need */
	bool *named;                   /* needs whose variable the text mentions */
	int tick;                      /* steps printed, where they are timed */
	int indent;
} Caller;

static bool
runs(const Need *n)
{
	return n->always || n->id >= 0;
}

static void
line(Caller *c, const char *s)
{
	buf_line(c->b, c->indent, s);
}

/* one more alternative of a condition */
static void
or(Buf *b, const char *s)
{
	buf_printf(b, "%s%s", b->n ? " || " : "", s);
}

/* ---- places ---- */

static const char *const self[NAREA] = {
	[AREA_INPUT] = "in", [AREA_PARAM] = "p", [AREA_STATE] = "s", [AREA_DATA] = "c", [AREA_COTANGENT] = "ct", [AREA_OUTPUT] = "out",
	[AREA_GRAD] = "g",
};

static const char *
member_text(Caller *c, Area area, int index)
{
	return arena_fmt(c->arena, "%s->%s", self[area], c->p->of[area].m[index].cname);
}

/* slots that took over memory are the same pointer */
static const char *
slot_text(Caller *c, const Slot *s)
{
	if (s->place.area == AREA_CONST)
		return arena_fmt(c->arena, "%s_c%d", c->model, s->place.index);
	if (s->place.area == AREA_SAVED || s->place.area == AREA_WORKSPACE || s->place.spare)
		return s->cname;
	return member_text(c, s->place.area, s->place.index);
}

static const Slot *
slot_of(Caller *c, int phase, const Node *n)
{
	const Phase *ph = &c->f->phase[phase];

	return &c->f->slot[ph->slot[ph->plan->storage[n->id]->id]];
}

/* a dimension at run time: "in->B * 512" */
static const char *
dim_code(Caller *c, Dim d)
{
	return c_dim(c->arena, c->p->user, d, "in->");
}

static const char *
bytes_code(Caller *c, const Type *t)
{
	return c_bytes(c->arena, c->p->user, t, "in->");
}

/* ---- what runs ---- */

static void
mark_live(Caller *c)
{
	const Function *f = c->f;

	c->live = NEW(c->arena, MAX(f->nslot, 1), bool);
	for (int h = 0; h < f->nphase; h++) {
		const Phase *ph = &f->phase[h];
		for (int i = 0; i < ph->plan->nstep; i++)
			for (int k = 0; runs(&ph->need[i]) && k < ph->plan->step[i].kernel->nbuf; k++)
				c->live[slot_of(c, h, ph->plan->step[i].buf[k]) - f->slot] = true;
		for (int64_t i = 0; i < ph->ncopy; i++)
			c->live[f->result[ph->copy[i].result].slot] = true;
	}
}

static bool
reports_index(const Caller *c)
{
	for (int h = 0; h < c->f->nphase; h++)
		for (int i = 0; i < c->f->phase[h].plan->nstep; i++)
			if (runs(&c->f->phase[h].need[i]) && c->f->phase[h].plan->step[i].kernel->checks_index)
				return true;
	return false;
}

/* ---- needs ---- */

static int
bits(uint64_t x)
{
	int n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}

static int
words(const Caller *c)
{
	return (int)(c->f->nresult / 64 + 1);
}

static int
need_size(const Caller *c, const Need *n)
{
	int count = 0;

	for (int i = 0; i < words(c); i++)
		count += bits(n->set[i]);
	return count;
}

static const char *
result_text(Caller *c, int64_t result)
{
	return member_text(c, c->f->result[result].to, c->f->result[result].index);
}

/* a condition: the one pointer, or the variable */
static const char *
need_text(Caller *c, int id)
{
	const Need *n = &c->f->need[id];

	c->named[id] = true;
	if (need_size(c, n) > 1)
		return arena_fmt(c->arena, "need%d", c->number[id]);
	for (int64_t i = 0; i < c->f->nresult; i++)
		if (n->set[i / 64] >> i % 64 & 1)
			return result_text(c, i);
	bug("an empty need");
}

static bool
subset(const Caller *c, const uint64_t *a, const uint64_t *b)
{
	for (int i = 0; i < words(c); i++)
		if (a[i] & ~b[i])
			return false;
	return true;
}

static void
sort_needs(Caller *c)
{
	const Function *f = c->f;
	int n = 0;

	c->order = NEW(c->arena, MAX(f->nneed, 1), int);
	c->number = NEW(c->arena, MAX(f->nneed, 1), int);
	c->named = NEW(c->arena, MAX(f->nneed, 1), bool);
	for (int size = 1; n < f->nneed; size++)
		for (int64_t i = 0; i < f->nneed; i++)
			if (need_size(c, &f->need[i]) == size)
				c->order[n++] = (int)i;
	for (int i = 0, next = 1; i < n; i++)
		if (need_size(c, &f->need[c->order[i]]) > 1)
			c->number[c->order[i]] = next++;
}

/* the variable of need order[k], in terms of smaller ones */
static const char *
need_code(Caller *c, int k)
{
	const Function *f = c->f;
	const Need *n = &f->need[c->order[k]];
	uint64_t *rest = memcpy(NEW(c->arena, words(c), uint64_t), n->set, (size_t)words(c) * sizeof *rest);
	Buf b = {.arena = c->arena};

	for (int j = k - 1; j >= 0; j--) {
		const Need *m = &f->need[c->order[j]];
		uint64_t new = 0;
		if (need_size(c, m) < 2 || !subset(c, m->set, n->set))
			continue;
		for (int i = 0; i < words(c); i++)
			new |= m->set[i] & rest[i];
		for (int i = 0; i < words(c); i++)
			rest[i] &= ~m->set[i];
		if (new)
			or(&b, need_text(c, m->id));
	}
	for (int64_t i = 0; i < f->nresult; i++)
		if (rest[i / 64] >> i % 64 & 1)
			or(&b, result_text(c, i));
	return arena_fmt(c->arena, "const bool %s = %s;", need_text(c, n->id), buf_str(&b));
}

/* the variables that the text in c->b mentions, before it */
static void
put_needs(Caller *c, Buf *out)
{
	const char **code = NEW(c->arena, MAX(c->f->nneed, 1), const char *);

	for (int k = (int)c->f->nneed - 1; k >= 0; k--)
		if (c->named[c->order[k]] && need_size(c, &c->f->need[c->order[k]]) > 1)
			code[k] = need_code(c, k);
	for (int64_t k = 0; k < c->f->nneed; k++)
		if (code[k])
			buf_line(out, 1, code[k]);
}

/* ---- checks ---- */

static void
refuse(Caller *c, const char *condition, const char *code)
{
	line(c, arena_fmt(c->arena, "if (%s)", condition));
	buf_printf(c->b, "\t\treturn %s_%s;\n", c->upper, code);
}

static void
check_arguments(Caller *c)
{
	const Program *p = c->p;
	const Function *f = c->f;
	bool back = f == p->backward, train = f == p->train, saves = p->split && (back || f == p->forward);
	Buf b = {.arena = c->arena};

	for (int area = AREA_INPUT; area <= AREA_DATA; area++)
		if (has_struct(p, (Area)area))
			or(&b, arena_fmt(c->arena, "!%s", self[area]));
	if (back && has_struct(p, AREA_COTANGENT))
		or(&b, "!ct");
	if (back || train)
		or(&b, "!g");
	if (train)
		or(&b, "!opt");
	if (!back)
		or(&b, "!out");
	if (saves)
		or(&b, "!saved");
	or(&b, "!workspace");
	refuse(c, buf_str(&b), "E_NULL");
	refuse(c, arena_fmt(c->arena, saves ? "((uintptr_t)saved | (uintptr_t)workspace) %% %s_ALIGN"
		: "(uintptr_t)workspace %% %s_ALIGN", c->upper), "E_ALIGN");
}

/* the arguments that steps under one need read (id -1: always), as "!in->x || !p->w" */
static const char *
missing(Caller *c, Map *seen, int id)
{
	Buf b = {.arena = c->arena};

	for (int64_t i = 0; i < c->f->nslot; i++) {
		const Slot *s = &c->f->slot[i];
		bool read = s->place.area >= AREA_INPUT && s->place.area <= AREA_COTANGENT;
		const char *t = read ? slot_text(c, s) : "";
		if (!c->live[i] || !read || (s->need.always ? -1 : s->need.id) != id || map_get(seen, t))
			continue;
		map_set(seen, t, c);
		or(&b, arena_fmt(c->arena, "!%s", t));
	}
	return b.n ? buf_str(&b) : NULL;
}

static void
require(Caller *c, Buf *b, Map *seen, const char *t)
{
	if (!map_get(seen, t))
		or(b, arena_fmt(c->arena, "!%s", t));
	map_set(seen, t, c);
}

/* members that the call reads or must write */
static void
check_members(Caller *c)
{
	const Program *p = c->p;
	const Function *f = c->f;
	Buf b = {.arena = c->arena};
	Map *seen = map_new(c->arena);
	const char *t = missing(c, seen, -1);

	if (t)
		buf_puts(&b, t);
	for (int64_t i = 0; i < f->nresult; i++)
		if (!f->result[i].optional && f->result[i].to != AREA_SAVED)
			require(c, &b, seen, member_text(c, f->result[i].to, f->result[i].index));
	for (int i = 0; f == p->train && i < p->of[AREA_GRAD].n; i++)
		if (optimized(p, i))
			require(c, &b, seen, member_text(c, AREA_PARAM, p->of[AREA_GRAD].m[i].param));
	if (f == p->train && optimizer_moments(p))
		or(&b, optimizer_nulls(c->arena, p));
	if (b.n)
		refuse(c, buf_str(&b), "E_NULL");
	for (int k = 0; k < f->nneed; k++)
		if ((t = missing(c, seen, c->order[k])))
			refuse(c, arena_fmt(c->arena, strstr(t, "||") ? "%s && (%s)" : "%s && %s", need_text(c, c->order[k]), t),
				"E_NULL");
}

static void
check_dims(Caller *c)
{
	Buf b = {.arena = c->arena};

	for (int s = 0; s < c->p->user->nsym; s++) {
		const Sym *y = &c->p->user->sym[s];
		if (c->p->syms >> s & 1)
			or(&b, arena_fmt(c->arena, "in->%s < %lld || in->%s > %lld", y->name, (long long)y->min, y->name,
				(long long)y->max));
	}
	if (b.n)
		refuse(c, buf_str(&b), "E_DIM");
}

/* a member of live arguments that holds indices, or NULL */
static const Member *
indices_in(const Caller *c, int64_t slot)
{
	const Slot *s = &c->f->slot[slot];
	const Member *m;

	if (!c->live[slot] || s->place.area < AREA_INPUT || s->place.area > AREA_STATE || s->def >= 0)
		return NULL;
	m = &c->p->of[s->place.area].m[s->place.index];
	return m->nlimit ? m : NULL;
}

static void
check_indices(Caller *c)
{
	const Member *m;

	for (int64_t i = 0; i < c->f->nslot; i++) {
		const Slot *s = &c->f->slot[i];
		for (int64_t k = 0; (m = indices_in(c, i)) && k < m->nlimit; k++)
			refuse(c, arena_fmt(c->arena, "%s%s%s_index_%s(%s, %s, %s, %lld)",
				s->need.always ? "" : need_text(c, s->need.id), s->need.always ? "" : " && ", c->model,
				dtype_name(m->type.dt), slot_text(c, s), dim_code(c, type_count(&m->type)),
				dim_code(c, m->limit[k].bound), m->limit[k].also == INT64_MIN ? 0LL : (long long)m->limit[k].also),
				"E_INDEX");
	}
}

/* ---- the header of saved ---- */

static void
check_header(Caller *c)
{
	Buf b = {.arena = c->arena};
	int k = 1;

	buf_printf(&b, "header[0] != %s_MAGIC", c->upper);
	for (int s = 0; s < c->p->user->nsym; s++)
		if (c->p->syms >> s & 1)
			buf_printf(&b, " || header[%d] != (uint64_t)in->%s", k++, c->p->user->sym[s].name);
	buf_puts(c->b, "\tconst uint64_t *const header = saved;\n");
	refuse(c, buf_str(&b), "E_SAVED");
}

static void
write_header(Caller *c)
{
	int k = 1;

	for (int s = 0; s < c->p->user->nsym; s++)
		if (c->p->syms >> s & 1)
			buf_printf(c->b, "\theader[%d] = (uint64_t)in->%s;\n", k++, c->p->user->sym[s].name);
	buf_printf(c->b, "\theader[0] = %s_MAGIC;\n", c->upper);
}

/* ---- values ---- */

/* what takes over memory is named after what lay there */
static void
put_value(Caller *c, const Slot *s)
{
	const Slot *old = s->same < 0 ? NULL : &c->f->slot[s->same];
	bool constant = s->place.area == AREA_SAVED && c->f == c->p->backward;
	const char *place = arena_fmt(c->arena, "(%svoid *)(%s + %lld)", constant ? "const " : "",
		s->place.area == AREA_SAVED ? "sv" : "ws", (long long)s->place.offset);
	const char *where = s->place.area == AREA_OUTPUT || s->place.area == AREA_GRAD
		? member_text(c, s->place.area, s->place.index) : NULL;

	if (old && c->live[old - c->f->slot] && old->place.area == AREA_WORKSPACE)
		place = old->n->type.dt == s->n->type.dt ? old->cname : arena_fmt(c->arena, "(void *)%s", old->cname);
	if (where)
		place = arena_fmt(c->arena, "%s ? %s : %s", where, where, place);
	line(c,
		arena_fmt(c->arena, "%s%s *const %s = %s;", constant ? "const " : "", c_type(s->n->type.dt), s->cname,
			place));
}

static void
put_values(Caller *c)
{
	for (int64_t i = 0; i < c->f->nslot; i++)
		if (c->live[i] && !strcmp(slot_text(c, &c->f->slot[i]), c->f->slot[i].cname))
			put_value(c, &c->f->slot[i]);
}

/* ---- steps ---- */

static void
put_step(Caller *c, int phase, int i)
{
	const Phase *ph = &c->f->phase[phase];
	const Step *st = &ph->plan->step[i];
	const Kernel *k = st->kernel;
	Buf b = {.arena = c->arena};
	const char *comma = "";

	buf_printf(&b, "%s%s_%s(", k->checks_index ? "bad |= " : "", c->model, k->name);
	for (int s = 0; s < c->p->user->nsym; s++)
		if (k->syms >> s & 1) {
			buf_printf(&b, "%sin->%s", comma, c->p->user->sym[s].name);
			comma = ", ";
		}
	for (int j = 0; j < k->nbuf; j++) {
		buf_printf(&b, "%s%s", comma, slot_text(c, slot_of(c, phase, st->buf[j])));
		comma = ", ";
	}
	if (k->scratch)
		buf_printf(&b, "%sws + %lld", comma, (long long)ph->scratch[i]);
	buf_puts(&b, ");");
	line(c, buf_str(&b));
	if (c->p->opt->ticks)
		line(c, arena_fmt(c->arena, "bench_tick(%d);", c->tick++));
}

static void
put_copy(Caller *c, const Copy *x, const char *to, const char *from)
{
	const Result *r = &c->f->result[x->result];
	const Type *t = &r->v->type;

	if (r->optional)
		line(c, arena_fmt(c->arena, "if (%s)", to));
	c->indent += r->optional;
	if (r->add)
		line(c, arena_fmt(c->arena, "%s_add_%s(%s, %s, %s);", c->model, dtype_name(t->dt), to, from,
			dim_code(c, type_count(t))));
	else
		line(c, arena_fmt(c->arena, "memcpy(%s, %s, %s);", to, from, bytes_code(c, t)));
	c->indent -= r->optional;
}

static const char *
copy_target(Caller *c, const Result *r)
{
	if (r->to == AREA_SAVED)
		return arena_fmt(c->arena, "sv + %lld", (long long)c->p->of[AREA_SAVED].m[r->index].offset);
	return member_text(c, r->to, r->index);
}

static void
put_copies(Caller *c, const Phase *ph)
{
	for (int64_t i = 0; i < ph->ncopy; i++)
		if (ph->copy[i].via >= 0)
			line(c, arena_fmt(c->arena, "memcpy(ws + %lld, %s, %s);", (long long)ph->copy[i].via,
				slot_text(c, &c->f->slot[c->f->result[ph->copy[i].result].slot]),
				bytes_code(c, &c->f->result[ph->copy[i].result].v->type)));
	for (int64_t i = 0; i < ph->ncopy; i++) {
		const Copy *x = &ph->copy[i];
		const Result *r = &c->f->result[x->result];
		const char *from = x->via < 0 ? slot_text(c, &c->f->slot[r->slot])
			: arena_fmt(c->arena, "ws + %lld", (long long)x->via);
		put_copy(c, x, copy_target(c, r), from);
	}
}

/* the next step from i on that runs, or nstep */
static int
next_step(const Phase *ph, int i)
{
	while (i < ph->plan->nstep && !runs(&ph->need[i]))
		i++;
	return i;
}

/* steps with the same need share one condition; returns the step after them */
static int
put_steps(Caller *c, int h, int i)
{
	const Phase *ph = &c->f->phase[h];
	bool test = !ph->need[i].always;
	int id = test ? ph->need[i].id : -1, second = next_step(ph, i + 1);
	bool brace = test && (c->p->opt->ticks
		|| (second < ph->plan->nstep && !ph->need[second].always && ph->need[second].id == id));

	if (test)
		line(c, arena_fmt(c->arena, "if (%s)%s", need_text(c, id), brace ? " {" : ""));
	c->indent += test;
	do {
		put_step(c, h, i);
		i = next_step(ph, i + 1);
	} while (i < ph->plan->nstep && ph->need[i].always == !test && (!test || ph->need[i].id == id));
	c->indent -= test;
	if (brace)
		line(c, "}");
	return i;
}

static void
put_phase(Caller *c, int h)
{
	const Phase *ph = &c->f->phase[h];

	if (h)
		buf_puts(c->b, "\n\t/* backward */\n");
	for (int i = next_step(ph, 0); i < ph->plan->nstep;)
		i = put_steps(c, h, i);
	put_copies(c, ph);
}

/* is there something at an offset of an argument? */
static bool
lies_in(const Caller *c, Area area)
{
	for (int64_t i = 0; i < c->f->nslot; i++)
		if (c->live[i] && (c->f->slot[i].place.area == area || (area == AREA_WORKSPACE && c->f->slot[i].place.spare)))
			return true;
	for (int h = 0; h < c->f->nphase; h++) {
		const Phase *ph = &c->f->phase[h];
		for (int i = 0; area == AREA_WORKSPACE && i < ph->plan->nstep; i++)
			if (runs(&ph->need[i]) && ph->scratch[i] >= 0)
				return true;
		for (int64_t i = 0; i < ph->ncopy; i++)
			if (area == AREA_WORKSPACE ? ph->copy[i].via >= 0 : c->f->result[ph->copy[i].result].to == area)
				return true;
	}
	return false;
}

static void
put_body(Caller *c)
{
	const Program *p = c->p;
	bool saves = c->f == p->forward && p->split, bad = reports_index(c);
	int64_t begin;

	check_members(c);
	check_dims(c);
	if (c->f == p->backward)
		check_header(c);
	check_indices(c);
	buf_putc(c->b, '\n');
	begin = c->b->n;
	if (lies_in(c, AREA_WORKSPACE))
		buf_puts(c->b, "\tchar *const ws = workspace;\n");
	if (lies_in(c, AREA_SAVED))
		buf_puts(c->b, c->f == p->backward ? "\tconst char *const sv = saved;\n" : "\tchar *const sv = saved;\n");
	if (saves)
		buf_puts(c->b, "\tuint64_t *const header = saved;\n");
	put_values(c);
	if (bad)
		buf_puts(c->b, "\tint bad = 0;\n");
	if (c->b->n > begin)
		buf_putc(c->b, '\n');
	if (saves)
		buf_puts(c->b, "\theader[0] = 0;\n");
	if (p->opt->ticks)
		line(c, "bench_tick(-1);");
	for (int h = 0; h < c->f->nphase; h++)
		put_phase(c, h);
	if (bad)
		refuse(c, "bad", "E_INDEX");
	if (saves)
		write_header(c);
	if (c->f == p->train)
		buf_printf(c->b, "\n\t%s_step(p, g, opt);\n", c->model);
}

static Caller
caller(Buf *b, const Program *p, const Function *f)
{
	Caller c = {.b = b, .arena = b->arena, .p = p, .f = f, .model = p->user->name, .indent = 1};

	c.upper = upper(c.arena, c.model);
	mark_live(&c);
	sort_needs(&c);
	return c;
}

void
call_print(Buf *b, const Program *p, const Function *f)
{
	Buf body = {.arena = b->arena};
	Caller c;

	if (!f)
		return;
	c = caller(b, p, f);
	buf_puts(b, "int\n");
	buf_line(b, 0, arena_fmt(c.arena, "%s_%s%s", c.model, f->name, call_arguments(c.arena, p, f)));
	buf_puts(b, "{\n");
	check_arguments(&c);
	c.b = &body;
	put_body(&c);
	put_needs(&c, b);
	buf_put(b, body.s, body.n);
	buf_printf(b, "\treturn %s_OK;\n}\n\n", c.upper);
}

const Step *const *
call_steps(Arena *a, const Function *f, int *n)
{
	int64_t cap = 0, count = 0;
	const Step **all = NULL;

	for (int h = 0; h < f->nphase; h++)
		for (int i = next_step(&f->phase[h], 0); i < f->phase[h].plan->nstep; i = next_step(&f->phase[h], i + 1))
			PUSH(a, all, count, cap, &f->phase[h].plan->step[i]);
	*n = (int)count;
	return all;
}

/* ---- what bodies call ---- */

static void
put_index_check(Buf *b, const Program *p, DType d)
{
	const char *m = p->user->name;

	buf_puts(b, "/* is an index outside of [0, bound), and not `also`? */\nstatic bool\n");
	buf_line(b, 0,
		arena_fmt(b->arena, "%s_index_%s(const %s *x, int64_t n, int64_t bound, int64_t also)", m,
			dtype_name(d), c_type(d)));
	buf_puts(b, "{\n\tfor (int64_t i = 0; i < n; i++)\n"
		"\t\tif ((uint64_t)x[i] >= (uint64_t)bound && (uint64_t)x[i] != (uint64_t)also)\n"
		"\t\t\treturn true;\n\treturn false;\n}\n\n");
}

static void
put_add(Buf *b, const Program *p, DType d)
{
	const char *m = p->user->name, *t = c_type(d);

	buf_puts(b, "/* gradients are accumulated */\nstatic void\n");
	buf_line(b, 0, arena_fmt(b->arena, "%s_add_%s(%s *restrict sum, const %s *restrict x, int64_t n)", m, dtype_name(d), t, t));
	buf_printf(b, "{\n\t%s_PARALLEL_FOR\n\tfor (int64_t i = 0; i < n; i++)\n", upper(b->arena, m));
	if (dtype_half(d))
		buf_printf(b, "\t\tsum[i] = %s_f32_to_%s(%s_%s_to_f32(sum[i]) + %s_%s_to_f32(x[i]));\n}\n\n", m, dtype_name(d), m,
			dtype_name(d), m, dtype_name(d));
	else
		buf_puts(b, "\t\tsum[i] += x[i];\n}\n\n");
}

void
call_use(const Program *p)
{
	for (int64_t i = 0; p->opt->accumulate && i < p->of[AREA_GRAD].n; i++) {
		DType d = p->of[AREA_GRAD].m[i].type.dt;
		if (!dtype_half(d))
			continue;
		rt_use(kernels_rt(p->kernels), arena_fmt(p->user->arena, "rt_%s_to_f32", dtype_name(d)));
		rt_use(kernels_rt(p->kernels), arena_fmt(p->user->arena, "rt_f32_to_%s", dtype_name(d)));
	}
}

void
call_print_helpers(Buf *b, const Program *p)
{
	const Function *const call[] = {p->infer, p->forward, p->backward, p->train};
	bool index[NDTYPE] = {false}, add[NDTYPE] = {false};

	for (int k = 0; k < LEN(call); k++)
		if (call[k]) {
			Caller c = caller(b, p, call[k]);
			for (int64_t i = 0; i < call[k]->nslot; i++)
				if (indices_in(&c, i))
					index[indices_in(&c, i)->type.dt] = true;
		}
	for (int64_t i = 0; p->opt->accumulate && i < p->of[AREA_GRAD].n; i++)
		add[p->of[AREA_GRAD].m[i].type.dt] = true;
	for (int d = 0; d < NDTYPE; d++) {
		if (index[d])
			put_index_check(b, p, (DType)d);
		if (add[d])
			put_add(b, p, (DType)d);
	}
	if (p->split)
		buf_printf(b, "/* of a model and its options: what saved begins with */\n#define %s_MAGIC 0x%.16sull\n\n",
			upper(b->arena, p->user->name), p->sha);
}
