/* scan: the kernel of a scan is a loop that calls the kernels of its body.
 *
 * The body is lowered like a graph. What a step reads of xs, and what it writes
 * of ys, are slices of those arrays. A carry is a pointer: it begins at the
 * operand, and moves on to what the step wrote: a slice of ys where the same
 * value is one of them, else one of two buffers, of which one is the result,
 * and the last step's. A carry that is read for the last time where its next
 * value is written has one buffer, which the step changes in place. All other
 * values share the scratch memory by lifetime. */
#include "gen.h"

#include <string.h>

typedef enum At {
	NOWHERE,
	AT_PARAM,                      /* parameter `index` of the kernel */
	AT_SLICE,                      /* its element t */
	AT_CARRY,                      /* where the pointer of carry `index` points */
	AT_NEXT,                       /* what that is after the step */
	AT_SCRATCH                     /* `offset`; local variable `index` */
} At;
typedef struct Spot { At at; int index; int64_t offset; } Spot;

typedef enum CarryKind {
	STAYS,                         /* no step changes it */
	MOVES,                         /* to `next`, which lasts */
	BUFFERED,                      /* between two buffers, of which the last step writes the first */
	IN_PLACE                       /* in the first of them */
} CarryKind;
typedef struct Carry {
	CarryKind kind;
	const char *name;
	Type type;
	int first;                     /* parameter: before the first step */
	int result;                    /* parameter, or -1 */
	Spot next;
	Spot buffer[2];
	bool read;                     /* the pointer is used */
} Carry;
typedef struct Local { const char *name; DType dt; int64_t offset; } Local;
typedef struct CallArgs { const Kernel *kernel; Spot *arg; int64_t scratch; } CallArgs;
typedef struct SliceCopy { Spot to, from; Type type; } SliceCopy;
struct ScanLoop {
	Dim length;
	bool reverse;
	Carry *carry;
	int ncarry;
	Local *local;
	int64_t nlocal, caplocal;
	CallArgs *call;
	int ncall;
	SliceCopy *copy;
	int64_t ncopy, capcopy;
	Type *slice;                   /* by parameter: of an element */
	Map *names;                    /* in use */
};

typedef struct Scan {
	Arena *arena;
	Graph *g;
	Kernels *ks;
	Node **storage;                /* of g */
	Node *n;
	ScanSpec s;
	Plan *plan;                    /* of the body */
	struct ScanLoop *loop;
	Node **buf;                    /* parameters, as nodes of g */
	KBuf *kbuf;
	int nbuf;
	int *operand, *result;         /* parameter by operand; by result, or -1 */
	Spot *spot;                    /* by node id of the body, for storage nodes */
	int *def, *last;               /* likewise: steps that write it first, touch it last */
	PackBuf *item;
	int64_t nitem, capitem;
} Scan;

/* ---- parameters ---- */

static const char *
fresh(Scan *c, const char *base)
{
	const char *id = c_ident(c->arena, base), *s = id;

	for (int i = 2; map_get(c->loop->names, s); i++)
		s = arena_fmt(c->arena, "%s_%d", id, i);
	map_set(c->loop->names, s, c);
	return s;
}

/* the last component of a name, but no number */
static const char *
short_name(const char *s)
{
	const char *dot = strrchr(s, '.'), *slash = strrchr(s, '/');

	if (dot && dot[1] >= '0' && dot[1] <= '9')
		return s;
	return dot && dot > slash && dot[1] ? dot + 1 : slash && slash[1] ? slash + 1 : s;
}

static int
param(Scan *c, Node *n, const char *name, bool write, const Type *slice)
{
	Node *home = c->storage[n->id];

	if (!home)
		bug("a scan's %s is not in memory", nn(n));
	for (int i = 0; i < c->nbuf; i++)
		if (c->buf[i] == home)
			return i;
	c->buf[c->nbuf] = home;
	c->kbuf[c->nbuf] = (KBuf){.name = fresh(c, n->name ? short_name(n->name) : name), .dt = n->type.dt, .read = !write,
		.write = write};
	c->loop->slice[c->nbuf] = *slice;
	return c->nbuf++;
}

