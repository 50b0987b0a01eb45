/* e2e: emitted models against the interpreter and their own contract.
 *
 * Each model is compiled by gradc in several ways (partitions, backends,
 * optimizers), then by the C compiler together with driver.c, which calls all its
 * functions. Values are compared with the interpreter's; whatever way the model
 * was compiled in, and with however many threads it runs, the bits are the same.
 *
 *   e2e CC FLAGS DIR [-quick] MODEL.json...
 *
 * -quick leaves out the driver's refusals and choices of results, for larger models. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "gen.h"

typedef struct Way {
	const char *name;
	GenOptions gen;
	const char *partition;
} Way;
static const Way ways[] = {
	{"fused min-cut adamw",             {.backend = BACKEND_FUSED, .optimizer = OPT_ADAMW}, "min-cut"},
	{"fused default sgd accumulate",    {.backend = BACKEND_FUSED, .optimizer = OPT_SGD, .accumulate = true}, "default"},
	{"fused recompute momentum",        {.backend = BACKEND_FUSED, .optimizer = OPT_MOMENTUM}, "recompute"},
	{"nop min-cut adam",                {.backend = BACKEND_NOP, .optimizer = OPT_ADAM}, "min-cut"},
};

typedef struct Case {
	Arena *a;
	const char *path, *dir, *cc, *flags;
	const Graph *user;
	const Split *split;
	bool trained;
	int64_t sym[MAXSYM];
	Tensor **leaf;                 /* by index in user->leaf */
	Map *want;                     /* tag -> Tensor */
	Map *first;                    /* tag -> Record of the first way */
} Case;
typedef struct Record { const char *tag; int64_t n; const char *bytes; } Record;

static int passed, failed;

