/* cases.h: the graphs. A case is a function that builds its graph from leaves. */

typedef Node *Formula(Graph *g);

static Node *
in(Graph *g, const char *name, const char *type)
{
	Type t;

	if (!type_parse(g, type, (Loc){0}, &t))
		bug("type %s", type);
	return node_leaf(g, &(Leaf){.role = INPUT, .name = name}, t);
}

static Node *
name(Node *n, const char *s)
{
	n->name = graph_str(n->g, s);
	return n;
}

static Node *
c_pointwise(Graph *g)
{
	Node *x = in(g, "x", "f32[B,40]"), *bias = in(g, "fc.bias", "f32[40]");
	Node *h = name(Add(x, bias), "h");

	return Add(Maximum(h, Lit(h, 0)), Mul(Sigmoid(h), Tanh(Mul(h, Lit(h, 0.5)))));
}

static Node *
c_gelu(Graph *g)
{
	Node *x = in(g, "x", "f64[3,B,5]");

	return Mul(Mul(x, Lit(x, 0.5)), Add(Erf(Mul(x, Lit(x, 0.70710678118654752))), Lit(x, 1)));
}

static Node *
c_integers(Graph *g)
{
	Node *a = in(g, "a", "i32[B,7]"), *b = in(g, "b", "i32[7]"), *c = in(g, "c", "u8[7]");
	Node *d = Add(Mul(a, a), Neg(Sub(b, Div(a, b))));
	Node *e = Add(Cast(d, I8), Cast(c, I8));

	return Where(Gt(Cast(e, I32), d), Cast(Add(Cast(d, U8), c), I32), Cast(Maximum(e, Cast(d, I8)), I32));
}

static Node *
c_casts(Graph *g)
{
	Node *x = in(g, "x", "f32[B,9]"), *big = Mul(x, Lit(x, 1e9));

	return Add(Cast(Cast(big, I32), F32), Add(Cast(Cast(x, U8), F32), Cast(Cast(x, BOOL), F32)));
}

static Node *
c_views(Graph *g)
{
	Node *x = in(g, "x", "f32[B,4,6]");
	Node *p = Permute(Reshape(x, (Dim[]){{1, 1}, DIM(2), DIM(12)}, 3), (int[]){1, 0, 2});
	Node *s = Slice(Flip(p, (int[]){2}, 1), 2, DIM(1), DIM(11), 3);
	Node *q = Pad(s, (Dim[]){DIM(1), DIM(0), DIM(2)}, (Dim[]){DIM(0), DIM(0), DIM(1)}, 0.5);

	return Cat((Node *[]){q, Neg(q), Slice(q, 0, DIM(0), DIM(1), 1)}, 3, 0);
}

static Node *
c_reshape_hard(Graph *g)
{
	Node *x = in(g, "x", "f32[6,4]");
	Node *t = Transpose(x, 0, 1);

	return Reshape(t, (Dim[]){DIM(3), DIM(8)}, 2);
}

static Node *
c_sums(Graph *g)
{
	Node *x = in(g, "x", "f32[B,3,70]");
	Node *a = Sum(x, (int[]){2}, 1, true), *b = Sum(x, (int[]){0}, 1, true), *c = Sum(x, (int[]){0, 2}, 2, true);
	Node *d = Sum(x, (int[]){1}, 1, true), *e = Sum(x, (int[]){0, 1, 2}, 3, true);

	return Add(Add(Add(a, b), Add(c, d)), e);
}

static Node *
c_long_sums(Graph *g)
{
	Node *x = in(g, "x", "f32[20011]"), *y = in(g, "y", "f32[9001,2]"), *z = in(g, "z", "f64[8192]");
	Node *s = Sum(x, (int[]){0}, 1, false), *t = Sum(y, (int[]){0}, 1, false);

	return Add(Add(t, s), Cast(Sum(z, (int[]){0}, 1, false), F32));
}