static void
params(Scan *c, Node *const *item)
{
	const Graph *body = c->s.body;
	int nres = (int)body->out.n;

	c->buf = NEW(c->arena, c->n->nin + nres, Node *);
	c->kbuf = NEW(c->arena, c->n->nin + nres, KBuf);
	c->loop->slice = NEW(c->arena, c->n->nin + nres, Type);
	c->operand = NEW(c->arena, MAX(c->n->nin, 1), int);
	c->result = NEW(c->arena, nres, int);
	for (int k = 0; k < c->n->nin; k++) {
		const char *name = body->leaf[k]->name;
		c->operand[k] = param(c, c->n->in[k], k < c->s.ncarry ? arena_fmt(c->arena, "%s_first", name) : name, false,
			&body->leaf[k]->node->type);
	}
	for (int r = 0; r < nres; r++)
		c->result[r] = item[r] ? param(c, item[r], body->out.p[r].name, true, &body->out.p[r].v->type) : -1;
}

/* ---- lifetimes within a step ---- */

static Node *
home_of(const Scan *c, const Node *n)
{
	return c->plan->storage[n->id];
}

static void
walk_steps(Scan *c)
{
	for (int64_t i = 0; i < c->s.body->nnode; i++)
		c->def[i] = c->last[i] = -1;
	for (int i = 0; i < c->plan->nstep; i++)
		for (int k = 0; k < c->plan->step[i].kernel->nbuf; k++) {
			int id = home_of(c, c->plan->step[i].buf[k])->id;
			c->last[id] = i;
			if (c->plan->step[i].kernel->buf[k].write && c->def[id] < 0)
				c->def[id] = i;
		}
}

static void
place_leaves(Scan *c)
{
	for (int k = 0; k < c->n->nin; k++) {
		Spot *p = &c->spot[c->s.body->leaf[k]->node->id];
		if (k < c->s.ncarry)
			*p = (Spot){AT_CARRY, k, 0};
		else
			*p = (Spot){k < c->s.ncarry + c->s.nxs ? AT_SLICE : AT_PARAM, c->operand[k], 0};
	}
}

static void
copy_add(Scan *c, Spot to, Spot from, const Type *t)
{
	PUSH(c->arena, c->loop->copy, c->loop->ncopy, c->loop->capcopy, ((SliceCopy){to, from, *t}));
}

static void
place_ys(Scan *c)
{
	for (int r = c->s.ncarry; r < c->s.ncarry + c->s.nys; r++) {
		Node *v = c->s.body->out.p[r].v, *home = home_of(c, v);
		Spot to = {AT_SLICE, c->result[r], 0};
		if (c->result[r] < 0)
			continue;
		if (c->spot[home->id].at)
			copy_add(c, to, c->spot[home->id], &v->type);
		else
			c->spot[home->id] = to;
	}
}

static int
item_add(Scan *c, int lo, int hi, int64_t size)
{
	PUSH(c->arena, c->item, c->nitem, c->capitem, ((PackBuf){.lo = lo, .hi = hi, .size = size, .align = ALIGN}));
	return (int)c->nitem - 1;
}

/* memory of the scratch for all of a value's life; the item, until it is packed */
static Spot
scratch_add(Scan *c, const char *name, const Type *t, int lo, int hi)
{
	struct ScanLoop *l = c->loop;
	Spot s = {AT_SCRATCH, (int)l->nlocal, 0};

	PUSH(c->arena, l->local, l->nlocal, l->caplocal, ((Local){fresh(c, name), t->dt,
		item_add(c, lo, hi, type_max_bytes(c->g, t))}));
	return s;
}

/* ---- carries ---- */

/* the step that writes `home` can do so over carry i, and nothing reads that later */
static bool
writes_over(Scan *c, const Node *home, int i)
{
	const Node *leaf = c->s.body->leaf[i]->node;
	int t = c->def[home->id], to = -1, from = -1;
	Step *st = &c->plan->step[t];

	if (t < 0 || c->last[leaf->id] != t || !st->reuse)
		return false;
	for (int64_t k = 0; k < c->loop->ncopy; k++)
		if (c->loop->copy[k].from.at == AT_CARRY && c->loop->copy[k].from.index == i)
			return false;
	for (int k = 0; k < st->kernel->nbuf; k++) {
		if (home_of(c, st->buf[k]) == home)
			to = k;
		if (st->buf[k] == leaf)
			from = k;
	}
	if (to < 0 || from < 0 || from > 63 || !(st->reuse[to] >> from & 1) || st->same[to] >= 0)
		return false;
	for (int k = 0; k < st->kernel->nbuf; k++)
		if (st->same[k] == from)
			return false;
	st->same[to] = from;
	return true;
}

