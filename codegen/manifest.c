/* manifest: NAME.manifest.json, what the unit holds for programs to read:
 * tensors and their places, memory plans, kernels with their cost, what is kept
 * for backward and what is computed again. The hashes of the files come last,
 * as the manifest is written last. */
#include "gen.h"

#include <string.h>

/* members of an object or items of an array, one a line */
typedef struct Out {
	Buf *b;
	int depth;
	bool first;
} Out;

static void
next(Out *o, const char *key)
{
	buf_puts(o->b, o->first ? "\n" : ",\n");
	for (int i = 0; i < o->depth; i++)
		buf_puts(o->b, "  ");
	if (key) {
		json_quote(o->b, key);
		buf_puts(o->b, ": ");
	}
	o->first = false;
}

static void
open(Out *o, const char *key, char c)
{
	next(o, key);
	buf_putc(o->b, c);
	o->depth++;
	o->first = true;
}

static void
close(Out *o, char c)
{
	o->depth--;
	if (!o->first) {
		buf_putc(o->b, '\n');
		for (int i = 0; i < o->depth; i++)
			buf_puts(o->b, "  ");
	}
	buf_putc(o->b, c);
	o->first = false;
}

static void
text(Out *o, const char *key, const char *s)
{
	next(o, key);
	if (s)
		json_quote(o->b, s);
	else
		buf_puts(o->b, "null");
}

static void
number(Out *o, const char *key, int64_t v)
{
	next(o, key);
	buf_printf(o->b, "%lld", (long long)v);
}

/* ---- members of an item that stands on one line: {"a": 1, "b": "x"} ---- */

static void
field(Buf *b, const char *key)
{
	buf_puts(b, b->s[b->n - 1] == '{' ? "" : ", ");
	json_quote(b, key);
	buf_puts(b, ": ");
}

static void
field_text(Buf *b, const char *key, const char *s)
{
	field(b, key);
	json_quote(b, s);
}

static void
field_number(Buf *b, const char *key, int64_t v)
{
	field(b, key);
	buf_printf(b, "%lld", (long long)v);
}

static const char *
value_name(const Node *n)
{
	return n->name ? n->name : n->from ? n->from : n->op->name;
}

/* ---- sections ---- */

static const char *const area_name[NAREA] = {
	[AREA_INPUT] = "inputs", [AREA_PARAM] = "params", [AREA_STATE] = "state", [AREA_DATA] = "data", [AREA_COTANGENT] = "cotangents",
	[AREA_OUTPUT] = "outputs", [AREA_GRAD] = "grads", [AREA_CONST] = "constants", [AREA_SAVED] = "saved",
	[AREA_WORKSPACE] = "workspace",
};

static void
put_symbols(Out *o, const Program *p)
{
	open(o, "symbols", '[');
	for (int s = 0; s < p->user->nsym; s++) {
		const Sym *y = &p->user->sym[s];
		next(o, NULL);
		buf_putc(o->b, '{');
		field_text(o->b, "name", y->name);
		field_number(o->b, "min", y->min);
		field_number(o->b, "max", y->max);
		field_number(o->b, "hint", y->hint);
		buf_putc(o->b, '}');
	}
	close(o, ']');
}

static void
put_members(Out *o, const Program *p, Area area)
{
	bool flat = area == AREA_PARAM || area == AREA_STATE || area == AREA_DATA || area == AREA_GRAD
		|| area == AREA_SAVED;

	if (!p->of[area].n)
		return;
	open(o, area_name[area], '[');
	for (int64_t i = 0; i < p->of[area].n; i++) {
		const Member *m = &p->of[area].m[i];
		next(o, NULL);
		buf_putc(o->b, '{');
		field_text(o->b, "name", m->name);
		if (area != AREA_SAVED)
			field_text(o->b, "c", m->cname);
		field_text(o->b, "type", type_text(o->b->arena, p->user, &m->type));
		if (flat)
			field_number(o->b, "offset", m->offset);
		field_number(o->b, "bytes", m->bytes);
		if (m->blob) {
			field_text(o->b, "file", m->blob->file);
			if (m->blob->tensor)
				field_text(o->b, "tensor", m->blob->tensor);
		}
		buf_putc(o->b, '}');
	}
	close(o, ']');
}

static void
put_recomputed(Out *o, const Program *p)
{
	const Split *s = p->split;

	if (!s || !s->is_recomputed)
		return;
	open(o, "recomputed", '[');
	for (int64_t i = 0; i < s->joint->nnode; i++)
		if (s->is_recomputed[i]) {
			const Node *n = s->joint->node[i];
			next(o, NULL);
			buf_putc(o->b, '{');
			field_text(o->b, "value", value_name(n));
			field_text(o->b, "op", n->op->name);
			field_text(o->b, "type", type_text(o->b->arena, p->user, &n->type));
			buf_putc(o->b, '}');
		}
	close(o, ']');
}

