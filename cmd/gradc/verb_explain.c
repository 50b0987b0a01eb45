/* gradc explain: what backward gets of each forward value that it uses, and
 * why: kept, computed again, or free. Costs are those of the objective. What
 * the other choice for a value would cost is found by cutting once more with
 * that choice forced: all else may then change to make the best of it. */
#include "cmd.h"

#include <inttypes.h>
#include <string.h>

/* times arcs of the network: the work of all those cuts, some seconds at most */
enum { WORK = 200 * 1000 * 1000 };

typedef struct Line {
	const Choice *c;
	const char *name;              /* the user's, or of the user's node it belongs to, and the op */
	int64_t more;                  /* cost of the other choice beyond the plan's; INT64_MAX: none; -1: not asked */
	const char *forward;           /* kernels that write it in forward; NULL: not asked */
	const char *backward;          /* kernels that read it in backward; NULL: not asked */
} Line;
typedef struct Report {
	Arena *arena;
	const Split *s;
	const Options *o;
	const char *model;
	Line *line;
	int n;
	bool all_more;
} Report;

static const char *const fate_name[] = {[FATE_FREE] = "free", [FATE_SAVED] = "saved", [FATE_RECOMPUTED] = "recomputed"};
static const struct { const char *objective, *unit; int64_t parts; } units[] = {
	{"traffic", "bytes of traffic", 8}, {"time", "ns", 1000}, {"bytes", "bytes", 1},
};

static int64_t
more_of(const Split *s, const Choice *c)
{
	Arena *a = arena_new();
	int64_t least = c->fate == FATE_FREE ? INT64_MAX : split_otherwise(a, s, c->v->id);

	arena_free(a);
	return least == INT64_MAX ? least : least - s->cut.value;
}

/* names as saved values have them; a second one gets a number */
static void
name_lines(Report *r)
{
	Map *taken = map_new(r->arena);

	for (int i = 0; i < r->n; i++)
		if (r->line[i].c->name)
			map_set(taken, r->line[i].c->name, r);
	for (int i = 0; i < r->n; i++) {
		const Node *v = r->line[i].c->v;
		const char *base = v->from ? arena_fmt(r->arena, "%s.%s", v->from, v->op->name) : v->op->name;
		const char *name = r->line[i].c->name ? r->line[i].c->name : base;
		for (int k = 2; !r->line[i].c->name && map_get(taken, name); k++)
			name = arena_fmt(r->arena, "%s.%d", base, k);
		map_set(taken, name, r);
		r->line[i].name = name;
	}
}

/* those that `name` is about: a value, or all that a composite of the user's came to */
static void
choose_lines(Report *r, const char *name)
{
	int n = 0;

	for (int pass = 0; pass < 2 && !n; pass++)
		for (int i = 0; i < r->n; i++) {
			const char *of = pass ? r->line[i].c->v->from : r->line[i].name;
			if (of && !strcmp(of, name))
				r->line[n++] = r->line[i];
		}
	r->n = n;
}

static Report *
report_new(Arena *a, const Split *s, const Options *o, const char *model, const char *name)
{
	Report *r = NEW(a, 1, Report);

	*r = (Report){.arena = a, .s = s, .o = o, .model = model, .line = NEW(a, s->nchoice + 1, Line), .n = s->nchoice};
	for (int i = 0; i < r->n; i++)
		r->line[i] = (Line){.c = &s->choice[i], .more = -1};
	name_lines(r);
	if (name)
		choose_lines(r, name);
	r->all_more = (int64_t)r->n * s->narc <= WORK;
	for (int i = 0; i < r->n && r->all_more; i++)
		r->line[i].more = more_of(s, r->line[i].c);
	return r;
}

/* ---- kernels ---- */

/* names of the kernels that write n, or else read it */
static const char *
kernels_with(Arena *a, const Plan *plan, const Node *n, bool write)
{
	Buf b = {.arena = a};
	Map *seen = map_new(a);
	const Node *in = n ? plan->storage[n->id] : NULL;

	for (int i = 0; in && i < plan->nstep; i++) {
		const Kernel *k = plan->step[i].kernel;
		for (int j = 0; j < k->nbuf; j++)
			if (plan->step[i].buf[j] == in && (write ? k->buf[j].write : k->buf[j].read) && !map_get(seen, k->name)) {
				map_set(seen, k->name, seen);
				buf_printf(&b, "%s%s", b.n ? ", " : "", k->name);
			}
	}
	return buf_str(&b);
}