static void
place_carry(Scan *c, int i)
{
	Carry *y = &c->loop->carry[i];
	Node *v = c->s.body->out.p[i].v, *home = home_of(c, v);
	Spot at = c->spot[home->id];
	int forever = c->plan->nstep + 1;

	if (at.at == AT_CARRY && at.index == i)
		return;
	if (at.at && at.at != AT_CARRY) {
		y->kind = MOVES;
		y->next = at;
		return;
	}
	y->kind = at.at ? BUFFERED : writes_over(c, home, i) ? IN_PLACE : BUFFERED;
	y->buffer[0] = y->result >= 0 ? (Spot){AT_PARAM, y->result, 0}
		: scratch_add(c, arena_fmt(c->arena, "%s_a", y->name), &v->type, 0, forever);
	if (y->kind == IN_PLACE) {
		c->spot[home->id] = c->spot[c->s.body->leaf[i]->node->id] = y->buffer[0];
		return;
	}
	y->buffer[1] = scratch_add(c, arena_fmt(c->arena, "%s_b", y->name), &v->type, 0, forever);
	y->next = (Spot){AT_NEXT, i, 0};
	if (at.at)
		copy_add(c, y->next, at, &v->type);
	else
		c->spot[home->id] = y->next;
}

static void
place_carries(Scan *c)
{
	const Graph *body = c->s.body;

	c->loop->ncarry = c->s.ncarry;
	c->loop->carry = NEW(c->arena, MAX(c->s.ncarry, 1), Carry);
	for (int i = 0; i < c->s.ncarry; i++) {
		c->loop->carry[i] = (Carry){.name = fresh(c, body->leaf[i]->name), .type = body->leaf[i]->node->type,
			.first = c->operand[i], .result = c->result[i]};
		place_carry(c, i);
	}
}

static void
place_rest(Scan *c)
{
	for (int64_t i = 0; i < c->s.body->nnode; i++) {
		Node *n = c->s.body->node[i];
		if (c->plan->storage[i] != n || c->spot[i].at || c->def[i] < 0)
			continue;
		c->spot[i] = scratch_add(c, n->name ? arena_fmt(c->arena, "v_%s", short_name(n->name))
			: arena_fmt(c->arena, "t_%s", n->op->name), &n->type, c->def[i], c->last[i] + 1);
	}
}

/* ---- the loop ---- */

static void
use(Scan *c, Spot s)
{
	if (s.at == AT_CARRY)
		c->loop->carry[s.index].read = true;
}

static void
calls(Scan *c)
{
	struct ScanLoop *l = c->loop;

	l->ncall = c->plan->nstep;
	l->call = NEW(c->arena, MAX(l->ncall, 1), CallArgs);
	for (int i = 0; i < l->ncall; i++) {
		Step *st = &c->plan->step[i];
		bool shared = false;
		for (int k = 0; k < st->kernel->nbuf; k++)
			shared |= st->same[k] >= 0;
		if (shared)
			step_share(c->ks, st);
		l->call[i] = (CallArgs){st->kernel, NEW(c->arena, MAX(st->kernel->nbuf, 1), Spot), -1};
		for (int k = 0; k < st->kernel->nbuf; k++) {
			l->call[i].arg[k] = c->spot[home_of(c, st->buf[k])->id];
			use(c, l->call[i].arg[k]);
		}
		if (st->kernel->scratch)
			l->call[i].scratch = item_add(c, i, i + 1, st->kernel->scratch);
	}
	for (int64_t k = 0; k < l->ncopy; k++)
		use(c, l->copy[k].from);
	for (int i = 0; i < l->ncarry; i++)
		l->carry[i].read |= l->carry[i].result >= 0 && l->carry[i].kind <= MOVES;
}

/* ---- parameters that nothing uses ---- */

typedef void VisitSpot(Spot *s, void *arg);

