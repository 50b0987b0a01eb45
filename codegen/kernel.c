/* kernel: the kernels of a unit, each kept once, and their text.
 *
 * Two kernels are equal when their parameters' types and their bodies, printed
 * with numbers for names, are: twelve layers then share one function. */
#include "gen.h"

#include <string.h>

typedef struct Entry {
	Kernel k;
	const char *key;
	int64_t len;
} Entry;
struct Kernels {
	Arena *arena;
	const Graph *g;
	Backend backend;
	Map *by_key;
	Entry **entry;
	int64_t n, cap;
	RtSet *rt;
};

Kernels *
kernels_new(Arena *a, const Graph *symbols, Backend b)
{
	Kernels *ks = NEW(a, 1, Kernels);

	ks->arena = a;
	ks->g = symbols;
	ks->backend = b;
	ks->by_key = map_new(a);
	ks->rt = rt_set(a);
	return ks;
}

Backend
kernels_backend(const Kernels *ks)
{
	return ks->backend;
}

int
kernels_len(const Kernels *ks)
{
	return (int)ks->n;
}

const Kernel *
kernels_at(const Kernels *ks, int i)
{
	return &ks->entry[i]->k;
}

/* a helper of ours where there is one, else libm's */
const char *
math_name(const Build *b, const char *fn, DType d)
{
	const char *own = arena_fmt(b->arena, "rt_%s_%s", fn, dtype_name(d));

	if (rt_has(b->ks->rt, own))
		return own;
	return d == F32 ? arena_fmt(b->arena, "%sf", fn) : fn;
}

/* ---- what a body uses ---- */

typedef struct Uses {
	uint32_t syms;
	RtSet *rt;                     /* NULL: only symbols are wanted */
} Uses;

static void
val_uses(Uses *u, const Val *v)
{
	if (v->kind == V_SYM)
		u->syms |= (uint32_t)1 << v->num.i;
	if (u->rt && v->kind == V_CALL && !strncmp(v->op, "rt_", 3))
		rt_use(u->rt, v->op);
	for (int i = 0; i < v->nx; i++)
		val_uses(u, v->x[i]);
}

static void
block_uses(Uses *u, const Block *k)
{
	for (int64_t i = 0; i < k->n; i++) {
		const Stmt *s = k->s[i];
		for (int j = 0; j < LEN(s->x); j++)
			if (s->x[j])
				val_uses(u, s->x[j]);
		if (u->rt && parallel_loops(s) > 1)    /* the prologue has that of one loop */
			rt_use(u->rt, parallel_macro(s));
		block_uses(u, &s->body);
		block_uses(u, &s->other);
	}
}

/* ---- adding ---- */

static const char *
key_text(Kernels *ks, const Kernel *k, int64_t *len)
{
	Buf b = {.arena = ks->arena};

	buf_printf(&b, "%u %d %lld\n", (unsigned)k->syms, k->checks_index, (long long)k->scratch);
	for (int i = 0; i < k->nbuf; i++)
		buf_printf(&b, "%d %d %d\n", (int)k->buf[i].dt, k->buf[i].read, k->buf[i].write);
	if (k->scan)
		steps_print(&b, ks->g, k, "", true);
	else
		block_print(&b, ks->g, &k->body, "", 0, true);
	*len = b.n;
	return buf_str(&b);
}

static const Kernel *
add(Kernels *ks, const Kernel *k, const char *what)
{
	Entry *e = NEW(ks->arena, 1, Entry), *old;

	e->k = *k;
	e->key = key_text(ks, k, &e->len);
	if ((old = map_get_bytes(ks->by_key, e->key, e->len)))
		return &old->k;
	e->k.branches = confuses_masks(ks->arena, &k->body);
	e->k.name = arena_fmt(ks->arena, "k%02lld_%s", (long long)ks->n, what);
	map_set_bytes(ks->by_key, e->key, e->len, e);
	PUSH(ks->arena, ks->entry, ks->n, ks->cap, e);
	return &e->k;
}

const Kernel *
kernels_put(Kernels *ks, const Kernel *k, const char *name)
{
	return add(ks, k, name);
}

const Kernel *
kernels_add(Kernels *ks, Build *b, const char *name, const char *doc, int64_t flops, int64_t bytes)
{
	KBuf *buf = NEW(ks->arena, MAX(b->nparam, 1), KBuf);
	Uses u = {0};
	Kernel k = {.nbuf = (int)b->nparam, .buf = buf, .body = b->top, .doc = doc, .flops = flops, .bytes = bytes,
		.checks_index = b->checks, .scratch = b->scratch};

	for (int i = 0; i < k.nbuf; i++) {
		const Mem *m = b->param[i];
		buf[i] = (KBuf){.name = m->name, .dt = m->dt, .read = m->read, .write = m->write};
	}
	block_uses(&u, &k.body);
	k.syms = u.syms;
	return add(ks, &k, name);
}