static void
check(bool ok, const Case *c, const Way *w, const char *fmt, ...)
{
	va_list ap;

	if (ok) {
		passed++;
		return;
	}
	failed++;
	printf("FAIL %s, %s: ", c->user->name, w->name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* ---- data ---- */

static int64_t
index_bound(const Case *c, const Leaf *l)
{
	Range *r;
	int n = index_ranges(c->a, c->user, &r);
	int64_t bound = 0;

	for (int i = 0; i < n; i++)
		if (r[i].leaf == l)
			bound = bound ? MIN(bound, dim_at(r[i].bound, c->sym)) : dim_at(r[i].bound, c->sym);
	return bound;
}

static Tensor *
draw(Case *c, const Type *t, const Leaf *l, Rng *r)
{
	EvalCtx ctx = {.arena = c->a, .g = c->user};
	Tensor *x;
	int64_t bound = l ? index_bound(c, l) : 0;

	memcpy(ctx.symval, c->sym, sizeof c->sym);
	x = tensor_new(&ctx, t);
	for (int64_t i = 0; i < x->n; i++)
		if (x->f)
			x->f[i] = round_to(t->dt, l && l->init == INIT_ONES ? 0.5 + rng_double(r) : 2 * rng_double(r) - 1);
		else
			x->i[i] = t->dt == BOOL ? rng_below(r, 2) : bound ? rng_below(r, bound)
				: rng_below(r, 9) - (dtype_class(t->dt) == C_UINT ? 0 : 4);
	return x;
}

/* dimensions between the smallest and the greatest, where there is something between */
static void
draw_leaves(Case *c)
{
	Rng r = rng_seed(hash64(c->user->name, (int64_t)strlen(c->user->name), 1));

	for (int s = 0; s < c->user->nsym; s++) {
		const Sym *y = &c->user->sym[s];
		c->sym[s] = y->max > 64 ? MAX(y->min, 5) : MAX(y->min, y->max - 1);
	}
	c->leaf = NEW(c->a, c->user->nleaf + 1, Tensor *);
	for (int64_t i = 0; i < c->user->nleaf; i++)
		c->leaf[i] = draw(c, &c->user->leaf[i]->node->type, c->user->leaf[i], &r);
}

static Tensor *
leaf_value(const Case *c, const Leaf *l)
{
	for (int64_t i = 0; i < c->user->nleaf; i++)
		if (!strcmp(c->user->leaf[i]->name, l->name))
			return c->leaf[i];
	return map_get(c->want, arena_fmt(c->a, "ct.%s", l->of ? l->of : l->name));
}

static Tensor **
interpret(Case *c, const Graph *g)
{
	EvalCtx ctx = {.arena = c->a, .g = g, .round = true};
	Tensor **leaf = NEW(c->a, g->nleaf + 1, Tensor *);

	memcpy(ctx.symval, c->sym, sizeof c->sym);
	for (int64_t i = 0; i < g->nleaf; i++)
		leaf[i] = leaf_value(c, g->leaf[i]);
	return eval_graph(&ctx, g, leaf);
}

static void
expect_ports(Case *c, const char *what, const Ports *ps, Tensor **value)
{
	for (int64_t i = 0; i < ps->n; i++)
		map_set(c->want, arena_fmt(c->a, "%s.%s", what, ps->p[i].name), value[ps->p[i].v->id]);
}

static void
expect(Case *c)
{
	Graph *g = simplify(c->a, infer(c->a, c->user, NULL));
	Rng r = rng_seed(3);
	Tensor **v;

	c->want = map_new(c->a);
	expect_ports(c, "infer", &g->out, interpret(c, g));
	for (int64_t i = 0; i < c->user->nleaf; i++)
		if (c->user->leaf[i]->role != INPUT)
			map_set(c->want, arena_fmt(c->a, "%s.%s", c->user->leaf[i]->role == PARAM ? "param" : "state",
				c->user->leaf[i]->name), c->leaf[i]);
	if (c->split && c->user->loss < 0)
		for (int64_t i = 0; i < c->split->joint->ct.n; i++) {
			Port p = c->split->joint->ct.p[i];
			map_set(c->want, arena_fmt(c->a, "ct.%s", p.name), draw(c, &p.v->type, NULL, &r));
		}
	g = c->split ? seed_one(c->a, c->split->joint) : compose(c->a, c->user, true);
	v = interpret(c, g);
	expect_ports(c, "out", &g->out, v);
	expect_ports(c, "grad", &g->grad, v);
	for (int64_t i = 0; i < g->update.n; i++) {
		const char *name = g->update.p[i].name;
		map_set(c->want, arena_fmt(c->a, "%s.%s", leaf_find(c->user, name)->role == PARAM ? "param" : "state", name),
			v[g->update.p[i].v->id]);
	}
}

/* ---- case.h ---- */

static int64_t
run_bytes(const Case *c, const Type *t)
{
	return dim_at(type_count(t), c->sym) * dtype_size(t->dt);
}

static int64_t
limit(const Case *c, const char *name)
{
	const Leaf *l = leaf_find(c->user, name);

	return l && l->role == INPUT ? index_bound(c, l) : 0;
}

static void
put_field(Buf *b, const Case *c, const char *self, const char *name, const char *cname, const Type *t, bool grad)
{
	buf_puts(b, "\t{");
	buf_c_string(b, name);
	buf_printf(b, ", (void **)&%s.%s, %" PRId64 ", %" PRId64 ", %d, %" PRId64 ", %d, NULL, NULL, NULL},\n", self,
		cname ? cname : c_ident(c->a, name), run_bytes(c, t), type_max_bytes(c->user, t), dtype_size(t->dt),
		limit(c, name), grad);
}

static bool
trains(const Leaf *l)
{
	return l && l->role == PARAM && l->trainable;
}

static void
put_leaves(Buf *b, const Case *c, Role role, const char *self)
{
	buf_printf(b, "static Field f_%s[] = {\n", role == INPUT ? "in" : role == PARAM ? "param" : "state");
	for (int64_t i = 0; i < c->user->nleaf; i++) {
		const Leaf *l = c->user->leaf[i];
		if (l->role == role)
			put_field(b, c, self, l->name, l->cname, &l->node->type, false);
	}
	buf_puts(b, "\t{0}\n};\n");
}

static void
put_ports(Buf *b, const Case *c, const char *field, const Ports *ps, const char *self)
{
	buf_printf(b, "static Field f_%s[] = {\n", field);
	for (int64_t i = 0; ps && i < ps->n; i++) {
		const Leaf *l = leaf_find(c->user, ps->p[i].name);
		bool grad = !strcmp(field, "grad");
		put_field(b, c, self, ps->p[i].name, grad && l ? l->cname : NULL, &ps->p[i].v->type, grad && trains(l));
	}
	buf_puts(b, "\t{0}\n};\n");
}

static int
count(const Case *c, Role role)
{
	int n = 0;

	for (int64_t i = 0; i < c->user->nleaf; i++)
		n += c->user->leaf[i]->role == role;
	return n;
}

static void
put_dims(Buf *b, const Case *c)
{
	const Graph *g = c->user;

	buf_printf(b, "enum { NDIM = %d };\nstatic const int64_t dim_min[] = {", g->nsym);
	for (int s = 0; s < g->nsym; s++)
		buf_printf(b, "%" PRId64 ", ", g->sym[s].min);
	buf_puts(b, "0}, dim_max[] = {");
	for (int s = 0; s < g->nsym; s++)
		buf_printf(b, "%" PRId64 ", ", g->sym[s].max);
	buf_puts(b, "0};\nstatic const char *const dim_name[] = {");
	for (int s = 0; s < g->nsym; s++)
		buf_printf(b, "\"%s\", ", g->sym[s].name);
	buf_puts(b, "\"\"};\nstatic int64_t *\ndim_at(int i)\n{\n\tint64_t *const at[] = {");
	for (int s = 0; s < g->nsym; s++)
		buf_printf(b, "&in.%s, ", g->sym[s].name);
	buf_puts(b, "NULL};\n\treturn at[i];\n}\nstatic void\nset_dims(void)\n{\n");
	for (int s = 0; s < g->nsym; s++)
		buf_printf(b, "\tin.%s = %" PRId64 ";\n", g->sym[s].name, c->sym[s]);
	buf_puts(b, "}\n");
}

static void
put_calls(Buf *b, const Case *c, bool train, bool in, bool param, bool state, bool ct)
{
	const char *args = arena_fmt(c->a, "%s%s%s", in ? "&in, " : "", param ? "&p, " : "", state ? "&s, " : "");

	buf_printf(b, "#define CALL_INFER(w) MODEL(infer)(%s&out, w)\n", args);
	if (c->split)
		buf_printf(b, "#define CALL_FORWARD(w) MODEL(forward)(%s&out, saved, w)\n"
			"#define CALL_BACKWARD(w) MODEL(backward)(%s%ssaved, &g, w)\n", args, args, ct ? "&ct, " : "");
	else if (c->user->update.n)
		buf_printf(b, "#define CALL_FORWARD(w) MODEL(forward)(%s&out, w)\n", args);
	if (train)
		buf_printf(b, "#define CALL_TRAIN(w) MODEL(train_step)(%s&g, &opt, &out, w)\n"
			"#define CALL_UPDATE MODEL(update)(&p, &g, &opt)\n", args);
	if (param)
		buf_puts(b, "#define BIND_PARAM(x) MODEL(params_bind)(&p, x)\n#define INIT_PARAM(k) MODEL(params_init)(&p, k)\n");
	if (state)
		buf_puts(b, "#define BIND_STATE(x) MODEL(state_bind)(&s, x)\n#define INIT_STATE(k) MODEL(state_init)(&s, k)\n");
	if (c->split)
		buf_puts(b, "#define BIND_GRAD(x) MODEL(grads_bind)(&g, x)\n");
}

static void
put_optimizer(Buf *b, const Case *c, Optimizer o, bool train)
{
	static const char *const settings[] = {"", "opt.lr, opt.weight_decay", "opt.lr, opt.momentum, opt.weight_decay",
		"opt.lr, opt.beta1, opt.beta2, opt.eps, opt.weight_decay",
		"opt.lr, opt.beta1, opt.beta2, opt.eps, opt.weight_decay"};
	int moments = o == OPT_SGD ? 0 : o == OPT_MOMENTUM ? 1 : 2;

	if (!train) {
		buf_puts(b, "static void\nbegin_optimizer(void)\n{\n}\n");
		return;
	}
	(void)c;
	buf_printf(b, "enum { MOMENTS = %d * CODE(PARAMS_BYTES) };\n"
		"static double defaults[5];\nstatic unsigned char *optimizer_memory;\n", moments);
	buf_printf(b, "static void\nbegin_optimizer(void)\n{\n\tfree(optimizer_memory);\n"
		"\toptimizer_memory = calloc(1, MOMENTS + 1);\n\tMODEL(optimizer_init)(&opt);\n%s"
		"\tmemcpy(defaults, (double[5]){%s}, sizeof defaults);\n"
		"\topt.lr = 0.0625f;\n\topt.weight_decay = 0.25f;\n}\n",
		moments ? "\tMODEL(optimizer_bind)(&opt, optimizer_memory);\n" : "", settings[o]);
}

static const char *
case_text(Case *c, const Way *w)
{
	const char *m = c->user->name, *u = upper(c->a, m);
	bool in = count(c, INPUT) || c->user->nsym, param = count(c, PARAM), state = count(c, BUFFER);
	bool ct = c->split && c->user->loss < 0, train = c->trained && c->user->loss >= 0;
	Buf b = {.arena = c->a};

	buf_printf(&b,
		"#include \"%s.h\"\n#define MODEL_NAME \"%s\"\n#define MODEL(x) %s_##x\n#define CODE(x) %s_##x\n", m,
		m, m, u);
	buf_printf(&b, "enum { HAS_FORWARD = %d, HAS_BACKWARD = %d, HAS_TRAIN = %d, ACCUMULATE = %d };\n",
		c->split || c->user->update.n, c->split != NULL, train, w->gen.accumulate);
	buf_printf(&b, "enum { WORKSPACE = CODE(WORKSPACE_BYTES), SAVED = %s, TRAIN_WORKSPACE = %s };\n",
		c->split ? "CODE(SAVED_BYTES)" : "64", train ? "CODE(TRAIN_WORKSPACE_BYTES)" : "64");
	const char *const name[] = {in ? "inputs in" : 0, param ? "params p" : 0, state ? "state s" : 0,
		ct ? "cotangents ct" : 0, "outputs out", c->split ? "grads g" : 0, train ? "optimizer opt" : 0};
	for (int i = 0; i < LEN(name); i++)
		if (name[i])
			buf_printf(&b, "static %s_%s;\n", m, name[i]);
	put_leaves(&b, c, INPUT, "in");
	put_leaves(&b, c, PARAM, "p");
	put_leaves(&b, c, BUFFER, "s");
	put_ports(&b, c, "ct", ct ? &c->split->joint->ct : NULL, "ct");
	put_ports(&b, c, "out", &c->user->out, "out");
	put_ports(&b, c, "grad", c->split ? &c->split->joint->grad : NULL, "g");
	buf_printf(&b, "enum { NGRAD = %d };\n", c->split ? (int)c->split->joint->grad.n : 0);
	put_dims(&b, c);
	put_calls(&b, c, train, in, param, state, ct);
	put_optimizer(&b, c, w->gen.optimizer, train);
	return buf_str(&b);
}

/* ---- building and running ---- */

static const char *
write_text(const Case *c, const char *name, const char *bytes, int64_t n)
{
	const char *path = path_join(c->a, c->dir, name);
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(bytes, 1, (size_t)n, f) != (size_t)n || fclose(f)) {
		perror(path);
		exit(2);
	}
	return path;
}

static void
write_inputs(const Case *c)
{
	Buf b = {.arena = c->a};

	for (int role = INPUT; role <= BUFFER; role++)
		for (int64_t i = 0; i < c->user->nleaf; i++)
			if ((int)c->user->leaf[i]->role == role) {
				Array x = tensor_to_array(c->a, c->leaf[i], "x");
				buf_put(&b, x.data, x.nbytes);
			}
	for (int64_t i = 0; c->split && c->user->loss < 0 && i < c->split->joint->ct.n; i++) {
		Array x = tensor_to_array(c->a, map_get(c->want, arena_fmt(c->a, "ct.%s", c->split->joint->ct.p[i].name)), "x");
		buf_put(&b, x.data, x.nbytes);
	}
	write_text(c, "in.bin", buf_str(&b), b.n);
}

static int
shell(const char *command)
{
	int rc;

	fflush(NULL);
	rc = system(command);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : 128 + WTERMSIG(rc);
}

static bool
build(Case *c, const Way *w, const Unit *u)
{
	const char *m = c->user->name;
	int rc;

	write_text(c, arena_fmt(c->a, "%s.h", m), buf_str((Buf *)&u->header), u->header.n);
	write_text(c, arena_fmt(c->a, "%s.c", m), buf_str((Buf *)&u->source), u->source.n);
	const char *text = case_text(c, w);
	write_text(c, "case.h", text, (int64_t)strlen(text));
	rc = shell(arena_fmt(c->a,
		"%s %s -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -c '%s/%s.c' -o '%s/model.o' 2>&1",
		c->cc, c->flags, c->dir, m, c->dir));
	check(rc == 0, c, w, "the unit does not compile without warnings");
	if (rc)
		return false;
	rc = shell(arena_fmt(c->a, "%s %s -std=gnu99 -Wall -Wextra -Wno-unused-function -fno-strict-aliasing -I'%s' "
		"tests/e2e/driver.c '%s/model.o' -lm -o '%s/driver' 2>&1",
		c->cc, c->flags, c->dir, c->dir, c->dir));
	check(rc == 0, c, w, "the driver does not compile");
	return rc == 0;
}

static Record *
records(Case *c, const char *path, int *n)
{
	Record *r = NULL;
	int64_t size, at = 0, count = 0, cap = 0;
	const char *bytes = read_file(c->a, path, &size);

	while (at < size) {
		const char *end = memchr(bytes + at, '\n', (size_t)(size - at));
		Record x = {.tag = arena_copy(c->a, bytes + at, end - bytes - at)};
		memcpy(&x.n, end + 1, sizeof x.n);
		x.bytes = end + 1 + sizeof x.n;
		at = x.bytes - bytes + x.n;
		PUSH(c->a, r, count, cap, x);
	}
	*n = (int)count;
	return r;
}

/* ---- comparing ---- */

static double
number(DType d, const char *p, int64_t k)
{
	union { double f64; float f32; int64_t i64; int32_t i32; int16_t i16; int8_t i8; uint8_t u8; uint16_t u16; } x;

	memcpy(&x, p + k * dtype_size(d), (size_t)dtype_size(d));
	switch (d) {
	case F64: return x.f64;
	case F32: return (double)x.f32;
	case F16: return half_to_double(x.u16);
	case BF16: return bfloat_to_double(x.u16);
	case I64:
	case U64: return (double)x.i64;
	case I32: return x.i32;
	case I16: return x.i16;
	case I8:  return x.i8;
	default:  return x.u8;
	}
}

static bool
starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static double
greatest(const Tensor *t)
{
	double most = 0;

	for (int64_t k = 0; t->f && k < t->n; k++)
		most = isfinite(t->f[k]) ? fmax(most, fabs(t->f[k])) : most;
	return most;
}

/* what errors are relative to: the largest element; of all gradients, since some are nothing but what is left
 * when others cancel */
static double
scale(const Case *c, const char *tag, const Tensor *t)
{
	double most = fmax(greatest(t), 1e-3);

	for (int i = 0; starts(tag, "grad.") && i < map_len(c->want); i++)
		if (starts(map_key(c->want, i), "grad."))
			most = fmax(most, greatest(map_at(c->want, i)));
	return most;
}

/* Sums differ in order and libm in its last places. Wrong wiring is off by the order of the values themselves. */
static void
check_value(const Case *c, const Way *w, const Record *r, const Tensor *t)
{
	double most = scale(c, r->tag, t), eps = t->dt == F64 ? 0x1p-42 : 0x1p-13;

	if (r->n != t->n * dtype_size(t->dt)) {
		check(false, c, w, "%s has %" PRId64 " bytes", r->tag, r->n);
		return;
	}
	for (int64_t k = 0; k < t->n; k++) {
		double x = number(t->dt, r->bytes, k), y = t->f ? t->f[k] : (double)t->i[k];
		if (x == y || (isnan(x) && isnan(y)) || (t->f && fabs(x - y) <= eps * most))
			continue;
		check(false, c, w, "%s[%" PRId64 "] is %.9g, interpreter %.9g", r->tag, k, x, y);
		return;
	}
	check(true, c, w, "");
}

static const Record *
find(const Record *r, int n, const char *tag)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(r[i].tag, tag))
			return &r[i];
	return NULL;
}