static void
each_spot(struct ScanLoop *l, VisitSpot *visit, void *arg)
{
	for (int i = 0; i < l->ncall; i++)
		for (int k = 0; k < l->call[i].kernel->nbuf; k++)
			visit(&l->call[i].arg[k], arg);
	for (int64_t i = 0; i < l->ncopy; i++) {
		visit(&l->copy[i].to, arg);
		visit(&l->copy[i].from, arg);
	}
	for (int i = 0; i < l->ncarry; i++) {
		visit(&l->carry[i].next, arg);
		visit(&l->carry[i].buffer[0], arg);
		visit(&l->carry[i].buffer[1], arg);
	}
}

static void
mark_used(Spot *s, void *used)
{
	if (s->at == AT_PARAM || s->at == AT_SLICE)
		((bool *)used)[s->index] = true;
}

static void
renumber(Spot *s, void *number)
{
	if (s->at == AT_PARAM || s->at == AT_SLICE)
		s->index = ((int *)number)[s->index];
}

static void
drop_unused(Scan *c)
{
	struct ScanLoop *l = c->loop;
	bool *used = NEW(c->arena, MAX(c->nbuf, 1), bool);
	int *number = NEW(c->arena, MAX(c->nbuf, 1), int), n = 0;

	each_spot(l, mark_used, used);
	for (int i = 0; i < l->ncarry; i++) {
		used[l->carry[i].first] |= l->carry[i].read || l->carry[i].kind == IN_PLACE;
		if (l->carry[i].result >= 0)
			used[l->carry[i].result] = true;
	}
	for (int i = 0; i < c->nbuf; i++) {
		number[i] = n;
		if (!used[i])
			continue;
		c->buf[n] = c->buf[i];
		c->kbuf[n] = c->kbuf[i];
		l->slice[n++] = l->slice[i];
	}
	c->nbuf = n;
	each_spot(l, renumber, number);
	for (int i = 0; i < l->ncarry; i++) {
		l->carry[i].first = number[l->carry[i].first];
		l->carry[i].result = l->carry[i].result < 0 ? -1 : number[l->carry[i].result];
	}
}

static int64_t
pack_scratch(Scan *c)
{
	int64_t bytes = pack(c->arena, c->item, (int)c->nitem);
	const char *wrong = pack_check(c->arena, c->item, (int)c->nitem, bytes);

	if (wrong)
		bug("scan: memory plan: %s", wrong);
	for (int64_t i = 0; i < c->loop->nlocal; i++)
		c->loop->local[i].offset = c->item[c->loop->local[i].offset].offset;
	for (int i = 0; i < c->loop->ncall; i++)
		if (c->loop->call[i].scratch >= 0)
			c->loop->call[i].scratch = c->item[c->loop->call[i].scratch].offset;
	return bytes;
}

const Kernel *
steps_kernel(Arena *a, Graph *g, Kernels *ks, Node **storage, Node *n, Node *const *item, const char *doc, Node ***buf)
{
	Scan *c = NEW(a, 1, Scan);
	int64_t nbody;
	Kernel k = {.doc = doc};

	*c = (Scan){.arena = a, .g = g, .ks = ks, .storage = storage, .n = n, .s = scan_spec(n)};
	c->loop = NEW(a, 1, struct ScanLoop);
	*c->loop = (struct ScanLoop){.length = c->s.length, .reverse = c->s.reverse, .names = map_new(a)};
	nbody = MAX(c->s.body->nnode, 1);
	for (int s = 0; s < g->nsym; s++)
		map_set(c->loop->names, g->sym[s].name, c);
	map_set(c->loop->names, "t", c);
	map_set(c->loop->names, "ws", c);
	map_set(c->loop->names, "scratch", c);
	map_set(c->loop->names, "bad", c);
	c->plan = lower(a, (Graph *)c->s.body, ks);
	c->spot = NEW(a, nbody, Spot);
	c->def = NEW(a, nbody, int);
	c->last = NEW(a, nbody, int);
	params(c, item);
	walk_steps(c);
	place_leaves(c);
	place_ys(c);
	place_carries(c);
	place_rest(c);
	calls(c);
	drop_unused(c);
	k.scratch = pack_scratch(c);
	k.nbuf = c->nbuf;
	k.buf = c->kbuf;
	k.scan = c->loop;
	k.syms = dim_symbols(c->loop->length);
	for (int i = 0; i < c->nbuf; i++)
		k.syms |= dim_symbols(type_count(&c->loop->slice[i]));
	for (int64_t i = 0; i < c->loop->ncopy; i++)
		k.syms |= dim_symbols(type_count(&c->loop->copy[i].type));
	for (int i = 0; i < c->loop->ncall; i++) {
		k.syms |= c->loop->call[i].kernel->syms;
		k.checks_index |= c->loop->call[i].kernel->checks_index;
		k.flops = add_sat(k.flops, c->loop->call[i].kernel->flops);
	}
	k.flops = mul_sat(k.flops, dim_hint(g, c->loop->length));
	for (int i = 0; i < c->nbuf; i++)
		k.bytes = add_sat(k.bytes, mul_sat(type_hint_count(g, &c->buf[i]->type), dtype_size(c->kbuf[i].dt)));
	*buf = c->buf;
	return kernels_put(ks, &k, arena_fmt(a, "scan_%s", c_ident(a, short_name(c->s.body->name))));
}

