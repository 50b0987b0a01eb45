/* Plans whose price is known by hand, complaints, and the models: what is saved of them, their certificates and
 * modules as documents. */
#include "split.h"

/* y = f(x) is the output, its cotangent the only one; the caller differentiates */
typedef struct Small {
	Arena *a;
	Graph *g;
	Node *x, *w, *s, *ct;
} Small;

static Small
small_new(int64_t rows, int64_t cols)
{
	Small m = {.a = arena_new()};

	m.g = graph_new(m.a, "g");
	m.x = leaf_new(m.g, INPUT, "x", type_of(rows, cols));
	m.w = leaf_new(m.g, PARAM, "w", type_of(cols, cols));
	m.s = leaf_new(m.g, BUFFER, "s", type_of(rows, 1));
	m.ct = leaf_new(m.g, COTANGENT, "ct.y", type_of(rows, cols));
	m.g->joint = true;
	port_add(m.g, &m.g->ct, "y", m.ct, (Loc){0});
	return m;
}

static Node *
named(Node *n, const char *name)
{
	n->name = graph_str(n->g, name);
	return n;
}

static Split *
small_split(Small *m, Node *y, Node *d, const Options *o)
{
	if (y)
		port_add(m->g, &m->g->out, "y", y, (Loc){0});
	port_add(m->g, &m->g->grad, "x", d, (Loc){0});
	Split *s = split(m->a, m->g, o);
	if (s)
		assert_null(certificate_check(m->a, s));
	return s;
}

static bool
saves(const Split *s, const char *name)
{
	return port_find(&s->fwd->saved, name) != NULL;
}

/* an output is written anyway, but saving it costs a write and a read: 2 * 4 bytes, in eighths */
static void
test_pointwise_price(void **state)
{
	(void)state;
	for (int k = 0; k < 2; k++) {
		Small m = small_new(64, 32);
		Node *y = k ? named(Sigmoid(Sigmoid(Sigmoid(Sigmoid(m.x)))), "y") : named(Sigmoid(m.x), "y");
		Split *s = small_split(&m, y, Mul(m.ct, y), NULL);
		/* sigmoid is 20 operations: one is cheaper than 64 eighths of a byte, four are not */
		assert_int_equal(s->cost, 64 * 32 * (k ? 64 : 20));
		assert_int_equal(s->saved_bytes, k ? 64 * 32 * 4 : 0);
		assert_int_equal(s->nrecomputed, k ? 0 : 1);
		arena_free(m.a);
	}
}

/* The mask is all that backward needs: a bit of each element where a row's kernel makes it, a byte where a contraction
 * ends, since bits would be packed by a kernel of its own. Where time counts and memory is near, packing costs more
 * than it saves. */
static void
test_mask(void **state)
{
	static const struct { bool dot; const char *objective, *saved; int eighths; } want[] = {
		{false, "traffic", "p.bits", 1 + 1 + 4 + 3},   /* a bit written, one read, operations to pack and unpack */
		{false, "time", "p", 0},
		{true, "traffic", "p", 8 + 8},
		{true, "time", "p", 0},
		{true, "bytes", "p.bits", 0},
	};

	(void)state;
	for (int k = 0; k < LEN(want); k++) {
		Small m = small_new(64, 32);
		Node *h = named(want[k].dot ? Dot("ij,jk->ik", m.x, m.w) : Exp(m.x), "h"), *p = named(Gt(h, Lit(h, 0)), "p");
		Split *s = small_split(&m, Where(p, h, Lit(h, 0)), Where(p, m.ct, Lit(h, 0)),
			&(Options){.objective = want[k].objective});
		assert_int_equal(s->fwd->saved.n, 1);
		assert_true(saves(s, want[k].saved));
		assert_int_equal(s->saved_bytes, strcmp(want[k].saved, "p") ? 64 * 32 / 8 : 64 * 32);
		if (want[k].eighths)
			assert_int_equal(s->cost, 64 * 32 * want[k].eighths);
		arena_free(m.a);
	}
}

