/* eval: the reference interpreter. Floats are doubles, integers 64 bits.
 *
 * It is the oracle of everything else, so it is plain: every live node in
 * order, each value in full. With `round` each result takes the value that its
 * dtype can hold; without, it is the mathematics in double. */
#include "ir.h"

#include <math.h>
#include <string.h>

/* ---- numbers ---- */

double
round_to(DType d, double x)
{
	switch (d) {
	case F32:  return (double)(float)x;
	case F16:  return half_to_double(half_from_double(x));
	case BF16: return bfloat_to_double(bfloat_from_double(x));
	default:   return x;
	}
}

int64_t
wrap_to(DType d, int64_t x)
{
	int shift = 64 - 8 * dtype_size(d);
	uint64_t top = (uint64_t)x << shift;

	if (d == BOOL)
		return x != 0;
	if (dtype_class(d) == C_UINT || !(top >> 63))
		return (int64_t)(top >> shift);
	return (int64_t)~(~top >> shift);
}

/* the mixing of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", section 3.3 */
static void
philox_round(uint32_t x[4], const uint32_t k[2])
{
	uint64_t p0 = (uint64_t)0xD2511F53u * x[0], p1 = (uint64_t)0xCD9E8D57u * x[2];
	uint32_t x1 = x[1], x3 = x[3];

	x[0] = (uint32_t)(p1 >> 32) ^ x1 ^ k[0];
	x[1] = (uint32_t)p1;
	x[2] = (uint32_t)(p0 >> 32) ^ x3 ^ k[1];
	x[3] = (uint32_t)p0;
}

void
philox(uint64_t key, uint64_t stream, uint64_t counter, uint32_t out[4])
{
	uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};

	out[0] = (uint32_t)counter;
	out[1] = (uint32_t)(counter >> 32);
	out[2] = (uint32_t)stream;
	out[3] = (uint32_t)(stream >> 32);
	for (int i = 0; i < 10; i++) {
		philox_round(out, k);
		k[0] += 0x9E3779B9u;
		k[1] += 0xBB67AE85u;
	}
}

/* ---- tensors ---- */

static Tensor *
tensor_alloc(Arena *a, DType dt, int rank, const int64_t *dim)
{
	Tensor *t = NEW(a, 1, Tensor);

	t->dt = dt;
	t->rank = rank;
	t->n = 1;
	for (int i = 0; i < rank; i++) {
		t->dim[i] = dim[i];
		if (!mul_ok(t->n, dim[i], &t->n))
			bug("tensor too large");
	}
	if (dtype_float(dt))
		t->f = NEW(a, MAX(t->n, 1), double);
	else
		t->i = NEW(a, MAX(t->n, 1), int64_t);
	return t;
}

Tensor *
tensor_new(EvalCtx *c, const Type *t)
{
	int64_t dim[MAXRANK];

	for (int i = 0; i < t->rank; i++)
		dim[i] = dim_at(t->dim[i], c->symval);
	return tensor_alloc(c->arena, t->dt, t->rank, dim);
}

static double
load_float(DType d, const unsigned char *p)
{
	float s;
	double x;
	uint16_t h;

	switch (d) {
	case F64: memcpy(&x, p, sizeof x); return x;
	case F32: memcpy(&s, p, sizeof s); return (double)s;
	default:  memcpy(&h, p, sizeof h); return d == F16 ? half_to_double(h) : bfloat_to_double(h);
	}
}

static void
store_float(DType d, double x, unsigned char *p)
{
	float s = (float)x;
	uint16_t h;

	switch (d) {
	case F64: memcpy(p, &x, sizeof x); break;
	case F32: memcpy(p, &s, sizeof s); break;
	default:
		h = d == F16 ? half_from_double(x) : bfloat_from_double(x);
		memcpy(p, &h, sizeof h);
	}
}

/* integers are little-endian in files */
static int64_t
load_int(DType d, const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = dtype_size(d); i-- > 0;)
		v = v << 8 | p[i];
	return wrap_to(d, (int64_t)v);
}

static void
store_int(DType d, int64_t x, unsigned char *p)
{
	for (int i = 0; i < dtype_size(d); i++)
		p[i] = (unsigned char)((uint64_t)x >> 8 * i);
}

Tensor *
tensor_from_array(EvalCtx *c, const Array *x)
{
	DType dt = dtype_parse(x->dtype);
	int size = dt < NDTYPE ? dtype_size(dt) : 0;
	const unsigned char *p = x->data;
	Tensor *t;

	if (dt == NDTYPE || x->rank > MAXRANK) {
		diag(DIAG_ERROR, (Loc){0}, "array '%s': dtype %s with %d dimensions is not supported",
			x->name ? x->name : "", x->dtype, x->rank);
		return NULL;
	}
	t = tensor_alloc(c->arena, dt, x->rank, x->dim);
	if (t->n * size != x->nbytes)
		bug("array '%s' has %lld bytes", x->name ? x->name : "", (long long)x->nbytes);
	for (int64_t k = 0; k < t->n; k++, p += size)
		if (t->f)
			t->f[k] = load_float(dt, p);
		else
			t->i[k] = load_int(dt, p);
	return t;
}

