/* op_bits: booleans as bits.
 *
 * The dimensions from one on are packed as one, of n elements, into
 * m = ceil(n / 8) bytes: bit k of byte j is element k * m + j, and bits beyond n
 * are 0. So neighbours in a byte are far apart and a loop over one bit of each byte
 * reads bytes, and booleans, in order: it vectorises like any other. As everywhere,
 * m must be a monomial: n is a number, or 8 divides it. */
#include "ir.h"

#include <string.h>

enum { BITS = 8, ROW = 32 };

/* product of the dimensions of t from `from` on; false: it overflows */
static bool
elements_from(const Type *t, int from, Dim *n)
{
	*n = DIM(1);
	for (int i = from; i < t->rank; i++)
		if (!dim_mul(*n, t->dim[i], n))
			return false;
	return true;
}

/* bytes of n elements; false: that is no monomial */
static bool
bytes_of(Dim n, Dim *m)
{
	if (dim_div(n, DIM(BITS), m))
		return true;
	*m = DIM((n.k + BITS - 1) / BITS);
	return !n.sym;
}

/* n's last dimensions, from `from` on, as one */
typedef struct Packed { int from; Dim n, m; } Packed;

static Packed
packed_of(const Node *n)
{
	bool packs = n->op->kind == PACK;
	Packed r = {.from = packs ? n->type.rank - 1 : n->in[0]->type.rank - 1};

	if (!elements_from(packs ? &n->in[0]->type : &n->type, r.from, &r.n) || !bytes_of(r.n, &r.m))
		bug("%s: its size was not checked", n->op->name);
	return r;
}

/* ---- pack_bits ---- */