/* ---- text ---- */

typedef struct Print {
	Buf *b;
	Arena *arena;
	const Graph *g;
	const Kernel *k;
	const char *model;
	bool plain;                    /* for a key: names are numbers */
} Print;

static const char *
dim_code(Print *p, Dim d)
{
	return c_dim(p->arena, p->g, d, "");
}

static const char *
bytes_code(Print *p, const Type *t)
{
	return c_bytes(p->arena, p->g, t, "");
}

static const char *
param_text(Print *p, int i)
{
	return p->plain ? arena_fmt(p->arena, "p%d", i) : p->k->buf[i].name;
}

static const char *
carry_text(Print *p, int i)
{
	return p->plain ? arena_fmt(p->arena, "c%d", i) : p->k->scan->carry[i].name;
}

static const char *
local_text(Print *p, int i)
{
	return p->plain ? arena_fmt(p->arena, "l%d", i) : p->k->scan->local[i].name;
}

static const char *
spot_text(Print *p, Spot s)
{
	switch (s.at) {
	case AT_PARAM:   return param_text(p, s.index);
	case AT_CARRY:   return carry_text(p, s.index);
	case AT_NEXT:    return arena_fmt(p->arena, "%s_next", carry_text(p, s.index));
	case AT_SCRATCH: return local_text(p, s.index);
	case AT_SLICE: {
		Dim n = type_count(&p->k->scan->slice[s.index]);
		const char *size = dim_code(p, n);
		if (dim_one(n))
			return arena_fmt(p->arena, "%s + t", param_text(p, s.index));
		return arena_fmt(p->arena, "%s + t * %s", param_text(p, s.index),
			n.sym && n.k != 1 ? arena_fmt(p->arena, "(%s)", size) : size);
	}
	case NOWHERE:    break;
	}
	bug("scan: a value without a place");
}

static void
put(Print *p, int indent, const char *s)
{
	buf_line(p->b, indent, s);
}

static void
put_locals(Print *p)
{
	const struct ScanLoop *l = p->k->scan;
	bool any = l->nlocal > 0;

	for (int i = 0; i < l->ncall; i++)
		any |= l->call[i].scratch >= 0;
	if (any)
		put(p, 1, "char *const ws = scratch;");
	for (int64_t i = 0; i < l->nlocal; i++)
		put(p, 1, arena_fmt(p->arena, "%s *const %s = (void *)(ws + %lld);", c_type(l->local[i].dt), local_text(p, (int)i),
			(long long)l->local[i].offset));
	for (int i = 0; i < l->ncarry; i++)
		if (l->carry[i].read && l->carry[i].kind != IN_PLACE)
			put(p, 1, arena_fmt(p->arena, "const %s *%s%s = %s;", c_type(l->carry[i].type.dt),
				l->carry[i].kind == STAYS ? "const " : "", carry_text(p, i), param_text(p, l->carry[i].first)));
	if (p->k->checks_index)
		put(p, 1, "int bad = 0;");
	buf_putc(p->b, '\n');
	for (int i = 0; i < l->ncarry; i++)
		if (l->carry[i].kind == IN_PLACE)
			put(p, 1, arena_fmt(p->arena, "memcpy(%s, %s, %s);", spot_text(p, l->carry[i].buffer[0]),
				param_text(p, l->carry[i].first), bytes_code(p, &l->carry[i].type)));
}

