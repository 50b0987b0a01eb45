/* write: the canonical JSON of a graph, in the order of canon.c. One entry a
 * line, keys in the documented order, attributes that equal their defaults left
 * out. */
#include "ir.h"

#include <math.h>
#include <string.h>

#define EXACT_INT (INT64_C(1) << 53)

typedef struct Writer {
	Buf *b;
	const Graph *g;
	Arena *a;                  /* scratch */
	int base;                  /* indentation of the graph within the document */
	Canon c;
	const Called *fn;          /* functions of the document */
	int nfn;
	bool first;                /* no key was written yet */
} Writer;

/* ---- numbers ---- */

static void
put_int(Buf *b, int64_t v)
{
	buf_printf(b, v > EXACT_INT || v < -EXACT_INT ? "\"%lld\"" : "%lld", (long long)v);
}

static void
put_uint(Buf *b, uint64_t v)
{
	buf_printf(b, v > EXACT_INT ? "\"%llu\"" : "%llu", (unsigned long long)v);
}

static void
put_float(Buf *b, double v, bool single)
{
	const char *quote = isfinite(v) ? "" : "\"";

	buf_puts(b, quote);
	buf_float(b, v, single);
	buf_puts(b, quote);
}

void
number_write(Buf *b, DType d, const Attr *v)
{
	if (d == BOOL)
		buf_puts(b, v->f != 0 || v->i ? "true" : "false");
	else if (d == U64 && v->is_int)
		put_uint(b, (uint64_t)v->i);
	else if (v->is_int)
		put_int(b, v->i);
	else
		put_float(b, v->f, false);
}

static void
put_element(Buf *b, DType d, const char *p)
{
	double f8;
	float f4;
	int64_t i8;
	int32_t i4;
	int16_t i2;

	switch (d) {
	case F64: memcpy(&f8, p, 8); put_float(b, f8, false); break;
	case F32: memcpy(&f4, p, 4); put_float(b, f4, true); break;
	case F16: memcpy(&i2, p, 2); put_float(b, half_to_double((uint16_t)i2), false); break;
	case BF16: memcpy(&i2, p, 2); put_float(b, bfloat_to_double((uint16_t)i2), false); break;
	case I64: memcpy(&i8, p, 8); put_int(b, i8); break;
	case U64: memcpy(&i8, p, 8); put_uint(b, (uint64_t)i8); break;
	case I32: memcpy(&i4, p, 4); put_int(b, i4); break;
	case I16: memcpy(&i2, p, 2); put_int(b, i2); break;
	case I8: put_int(b, (signed char)*p); break;
	case U8: put_int(b, (unsigned char)*p); break;
	case BOOL: buf_puts(b, *p ? "true" : "false"); break;
	case NDTYPE: break;
	}
}

/* ---- lines ---- */

static void
newline(Writer *w, int level)
{
	buf_putc(w->b, '\n');
	for (int i = 0; i < w->base + 2 * level; i++)
		buf_putc(w->b, ' ');
}

static void
key(Writer *w, int level, const char *name)
{
	newline(w, level);
	json_quote(w->b, name);
	buf_puts(w->b, ": ");
}

/* a key of the graph; "gradc" or "name" stands before it, in a function nothing */
static void
top_key(Writer *w, const char *name)
{
	buf_puts(w->b, w->first ? "" : ",");
	w->first = false;
	key(w, 1, name);
}

/* the i-th entry of a section begins */
static void
entry(Writer *w, int64_t i, int level, const char *name)
{
	if (i)
		buf_putc(w->b, ',');
	key(w, level, name);
}

static void
field(Writer *w, const char *name, const char *text)
{
	if (!text)
		return;
	buf_printf(w->b, ", \"%s\": ", name);
	json_quote(w->b, text);
}

/* ---- sections ---- */

