/* compose_random: dropout and its kin, rrelu, bernoulli: comparisons with uniform numbers of
 * (key, stream, element index), so that a recomputed mask is the same mask. */
#include "ir.h"

#include <math.h>

static bool
random_key(Node *n, int i)
{
	const Type *key = &n->in[i]->type;
	int stream;

	if (key->dt != U64 || key->rank) {
		type_error_in(n, i, "the key %s is %s, must be u64[]", nn(n->in[i]), tt(n->in[i]));
		return false;
	}
	if (!op_attr(n->op, "stream", &stream) || attr(n, stream)->set)
		return true;
	type_error(n, "\"stream\" is not set");
	return false;
}

/* uniform in [0, 1), of this shape; f64 for f64, else f32 */
static Node *
uniform(Node *key, const Type *t, int64_t stream)
{
	const Op *op = op_get(OP_rand);
	Attr *a = attrs_new(key->g, op);

	set_dims(key->g, op, a, "shape", t->dim, t->rank);
	set_dtype(op, a, "type", t->dt == F64 ? F64 : F32);
	set_int(op, a, "stream", stream);
	return node(key->g, op, &key, 1, a);
}

#define STREAM_SPEC {"stream", A_INT, "null", "another stream, other numbers; default: from the node's name", NULL}

/* whether the op is to do in this graph what it does in training; its attribute i is TRAINING_SPEC */
static bool
trains(const Node *n, int i, bool training)
{
	char word = *attr(n, i)->s;

	return word == 't' || (word == 'a' && training);
}

#define TRAINING_SPEC(what) {"training", A_STR, "\"auto\"", what "; auto: in forward, not in infer", "auto true false"}

/* ---- dropout, feature_dropout, alpha_dropout, feature_alpha_dropout ---- */

enum { DROP_P, DROP_TRAINING, DROP_STREAM };

static bool
drops_features(const Op *op)
{
	return op->id == OP_feature_dropout || op->id == OP_feature_alpha_dropout;
}

static void
dropout_shape(Node *n)
{
	if (!float_operand(n, 0) || !random_key(n, 1))
		return;
	if (drops_features(n->op) && n->in[0]->type.rank < 2)
		type_error_in(n, 0, "%s is %s; features are the second dimension", nn(n->in[0]), tt(n->in[0]));
	else
		n->type = n->in[0]->type;
}

/* true with probability 1 - p: for each element, or for all of a sample's feature */
static Node *
kept(const Node *n)
{
	Type t = n->type;
	Node *u;

	for (int i = 2; drops_features(n->op) && i < t.rank; i++)
		t.dim[i] = DIM(1);
	u = uniform(n->in[1], &t, attr(n, DROP_STREAM)->i);
	return Ge(u, Lit(u, attr(n, DROP_P)->f));
}

static void
dropout_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];
	double p = attr(n, DROP_P)->f;

	if (p == 0 || !trains(n, DROP_TRAINING, training))
		res[0] = x;
	else if (p == 1)
		res[0] = Zeros(x);
	else
		res[0] = Where(kept(n), Mul(x, Lit(x, 1 / (1 - p))), Lit(x, 0));
}

/* what is dropped becomes selu's limit, and all is scaled so that mean 0 and variance 1 stay */
static void
alpha_dropout_compose(Node *n, bool training, Node **res)
{
	static const double LIMIT = -1.7580993408473766;
	Node *x = Wide(n->in[0]);
	double p = attr(n, DROP_P)->f, scale = 1 / sqrt((LIMIT * LIMIT * p + 1) * (1 - p)), shift = -LIMIT * p * scale;

	if (p == 0 || !trains(n, DROP_TRAINING, training))
		res[0] = n->in[0];
	else if (p == 1)
		res[0] = Zeros(n->in[0]);
	else
		res[0] = Cast(Where(kept(n), Add(Mul(x, Lit(x, scale)), Lit(x, shift)), Lit(x, LIMIT * scale + shift)),
			n->type.dt);
}

