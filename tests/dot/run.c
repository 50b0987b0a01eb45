/* dot: kernels of contractions, by themselves and with what is fused to them.
 *
 * Contractions with random labels, sizes, layouts and views become kernels: alone,
 * with an epilogue, and as plain loops; the epilogue's nodes also get plain loops.
 * One C program calls them all twice, the second time on arrays that lie at the
 * next element, and with any number of threads. An element must have the same bits in
 * each kernel, place and run, and be as near to the interpreter's as the error of its own terms
 * allows (running sums: Higham, Accuracy and Stability, 2nd ed., section 4.2).
 *
 *   dot COMPILER FLAGS DIR CASES */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

enum { ALONE, FUSED, PLAIN, NVARIANT };
enum { MAXSUM = 700, MAXCOUNT = 40000 };

typedef struct Case {
	const char *name;
	Graph *g;
	Node *dot, *root[3];           /* the contraction; what is pointwise in it, if nroot > 1 */
	int nroot;
	Tensor **leaf, **want;
	int64_t sym[MAXSYM];
	Buf calls[NVARIANT];
	int64_t at[NVARIANT][3];       /* where the roots' bytes are in the output */
} Case;

static Arena *arena;
static Case *cases;
static int ncase, passed, failed;

/* ---- graphs ---- */

static const int64_t sizes[] = {
	1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 17, 24, 31, 32, 33, 48, 49, 97, 150, 256, 257, 300, 600};

typedef struct Draw {
	Rng rng;
	char label[8];
	Dim size[128];
	int n;
} Draw;

static int64_t
pick(Draw *d, int64_t n)
{
	return rng_below(&d->rng, n);
}

/* a label that is in some of the operands and the output: bits 1, 2, 4 */
static void
put_label(Draw *d, Dim size, int in, char text[3][MAXRANK + 1])
{
	char l = (char)('a' + d->n++);

	d->size[(int)l] = size;
	for (int i = 0; i < 3; i++) {
		int n = (int)strlen(text[i]), at = (int)pick(d, n + 1);
		if (!(in >> i & 1))
			continue;
		memmove(&text[i][at + 1], &text[i][at], (size_t)(n - at + 1));
		text[i][at] = l;
	}
}

static Type
type_of(const Draw *d, DType dt, const char *labels)
{
	Type t = {.dt = dt};

	for (; *labels; labels++)
		t.dim[t.rank++] = d->size[(int)*labels];
	return t;
}

/* an operand of that type: a leaf, or a view of one */
static Node *
draw_operand(Draw *d, Graph *g, const char *name, Type t)
{
	Leaf leaf = {.role = INPUT, .name = name};
	int how = (int)pick(d, 9), k = t.rank ? (int)pick(d, t.rank) : 0, perm[MAXRANK];
	Type from = t;
	Node *x;

	if (!t.rank || how < 4)
		return node_leaf(g, &leaf, t);
	if (how == 4) {                /* permuted */
		for (int i = 0; i < t.rank; i++) {
			perm[i] = (i + 1) % t.rank;
			from.dim[perm[i]] = t.dim[i];
		}
		return Permute(node_leaf(g, &leaf, from), perm);
	}
	if (how == 5) {                /* every second element, or backwards */
		if (t.dim[k].sym)
			return Flip(node_leaf(g, &leaf, t), &k, 1);
		from.dim[k].k = 2 * t.dim[k].k + 1;
		x = node_leaf(g, &leaf, from);
		return Slice(x, k, DIM(1), DIM(2 * t.dim[k].k + 1), 2);
	}
	if (how == 6) {                /* repeated */
		from.dim[k] = DIM(1);
		return Expand(node_leaf(g, &leaf, from), t.dim, t.rank);
	}
	if (how == 7 && t.dim[k].k > 2 && !t.dim[k].sym) {     /* padded: no strides */
		Dim low[MAXRANK] = {{0}}, high[MAXRANK] = {{0}};
		from.dim[k].k -= 2;
		low[k] = high[k] = DIM(1);
		return Pad(node_leaf(g, &leaf, from), low, high, 0.5);
	}
	x = node_leaf(g, &leaf, t);    /* computed */
	return Mul(x, Lit(x, 0.5));
}

