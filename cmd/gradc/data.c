/* data: values for the leaves of a graph, from files or drawn at random. */
#include "cmd.h"

#include <math.h>
#include <string.h>

static const Array *
array_named(const Array *list, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

typedef struct Files { Array *x; int n; } Files;

static void
files_add(Arena *a, Files *f, const Array *x, int n)
{
	Array *all = NEW(a, f->n + n + 1, Array);

	memcpy(all, x, (size_t)n * sizeof *x);         /* later files win */
	if (f->n)
		memcpy(all + n, f->x, (size_t)f->n * sizeof *x);
	*f = (Files){all, f->n + n};
}

static void
read_arrays(Args *a, Files *f, const char *path)
{
	Array *x;
	int n = ends_with(path, ".npz") ? npz_read(a->arena, path, &x) : safetensors_read(a->arena, path, &x);

	files_add(a->arena, f, x, n);
}

/* --in NAME=x.npy or --in FILE.npz */
static void
read_input(Args *a, Files *f, const char *text)
{
	const char *eq = strchr(text, '=');
	Array *x;

	if (!eq && ends_with(text, ".npy"))
		fail(EXIT_INPUT, (Loc){0},
			"--in=%s: an npy file has no names in it; --in=NAME=%s tells which input it is", text, text);
	if (!eq) {
		read_arrays(a, f, text);
		return;
	}
	x = npy_read(a->arena, eq + 1);
	x->name = arena_copy(a->arena, text, eq - text);
	files_add(a->arena, f, x, 1);
}

/* ---- symbolic dimensions ---- */

static int
symbol_of(const Graph *g, const char *name)
{
	for (int s = 0; s < g->nsym; s++)
		if (!strcmp(g->sym[s].name, name))
			return s;
	return -1;
}

static const char *
symbol_list(Arena *a, const Graph *g)
{
	Buf b = {.arena = a};

	for (int s = 0; s < g->nsym; s++)
		buf_printf(&b, "%s'%s'", s ? ", " : "it has ", g->sym[s].name);
	return b.n ? buf_str(&b) : "it has none";
}

static void
dims_from_options(Args *a, const Graph *g, int64_t *val)
{
	for (int i = 0; i < a->nlist[O_DIM]; i++) {
		const char *text = a->list[O_DIM][i], *eq = strchr(text, '='), *name;
		int s;
		if (!eq)
			usage_error(a, "--dim=%s: not of the form SYMBOL=INTEGER", text);
		name = arena_copy(a->arena, text, eq - text);
		if ((s = symbol_of(g, name)) < 0)
			fail(EXIT_INPUT, (Loc){0}, "--dim=%s: the model has no symbolic dimension '%s'; %s", text, name,
				symbol_list(a->arena, g));
		if (!parse_int64(eq + 1, &val[s]))
			usage_error(a, "--dim=%s: '%s' is no integer", text, eq + 1);
	}
}

/* a symbol that is a dimension by itself takes its value from a file that was given */
static void
dims_from_files(const Graph *g, const Files *f, int64_t *val)
{
	for (int64_t i = 0; i < g->nleaf; i++) {
		const Type *t = &g->leaf[i]->node->type;
		const Array *x = array_named(f->x, f->n, g->leaf[i]->name);
		for (int d = 0; x && x->rank == t->rank && d < t->rank; d++)
			for (int s = 0; s < g->nsym; s++)
				if (t->dim[d].k == 1 && t->dim[d].sym == (uint32_t)1 << 4 * s && val[s] < 0)
					val[s] = x->dim[d];
	}
}

static void
dims_check(const Graph *g, int64_t *val)
{
	for (int s = 0; s < g->nsym; s++) {
		if (val[s] < 0)
			val[s] = g->sym[s].hint;
		if (val[s] < g->sym[s].min || val[s] > g->sym[s].max)
			fail(EXIT_INPUT, (Loc){0}, "dimension %s is %lld, not between %lld and %lld", g->sym[s].name,
				(long long)val[s], (long long)g->sym[s].min, (long long)g->sym[s].max);
	}
}

/* ---- random values ---- */

static double
normal(Rng *r)
{
	double u = 1 - rng_double(r), v = rng_double(r);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static int64_t
bound_of(const Range *range, int n, const Leaf *l, const int64_t *symval)
{
	int64_t bound = INT64_MAX;

	for (int i = 0; i < n; i++)
		if (range[i].leaf == l)
			bound = MIN(bound, dim_at(range[i].bound, symval));
	return bound == INT64_MAX ? 0 : bound;
}

/* without "init": an index in its range, a standard normal divided by the root of the fan-in */
static double
draw_free(Rng *r, const Tensor *t, const Leaf *l, int64_t bound)
{
	double fan = t->rank > 1 ? (double)(t->n / MAX(t->dim[0], 1)) : 1;

	if (t->i)
		return (double)rng_below(r, bound ? bound : t->dt == BOOL ? 2 : 100);
	return normal(r) * (l->role == PARAM ? 1 / sqrt(MAX(fan, 1)) : 1);
}

static void
draw(Rng *r, Tensor *t, const Leaf *l, int64_t bound)
{
	for (int64_t k = 0; k < t->n; k++) {
		double v;
		switch (l->init) {
		case INIT_ZEROS:    v = 0; break;
		case INIT_ONES:     v = 1; break;
		case INIT_CONSTANT: v = l->init_a; break;
		case INIT_UNIFORM:  v = l->init_a + (l->init_b - l->init_a) * rng_double(r); break;
		case INIT_NORMAL:   v = l->init_a + l->init_b * normal(r); break;
		default:            v = draw_free(r, t, l, bound); break;
		}
		if (t->i)
			t->i[k] = (int64_t)v;
		else
			t->f[k] = v;
	}
	tensor_round(t);
}

/* ---- leaves ---- */

static Tensor *
leaf_data(EvalCtx *c, const Leaf *l, const Array *x)
{
	Tensor *t = tensor_from_array(c, x), *want;
	Type type = l->node->type;

	diag_check();
	want = tensor_new(c, &type);
	if (t->dt != want->dt || t->rank != want->rank || memcmp(t->dim, want->dim, (size_t)t->rank * sizeof *t->dim)) {
		Buf b = {.arena = c->arena};
		for (int d = 0; d < t->rank; d++)
			buf_printf(&b, "%s%lld", d ? "," : "", (long long)t->dim[d]);
		fail(EXIT_INPUT, l->at, "'%s' is %s in the model, %s[%s] in the file", l->name, tt(l->node), x->dtype,
			buf_str(&b));
	}
	return t;
}

/* what the model's own file holds for l */
static Tensor *
leaf_file(EvalCtx *c, Graph *g, const Leaf *l)
{
	const Type *t = &l->node->type;
	const Blob *b = file_blob(g, arena_fmt(c->arena, "'%s'", l->name), l->file, l->at, l->tensor, l->at, t);
	Array x = {.name = l->name, .dtype = dtype_name(t->dt), .rank = t->rank};

	diag_check();
	for (int d = 0; d < t->rank; d++)
		x.dim[d] = t->dim[d].k;
	x.nbytes = b->nbytes;
	x.data = arena_alloc(c->arena, MAX(b->nbytes, 1), 1);
	memcpy(x.data, b->data, (size_t)b->nbytes);
	return leaf_data(c, l, &x);
}

/* names that the model does not have: those of --in were typed, the others may be more than is needed */
static void
check_names(Args *a, const Graph *g, const Files *f)
{
	const char **names = NEW(a->arena, g->nleaf + 1, const char *), *near;

	for (int64_t i = 0; i < g->nleaf; i++)
		names[i] = g->leaf[i]->name;
	for (int i = 0; i < f->n; i++) {
		if (leaf_find(g, f->x[i].name))
			continue;
		near = nearest(f->x[i].name, names, (int)g->nleaf);
		diag(DIAG_WARNING, (Loc){0}, "'%s' of the files is no input or parameter of the model%s%s%s", f->x[i].name,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
}

/* a file of parameters that lacks some is seldom meant */
static void
check_params(Args *a, const Graph *g, const Files *f)
{
	Buf b = {.arena = a->arena};

	for (int64_t i = 0; a->val[O_PARAMS] && i < g->nleaf; i++)
		if ((g->leaf[i]->role == PARAM || g->leaf[i]->role == BUFFER) && !g->leaf[i]->file
			&& !array_named(f->x, f->n, g->leaf[i]->name))
			buf_printf(&b, "%s'%s'", b.n ? ", " : "", g->leaf[i]->name);
	if (b.n)
		diag(DIAG_WARNING, (Loc){.file = a->val[O_PARAMS]}, "not in this file, drawn at random: %s", b.s);
}

static uint64_t
seed_of(Args *a)
{
	int64_t seed = 0;

	if (a->val[O_SEED] && !parse_int64(a->val[O_SEED], &seed))
		usage_error(a, "--seed=%s: not an integer", a->val[O_SEED]);
	return (uint64_t)seed;
}

Tensor **
data_leaves(Args *a, EvalCtx *c, const Graph *g)
{
	Tensor **val = NEW(a->arena, g->nleaf + 1, Tensor *);
	Files f = {0};
	Range *range;
	int nrange = index_ranges(a->arena, g, &range);
	Rng r = rng_seed(seed_of(a));

	if (a->val[O_PARAMS])
		read_arrays(a, &f, a->val[O_PARAMS]);
	for (int i = 0; i < a->nlist[O_IN]; i++)
		read_input(a, &f, a->list[O_IN][i]);
	check_names(a, g, &f);
	check_params(a, g, &f);
	for (int s = 0; s < MAXSYM; s++)
		c->symval[s] = -1;
	dims_from_options(a, g, c->symval);
	dims_from_files(g, &f, c->symval);
	dims_check(g, c->symval);
	for (int64_t i = 0; i < g->nleaf; i++) {
		const Leaf *l = g->leaf[i];
		const Array *x = array_named(f.x, f.n, l->name);
		Type t = l->node->type;
		if (x)
			val[i] = leaf_data(c, l, x);
		else if (l->file)
			val[i] = leaf_file(c, (Graph *)g, l);
		else {
			val[i] = tensor_new(c, &t);
			draw(&r, val[i], l, bound_of(range, nrange, l, c->symval));
		}
	}
	return val;
}