/* ---- optimizers, as torch.optim states them ---- */

typedef struct Moments { double m, v; } Moments;

static double
advance(Optimizer o, double w, double g, Moments *s, int step)
{
	const double lr = 0.0625, decay = 0.25, b1 = 0.9, b2 = 0.999, eps = 1e-8;

	if (o == OPT_ADAMW)
		w -= lr * decay * w;
	else
		g += decay * w;
	if (o == OPT_SGD)
		return w - lr * g;
	if (o == OPT_MOMENTUM) {
		s->m = step == 1 ? g : 0.9 * s->m + g;
		return w - lr * s->m;
	}
	s->m = b1 * s->m + (1 - b1) * g;
	s->v = b2 * s->v + (1 - b2) * g * g;
	return w - lr / (1 - pow(b1, step)) * s->m / (sqrt(s->v) / sqrt(1 - pow(b2, step)) + eps);
}

static void
check_parameter(const Case *c, const Way *w, const Leaf *l, const Record *r, int n)
{
	DType d = l->node->type.dt;
	int64_t count = run_bytes(c, &l->node->type) / dtype_size(d);
	Moments *s = NEW(c->a, count + 1, Moments);

	for (int step = 0; step < 3; step++) {
		const Record *from = find(r, n, arena_fmt(c->a, "from%d.%s", step, l->name));
		const Record *by = find(r, n, arena_fmt(c->a, "by%d.%s", step, l->name));
		const Record *after = find(r, n, arena_fmt(c->a, "after%d.%s", step, l->name));
		for (int64_t k = 0; k < count; k++) {
			double w0 = number(d, from->bytes, k), got = number(d, after->bytes, k);
			double want = by && l->trainable
				? advance(w->gen.optimizer, w0, number(d, by->bytes, k), &s[k], step + 1)
				: w0;
			if (fabs(got - want) <= 1e-6 * (fabs(w0) + fabs(want) + 0.1) || got == want || (isnan(got) && isnan(want)))
				continue;
			check(false, c, w, "step %d moves %s[%" PRId64 "] from %.9g to %.9g, not %.9g", step + 1, l->name,
				k, w0, got, want);
			return;
		}
	}
	check(true, c, w, "");
}

