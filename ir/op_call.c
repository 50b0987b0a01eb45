/* op_call: call and scan, which run functions of the document.
 *
 * The pass `inline` leaves no call. A scan stays; its operands and results are
 * told apart by scan_spec(). The derivative of a scan is in scan.c. */
#include "ir.h"

#include <string.h>

/* ---- operands against the inputs of a function ---- */

static bool
counts_agree(Node *n, const Graph *fn)
{
	if (n->nin == fn->nleaf)
		return true;
	type_error(n, "function '%s' takes %lld operand%s, not %d", fn->name, (long long)fn->nleaf,
		fn->nleaf == 1 ? "" : "s", n->nin);
	return false;
}

static const char *
text_of(const Node *n, const Type *t)
{
	return type_text(n->g->arena, n->g, t);
}

/* operand k is of type t; `what` becomes of it in the function */
static bool
operand_fits(Node *n, int k, const Type *t, const char *what)
{
	const Graph *fn = node_function(n);

	if (type_eq(&n->in[k]->type, t))
		return true;
	type_error_in(n, k, "%s is %s; %s '%s' of function '%s' it must be %s", nn(n->in[k]), tt(n->in[k]), what,
		fn->leaf[k]->name, fn->name, text_of(n, t));
	return false;
}

static void
results_set(Node *n, const Type *t, int count)
{
	n->nres = count;
	n->res = count > 1 ? memcpy(NEW(n->g->arena, count, Type), t, (size_t)count * sizeof *t) : NULL;
	n->type = t[0];
}

/* ---- call ---- */

static void
call_shape(Node *n)
{
	const Graph *fn = node_function(n);
	Type *t = NEW(n->g->arena, fn->out.n, Type);

	if (!counts_agree(n, fn))
		return;
	for (int k = 0; k < n->nin; k++)
		if (!operand_fits(n, k, &fn->leaf[k]->node->type, "as input"))
			return;
	for (int64_t r = 0; r < fn->out.n; r++)
		t[r] = fn->out.p[r].v->type;
	results_set(n, t, (int)fn->out.n);
}

static const AttrSpec call_attr[] = {
	{"function", A_FUNCTION, NULL, "what is called", NULL},
	{0}
};
const Op op_call = {.name = "call", .id = OP_call, .kind = CALL, .max_in = -1, .nres = -1, .cost = 1,
	.attr = call_attr, .operands = "inputs", .results = "outputs of the function",
	.doc = "the outputs of a function of the document", .shape = call_shape};

/* ---- scan ---- */

enum { SCAN_FUNCTION, SCAN_CARRY, SCAN_XS, SCAN_LENGTH, SCAN_REVERSE, SCAN_RANDOM };

ScanSpec
scan_spec(const Node *n)
{
	const Graph *body = attr(n, SCAN_FUNCTION)->fn;
	ScanSpec s = {.body = body, .ncarry = (int)attr(n, SCAN_CARRY)->i, .nxs = (int)attr(n, SCAN_XS)->i,
		.reverse = attr(n, SCAN_REVERSE)->i, .by_step = !strcmp(attr(n, SCAN_RANDOM)->s, "step"),
		.fixed = !strcmp(attr(n, SCAN_RANDOM)->s, "fixed")};

	s.ncaptured = n->nin - s.ncarry - s.nxs;
	s.nys = (int)body->out.n - s.ncarry;
	s.length = s.nxs ? n->in[s.ncarry]->type.dim[0] : attr(n, SCAN_LENGTH)->dims[0];
	return s;
}

void
scan_set(Graph *g, const Op *op, Attr *a, const Graph *body, int nxs)
{
	a[SCAN_FUNCTION] = (Attr){.set = true, .fn = body};
	set_int(op, a, "xs", nxs);
	set_str(g, op, a, "random", "fixed");
}

Node *
MakeScan(Graph *g, const Graph *body, Node *const *in, int nin, int ncarry, int nxs, Dim length, bool reverse)
{
	const Op *op = &op_scan;
	Attr *a = attrs_new(g, op);

	scan_set(g, op, a, body, nxs);
	set_int(op, a, "carry", ncarry);
	if (!nxs)
		set_dims(g, op, a, "length", &length, 1);
	set_bool(op, a, "reverse", reverse);
	return node(g, op, in, nin, a);
}