RtSet *
kernels_rt(const Kernels *ks)
{
	for (int64_t i = 0; i < ks->n; i++) {
		const Kernel *k = &ks->entry[i]->k;
		block_uses(&(Uses){.rt = ks->rt}, &k->body);
		if (k->branches)
			rt_use(ks->rt, "RT_BRANCHES");
	}
	return ks->rt;
}

/* ---- text ---- */

static void
put_doc(Buf *b, const char *doc)
{
	buf_puts(b, "/* ");
	for (const char *s = doc;;) {
		int64_t n = (int64_t)strcspn(s, "\n");
		buf_comment(b, arena_copy(b->arena, s, n));
		if (!s[n])
			break;
		buf_puts(b, "\n * ");
		s += n + 1;
	}
	buf_puts(b, " */\n");
}

static void
put_signature(Buf *b, const Kernels *ks, const Kernel *k, const char *model)
{
	Buf line = {.arena = b->arena};
	bool any = false;

	buf_printf(b, "static %s\n", k->checks_index ? "int" : "void");
	buf_printf(&line, "%s_%s(", model, k->name);
	for (int s = 0; s < ks->g->nsym; s++)
		if (k->syms >> s & 1) {
			buf_printf(&line, "%sint64_t %s", any ? ", " : "", ks->g->sym[s].name);
			any = true;
		}
	for (int i = 0; i < k->nbuf; i++) {
		const KBuf *p = &k->buf[i];
		buf_printf(&line, "%s%s%s *restrict %s", any ? ", " : "", p->write ? "" : "const ", c_type(p->dt), p->name);
		any = true;
	}
	if (k->scratch)
		buf_printf(&line, "%svoid *scratch", any ? ", " : "");
	buf_puts(&line, any || k->scratch ? ")" : "void)");
	line_print(b, buf_str(&line), 0);
}

void
kernel_print(Buf *b, const Kernels *ks, const Kernel *k, const char *model)
{
	if (k->doc)
		put_doc(b, k->doc);
	if (k->branches)
		buf_printf(b, "%s_BRANCHES\n", upper(b->arena, model));
	put_signature(b, ks, k, model);
	buf_puts(b, "{\n");
	if (k->scan) {
		steps_print(b, ks->g, k, model, false);
		buf_puts(b, "}\n");
		return;
	}
	if (k->checks_index)
		buf_puts(b, "\tint bad = 0;\n\n");
	block_print(b, ks->g, &k->body, model, 1, false);
	if (k->checks_index)
		buf_puts(b, "\treturn bad;\n");
	buf_puts(b, "}\n");
}

/* ---- buffers that share memory ---- */

/* Replaces, in the kernel's tree, memory `old` by `by`, and renumbers parameters above it. Trees are shared
 * between kernels, so all is copied. */
typedef struct Merge {
	Arena *arena;
	int old, by;                   /* parameters */
	const Mem *mem;                /* what `by` becomes */
	Map *mems;                     /* renumbered copies, by the old object */
	Map *vals;
} Merge;

static const Mem *
merged_mem(Merge *m, const Mem *x)
{
	Mem *y;

	if (!x || x->param < 0)
		return x;
	if (x->param == m->old || x->param == m->by)
		return m->mem;
	if (x->param < m->old)
		return x;
	if (!(y = map_get_bytes(m->mems, &x, sizeof x))) {
		y = NEW(m->arena, 1, Mem);
		*y = *x;
		y->param--;
		map_set_bytes(m->mems, &x, sizeof x, y);
	}
	return y;
}

static const Val *
merged_val(Merge *m, const Val *x)
{
	Val *y = map_get_bytes(m->vals, &x, sizeof x);

	if (y)
		return y;
	y = NEW(m->arena, 1, Val);
	*y = *x;
	y->mem = merged_mem(m, x->mem);
	for (int i = 0; i < x->nx; i++)
		y->x[i] = merged_val(m, x->x[i]);
	map_set_bytes(m->vals, &x, sizeof x, y);
	return y;
}

