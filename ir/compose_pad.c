/* compose_pad: padding with what is there, and roll: pieces of a dimension put together.
 *
 * `pad` itself, with a constant, is a core view. Its kin are chains of slices, flips and
 * concatenations, one padded dimension after the other, which a kernel that reads
 * them looks through. */
#include "ir.h"

#include <string.h>

enum { PAD_LOW, PAD_HIGH };

/* how the elements beside a dimension come about */
typedef Node *Beside(Node *x, int dim, int64_t n, int64_t count, bool before);

static Node *
piece(Node *x, int dim, int64_t from, int64_t to)
{
	return Slice(x, dim, DIM(from), DIM(to), 1);
}

/* mirrored at the border, which is not repeated */
static Node *
reflected(Node *x, int dim, int64_t n, int64_t count, bool before)
{
	return Flip(before ? piece(x, dim, 1, count + 1) : piece(x, dim, n - 1 - count, n - 1), &dim, 1);
}

/* the border, repeated */
static Node *
replicated(Node *x, int dim, int64_t n, int64_t count, bool before)
{
	Dim size[MAXRANK];

	memcpy(size, x->type.dim, sizeof size);
	size[dim] = DIM(count);
	return Expand(before ? piece(x, dim, 0, 1) : piece(x, dim, n - 1, n), size, x->type.rank);
}

/* the other end */
static Node *
wrapped(Node *x, int dim, int64_t n, int64_t count, bool before)
{
	return before ? piece(x, dim, n - count, n) : piece(x, dim, 0, count);
}

static const struct Mode {
	int op;
	Beside *beside;
	int64_t spare;                 /* how many fewer than n elements can be added; -1: any number */
} modes[] = {
	{OP_pad_reflect, reflected, 1},
	{OP_pad_replicate, replicated, -1},
	{OP_pad_circular, wrapped, 0},
};

static const struct Mode *
mode_of(const Node *n)
{
	for (int i = 0; i < LEN(modes); i++)
		if (modes[i].op == n->op->id)
			return &modes[i];
	bug("%s pads in no way", n->op->name);
}

/* dimension d of *t padded; false after an error */
static bool
pad_dim(Node *n, int d, Type *t)
{
	int64_t add[2] = {attr(n, PAD_LOW)->ints[d], attr(n, PAD_HIGH)->ints[d]}, spare = mode_of(n)->spare;
	Dim size = t->dim[d];

	for (int i = 0; i < 2; i++) {
		if (!add[i])
			continue;
		if (size.sym) {
			type_error(n, "dimension %d of %s, which is %s, depends on a symbol", d, nn(n->in[0]), tt(n->in[0]));
			return false;
		}
		if (add[i] < 0 || (spare < 0 ? !size.k : add[i] > size.k - spare)
			|| !add_ok(t->dim[d].k, add[i], &t->dim[d].k)) {
			type_error(n, add[i] < 0 ? "padding of dimension %d is negative (%lld); slice removes elements"
				: "dimension %d cannot be padded by %lld: %s is %s", d, (long long)add[i], nn(n->in[0]), tt(n->in[0]));
			return false;
		}
	}
	return true;
}

static void
pad_like_shape(Node *n)
{
	Type t = n->in[0]->type;

	for (int i = 0; i < 2; i++)
		if (attr(n, i)->n != t.rank) {
			type_error(n, "\"%s\" has %d entries, %s is %s", n->op->attr[i].name, attr(n, i)->n, nn(n->in[0]),
				tt(n->in[0]));
			return;
		}
	for (int d = 0; d < t.rank; d++)
		if (!pad_dim(n, d, &t))
			return;
	if (type_fits(n, &t))
		n->type = t;
}

