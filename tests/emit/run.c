/* emit: compiled kernels against the interpreter.
 *
 * Each graph becomes kernels under both backends; one C program calls them, each
 * value in an allocation of its own exact size (sanitizers see overruns), filled
 * with rubbish before. Under nop each node is compared with what the interpreter
 * makes of the operands that compiled code gave it; under fused the values of the
 * interface have nop's very bits.
 *
 *   emit COMPILER FLAGS DIR [GRAPH.json...]
 *
 * The graphs are those of cases.h, or the files: with their gradients when they
 * have a loss. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

enum { MAXCASE = 200 };

typedef struct Case {
	const char *name;
	Graph *g;
	Tensor **leaf, **want;         /* by leaf index; sources, by node id */
	int64_t sym[MAXSYM];
	Range *range;
	int nrange;
	Plan *plan[2];
	uint8_t **got[2];              /* by node id: bytes, or NULL */
} Case;

static Arena *arena;
static Case cases[MAXCASE];
static int ncase, passed, failed;

#include "cases.h"

/* ---- values ---- */

/* the bound that values of an integer leaf must stay below: of what it is an index into, or 0 */
static int64_t
index_bound(const Case *c, const Leaf *l)
{
	int64_t bound = 0;

	for (int i = 0; i < c->nrange; i++)
		if (!strcmp(c->range[i].leaf->name, l->name)) {
			int64_t b = dim_at(c->range[i].bound, c->sym);
			bound = bound ? MIN(bound, b) : b;
		}
	return bound;
}

static void
draw(const Case *c, const Node *n, Tensor *t, Rng *r)
{
	int64_t bound = index_bound(c, n->leaf);

	for (int64_t k = 0; k < t->n; k++)
		if (t->f)
			t->f[k] = round_to(t->dt, 4 * rng_double(r) - 2);
		else if (t->dt == BOOL)
			t->i[k] = rng_below(r, 2);
		else if (bound)
			t->i[k] = rng_below(r, bound);
		else
			t->i[k] = wrap_to(t->dt, rng_below(r, 7) - (dtype_class(t->dt) == C_UINT ? 0 : 3));
}

static void
interpret(Case *c)
{
	EvalCtx ctx = {.arena = arena, .round = true};
	Rng r = rng_seed(hash64(c->name, (int64_t)strlen(c->name), 1));

	memcpy(ctx.symval, c->sym, sizeof c->sym);
	c->leaf = NEW(arena, c->g->nleaf + 1, Tensor *);
	for (int64_t i = 0; i < c->g->nleaf; i++) {
		c->leaf[i] = tensor_new(&ctx, &c->g->leaf[i]->node->type);
		draw(c, c->g->leaf[i]->node, c->leaf[i], &r);
	}
	c->want = NEW(arena, c->g->nnode + 1, Tensor *);
	for (int64_t i = 0; i < c->g->nnode; i++)
		if (c->g->node[i]->op->kind == SOURCE && !c->g->node[i]->nin)
			c->want[i] = eval_node(&ctx, c->g->node[i], NULL);
}

/* ---- the program ---- */

static int64_t
bytes_of(const Case *c, const Node *n)
{
	return dim_at(type_count(&n->type), c->sym) * dtype_size(n->type.dt);
}

static bool
given(const Node *n)
{
	return is_leaf(n) || n->op->id == OP_constant;
}

static bool
wanted(const Case *c, int which, const Node *n)
{
	const Ports *ps[] = {&c->g->out, &c->g->update, &c->g->grad, &c->g->saved};

	if (!c->plan[which]->storage[n->id] || given(n))
		return false;
	if (which == BACKEND_NOP)
		return c->plan[which]->storage[n->id] == n;
	for (int p = 0; p < LEN(ps); p++)
		for (int64_t i = 0; i < ps[p]->n; i++)
			if (ps[p]->p[i].v == n)
				return true;
	return false;
}