/* the same where the graph is too large to be fused for its prices */
static void
test_mask_of_many(void **state)
{
	(void)state;
	for (int dot = 0; dot < 2; dot++) {
		Small m = small_new(64, 32);
		Node *h = named(dot ? Dot("ij,jk->ik", m.x, m.w) : Exp(m.x), "h"), *p = named(Gt(h, Lit(h, 0)), "p"), *far = h;
		Split *s;
		for (int i = 0; i <= MAXFUSED; i++)
			far = Sin(far);
		s = small_split(&m, Add(Where(p, h, Lit(h, 0)), far), Where(p, m.ct, Lit(h, 0)), NULL);
		assert_false(s->fused);
		assert_true(saves(s, dot ? "p" : "p.bits"));
		arena_free(m.a);
	}
}

/* the dimensions that are packed as one: fewest bytes, then the innermost that vectorise */
static void
test_packing(void **state)
{
	static const struct { const char *type, *packed; int start; } want[] = {
		{"bool[B,512]", "u8[B,64]", 1},       {"bool[128,10]", "u8[160]", 0},
		{"bool[B,16,14,14]", "u8[B,392]", 1}, {"bool[B,10]", "u8[B,2]", 1},
		{"bool[4,B,256]", "u8[4,B,32]", 2},   {"bool[4,64,8,8]", "u8[4,512]", 1},
		{"bool[B,12,4]", "u8[B,6]", 1},       {"bool[9]", "u8[2]", 0},
		{"bool[8*B]", NULL, 0},               {"bool[6,B]", NULL, 0},
		{"bool[B,1]", NULL, 0},               {"bool[]", NULL, 0},
		{"u8[64]", NULL, 0},
	};
	Arena *a = arena_new();
	Graph *g = graph_new(a, "g");
	Type t;
	Packing p;

	(void)state;
	g->nsym = 1;
	g->sym[0] = (Sym){.name = graph_str(g, "B"), .min = 1, .max = 100, .hint = 64};
	for (int i = 0; i < LEN(want); i++) {
		assert_true(type_parse(g, want[i].type, (Loc){0}, &t));
		assert_int_equal(packing_of(g, &t, &p), want[i].packed != NULL);
		if (!want[i].packed)
			continue;
		assert_string_equal(type_text(a, g, &p.type), want[i].packed);
		assert_int_equal(p.start, want[i].start);
	}
	arena_free(a);
}

/* the mask is made by backward's rule alone, and still forward computes and saves it */
static void
test_unclaimed(void **state)
{
	Small m = small_new(64, 32);
	Node *h = named(Dot("ij,jk->ik", m.x, m.w), "h"), *p = named(Gt(h, Lit(h, 0)), "p");
	Split *s = small_split(&m, h, Where(p, m.ct, Lit(h, 0)), NULL), *t;

	(void)state;
	assert_true(saves(s, "p") && !saves(s, "h"));
	t = split(m.a, m.g, &(Options){.partition = "default"});
	assert_true(saves(t, "h") && !saves(t, "p"));
	arena_free(m.a);
}

/* a value of rows is charged for its own elements, however often it is read */
static void
test_broadcast(void **state)
{
	Small m = small_new(64, 32);
	Node *e = named(Exp(m.s), "e"), *y = named(Mul(m.x, e), "y");
	Split *s = small_split(&m, y, Mul(m.ct, e), NULL);

	(void)state;
	assert_int_equal(s->cost, 64 * 20);
	arena_free(m.a);
}

/* two kernels of backward read it: one more read; recomputing it happens in both */
static void
test_two_kernels(void **state)
{
	Small m = small_new(64, 32);
	Node *h = named(Dot("ij,jk->ik", m.x, m.w), "h"), *y = named(Sigmoid(h), "y");
	Node *b = Dot("ik,jk->ij", Mul(m.ct, y), m.w);
	Split *s;

	(void)state;
	port_add(m.g, &m.g->grad, "w", Dot("ij,ik->jk", y, b), (Loc){0});
	s = small_split(&m, y, b, &(Options){.partition = "default"});
	assert_true(saves(s, "y") && s->fwd->saved.n == 1);
	assert_int_equal(s->cost, 64 * 32 * 4 * 8 * 3);
	arena_free(m.a);
}