static void
check_optimizer(const Case *c, const Way *w, const Record *r, int n)
{
	static const double want[][5] = {
		{0}, {1e-3, 0}, {1e-3, 0.9, 0}, {1e-3, 0.9, 0.999, 1e-8, 0}, {1e-3, 0.9, 0.999, 1e-8, 1e-2}};
	const Record *d = find(r, n, "opt.defaults");

	if (!d)
		return;
	for (int i = 0; i < 5; i++) {
		double x = number(F64, d->bytes, i), y = want[w->gen.optimizer][i];
		check(fabs(x - y) <= 1e-7 * y, c, w, "default %d of the optimizer is %g, not %g", i, x, y);
	}
	for (int64_t i = 0; i < c->user->nleaf; i++)
		if (c->user->leaf[i]->role == PARAM && dtype_float(c->user->leaf[i]->node->type.dt))
			check_parameter(c, w, c->user->leaf[i], r, n);
}

/* ---- first values ---- */

static double
uniform(uint64_t key, const char *name, int64_t i)
{
	uint32_t x[4];

	philox(key, hash64(name, (int64_t)strlen(name), 0), (uint64_t)i, x);
	return (double)(((uint64_t)x[0] << 32 | x[1]) >> 11) * 0x1p-53;
}

static double
gauss(uint64_t key, const char *name, int64_t i)
{
	uint32_t x[4];

	philox(key, hash64(name, (int64_t)strlen(name), 0), (uint64_t)i, x);
	double u = ((double)(((uint64_t)x[0] << 32 | x[1]) >> 11) + 1) * 0x1p-53;
	return sqrt(-2 * log(u)) * cos(2 * acos(-1) * (double)(((uint64_t)x[2] << 32 | x[3]) >> 11) * 0x1p-53);
}

