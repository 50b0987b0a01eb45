/* compose_random: dropout, bernoulli: comparisons with uniform numbers of
 * (key, stream, element index), so that a recomputed mask is the same mask. */
#include "ir.h"

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

static bool
probability(Node *n, int i)
{
	double p = attr(n, i)->f;

	if (!attr(n, i)->set || (p >= 0 && p <= 1))
		return true;
	type_error(n, "p is %g, must lie in [0, 1]", p);
	return false;
}

/* uniform in [0, 1), like x in shape; f64 for f64, else f32 */
static Node *
uniform(Node *key, const Node *x, int64_t stream)
{
	const Op *op = op_get(OP_rand);
	Attr *a = attrs_new(key->g, op);

	set_dims(key->g, op, a, "shape", x->type.dim, x->type.rank);
	set_dtype(op, a, "type", x->type.dt == F64 ? F64 : F32);
	set_int(op, a, "stream", stream);
	return node(key->g, op, &key, 1, a);
}

#define STREAM_SPEC {"stream", A_INT, "null", "another stream, other numbers; default: from the node's name", NULL}

/* ---- dropout ---- */

enum { DROP_P, DROP_TRAINING, DROP_STREAM };

static void
dropout_shape(Node *n)
{
	if (float_operand(n, 0) && random_key(n, 1) && probability(n, DROP_P))
		n->type = n->in[0]->type;
}

static void
dropout_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *u;
	double p = attr(n, DROP_P)->f;
	char word = *attr(n, DROP_TRAINING)->s;

	if (p == 0 || word == 'f' || (word == 'a' && !training)) {
		res[0] = x;
		return;
	}
	if (p == 1) {
		res[0] = Zeros(x);
		return;
	}
	u = uniform(n->in[1], x, attr(n, DROP_STREAM)->i);
	res[0] = Where(Ge(u, Lit(u, p)), Mul(x, Lit(x, 1 / (1 - p))), Lit(x, 0));
}

static const AttrSpec dropout_attr[] = {
	[DROP_P]        = {"p", A_NUM, "0.5", "probability of an element to become 0", NULL},
	[DROP_TRAINING] = {"training", A_STR, "\"auto\"", "whether anything is dropped; auto: in forward, not in infer",
		"auto true false"},
	[DROP_STREAM]   = STREAM_SPEC,
	{0}
};
const Op op_dropout = {.name = "dropout", .id = OP_dropout, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.flags = RANDOM, .attr = dropout_attr, .operands = "input key",
	.doc = "each element 0 with probability p, else divided by 1 - p (Srivastava et al. 2014)",
	.shape = dropout_shape, .compose = dropout_compose};

/* ---- bernoulli ---- */

enum { BERN_P, BERN_STREAM };

static void
bernoulli_shape(Node *n)
{
	if (float_operand(n, 0) && random_key(n, 1) && probability(n, BERN_P))
		n->type = n->in[0]->type;
}

static void
bernoulli_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *u = uniform(n->in[1], x, attr(n, BERN_STREAM)->i);
	Node *p = attr(n, BERN_P)->set ? Lit(u, attr(n, BERN_P)->f) : Cast(x, u->type.dt);

	(void)training;
	res[0] = Cast(Lt(u, p), x->type.dt);
}

static const AttrSpec bernoulli_attr[] = {
	[BERN_P]      = {"p", A_NUM, "null", "probability of a 1; null: the element of input", NULL},
	[BERN_STREAM] = STREAM_SPEC,
	{0}
};
const Op op_bernoulli = {.name = "bernoulli", .id = OP_bernoulli, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.flags = RANDOM | FLAT, .attr = bernoulli_attr, .operands = "input key",
	.doc = "1 with the probability that input has there, else 0; with p, input only gives shape and dtype",
	.shape = bernoulli_shape, .compose = bernoulli_compose};
