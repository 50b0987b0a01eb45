/* gradc verify: is the emitted C right, on this machine? Three comparisons: what
 * the kernels of each function keep, by either backend, with the interpreter, node
 * by node; the program's outputs, gradients and updates with what its kernels
 * kept, bit by bit; the gradients with finite differences. */
#include "cmd.h"

#include <math.h>
#include <string.h>

enum { FORWARD, BACKWARD, INFER, NPART, NBACKEND = 2 };
static const char *const part_name[] = {"forward", "backward", "infer"};
static const char *const backend_name[] = {[BACKEND_FUSED] = "fused", [BACKEND_NOP] = "nop"};

typedef struct Verify {
	Args *a;
	EvalCtx *c;
	const Graph *user;
	Tensor **leaf;                 /* values by leaf of user */
	const Program *program;        /* what compile emits */
	Tensor **ct;                   /* its cotangents, by member */
	const Graph *graph[NPART];     /* of each function; NULL: there is none */
	Probe *probe[NPART][NBACKEND];
	const Program *all[NPART * NBACKEND + 1];
	int n;
	Harness *harness;
} Verify;

/* ---- programs ---- */

static void
add_probes(Verify *v, int part, const Graph *g)
{
	v->graph[part] = g;
	for (int b = 0; b < NBACKEND; b++) {
		GenOptions o = *v->program->opt;
		o.backend = (Backend)b;
		v->probe[part][b] = probe_make(v->c->arena, g,
			arena_fmt(v->c->arena, "%s_%s_%s", v->user->name, backend_name[b], part_name[part]), &o);
		if (v->probe[part][b]->program)
			v->all[v->n++] = v->probe[part][b]->program;
	}
}

static void
build(Verify *v)
{
	const Split *s = v->program->split;
	const char *why;

	v->all[v->n++] = v->program;
	if (s) {
		add_probes(v, FORWARD, s->fwd);
		add_probes(v, BACKWARD, s->bwd);
	} else if (v->user->update.n)
		add_probes(v, FORWARD, compose(v->c->arena, v->user, true));
	add_probes(v, INFER, infer(v->c->arena, v->user, NULL));
	v->harness = harness_build(v->c->arena, v->all, v->n, v->a->val[O_CC] ? v->a->val[O_CC] : "cc", &why);
	if (!v->harness)
		fail(EXIT_INPUT, (Loc){0}, "%s", why);
}

static void
call(Verify *v, Job *job, const char *what)
{
	const char *why = harness_run(v->harness, job, 1, 0);

	if (why)
		fail(EXIT_DIFF, (Loc){.file = v->user->file}, "%s: %s", what, why);
	for (int i = 0; i < LEN(job->code); i++)
		if (job->code[i] == 4)
			fail(EXIT_INPUT, (Loc){0}, "an index is out of range");
		else if (job->code[i])
			fail(EXIT_DIFF, (Loc){.file = v->user->file}, "%s: the call returned %d", what, job->code[i]);
}

/* ---- values ---- */

static Tensor *
named(const Ports *ps, const Probe *p, const char *name)
{
	const Node *n = port_find(ps, name);

	return n ? p->value[n->id] : NULL;
}

/* of a leaf of a function's graph: the model's own, a cotangent, or what forward of the same backend saved */
static Tensor *
leaf_value(const Verify *v, const Leaf *l, int backend)
{
	for (int64_t i = 0; i < v->user->nleaf; i++)
		if (!strcmp(v->user->leaf[i]->name, l->name) && v->user->leaf[i]->role == l->role)
			return v->leaf[i];
	if (l->role == COTANGENT)
		return v->ct[member_find(&v->program->of[AREA_COTANGENT], l->of)];
	return named(&v->probe[FORWARD][backend]->saved, v->probe[FORWARD][backend], l->name);
}

static void
draw_cotangents(Verify *v)
{
	const Members *ms = &v->program->of[AREA_COTANGENT];
	Rng r = rng_seed(77);

	v->ct = NEW(v->c->arena, ms->n + 1, Tensor *);
	for (int64_t i = 0; i < ms->n; i++) {
		v->ct[i] = tensor_new(v->c, &ms->m[i].type);
		for (int64_t k = 0; k < v->ct[i]->n; k++)
			v->ct[i]->f[k] = 2 * rng_double(&r) - 1;
		tensor_round(v->ct[i]);
	}
}

/* ---- what is said ---- */