static double
first_value(const Case *c, const Leaf *l, int64_t i)
{
	const Type *t = &l->node->type;
	double in = 1, out = 1, u = uniform(7, l->name, i);

	for (int d = 1; d < t->rank; d++)
		in *= (double)dim_max(c->user, t->dim[d]);
	for (int d = 0; d < t->rank; d++)
		out *= d == 1 ? 1 : (double)dim_max(c->user, t->dim[d]);
	switch (l->init) {
	case INIT_ONES:            return 1;
	case INIT_CONSTANT:        return l->init_a;
	case INIT_UNIFORM:         return l->init_a + (l->init_b - l->init_a) * u;
	case INIT_NORMAL:          return l->init_a + l->init_b * gauss(7, l->name, i);
	case INIT_KAIMING_UNIFORM: return (2 * u - 1) / sqrt(in);
	case INIT_KAIMING_NORMAL:  return sqrt(2 / in) * gauss(7, l->name, i);
	case INIT_XAVIER_UNIFORM:  return (2 * u - 1) * sqrt(6 / (in + out));
	case INIT_XAVIER_NORMAL:   return sqrt(2 / (in + out)) * gauss(7, l->name, i);
	default:                   return 0;
	}
}

static void
check_first(const Case *c, const Way *w, const Record *r)
{
	const Leaf *l = leaf_find(c->user, r->tag + strlen("init."));
	DType d = l->node->type.dt;

	for (int64_t i = 0; i < r->n / dtype_size(d); i++) {
		double x = number(d, r->bytes, i), y = first_value(c, l, i);
		if (fabs(x - y) > 1e-6 * fabs(y) + 1e-9) {
			check(false, c, w, "%s[%" PRId64 "] begins as %.9g, not %.9g", l->name, i, x, y);
			return;
		}
	}
	check(true, c, w, "");
}