/* forward overwrites the buffer: backward needs a copy of the old value */
static void
test_updated(void **state)
{
	Small m = small_new(64, 32);
	Split *s;

	(void)state;
	port_add(m.g, &m.g->update, "s", Exp(m.s), (Loc){0});
	s = small_split(&m, NULL, Mul(m.ct, m.s), NULL);
	assert_true(saves(s, "s"));
	assert_int_equal(leaf_find(s->bwd, "s")->role, SAVED);
	assert_int_equal(s->saved_bytes, 64 * 4);
	arena_free(m.a);
}

static void
test_kept_buffer(void **state)
{
	Small m = small_new(64, 32);
	Split *s;

	(void)state;
	port_add(m.g, &m.g->update, "s", m.s, (Loc){0});
	s = small_split(&m, NULL, Mul(m.ct, m.s), NULL);
	assert_int_equal(s->fwd->saved.n, 0);
	assert_int_equal(leaf_find(s->bwd, "s")->role, BUFFER);
	arena_free(m.a);
}

/* views: what they show is saved, once; a part of it alone when only that is needed */
static void
test_views(void **state)
{
	(void)state;
	for (int part = 0; part < 2; part++) {
		Small m = small_new(64, 32);
		Node *h = named(Dot("ij,jk->ik", m.x, m.w), "h");
		Node *t = named(Transpose(h, 0, 1), "t"), *q = named(Slice(h, 0, DIM(0), DIM(8), 1), "q");
		Node *d = part ? Mul(m.ct, Sum(q, (int[]){0}, 1, true)) : Mul(Mul(m.ct, Transpose(t, 0, 1)), h);
		Split *s = small_split(&m, t, d, NULL);
		assert_int_equal(s->fwd->saved.n, 1);
		assert_int_equal(s->saved_bytes, part ? 32 * 4 : 64 * 32 * 4);
		arena_free(m.a);
	}
}

/* random numbers are a function of key and stream: cheaper drawn again than kept */
static void
test_random(void **state)
{
	Small m = small_new(64, 32);
	Node *key = leaf_new(m.g, INPUT, "key", type_scalar(U64)), *u;
	const Op *op = op_find("rand");
	Attr *at = attrs_new(m.g, op);
	Split *s;

	(void)state;
	set_dims(m.g, op, at, "shape", m.x->type.dim, 2);
	set_int(op, at, "stream", 5);
	u = named(node(m.g, op, &key, 1, at), "u");
	s = small_split(&m, Mul(m.x, u), Mul(m.ct, u), NULL);
	assert_int_equal(s->nrecomputed, 1);
	assert_int_equal(s->fwd->saved.n, 0);
	assert_int_equal(s->cost, 64 * 32 * 20);
	arena_free(m.a);
}

/* contractions are repeated only when asked for: by name, by word, by --partition=recompute */
static void
test_contraction(void **state)
{
	static const Options by[] = {{0}, {.recomputable = "sum,dot"}, {0}, {.partition = "recompute"}};

	(void)state;
	for (int k = 0; k < LEN(by); k++) {
		Small m = small_new(64, 4);
		Node *h = named(Dot("ij,jk->ik", m.x, m.w), "h");
		if (k == 2)
			h->remat = REMAT_RECOMPUTE;
		/* 2 * 64 * 4 * 4 operations, in the kernel that reads it */
		Split *s = small_split(&m, h, Mul(m.ct, h), &by[k]);
		assert_int_equal(s->fwd->saved.n, k < 1);
		assert_int_equal(s->cost, k < 1 ? 64 * 4 * 64 : 2 * 64 * 4 * 4);
		arena_free(m.a);
	}
}

