/* gradc run: evaluate a graph with the reference interpreter. */
#include "cmd.h"

#include <string.h>

static void
put_value(Buf *b, const Tensor *t, int64_t k)
{
	if (t->f)
		buf_float(b, t->f[k], t->dt != F64);
	else if (t->dt == U64)
		buf_printf(b, "%llu", (unsigned long long)t->i[k]);
	else
		buf_printf(b, "%lld", (long long)t->i[k]);
}

/* nested brackets, as NumPy prints but every element */
static void
put_tensor(Buf *b, const Tensor *t, int d, int64_t *at)
{
	if (d == t->rank) {
		put_value(b, t, (*at)++);
		return;
	}
	buf_putc(b, '[');
	for (int64_t i = 0; i < t->dim[d]; i++) {
		if (i)
			buf_puts(b, d + 1 < t->rank ? ",\n " : ", ");
		put_tensor(b, t, d + 1, at);
	}
	buf_putc(b, ']');
}

static void
put_text(Args *a, Buf *b, const Ports *p, Tensor *const *val)
{
	for (int64_t i = 0; i < p->n; i++) {
		const Tensor *t = val[p->p[i].v->id];
		int64_t at = 0;
		buf_printf(b, "%s %s[", p->p[i].name, dtype_name(t->dt));
		for (int d = 0; d < t->rank; d++)
			buf_printf(b, "%s%lld", d ? "," : "", (long long)t->dim[d]);
		buf_puts(b, "] = ");
		put_tensor(b, t, 0, &at);
		buf_putc(b, '\n');
	}
	(void)a;
}

static int
put_arrays(Args *a, Array *x, const Ports *p, Tensor *const *val)
{
	for (int64_t i = 0; i < p->n; i++)
		x[i] = tensor_to_array(a->arena, val[p->p[i].v->id], p->p[i].name);
	return (int)p->n;
}

int
verb_run(Args *a)
{
	Graph *user = input_graph(a, a->pos[0]), *g = compose(a->arena, user, true);
	EvalCtx c = {.arena = a->arena, .g = g, .round = a->val[O_ROUND]};
	Tensor **leaf, **val;
	Buf b = {.arena = a->arena};

	if (a->val[O_BACKEND] && strcmp(a->val[O_BACKEND], "interp"))
		fail(EXIT_UNSUPPORTED, (Loc){0}, "gradc run --backend=%s is not supported yet; use interp", a->val[O_BACKEND]);
	leaf = data_leaves(a, &c, user);
	val = eval_graph(&c, g, leaf);
	if (c.bad_index)
		diag(DIAG_WARNING, (Loc){0}, "an index was out of range; it was clamped");
	if (a->val[O_OUT]) {
		Array *x = NEW(a->arena, g->out.n + g->update.n + 1, Array);
		int n = put_arrays(a, x, &g->out, val);
		n += put_arrays(a, x + n, &g->update, val);
		npz_bytes(&b, x, n);
	} else {
		put_text(a, &b, &g->out, val);
		put_text(a, &b, &g->update, val);
	}
	output_text(a, &b);
	return 0;
}