static const Node *
named_node(const Graph *g, const char *name)
{
	for (int64_t i = 0; i < g->nnode; i++)
		if (g->node[i]->name && !strcmp(g->node[i]->name, name))
			return g->node[i];
	return NULL;
}

static void
find_kernels(Report *r, const Program *p)
{
	const Plan *f = p->forward->phase[0].plan, *b = p->backward->phase[0].plan;

	for (int i = 0; i < r->n; i++) {
		Line *l = &r->line[i];
		const Leaf *leaf = leaf_find(b->g, l->name);
		const Node *made = l->c->fate == FATE_SAVED ? port_find(&f->g->saved, l->name) : NULL;
		const Node *again = leaf ? leaf->node : l->c->v->name ? named_node(b->g, l->c->v->name) : NULL;
		l->forward = kernels_with(r->arena, f, made, true);
		l->backward = kernels_with(r->arena, b, again, false);
	}
}

/* ---- numbers ---- */

/* "1,234,567" */
static const char *
grouped(Arena *a, int64_t n)
{
	char digits[32];
	int len = snprintf(digits, sizeof digits, "%" PRId64, n);
	Buf b = {.arena = a};

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_putc(&b, ',');
		buf_putc(&b, digits[i]);
	}
	return buf_str(&b);
}

static int
unit_of(const Options *o)
{
	for (int i = 0; i < LEN(units); i++)
		if (!strcmp(units[i].objective, o->objective))
			return i;
	bug("objective '%s'", o->objective);
}

static const char *
cost_text(const Report *r, int64_t cost)
{
	return grouped(r->arena, cost / units[unit_of(r->o)].parts);
}

/* ---- the table ---- */

static const char *const title[] = {"value", "type", "bytes", "cost", "otherwise", "scope"};
static const bool right[] = {false, false, true, true, true, false};
typedef struct Row { const char *cell[6]; } Row;

/* code points: near enough to columns */
static int
width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void
put_cell(Buf *b, const char *s, int wide, bool to_right)
{
	int pad = wide - width(s);

	buf_printf(b, "%*s%s%*s", to_right ? pad : 0, "", s, to_right ? 0 : pad, "");
}

static void
put_row(Buf *b, const Row *r, const int *wide, const char *why)
{
	buf_puts(b, "  ");
	for (int k = 0; k < LEN(title); k++)
		if (wide[k]) {
			put_cell(b, r->cell[k], wide[k], right[k]);
			buf_puts(b, "  ");
		}
	buf_puts(b, why);
	while (b->n && b->s[b->n - 1] == ' ')
		b->s[--b->n] = 0;
	buf_putc(b, '\n');
}

static Row
row_of(const Report *r, const Line *l)
{
	const Choice *c = l->c;
	bool costs = c->fate != FATE_FREE;

	return (Row){.cell = {l->name, tt(c->v), grouped(r->arena, c->bytes), costs ? cost_text(r, c->paid) : "",
		!costs || l->more < 0 ? "" : l->more == INT64_MAX ? "-" : arena_fmt(r->arena, "+%s", cost_text(r, l->more)),
		c->v->scope ? c->v->scope : ""}};
}

static void
put_fate(Buf *b, const Report *r, Fate f, const int *wide)
{
	int n = 0;

	for (int i = 0; i < r->n; i++) {
		Row row;
		if (r->line[i].c->fate != f)
			continue;
		if (!n++)
			buf_printf(b, "%s\n", fate_name[f]);
		row = row_of(r, &r->line[i]);
		put_row(b, &row, wide, r->line[i].c->why);
	}
}