static Node *
leaf_like(Graph *g, const char *name, Type t)
{
	return node_leaf(g, &(Leaf){.role = INPUT, .name = name}, t);
}

static void
put_epilogue(Draw *d, Case *c)
{
	Graph *g = c->g;
	Node *y = c->dot, *h;
	Type row = type_scalar(y->type.dt), flat = {.dt = y->type.dt, .rank = 1};

	if (!pick(d, 4))
		return;
	if (y->type.rank)
		row = (Type){.dt = y->type.dt, .rank = 1, .dim = {y->type.dim[y->type.rank - 1]}};
	h = Add(y, leaf_like(g, "bias", row));
	h = Add(Mul(h, Lit(h, 0.75)), leaf_like(g, "residual", y->type));
	c->root[c->nroot++] = Where(Gt(h, Lit(h, 0)), h, Mul(h, y));
	flat.dim[0] = type_count(&y->type);
	h = Reshape(y, flat.dim, 1);
	c->root[c->nroot++] = Sub(h, leaf_like(g, "other", flat));
}

static Graph *
new_graph(Case *c)
{
	Graph *g = graph_new(arena, c->name);

	g->nsym = 1;
	g->sym[0] = (Sym){.name = "B", .min = 1, .max = 40, .hint = 20};
	g->sharing = true;
	return c->g = g;
}

static void
make_case(Case *c, const char *spec, Node *a, Node *b, Draw *d)
{
	Graph *g = c->g;

	c->root[c->nroot++] = c->dot = Dot(graph_str(g, spec), a, b);
	put_epilogue(d, c);
	for (int i = 0; i < c->nroot; i++)
		port_add(g, &g->out, arena_fmt(arena, "y%d", i), c->root[i], (Loc){0});
}

static void
random_case(Case *c, int i)
{
	/* parts: batch, rows, columns, sum, sum over one operand alone */
	static const int in[] = {7, 5, 6, 3, 3, 5, 6, 1};
	Draw d = {.rng = rng_seed((uint64_t)i + 1)};
	char text[3][MAXRANK + 1] = {{0}};
	int64_t count = 1, sum = 1;
	DType dt = pick(&d, 3) ? F32 : F64;
	bool symbol = false;
	int n = 2 + (int)pick(&d, 4);

	c->name = arena_fmt(arena, "random %d", i);
	c->sym[0] = 1 + pick(&d, 40);
	new_graph(c);
	for (int k = 0; k < n; k++) {
		int w = in[k ? pick(&d, LEN(in)) : 3];
		int64_t size = sizes[pick(&d, LEN(sizes))];
		int64_t *all = w & 4 ? &count : &sum, most = w & 4 ? MAXCOUNT : MAXSUM;
		Dim dim = DIM(size);
		if (!symbol && !pick(&d, 5)) {
			symbol = true;
			dim = (Dim){1, 1};
			size = c->g->sym[0].max;
		}
		if (*all * size > most)
			continue;
		*all *= size;
		put_label(&d, dim, w, text);
	}
	Node *a = draw_operand(&d, c->g, "a", type_of(&d, dt, text[0]));
	Node *b = draw_operand(&d, c->g, "b", type_of(&d, dt, text[1]));
	make_case(c, arena_fmt(arena, "%s,%s->%s", text[0], text[1], text[2]), a, b, &d);
	c->name = arena_fmt(arena, "random %d (%s)", i, attr(c->dot, 0)->s);
}