static void
test_words(void **state)
{
	Small m = small_new(64, 32);
	Node *e = named(Exp(m.x), "e"), *f = named(Exp(e), "f");
	Split *s;

	(void)state;
	e->remat = REMAT_SAVE;
	s = small_split(&m, f, Mul(m.ct, f), NULL);
	assert_true(saves(s, "e") && !saves(s, "f"));
	f->remat = REMAT_SAVE;
	e->remat = REMAT_RECOMPUTE;
	s = split(m.a, m.g, &(Options){.partition = "recompute"});
	assert_true(saves(s, "f") && !saves(s, "e"));
	arena_free(m.a);
}

/* who wants a value computed again does not want what backward makes of it kept instead */
static void
test_no_evasion(void **state)
{
	Small m = small_new(64, 32);
	Node *a = named(Dot("ij,jk->ik", m.x, m.w), "a"), *twice = named(Mul(Lit(a, 2), a), "twice");
	Split *s;

	(void)state;
	a->remat = REMAT_RECOMPUTE;
	s = small_split(&m, Square(a), Mul(m.ct, twice), NULL);
	assert_int_equal(s->fwd->saved.n, 0);
	twice->remat = REMAT_SAVE;
	s = split(m.a, m.g, NULL);
	assert_true(saves(s, "twice"));
	arena_free(m.a);
}

/* of two values as large, forward keeps the one that it has */
static void
test_tie(void **state)
{
	Small m = small_new(64, 32);
	Node *a = named(Dot("ij,jk->ik", m.x, m.w), "a"), *twice = named(Mul(Lit(a, 2), a), "twice");
	Split *s = small_split(&m, Square(a), Mul(m.ct, twice), NULL);

	(void)state;
	assert_true(saves(s, "a") && s->fwd->saved.n == 1);
	arena_free(m.a);
}

static void
test_conflict(void **state)
{
	Small m = small_new(64, 32);
	Node *e = named(Exp(m.x), "e"), *t = named(Transpose(e, 0, 1), "t");
	Buf b = {.arena = m.a};

	(void)state;
	e->remat = REMAT_RECOMPUTE;
	e->at = (Loc){"m.json", 7, 3};
	t->remat = REMAT_SAVE;
	assert_null(small_split(&m, t, Mul(m.ct, Transpose(Neg(t), 0, 1)), NULL));
	diag_text(&b);
	assert_string_equal(buf_str(&b),
		"m.json:7:3: error: no partition can obey the \"remat\" of 'e'\n"
		"    'e' (exp) is not recomputed: \"remat\": \"save\" of 't', a view of it\n"
		"    'e' (exp) is not saved: \"remat\": \"recompute\"\n"
		"    backward needs 'e' (exp)\n");
	diag_reset();
	arena_free(m.a);
}

static void
test_wrong_input(void **state)
{
	Small m = small_new(64, 32);
	Buf b = {.arena = m.a};
	Node *e = named(Exp(m.x), "e");

	(void)state;
	e->remat = REMAT_SAVE;
	e->at = (Loc){"m.json", 2, 2};
	port_add(m.g, &m.g->out, "z", Neg(m.ct), (Loc){"m.json", 3, 3});
	assert_null(small_split(&m, e, m.ct, &(Options){.recomputable = "dot,dto,linear"}));
	diag_text(&b);
	assert_string_equal(buf_str(&b),
		"gradc: error: --recomputable-ops=dto: there is no op of that name; did you mean 'dot'?\n"
		"gradc: error: --recomputable-ops=linear: it becomes other ops before it is partitioned; name those\n"
		"m.json:3:3: error: output 'z' depends on a cotangent\n");
	diag_reset();
	m.g->out.n = 0;
	m.g->grad.n = 0;
	assert_non_null(small_split(&m, e, m.ct, NULL));
	b.n = 0;
	diag_text(&b);
	assert_string_equal(buf_str(&b),
		"m.json:2:2: warning: \"remat\": \"save\" of 'e' has no effect: backward cannot use it\n");
	diag_reset();
	arena_free(m.a);
}