static const AttrSpec dropout_attr[] = {
	[DROP_P]        = {"p", A_NUM, "0.5", "probability of an element to be dropped", "0..1"},
	[DROP_TRAINING] = TRAINING_SPEC("whether anything is dropped"),
	[DROP_STREAM]   = STREAM_SPEC,
	{0}
};
#define DROPOUT(n, how, text) \
	const Op op_##n = {.name = #n, .id = OP_##n, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .flags = RANDOM, \
		.attr = dropout_attr, .operands = "input key", .doc = text, .shape = dropout_shape, .compose = how};
DROPOUT(dropout, dropout_compose, "each element 0 with probability p, else divided by 1 - p (Srivastava et al. 2014)")
DROPOUT(feature_dropout, dropout_compose, "dropout of whole features of a sample: dropout1d to dropout3d (Tompson et al. 2015)")
DROPOUT(alpha_dropout, alpha_dropout_compose, "dropout that keeps mean 0 and variance 1, for selu (Klambauer et al. 2017)")
DROPOUT(feature_alpha_dropout, alpha_dropout_compose, "alpha_dropout of whole features of a sample")

/* ---- rrelu ---- */

enum { RRELU_LOWER, RRELU_UPPER, RRELU_TRAINING, RRELU_STREAM };

static void
rrelu_shape(Node *n)
{
	double lower = attr(n, RRELU_LOWER)->f, upper = attr(n, RRELU_UPPER)->f;

	if (!float_operand(n, 0) || !random_key(n, 1))
		return;
	if (lower <= upper)
		n->type = n->in[0]->type;
	else
		type_error(n, "slopes from %g to %g", lower, upper);
}

static void
rrelu_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *slope;
	double lower = attr(n, RRELU_LOWER)->f, upper = attr(n, RRELU_UPPER)->f;

	slope = Lit(x, (lower + upper) / 2);
	if (trains(n, RRELU_TRAINING, training)) {
		slope = uniform(n->in[1], &x->type, attr(n, RRELU_STREAM)->i);
		slope = Add(Mul(slope, Lit(slope, upper - lower)), Lit(slope, lower));
	}
	res[0] = Cast(Where(Le(x, Lit(x, 0)), Mul(x, slope), x), n->type.dt);
}

static const AttrSpec rrelu_attr[] = {
	[RRELU_LOWER]    = {"lower", A_NUM, "0.125", "least slope", NULL},
	[RRELU_UPPER]    = {"upper", A_NUM, "0.3333333333333333", "greatest slope", NULL},
	[RRELU_TRAINING] = TRAINING_SPEC("whether slopes are random, else all are the mean"),
	[RRELU_STREAM]   = STREAM_SPEC,
	{0}
};
const Op op_rrelu = {.name = "rrelu", .id = OP_rrelu, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .flags = RANDOM,
	.attr = rrelu_attr, .operands = "input key",
	.doc = "x for x > 0, else x times a random slope (Xu et al. 2015)",
	.shape = rrelu_shape, .compose = rrelu_compose};

/* ---- bernoulli ---- */

enum { BERN_P, BERN_STREAM };

static void
bernoulli_shape(Node *n)
{
	if (float_operand(n, 0) && random_key(n, 1))
		n->type = n->in[0]->type;
}

static void
bernoulli_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *u = uniform(n->in[1], &x->type, attr(n, BERN_STREAM)->i);
	Node *p = attr(n, BERN_P)->set ? Lit(u, attr(n, BERN_P)->f) : Cast(x, u->type.dt);

	(void)training;
	res[0] = Cast(Lt(u, p), x->type.dt);
}

static const AttrSpec bernoulli_attr[] = {
	[BERN_P]      = {"p", A_NUM, "null", "probability of a 1; null: the element of input", "0..1"},
	[BERN_STREAM] = STREAM_SPEC,
	{0}
};
const Op op_bernoulli = {.name = "bernoulli", .id = OP_bernoulli, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.flags = RANDOM | FLAT, .attr = bernoulli_attr, .operands = "input key",
	.doc = "1 with the probability that input has there, else 0; with p, input only gives shape and dtype",
	.shape = bernoulli_shape, .compose = bernoulli_compose};