/* shapes that models have, large enough for threads, and sums of sums of runs */
static void
known_case(Case *c, int i)
{
	static const struct { const char *spec, *a, *b; } known[] = {
		{"mk,nk->mn", "f32[128,300]", "f32[130,300]"},
		{"mk,kn->mn", "f32[100,257]", "f32[257,100]"},
		{"km,kn->mn", "f32[B,192]", "f32[B,200]"},
		{"bthd,bshd->bhts", "f32[2,33,3,16]", "f32[2,40,3,16]"},
		{"bhts,bshd->bthd", "f32[2,3,33,40]", "f32[2,40,3,16]"},
		{"bhtd,hdm->btm", "f32[2,3,17,16]", "f32[3,16,40]"},
		{"k,k->", "f32[70001]", "f32[70001]"},
		{"mk,kn->mn", "f64[2,66000]", "f64[66000,3]"},
		{"mk,k->m", "f32[130,520]", "f32[520]"},
		{"k,kn->n", "f32[512]", "f32[512,100]"},
	};
	Draw d = {.rng = rng_seed((uint64_t)i + 1000)};
	Type t[2];

	c->name = arena_fmt(arena, "known %d (%s)", i, known[i % LEN(known)].spec);
	c->sym[0] = 39;
	new_graph(c);
	if (!type_parse(c->g, known[i % LEN(known)].a, (Loc){0}, &t[0])
		|| !type_parse(c->g, known[i % LEN(known)].b, (Loc){0}, &t[1]))
		bug("types of known case %d", i);
	make_case(c, known[i % LEN(known)].spec, leaf_like(c->g, "a", t[0]), leaf_like(c->g, "b", t[1]), &d);
}
enum { NKNOWN = 20 };                  /* each twice, with two draws of an epilogue */

static void
interpret(Case *c)
{
	EvalCtx ctx = {.arena = arena, .g = c->g};
	Rng r = rng_seed(hash64(c->name, (int64_t)strlen(c->name), 1));

	memcpy(ctx.symval, c->sym, sizeof c->sym);
	c->leaf = NEW(arena, c->g->nleaf + 1, Tensor *);
	for (int64_t i = 0; i < c->g->nleaf; i++) {
		Tensor *t = c->leaf[i] = tensor_new(&ctx, &c->g->leaf[i]->node->type);
		for (int64_t k = 0; k < t->n; k++)
			t->f[k] = round_to(t->dt, 4 * rng_double(&r) - 2);
	}
	c->want = eval_graph(&ctx, c->g, c->leaf);
}

/* ---- the program ---- */

static int64_t
bytes_of(const Case *c, const Node *n)
{
	return dim_at(type_count(&n->type), c->sym) * dtype_size(n->type.dt);
}

/* nodes between leaves and roots that lie in no memory */
static void
mark_inside(Build *b, const Case *c, Node *n, bool through_dot)
{
	if (is_leaf(n) || b->inside[n->id] || (n == c->dot && !through_dot))
		return;
	b->inside[n->id] = true;
	for (int i = 0; i < n->nin; i++)
		mark_inside(b, c, n->in[i], through_dot);
}

static void
put_call(Case *c, int variant, const Kernels *ks, const Kernel *k, const Build *b)
{
	Buf *out = &c->calls[variant];
	const char *sep = "";

	out->arena = arena;
	if (k->scratch || k->checks_index)
		bug("a contraction with scratch memory or checks");
	buf_printf(out, "\tt_%s(", k->name);
	for (int s = 0; s < c->g->nsym; s++)
		if (k->syms >> s & 1) {
			buf_printf(out, "%lld", (long long)c->sym[s]);
			sep = ", ";
		}
	for (int i = 0; i < k->nbuf; i++) {
		buf_printf(out, "%sv[%d]", sep, b->paramnode[i]->id);
		sep = ", ";
	}
	buf_puts(out, ");\n");
	(void)ks;
}

static Node **
memory_of(const Case *c)
{
	Node **storage = NEW(arena, c->g->nnode, Node *);

	for (int64_t i = 0; i < c->g->nleaf; i++)
		storage[c->g->leaf[i]->node->id] = c->g->leaf[i]->node;
	for (int r = 0; r < c->nroot; r++)
		storage[c->root[r]->id] = c->root[r];
	return storage;
}