static void
put_kernels(Out *o, const Program *p)
{
	open(o, "kernels", '[');
	for (int i = 0; i < kernels_len(p->kernels); i++) {
		const Kernel *k = kernels_at(p->kernels, i);
		next(o, NULL);
		buf_putc(o->b, '{');
		field_text(o->b, "name", k->name);
		field_number(o->b, "flops", k->flops);
		field_number(o->b, "bytes", k->bytes);
		if (k->scratch)
			field_number(o->b, "scratch", k->scratch);
		buf_putc(o->b, '}');
	}
	close(o, ']');
}

static const Slot *
slot_of(const Function *f, const Phase *ph, const Node *n)
{
	return &f->slot[ph->slot[ph->plan->storage[n->id]->id]];
}

static void
put_step(Out *o, const Function *f, const Phase *ph, int i)
{
	const Step *st = &ph->plan->step[i];

	next(o, NULL);
	buf_putc(o->b, '{');
	field_text(o->b, "kernel", st->kernel->name);
	if (ph->scratch[i] >= 0)
		field_number(o->b, "scratch", ph->scratch[i]);
	for (int write = 0; write < 2; write++) {
		bool first = true;
		field(o->b, write ? "writes" : "reads");
		buf_putc(o->b, '[');
		for (int k = 0; k < st->kernel->nbuf; k++)
			if (write ? st->kernel->buf[k].write : st->kernel->buf[k].read || !st->kernel->buf[k].write) {
				buf_puts(o->b, first ? "" : ", ");
				json_quote(o->b, slot_of(f, ph, st->buf[k])->cname);
				first = false;
			}
		buf_putc(o->b, ']');
	}
	buf_putc(o->b, '}');
}

static void
put_slot(Out *o, const Program *p, const Slot *s)
{
	next(o, NULL);
	buf_putc(o->b, '{');
	field_text(o->b, "value", s->cname);
	field_text(o->b, "of", value_name(s->n));
	field_text(o->b, "type", type_text(o->b->arena, p->user, &s->n->type));
	field_text(o->b, "area", area_name[s->place.area]);
	if (s->place.area == AREA_SAVED || s->place.area == AREA_WORKSPACE)
		field_number(o->b, "offset", s->place.offset);
	else if (s->place.area == AREA_CONST)
		field_number(o->b, "index", s->place.index);
	else
		field_text(o->b, "member", p->of[s->place.area].m[s->place.index].cname);
	if (s->place.spare)
		field_number(o->b, "else_at", s->place.offset);
	field_number(o->b, "bytes", s->place.bytes);
	if (s->def >= 0)
		field_number(o->b, "first", s->def);
	field_number(o->b, "last", s->last);
	buf_putc(o->b, '}');
}

static void
put_function(Out *o, const Program *p, const Function *f)
{
	if (!f)
		return;
	open(o, f->name, '{');
	number(o, "workspace", f->workspace);
	number(o, "lower_bound", f->bound);
	open(o, "steps", '[');
	for (int h = 0; h < f->nphase; h++)
		for (int i = 0; i < f->phase[h].plan->nstep; i++)
			if (f->phase[h].need[i].always || f->phase[h].need[i].id >= 0)
				put_step(o, f, &f->phase[h], i);
	close(o, ']');
	open(o, "values", '[');
	for (int64_t i = 0; i < f->nslot; i++)
		put_slot(o, p, &f->slot[i]);
	close(o, ']');
	close(o, '}');
}

static void
put_file(Out *o, const char *name, const Buf *b)
{
	char hex[65];

	sha256_hex(b->s, b->n, hex);
	next(o, NULL);
	buf_putc(o->b, '{');
	field_text(o->b, "name", name);
	field_text(o->b, "sha256", hex);
	buf_putc(o->b, '}');
}

void
unit_manifest(Buf *b, const Program *p, const Buf *header, const Buf *source)
{
	Out o = {b, 1, true};

	buf_putc(b, '{');
	text(&o, "generated", "by gradc. DO NOT EDIT.");
	number(&o, "gradc", 1);
	text(&o, "model", p->user->name);
	text(&o, "input", p->opt->input_base);
	text(&o, "sha256", p->sha);
	text(&o, "options", p->opt->option_text);
	put_symbols(&o, p);
	for (int area = AREA_INPUT; area < AREA_WORKSPACE; area++)
		put_members(&o, p, (Area)area);
	put_recomputed(&o, p);
	put_kernels(&o, p);
	open(&o, "functions", '{');
	put_function(&o, p, p->infer);
	put_function(&o, p, p->forward);
	put_function(&o, p, p->backward);
	put_function(&o, p, p->train);
	close(&o, '}');
	open(&o, "files", '[');
	put_file(&o, arena_fmt(b->arena, "%s.h", p->user->name), header);
	put_file(&o, arena_fmt(b->arena, "%s.c", p->user->name), source);
	close(&o, ']');
	buf_puts(b, "\n}\n");
}
