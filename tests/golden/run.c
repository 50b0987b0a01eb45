/* golden: graphs, inputs, and the values and gradients that PyTorch gave for them; README.md has the form.
 *
 * A case goes the way of a user's file: read, differentiated, composed, interpreted in double. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "lib.h"
#include "ir.h"

/* Both sides round each of some dozens of operations on an element once, and what cancels may be as large as
 * the largest element: errors are held against |element| + that. */
static const double TOL = 256 * DBL_EPSILON;

typedef struct Given {
	char *name, *values;           /* values: numbers separated by spaces */
	bool used;
} Given;
typedef struct Case {
	Arena *arena;
	const char *title;
	Loc at;
	char *ir;
	Given given[32];
	int ngiven;
	bool bad;
} Case;

static void PRINTF(2, 3)
wrong(Case *c, const char *fmt, ...)
{
	va_list ap;

	if (!c->bad)
		printf("FAIL %s:%d: %s\n", c->at.file, c->at.line, c->title);
	c->bad = true;
	printf("    ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static Given *
given(Case *c, const char *name)
{
	for (int i = 0; i < c->ngiven; i++)
		if (!strcmp(c->given[i].name, name)) {
			c->given[i].used = true;
			return &c->given[i];
		}
	wrong(c, "nothing is given for '%s'", name);
	return NULL;
}

/* the numbers of a line into a tensor of the type of node n */
static Tensor *
numbers(Case *c, const Node *n, const char *name)
{
	EvalCtx ctx = {.arena = c->arena};
	Tensor *t = tensor_new(&ctx, &n->type);
	const Given *line = given(c, name);
	int64_t k = 0;

	for (const char *s = line ? line->values : ""; *s; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");
		const char *w = arena_copy(c->arena, s, (int64_t)len);
		if (k == t->n || !(t->f ? parse_double(w, &t->f[k]) : parse_int64(w, &t->i[k]))) {
			wrong(c, "%s: '%s' is no element of %s", name, w, tt(n));
			return t;
		}
		k++;
		s += len;
	}
	if (line && k < t->n)
		wrong(c, "%s: %lld elements for %s", name, (long long)k, tt(n));
	return t;
}

static double
largest(const Tensor *t)
{
	double most = 0;

	for (int64_t k = 0; k < t->n; k++)
		if (isfinite(t->f[k]))
			most = fmax(most, fabs(t->f[k]));
	return most;
}

static bool
close_to(double x, double y, double scale)
{
	if (isnan(x) || isnan(y))
		return isnan(x) && isnan(y);
	return x == y || fabs(x - y) <= TOL * (fabs(y) + scale);
}

static void
compare(Case *c, const char *name, const Tensor *got, const Tensor *want)
{
	double scale = want->f ? largest(want) : 0;

	for (int64_t k = 0; k < got->n; k++) {
		if (got->f && !close_to(got->f[k], want->f[k], scale))
			wrong(c, "%s[%lld] is %.17g, not %.17g", name, (long long)k, got->f[k], want->f[k]);
		if (got->i && got->i[k] != want->i[k])
			wrong(c, "%s[%lld] is %lld, not %lld", name, (long long)k, (long long)got->i[k], (long long)want->i[k]);
	}
}

static Graph *
graph_of(Case *c)
{
	Graph *g = graph_read(c->arena, c->at.file, c->ir, (int64_t)strlen(c->ir));
	bool gradients = false;

	diag_check();
	for (int i = 0; i < c->ngiven; i++)
		gradients |= !strncmp(c->given[i].name, "d.", 2);
	if (gradients)
		g = grad_plain(c->arena, grad(c->arena, g, &(Options){.training = true}));
	diag_check();
	return compose(c->arena, g, true);
}

static void
check(Case *c)
{
	EvalCtx ctx = {.arena = c->arena};
	Graph *g = graph_of(c);
	Tensor **leaf = NEW(c->arena, g->nleaf + 1, Tensor *), **val;

	for (int64_t i = 0; i < g->nleaf; i++)
		leaf[i] = numbers(c, g->leaf[i]->node, g->leaf[i]->name);
	if (c->bad)
		return;
	val = eval_graph(&ctx, g, leaf);
	if (ctx.bad_index)
		wrong(c, "an index is out of range");
	for (int64_t i = 0; i < g->out.n; i++) {
		const Node *v = g->out.p[i].v;
		compare(c, g->out.p[i].name, val[v->id], numbers(c, v, g->out.p[i].name));
	}
	/* a cotangent on which no gradient depends need not be an input */
	for (int i = 0; i < c->ngiven; i++)
		if (!c->given[i].used && strncmp(c->given[i].name, "ct.", 3))
			wrong(c, "'%s' is no input and no output", c->given[i].name);
}

static void
add_line(Case *c, char *line)
{
	char *eq = strstr(line, " =");

	if (*line == '#')
		c->title = line + strspn(line, "# ");
	else if (*line == '{')
		c->ir = line;
	else if (!eq || c->ngiven == LEN(c->given))
		wrong(c, "cannot read '%s'", line);
	else {
		*eq = 0;
		c->given[c->ngiven++] = (Given){line, eq + 2 + (eq[2] == ' '), false};
	}
}

/* cases are separated by empty lines */
static void
check_file(const char *path, int *passed, int *failed)
{
	Arena *a = arena_new();
	int64_t n;
	char *s = read_file(a, path, &n), *next;
	Case c = {0};
	int at = 0;

	for (; s; s = next) {
		if ((next = strchr(s, '\n')))
			*next++ = 0;
		at++;
		if (*s) {
			if (!c.arena)
				c = (Case){.arena = arena_new(), .title = "", .at = {path, at, 1}};
			add_line(&c, s);
		}
		if (c.arena && (!*s || !next)) {
			bug_context(NULL, c.title);
			if (c.ir && !c.bad)
				check(&c);
			else
				wrong(&c, "no graph");
			++*(c.bad ? failed : passed);
			arena_free(c.arena);
			c = (Case){0};
		}
	}
	arena_free(a);
}

int
main(int argc, char **argv)
{
	int passed = 0, failed = 0;

	for (int i = 1; i < argc; i++)
		check_file(argv[i], &passed, &failed);
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