static const char *
title(Arena *a, const Node *n)
{
	return n->name ? arena_fmt(a, "'%s' (%s)", n->name, n->op->name) : arena_fmt(a, "a %s", n->op->name);
}

static const char *
position(Arena *a, const Tensor *t, int64_t k)
{
	int64_t at[MAXRANK];
	Buf b = {.arena = a};

	for (int d = t->rank - 1; d >= 0; d--) {
		at[d] = k % t->dim[d];
		k /= t->dim[d];
	}
	for (int d = 0; d < t->rank; d++)
		buf_printf(&b, "%s%lld", d ? "," : "[", (long long)at[d]);
	return t->rank ? arena_fmt(a, "%s]", buf_str(&b)) : "";
}

static void
report(const Verify *v, int part, int backend, const Probe *p, const Judgement *j)
{
	Arena *a = v->c->arena;

	printf("  %-5s %-8s %5lld values, %lld elements: ", backend_name[backend], part_name[part], (long long)j->nodes,
		(long long)j->elements);
	if (j->at)
		printf("worst error %.2g of a tolerance of %.2g, %s", j->worst, j->worst_tol, title(a, j->at));
	else
		printf("no error");
	if (j->unknown)
		printf("; %lld that rounding may change at will", (long long)j->unknown);
	putchar('\n');
	if (j->wrong)
		diag(DIAG_ERROR, j->wrong->at,
			"%s %s: %s%s is %.9g, the interpreter makes %.9g of the same operands (tolerance %.2g)",
			backend_name[backend], part_name[part], title(a, j->wrong),
			position(a, p->value[j->wrong->id], j->k), j->got, j->want, j->tol);
}

/* ---- node by node ---- */

static void
probe(Verify *v, int part, int backend)
{
	Probe *p = v->probe[part][backend];
	Job job = {.call = CALL_INFER, .symval = v->c->symval, .fill = 0xa5};
	Tensor **leaf, **got;
	Judgement j;

	if (!v->graph[part])
		return;
	leaf = NEW(v->c->arena, p->g->nleaf + 1, Tensor *);
	got = NEW(v->c->arena, p->g->out.n + 1, Tensor *);
	for (int64_t i = 0; i < p->g->nleaf; i++)
		leaf[i] = leaf_value(v, v->graph[part]->leaf[i], backend);
	if (p->program) {
		while (v->all[job.model] != p->program)
			job.model++;
		job.value[AREA_INPUT] = leaf;
		call(v, &job, arena_fmt(v->c->arena, "%s %s", backend_name[backend], part_name[part]));
	}
	for (int64_t i = 0; i < p->g->out.n; i++)
		got[i] = tensor_from_array(v->c, &job.result[AREA_OUTPUT][i]);
	j = probe_judge(v->c, p, leaf, got);
	report(v, part, backend, p, &j);
}

/* ---- the program ---- */

static int64_t
first_other(const Tensor *x, const Tensor *y)
{
	for (int64_t k = 0; k < x->n; k++)
		if (x->f ? !(x->f[k] == y->f[k] || (isnan(x->f[k]) && isnan(y->f[k]))) || signbit(x->f[k]) != signbit(y->f[k])
			: x->i[k] != y->i[k])
			return k;
	return -1;
}

/* results of an area against what the probe kept under the ports of the same names; how many there are */
static int64_t
same_bits(const Verify *v, const Job *job, Area area, const Probe *p, const Ports *ps, const char *function)
{
	const Members *ms = &v->program->of[area];
	int64_t count = 0;

	for (int64_t i = 0; i < ms->n; i++) {
		const Tensor *want = named(ps, p, ms->m[i].name), *got;
		int64_t k;
		if (!want)
			continue;
		got = tensor_from_array(v->c, &job->result[area][i]);
		count++;
		if ((k = first_other(got, want)) >= 0)
			diag(DIAG_ERROR, port_find(ps, ms->m[i].name)->at,
				"%s: '%s'%s is %.9g, its kernels by themselves make %.9g", function, ms->m[i].name,
				position(v->c->arena, got, k), got->f ? got->f[k] : (double)got->i[k],
				want->f ? want->f[k] : (double)want->i[k]);
	}
	return count;
}