static Node *
c_extrema(Graph *g)
{
	Node *x = in(g, "x", "f32[B,50]"), *i = in(g, "i", "i32[B,5]"), *u = in(g, "u", "u8[B,3]");
	Node *m = Sub(Amax(x, (int[]){1}, 1, true), Amin(x, (int[]){0}, 1, true));
	Node *k = Sub(Amax(i, (int[]){1}, 1, true), Amin(i, (int[]){1}, 1, true));
	Attr *a = attrs_new(g, op_get(OP_argmax));
	Node *am;

	set_int(op_get(OP_argmax), a, "dim", 1);
	am = OpN(OP_argmax, &x, 1, a);
	return Add(Add(m, Cast(k, F32)), Cast(Add(Unsqueeze(am, 1), Cast(Sum(u, (int[]){1}, 1, true), I64)), F32));
}

static Node *
c_softmax(Graph *g)
{
	Node *x = in(g, "x", "f32[B,3,100]");
	Node *m = Amax(x, (int[]){2}, 1, true), *e = Exp(Sub(x, m));

	return Div(e, SumLast(e));
}

static Node *
c_dots(Graph *g)
{
	Node *x = in(g, "x", "f32[B,20]"), *w = in(g, "w", "f32[30,20]"), *a = in(g, "a", "f64[2,3,300]");
	Node *h = Dot("mk,nk->mn", x, w), *q = Dot("bik,bjk->bij", a, a);
	Node *i = in(g, "i", "i32[3,4]"), *t = Dot("mi,mj->ij", h, x), *o = Dot("i,j->ij", in(g, "u", "f32[3]"), in(g, "v", "f32[4]"));

	return Add(Add(Sum(t, (int[]){0, 1}, 2, false), Cast(Sum(q, (int[]){0, 1, 2}, 3, false), F32)),
		Add(Cast(Dot("ij,ij->", i, i), F32), Sum(o, (int[]){0, 1}, 2, false)));
}

static Node *
c_gather(Graph *g)
{
	Node *e = in(g, "table", "f32[11,6]"), *i = in(g, "token", "i32[B,4]");
	Node *flat = Reshape(i, (Dim[]){{4, 1}, DIM(1)}, 2), *wide = Expand(flat, (Dim[]){{4, 1}, DIM(6)}, 2);
	Node *x = Gather(e, 0, wide);

	return ScatterAdd(Zeros(e), 0, wide, Mul(x, x));
}

static Node *
c_random(Graph *g)
{
	Node *key = in(g, "key", "u64[]");
	const Op *op = op_get(OP_rand);
	Attr *a = attrs_new(g, op);
	Node *u, *n;

	set_dims(g, op, a, "shape", (Dim[]){{1, 1}, DIM(5)}, 2);
	set_int(op, a, "stream", 77);
	u = node(g, op, &key, 1, a);
	op = op_get(OP_randn);
	a = attrs_new(g, op);
	set_dims(g, op, a, "shape", (Dim[]){{1, 1}, DIM(5)}, 2);
	set_int(op, a, "stream", 78);
	n = node(g, op, &key, 1, a);
	return Where(Gt(u, Lit(u, 0.5)), n, Lit(n, 0));
}

static Node *
c_sources(Graph *g)
{
	Type t = {.dt = I64, .rank = 2, .dim = {{1, 1}, DIM(6)}};
	Node *i = Iota(g, t, 0), *j = Iota(g, t, 1);
	Type row = {.dt = F32, .rank = 2, .dim = {{1, 1}, DIM(6)}};
	Node *tri = Where(Le(j, i), Full(g, row, 1), Full(g, type_scalar(F32), -INFINITY));

	return Mul(tri, DimSize(g, (Dim){4, 1}, F32));
}

/* what compilers warn of when it is compared */
static Node *
c_known(Graph *g)
{
	Node *i = in(g, "i", "i16[]"), *u = in(g, "u", "u64[B]"), *t = in(g, "t", "bool[3]"), *zero = OpN(OP_argmax, &i, 1, NULL);
	Node *yes = Full(g, (Type){.dt = BOOL, .rank = 1, .dim = {DIM(5)}}, 1), *first = OpN(OP_argmin, &yes, 1, NULL);
	Node *none = LogicalAnd(zero, zero), *no = LogicalXor(Maximum(t, Lit(t, 0)), none);
	Node *low = Maximum(Minimum(u, Lit(u, 0)), Where(Lt(u, Lit(u, 0)), u, Lit(u, 0)));
	Node *small = Cast(in(g, "s", "u8[B]"), I64);

	low = Add(low, Cast(Lt(small, Lit(small, 0)), U64));
	low = Add(low, Cast(LogicalOr(Eq(small, Lit(small, -100)), Ge(small, Lit(small, 256))), U64));
	low = Add(low, Cast(LogicalOr(Le(small, Lit(small, 254)), Gt(Lit(u, 0), u)), U64));
	return Add(Add(Cast(Sum(no, (int[]){0}, 1, false), I64), first), Cast(low, I64));
}