/* ---- one way ---- */

/* the same bits; but a gradient added to zero may lose the sign of a zero */
static bool
same_bits(const Case *c, const Way *w, const Record *x, const Record *y)
{
	const Tensor *t = map_get(c->want, x->tag);

	if (x->n != y->n || !w->gen.accumulate || !starts(x->tag, "grad."))
		return x->n == y->n && !memcmp(x->bytes, y->bytes, (size_t)x->n);
	for (int64_t k = 0; k < t->n; k++) {
		double u = number(t->dt, x->bytes, k), v = number(t->dt, y->bytes, k);
		if (u != v && !(isnan(u) && isnan(v)))
			return false;
	}
	return true;
}

static void
compare(Case *c, const Way *w, const Record *r, int n)
{
	for (int i = 0; i < n; i++) {
		const Record *old = map_get(c->first, r[i].tag);
		const Tensor *t = map_get(c->want, r[i].tag);
		bool common = starts(r[i].tag, "infer.") || t || starts(r[i].tag, "init.");
		if (t)
			check_value(c, w, &r[i], t);
		if (starts(r[i].tag, "init."))
			check_first(c, w, &r[i]);
		if (common && old)
			check(same_bits(c, w, &r[i], old), c, w,
				"%s has other bits than compiled as %s", r[i].tag, ways[0].name);
		else if (common)
			map_set(c->first, r[i].tag, (void *)&r[i]);
		if (starts(r[i].tag, "grad2.")) {
			const Record *one = find(r, n, arena_fmt(c->a, "grad.%s", r[i].tag + 6));
			DType d = ((const Tensor *)map_get(c->want, one->tag))->dt;
			bool twice = true;
			for (int64_t k = 0; k < one->n / dtype_size(d); k++)
				twice &= isnan(number(d, one->bytes, k)) || number(d, r[i].bytes, k) == 2 * number(d, one->bytes, k);
			check(twice, c, w, "%s is not twice the gradient", r[i].tag);
		}
	}
	for (int i = 0; i < map_len(c->want); i++)
		check(starts(map_key(c->want, i), "ct.") || find(r, n, map_key(c->want, i))
			|| (!c->split && !c->user->update.n && !starts(map_key(c->want, i), "infer.")),
			c, w, "%s is missing", map_key(c->want, i));
	check_optimizer(c, w, r, n);
}

