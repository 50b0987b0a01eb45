/* op_source: input, constant, full, iota, dim_size, item, rand, randn.
 *
 * Random values are a function of (key, stream, element index) alone: the block
 * of Philox4x32-10 whose counter is the row-major index. With words w0..w3,
 *   rand   f32: (w0 >> 8) * 2^-24             f64: m(w0, w1) * 2^-53
 *   randn  f32: u = ((w0 >> 8) + 1) * 2^-24, v = (w1 >> 8) * 2^-24
 *          f64: u = (m(w0, w1) + 1) * 2^-53, v = m(w2, w3) * 2^-53
 * where m(hi, lo) is the upper 53 bits of hi * 2^32 + lo, and randn is
 * sqrt(-2 log u) * cos(2 pi v) (Box, Muller 1958), computed in double and
 * rounded once to the dtype. */
#include "ir.h"

#include <math.h>
#include <string.h>

/* ---- checks shared by shape functions ---- */

bool
literal_fits(const Attr *v, DType d)
{
	int bits = 8 * dtype_size(d);

	switch (dtype_class(d)) {
	case C_FLOAT:
		return true;
	case C_BOOL:
		return v->is_int && (v->i == 0 || v->i == 1);
	case C_UINT:
		/* an integer from 2^63 on is held as its bits */
		return v->is_int && (bits == 64 ? v->f >= 0 : v->i >= 0 && v->i >> bits == 0);
	case C_INT:
		return v->is_int && (bits == 64 || (v->i >= -(INT64_C(1) << (bits - 1)) && v->i >> (bits - 1) <= 0));
	}
	return false;
}

bool
factor_fits(Node *n, int i, DType d)
{
	if (literal_fits(attr(n, i), d))
		return true;
	type_error(n, "\"%s\" is %s, operands are of %s", n->op->attr[i].name, literal_text(n, i), dtype_name(d));
	return false;
}

const char *
literal_text(const Node *n, int i)
{
	Buf b = {.arena = n->g->arena};

	if (attr(n, i)->is_int)
		buf_printf(&b, "%lld", (long long)attr(n, i)->i);
	else
		buf_float(&b, attr(n, i)->f, false);
	return buf_str(&b);
}

bool
type_fits(Node *n, const Type *t)
{
	Dim count = DIM(1);
	int64_t bytes = dtype_size(t->dt);

	for (int i = 0; i < t->rank; i++)
		if (!dim_mul(count, t->dim[i], &count)
			|| !mul_ok(bytes, MAX(1, dim_max(n->g, t->dim[i])), &bytes) || bytes > INT64_MAX / 16) {
			type_error(n, "the result %s is larger than the address space",
				type_text(n->g->arena, n->g, t));
			return false;
		}
	return true;
}

/* the type that attributes "shape" and "type" at i and j name; false after an error */
static bool
named_type(Node *n, int i, int j, Type *t)
{
	const Attr *shape = attr(n, i);

	*t = (Type){.dt = (DType)attr(n, j)->i, .rank = shape->n};
	if (shape->n > MAXRANK) {
		type_error(n, "\"shape\" has %d dimensions; at most %d are possible", shape->n, MAXRANK);
		return false;
	}
	for (int d = 0; d < shape->n; d++) {
		t->dim[d] = shape->dims[d];
		if (t->dim[d].k < 0) {
			type_error(n, "size %d of \"shape\" is negative", d);
			return false;
		}
	}
	return type_fits(n, t);
}

/* ---- input, constant, item ---- */

static void
given_shape(Node *n)
{
	bug("%s: the type comes with the node", n->op->name);
}

static void
constant_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	const Type *t = &n->type;
	Array x = {.dtype = dtype_name(t->dt), .rank = t->rank, .nbytes = n->blob->nbytes};
	Tensor *v;

	(void)in;
	for (int d = 0; d < t->rank; d++)
		x.dim[d] = t->dim[d].k;
	x.data = arena_alloc(c->arena, MAX(x.nbytes, 1), 1);
	memcpy(x.data, n->blob->data, (size_t)x.nbytes);
	v = tensor_from_array(c, &x);
	for (int64_t i = 0; i < out->n; i++)
		if (out->f)
			out->f[i] = v->f[i];
		else
			out->i[i] = v->i[i];
}

static void
item_shape(Node *n)
{
	const Node *x = n->in[0];
	int nres = node_nres(x);
	int64_t i = attr(n, 0)->i;

	if (i < 0 || i >= nres)
		type_error(n, "result %lld of %s (%s), which has %d", (long long)i, nn(x), x->op->name, nres);
	else
		n->type = x->res ? x->res[i] : x->type;
}

