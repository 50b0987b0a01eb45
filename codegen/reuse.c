/* reuse: which written buffer of a kernel may be the memory of one that it reads.
 *
 * It may when every read is of the very element that the kernel writes, by the
 * same index, and none comes after the write in the text: loops over rows and
 * elements write each element once, so the reads of an element are then over
 * when it is written. */
#include "gen.h"

typedef struct Use {
	const Val *at;                 /* the only index; NULL: none yet */
	bool mixed;                    /* several, or an address was taken */
	int first, last;               /* places in the text */
} Use;
typedef struct Scan {
	Use *read, *write;             /* by parameter */
	int time;
} Scan;

static void
note(Use *u, const Val *at, int time)
{
	if (u->at && u->at != at)
		u->mixed = true;
	if (!u->at)
		u->first = time;
	u->at = at;
	u->last = time;
}

static void
scan_val(Scan *s, const Val *v)
{
	if (v->mem && v->mem->param >= 0) {
		if (v->kind == V_LOAD)
			note(&s->read[v->mem->param], v->x[0], s->time);
		else
			s->read[v->mem->param].mixed = s->write[v->mem->param].mixed = true;
	}
	for (int i = 0; i < v->nx; i++)
		scan_val(s, v->x[i]);
}

static void
scan_block(Scan *s, const Block *k)
{
	for (int64_t i = 0; i < k->n; i++) {
		const Stmt *t = k->s[i];
		s->time++;
		for (int x = 0; x < LEN(t->x); x++)
			if (t->x[x])
				scan_val(s, t->x[x]);
		if (t->kind == S_STORE && t->mem->param >= 0)
			note(&s->write[t->mem->param], t->x[0], s->time);
		if (t->kind == S_ACC && t->mem->param >= 0)
			s->write[t->mem->param].mixed = true;
		scan_block(s, &t->body);
		scan_block(s, &t->other);
	}
}

static bool
same_size(const Node *a, const Node *b)
{
	return dim_eq(type_count(&a->type), type_count(&b->type)) && dtype_size(a->type.dt) == dtype_size(b->type.dt);
}

const uint64_t *
find_reuse(Arena *a, const Build *b)
{
	uint64_t *out = NEW(a, MAX(b->nparam, 1), uint64_t);
	Scan s = {NEW(a, MAX(b->nparam, 1), Use), NEW(a, MAX(b->nparam, 1), Use), 0};

	scan_block(&s, &b->top);
	for (int i = 0; i < b->nparam && i < 64; i++)
		for (int j = 0; j < b->nparam && j < 64; j++) {
			const Use *w = &s.write[i], *r = &s.read[j];
			if (i != j && w->at && !w->mixed && !s.read[i].at && !s.read[i].mixed && r->at && !r->mixed
				&& !s.write[j].at && !s.write[j].mixed && r->at == w->at && r->last <= w->first
				&& b->param[i]->dt == b->param[j]->dt && same_size(b->paramnode[i], b->paramnode[j]))
				out[i] |= (uint64_t)1 << j;
		}
	return out;
}