static void
whole(Verify *v, Call how)
{
	const Program *p = v->program;
	int part = how == CALL_INFER ? INFER : FORWARD, b = p->opt->backend;
	Job job = {.call = how, .symval = v->c->symval, .fill = 0xa5};
	const char *function = part_name[part];
	int64_t n;

	for (Area k = AREA_INPUT; k <= AREA_STATE; k++)
		job.value[k] = emitted_values(v->c->arena, p, k, v->leaf);
	job.value[AREA_COTANGENT] = v->ct;
	call(v, &job, function);
	n = same_bits(v, &job, AREA_OUTPUT, v->probe[part][b], &v->probe[part][b]->out, function);
	if (how != CALL_INFER) {
		n += same_bits(v, &job, AREA_STATE, v->probe[part][b], &v->probe[part][b]->update, function);
		n += same_bits(v, &job, AREA_PARAM, v->probe[part][b], &v->probe[part][b]->update, function);
	}
	if (how == CALL_BACKWARD)
		n += same_bits(v, &job, AREA_GRAD, v->probe[BACKWARD][b], &v->probe[BACKWARD][b]->grad, "backward");
	printf("  %s: %lld results, compared bit by bit with what its kernels make\n",
		how == CALL_BACKWARD ? "forward and backward" : function, (long long)n);
}

/* ---- gradients ---- */

static void
differences(Verify *v)
{
	Options o = args_options(v->a);
	Slope *s;
	int n = slopes(v->c, v->user, &o, v->leaf, 5, &s);

	for (int i = 0; i < n; i++) {
		if (!s[i].known) {
			printf("  gradient of '%s': %.9g; differences do not tell, at a kink or beyond numbers\n", s[i].name, s[i].grad);
			continue;
		}
		printf("  gradient of '%s': %.9g, by differences %.9g, tolerance %.2g\n", s[i].name, s[i].grad, s[i].diff, s[i].tol);
		if (!(fabs(s[i].grad - s[i].diff) <= s[i].tol))
			diag(DIAG_ERROR, (Loc){.file = v->user->file},
				"the gradient of '%s' is %.9g along a direction, by differences %.9g "
				"(tolerance %.2g)",
				s[i].name, s[i].grad, s[i].diff, s[i].tol);
	}
}

static void
heading(const Verify *v)
{
	const Args *a = v->a;

	printf("%s:", v->user->name);
	for (int s = 0; s < v->user->nsym; s++)
		printf(" %s=%lld", v->user->sym[s].name, (long long)v->c->symval[s]);
	printf(" seed=%s cc='%s'\n", a->val[O_SEED] ? a->val[O_SEED] : "0", a->val[O_CC] ? a->val[O_CC] : "cc");
}

static void
all_parts(Verify *v)
{
	v->leaf = data_leaves(v->a, v->c, v->user);
	diag_check();
	draw_cotangents(v);
	heading(v);
	for (int part = 0; part < NPART; part++)
		for (int b = NBACKEND - 1; b >= 0; b--)
			probe(v, part, b);
	if (v->program->forward)
		whole(v, v->program->backward ? CALL_BACKWARD : CALL_FORWARD);
	whole(v, CALL_INFER);
}

/* Symbolic dimensions that neither --dim nor a file settles are verified at their least, too, where strides
 * are not those of the plan. False: there is none. */
static bool
least_sizes(Args *a, const Graph *user)
{
	bool other = false;

	if (a->nlist[O_DIM] || a->nlist[O_IN])
		return false;
	a->list[O_DIM] = NEW(a->arena, user->nsym + 1, const char *);
	for (int s = 0; s < user->nsym; s++) {
		other |= user->sym[s].min != user->sym[s].hint;
		a->list[O_DIM][a->nlist[O_DIM]++] =
			arena_fmt(a->arena, "%s=%lld", user->sym[s].name, (long long)user->sym[s].min);
	}
	return other;
}

int
verb_verify(Args *a)
{
	const Graph *user = input_graph(a, a->pos[0]);
	EvalCtx c = {.arena = a->arena, .g = user};
	Verify v = {.a = a, .c = &c, .user = user};
	int wrong;

	v.program = emitted_program(a, user, false);
	build(&v);
	all_parts(&v);
	if (v.program->backward)
		differences(&v);
	if (least_sizes(a, user))
		all_parts(&v);
	if ((wrong = diag_count(DIAG_ERROR)) > 0)
		fail(EXIT_DIFF, (Loc){.file = user->file}, "verify found %d difference%s", wrong, wrong == 1 ? "" : "s");
	return 0;
}