/* operands and outputs are as many as carry and xs say */
static bool
parts_agree(Node *n, const Graph *body)
{
	int64_t ncarry = attr(n, SCAN_CARRY)->i, nxs = attr(n, SCAN_XS)->i;

	if (ncarry < 0 || nxs < 0) {
		type_error(n, "\"%s\" is negative", ncarry < 0 ? "carry" : "xs");
		return false;
	}
	if (ncarry > n->nin || nxs > n->nin - ncarry) {
		type_error(n, "\"carry\": %lld and \"xs\": %lld are more than the number of operands, %d", (long long)ncarry,
			(long long)nxs, n->nin);
		return false;
	}
	if (!counts_agree(n, body))
		return false;
	if (ncarry <= body->out.n)
		return true;
	type_error(n, "function '%s' has %lld output%s, less than \"carry\": %lld", body->name, (long long)body->out.n,
		body->out.n == 1 ? "" : "s", (long long)ncarry);
	return false;
}

static bool
length_of(Node *n, Dim *out)
{
	int ncarry = (int)attr(n, SCAN_CARRY)->i, nxs = (int)attr(n, SCAN_XS)->i;
	const Attr *given = attr(n, SCAN_LENGTH);

	if (!nxs && !given->set) {
		type_error(n, "\"length\" is not set, and there are no \"xs\" that tell it");
		return false;
	}
	if (nxs && !n->in[ncarry]->type.rank) {
		type_error_in(n, ncarry, "%s is %s: it has no leading axis of steps", nn(n->in[ncarry]), tt(n->in[ncarry]));
		return false;
	}
	*out = nxs ? n->in[ncarry]->type.dim[0] : given->dims[0];
	if (nxs && given->set && !dim_eq(*out, given->dims[0])) {
		type_error_in(n, ncarry, "\"length\" is %s; %s is %s", dim_text(n->g->arena, n->g, given->dims[0]),
			nn(n->in[ncarry]), tt(n->in[ncarry]));
		return false;
	}
	if (out->k >= 1)
		return true;
	type_error(n, "%s steps; there must be one at least", dim_text(n->g->arena, n->g, *out));
	return false;
}

static bool
stacked(Node *n, const Type *t, Dim length, Type *out)
{
	if (t->rank == MAXRANK) {
		type_error(n, "%s has no room for an axis of steps: at most %d dimensions", text_of(n, t), MAXRANK);
		return false;
	}
	*out = (Type){.dt = t->dt, .rank = t->rank + 1, .dim = {length}};
	memcpy(out->dim + 1, t->dim, (size_t)t->rank * sizeof *t->dim);
	return type_fits(n, out);
}

static bool
scan_operands(Node *n, const Graph *body, Dim length)
{
	int64_t ncarry = attr(n, SCAN_CARRY)->i, nxs = attr(n, SCAN_XS)->i;

	for (int k = 0; k < n->nin; k++) {
		const Type *t = &body->leaf[k]->node->type;
		bool x = k >= ncarry && k < ncarry + nxs;
		Type whole = *t;
		if (x && !stacked(n, t, length, &whole))
			return false;
		if (!operand_fits(n, k, &whole, x ? "with an element a step for" : "as input"))
			return false;
	}
	return true;
}

static void
scan_shape(Node *n)
{
	const Graph *body = attr(n, SCAN_FUNCTION)->fn;
	Type *t = NEW(n->g->arena, MAX(body->out.n, 1), Type);
	int64_t ncarry = attr(n, SCAN_CARRY)->i;
	Dim length;

	if (!parts_agree(n, body) || !length_of(n, &length) || !scan_operands(n, body, length))
		return;
	for (int64_t r = 0; r < body->out.n; r++) {
		const Node *v = body->out.p[r].v;
		t[r] = v->type;
		if (r < ncarry && !type_eq(&v->type, &body->leaf[r]->node->type)) {
			type_error(n, "the carry '%s' of function '%s' is %s, after a step it is %s", body->leaf[r]->name,
				body->name, text_of(n, &body->leaf[r]->node->type), text_of(n, &v->type));
			return;
		}
		if (r >= ncarry && !stacked(n, &v->type, length, &t[r]))
			return;
	}
	results_set(n, t, (int)body->out.n);
}