static void
put_call(Buf *b, const Case *c, const Step *s, const char *model)
{
	const char *sep = "";

	if (s->kernel->scratch)
		buf_printf(b, "\tvoid *scratch = malloc(%lld);\n", (long long)s->kernel->scratch);
	buf_printf(b, "\t%s%s_%s(", s->kernel->checks_index ? "bad |= " : "", model, s->kernel->name);
	for (int i = 0; i < c->g->nsym; i++)
		if (s->kernel->syms >> i & 1) {
			buf_printf(b, "%s%lld", sep, (long long)c->sym[i]);
			sep = ", ";
		}
	for (int i = 0; i < s->kernel->nbuf; i++) {
		buf_printf(b, "%sv[%d]", sep, s->buf[i]->id);
		sep = ", ";
	}
	buf_printf(b, "%s);\n", s->kernel->scratch ? ", scratch" : "");
	if (s->kernel->scratch)
		buf_puts(b, "\tfree(scratch);\n");
}

static void
put_case(Buf *b, const Case *c, int which, const char *model, const Kernels *ks)
{
	const Plan *p = c->plan[which];

	rt_print(b, kernels_rt(ks), model);
	for (int i = 0; i < kernels_len(ks); i++) {
		kernel_print(b, ks, kernels_at(ks, i), model);
		buf_putc(b, '\n');
	}
	buf_printf(b, "static int\n%s_run(FILE *in, FILE *out)\n{\n", model);
	buf_printf(b, "\tvoid *v[%lld];\n\tint bad = 0;\n\n\t(void)in;\n", (long long)c->g->nnode + 1);
	for (int64_t i = 0; i < c->g->nnode; i++) {
		const Node *n = c->g->node[i];
		if (p->storage[i] != n)
			continue;
		buf_printf(b, "\tv[%lld] = get(%lld, %s);\n", (long long)i, (long long)bytes_of(c, n),
			given(n) ? "in" : "NULL");
	}
	for (int i = 0; i < p->nstep; i++) {
		buf_puts(b, "\t{\n");
		put_call(b, c, &p->step[i], model);
		buf_puts(b, "\t}\n");
	}
	for (int64_t i = 0; i < c->g->nnode; i++)
		if (wanted(c, which, c->g->node[i]))
			buf_printf(b, "\tfwrite(v[%d], 1, %lld, out);\n", p->storage[i]->id, (long long)bytes_of(c, c->g->node[i]));
	for (int64_t i = 0; i < c->g->nnode; i++)
		if (p->storage[i] == c->g->node[i])
			buf_printf(b, "\tfree(v[%lld]);\n", (long long)i);
	buf_puts(b, "\treturn bad;\n}\n\n");
}

static const char *const head =
	"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n"
	"static void *\nget(size_t n, FILE *in)\n{\n\tvoid *p = malloc(n + (n == 0));\n\n"
	"\tif (p == NULL)\n\t\texit(9);\n\tmemset(p, 0xa5, n);\n"
	"\tif (in != NULL && fread(p, 1, n, in) != n)\n\t\texit(8);\n\treturn p;\n}\n\n";

static const char *
program_text(void)
{
	Buf b = {.arena = arena};

	buf_puts(&b, head);
	for (int i = 0; i < ncase; i++)
		for (int w = 0; w < 2; w++) {
			Kernels *ks = kernels_new(arena, cases[i].g, w ? BACKEND_NOP : BACKEND_FUSED);
			cases[i].plan[w] = lower(arena, cases[i].g, ks);
			kernels_prune(ks, (const Plan *const *)&cases[i].plan[w], 1);
			buf_printf(&b, "/* ---- %s, %s ---- */\n\n", cases[i].name, w ? "nop" : "fused");
			put_case(&b, &cases[i], w, arena_fmt(arena, "%s%d", w ? "nop" : "fused", i), ks);
		}
	buf_puts(&b, "int\nmain(int argc, char **argv)\n{\n\tFILE *in = fopen(argv[1], \"rb\"), *out = fopen(argv[2], \"wb\");\n"
		"\tint bad = argc != 3;\n\n");
	for (int i = 0; i < ncase; i++)
		for (int w = 0; w < 2; w++)
			buf_printf(&b, "\tbad |= %s%d_run(in, out);\n", w ? "nop" : "fused", i);
	buf_puts(&b, "\tfclose(in);\n\tfclose(out);\n\treturn bad;\n}\n");
	return buf_str(&b);
}

static const Tensor *
leaf_value(const Case *c, const Node *n)
{
	for (int64_t i = 0; i < c->g->nleaf; i++)
		if (c->g->leaf[i]->node == n)
			return c->leaf[i];
	bug("a leaf that the graph does not list");
}