static Node *
c_empty_dots(Graph *g)
{
	Node *x = in(g, "x", "f32[B,0]"), *y = in(g, "y", "f32[0]"), *w = in(g, "w", "f32[0,3]");
	Node *none = Dot("i,j->ij", y, in(g, "v", "f32[2]"));

	return Add(Add(Dot("ij,jk->ik", x, w), Unsqueeze(Dot("ij,ij->i", x, x), 1)), Cast(Sum(none, (int[]){0, 1}, 2, false), F32));
}

static Node *
total(Node *x)
{
	return Op1(OP_sum, x);
}

static Node *
scan(int op, Node *x, int dim)
{
	Attr *a = attrs_new(x->g, op_get(op));

	set_int(op_get(op), a, "dim", dim);
	return OpN(op, &x, 1, a);
}

/* a sum that tells orders apart */
static Node *
position(Node *index)
{
	return total(Mul(index, Add(Iota(index->g, index->type, 0), Iota(index->g, index->type, index->type.rank - 1))));
}

/* rows, lanes in blocks and in part of one, a symbolic length, several levels, both directions */
static Node *
c_scans(Graph *g)
{
	Node *x = in(g, "x", "f32[3,7,130]"), *y = in(g, "y", "f32[B,5]"), *z = in(g, "z", "f64[2,66000]");
	Node *a = CumSum(Exp(x), 1, false), *b = CumSum(x, 2, true), *c = CumSum(y, 0, true), *d = CumSum(z, 1, false);
	Node *p = scan(OP_cumprod, y, 1), *l = scan(OP_logcumsumexp, x, 1);
	Node *r = LinearRecurrence(Sigmoid(x), x, 1, true), *w = CumSum(Permute(z, (int[]){1, 0}), 0, true);

	a = Add(Add(total(Mul(a, x)), total(b)), Add(total(c), total(p)));
	return Add(Add(a, Add(total(l), total(Neg(r)))), Cast(Add(total(d), total(w)), F32));
}

static Node *
c_empty_orders(Graph *g)
{
	Node *x = in(g, "x", "f32[3,5,0]"), *y = in(g, "y", "f64[0,B]");

	return Add(Add(total(Cast(ArgSort(x, 1, false), F32)), total(CumSum(x, 1, true))),
		Add(total(Cast(ArgSort(y, 0, true), F32)), total(Cast(CumSum(y, 1, false), F32))));
}

static Node *
c_extrema_so_far(Graph *g)
{
	Node *x = in(g, "x", "f32[3,7,130]"), *i = in(g, "i", "i32[B,9]");

	return Add(total(Mul(scan(OP_cumargmax, x, 1), scan(OP_cumargmin, x, 2))), total(scan(OP_cumargmax, i, 0)));
}

/* short rows, long ones, more than there is memory for at a time */
static Node *
c_sorts(Graph *g)
{
	Node *x = in(g, "x", "f32[B,33]"), *y = in(g, "y", "f64[3,600]"), *z = in(g, "z", "f32[2,300,7]");
	Node *i = in(g, "i", "i32[600,20]");

	return Add(Add(position(ArgSort(Neg(x), 1, false)), position(ArgSort(x, 0, true))),
		Add(Add(position(ArgSort(y, 1, true)), position(ArgSort(z, 1, false))), position(ArgSort(i, 0, true))));
}