static void
put_dims(Writer *w)
{
	const Graph *g = w->g;

	if (!g->nsym)
		return;
	top_key(w, "dims");
	buf_putc(w->b, '{');
	for (int i = 0; i < g->nsym; i++) {
		const Sym *s = &g->sym[i];
		entry(w, i, 2, s->name);
		buf_printf(w->b, "{\"max\": %lld", (long long)s->max);
		if (s->min != 1)
			buf_printf(w->b, ", \"min\": %lld", (long long)s->min);
		if (s->hint != s->max)
			buf_printf(w->b, ", \"hint\": %lld", (long long)s->hint);
		buf_putc(w->b, '}');
	}
	newline(w, 1);
	buf_putc(w->b, '}');
}

static void
put_init(Writer *w, const Leaf *l)
{
	int nnum;
	const char *word = init_word(l->init, &nnum);

	if (!word)
		return;
	buf_puts(w->b, ", \"init\": ");
	if (!nnum) {
		json_quote(w->b, word);
		return;
	}
	buf_printf(w->b, "{\"%s\": ", word);
	if (nnum == 2)
		buf_putc(w->b, '[');
	put_float(w->b, l->init_a, false);
	if (nnum == 2) {
		buf_puts(w->b, ", ");
		put_float(w->b, l->init_b, false);
		buf_putc(w->b, ']');
	}
	buf_putc(w->b, '}');
}

static void
put_leaf(Writer *w, const Leaf *l)
{
	bool frozen = l->role == PARAM && !l->trainable;

	if (!l->cname && !l->doc && !l->init && !l->file && !frozen) {
		json_quote(w->b, type_text(w->a, w->g, &l->node->type));
		return;
	}
	buf_puts(w->b, "{\"type\": ");
	json_quote(w->b, type_text(w->a, w->g, &l->node->type));
	put_init(w, l);
	field(w, "file", l->file);
	field(w, "tensor", l->tensor);
	if (frozen)
		buf_puts(w->b, ", \"trainable\": false");
	field(w, "c", l->cname);
	field(w, "doc", l->doc);
	buf_putc(w->b, '}');
}

/* cotangents are inputs, after the others */
static void
put_leaves(Writer *w, const char *section, Role role, Role also)
{
	int64_t n = 0;

	for (int second = 0; second <= (also != role); second++)
		for (int64_t i = 0; i < w->g->nleaf; i++) {
			const Leaf *l = w->g->leaf[i];
			if (l->role != (second ? also : role))
				continue;
			if (!n) {
				top_key(w, section);
				buf_putc(w->b, '{');
			}
			entry(w, n++, 2, l->name);
			put_leaf(w, l);
		}
	if (n) {
		newline(w, 1);
		buf_putc(w->b, '}');
	}
}

/* dimension d and those behind it; returns what follows in the data */
static const char *
put_data(Writer *w, const Type *t, int d, const char *p)
{
	if (d == t->rank) {
		put_element(w->b, t->dt, p);
		return p + dtype_size(t->dt);
	}
	buf_putc(w->b, '[');
	for (int64_t i = 0; i < t->dim[d].k; i++) {
		if (i)
			buf_puts(w->b, ", ");
		p = put_data(w, t, d + 1, p);
	}
	buf_putc(w->b, ']');
	return p;
}

static void
put_constant(Writer *w, const Node *n)
{
	buf_puts(w->b, "{\"type\": ");
	json_quote(w->b, type_text(w->a, w->g, &n->type));
	field(w, "file", n->blob->file);
	field(w, "tensor", n->blob->tensor);
	if (!n->blob->file) {
		buf_puts(w->b, ", \"data\": ");
		put_data(w, &n->type, 0, n->blob->data);
	}
	buf_putc(w->b, '}');
}

static void
put_constants(Writer *w)
{
	int n = 0;

	for (int64_t i = 0; i < w->c.n; i++) {
		if (!w->c.order[i]->blob)
			continue;
		if (!n) {
			top_key(w, "constants");
			buf_putc(w->b, '{');
		}
		entry(w, n++, 2, w->c.name[w->c.order[i]->id]);
		put_constant(w, w->c.order[i]);
	}
	if (n) {
		newline(w, 1);
		buf_putc(w->b, '}');
	}
}