static void
put_totals(Buf *b, const Report *r)
{
	const Split *s = r->s;
	const Graph *g = s->joint;
	int kept = 0, n = (int)s->nrecomputed;

	for (int i = 0; i < r->n; i++)
		kept += r->line[i].c->fate == FATE_SAVED;
	buf_printf(b, "%s: forward keeps %d value%s for backward, %s bytes", r->model, kept, kept == 1 ? "" : "s",
		grouped(b->arena, s->saved_bytes));
	for (int i = 0; i < g->nsym; i++)
		buf_printf(b, "%s%s = %" PRId64, i ? ", " : " (", g->sym[i].name, g->sym[i].max);
	buf_puts(b, g->nsym ? ")" : "");
	if (s->hint_bytes != s->saved_bytes)
		buf_printf(b, ", %s at the hints", grouped(b->arena, s->hint_bytes));
	buf_printf(b, "; backward computes %d again\n", n);
	buf_printf(b,
		"the plan costs %s %s (--objective=%s); 'otherwise' is what the best plan with the other choice costs "
		"more,\n'-' where there is no other choice\n",
		cost_text(r, s->cost), units[unit_of(r->o)].unit, r->o->objective);
	if (!s->settled)
		buf_puts(b, "(the cost of the plan is that of its own kernels, those of single values are of other kernels:\n"
			"the plan changed them each time)\n");
	if (!r->all_more)
		buf_puts(b, "(too many values to find that for each: ask about one)\n");
}

static void
put_table(Buf *b, const Report *r)
{
	int wide[LEN(title)] = {0};
	Row head = {0};

	put_totals(b, r);
	for (int i = 0; i < r->n; i++) {
		Row row = row_of(r, &r->line[i]);
		for (int k = 0; k < LEN(title); k++)
			wide[k] = MAX(wide[k], width(row.cell[k]));
	}
	for (int k = 0; k < LEN(title); k++) {
		head.cell[k] = title[k];
		wide[k] = wide[k] ? MAX(wide[k], width(title[k])) : 0;
	}
	if (!r->n)
		return;
	buf_putc(b, '\n');
	put_row(b, &head, wide, "why");
	put_fate(b, r, FATE_SAVED, wide);
	put_fate(b, r, FATE_RECOMPUTED, wide);
	put_fate(b, r, FATE_FREE, wide);
}

/* ---- one value ---- */

static void
put_value(Buf *b, const Report *r, const Line *l)
{
	const Choice *c = l->c;

	buf_printf(b, "%s: %s, %s", l->name, tt(c->v), c->v->op->name);
	if (c->v->from && (!c->v->name || strcmp(c->v->from, c->v->name)))
		buf_printf(b, " of '%s'", c->v->from);
	if (c->v->scope)
		buf_printf(b, " in %s", c->v->scope);
	if (c->v->at.line)
		buf_printf(b, " (%s:%d:%d)", c->v->at.file, c->v->at.line, c->v->at.col);
	buf_printf(b, "\n  %s: %s\n  %s bytes", fate_name[c->fate], c->why, grouped(b->arena, c->bytes));
	if (c->hint_bytes != c->bytes)
		buf_printf(b, " at most, %s at the hints", grouped(b->arena, c->hint_bytes));
	buf_putc(b, '\n');
	if (l->forward && *l->forward)
		buf_printf(b, "  written by %s\n", l->forward);
	if (l->backward && *l->backward)
		buf_printf(b, "  in backward read by %s\n", l->backward);
	if (c->fate == FATE_FREE)
		return;
	buf_printf(b, "  costs %s of the plan's %s %s\n", cost_text(r, c->paid), cost_text(r, r->s->cost),
		units[unit_of(r->o)].unit);
	if (l->more == INT64_MAX)
		buf_printf(b, "  it cannot be %s\n", c->fate == FATE_SAVED ? "recomputed" : "saved");
	else if (l->more >= 0)
		buf_printf(b, "  the best plan in which it is %s costs %s more\n", c->fate == FATE_SAVED ? "recomputed" : "saved",
			cost_text(r, l->more));
}

