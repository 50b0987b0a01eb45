/* op: checks the lines of the .t files beside it; README.md says how they are written.
 *
 * A line becomes a graph of one node, as JSON, and goes the way of a user's
 * file: read, differentiated, composed, interpreted. A property line draws its
 * operands from a generator seeded by its own text and is held against finite
 * differences: along a random direction v of each floating operand,
 * sum(v * d/dx) must equal the derivative of sum(u * f(x + t v)) at t = 0, where
 * u are the cotangents. The same check then runs on the graph that holds value
 * and derivative, which is the second derivative; and, for a composite, on its
 * decomposition, differentiated op by op. Each line has a process of its own,
 * so that a bug ends one line. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"
#include "ir.h"

enum { MAXOPERAND = 8, MAXATTR = 12, B_MAX = 5, B_HERE = 3 };
static const double STEP = 1.0 / 2048;         /* of the differences */
static const double GRAD_TOL = 1e-7;           /* of the sum of magnitudes; the differences err by STEP^4 f'''''/30 */
static const double VALUE_TOL = 1e-13;         /* of the largest of the values written */

typedef struct Operand {
	const char *type;      /* NULL: a literal */
	const char *literal;
	const char *values;    /* "[1,nan]", or NULL: drawn from lo..hi */
	double lo, hi;
	bool range;
} Operand;
typedef struct Case {
	Arena *arena;
	const char *place, *text;
	const Op *op;
	int noperand, nattr, nwant, nct, ngrad, nresult;
	Operand operand[MAXOPERAND];
	const char *attr_name[MAXATTR], *attr_value[MAXATTR];
	const char *want[MAXOPERAND];  /* expected results, as lists; NULL: any */
	const char *ct[MAXOPERAND];    /* cotangents of the floating results; of 1 when there are none */
	const char *grad[MAXOPERAND];  /* expected gradients */
} Case;

static bool ok = true;
static Buf functions;          /* of the file so far: members of the document's object */