static void
pad_like_compose(Node *n, bool training, Node **res)
{
	const struct Mode *m = mode_of(n);
	Node *x = n->in[0];

	(void)training;
	for (int d = 0; d < n->type.rank; d++) {
		int64_t low = attr(n, PAD_LOW)->ints[d], high = attr(n, PAD_HIGH)->ints[d], size = x->type.dim[d].k;
		Node *part[3];
		int count = 0;
		if (low)
			part[count++] = m->beside(x, d, size, low, true);
		part[count++] = x;
		if (high)
			part[count++] = m->beside(x, d, size, high, false);
		x = Cat(part, count, d);
	}
	res[0] = x;
}

static const AttrSpec pad_like_attr[] = {
	[PAD_LOW]  = {"low", A_INTS, NULL, "elements added before, per dimension", NULL},
	[PAD_HIGH] = {"high", A_INTS, NULL, "elements added after, per dimension", NULL},
	{0}
};
#define PAD(name_, what) \
const Op op_##name_ = {.name = #name_, .id = OP_##name_, .kind = COMPOSITE, .min_in = 1, .max_in = 1, \
	.attr = pad_like_attr, .operands = "input", .doc = what, .shape = pad_like_shape, .compose = pad_like_compose}
PAD(pad_reflect, "the input surrounded by its mirror image; the border is not repeated");
PAD(pad_replicate, "the input surrounded by its border, repeated");
PAD(pad_circular, "the input surrounded by its other ends");

/* ---- roll ---- */

enum { ROLL_SHIFTS, ROLL_DIMS };

/* shifts as elements that come from the end to the front, of a dimension of n */
static int64_t
to_front(int64_t shift, int64_t n)
{
	int64_t r = n ? shift % n : 0;

	return r < 0 ? r + n : r;
}

Node *
roll_dim(Node *x, int dim, int64_t shift)
{
	int64_t n = x->type.dim[dim].k, front = to_front(shift, n);

	if (!front)
		return x;
	return Cat((Node *[]){piece(x, dim, n - front, n), piece(x, dim, 0, n - front)}, 2, dim);
}

static void
roll_shape(Node *n)
{
	const Attr *s = attr(n, ROLL_SHIFTS), *dims = attr(n, ROLL_DIMS);
	const Type *t = &n->in[0]->type;
	bool flat = !dims->set || !dims->n;

	if (s->n != (flat ? 1 : dims->n)) {
		type_error(n, "%d shifts for %d dimensions", s->n, flat ? 1 : dims->n);
		return;
	}
	for (int i = 0; i < (flat ? t->rank : dims->n); i++) {
		int d = flat ? i : norm_dim(n, dims->ints[i], t->rank);
		if (d < 0)
			return;
		if (t->rank && t->dim[d].sym) {
			type_error(n, "dimension %d of %s, which is %s, depends on a symbol", d, nn(n->in[0]), tt(n->in[0]));
			return;
		}
	}
	n->type = *t;
}

static void
roll_compose(Node *n, bool training, Node **res)
{
	const Attr *s = attr(n, ROLL_SHIFTS), *dims = attr(n, ROLL_DIMS);
	Node *x = n->in[0];
	Dim all = type_count(&x->type);

	(void)training;
	if (!dims->set || !dims->n)
		x = Reshape(roll_dim(Reshape(x, &all, 1), 0, s->ints[0]), n->type.dim, n->type.rank);
	for (int i = 0; dims->set && i < dims->n && x->type.rank; i++)
		x = roll_dim(x, dim_index(dims->ints[i], x->type.rank), s->ints[i]);
	res[0] = x;
}

static const AttrSpec roll_attr[] = {
	[ROLL_SHIFTS] = {"shifts", A_INTS, NULL, "places by which elements move towards the end", NULL},
	[ROLL_DIMS]   = {"dims", A_INTS, "null", "dimensions, one for each shift; null: all as one", NULL},
	{0}
};
const Op op_roll = {.name = "roll", .id = OP_roll, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .attr = roll_attr,
	.operands = "input", .doc = "elements moved along dimensions; those that leave at an end come in at the other",
	.shape = roll_shape, .compose = roll_compose};