const Op op_input = {.name = "input", .id = OP_input, .kind = LEAF,
	.doc = "an input, parameter, buffer, cotangent or saved value", .shape = given_shape};
const Op op_constant = {.name = "constant", .id = OP_constant, .kind = SOURCE, .flags = FLAT,
	.doc = "an array of the graph's \"constants\"", .shape = given_shape, .eval = constant_eval};
static const AttrSpec item_attr[] = {
	{"index", A_INT, NULL, "which result", NULL},
	{0}
};
const Op op_item = {.name = "item", .id = OP_item, .kind = ITEM, .min_in = 1, .max_in = 1,
	.attr = item_attr, .operands = "input", .doc = "one result of an op with several",
	.shape = item_shape};

/* ---- full, iota, dim_size ---- */

enum { FULL_VALUE, FULL_SHAPE, FULL_TYPE };

static void
full_shape(Node *n)
{
	Type t;

	if (!named_type(n, FULL_SHAPE, FULL_TYPE, &t))
		return;
	if (!literal_fits(attr(n, FULL_VALUE), t.dt))
		type_error(n, "%s is not a value of %s", literal_text(n, FULL_VALUE), dtype_name(t.dt));
	else
		n->type = t;
}

static void
full_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	const Attr *v = attr(n, FULL_VALUE);

	(void)c, (void)in;
	for (int64_t i = 0; i < out->n; i++)
		if (out->f)
			out->f[i] = v->f;
		else
			out->i[i] = v->i;
}

static const AttrSpec full_attr[] = {
	[FULL_VALUE] = {"value", A_NUM, NULL, "every element", NULL},
	[FULL_SHAPE] = {"shape", A_SHAPE, "[]", "sizes", NULL},
	[FULL_TYPE]  = {"type", A_DTYPE, "\"f32\"", "dtype", NULL},
	{0}
};
const Op op_full = {.name = "full", .id = OP_full, .kind = SOURCE, .flags = FLAT, .attr = full_attr,
	.doc = "one number everywhere", .shape = full_shape, .eval = full_eval};

enum { IOTA_DIM, IOTA_SHAPE, IOTA_TYPE };

static void
iota_shape(Node *n)
{
	Type t;

	if (!named_type(n, IOTA_SHAPE, IOTA_TYPE, &t))
		return;
	if (t.dt == BOOL)
		type_error(n, "iota has no values of bool");
	else if (!t.rank)
		type_error(n, "\"shape\" is empty: there is no dimension to count along");
	else if (norm_dim(n, attr(n, IOTA_DIM)->i, t.rank) >= 0)
		n->type = t;
}

static void
iota_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	int64_t d = attr(n, IOTA_DIM)->i, inner = 1;

	(void)c, (void)in;
	d += d < 0 ? out->rank : 0;
	for (int64_t k = d + 1; k < out->rank; k++)
		inner *= out->dim[k];
	for (int64_t i = 0; i < out->n; i++) {
		int64_t at = i / inner % out->dim[d];
		if (out->f)
			out->f[i] = (double)at;
		else
			out->i[i] = wrap_to(out->dt, at);
	}
}

static const AttrSpec iota_attr[] = {
	[IOTA_DIM]   = {"dim", A_INT, "0", "the dimension counted along", NULL},
	[IOTA_SHAPE] = {"shape", A_SHAPE, NULL, "sizes", NULL},
	[IOTA_TYPE]  = {"type", A_DTYPE, "\"i64\"", "dtype", NULL},
	{0}
};
const Op op_iota = {.name = "iota", .id = OP_iota, .kind = SOURCE, .flags = FLAT, .cost = 1,
	.attr = iota_attr, .doc = "the index along a dimension, from 0; wraps in small dtypes",
	.shape = iota_shape, .eval = iota_eval};

static void
dim_size_shape(Node *n)
{
	Dim d = attr(n, 0)->dims[0];
	DType dt = (DType)attr(n, 1)->i;

	if (d.k < 0)
		type_error(n, "\"size\" is negative");
	else if (dt == BOOL)
		type_error(n, "a size is no value of bool");
	else
		n->type = type_scalar(dt);
}

static void
dim_size_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	int64_t v = dim_at(attr(n, 0)->dims[0], c->symval);

	(void)in;
	if (out->f)
		out->f[0] = (double)v;
	else
		out->i[0] = wrap_to(out->dt, v);
}