static void PRINTF(2, 3)
wrong(const Case *c, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		printf("FAIL %s: %s\n", c->place, c->text);
	ok = false;
	printf("    ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* ---- a line ---- */

static void PRINTF(2, 3)
malformed(const Case *c, const char *fmt, ...)
{
	va_list ap;

	printf("FAIL %s: %s\n    ", c->place, c->text);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

static bool
is_literal(const char *w)
{
	double x;

	return parse_double(w, &x);
}

static bool
is_operand(Arena *a, const char *w)
{
	return w[strcspn(w, "[")] && dtype_parse(arena_copy(a, w, (int64_t)strcspn(w, "["))) != NDTYPE;
}

/* "f32[3]" or "f32[3]=[1,2,3]" */
static void
add_operand(Case *c, const char *w)
{
	Operand *o = &c->operand[c->noperand++];
	const char *eq = strstr(w, "]=");

	if (c->noperand == MAXOPERAND)
		malformed(c, "too many operands");
	if (is_literal(w))
		o->literal = w;
	else
		o->type = eq ? arena_copy(c->arena, w, eq + 1 - w) : w;
	o->values = eq ? eq + 2 : NULL;
}

/* "in(lo,hi)" */
static void
add_range(Case *c, const char *w)
{
	Operand *o = &c->operand[c->noperand - 1];
	const char *comma = strchr(w, ','), *end = strchr(w, ')');

	if (!c->noperand || !comma || !end || !parse_double(arena_copy(c->arena, w + 3, comma - w - 3), &o->lo)
		|| !parse_double(arena_copy(c->arena, comma + 1, end - comma - 1), &o->hi))
		malformed(c, "bad range '%s'", w);
	o->range = true;
}

/* "name=json", "name=word" or "name" for true */
static void
add_attr(Case *c, const char *w)
{
	const char *eq = strchr(w, '='), *v = eq ? eq + 1 : "true";
	Buf quoted = {.arena = c->arena};

	if (c->nattr == MAXATTR)
		malformed(c, "too many attributes");
	if (!strchr("[{\"0123456789", v[*v == '-']) && strcmp(v, "true") && strcmp(v, "false") && strcmp(v, "null")) {
		json_quote(&quoted, v);
		v = buf_str(&quoted);
	}
	c->attr_name[c->nattr] = eq ? arena_copy(c->arena, w, eq - w) : w;
	c->attr_value[c->nattr++] = v;
}

static void
parse_case(Case *c)
{
	char *save, *w = strtok_r(arena_str(c->arena, c->text), " \t", &save);
	enum { OPERANDS, RESULTS, CTS, GRADS } part = OPERANDS;

	if (!(c->op = op_find(w)))
		malformed(c, "no op is called '%s'", w);
	while ((w = strtok_r(NULL, " \t", &save))) {
		if (!strcmp(w, "->"))
			part = RESULTS;
		else if (part == RESULTS && !strcmp(w, "ct"))
			part = CTS;
		else if (part && !strcmp(w, "d"))
			part = GRADS;
		else if (part == RESULTS && c->nwant < MAXOPERAND)
			c->want[c->nwant++] = strcmp(w, "_") ? w : NULL;
		else if (part == CTS && c->nct < MAXOPERAND)
			c->ct[c->nct++] = w;
		else if (part == GRADS && c->ngrad < MAXOPERAND)
			c->grad[c->ngrad++] = strcmp(w, "_") ? w : NULL;
		else if (!strncmp(w, "in(", 3))
			add_range(c, w);
		else if (sscanf(w, "results(%d)", &c->nresult) == 1)
			continue;
		else if (!c->nattr && (is_literal(w) || is_operand(c->arena, w)))
			add_operand(c, w);
		else
			add_attr(c, w);
	}
}

/* ---- a line as a graph ---- */

static int
results_of(const Case *c)
{
	return c->nresult ? c->nresult : c->op->nres < 0 ? MAX(c->nwant, 1) : MAX(c->op->nres, 1);
}

static void
put_inputs(Buf *b, const Case *c)
{
	const char *sep = "";

	buf_puts(b, "\"inputs\": {");
	for (int i = 0; i < c->noperand; i++)
		if (c->operand[i].type) {
			buf_printf(b, "%s\"%c\": \"%s\"", sep, 'a' + i, c->operand[i].type);
			sep = ", ";
		}
	buf_puts(b, "},\n");
}

static void
put_node(Buf *b, const Case *c)
{
	buf_puts(b, "\"nodes\": [{\"out\": [");
	for (int r = 0; r < results_of(c); r++)
		buf_printf(b, "%s\"y%d\"", r ? ", " : "", r);
	buf_printf(b, "], \"op\": \"%s\", \"in\": [", c->op->name);
	for (int i = 0; i < c->noperand; i++) {
		const Operand *o = &c->operand[i];
		buf_puts(b, i ? ", " : "");
		if (o->type)
			buf_printf(b, "\"%c\"", 'a' + i);
		else
			buf_printf(b, isalpha((unsigned char)o->literal[strlen(o->literal) - 1]) ? "\"%s\"" : "%s", o->literal);
	}
	buf_puts(b, "]");
	if (c->nattr)
		buf_puts(b, ", \"attrs\": {");
	for (int i = 0; i < c->nattr; i++)
		buf_printf(b, "%s\"%s\": %s", i ? ", " : "", c->attr_name[i], c->attr_value[i]);
	buf_puts(b, c->nattr ? "}}],\n" : "}],\n");
}

static Graph *
read_case(const Case *c)
{
	Buf b = {.arena = c->arena};
	Graph *g;

	buf_puts(&b, "{\"gradc\": 1, \"name\": \"line\",\n");
	if (functions.n || strstr(c->text, "B,") || strstr(c->text, "B]") || strstr(c->text, "B\""))
		buf_printf(&b, "\"dims\": {\"B\": {\"max\": %d}},\n", B_MAX);
	if (functions.n)
		buf_printf(&b, "\"functions\": {%s},\n", buf_str(&functions));
	put_inputs(&b, c);
	put_node(&b, c);
	buf_puts(&b, "\"outputs\": {");
	for (int r = 0; r < results_of(c); r++)
		buf_printf(&b, "%s\"y%d\": \"y%d\"", r ? ", " : "", r, r);
	buf_puts(&b, "}}\n");
	g = graph_read(c->arena, c->place, buf_str(&b), b.n);
	diag_check();
	return g;
}

static EvalCtx
context(Arena *a)
{
	return (EvalCtx){.arena = a, .symval = {B_HERE}};
}

/* the numbers of "[1,[2,nan]]" into t; false when there are not as many as elements */
static bool
read_list(Arena *a, const char *s, Tensor *t)
{
	int64_t n = 0;

	while (*s) {
		size_t len = strcspn(s, "[],");
		const char *w = arena_copy(a, s, (int64_t)len);
		double x = 0;
		int64_t v = 0;
		s += len + (s[len] != 0);
		if (!len)
			continue;
		if (n == t->n || !(t->f ? parse_double(w, &x) : parse_int64(w, &v)))
			return false;
		if (t->f)
			t->f[n++] = x;
		else
			t->i[n++] = v;
	}
	return n == t->n;
}

static void
draw(Rng *r, const Operand *o, Tensor *t)
{
	double lo = o && o->range ? o->lo : -2, hi = o && o->range ? o->hi : 2;

	for (int64_t k = 0; k < t->n; k++)
		if (t->f)
			t->f[k] = lo + (hi - lo) * rng_double(r);
		else if (t->dt == BOOL)
			t->i[k] = rng_below(r, 2);
		else if (o && o->range)
			t->i[k] = (int64_t)lo + rng_below(r, (int64_t)hi - (int64_t)lo + 1);
		else
			t->i[k] = wrap_to(t->dt, rng_below(r, 11) - (dtype_class(t->dt) == C_UINT ? 0 : 5));
}

/* the operands by leaf */
static Tensor **
operand_values(const Case *c, const Graph *g, Rng *r)
{
	EvalCtx ctx = context(c->arena);
	Tensor **v = NEW(c->arena, g->nleaf + 1, Tensor *);

	for (int64_t i = 0; i < g->nleaf; i++) {
		const Operand *o = &c->operand[g->leaf[i]->name[0] - 'a'];
		v[i] = tensor_new(&ctx, &g->leaf[i]->node->type);
		if (!o->values)
			draw(r, o, v[i]);
		else if (!read_list(c->arena, o->values, v[i]))
			malformed(c, "'%s' does not fill %s", o->values, o->type);
	}
	return v;
}

/* ---- values ---- */

static Tensor **
evaluate(Arena *a, const Graph *core, Tensor *const *leaf)
{
	EvalCtx ctx = context(a);
	Tensor **val = eval_graph(&ctx, core, leaf);

	if (ctx.bad_index)
		bug("an index is out of range");
	return val;
}

static void
must_be_finite(const Case *c, const Graph *core, Tensor *const *val)
{
	for (int64_t i = 0; i < core->out.n; i++) {
		const Tensor *t = val[core->out.p[i].v->id];
		for (int64_t k = 0; t->f && k < t->n; k++)
			if (!isfinite(t->f[k])) {
				wrong(c, "%s[%lld] is %g", core->out.p[i].name, (long long)k, t->f[k]);
				return;
			}
	}
}

/* is got as written? -0 is, where 0 is written, but not the other way round */
static bool
as_written(double got, double want, double scale)
{
	if (isnan(want) || isinf(want))
		return isnan(want) ? isnan(got) : got == want;
	if (want == 0 && signbit(want))
		return got == 0 && signbit(got);
	return fabs(got - want) <= VALUE_TOL * scale;
}

static double
largest(const Tensor *t)
{
	double m = 0;

	for (int64_t k = 0; k < t->n; k++)
		if (isfinite(t->f[k]))
			m = fmax(m, fabs(t->f[k]));
	return m;
}

static void
compare(const Case *c, const char *what, const Tensor *got, const char *list)
{
	Tensor want = *got;
	double scale;

	if (!list)
		return;
	want.f = got->f ? NEW(c->arena, got->n + 1, double) : NULL;
	want.i = got->i ? NEW(c->arena, got->n + 1, int64_t) : NULL;
	if (!read_list(c->arena, list, &want))
		malformed(c, "%s has %lld elements, not as '%s'", what, (long long)got->n, list);
	scale = want.f ? largest(&want) : 0;
	for (int64_t k = 0; k < got->n; k++) {
		if (got->f && !as_written(got->f[k], want.f[k], scale))
			wrong(c, "%s[%lld] is %.17g, not %.17g", what, (long long)k, got->f[k], want.f[k]);
		if (got->i && got->i[k] != want.i[k])
			wrong(c, "%s[%lld] is %lld, not %lld", what, (long long)k, (long long)got->i[k], (long long)want.i[k]);
	}
}

/* ---- derivatives ---- */

static const Options grad_options = {.training = true};

static bool
has_gradient(const Graph *g)
{
	bool in = false, out = false;

	for (int64_t i = 0; i < g->nleaf; i++)
		in |= dtype_float(g->leaf[i]->node->type.dt);
	for (int64_t i = 0; i < g->out.n; i++)
		out |= dtype_float(g->out.p[i].v->type.dt);
	return in && out;
}

static double
inner(const Tensor *u, const Tensor *v, double *magnitude)
{
	double s = 0;

	for (int64_t k = 0; k < u->n; k++) {
		s += u->f[k] * v->f[k];
		*magnitude += fabs(u->f[k] * v->f[k]);
	}
	return s;
}

typedef struct LineSlope {
	const Graph *core;     /* of the function itself, without composites */
	const Graph *joint;    /* with cotangent leaves after those of core */
	Tensor **leaf;         /* values of joint's leaves */
	double magnitude;
} LineSlope;

/* sum over outputs of cotangent * value, with operand i moved by t along v */
static double
along(LineSlope *s, int64_t i, const Tensor *v, double t)
{
	Arena *a = arena_new();
	Tensor **leaf = NEW(a, s->joint->nleaf, Tensor *), **val, moved = *s->leaf[i];
	double sum = 0;

	memcpy(leaf, s->leaf, (size_t)s->joint->nleaf * sizeof *leaf);
	moved.f = NEW(a, moved.n + 1, double);
	for (int64_t k = 0; k < moved.n; k++)
		moved.f[k] = s->leaf[i]->f[k] + t * v->f[k];
	leaf[i] = &moved;
	val = evaluate(a, s->core, leaf);
	for (int64_t k = s->core->nleaf; k < s->joint->nleaf; k++) {
		const Node *y = port_find(&s->core->out, s->joint->leaf[k]->of);
		sum += inner(s->leaf[k], val[y->id], &s->magnitude);
	}
	arena_free(a);
	return sum;
}

/* five-point formula (Abramowitz and Stegun, 25.3.6) */
static double
slope(LineSlope *s, int64_t i, const Tensor *v)
{
	double near = along(s, i, v, STEP) - along(s, i, v, -STEP);
	double far = along(s, i, v, 2 * STEP) - along(s, i, v, -2 * STEP);

	return (8 * near - far) / (12 * STEP);
}

/* leaves of joint: those of g, then cotangents, drawn here */
static Tensor **
with_cotangents(Arena *a, const Graph *joint, int64_t nleaf, Tensor *const *leaf, Rng *r)
{
	EvalCtx ctx = context(a);
	Tensor **v = NEW(a, joint->nleaf + 1, Tensor *);

	for (int64_t i = 0; i < joint->nleaf; i++)
		if (i < nleaf)
			v[i] = leaf[i];
		else
			draw(r, NULL, v[i] = tensor_new(&ctx, &joint->leaf[i]->node->type));
	return v;
}

/* holds grad(g) against differences; gives the graph of value and derivative, with its operands in *leaf */
static Graph *
check_gradient(const Case *c, const Graph *g, Tensor ***leaf, Rng *r, const char *which)
{
	Arena *a = c->arena;
	Graph *joint = grad(a, g, &grad_options), *core;
	LineSlope s = {.joint = joint, .core = compose(a, g, true)};
	EvalCtx ctx = context(a);
	Tensor **val;

	fflush(stdout);
	diag_check();
	s.leaf = with_cotangents(a, joint, g->nleaf, *leaf, r);
	core = compose(a, joint, true);
	val = evaluate(a, core, s.leaf);
	for (int64_t i = 0; i < g->nleaf; i++) {
		const Node *d = port_find(&core->grad, g->leaf[i]->name);
		Tensor *v;
		double want, got;
		if (!d)
			continue;
		draw(r, NULL, v = tensor_new(&ctx, &d->type));
		s.magnitude = 0;
		want = slope(&s, i, v);
		s.magnitude = 1 + s.magnitude / 4;
		got = inner(val[d->id], v, &s.magnitude);
		if (!(fabs(got - want) <= GRAD_TOL * s.magnitude))
			wrong(c, "%s: derivative along '%s' is %.12g, by differences %.12g", which, g->leaf[i]->name, got, want);
	}
	*leaf = s.leaf;
	return grad_plain(a, joint);
}

static void
check_property(const Case *c, const Graph *g)
{
	Rng r = rng_seed(hash64(c->text, (int64_t)strlen(c->text), 0));
	Tensor **leaf = operand_values(c, g, &r), **same = leaf;
	const Graph *core = compose(c->arena, g, true);

	must_be_finite(c, core, evaluate(c->arena, core, leaf));
	if (!has_gradient(g) || c->op->flags & STOP)
		return;
	check_gradient(c, check_gradient(c, g, &leaf, &r, "first"), &leaf, &r, "second");
	if (c->op->kind == COMPOSITE && c->op->vjp) {
		leaf = same;
		check_gradient(c, check_gradient(c, core, &leaf, &r, "decomposed"), &leaf, &r, "decomposed, second");
	}
}

static void
give_cotangent(const Case *c, int i, Tensor *t)
{
	for (int64_t k = 0; k < t->n; k++)
		t->f[k] = 1;
	if (i < c->nct && !read_list(c->arena, c->ct[i], t))
		malformed(c, "'%s' does not fill cotangent %d", c->ct[i], i);
}

static void
check_edge_gradient(const Case *c, const Graph *g, Tensor **leaf, const char *which)
{
	Graph *joint = grad(c->arena, g, &grad_options), *core;
	Rng r = rng_seed(0);
	Tensor **val;

	fflush(stdout);
	diag_check();
	leaf = with_cotangents(c->arena, joint, g->nleaf, leaf, &r);
	for (int64_t i = g->nleaf; i < joint->nleaf; i++)
		give_cotangent(c, (int)(i - g->nleaf), leaf[i]);
	core = compose(c->arena, joint, true);
	val = evaluate(c->arena, core, leaf);
	for (int i = 0; i < c->ngrad; i++) {
		const char *name = arena_fmt(c->arena, "%c", 'a' + i);
		const Node *d = port_find(&core->grad, name);
		if (d)
			compare(c, arena_fmt(c->arena, "%sd.%s", which, name), val[d->id], c->grad[i]);
		else if (c->grad[i])
			malformed(c, "'%s' has no gradient", name);
	}
}

static void
check_edges(const Case *c, const Graph *g)
{
	Rng r = rng_seed(0);
	Tensor **leaf = operand_values(c, g, &r);
	const Graph *core = compose(c->arena, g, true);
	Tensor **val = evaluate(c->arena, core, leaf);

	for (int i = 0; i < c->nwant && i < core->out.n; i++)
		compare(c, core->out.p[i].name, val[core->out.p[i].v->id], c->want[i]);
	if (!c->ngrad)
		return;
	check_edge_gradient(c, g, leaf, "");
	if (c->op->kind == COMPOSITE && c->op->vjp)
		check_edge_gradient(c, core, leaf, "decomposed: ");
}

/* ---- files ---- */

static bool
check_line(const char *place, const char *text)
{
	Case c = {.arena = arena_new(), .place = place, .text = text};
	const Graph *g;

	parse_case(&c);
	bug_context(NULL, text);
	g = read_case(&c);
	if (c.nwant)
		check_edges(&c, g);
	else
		check_property(&c, g);
	arena_free(c.arena);
	return ok;
}

typedef struct Totals {
	int passed, failed;
	bool seen[NOP], seen_int[NOP];
} Totals;

static bool
in_child(const char *place, const char *text)
{
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0)
		exit(check_line(place, text) ? 0 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		bug("cannot run a line");
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		printf("FAIL %s: %s\n    ends with status %d\n", place, text, status);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void
note_seen(Totals *t, const char *text)
{
	char word[64] = "";
	const Op *op;

	sscanf(text, "%63s", word);
	if (!(op = op_find(word)))
		return;
	t->seen[op->id] = true;
	t->seen_int[op->id] |= strstr(text, " i") || strstr(text, " u") || strstr(text, " bool");
}

/* "function NAME {...}" */
static bool
is_function(const char *line)
{
	char name[64];
	int end = 0;

	if (sscanf(line, "function %63s %n", name, &end) != 1 || !end)
		return false;
	buf_printf(&functions, "%s\"%s\": %s", functions.n ? ", " : "", name, line + end);
	return true;
}

static void
run_file(Arena *a, Totals *t, const char *path)
{
	int64_t n;
	char *s = read_file(a, path, &n), *save;
	int line = 0;

	functions = (Buf){.arena = a};
	/* not strtok: empty lines count */
	for (char *l = s; l; l = save) {
		char *end = strchr(l, '\n');
		save = end ? end + 1 : NULL;
		if (end)
			*end = 0;
		line++;
		l[strcspn(l, "#")] = 0;
		for (size_t k = strlen(l); k && isspace((unsigned char)l[k - 1]);)
			l[--k] = 0;
		if (!*l || is_function(l))
			continue;
		note_seen(t, l);
		if (in_child(arena_fmt(a, "%s:%d", path, line), l))
			t->passed++;
		else
			t->failed++;
	}
}

/* an op of the table without a line is a failure, and so is an integer row without a line on integers */
static void
check_coverage(Totals *t)
{
	for (int id = 0; id < NOP; id++) {
		const Op *op = op_get(id);
		bool internal = op->kind == LEAF || op->kind == ITEM || op->id == OP_constant || op->flags & NOT_YET;
		if (!internal && !t->seen[id])
			printf("FAIL %s: no line in tests/op\n", op->name);
		else if (op->map && op->map->itext && !t->seen_int[id])
			printf("FAIL %s: no line on integers in tests/op\n", op->name);
		else
			continue;
		t->failed++;
	}
}

int
main(int argc, char **argv)
{
	Arena *a = arena_new();
	Totals t = {0};
	bool all = argc > 1 && !strcmp(argv[1], "--all");

	for (int i = 1 + all; i < argc; i++)
		run_file(a, &t, argv[i]);
	if (all)
		check_coverage(&t);
	printf("%d passed, %d failed\n", t.passed, t.failed);
	arena_free(a);
	return t.failed != 0;
}