/* ---- nodes ---- */

static void
put_dim(Writer *w, Dim d)
{
	if (d.sym)
		json_quote(w->b, dim_text(w->a, w->g, d));
	else
		put_int(w->b, d.k);
}

/* true and false, among other words, are written bare */
static void
put_word(Writer *w, const AttrSpec *s, const char *text)
{
	if (s->allowed && (!strcmp(text, "true") || !strcmp(text, "false")))
		buf_puts(w->b, text);
	else
		json_quote(w->b, text);
}

static void
put_attr(Writer *w, const AttrSpec *s, const Attr *v)
{
	if (!v->set) {
		buf_puts(w->b, "null");
		return;
	}
	switch (s->kind) {
	case A_INT:
		put_int(w->b, v->i);
		break;
	case A_NUM:
		/* bits of a u64 that is no int64 */
		number_write(w->b, v->is_int && v->i < 0 && v->f > 0 ? U64 : F64, v);
		break;
	case A_BOOL:
		buf_puts(w->b, v->i ? "true" : "false");
		break;
	case A_STR:
		put_word(w, s, v->s);
		break;
	case A_DTYPE:
		json_quote(w->b, dtype_name((DType)v->i));
		break;
	case A_INTS:
	case A_SHAPE:
		buf_putc(w->b, '[');
		for (int i = 0; i < v->n; i++) {
			if (i)
				buf_puts(w->b, ", ");
			put_dim(w, s->kind == A_INTS ? DIM(v->ints[i]) : v->dims[i]);
		}
		buf_putc(w->b, ']');
		break;
	case A_DIM:
		put_dim(w, v->dims[0]);
		break;
	case A_FUNCTION:
		for (int i = 0; i < w->nfn; i++)
			if (w->fn[i].fn == v->fn)
				json_quote(w->b, w->fn[i].name);
		break;
	}
}

bool
attr_same(const AttrSpec *s, const Attr *a, const Attr *b)
{
	if (!a->set || !b->set)
		return a->set == b->set;
	switch (s->kind) {
	case A_NUM:
		if (a->is_int && b->is_int)
			return a->i == b->i && (a->f < 0) == (b->f < 0);
		return (a->f == b->f && signbit(a->f) == signbit(b->f)) || (isnan(a->f) && isnan(b->f));
	case A_STR:
		return !strcmp(a->s, b->s);
	case A_INTS:
		return a->n == b->n && (!a->n || !memcmp(a->ints, b->ints, (size_t)a->n * sizeof *a->ints));
	case A_SHAPE:
	case A_DIM:
		for (int i = 0; i < a->n && a->n == b->n; i++)
			if (!dim_eq(a->dims[i], b->dims[i]))
				return false;
		return a->n == b->n;
	default:
		return a->i == b->i;
	}
}

/* the result that names an op: the first one in use */
static const Node *
first_result(const Writer *w, const Node *n)
{
	for (int r = 0; r < node_nres(n) && node_nres(n) > 1; r++)
		if (w->c.item[n->id][r])
			return w->c.item[n->id][r];
	return n;
}

static bool
is_default(Writer *w, const Node *n, int i)
{
	const AttrSpec *s = &n->op->attr[i];
	Attr d;

	if (n->op->flags & RANDOM && !strcmp(s->name, "stream")) {
		const Node *first = first_result(w, n);
		return first->name && n->attr[i].i == stream_of(first->name);
	}
	if (!s->dflt)
		return false;
	d = attr_default((Graph *)w->g, s);
	return attr_same(s, &d, &n->attr[i]);
}