static void
dot_variant(Case *c, int variant, Kernels *ks, int nroot)
{
	Build *b = build_new(arena, c->g, ks, memory_of(c));

	for (int r = 0; r < nroot; r++)
		mark_inside(b, c, c->root[r], true);
	dot_kernel(b, c->dot, c->root, nroot);
	schedule(b);
	put_call(c, variant, ks, kernels_add(ks, b, "dot", c->name, 0, 0), b);
}

/* loops over elements of one root; the others' values come from memory */
static void
plain_variant(Case *c, Kernels *ks, Node *root)
{
	Build *b = build_new(arena, c->g, ks, memory_of(c));
	const Ix *o[MAXRANK];
	Block *body = &b->top;
	uint64_t used = 0;

	if (root == c->dot)
		mark_inside(b, c, root, true);
	else
		mark_inside(b, c, root, false);
	for (int k = 0; k < root->type.rank; k++) {
		Dim d = root->type.dim[k];
		const Var *v;
		o[k] = ix_int(b->ix, 0);
		if (dim_one(d))
			continue;
		v = build_loop(b, d, used);
		used |= (uint64_t)1 << v->id;
		o[k] = b->ixvar[v->id];
		body = &s_loop(b, body, v)->body;
	}
	s_store(b, body, node_mem(b, root), v_ix(b, ix_linear(b->ix, &root->type, o)), element(b, root, o));
	schedule(b);
	put_call(c, PLAIN, ks, kernels_add(ks, b, "plain", c->name, 0, 0), b);
}

static const char *const head =
	"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n"
	"/* n bytes at the end of an allocation, `shift` bytes into it; NULL in: rubbish */\n"
	"static void *\nget(size_t n, size_t shift, FILE *in)\n{\n\tchar *p = malloc(n + shift);\n\n"
	"\tif (p == NULL)\n\t\texit(9);\n\tmemset(p, 0xa5, n + shift);\n"
	"\tif (in != NULL && fread(p + shift, 1, n, in) != n)\n\t\texit(8);\n\treturn p + shift;\n}\n\n";

static void
put_run(Buf *b, Case *c, int i)
{
	buf_printf(b, "static void\nrun%d(FILE *in, FILE *out, size_t align)\n{\n\tvoid *v[%lld];\n\n", i,
		(long long)c->g->nnode);
	for (int64_t k = 0; k < c->g->nleaf; k++)
		buf_printf(b, "\tv[%d] = get(%lld, align * %d, in);\n", c->g->leaf[k]->node->id,
			(long long)bytes_of(c, c->g->leaf[k]->node), dtype_size(c->g->leaf[k]->node->type.dt));
	for (int w = 0; w < NVARIANT; w++) {
		for (int r = 0; r < c->nroot; r++)
			if (r == 0 || w != ALONE)
				buf_printf(b, "\tv[%d] = get(%lld, align * %d, NULL);\n", c->root[r]->id,
					(long long)bytes_of(c, c->root[r]), dtype_size(c->root[r]->type.dt));
		buf_puts(b, buf_str(&c->calls[w]));
		for (int r = 0; r < c->nroot; r++)
			if (r == 0 || w != ALONE)
				buf_printf(b, "\tfwrite(v[%d], 1, %lld, out);\n\tfree((char *)v[%d] - align * %d);\n",
					c->root[r]->id, (long long)bytes_of(c, c->root[r]), c->root[r]->id,
					dtype_size(c->root[r]->type.dt));
	}
	for (int64_t k = 0; k < c->g->nleaf; k++)
		buf_printf(b, "\tfree((char *)v[%d] - align * %d);\n", c->g->leaf[k]->node->id,
			dtype_size(c->g->leaf[k]->node->type.dt));
	buf_puts(b, "}\n\n");
}