/* how many steps are left, to find the buffer of a carry */
static const char *
left_code(Print *p)
{
	const struct ScanLoop *l = p->k->scan;

	if (l->reverse)
		return "t % 2";
	if (!l->length.sym)
		return l->length.k % 2 ? "t % 2" : "(t + 1) % 2";
	return arena_fmt(p->arena, "(%s - 1 - t) %% 2", dim_code(p, l->length));
}

static void
put_call(Print *p, const CallArgs *c)
{
	const Kernel *k = c->kernel;
	Buf b = {.arena = p->arena};
	const char *comma = "";

	buf_printf(&b, "%s%s_%s(", k->checks_index ? "bad |= " : "", p->model, k->name);
	for (int s = 0; s < p->g->nsym; s++)
		if (k->syms >> s & 1) {
			buf_printf(&b, "%s%s", comma, p->g->sym[s].name);
			comma = ", ";
		}
	for (int i = 0; i < k->nbuf; i++) {
		buf_printf(&b, "%s%s", comma, spot_text(p, c->arg[i]));
		comma = ", ";
	}
	if (k->scratch)
		buf_printf(&b, "%sws + %lld", comma, (long long)c->scratch);
	buf_puts(&b, ");");
	put(p, 2, buf_str(&b));
}

static void
put_step(Print *p)
{
	const struct ScanLoop *l = p->k->scan;

	for (int i = 0; i < l->ncarry; i++)
		if (l->carry[i].kind == BUFFERED)
			put(p, 2, arena_fmt(p->arena, "%s *const %s_next = %s ? %s : %s;", c_type(l->carry[i].type.dt), carry_text(p, i),
				left_code(p), spot_text(p, l->carry[i].buffer[1]), spot_text(p, l->carry[i].buffer[0])));
	for (int i = 0; i < l->ncall; i++)
		put_call(p, &l->call[i]);
	for (int64_t i = 0; i < l->ncopy; i++)
		put(p, 2, arena_fmt(p->arena, "memcpy(%s, %s, %s);", spot_text(p, l->copy[i].to), spot_text(p, l->copy[i].from),
			bytes_code(p, &l->copy[i].type)));
	for (int i = 0; i < l->ncarry; i++)
		if (l->carry[i].read && (l->carry[i].kind == MOVES || l->carry[i].kind == BUFFERED))
			put(p, 2, arena_fmt(p->arena, "%s = %s;", carry_text(p, i), spot_text(p, l->carry[i].next)));
}

void
steps_print(Buf *b, const Graph *g, const Kernel *k, const char *model, bool plain)
{
	Print p = {.b = b, .arena = b->arena, .g = g, .k = k, .model = model, .plain = plain};
	const struct ScanLoop *l = k->scan;
	const char *length = dim_code(&p, l->length);

	put_locals(&p);
	if (l->reverse && l->length.sym)
		put(&p, 1, arena_fmt(p.arena, "for (int64_t t = %s - 1; t >= 0; t--) {", length));
	else if (l->reverse)
		put(&p, 1, arena_fmt(p.arena, "for (int64_t t = %lld; t >= 0; t--) {", (long long)l->length.k - 1));
	else
		put(&p, 1, arena_fmt(p.arena, "for (int64_t t = 0; t < %s; t++) {", length));
	put_step(&p);
	put(&p, 1, "}");
	for (int i = 0; i < l->ncarry; i++)
		if (l->carry[i].result >= 0 && l->carry[i].kind <= MOVES)
			put(&p, 1, arena_fmt(p.arena, "memcpy(%s, %s, %s);", param_text(&p, l->carry[i].result), carry_text(&p, i),
				bytes_code(&p, &l->carry[i].type)));
	if (k->checks_index)
		put(&p, 1, "return bad;");
}

void
steps_mark(const Kernel *k, void (*mark)(const Kernel *, void *), void *arg)
{
	for (int i = 0; i < k->scan->ncall; i++)
		mark(k->scan->call[i].kernel, arg);
}