static Block
merged_block(Merge *m, const Block *k)
{
	Block out = {0};

	for (int64_t i = 0; i < k->n; i++) {
		Stmt *s = NEW(m->arena, 1, Stmt);
		*s = *k->s[i];
		s->mem = merged_mem(m, s->mem);
		for (int j = 0; j < LEN(s->x); j++)
			if (s->x[j])
				s->x[j] = merged_val(m, s->x[j]);
		s->body = merged_block(m, &s->body);
		s->other = merged_block(m, &s->other);
		PUSH(m->arena, out.s, out.n, out.cap, s);
	}
	return out;
}

/* the Mem of parameter i, as the body has it; NULL: not used */
static const Mem *
val_mem(const Val *v, int i)
{
	const Mem *m = v->mem && v->mem->param == i ? v->mem : NULL;

	for (int k = 0; !m && k < v->nx; k++)
		m = val_mem(v->x[k], i);
	return m;
}

static const Mem *
block_mem(const Block *k, int i)
{
	const Mem *m = NULL;

	for (int64_t j = 0; !m && j < k->n; j++) {
		const Stmt *s = k->s[j];
		if (s->mem && s->mem->param == i)
			return s->mem;
		for (int x = 0; !m && x < LEN(s->x); x++)
			m = s->x[x] ? val_mem(s->x[x], i) : NULL;
		m = m ? m : block_mem(&s->body, i);
		m = m ? m : block_mem(&s->other, i);
	}
	return m;
}

/* k with parameter j gone: what it read is parameter i, which is written */
static const Kernel *
merged_kernel(Kernels *ks, const Kernel *k, int i, int j)
{
	Merge m = {.arena = ks->arena, .old = j, .by = i, .mems = map_new(ks->arena), .vals = map_new(ks->arena)};
	Mem *mem = NEW(ks->arena, 1, Mem);
	KBuf *buf = NEW(ks->arena, k->nbuf, KBuf);
	Kernel out = *k;

	*mem = *block_mem(&k->body, i);
	mem->param = i - (j < i);
	mem->read = true;
	m.mem = mem;
	out.body = merged_block(&m, &k->body);
	out.nbuf--;
	out.buf = buf;
	for (int p = 0, q = 0; p < k->nbuf; p++)
		if (p != j) {
			buf[q] = k->buf[p];
			buf[q].read |= p == i;
			q++;
		}
	return add(ks, &out, strchr(k->name, '_') + 1);
}

/* step s without parameter j, which is the memory of i */
static void
share_one(Kernels *ks, Step *s, int i, int j)
{
	int n = s->kernel->nbuf;
	Node **buf = NEW(ks->arena, n, Node *);
	uint64_t *reuse = NEW(ks->arena, n, uint64_t), below = ((uint64_t)1 << j) - 1;
	int *same = NEW(ks->arena, n, int);

	for (int p = 0, q = 0; p < n; p++) {
		if (p == j)
			continue;
		buf[q] = s->buf[p];
		/* memory that is shared once is not shared again */
		reuse[q] = p == i ? 0 : (s->reuse[p] & below) | (s->reuse[p] >> 1 & ~below);
		same[q] = p == i || s->same[p] == j ? -1 : s->same[p] > j ? s->same[p] - 1 : s->same[p];
		q++;
	}
	s->kernel = merged_kernel(ks, s->kernel, i, j);
	s->buf = buf;
	s->reuse = reuse;
	s->same = same;
}

void
step_share(Kernels *ks, Step *s)
{
	for (int i = 0; i < s->kernel->nbuf; i++)
		if (s->same[i] >= 0) {
			share_one(ks, s, i, s->same[i]);
			i = -1;
		}
}

static void
mark(const Kernel *k, void *used)
{
	if (map_get_bytes(used, &k, sizeof k))
		return;
	map_set_bytes(used, &k, sizeof k, used);
	if (k->scan)
		steps_mark(k, mark, used);
}

void
kernels_prune(Kernels *ks, const Plan *const *plan, int n)
{
	int64_t kept = 0;
	Map *used = map_new(ks->arena);

	for (int p = 0; p < n; p++)
		for (int i = 0; i < plan[p]->nstep; i++)
			mark(plan[p]->step[i].kernel, used);
	for (int64_t e = 0; e < ks->n; e++) {
		const Kernel *k = &ks->entry[e]->k;
		if (map_get_bytes(used, &k, sizeof k))
			ks->entry[kept++] = ks->entry[e];
	}
	ks->n = kept;
	for (int64_t e = 0; e < kept; e++) {
		const char *what = strchr(ks->entry[e]->k.name, '_');
		ks->entry[e]->k.name = arena_fmt(ks->arena, "k%02lld%s", (long long)e, what);
	}
}