static const char *
program_text(void)
{
	Graph *symbols = cases[0].g;
	Kernels *ks = kernels_new(arena, symbols, BACKEND_FUSED);
	Buf b = {.arena = arena};

	for (int i = 0; i < ncase; i++) {
		Case *c = &cases[i];
		dot_variant(c, ALONE, ks, 1);
		dot_variant(c, FUSED, ks, c->nroot);
		for (int r = 0; r < c->nroot; r++)
			plain_variant(c, ks, c->root[r]);
	}
	buf_puts(&b, head);
	rt_print(&b, kernels_rt(ks), "t");
	for (int i = 0; i < kernels_len(ks); i++) {
		kernel_print(&b, ks, kernels_at(ks, i), "t");
		buf_putc(&b, '\n');
	}
	for (int i = 0; i < ncase; i++)
		put_run(&b, &cases[i], i);
	buf_puts(&b, "int\nmain(int argc, char **argv)\n{\n\tFILE *in, *out = fopen(argv[2], \"wb\");\n\n"
		"\tfor (size_t align = 0; align < 2; align++) {\n\t\tin = fopen(argv[1], \"rb\");\n");
	for (int i = 0; i < ncase; i++)
		buf_printf(&b, "\t\trun%d(in, out, align);\n", i);
	buf_puts(&b, "\t\tfclose(in);\n\t}\n\tfclose(out);\n\treturn argc != 3;\n}\n");
	return buf_str(&b);
}

static const char *
input_bytes(int64_t *n)
{
	Buf b = {.arena = arena};

	for (int i = 0; i < ncase; i++)
		for (int64_t k = 0; k < cases[i].g->nleaf; k++) {
			Array a = tensor_to_array(arena, cases[i].leaf[k], "x");
			buf_put(&b, a.data, a.nbytes);
		}
	*n = b.n;
	return buf_str(&b);
}

/* ---- comparing ---- */

static void
verdict(bool ok, const Case *c, const char *what, int64_t at)
{
	passed += ok;
	failed += !ok;
	if (!ok)
		printf("FAIL %s: %s, byte or element %lld\n", c->name, what, (long long)at);
}

static void
check_bits(const Case *c, const char *what, const char *x, const char *y, int64_t n)
{
	int64_t k = 0;

	while (k < n && x[k] == y[k])
		k++;
	verdict(k == n, c, what, k);
}

/* the interpreter's value of the contraction of absolute values */
static const Tensor *
magnitudes(const Case *c)
{
	EvalCtx ctx = {.arena = arena, .g = c->g};
	Tensor *in[2];

	memcpy(ctx.symval, c->sym, sizeof c->sym);
	for (int i = 0; i < 2; i++) {
		const Tensor *t = c->want[c->dot->in[i]->id];
		in[i] = tensor_new(&ctx, &c->dot->in[i]->type);
		for (int64_t k = 0; k < t->n; k++)
			in[i]->f[k] = fabs(t->f[k]);
	}
	return eval_node(&ctx, c->dot, in);
}

/* |error| <= gamma(n) * sum of |terms|: n roundings on a term's way are those of its run, of the runs' sums, and of
 * the product; the interpreter's own in double, one for each term, count in f64 */
static void
check_values(const Case *c, const char *got)
{
	const Tensor *want = c->want[c->dot->id], *size = magnitudes(c);
	char label[2 * MAXRANK];
	Dim dim[2 * MAXRANK];
	bool f32 = c->dot->type.dt == F32;
	double u = f32 ? 0x1p-24 : 0x1p-53, terms = 1, n;
	int nk = dot_summed(c->dot, label, dim);
	int64_t k = 0;

	for (int i = 0; i < nk; i++)
		terms *= (double)dim_at(dim[i], c->sym);
	n = fmin(terms, RUN) + ceil(terms / RUN) + 1 + (f32 ? 0 : terms + 1);
	/* a computed operand is rounded once more */
	n += 2;
	for (; k < want->n; k++) {
		float f;
		double x;
		if (f32) {
			memcpy(&f, got + 4 * k, 4);
			x = (double)f;
		} else
			memcpy(&x, got + 8 * k, 8);
		if (!(fabs(x - want->f[k]) <= n * u / (1 - n * u) * size->f[k]))
			break;
	}
	verdict(k == want->n, c, "value of the interpreter", k);
}