static const AttrSpec dim_size_attr[] = {
	{"size", A_DIM, NULL, "the size, such as \"4*B\"", NULL},
	{"type", A_DTYPE, "\"i64\"", "dtype", NULL},
	{0}
};
const Op op_dim_size = {.name = "dim_size", .id = OP_dim_size, .kind = SOURCE, .flags = FLAT,
	.attr = dim_size_attr, .doc = "what a symbolic size is in this call, as a scalar",
	.shape = dim_size_shape, .eval = dim_size_eval};

/* ---- random numbers ---- */

enum { RAND_SHAPE, RAND_TYPE, RAND_STREAM };

static void
rand_shape(Node *n)
{
	const Type *key = &n->in[0]->type;
	Type t;

	if (key->dt != U64 || key->rank) {
		type_error_in(n, 0, "the key %s is %s, must be u64[]", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	if (!named_type(n, RAND_SHAPE, RAND_TYPE, &t))
		return;
	if (!dtype_float(t.dt))
		type_error(n, "random %s are not defined; \"type\" must be a float", dtype_name(t.dt));
	else if (!attr(n, RAND_STREAM)->set)
		type_error(n, "\"stream\" is not set");
	else
		n->type = t;
}

/* the upper 53 bits of two words */
static double
mantissa53(uint32_t hi, uint32_t lo)
{
	return (double)(((uint64_t)hi << 32 | lo) >> 11);
}

static void
random_block(const Node *n, const Tensor *key, int64_t i, uint32_t w[4])
{
	philox((uint64_t)key->i[0], (uint64_t)attr(n, RAND_STREAM)->i, (uint64_t)i, w);
}

static void
rand_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	uint32_t w[4];

	(void)c;
	for (int64_t i = 0; i < out->n; i++) {
		random_block(n, in[0], i, w);
		out->f[i] = out->dt == F64 ? mantissa53(w[0], w[1]) * 0x1p-53 : (w[0] >> 8) * 0x1p-24;
	}
}

static void
randn_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	const double two_pi = 6.283185307179586476925286766559;
	bool wide = out->dt == F64;
	uint32_t w[4];

	(void)c;
	for (int64_t i = 0; i < out->n; i++) {
		double u, v, z;
		random_block(n, in[0], i, w);
		u = wide ? (mantissa53(w[0], w[1]) + 1) * 0x1p-53 : ((w[0] >> 8) + 1) * 0x1p-24;
		v = wide ? mantissa53(w[2], w[3]) * 0x1p-53 : (w[1] >> 8) * 0x1p-24;
		z = sqrt(-2 * log(u)) * cos(two_pi * v);
		out->f[i] = round_to(out->dt, z);
	}
}

static const AttrSpec rand_attr[] = {
	[RAND_SHAPE]  = {"shape", A_SHAPE, "[]", "sizes", NULL},
	[RAND_TYPE]   = {"type", A_DTYPE, "\"f32\"", "dtype", NULL},
	[RAND_STREAM] = {"stream", A_INT, "null", "another stream, other numbers; default: from the node's name", NULL},
	{0}
};
const Op op_rand = {.name = "rand", .id = OP_rand, .kind = SOURCE, .min_in = 1, .max_in = 1,
	.flags = RANDOM | FLAT, .cost = 20, .attr = rand_attr, .operands = "key",
	.doc = "uniform in [0, 1): Philox4x32-10 of key, stream and element index",
	.shape = rand_shape, .eval = rand_eval};
const Op op_randn = {.name = "randn", .id = OP_randn, .kind = SOURCE, .min_in = 1, .max_in = 1,
	.flags = RANDOM | FLAT, .cost = 60, .attr = rand_attr, .operands = "key",
	.doc = "standard normal (Box-Muller): Philox4x32-10 of key, stream and element index",
	.shape = rand_shape, .eval = randn_eval};

/* ---- builders ---- */

Node *
Data(Graph *g, Type t, const double *v)
{
	int64_t n = type_count(&t).k;
	Tensor x = {.dt = t.dt, .rank = t.rank, .n = n};
	Blob *b = NEW(g->arena, 1, Blob);
	Array array;

	for (int d = 0; d < t.rank; d++)
		x.dim[d] = t.dim[d].k;
	if (dtype_float(t.dt)) {
		x.f = NEW(g->arena, MAX(n, 1), double);
		memcpy(x.f, v, (size_t)n * sizeof *v);
	} else {
		x.i = NEW(g->arena, MAX(n, 1), int64_t);
		for (int64_t k = 0; k < n; k++)
			x.i[k] = (int64_t)v[k];
	}
	array = tensor_to_array(g->arena, &x, NULL);
	*b = (Blob){.nbytes = array.nbytes, .data = array.data};
	return node_constant(g, t, b);
}