static const char *
input_bytes(int64_t *n)
{
	Buf b = {.arena = arena};

	for (int i = 0; i < ncase; i++)
		for (int w = 0; w < 2; w++) {
			const Case *c = &cases[i];
			for (int64_t k = 0; k < c->g->nnode; k++) {
				const Node *x = c->g->node[k];
				if (c->plan[w]->storage[k] != x || !given(x))
					continue;
				const Tensor *t = x->leaf ? leaf_value(c, x) : c->want[k];
				Array a = tensor_to_array(arena, t, "x");
				buf_put(&b, a.data, a.nbytes);
			}
		}
	*n = b.n;
	return buf_str(&b);
}

/* ---- comparing ---- */

/* element k of n's bytes, as a double; integers exactly below 2^53 */
static double
number(const Node *n, const uint8_t *p, int64_t k)
{
	double d;
	float f;
	int64_t i = 0;

	switch (n->type.dt) {
	case F64: memcpy(&d, p + 8 * k, 8); return d;
	case F32: memcpy(&f, p + 4 * k, 4); return (double)f;
	case I64:
	case U64: memcpy(&i, p + 8 * k, 8); return (double)i;
	case I32: { int32_t x; memcpy(&x, p + 4 * k, 4); return x; }
	case I16: { int16_t x; memcpy(&x, p + 2 * k, 2); return x; }
	case I8:  return (int8_t)p[k];
	default:  return p[k];
	}
}

/* what the program had for n: given to it, or computed under nop */
static Tensor *
operand(EvalCtx *ctx, const Case *c, const Node *n)
{
	Tensor *t;

	if (n->leaf)
		return (Tensor *)(uintptr_t)leaf_value(c, n);
	if (!c->got[1][n->id])
		return c->want[n->id];
	t = tensor_new(ctx, &n->type);
	for (int64_t k = 0; k < t->n; k++)
		if (t->f)
			t->f[k] = number(n, c->got[1][n->id], k);
		else if (n->type.dt == U64 || n->type.dt == I64)
			memcpy(&t->i[k], c->got[1][n->id] + 8 * k, 8);
		else
			t->i[k] = (int64_t)number(n, c->got[1][n->id], k);
	return t;
}

static double
largest(const Tensor *t)
{
	double most = 0;

	for (int64_t k = 0; t->f && k < t->n; k++)
		if (isfinite(t->f[k]))
			most = fmax(most, fabs(t->f[k]));
	return most;
}

/* Of y: a few last places of libm and of the operations of one row. Of a sum of K terms, an error that grows
 * with the root of K, relative to the largest term; and one relative to the sum, where the interpreter's own,
 * term after term, shows in f64. What a scan carries rounds as f64 does, and the interpreter's error grows
 * with K. */
typedef struct Tolerance { double absolute, relative; } Tolerance;

static Tolerance
tolerance(const Node *n, Tensor *const *in, const Tensor *out)
{
	double eps = n->type.dt == F64 ? 0x1p-52 : 0x1p-23, term = 1, terms = 1;

	if (n->op->kind != REDUCE && n->op->kind != DOT && n->op->kind != ORDERED && !(n->op->flags & SCATTERS))
		return (Tolerance){0x1p-140, 16 * eps};
	for (int i = 0; i < n->nin; i++)
		if (in[i]->f) {
			term = n->op->kind == DOT ? term * largest(in[i]) : fmax(i ? term : 0, largest(in[i]));
			terms = fmax(terms, (double)in[i]->n / (n->op->kind == REDUCE ? fmax(1, (double)out->n) : 1));
		}
	if (n->op->kind == ORDERED)
		return (Tolerance){4 * 0x1p-52 * terms * term, 16 * eps};
	return (Tolerance){4 * eps * sqrt(terms) * term, eps * (n->type.dt == F64 ? sqrt(terms) : 16)};
}