static void
test_fusible(void **state)
{
	Small m = small_new(64, 32);
	Node *x = m.x, *e = Exp(x), *rows = SumLast(e), *cols = Sum(e, (int[]){0}, 1, true);
	Node *all = Sum(e, (int[]){0, 1}, 2, true), *dot = Dot("ij,jk->ik", e, m.w);
	Node *flat = Reshape(SumLast(e), (Dim[]){DIM(64)}, 1), *wide = Expand(rows, x->type.dim, 2);
	const struct { const Node *a, *b; bool yes; } pair[] = {
		{x, dot, true}, {e, Neg(e), true}, {e, rows, true}, {e, cols, true}, {e, dot, true},
		{rows, Sub(x, rows), true},            /* the same row: softmax, layer norm */
		{wide, Sub(x, wide), true},
		{cols, Sub(x, cols), false},           /* complete only after the last row */
		{all, Sub(x, all), false}, {all, Neg(all), true}, {cols, Neg(cols), true}, {flat, Neg(flat), true},
		{dot, Add(dot, x), true}, {dot, SumLast(dot), false}, {dot, Dot("ij,jk->ik", dot, m.w), false},
		{dot, Transpose(dot, 0, 1), true}, {rows, Dot("ij,ik->jk", rows, x), false},
		{Exp(Slice(x, 0, DIM(0), DIM(1), 1)), NULL, false},
	};

	(void)state;
	for (int i = 0; i < LEN(pair); i++) {
		const Node *b = pair[i].b ? pair[i].b : Mul((Node *)(uintptr_t)pair[i].a, x);
		if (fusible(pair[i].a, b) != pair[i].yes)
			print_error("pair %d: %s, %s\n", i, pair[i].a->op->name, b->op->name);
		assert_int_equal(fusible(pair[i].a, b), pair[i].yes);
	}
	arena_free(m.a);
}

/* sizes beyond all reason lose bits of the prices, not the proof */
static void
test_huge(void **state)
{
	Small m = small_new(INT64_C(1) << 22, INT64_C(1) << 22);
	Node *h = named(Dot("ij,jk->ik", m.x, m.w), "h");
	Split *s = small_split(&m, h, Mul(m.ct, h), NULL);

	(void)state;
	assert_true(saves(s, "h"));
	assert_int_equal(s->saved_bytes, INT64_C(1) << 46);
	arena_free(m.a);
}

/* ---- documents ---- */

/* the certificate as others read it: the flow proves the cut, without any of our structures */
static void
check_document(Arena *a, const Split *s)
{
	Buf b = {.arena = a};
	const Json *doc, *c, *arcs, *side;
	FlowArc *arc;
	FlowCut cut = {0};
	int64_t from, to, value;
	int nvertex;

	certificate_write(&b, s);
	doc = json_read(a, "certificate", b.s, b.n);
	assert_non_null(doc);
	c = json_get(doc, "certificate");
	arcs = json_get(c, "arcs");
	side = json_get(c, "sink_side");
	nvertex = json_get(c, "vertices")->n;
	arc = NEW(a, arcs->n, FlowArc);
	cut.flow = NEW(a, arcs->n, int64_t);
	cut.sink_side = NEW(a, nvertex, uint8_t);
	for (int i = 0; i < arcs->n; i++) {
		const Json *x = arcs->item[i];
		assert_true(json_int(x->item[0], &from) && json_int(x->item[1], &to) && json_int(x->item[3], &cut.flow[i]));
		arc[i] = (FlowArc){(int)from, (int)to, FLOW_INF};
		if (x->item[2]->kind == J_NUMBER)
			assert_true(json_int(x->item[2], &arc[i].cap));
	}
	for (int i = 0; i < side->n; i++) {
		assert_true(json_int(side->item[i], &value));
		cut.sink_side[value] = 1;
	}
	assert_true(json_int(json_get(c, "value"), &cut.value));
	assert_null(flow_check(a, nvertex, arc, arcs->n, 0, 1, &cut));
	assert_true(json_int(json_get(c, "cost"), &value));
	assert_int_equal(value, s->cost);
	if (s->settled)
		assert_int_equal(value, cut.value);
	assert_int_equal(json_get(c, "saved")->n, s->fwd->saved.n);
}