static void
pack_bits_shape(Node *n)
{
	const Type *x = &n->in[0]->type;
	int from = norm_dim(n, attr(n, 0)->i, MAX(x->rank, 1));
	Type t = {.dt = U8, .rank = from + 1};
	Dim count;

	if (from < 0)
		return;
	if (x->dt != BOOL) {
		type_error_in(n, 0, "%s is %s, must be bool", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	for (int i = 0; i < from; i++)
		t.dim[i] = x->dim[i];
	if (!elements_from(x, from, &count) || !bytes_of(count, &t.dim[from])) {
		type_error_in(n, 0, "%s is %s: its dimensions from %d on are packed as one, whose size must be a number "
			"or a multiple of 8", nn(n->in[0]), tt(n->in[0]), from);
		return;
	}
	n->type = t;
}

static void
pack_bits_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	Packed r = packed_of(n);
	int64_t count = dim_at(r.n, c->symval), m = dim_at(r.m, c->symval);

	for (int64_t o = 0; o < out->n; o++) {
		int64_t row = o / m, j = o % m, byte = 0;
		for (int64_t k = 0; k < BITS && k * m + j < count; k++)
			byte |= (int64_t)(in[0]->i[row * count + k * m + j] != 0) << k;
		out->i[o] = byte;
	}
}

/* bit k of element o */
static void
pack_bits_access(IxCtx *c, const Node *n, const Ix *const *o, int k, const Ix **in, IxGuard *guard)
{
	const Type *x = &n->in[0]->type;
	Packed r = packed_of(n);
	const Ix *at = ix_add(c, ix_scale(c, ix_dim(c, r.m), DIM(k)), o[r.from]);

	ix_guard(c, guard, at, NULL, ix_dim(c, r.n));
	for (int i = 0; i < r.from; i++)
		in[i] = o[i];
	for (int i = x->rank - 1; i >= r.from; i--) {
		in[i] = i == r.from ? at : ix_mod(c, at, x->dim[i]);
		at = i == r.from ? at : ix_div(c, at, x->dim[i]);
	}
}

static const AttrSpec pack_bits_attr[] = {
	{"start_dim", A_INT, "-1", "first of the dimensions that are packed as one", NULL},
	{0}
};
const Op op_pack_bits = {.name = "pack_bits", .id = OP_pack_bits, .kind = PACK, .min_in = 1, .max_in = 1,
	.flags = FLAT, .cost = 4, .attr = pack_bits_attr, .operands = "input",
	.doc = "n booleans as ceil(n / 8) bytes, m of them: bit k of byte j is element k*m + j",
	.shape = pack_bits_shape, .eval = pack_bits_eval, .access = pack_bits_access};

/* ---- unpack_bits ---- */

static void
unpack_bits_shape(Node *n)
{
	const Type *x = &n->in[0]->type;
	const Attr *shape = attr(n, 0);
	int from = x->rank - 1;
	Type t = {.dt = BOOL, .rank = from + shape->n};
	Dim count, m;

	if (x->dt != U8 || !x->rank) {
		type_error_in(n, 0, "%s is %s, must be u8 with at least one dimension", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	if (t.rank > MAXRANK) {
		type_error(n, "the result has %d dimensions; at most %d are possible", t.rank, MAXRANK);
		return;
	}
	for (int i = 0; i < t.rank; i++) {
		t.dim[i] = i < from ? x->dim[i] : shape->dims[i - from];
		if (t.dim[i].k < 0) {
			type_error(n, "shape has the negative size %s", dim_text(n->g->arena, n->g, t.dim[i]));
			return;
		}
	}
	if (!elements_from(&t, from, &count) || !bytes_of(count, &m) || !dim_eq(m, x->dim[from])) {
		type_error_in(n, 0, "%s is %s: %s elements do not fill its last dimension", nn(n->in[0]), tt(n->in[0]),
			elements_from(&t, from, &count) ? dim_text(n->g->arena, n->g, count) : "so many");
		return;
	}
	if (type_fits(n, &t))
		n->type = t;
}

static void
unpack_bits_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	Packed r = packed_of(n);
	int64_t count = dim_at(r.n, c->symval), m = dim_at(r.m, c->symval);

	for (int64_t o = 0; o < out->n; o++)
		out->i[o] = in[0]->i[o / count * m + o % count % m] >> (o % count / m) & 1;
}

/* the place of element o among those that are packed as one */
static const Ix *
place(IxCtx *c, const Node *n, const Ix *const *o)
{
	Type t = {.rank = n->type.rank - packed_of(n).from};

	for (int i = 0; i < t.rank; i++)
		t.dim[i] = n->type.dim[n->type.rank - t.rank + i];
	return ix_linear(c, &t, o + n->type.rank - t.rank);
}

static void
unpack_bits_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	Packed r = packed_of(n);

	(void)which;
	(void)guard;
	for (int i = 0; i < r.from; i++)
		in[i] = o[i];
	in[r.from] = ix_mod(c, place(c, n, o), r.m);
}

static const Ix *
unpack_bits_bit(IxCtx *c, const Node *n, const Ix *const *o)
{
	return ix_div(c, place(c, n, o), packed_of(n).m);
}

static const AttrSpec unpack_bits_attr[] = {
	{"shape", A_SHAPE, NULL, "sizes of the dimensions in place of the last", NULL},
	{0}
};
const Op op_unpack_bits = {.name = "unpack_bits", .id = OP_unpack_bits, .kind = VIEW, .min_in = 1, .max_in = 1,
	.flags = FLAT, .cost = 3, .attr = unpack_bits_attr, .operands = "input",
	.doc = "the booleans that pack_bits put into bytes",
	.shape = unpack_bits_shape, .eval = unpack_bits_eval, .access = unpack_bits_access, .bit = unpack_bits_bit};

/* ---- the choice of dimensions ---- */

/* Dimensions of fixed size, whose packing takes fewest bytes; of several ways the innermost whose loops are not
 * too short to vectorise (32 bytes at a time), so that a kernel's row holds what is packed as one. */
bool
packing_of(const Graph *g, const Type *t, Packing *p)
{
	int64_t least = INT64_MAX;
	bool vectorises = false;

	if (t->dt != BOOL)
		return false;
	*p = (Packing){.pack = op_pack_bits.cost, .unpack = op_unpack_bits.cost};
	for (int from = t->rank - 1; from >= 0; from--) {
		Type u = {.dt = U8, .rank = from + 1};
		Dim n;
		int64_t bytes;
		memcpy(u.dim, t->dim, (size_t)from * sizeof *u.dim);
		if (!elements_from(t, from, &n) || n.sym || !bytes_of(n, &u.dim[from]))
			continue;
		bytes = type_max_bytes(g, &u);
		if (bytes > least || (bytes == least && vectorises))
			continue;
		least = bytes;
		vectorises = dim_hint(g, u.dim[from]) >= ROW;
		p->start = from;
		p->type = u;
	}
	return least < type_max_bytes(g, t);
}

Node *
Pack(Node *a)
{
	Packing p;
	Attr *at = attrs_new(a->g, &op_pack_bits);

	if (!packing_of(a->g, &a->type, &p))
		bug("%s cannot be packed", tt(a));
	set_int(&op_pack_bits, at, "start_dim", p.start);
	return node(a->g, &op_pack_bits, &a, 1, at);
}

Node *
Unpack(Node *a, const Type *t)
{
	Attr *at = attrs_new(a->g, &op_unpack_bits);
	int from = a->type.rank - 1;

	set_dims(a->g, &op_unpack_bits, at, "shape", t->dim + from, t->rank - from);
	return node(a->g, &op_unpack_bits, &a, 1, at);
}