/* several at one place, in every dtype class */
static Node *
c_scatters(Graph *g)
{
	Node *x = in(g, "x", "f32[B,7]"), *s = in(g, "s", "f32[B,12]"), *i = in(g, "i", "i32[B,11]");
	Node *k = in(g, "k", "i16[B,7]"), *t = in(g, "t", "i16[B,12]"), *all;

	i = Cast(Remainder(i, LitI(g, I32, 7)), I64);
	all = Add(Scatter(OP_scatter, x, 1, i, s), Scatter(OP_scatter_amax, x, 1, i, s));
	all = Add(Add(all, Scatter(OP_scatter_amin, x, 1, i, s)), Scatter(OP_scatter_prod, x, 1, i, s));
	all = Add(all, Cast(Scatter(OP_scatter_prod, k, 1, i, t), F32));
	all = Add(all, Cast(Scatter(OP_scatter_amax, k, 1, i, t), F32));
	return Add(all, Cast(Scatter(OP_scatter_amin, Gt(k, LitI(g, I16, 0)), 1, i, Gt(t, LitI(g, I16, 0))), F32));
}

/* of the last operand of a cat, nothing is read */
static Node *
c_part_of_cat(Graph *g)
{
	Node *x = in(g, "x", "f32[3,2]"), *y = in(g, "y", "f32[3,1]"), *all = Cat((Node *const []){x, y}, 2, 1);

	all = Pad(Slice(Mul(all, all), 1, DIM(0), DIM(1), 1), (Dim[]){DIM(0), DIM(2)}, (Dim[]){DIM(0), DIM(0)}, 0);
	return Add(all, Abs(all));
}

/* two elements under one condition in each step of the outer loop */
static Node *
c_padded_rows(Graph *g)
{
	Node *x = in(g, "x", "f32[4,2]"), *low = in(g, "low", "f32[2,9]");

	x = Pad(x, (Dim[]){DIM(3), DIM(0)}, (Dim[]){DIM(0), DIM(0)}, 0);
	low = Transpose(Pad(low, (Dim[]){DIM(0), DIM(5)}, (Dim[]){DIM(0), DIM(0)}, 1), 0, 1);
	return Cat((Node *const []){Abs(x), Neg(low)}, 2, 0);
}

static const struct { const char *name; Formula *formula; } formulas[] = {
	{"pointwise", c_pointwise}, {"gelu", c_gelu}, {"integers", c_integers}, {"casts", c_casts}, {"views", c_views},
	{"reshape_hard", c_reshape_hard}, {"sums", c_sums}, {"long_sums", c_long_sums}, {"extrema", c_extrema},
	{"known", c_known}, {"empty_dots", c_empty_dots}, {"softmax", c_softmax}, {"dots", c_dots}, {"gather", c_gather},
	{"random", c_random}, {"sources", c_sources},
	{"padded_rows", c_padded_rows}, {"part_of_cat", c_part_of_cat},
	{"scans", c_scans}, {"extrema_so_far", c_extrema_so_far}, {"sorts", c_sorts}, {"empty_orders", c_empty_orders}, {"scatters", c_scatters},
};

/* the model as a user's file, forward and backward in one graph */
static void
model_case(const char *file)
{
	Case *c = &cases[ncase++];
	Options o = {.training = true};
	int64_t n;
	const char *text = read_file(arena, file, &n);
	Graph *g = graph_read(arena, file, text, n);

	diag_check();
	c->name = file;
	c->nrange = index_ranges(arena, g, &c->range);
	if (g->loss >= 0)
		g = seed_one(arena, grad(arena, g, &o));
	diag_check();
	c->g = simplify(arena, compose(arena, g, true));
	for (int s = 0; s < g->nsym; s++)
		c->sym[s] = MAX(g->sym[s].min, MIN(g->sym[s].max, 3));
}

static void
build_cases(int nfile, char **file)
{
	for (int i = 0; i < nfile; i++)
		model_case(file[i]);
	for (int i = 0; i < LEN(formulas) && !nfile; i++) {
		Graph *g = graph_new(arena, "case");
		Case *c = &cases[ncase++];
		g->sym[g->nsym++] = (Sym){.name = "B", .min = 1, .max = 64, .hint = 64};
		c->name = formulas[i].name;
		c->g = g;
		c->sym[0] = 5;
		g->folding = false;
		port_add(g, &g->out, "y", formulas[i].formula(g), (Loc){0});
		c->nrange = index_ranges(arena, g, &c->range);
	}
}