static bool
same_files(Case *c, const char *x, const char *y)
{
	int64_t n, m;
	const char *p = read_file(c->a, x, &n), *q = read_file(c->a, y, &m);

	return n == m && !memcmp(p, q, (size_t)n);
}

/* the manifest is JSON, and its last words are the hashes of what it goes with */
static void
check_manifest(const Case *c, const Way *w, Unit *u)
{
	const Json *m = json_read(c->a, "manifest", buf_str(&u->manifest), u->manifest.n);
	const Json *files = m ? json_get(m, "files") : NULL;
	const Buf *text[] = {&u->header, &u->source};
	char hex[65];

	check(files && files->n == 2 && !strcmp(m->key[m->n - 1], "files"), c, w,
		"the manifest does not end with two files");
	for (int i = 0; files && i < files->n; i++) {
		const Json *sha = json_get(files->item[i], "sha256");
		sha256_hex(text[i]->s, text[i]->n, hex);
		check(sha && !strcmp(sha->str, hex), c, w, "the manifest has another hash of file %d", i);
	}
}

static void
run_way(Case *c, const Way *w, bool quick)
{
	Options o = {.training = true, .partition = w->partition, .objective = "traffic"};
	GenOptions g = w->gen;
	const char *out = path_join(c->a, c->dir, "out.bin"), *out2 = path_join(c->a, c->dir, "out2.bin");
	Record *r;
	Unit u;
	int n, rc;

	g.option_text = w->name;
	g.input_base = "model.json";
	if (!c->trained)
		g.optimizer = OPT_NONE;
	u = compile_model(c->a, c->user, &o, &g);
	check_manifest(c, w, &u);
	if (!build(c, w, &u))
		return;
	rc = shell(arena_fmt(c->a, "cd '%s' && ASAN_OPTIONS=detect_leaks=0 OMP_NUM_THREADS=1 ./driver in.bin out.bin%s", c->dir,
		quick ? " quick" : ""));
	check(rc == 0, c, w, "the driver ends with %d", rc);
	if (rc > 1)
		return;
	r = records(c, out, &n);
	compare(c, w, r, n);
	if (!strstr(c->flags, "-fopenmp"))
		return;
	rc = shell(arena_fmt(c->a,
		"cd '%s' && ASAN_OPTIONS=detect_leaks=0 OMP_NUM_THREADS=3 ./driver in.bin out2.bin quick", c->dir));
	rc = rc || shell(arena_fmt(c->a, "cd '%s' && OMP_NUM_THREADS=1 ./driver in.bin out.bin quick", c->dir));
	check(rc == 0 && same_files(c, out, out2), c, w, "three threads give other bits than one");
}

