/* unit: NAME.c. Head and helpers, constants, kernels, then the functions of the
 * API: what binds and initialises memory, and the calls (call.c). */
#include "gen.h"

#include <string.h>

/* ---- constants ---- */

static int64_t
integer_at(const void *data, DType d, int64_t i)
{
	switch (d) {
	case I64: return ((const int64_t *)data)[i];
	case I32: return ((const int32_t *)data)[i];
	case I16: return ((const int16_t *)data)[i];
	case F16:
	case BF16: return ((const uint16_t *)data)[i];
	case I8:  return ((const int8_t *)data)[i];
	default:  return ((const uint8_t *)data)[i];
	}
}

static const char *
element_text(Arena *a, const void *data, DType d, int64_t i)
{
	Buf b = {.arena = a};
	int64_t v;

	if (d == F64 || d == F32) {
		buf_c_float(&b, d == F64 ? ((const double *)data)[i] : (double)((const float *)data)[i], d == F32);
		return buf_str(&b);
	}
	if (d == U64)
		return arena_fmt(a, "%lluu", (unsigned long long)((const uint64_t *)data)[i]);
	v = integer_at(data, d, i);
	if (dtype_half(d))
		return arena_fmt(a, "0x%04llx", (long long)v);
	return v == INT64_MIN ? "INT64_MIN" : arena_fmt(a, "%lld", (long long)v);
}

void
array_print(Buf *b, const char *name, DType d, const void *data, int64_t nbytes)
{
	int64_t count = nbytes / dtype_size(d);
	int column = 8;
	Arena *a = arena_new();

	buf_printf(b, "static const %s %s[%lld] = {\n\t", c_type(d), name, (long long)MAX(count, 1));
	for (int64_t k = 0; k < count; k++) {
		const char *s = element_text(a, data, d, k);
		if (column + (int)strlen(s) + 2 > 100) {
			buf_puts(b, "\n\t");
			column = 8;
		} else if (column > 8) {
			buf_putc(b, ' ');
			column++;
		}
		buf_printf(b, "%s,", s);
		column += (int)strlen(s) + 1;
		if (k % 1024 == 1023) {
			arena_free(a);
			a = arena_new();
		}
	}
	buf_puts(b, count ? "\n};\n\n" : "0\n};\n\n");
	arena_free(a);
}

static void
put_constant(Buf *b, const Program *p, int i)
{
	const Node *n = p->constant[i];

	buf_puts(b, "/* ");
	buf_comment(b, n->name ? n->name : "a constant");
	buf_printf(b, " %s */\n", type_text(b->arena, p->user, &n->type));
	array_print(b, arena_fmt(b->arena, "%s_c%d", p->user->name, i), n->type.dt, n->blob->data, n->blob->nbytes);
}

/* ---- flat arrays ---- */

static const struct {
	Area area;
	const char *name, *count;      /* of the struct; of MODEL_N... */
	char self;
} flat[] = {
	{AREA_PARAM, "params", "PARAMS", 'p'},
	{AREA_STATE, "state", "STATE", 's'},
	{AREA_DATA, "constants", "CONSTANTS", 'c'},
	{AREA_GRAD, "grads", "GRADS", 'g'},
};

void
tensor_row(Buf *b, const Program *p, const char *name, const Type *t, int64_t offset)
{
	buf_puts(b, "\t{");
	buf_c_string(b, name);
	buf_printf(b, ", \"%s\", %d, {", dtype_name(t->dt), t->rank);
	for (int d = 0; d < MAX(t->rank, 1); d++)
		buf_printf(b, "%s%lld", d ? ", " : "", t->rank ? (long long)dim_max(p->user, t->dim[d]) : 0);
	buf_printf(b, "}, %lld},\n", (long long)offset);
}

static void
put_table(Buf *b, const Program *p, int k)
{
	const Members *ms = &p->of[flat[k].area];
	const char *m = p->user->name;

	buf_line(b, 0,
		arena_fmt(b->arena, "const %s_tensor %s_%s_table[%s_N%s] = {", m, m, flat[k].name, upper(b->arena, m),
			flat[k].count));
	for (int64_t i = 0; i < ms->n; i++)
		tensor_row(b, p, ms->m[i].name, &ms->m[i].type, ms->m[i].offset);
	buf_puts(b, "};\n\n");
}

/* tensors by offset: what lies between them is cleared */
static void
put_bind(Buf *b, const Program *p, int k)
{
	const Members *ms = &p->of[flat[k].area];
	const char *m = p->user->name;
	bool *done = NEW(b->arena, MAX(ms->n, 1), bool);
	int64_t at = 0;
	Buf clear = {.arena = b->arena};

	const char *constant = flat[k].area == AREA_DATA ? "const " : "";

	buf_printf(b, "void\n%s_%s_bind(%s_%s *%c, %svoid *flat)\n{\n\t%schar *const base = flat;\n\n", m, flat[k].name, m,
		flat[k].name, flat[k].self, constant, constant);
	for (;;) {
		int64_t next = -1;
		for (int64_t i = 0; i < ms->n; i++)
			if (!done[i] && (next < 0 || ms->m[i].offset < ms->m[next].offset))
				next = i;
		int64_t offset = next < 0 ? ms->bytes : ms->m[next].offset;
		if (offset > at && !*constant)
			buf_printf(&clear, "\tmemset(base + %lld, 0, %lld);\n", (long long)at, (long long)(offset - at));
		if (next < 0)
			break;
		buf_printf(b, "\t%c->%s = (%svoid *)(base + %lld);\n", flat[k].self, ms->m[next].cname, constant,
			(long long)offset);
		done[next] = true;
		at = offset + ms->m[next].bytes;
	}
	buf_printf(b, "%s}\n\n", buf_str(&clear));
}

/* ---- the file ---- */

void
unit_source(Buf *b, const Program *p)
{
	const char *m = p->user->name;

	unit_head(b, p);
	buf_printf(b, "#include \"%s.h\"\n\n", m);
	if (uses_files(p))
		buf_puts(b, "#include <stdio.h>\n#include <stdlib.h>\n\n");
	init_use(p);
	call_use(p);
	checkpoint_use(p);
	rt_print(b, kernels_rt(p->kernels), m);
	if (p->opt->ticks)
		buf_puts(b, "void bench_tick(int step);\n\n");
	for (int i = 0; i < p->nconstant; i++)
		put_constant(b, p, i);
	for (int i = 0; i < kernels_len(p->kernels); i++) {
		kernel_print(b, p->kernels, kernels_at(p->kernels, i), m);
		buf_putc(b, '\n');
	}
	for (int k = 0; k < LEN(flat); k++)
		if (p->of[flat[k].area].n) {
			put_table(b, p, k);
			put_bind(b, p, k);
		}
	init_print(b, p);
	call_print_helpers(b, p);
	call_print(b, p, p->infer);
	call_print(b, p, p->forward);
	call_print(b, p, p->backward);
	optimizer_print(b, p);
	call_print(b, p, p->train);
	checkpoint_print(b, p);
	while (b->n > 1 && b->s[b->n - 1] == '\n' && b->s[b->n - 2] == '\n')
		b->s[--b->n] = '\0';
}