static void
compare(const char *out, int64_t n)
{
	int64_t at = 0;

	for (int i = 0; i < ncase; i++) {
		Case *c = &cases[i];
		for (int w = 0; w < NVARIANT; w++)
			for (int r = 0; r < c->nroot; r++)
				if (r == 0 || w != ALONE) {
					c->at[w][r] = at;
					at += bytes_of(c, c->root[r]);
				}
	}
	if (n != 2 * at) {
		printf("FAIL %lld bytes of output, %lld expected\n", (long long)n, (long long)(2 * at));
		failed++;
		return;
	}
	for (int i = 0; i < ncase; i++) {
		Case *c = &cases[i];
		int64_t first = c->at[0][0], end = i + 1 < ncase ? cases[i + 1].at[0][0] : at;
		check_values(c, out + first);
		check_bits(c, "alone and with an epilogue", out + first, out + c->at[FUSED][0], bytes_of(c, c->dot));
		check_bits(c, "alone and in plain loops", out + first, out + c->at[PLAIN][0], bytes_of(c, c->dot));
		for (int r = 1; r < c->nroot; r++)
			check_bits(c, "epilogue and its plain loops", out + c->at[FUSED][r], out + c->at[PLAIN][r],
				bytes_of(c, c->root[r]));
		check_bits(c, "at other addresses", out + first, out + at + first, end - first);
	}
}

static const char *
run_with(const char *dir, int threads, int64_t *n)
{
	const char *name = path_join(arena, dir, arena_fmt(arena, "dot.out%d", threads));
	const char *argv[] = {path_join(arena, dir, "dot"), path_join(arena, dir, "dot.in"), name, NULL};
	const char *env[] = {arena_fmt(arena, "OMP_NUM_THREADS=%d", threads), NULL};
	Proc p = proc_run(arena, argv, env, 600);
	const char *why = proc_text(arena, &p);

	if (why) {
		printf("FAIL program: %s\n%s\n", why, buf_str(&p.err));
		failed++;
		return NULL;
	}
	return read_file(arena, name, n);
}

static bool
build_program(const char *cc, const char *flags, const char *dir)
{
	const char *argv[] = {"sh", "-c", arena_fmt(arena, "%s -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror %s "
		"-o '%s/dot' '%s/dot.c' -lm", cc, flags, dir, dir), NULL};
	Outputs *o = outputs_new(arena);
	const char *text = program_text(), *bytes, *why;
	int64_t n;
	Proc p;

	bytes = input_bytes(&n);
	outputs_add(o, path_join(arena, dir, "dot.c"), text, (int64_t)strlen(text));
	outputs_add(o, path_join(arena, dir, "dot.in"), bytes, n);
	outputs_commit(o);
	p = proc_run(arena, argv, NULL, 600);
	if (!(why = proc_text(arena, &p)))
		return true;
	printf("FAIL %s %s: %s\n%.2000s\n", cc, flags, why, buf_str(&p.err));
	failed++;
	return false;
}

int
main(int argc, char **argv)
{
	int64_t n, m;
	const char *one, *two;

	if (argc != 5)
		return 2;
	arena = arena_new();
	ncase = NKNOWN + atoi(argv[4]);
	cases = NEW(arena, ncase, Case);
	for (int i = 0; i < ncase; i++) {
		if (i < NKNOWN)
			known_case(&cases[i], i);
		else
			random_case(&cases[i], i - NKNOWN);
		interpret(&cases[i]);
	}
	if (build_program(argv[1], argv[2], argv[3]) && (one = run_with(argv[3], 1, &n))) {
		compare(one, n);
		if (strstr(argv[2], "-fopenmp") && (two = run_with(argv[3], 2, &m))) {
			bool same = n == m && !memcmp(one, two, (size_t)n);
			passed += same;
			failed += !same;
			if (!same)
				printf("FAIL one thread and two\n");
		}
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