/* the partition as it is written and read again */
static void
check_module(Arena *a, const Split *s)
{
	Buf b = {.arena = a}, again = {.arena = a};
	Split *t;

	module_write(&b, s);
	t = module_read(a, "module", b.s, b.n);
	assert_non_null(t);
	assert_int_equal(t->saved_bytes, s->saved_bytes);
	assert_int_equal(t->nrecomputed, s->nrecomputed);
	assert_non_null(certificate_check(a, t));
	module_write(&again, t);
	assert_string_equal(b.s, again.s);
}

static Graph *
model_joint(Arena *a, const char *file)
{
	int64_t n;
	char *text = read_file(a, file, &n);
	Graph *g = graph_read(a, file, text, n);

	assert_non_null(g);
	return simplify(a, compose(a, grad(a, simplify(a, g), &(Options){.training = true}), true));
}

/* work of the interpreter, which is not fast */
static int64_t
joint_work(const Graph *g)
{
	int64_t sum = 0;

	for (int64_t i = 0; i < g->nnode; i++)
		sum += node_work(g->node[i]);
	return sum;
}

/* number of loop nests of the backward graph that read n, or else compute it */
static int
kernels_with(const Groups *gs, const Node *n, bool read)
{
	int count = 0;

	for (int g = 0; g < gs->n; g++)
		for (const Group *k = gs->v[g]; k; k = k->then) {
			bool there = false;
			for (int64_t i = 0; i < k->nmember; i++) {
				there |= !read && k->node[i] == n;
				for (int x = 0; x < k->node[i]->nin && read; x++)
					there |= k->node[i]->in[x] == n;
			}
			count += there;
		}
	return count;
}

/* the same, as it was priced */
static int
priced_reads(const Split *s, const Prices *p, const Node *v)
{
	bool *seen = NEW(s->joint->arena, p->nkernel, bool);
	int count = 0;

	for (int u = p->users.start[v->id]; u < p->users.start[v->id + 1]; u++) {
		int w = p->users.user[u]->id;
		bool runs = p->live[w] && (p->claim[w] == V_BACKWARD || s->is_recomputed[w]);
		for (int k = 0; runs && k < p->nplace[w]; k++) {
			count += !seen[p->place[w][k]];
			seen[p->place[w][k]] = true;
		}
	}
	return count;
}

/* What a plan costs is what its own kernels cost. */
static void
check_kernels(Arena *a, const Split *s)
{
	Node **memory = NEW(a, s->bwd->nnode, Node *);
	const Groups gs = fuse(a, s->bwd, graph_named(a, s->bwd), memory);
	const Prices *p = prices_again(prices_new(a, s->joint, s->options), s->is_recomputed,
		places_of(a, s->joint, s->bwd, s->map));
	int64_t cost[NRANK];

	assert_true(s->fused);
	plan_cost(a, s->joint, p, s->is_saved, s->is_recomputed, cost);
	assert_int_equal(s->cost, cost[0]);
	for (int64_t i = 0; i < s->joint->nnode; i++) {
		if (s->is_saved[i])
			assert_int_equal(priced_reads(s, p, s->joint->node[i]), kernels_with(&gs, s->map[i], true));
		if (s->is_saved[i] && p->price[i].packed)      /* each of them unpacks it */
			assert_int_equal(kernels_with(&gs, s->map[i], true), kernels_with(&gs, s->map[i]->in[0], true));
		if (s->is_recomputed[i])
			assert_int_equal(p->nplace[i], kernels_with(&gs, s->map[i], false));
	}
}