static void
run_model(const char *cc, const char *flags, const char *dir, const char *path, bool quick)
{
	Case c = {.a = arena_new(), .path = path, .dir = dir, .cc = cc, .flags = flags};
	Options o = {.training = true, .partition = "min-cut", .objective = "traffic"};
	Module m = {.arena = c.a, .options = &o};
	int64_t n;
	char *text = read_file(c.a, path, &n);

	c.user = graph_read(c.a, path, text, n);
	diag_check();
	if (differentiable(c.user)) {
		m.graph = graph_rebuild(c.a, c.user, false);
		module_run(&m, 0, pass_find("split"));
		c.split = m.split;
		for (int64_t i = 0; i < c.split->joint->grad.n; i++)
			c.trained |= trains(leaf_find(c.user, c.split->joint->grad.p[i].name));
	}
	c.first = map_new(c.a);
	draw_leaves(&c);
	expect(&c);
	write_inputs(&c);
	for (int i = 0; i < LEN(ways); i++)
		run_way(&c, &ways[i], quick);
	arena_free(c.a);
}

int
main(int argc, char **argv)
{
	bool quick = false;

	if (argc < 5)
		return 2;
	mkdir(argv[3], 0777);
	for (int i = 4; i < argc; i++)
		if (!strcmp(argv[i], "-quick"))
			quick = true;
		else
			run_model(argv[1], argv[2], argv[3], argv[i], quick);
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