static void
check_node(const Case *c, const Node *n, const uint8_t *got)
{
	EvalCtx ctx = {.arena = arena_new(), .g = c->g, .round = true};
	Tensor **in = NEW(ctx.arena, n->nin + 1, Tensor *);
	const Tensor *t;
	Tolerance tol;

	memcpy(ctx.symval, c->sym, sizeof c->sym);
	for (int i = 0; i < n->nin; i++)
		if (!(in[i] = operand(&ctx, c, n->in[i])))
			return;                /* nothing is computed of what a sum of no terms would add */
	t = eval_node(&ctx, n, in);
	tol = tolerance(n, in, t);
	passed++;
	for (int64_t k = 0; k < t->n; k++) {
		double x = number(n, got, k), y = t->f ? t->f[k] : (double)t->i[k];
		if (x == y || (isnan(x) && isnan(y)) || (t->f && fabs(x - y) <= tol.absolute + tol.relative * fabs(y)))
			continue;
		printf("FAIL %s: node %d (%s) %s[%lld] is %.9g, interpreter %.9g\n", c->name, n->id, n->op->name,
			n->name ? n->name : "", (long long)k, x, y);
		failed++;
		passed--;
		break;
	}
	arena_free(ctx.arena);
}

static void
check_same(const Case *c, const Node *n)
{
	int64_t size = bytes_of(c, n), w = dtype_size(n->type.dt);

	for (int64_t k = 0; k < size; k++)
		if (c->got[0][n->id][k] != c->got[1][n->id][k]) {
			printf("FAIL %s: node %d (%s) %s[%lld] is %.9g fused, %.9g nop\n", c->name, n->id, n->op->name,
				n->name ? n->name : "", (long long)(k / w), number(n, c->got[0][n->id], k / w),
				number(n, c->got[1][n->id], k / w));
			failed++;
			return;
		}
	passed++;
}

static void
compare(const char *bytes, int64_t n)
{
	int64_t at = 0;

	for (int i = 0; i < ncase; i++)
		for (int w = 0; w < 2; w++) {
			Case *c = &cases[i];
			c->got[w] = NEW(arena, c->g->nnode + 1, uint8_t *);
			for (int64_t k = 0; k < c->g->nnode; k++) {
				if (!wanted(c, w, c->g->node[k]))
					continue;
				c->got[w][k] = (uint8_t *)(uintptr_t)(bytes + at);
				at += bytes_of(c, c->g->node[k]);
			}
		}
	if (at != n) {
		printf("FAIL %lld bytes of output, %lld expected\n", (long long)n, (long long)at);
		failed++;
		return;
	}
	for (int i = 0; i < ncase; i++)
		for (int64_t k = 0; k < cases[i].g->nnode; k++) {
			const Node *x = cases[i].g->node[k];
			if (cases[i].got[1][k])
				check_node(&cases[i], x, cases[i].got[1][k]);
			if (cases[i].got[0][k] && cases[i].got[1][k])
				check_same(&cases[i], x);
		}
}

static void
write_file(const char *path, const char *bytes, int64_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(bytes, 1, (size_t)n, f) != (size_t)n || fclose(f))
		fail(EXIT_INPUT, (Loc){0}, "cannot write %s", path);
}

static void
run(const char *cmd)
{
	if (system(cmd)) {
		printf("FAIL %s\n", cmd);
		failed++;
	}
}

int
main(int argc, char **argv)
{
	int64_t n;
	const char *text, *bytes, *dir;

	if (argc < 4)
		return 2;
	arena = arena_new();
	dir = argv[3];
	build_cases(argc - 4, argv + 4);
	for (int i = 0; i < ncase; i++)
		interpret(&cases[i]);
	text = program_text();
	write_file(arena_fmt(arena, "%s/emit.c", dir), text, (int64_t)strlen(text));
	bytes = input_bytes(&n);
	write_file(arena_fmt(arena, "%s/emit.in", dir), bytes, n);
	run(arena_fmt(arena, "%s -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror %s '%s/emit.c' -o '%s/emit' -lm",
		argv[1], argv[2], dir, dir));
	if (!failed)
		run(arena_fmt(arena, "'%s/emit' '%s/emit.in' '%s/emit.out'", dir, dir, dir));
	if (!failed) {
		bytes = read_file(arena, arena_fmt(arena, "%s/emit.out", dir), &n);
		compare(bytes, n);
	}
	printf("%d passed, %d failed\n", passed, failed);
	arena_free(arena);
	return failed != 0;
}
