/* gradc run: evaluate a graph: its outputs, and what its updates give. By the
 * reference interpreter, or as the C that compile would write, built and called. */
#include "cmd.h"

#include <string.h>

typedef struct Named { const char *name; const Tensor *v; } Named;
typedef struct Values { Named *v; int64_t n, cap; } Values;

/* ---- what is printed ---- */

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
put_text(Buf *b, const Values *r)
{
	for (int64_t i = 0; i < r->n; i++) {
		const Tensor *t = r->v[i].v;
		int64_t at = 0;
		buf_printf(b, "%s %s[", r->v[i].name, dtype_name(t->dt));
		for (int d = 0; d < t->rank; d++)
			buf_printf(b, "%s%lld", d ? "," : "", (long long)t->dim[d]);
		buf_puts(b, "] = ");
		put_tensor(b, t, 0, &at);
		buf_putc(b, '\n');
	}
}

static void
put_npz(Buf *b, const Values *r)
{
	Array *x = NEW(b->arena, r->n + 1, Array);

	for (int64_t i = 0; i < r->n; i++)
		x[i] = tensor_to_array(b->arena, r->v[i].v, r->v[i].name);
	npz_bytes(b, x, (int)r->n);
}

/* ---- the interpreter ---- */

static void
interpret(Args *a, const Graph *user, EvalCtx *c, Tensor *const *leaf, Values *r)
{
	/* `auto` is training where emitted code would have a forward */
	Graph *g = compose(a->arena, user, differentiable(user));
	const Ports *ports[] = {&g->out, &g->update};
	Tensor **val;

	c->g = g;
	c->round = a->val[O_ROUND];
	val = eval_graph(c, g, leaf);
	if (c->bad_index)
		diag(DIAG_WARNING, (Loc){0}, "an index was out of range; the nearest was used");
	for (int k = 0; k < LEN(ports); k++)
		for (int64_t i = 0; i < ports[k]->n; i++)
			PUSH(a->arena, r->v, r->n, r->cap, ((Named){ports[k]->p[i].name, val[ports[k]->p[i].v->id]}));
}

/* ---- emitted code ---- */

static void
take_results(EvalCtx *c, Values *r, const Program *p, const Job *job, const Ports *wanted, const Area *area, int narea)
{
	for (int64_t i = 0; i < wanted->n; i++)
		for (int k = 0; k < narea; k++) {
			int at = member_find(&p->of[area[k]], wanted->p[i].name);
			if (at >= 0)
				PUSH(c->arena, r->v, r->n, r->cap,
					((Named){wanted->p[i].name, tensor_from_array(c, &job->result[area[k]][at])}));
		}
}

static void
call(Args *a, const Graph *user, EvalCtx *c, Tensor *const *leaf, Values *r)
{
	static const Area outputs[] = {AREA_OUTPUT}, state[] = {AREA_STATE, AREA_PARAM};
	const Program *p = emitted_program(a, user, false);
	const char *why;
	Harness *h = harness_build(a->arena, &p, 1, a->val[O_CC] ? a->val[O_CC] : "cc", &why);
	Job job = {.call = p->forward ? CALL_FORWARD : CALL_INFER, .symval = c->symval};

	if (!h)
		fail(EXIT_INPUT, (Loc){0}, "%s", why);
	for (Area k = AREA_INPUT; k <= AREA_STATE; k++)
		job.value[k] = emitted_values(a->arena, p, k, leaf);
	if ((why = harness_run(h, &job, 1, 0)))
		bug("%s", why);
	if (job.code[0] == 4)
		fail(EXIT_INPUT, (Loc){0}, "an index is out of range");
	if (job.code[0])
		bug("the call returned %d", job.code[0]);
	take_results(c, r, p, &job, &user->out, outputs, LEN(outputs));
	take_results(c, r, p, &job, &user->update, state, LEN(state));
}

int
verb_run(Args *a)
{
	Graph *user = input_graph(a, a->pos[0]);
	bool compiled = a->val[O_RUN_BACKEND] && strcmp(a->val[O_RUN_BACKEND], "interp");
	EvalCtx c = {.arena = a->arena, .g = user};
	Tensor **leaf;
	Values r = {0};
	Buf b = {.arena = a->arena};

	if (compiled && a->val[O_ROUND])
		usage_error(a, "--round is for the interpreter");
	if (compiled)
		a->val[O_BACKEND] = a->val[O_RUN_BACKEND];
	leaf = data_leaves(a, &c, user);
	diag_check();
	if (compiled)
		call(a, user, &c, leaf, &r);
	else
		interpret(a, user, &c, leaf, &r);
	if (a->val[O_OUT])
		put_npz(&b, &r);
	else
		put_text(&b, &r);
	output_text(a, &b);
	return 0;
}