static void
put_attrs(Writer *w, const Node *n)
{
	int count = 0;

	for (int i = 0; i < op_nattr(n->op); i++) {
		if (is_default(w, n, i))
			continue;
		buf_puts(w->b, count++ ? ", " : ", \"attrs\": {");
		buf_printf(w->b, "\"%s\": ", n->op->attr[i].name);
		put_attr(w, &n->op->attr[i], &n->attr[i]);
	}
	if (count)
		buf_putc(w->b, '}');
}

static void
put_outs(Writer *w, const Node *n)
{
	if (node_nres(n) == 1) {
		json_quote(w->b, w->c.name[n->id]);
		return;
	}
	for (int r = 0; r < node_nres(n); r++) {
		const Node *item = w->c.item[n->id][r];
		buf_puts(w->b, r ? ", " : "[");
		if (item)
			json_quote(w->b, w->c.name[item->id]);
		else
			buf_puts(w->b, "null");
	}
	buf_putc(w->b, ']');
}

static void
put_operands(Writer *w, const Node *n)
{
	buf_puts(w->b, ", \"in\": [");
	for (int k = 0; k < n->nin; k++) {
		if (k)
			buf_puts(w->b, ", ");
		if (canon_inline(&w->c, n, k))
			number_write(w->b, n->in[k]->type.dt, attr_of(n->in[k], "value"));
		else
			json_quote(w->b, w->c.name[n->in[k]->id]);
	}
	buf_putc(w->b, ']');
}

/* the asserted types: one, or a list with null where nothing is asserted */
static void
put_types(Writer *w, const Node *n)
{
	bool any = false;

	if (node_nres(n) == 1) {
		if (n->typed)
			field(w, "type", type_text(w->a, w->g, &n->type));
		return;
	}
	for (int r = 0; r < node_nres(n); r++)
		any |= w->c.item[n->id][r] && w->c.item[n->id][r]->typed;
	for (int r = 0; any && r < node_nres(n); r++) {
		const Node *item = w->c.item[n->id][r];
		buf_puts(w->b, r ? ", " : ", \"type\": [");
		if (item && item->typed)
			json_quote(w->b, type_text(w->a, w->g, &item->type));
		else
			buf_puts(w->b, "null");
	}
	if (any)
		buf_putc(w->b, ']');
}

static void
put_kernels(Writer *w, const Node *n)
{
	for (int i = 0; i < n->nkernel; i++)
		buf_printf(w->b, "%s%d%s", i ? ", " : ", \"kernel\": [", n->kernel[i], i == n->nkernel - 1 ? "]" : "");
}

static void
put_node(Writer *w, const Node *n)
{
	static const char *const remat[] = {NULL, "save", "recompute"};
	static const char *const side[] = {NULL, "f", "b"};
	const char *name = first_result(w, n)->name;

	buf_puts(w->b, "{\"out\": ");
	put_outs(w, n);
	field(w, "op", n->op->name);
	if (n->nin)
		put_operands(w, n);
	put_attrs(w, n);
	put_types(w, n);
	field(w, "scope", n->scope);
	field(w, "remat", remat[n->remat]);
	field(w, "side", side[n->side]);
	if (n->from && (!name || strcmp(n->from, name)))
		field(w, "from", n->from);
	put_kernels(w, n);
	buf_putc(w->b, '}');
}

static void
put_nodes(Writer *w)
{
	int n = 0;

	top_key(w, "nodes");
	buf_putc(w->b, '[');
	for (int64_t i = 0; i < w->c.n; i++) {
		if (w->c.order[i]->blob)
			continue;
		if (n++)
			buf_putc(w->b, ',');
		newline(w, 2);
		put_node(w, w->c.order[i]);
	}
	if (n)
		newline(w, 1);
	buf_putc(w->b, ']');
}

/* ---- interface ---- */

static void
put_ports(Writer *w, int level, const Ports *ps)
{
	buf_putc(w->b, '{');
	for (int64_t i = 0; i < ps->n; i++) {
		entry(w, i, level + 1, ps->p[i].name);
		json_quote(w->b, w->c.name[ps->p[i].v->id]);
	}
	if (ps->n)
		newline(w, level);
	buf_putc(w->b, '}');
}