static _Noreturn void
unknown_value(Args *a, const Graph *user, const char *name)
{
	const char **names = NEW(a->arena, user->nnode + 1, const char *), *near;
	int n = 0;

	for (int64_t i = 0; i < user->nnode; i++)
		if (user->node[i]->name)
			names[n++] = user->node[i]->name;
	near = nearest(name, names, n);
	fail(EXIT_INPUT, (Loc){.file = user->file}, "there is no value '%s'%s%s%s", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
}

/* ---- JSON ---- */

static void
put_key(Buf *b, const char *key, const char *text)
{
	buf_printf(b, ", \"%s\": ", key);
	if (text)
		json_quote(b, text);
	else
		buf_puts(b, "null");
}

static void
put_number(Buf *b, const char *key, int64_t n)
{
	buf_printf(b, ", \"%s\": ", key);
	if (n == INT64_MAX)
		buf_puts(b, "null");
	else
		buf_printf(b, "%" PRId64, n);
}

/* "k01, k02" as a list */
static void
put_names(Buf *b, const char *key, const char *names)
{
	buf_printf(b, ", \"%s\": [", key);
	for (const char *s = names ? names : ""; *s;) {
		int64_t n = (int64_t)strcspn(s, ",");
		buf_puts(b, s == names ? "" : ", ");
		json_quote(b, arena_copy(b->arena, s, n));
		s += n + (s[n] ? 2 : 0);
	}
	buf_putc(b, ']');
}

static void
put_line_json(Buf *b, const Line *l)
{
	const Choice *c = l->c;

	buf_puts(b, "    {\"value\": ");
	json_quote(b, l->name);
	put_key(b, "op", c->v->op->name);
	put_key(b, "type", tt(c->v));
	put_key(b, "of", c->v->from);
	put_key(b, "scope", c->v->scope);
	put_key(b, "fate", fate_name[c->fate]);
	put_number(b, "bytes", c->bytes);
	put_number(b, "hint_bytes", c->hint_bytes);
	put_number(b, "cost", c->fate == FATE_FREE ? 0 : c->paid);
	put_number(b, "otherwise", l->more < 0 ? INT64_MAX : l->more);
	put_key(b, "why", c->why);
	put_names(b, "written_by", l->forward);
	put_names(b, "read_by", l->backward);
	buf_putc(b, '}');
}

static void
put_json(Buf *b, const Report *r)
{
	int unit = unit_of(r->o);

	buf_puts(b, "{\n  \"model\": ");
	json_quote(b, r->model);
	buf_puts(b, ",\n  \"partition\": ");
	json_quote(b, r->o->partition);
	buf_puts(b, ",\n  \"objective\": ");
	json_quote(b, r->o->objective);
	buf_printf(b, ",\n  \"cost_unit\": \"%s\",\n  \"cost_parts\": %" PRId64, units[unit].unit, units[unit].parts);
	buf_printf(b, ",\n  \"cost\": %" PRId64 ",\n  \"saved_bytes\": %" PRId64 ",\n  \"saved_hint_bytes\": %" PRId64
		",\n  \"recomputed\": %" PRId64 ",\n  \"values\": [", r->s->cost, r->s->saved_bytes, r->s->hint_bytes,
		r->s->nrecomputed);
	for (int i = 0; i < r->n; i++) {
		buf_puts(b, i ? ",\n" : "\n");
		put_line_json(b, &r->line[i]);
	}
	buf_puts(b, r->n ? "\n  ]\n}\n" : "]\n}\n");
}

/* ---- the verb ---- */

static void
put_values(Buf *b, const Report *r, const char *name)
{
	if (!r->n)
		buf_printf(b, "%s: backward does not use it\n", name);
	for (int i = 0; i < r->n; i++)
		put_value(b, r, &r->line[i]);
}

int
verb_explain(Args *a)
{
	int from;
	Module *m = input_module(a, a->pos[0], &from);
	const Graph *user = m->graph;
	const char *name = a->npos > 1 ? a->pos[1] : NULL;
	Buf b = {.arena = a->arena};
	Report *r;

	if (m->split)
		fail(EXIT_INPUT, (Loc){0}, "a module has its plan, but not what the plan was chosen from: explain the model");
	if (!differentiable(user) && !user->joint)
		fail(EXIT_INPUT, (Loc){.file = user->file},
			"there is nothing to differentiate: no loss, no \"wrt\", no trainable "
			"floating parameter");
	m->graph = graph_rebuild(a->arena, user, false);
	module_run(m, from, pass_find("split"));
	r = report_new(a->arena, m->split, m->options, user->name, name);
	if (name && !r->n && !named_node(user, name))
		unknown_value(a, user, name);
	if (!from && (name || a->val[O_JSON]))         /* a dump is not the model that code is made of */
		find_kernels(r, program_make(a->arena, user, m->split, emitted_options(a)));
	if (a->val[O_JSON])
		put_json(&b, r);
	else if (name)
		put_values(&b, r, name);
	else
		put_table(&b, r);
	output_text(a, &b);
	return 0;
}