Array
tensor_to_array(Arena *a, const Tensor *t, const char *name)
{
	int size = dtype_size(t->dt);
	unsigned char *p = arena_alloc(a, MAX(t->n, 1), size);
	Array x = {.name = name, .dtype = dtype_name(t->dt), .rank = t->rank, .nbytes = t->n * size, .data = p};

	memcpy(x.dim, t->dim, (size_t)t->rank * sizeof *t->dim);
	for (int64_t k = 0; k < t->n; k++, p += size)
		if (t->f)
			store_float(t->dt, t->f[k], p);
		else
			store_int(t->dt, t->i[k], p);
	return x;
}

void
tensor_round(Tensor *t)
{
	for (int64_t k = 0; t->f && t->dt != F64 && k < t->n; k++)
		t->f[k] = round_to(t->dt, t->f[k]);
}

/* ---- pointwise ops ---- */

/* element strides of x along the axes of out; 0 where x is broadcast */
static void
map_strides(const Tensor *x, const Tensor *out, int64_t *stride)
{
	int64_t s = 1;

	for (int d = out->rank - 1; d >= 0; d--) {
		int k = d - (out->rank - x->rank);
		stride[d] = k >= 0 && x->dim[k] != 1 ? s : 0;
		if (k >= 0)
			s *= x->dim[k];
	}
}

static double
as_double(const Tensor *x, int64_t k)
{
	return x->f ? x->f[k] : (double)x->i[k];
}

/* element k of out from elements at[i] of the operands; the last operand's dtype decides the row */
static void
map_element(const MapRow *m, int nin, Tensor *const *in, const int64_t *at, Tensor *out, int64_t k)
{
	const Tensor *last = in[nin - 1];

	if (last->f) {
		double v[MAXIN] = {0}, r;
		for (int i = 0; i < nin; i++)
			v[i] = as_double(in[i], at[i]);
		r = m->f(v[0], v[1], v[2]);
		if (out->f)
			out->f[k] = r;
		else
			out->i[k] = r != 0;
	} else {
		int64_t v[MAXIN] = {0}, r;
		for (int i = 0; i < nin; i++)
			v[i] = in[i]->i[at[i]];
		if (dtype_class(last->dt) == C_UINT)
			r = (int64_t)m->u((uint64_t)v[0], (uint64_t)v[1], (uint64_t)v[2]);
		else
			r = m->i(v[0], v[1], v[2]);
		out->i[k] = wrap_to(out->dt, r);
	}
}

void
map_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	int64_t stride[MAXIN][MAXRANK], pos[MAXRANK] = {0}, at[MAXIN] = {0};

	(void)c;
	for (int i = 0; i < n->nin; i++)
		map_strides(in[i], out, stride[i]);
	for (int64_t k = 0; k < out->n; k++) {
		map_element(n->op->map, n->nin, in, at, out, k);
		for (int d = out->rank - 1; d >= 0; d--) {
			bool wraps = ++pos[d] == out->dim[d];
			for (int i = 0; i < n->nin; i++)
				at[i] += wraps ? -stride[i][d] * (out->dim[d] - 1) : stride[i][d];
			if (!wraps)
				break;
			pos[d] = 0;
		}
	}
}

/* ---- graphs ---- */

static Tensor *
run_node(EvalCtx *c, const Node *n, Tensor *const *in)
{
	int nres = node_nres(n);
	Tensor *out = NEW(c->arena, 1, Tensor);

	out->res = NEW(c->arena, nres, Tensor *);
	n->op->run(c, n, in, out->res);
	return nres == 1 ? out->res[0] : out;
}

Tensor *
eval_node(EvalCtx *c, const Node *n, Tensor *const *in)
{
	Tensor *out;

	if (n->op->kind == ITEM)
		return in[0]->res[attr(n, 0)->i];
	if (n->op->run)
		return run_node(c, n, in);
	if (!n->op->eval)
		bug("eval: %s has no value of its own (compose first)", n->op->name);
	out = tensor_new(c, &n->type);
	n->op->eval(c, n, in, out);
	if (c->round)
		tensor_round(out);
	return out;
}

static Tensor *
leaf_value(EvalCtx *c, const Leaf *l, Tensor *given)
{
	Tensor *zeros = tensor_new(c, &l->node->type);

	if (!given)
		return zeros;
	if (given->dt != zeros->dt || given->rank != zeros->rank
		|| memcmp(given->dim, zeros->dim, (size_t)zeros->rank * sizeof *zeros->dim))
		bug("eval: the value given for '%s' is not of its type", l->name);
	return given;
}

Tensor **
eval_graph(EvalCtx *c, const Graph *g, Tensor *const *leafval)
{
	Tensor **val = NEW(c->arena, MAX(g->nnode, 1), Tensor *);
	bool *live = graph_live(c->arena, g);
	Tensor **in = NULL;
	int64_t cap = 0;

	c->g = g;
	for (int64_t i = 0; i < g->nleaf; i++)
		val[g->leaf[i]->node->id] = leaf_value(c, g->leaf[i], leafval ? leafval[i] : NULL);
	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		if (!live[i] || n->leaf)
			continue;
		while (cap < n->nin)
			in = arena_grow(c->arena, in, cap, &cap, (int64_t)sizeof *in);
		for (int k = 0; k < n->nin; k++)
			in[k] = val[n->in[k]->id];
		val[i] = eval_node(c, n, in);
	}
	return val;
}
