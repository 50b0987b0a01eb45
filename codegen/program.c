/* program: which functions a model has, what each leaves behind, and in what
 * order: forward, backward, infer, and train_step, which is forward and then
 * backward in one memory plan, with saved values in its workspace.
 *
 * The optimizer works on parameters and gradients where the caller keeps them;
 * it is text of the unit (optimizer.c), no plan. */
#include "gen.h"

#include <string.h>

static int64_t
align_up(int64_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static void
saved_add(Arena *a, Program *p, const char *name, const Node *v, const Leaf *leaf)
{
	Members *ms = &p->of[AREA_SAVED];
	Member m = {.name = name, .cname = c_ident(a, name), .type = v->type, .leaf = leaf, .param = -1,
		.offset = ms->bytes};

	m.bytes = type_max_bytes(p->user, &v->type);
	if (!add_ok(ms->bytes, align_up(m.bytes), &ms->bytes))
		bug("saved values overflow");
	PUSH(a, ms->m, ms->n, ms->cap, m);
}

static bool
reads_leaf(Arena *a, const Graph *g, const char *name)
{
	const Leaf *l = leaf_find(g, name);

	return l && l->role != SAVED && graph_live(a, g)[l->node->id];
}

/* a header, what the split keeps, and the old values of leaves that forward updates and backward reads */
static void
saved(Arena *a, Program *p)
{
	const Graph *fwd = p->split->fwd;
	int nsym = 0;

	for (uint32_t s = p->syms; s; s &= s - 1)
		nsym++;
	p->header = align_up(8 * (1 + nsym));
	p->of[AREA_SAVED].bytes = p->header;
	for (int64_t i = 0; i < fwd->saved.n; i++)
		saved_add(a, p, fwd->saved.p[i].name, fwd->saved.p[i].v, NULL);
	for (int64_t i = 0; i < fwd->update.n; i++)
		if (reads_leaf(a, p->split->bwd, fwd->update.p[i].name)) {
			const Leaf *l = leaf_find(fwd, fwd->update.p[i].name);
			saved_add(a, p, l->name, l->node, l);
		}
}

/* ---- results ---- */

static void
result_add(Arena *a, Function *f, Result r)
{
	if (r.index < 0)
		bug("%s: a result is no member of the API", f->name);
	PUSH(a, f->result, f->nresult, f->capresult, r);
}

static void
give_outputs(Arena *a, const Program *p, Function *f, int phase)
{
	const Graph *g = f->phase[phase].plan->g;

	for (int64_t i = 0; i < g->out.n; i++)
		result_add(a, f, (Result){.to = AREA_OUTPUT, .index = member_find(&p->of[AREA_OUTPUT], g->out.p[i].name),
			.v = g->out.p[i].v, .phase = phase, .optional = true});
}

static void
give_updates(Arena *a, const Program *p, Function *f, int phase)
{
	const Graph *g = f->phase[phase].plan->g;

	for (int64_t i = 0; i < g->update.n; i++) {
		const char *name = g->update.p[i].name;
		int state = member_find(&p->of[AREA_STATE], name);
		result_add(a, f, (Result){.to = state < 0 ? AREA_PARAM : AREA_STATE, .v = g->update.p[i].v, .phase = phase,
			.index = state < 0 ? member_find(&p->of[AREA_PARAM], name) : state});
	}
}

static void
give_saved(Arena *a, const Program *p, Function *f)
{
	const Graph *g = f->phase[0].plan->g;
	const Members *ms = &p->of[AREA_SAVED];

	for (int64_t i = 0; i < ms->n; i++)
		result_add(a, f, (Result){.to = AREA_SAVED, .index = (int)i,
			.v = ms->m[i].leaf ? ms->m[i].leaf->node : port_find(&g->saved, ms->m[i].name)});
}

/* train_step writes all that its optimizer reads, and never adds to it */
static void
give_gradients(Arena *a, const Program *p, Function *f, int phase, bool train)
{
	const Graph *g = f->phase[phase].plan->g;

	for (int64_t i = 0; i < g->grad.n; i++) {
		int k = member_find(&p->of[AREA_GRAD], g->grad.p[i].name);
		result_add(a, f, (Result){.to = AREA_GRAD, .index = k, .v = g->grad.p[i].v, .phase = phase,
			.optional = !train || !optimized(p, k), .add = p->opt->accumulate && !train});
	}
}

bool
optimized(const Program *p, int grad)
{
	const Member *m = &p->of[AREA_GRAD].m[grad];

	return p->opt->optimizer && m->param >= 0 && p->of[AREA_PARAM].m[m->param].leaf->trainable;
}

/* ---- functions ---- */

static Function *
function_new(Arena *a, const char *name, Plan *first, Plan *second)
{
	Function *f = NEW(a, 1, Function);

	f->name = name;
	f->phase[0].plan = first;
	f->phase[1].plan = second;
	f->nphase = second ? 2 : 1;
	return f;
}

/* its own steps: buffers() lets each function share memory in its own way */
static Plan *
plan_copy(Arena *a, const Plan *p)
{
	Plan *q = NEW(a, 1, Plan);

	*q = *p;
	q->step = NEW(a, MAX(p->nstep, 1), Step);
	for (int i = 0; i < p->nstep; i++) {
		int n = MAX(p->step[i].kernel->nbuf, 1);
		q->step[i] = p->step[i];
		q->step[i].buf = memcpy(NEW(a, n, Node *), p->step[i].buf, (size_t)n * sizeof(Node *));
	}
	return q;
}

static void
training(Arena *a, Program *p, Plan *fwd, Plan *bwd)
{
	p->forward = function_new(a, "forward", fwd, NULL);
	give_saved(a, p, p->forward);
	give_updates(a, p, p->forward, 0);
	give_outputs(a, p, p->forward, 0);
	p->backward = function_new(a, "backward", bwd, NULL);
	give_gradients(a, p, p->backward, 0, false);
	if (!p->opt->optimizer || p->user->loss < 0)
		return;
	p->train = function_new(a, "train_step", plan_copy(a, fwd), plan_copy(a, bwd));
	give_updates(a, p, p->train, 0);
	give_outputs(a, p, p->train, 0);
	give_gradients(a, p, p->train, 1, true);
}

/* kernels whose buffers share memory; until here buffers have the numbers that the kernels gave them */
static void
share_steps(Program *p, Plan *plan)
{
	for (int i = 0; i < plan->nstep; i++) {
		Step *st = &plan->step[i];
		bool any = false;
		for (int k = 0; k < st->kernel->nbuf; k++)
			any |= st->same[k] >= 0;
		if (any)
			step_share(p->kernels, st);
	}
}

static void
plan_memory(Arena *a, Program *p)
{
	Function *const f[] = {p->forward, p->backward, p->infer, p->train};
	const Plan *plan[2 * LEN(f)];
	int n = 0;

	for (int i = 0; i < LEN(f); i++) {
		if (f[i])
			buffers(a, p, f[i]);
		for (int h = 0; f[i] && h < f[i]->nphase; h++) {
			share_steps(p, f[i]->phase[h].plan);
			plan[n++] = f[i]->phase[h].plan;
		}
	}
	kernels_prune(p->kernels, plan, n);
}

static void
check_optimizer(const Program *p)
{
	int n = 0;

	if (!p->opt->optimizer)
		return;
	for (int i = 0; i < p->of[AREA_GRAD].n; i++) {
		const Member *w = optimized(p, i) ? &p->of[AREA_PARAM].m[p->of[AREA_GRAD].m[i].param] : NULL;
		n += w != NULL;
		if (w && dtype_half(w->type.dt))
			diag(DIAG_UNSUPPORTED, w->leaf->at, "an optimizer of %s: '%s' would lose small steps; make it f32 and cast "
				"it where it is used", dtype_name(w->type.dt), w->name);
	}
	if (!n)
		diag(DIAG_ERROR, (Loc){.file = p->user->file}, "an optimizer has nothing to do: no parameter is trained");
}

Program *
program(Arena *a, const Graph *user, const Split *s, Graph *inferring, const GenOptions *o)
{
	Program *p = NEW(a, 1, Program);

	*p = (Program){.user = user, .split = s, .opt = o, .kernels = kernels_new(a, user, o->backend),
		.constants = map_new(a)};
	members_make(a, p);
	check_optimizer(p);
	checkpoint_check(p);
	diag_check();
	if (s) {
		saved(a, p);
		training(a, p, lower(a, s->fwd, p->kernels), lower(a, s->bwd, p->kernels));
	} else if (user->update.n) {
		p->forward = function_new(a, "forward", lower(a, compose(a, user, true), p->kernels), NULL);
		give_updates(a, p, p->forward, 0);
		give_outputs(a, p, p->forward, 0);
	}
	p->infer = function_new(a, "infer", lower(a, inferring, p->kernels), NULL);
	give_outputs(a, p, p->infer, 0);
	plan_memory(a, p);
	return p;
}