Tensor *
tensor_element(Arena *a, const Tensor *x, int64_t t)
{
	Tensor *e = NEW(a, 1, Tensor);

	*e = (Tensor){.dt = x->dt, .rank = x->rank - 1, .n = x->n / x->dim[0]};
	memcpy(e->dim, x->dim + 1, (size_t)e->rank * sizeof *e->dim);
	e->f = x->f ? x->f + t * e->n : NULL;
	e->i = x->i ? x->i + t * e->n : NULL;
	return e;
}

static void
tensor_copy(Tensor *to, const Tensor *from)
{
	if (to->f)
		memcpy(to->f, from->f, (size_t)to->n * sizeof *to->f);
	else
		memcpy(to->i, from->i, (size_t)to->n * sizeof *to->i);
}

/* one step; carries are replaced, ys stored in theirs */
static void
scan_step(EvalCtx *c, const ScanSpec *s, Tensor *const *in, int64_t t, Tensor **res)
{
	Arena *a = arena_new();
	EvalCtx step = *c;
	int nin = (int)s->body->nleaf;
	Tensor **leaf = NEW(a, nin, Tensor *), **val;

	step.arena = a;
	for (int k = 0; k < nin; k++)
		leaf[k] = k < s->ncarry ? res[k] : k < s->ncarry + s->nxs ? tensor_element(a, in[k], t) : in[k];
	val = eval_graph(&step, s->body, leaf);
	for (int r = s->ncarry; r < s->ncarry + s->nys; r++)
		tensor_copy(tensor_element(a, res[r], t), val[s->body->out.p[r].v->id]);
	for (int r = 0; r < s->ncarry; r++) {
		Tensor *next = tensor_new(c, &s->body->out.p[r].v->type);
		tensor_copy(next, val[s->body->out.p[r].v->id]);
		res[r] = next;
	}
	c->bad_index |= step.bad_index;
	arena_free(a);
}

static void
scan_run(EvalCtx *c, const Node *n, Tensor *const *in, Tensor **res)
{
	ScanSpec s = scan_spec(n);
	int64_t length = dim_at(s.length, c->symval);

	if (!s.fixed)
		bug("eval: the random numbers of a scan are not told apart (inline first)");
	for (int r = 0; r < s.ncarry; r++)
		res[r] = in[r];
	for (int r = s.ncarry; r < s.ncarry + s.nys; r++)
		res[r] = tensor_new(c, n->res ? &n->res[r] : &n->type);
	for (int64_t t = 0; t < length; t++)
		scan_step(c, &s, in, s.reverse ? length - 1 - t : t, res);
}

static const AttrSpec scan_attr[] = {
	[SCAN_FUNCTION] = {"function", A_FUNCTION, NULL, "the body: carry, an element of each of xs, and what is captured, to carry "
		"and ys", NULL},
	[SCAN_CARRY]    = {"carry", A_INT, "1", "how many operands, the first ones, go from step to step", NULL},
	[SCAN_XS]       = {"xs", A_INT, "0", "how many operands, the next ones, have a leading axis of steps", NULL},
	[SCAN_LENGTH]   = {"length", A_DIM, "null", "number of steps; default: that of xs", NULL},
	[SCAN_REVERSE]  = {"reverse", A_BOOL, "false", "from the last step to the first", NULL},
	[SCAN_RANDOM]   = {"random", A_STR, "\"step\"", "random numbers differ from step to step, or are the same; fixed: the same, of the streams as written",
		"step same fixed"},
	{0}
};
const Op op_scan = {.name = "scan", .id = OP_scan, .kind = CALL, .max_in = -1, .nres = -1, .cost = 1,
	.attr = scan_attr, .operands = "carry xs captured", .results = "last carry, stacked ys",
	.doc = "a function once for each step, with values carried from step to step (as jax.lax.scan)",
	.shape = scan_shape, .run = scan_run, .vjp = scan_vjp};
