/* masks: kernels that gcc's vectoriser would get wrong.
 *
 * A load under a condition becomes a masked one where the machine has such. gcc makes vectors of neighbouring loads
 * in one iteration, and when they fill several, loads all of them with the mask of the first: vectorizable_load() takes
 * vec_masks[0] for every vector of a group (seen in 12.2; the same in its sources of 2024). Loads are a group when the
 * index grows by 2 or more from one iteration to the next, so that others fit in between: of a kernel's own, or of a
 * short loop within, which is unrolled before. Such a kernel is told to keep its branches: RT_BRANCHES. */
#include "gen.h"

#include <string.h>

enum { UNROLLED = 16, MAXNEST = 64 };  /* gcc's max-completely-peel-times */

typedef struct Loads {
	Map *value;                    /* name of a value -> the value */
	Map *seen;                     /* memory -> a load of it under a condition */
	const Stmt *loop[MAXNEST];     /* open loops, outermost first */
	int depth;
	bool found;
} Loads;

/* by how much v grows with var; false: not evenly */
static bool
stride(const Loads *l, const Val *v, const Var *var, int64_t *by)
{
	int64_t k[LEN(v->x)] = {0};
	bool linear = v->kind == V_BINARY && strchr("+-", *v->op), none = true;

	if (v->kind == V_VAR) {
		const Val *is = map_get_bytes(l->value, &v->var, sizeof v->var);
		*by = v->var == var;
		return !is || stride(l, is, var, by);
	}
	for (int i = 0; i < v->nx; i++) {
		if (!stride(l, v->x[i], var, &k[i]))
			return false;
		none &= !k[i];
	}
	*by = 0;
	if (linear)
		*by = *v->op == '+' ? k[0] + k[1] : k[0] - k[1];
	else if (v->kind == V_BINARY && *v->op == '*' && v->x[1]->kind == V_INT)
		*by = k[0] * v->x[1]->num.i;
	else
		return none;
	return true;
}

static bool
short_loop(const Stmt *s)
{
	const Val *from = s->x[0], *to = s->x[1];

	return from->kind == V_INT && to->kind == V_INT && (to->num.i - from->num.i) / s->step <= UNROLLED;
}

/* loops from the innermost out to the first that stays a loop */
static void
guarded_load(Loads *l, const Val *v)
{
	const Val *other = map_get_bytes(l->seen, &v->mem, sizeof v->mem);
	bool several = other && other != v;
	int64_t by;

	for (int i = l->depth; i-- > 0 && !l->found;) {
		l->found = several && stride(l, v->x[0], l->loop[i]->var, &by) && (by > 1 || by < -1);
		several = true;
		if (!short_loop(l->loop[i]))
			break;
	}
	map_set_bytes(l->seen, &v->mem, sizeof v->mem, (void *)v);
}

static void
value_loads(Loads *l, const Val *v, bool guarded)
{
	if (v->kind == V_LOAD && guarded)
		guarded_load(l, v);
	for (int i = 0; i < v->nx && !l->found; i++)
		value_loads(l, v->x[i], guarded || (v->kind == V_COND && v->guard && i));
}

static void
block_loads(Loads *l, const Block *k, bool guarded)
{
	for (int64_t i = 0; i < k->n && !l->found; i++) {
		const Stmt *s = k->s[i];
		for (int j = 0; j < LEN(s->x); j++)
			if (s->x[j])
				value_loads(l, s->x[j], guarded);
		if (s->kind == S_LET)
			map_set_bytes(l->value, &s->var, sizeof s->var, (void *)s->x[0]);
		if (s->kind == S_FOR) {
			if (l->depth == MAXNEST)
				bug("a kernel with loops nested more than %d deep", MAXNEST);
			l->loop[l->depth++] = s;
		}
		block_loads(l, &s->body, guarded || s->kind == S_IF);
		block_loads(l, &s->other, guarded || s->kind == S_IF);
		l->depth -= s->kind == S_FOR;
	}
}

bool
confuses_masks(Arena *a, const Block *k)
{
	Loads l = {.value = map_new(a), .seen = map_new(a)};

	block_loads(&l, k, false);
	return l.found;
}