static void
put_ports_key(Writer *w, const char *name, const Ports *ps)
{
	if (!ps->n)
		return;
	top_key(w, name);
	put_ports(w, 1, ps);
}

static void
put_wrt(Writer *w)
{
	if (!w->g->wrt_given)
		return;
	top_key(w, "wrt");
	buf_putc(w->b, '[');
	for (int64_t i = 0; i < w->g->wrt.n; i++) {
		buf_puts(w->b, i ? ", " : "");
		json_quote(w->b, w->c.name[w->g->wrt.p[i].v->id]);
	}
	buf_putc(w->b, ']');
}

static void
put_joint(Writer *w)
{
	const Graph *g = w->g;

	if (!g->joint)
		return;
	top_key(w, "joint");
	buf_putc(w->b, '{');
	if (g->ct.n) {
		key(w, 2, "cotangents");
		put_ports(w, 2, &g->ct);
		buf_puts(w->b, g->grad.n ? "," : "");
	}
	if (g->grad.n) {
		key(w, 2, "grads");
		put_ports(w, 2, &g->grad);
	}
	if (g->ct.n || g->grad.n)
		newline(w, 1);
	buf_putc(w->b, '}');
}

static void
put_function(Writer *doc, const Graph *fn)
{
	Writer w = *doc;

	w.g = fn;
	w.c = canon(w.a, fn);
	w.base += 4;
	buf_putc(w.b, '{');
	w.first = true;
	if (fn->doc) {
		top_key(&w, "doc");
		json_quote(w.b, fn->doc);
	}
	put_leaves(&w, "inputs", INPUT, INPUT);
	put_constants(&w);
	put_nodes(&w);
	put_ports_key(&w, "outputs", &fn->out);
	newline(&w, 0);
	buf_putc(w.b, '}');
}

static void
put_functions(Writer *w)
{
	if (!w->nfn)
		return;
	top_key(w, "functions");
	buf_putc(w->b, '{');
	for (int i = 0; i < w->nfn; i++) {
		entry(w, i, 2, w->fn[i].name);
		put_function(w, w->fn[i].fn);
	}
	newline(w, 1);
	buf_putc(w->b, '}');
}

static void
put_graph(Writer *w)
{
	const Graph *g = w->g;

	buf_putc(w->b, '{');
	if (!w->base) {
		key(w, 1, "gradc");
		buf_puts(w->b, "1,");
	}
	key(w, 1, "name");
	json_quote(w->b, g->name);
	if (g->doc) {
		top_key(w, "doc");
		json_quote(w->b, g->doc);
	}
	put_dims(w);
	put_leaves(w, "inputs", INPUT, COTANGENT);
	put_leaves(w, "params", PARAM, PARAM);
	put_leaves(w, "buffers", BUFFER, BUFFER);
	put_leaves(w, "saved", SAVED, SAVED);
	put_constants(w);
	put_nodes(w);
	put_ports_key(w, "outputs", &g->out);
	put_ports_key(w, "updates", &g->update);
	put_ports_key(w, "saves", &g->saved);
	if (g->loss >= 0) {
		top_key(w, "loss");
		json_quote(w->b, g->out.p[g->loss].name);
	}
	put_wrt(w);
	put_functions(w);
	put_joint(w);
	newline(w, 0);
	buf_putc(w->b, '}');
}

void
graph_write(Buf *b, const Graph *g)
{
	graph_write_part(b, g, 0);
	buf_putc(b, '\n');
}

void
graph_write_part(Buf *b, const Graph *g, int indent)
{
	Writer w = {.b = b, .g = g, .a = arena_new(), .base = indent};

	w.c = canon(w.a, g);
	w.nfn = functions_of(w.a, g, (Called **)&w.fn);
	put_graph(&w);
	arena_free(w.a);
}
