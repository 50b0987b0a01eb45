/* gradc ops and gradc schema: the op table for people and for editors. */
#include "cmd.h"

#include <string.h>

static const char *const kind_name[] = {
	[LEAF] = "leaf", [SOURCE] = "source", [MAP] = "pointwise", [VIEW] = "view", [PACK] = "packing", [REDUCE] = "reduction",
	[DOT] = "contraction", [WINDOW] = "window", [INDEX] = "indexing", [ORDERED] = "ordered", [CALL] = "call",
	[ITEM] = "item", [COMPOSITE] = "composite",
};
static const char *const attr_kind[] = {
	[A_INT] = "integer", [A_NUM] = "number", [A_BOOL] = "bool", [A_STR] = "string", [A_DTYPE] = "dtype",
	[A_INTS] = "integer or list", [A_SHAPE] = "dimensions", [A_DIM] = "dimension",
	[A_FUNCTION] = "function",
};

static const char *
gradient_of(const Op *op)
{
	if (op->flags & (FLAT | STOP))
		return "zero";
	return op->vjp || op->compose ? "yes" : "no";
}

static void
op_json(Buf *b, const Op *op)
{
	buf_puts(b, "{\"op\": ");
	json_quote(b, op->name);
	buf_printf(b, ", \"kind\": \"%s\", \"operands\": ", kind_name[op->kind]);
	json_quote(b, op->operands ? op->operands : "");
	if (op->results) {
		buf_puts(b, ", \"results\": ");
		json_quote(b, op->results);
	}
	buf_printf(b, ", \"gradient\": \"%s\", \"doc\": ", gradient_of(op));
	json_quote(b, op->doc ? op->doc : "");
	buf_puts(b, ", \"attrs\": {");
	for (int i = 0; i < op_nattr(op); i++) {
		const AttrSpec *s = &op->attr[i];
		buf_puts(b, i ? ", " : "");
		json_quote(b, s->name);
		buf_printf(b, ": {\"kind\": \"%s\"", attr_kind[s->kind]);
		if (s->dflt)
			buf_printf(b, ", \"default\": %s", s->dflt);
		buf_puts(b, ", \"doc\": ");
		json_quote(b, s->doc ? s->doc : "");
		buf_putc(b, '}');
	}
	buf_puts(b, "}}");
}

static void
op_text(Buf *b, const Op *op)
{
	const char *names = op->map ? op->max_in == 1 ? "a" : op->max_in == 2 ? "a b" : "a b c" : "";

	buf_printf(b, "%s(%s)  %s\n  %s\n", op->name, op->operands ? op->operands : names, kind_name[op->kind],
		op->doc ? op->doc : "");
	if (op->results)
		buf_printf(b, "  results: %s\n", op->results);
	buf_printf(b, "  gradient: %s\n", gradient_of(op));
	for (int i = 0; i < op_nattr(op); i++) {
		const AttrSpec *s = &op->attr[i];
		buf_printf(b, "  %-14s %s, %s%s; %s", s->name, attr_kind[s->kind], s->dflt ? "default " : "required",
			s->dflt ? s->dflt : "", s->doc ? s->doc : "");
		if (s->allowed)
			buf_printf(b, " (%s)", s->allowed);
		buf_putc(b, '\n');
	}
}

static const Op *
find(Args *a, const char *name)
{
	const Op *op = op_find(name);
	const char **names = NEW(a->arena, NOP, const char *), *near;

	if (op)
		return op;
	for (int i = 0; i < NOP; i++)
		names[i] = op_get(i)->name;
	near = nearest(name, names, NOP);
	fail(EXIT_INPUT, (Loc){0}, "there is no op '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

int
verb_ops(Args *a)
{
	Buf b = {.arena = a->arena};
	bool json = a->val[O_JSON];

	if (a->npos && json)
		op_json(&b, find(a, a->pos[0]));
	else if (a->npos)
		op_text(&b, find(a, a->pos[0]));
	else {
		buf_puts(&b, json ? "[" : "");
		for (int i = 0, n = 0; i < NOP; i++) {
			const Op *op = op_get(i);
			if (op->kind == LEAF || op->kind == ITEM || op->id == OP_constant)
				continue;
			if (json) {
				buf_puts(&b, n++ ? ",\n " : "");
				op_json(&b, op);
			} else
				buf_printf(&b, "%-30s %-12s %s\n", op->name, kind_name[op->kind], op->doc ? op->doc : "");
		}
		buf_puts(&b, json ? "]" : "");
	}
	if (json)
		buf_putc(&b, '\n');
	output_text(a, &b);
	return 0;
}

int
verb_schema(Args *a)
{
	Buf b = {.arena = a->arena};

	schema_write(&b);
	output_text(a, &b);
	return 0;
}