static void
test_models(void **state)
{
	static const char *const model[] = {"awkward_names", "block", "bn_dropout", "gcn", "gpt2_tiny", "mlp", "pendulum",
		"pointwise_chain", "residual"};
	int evaluated = 0;

	(void)state;
	for (int i = 0; i < LEN(model); i++)
		for (int k = 0; k < LEN(choices); k++) {
			Arena *a = arena_new();
			Graph *g = model_joint(a, arena_fmt(a, "tests/models/%s.json", model[i]));
			Split *s = split(a, g, &choices[k]);
			assert_non_null(s);
			assert_null(certificate_check(a, s));
			graph_verify(s->fwd, "split");
			graph_verify(s->bwd, "split");
			check_kernels(a, s);
			if (!s->settled)
				print_message("%s, choice %d: not the cut of its own prices\n", model[i], k);
			assert_true(s->settled || k);
			check_document(a, s);
			check_module(a, s);
			if (joint_work(g) < 20 * 1000 * 1000) {
				check_values(a, g, &choices[k]);
				evaluated++;
			}
			arena_free(a);
		}
	assert_true(evaluated >= 5 * LEN(choices));
}

static bool
recomputes(const Split *s, Kind kind)
{
	for (int i = 0; i < s->nchoice; i++)
		if (s->choice[i].fate == FATE_RECOMPUTED && s->choice[i].v->op->kind == kind)
			return true;
	return false;
}

/* bias, gelu, residual, layer norm: the scalars of the rows, mean and 1/deviation, and nothing else */
static void
test_pointwise_chain(void **state)
{
	Arena *a = arena_new();
	Split *s = split(a, model_joint(a, "tests/models/pointwise_chain.json"), NULL);
	const Ports *p = &s->fwd->saved;

	(void)state;
	assert_int_equal(p->n, 2);
	assert_int_equal(s->saved_bytes, 32768);
	assert_string_equal(p->p[0].v->op->name, "div");
	assert_string_equal(p->p[0].v->in[0]->op->name, "sum");
	assert_string_equal(p->p[1].v->op->name, "rsqrt");
	arena_free(a);
}

/* the signs of the relus of residual blocks, and nothing else of the blocks but their sums; where bytes alone count, a
 * relu in place of its sum and its signs, and the other signs a bit each */
static void
test_residual(void **state)
{
	Arena *a = arena_new();
	Graph *g = model_joint(a, "tests/models/residual.json");
	Split *s = split(a, g, NULL), *t = split(a, g, &(Options){.objective = "bytes"});

	(void)state;
	assert_string_equal(tt(port_find(&s->fwd->saved, "a1.le")), "bool[B,256]");
	assert_string_equal(tt(port_find(&s->fwd->saved, "a2.le")), "bool[B,30]");
	/* x0, x1, x2, the logits' differences from their maximum, the signs, and the number of labels that count, which
	 * would take a kernel of its own */
	assert_int_equal(s->saved_bytes, 24 * (4 * (256 + 256 + 30 + 5) + 256 + 30) + 4);
	assert_true(saves(t, "a1") && saves(t, "a2.le.bits") && !saves(t, "x1"));
	assert_string_equal(tt(port_find(&t->fwd->saved, "a2.le.bits")), "u8[B,4]");
	assert_int_equal(t->saved_bytes, 24 * (4 * (256 + 256 + 30 + 5) + 4));
	arena_free(a);
}

static void
test_gpt2(void **state)
{
	Arena *a = arena_new();
	Split *s = split(a, model_joint(a, "tests/models/gpt2_tiny.json"), NULL);

	(void)state;
	assert_false(recomputes(s, DOT));
	assert_true(s->saved_bytes <= (int64_t)(26.2 * 1048576));
	print_message("gpt2_tiny saves %lld bytes\n", (long long)s->saved_bytes);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointwise_price),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_mask_of_many),
		cmocka_unit_test(test_packing),
		cmocka_unit_test(test_unclaimed),
		cmocka_unit_test(test_broadcast),
		cmocka_unit_test(test_two_kernels),
		cmocka_unit_test(test_updated),
		cmocka_unit_test(test_kept_buffer),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_contraction),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_no_evasion),
		cmocka_unit_test(test_tie),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_wrong_input),
		cmocka_unit_test(test_fusible),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_pointwise_chain),
		cmocka_unit_test(test_residual),
		cmocka_unit_test(test_gpt2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
