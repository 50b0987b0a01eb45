/* read_node: the nodes of the JSON IR, written in any order.
 *
 * Three walks: declare (every result's name), resolve (operands to values), and
 * make, depth first from what the graph gives, then from the rest by name, so
 * that the graph does not depend on the order of the document. The walk keeps
 * its own stack; an edge back into the stack is a cycle and told as its path. */
#include "ir.h"

#include <stdlib.h>
#include <string.h>

enum { CYCLE_SHOWN = 16 };
#define EXACT_INT (INT64_C(1) << 53)

typedef struct Operand {
	Json *j;
	Value *v;                  /* NULL: a literal */
} Operand;

typedef enum State { NEW_NODE, OPEN, DONE } State;

typedef struct Entry {              /* an element of "nodes" */
	const Json *j;
	const Op *op;
	Loc op_at;
	int nout, nin;
	Value **out;               /* NULL entries: dropped results */
	const char **name;         /* of the results */
	Operand *in;
	bool bad;                  /* told already; what uses it is silent */
	State state;
	int next;                  /* operand to visit */
} Entry;

typedef struct Nodes {
	Graph *g;
	Map *values;
	Entry *item;
	int n;
	int *stack, depth;
} Nodes;

/* ---- declare ---- */

static void
out_declare(Nodes *s, int node, int res, const Json *j)
{
	Entry *it = &s->item[node];

	if (j->kind == J_NULL && it->j->kind == J_OBJECT)
		return;
	if (!want(s->g, j, J_STRING, "the name of a result")) {
		it->bad = true;
		return;
	}
	it->name[res] = graph_str(s->g, j->str);
	it->out[res] = value_define(s->g, s->values, j->str, j->at);
	it->out[res]->node = node;
	it->out[res]->res = res;
}

static void
outs_declare(Nodes *s, int node, const Json *out)
{
	Entry *it = &s->item[node];
	bool list = out->kind == J_ARRAY, any = false;
	int64_t mark = path_key(s->g, "out");

	it->nout = list ? out->n : 1;
	it->out = NEW(s->g->arena, MAX(it->nout, 1), Value *);
	it->name = NEW(s->g->arena, MAX(it->nout, 1), const char *);
	for (int r = 0; r < it->nout; r++) {
		int64_t inner = list ? path_index(s->g, r) : s->g->path.n;
		if (list)
			out_declare(s, node, r, out->item[r]);
		else if (want(s->g, out, J_STRING, "'out'"))
			out_declare(s, node, r, out);
		else
			it->bad = true;
		path_back(s->g, inner);
		any |= it->out[r] != NULL;
	}
	if (!any && !it->bad) {
		graph_diag(s->g, DIAG_ERROR, out->at, "'out' names no result");
		it->bad = true;
	}
	path_back(s->g, mark);
}

/* ops of the format that no version has yet */
static bool
reserved(const char *name)
{
	static const char *const word[] = {"cond", "while", "custom"};

	for (int i = 0; i < LEN(word); i++)
		if (!strcmp(name, word[i]))
			return true;
	return false;
}

/* ops of PyTorch that no static shape can hold, and what to do instead; NULL: none of them */
static const char *
shapeless(const char *name)
{
	static const struct { const char *name, *instead; } op[] = {
		{"masked_select", "where with the mask keeps the shape"},
		{"nonzero", "where with the condition keeps the shape"},
		{"argwhere", "where with the condition keeps the shape"},
		{"unique", "sort keeps the shape"},
		{"unique_consecutive", "shift compares neighbours"},
	};

	for (int i = 0; i < LEN(op); i++)
		if (!strcmp(name, op[i].name))
			return op[i].instead;
	return NULL;
}

static const Op *
op_known(Graph *g, const Json *j)
{
	const Op *op = op_find(j->str);
	const char *names[NOP], *instead = shapeless(j->str);
	int n = 0;

	if (instead) {
		graph_diag(g, DIAG_UNSUPPORTED, j->at, "op '%s': the shape of its result depends on data; %s", j->str, instead);
		return NULL;
	}

	if (op ? op->flags & NOT_YET : reserved(j->str)) {
		graph_diag(g, DIAG_UNSUPPORTED, j->at, "op '%s'", j->str);
		return NULL;
	}

	if (op && op->kind != LEAF && op->kind != ITEM && op->id != OP_constant)
		return op;
	for (int i = 0; i < NOP; i++)
		if (op_get(i)->kind != LEAF && op_get(i)->kind != ITEM && i != OP_constant)
			names[n++] = op_get(i)->name;
	if (op && op->id == OP_constant)
		graph_diag(g, DIAG_ERROR, j->at, "a constant stands in the section 'constants', not in a node");
	else
		graph_diag(g, DIAG_ERROR, j->at, "unknown op '%s'%s", j->str, did_you_mean(g, j->str, names, n));
	return NULL;
}

static void
op_declare(Nodes *s, Entry *it, const Json *op)
{
	int64_t mark = path_key(s->g, "op");

	it->op_at = op->at;
	if (want(s->g, op, J_STRING, "'op'"))
		it->op = op_known(s->g, op);
	it->bad |= !it->op;
	path_back(s->g, mark);
}

static void
results_check(Nodes *s, Entry *it, const Json *out)
{
	int want_n = MAX(it->op->nres, 1);
	bool list = out->kind == J_ARRAY;
	int64_t mark;

	if (it->bad || (it->nout == want_n && (list || want_n == 1)) || (it->op->nres < 0 && it->nout))
		return;
	mark = path_key(s->g, "out");
	if (want_n > 1)
		graph_diag(s->g, DIAG_ERROR, out->at, "%s has %d results (%s): 'out' is a list of as many names or nulls",
			it->op->name, want_n, it->op->results ? it->op->results : "");
	else
		graph_diag(s->g, DIAG_ERROR, out->at, "%s has one result, 'out' names %d", it->op->name, it->nout);
	it->bad = true;
	path_back(s->g, mark);
}

static const char node_keys[] = "out op in attrs type scope remat side from kernel";

static bool
is_node_key(const char *key)
{
	size_t n = strlen(key);

	for (const char *s = node_keys; *s; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");
		if (len == n && !memcmp(s, key, n))
			return true;
		s += len;
	}
	return false;
}

/* a common mistake has an answer of its own: an attribute beside "attrs" instead of in it */
static void
node_keys_check(Graph *g, const Json *j)
{
	const Json *name = json_get(j, "op");
	const Op *op = name && name->kind == J_STRING ? op_find(name->str) : NULL;
	Json rest = *j;
	int k;

	rest.key = NEW(g->arena, j->n + 1, const char *);
	rest.key_at = NEW(g->arena, j->n + 1, Loc);
	rest.n = 0;
	for (int i = 0; i < j->n; i++) {
		if (op && !is_node_key(j->key[i]) && op_attr(op, j->key[i], &k)) {
			graph_diag(g, DIAG_ERROR, j->key_at[i], "'%s' is an attribute: \"attrs\": {\"%s\": ...}",
				j->key[i], j->key[i]);
			continue;
		}
		rest.key[rest.n] = j->key[i];
		rest.key_at[rest.n++] = j->key_at[i];
	}
	keys_check(g, &rest, node_keys);
}

static void
node_declare(Nodes *s, int i)
{
	Entry *it = &s->item[i];
	const Json *out, *op;

	if (!want(s->g, it->j, J_OBJECT, "a node")) {
		it->bad = true;
		return;
	}
	node_keys_check(s->g, it->j);
	if ((out = json_get(it->j, "out")))
		outs_declare(s, i, out);
	else
		graph_diag(s->g, DIAG_ERROR, it->j->at, "key 'out' is missing");
	if ((op = json_get(it->j, "op")))
		op_declare(s, it, op);
	else
		graph_diag(s->g, DIAG_ERROR, it->j->at, "key 'op' is missing");
	it->bad |= !out || !op;
	if (out && it->op)
		results_check(s, it, out);
}

/* ---- resolve ---- */

/* "inf" and integers that JSON readers would round are texts; names go first */
static bool
is_literal(const Json *j)
{
	int64_t v;

	if (j->kind == J_NUMBER || j->kind == J_TRUE || j->kind == J_FALSE)
		return true;
	if (j->kind != J_STRING)
		return false;
	return !strcmp(j->str, "inf") || !strcmp(j->str, "-inf") || !strcmp(j->str, "nan")
		|| (json_int(j, &v) && (v > EXACT_INT || v < -EXACT_INT))
		|| (strlen(j->str) == 20 && !j->str[strspn(j->str, "0123456789")]);
}

static void
operand_resolve(Nodes *s, Entry *it, Operand *o)
{
	if (o->j->kind == J_STRING && (o->v = map_get(s->values, o->j->str)))
		return;
	if (!is_literal(o->j)) {
		it->bad = true;
		if (o->j->kind != J_STRING)
			graph_diag(s->g, DIAG_ERROR, o->j->at, "an operand must be a name or a number");
		else
			value_find(s->g, s->values, o->j);
	} else if (it->op && it->op->kind != MAP) {
		it->bad = true;
		graph_diag(s->g, DIAG_ERROR, o->j->at, "%s takes no literal: its operands are tensors", it->op->name);
	}
}

static const char *
count_text(Arena *a, const Op *op)
{
	const char *names = op->operands ? arena_fmt(a, " (%s)", op->operands) : "";

	if (op->max_in == 0)
		return "no operands";
	if (op->max_in < 0)
		return arena_fmt(a, "%d or more operands%s", op->min_in, names);
	if (op->min_in == op->max_in)
		return arena_fmt(a, "%d operand%s%s", op->min_in, op->min_in == 1 ? "" : "s", names);
	return arena_fmt(a, "%d to %d operands%s", op->min_in, op->max_in, names);
}

static void
count_check(Nodes *s, Entry *it, Loc at)
{
	if (!it->op || (it->nin >= it->op->min_in && (it->op->max_in < 0 || it->nin <= it->op->max_in)))
		return;
	graph_diag(s->g, DIAG_ERROR, at, "%s takes %s, not %d", it->op->name, count_text(s->g->arena, it->op),
		it->nin);
	it->bad = true;
}

static void
node_resolve(Nodes *s, int i)
{
	Entry *it = &s->item[i];
	const Json *in = it->j->kind == J_OBJECT ? json_get(it->j, "in") : NULL;
	int64_t mark = path_key(s->g, "in"), inner;

	if (in && !want(s->g, in, J_ARRAY, "'in'"))
		it->bad = true;
	else if (in) {
		it->nin = in->n;
		it->in = NEW(s->g->arena, MAX(in->n, 1), Operand);
		for (int k = 0; k < in->n; k++) {
			inner = path_index(s->g, k);
			it->in[k].j = in->item[k];
			operand_resolve(s, it, &it->in[k]);
			path_back(s->g, inner);
		}
	}
	if (it->j->kind == J_OBJECT && (!in || in->kind == J_ARRAY))
		count_check(s, it, in ? in->at : it->op_at);
	path_back(s->g, mark);
}

/* ---- make: attributes, literals, the node ---- */

/* "'a', 'b'" */
static const char *
words_text(Arena *a, const char *const *word, int n)
{
	Buf b = {.arena = a};

	for (int i = 0; i < n; i++)
		buf_printf(&b, "%s'%s'", i ? ", " : "", word[i]);
	return buf_str(&b);
}

static void
attr_unknown(Graph *g, const Op *op, const Json *j, int i)
{
	const char *names[64];
	int n = MIN(op_nattr(op), LEN(names));

	for (int k = 0; k < n; k++)
		names[k] = op->attr[k].name;
	if (n)
		graph_diag(g, DIAG_ERROR, j->key_at[i], "%s has no attribute '%s'%s", op->name, j->key[i],
			nearest(j->key[i], names, n) ? did_you_mean(g, j->key[i], names, n)
			: arena_fmt(g->arena, "; it has %s", words_text(g->arena, names, n)));
	else
		graph_diag(g, DIAG_ERROR, j->key_at[i], "%s has no attribute '%s': it has none", op->name, j->key[i]);
}

static bool
attrs_given(Graph *g, const Op *op, const Json *j, Attr *out)
{
	bool ok = true;
	int k;

	for (int i = 0; i < j->n; i++) {
		const AttrSpec *spec = op_attr(op, j->key[i], &k);
		int64_t mark = path_key(g, j->key[i]);
		if (!spec)
			attr_unknown(g, op, j, i);
		ok &= spec && attr_read(g, spec, j->item[i], &out[k]);
		path_back(g, mark);
	}
	return ok;
}

/* all attributes, or NULL */
static Attr *
attrs_read(Nodes *s, Entry *it)
{
	const Json *j = json_get(it->j, "attrs");
	Attr *out = attrs_new(s->g, it->op);
	int64_t mark = path_key(s->g, "attrs");
	bool ok = true;

	if (j)
		ok = want(s->g, j, J_OBJECT, "'attrs'") && attrs_given(s->g, it->op, j, out);
	for (int i = 0; i < op_nattr(it->op); i++) {
		const AttrSpec *spec = &it->op->attr[i];
		if (spec->dflt || (j && j->kind == J_OBJECT && json_get(j, spec->name)))
			continue;
		graph_diag(s->g, DIAG_ERROR, it->op_at, "%s needs the attribute '%s': %s", it->op->name, spec->name,
			spec->doc);
		ok = false;
	}
	path_back(s->g, mark);
	return ok ? out : NULL;
}

int64_t
stream_of(const char *name)
{
	return (int64_t)(hash64(name, (int64_t)strlen(name), 0) & INT64_MAX);
}

static void
stream_default(const Entry *it, Attr *attrs)
{
	int k, r = 0;

	if (!(it->op->flags & RANDOM) || !op_attr(it->op, "stream", &k) || attrs[k].set)
		return;
	while (!it->name[r])
		r++;
	attrs[k] = (Attr){.set = true, .is_int = true, .i = stream_of(it->name[r])};
	attrs[k].f = (double)attrs[k].i;
}

DType
literal_dtype(const Op *op, int operand, const DType *of, int n)
{
	bool select = op->flags & SELECT;

	if (select && operand == 0)
		return BOOL;
	for (int i = select; i < n; i++)
		if (of[i] != NDTYPE)
			return of[i];
	return NDTYPE;
}

static Node *
literal_make(Nodes *s, const Json *j, DType d)
{
	const Op *op = op_get(OP_full);
	Attr v, *attrs = attrs_new(s->g, op);
	int k;

	if (!number_read(s->g, d, j, &v))
		return NULL;
	set_num(op, attrs, "value", v.f);
	op_attr(op, "value", &k);
	if (v.is_int)
		attrs[k] = v;
	set_dims(s->g, op, attrs, "shape", NULL, 0);
	set_dtype(op, attrs, "type", d);
	return node(s->g, op, NULL, 0, attrs);
}

static bool
literals_make(Nodes *s, Entry *it, const DType *of, Node **in)
{
	bool ok = true, told = false;

	for (int k = 0; k < it->nin; k++) {
		DType d = literal_dtype(it->op, k, of, it->nin);
		int64_t mark = s->g->path.n;
		if (in[k])
			continue;
		path_key(s->g, "in");
		path_index(s->g, k);
		if (d == NDTYPE && !told)
			graph_diag(s->g, DIAG_ERROR, it->in[k].j->at, "no operand gives this literal a dtype");
		told |= d == NDTYPE;
		ok &= d != NDTYPE && (in[k] = literal_make(s, it->in[k].j, d));
		path_back(s->g, mark);
	}
	return ok;
}

/* the operands as nodes; NULL when one is poisoned or a literal is wrong */
static Node **
operands_make(Nodes *s, Entry *it)
{
	Node **in = NEW(s->g->arena, MAX(it->nin, 1), Node *);
	DType *of = NEW(s->g->arena, MAX(it->nin, 1), DType);

	for (int k = 0; k < it->nin; k++) {
		in[k] = value_node(it->in[k].v);
		if (it->in[k].v && !in[k])
			return NULL;
		of[k] = in[k] ? in[k]->type.dt : NDTYPE;
	}
	return literals_make(s, it, of, in) ? in : NULL;
}

static const char *
text_of(Nodes *s, const Entry *it, const char *key)
{
	const Json *j = json_get(it->j, key);
	int64_t mark = path_key(s->g, key);
	bool ok = j && want(s->g, j, J_STRING, arena_fmt(s->g->arena, "'%s'", key));

	path_back(s->g, mark);
	return ok ? graph_str(s->g, j->str) : NULL;
}

static int
word_of(Nodes *s, const Entry *it, const char *key, const char *const *word, int n)
{
	const char *text = text_of(s, it, key);
	int64_t mark;

	for (int i = 0; i < n; i++)
		if (!text || !strcmp(text, word[i]))
			return i;
	mark = path_key(s->g, key);
	graph_diag(s->g, DIAG_ERROR, json_get(it->j, key)->at, "'%s' must be one of %s, not '%s'", key,
		words_text(s->g->arena, word, n), text);
	path_back(s->g, mark);
	return 0;
}

static Remat
remat_of(Nodes *s, const Entry *it)
{
	static const char *const word[] = {"auto", "save", "recompute"};

	return (Remat)word_of(s, it, "remat", word, LEN(word));
}

static Side
side_of(Nodes *s, const Entry *it)
{
	static const char *const word[] = {"f", "b"};

	return json_get(it->j, "side") ? (Side)(1 + word_of(s, it, "side", word, LEN(word))) : SIDE_NONE;
}

/* what the pass fuse noted at node v (NULL: there is none) */
static void
kernels_read(Nodes *s, const Entry *it, Node *v)
{
	const Json *list = json_get(it->j, "kernel");
	int64_t mark = path_key(s->g, "kernel"), k;
	int n = 0, *kernel;

	if (list && want(s->g, list, J_ARRAY, "'kernel'")) {
		kernel = NEW(s->g->arena, MAX(list->n, 1), int);
		for (int i = 0; i < list->n; i++) {
			if (json_int(list->item[i], &k) && k >= 0 && k <= INT32_MAX)
				kernel[n++] = (int)k;
			else
				graph_diag(s->g, DIAG_ERROR, list->item[i]->at, "a kernel's number must be an integer, at least 0");
		}
		if (v) {
			v->nkernel = n;
			v->kernel = kernel;
		}
	}
	path_back(s->g, mark);
}

static void
type_assert(Nodes *s, const Json *j, const char *name, Node *v)
{
	Type t;

	if (!type_read(s->g, j, &t) || !v || v->type.dt == NDTYPE)
		return;
	v->typed = true;
	if (!type_eq(&t, &v->type))
		graph_diag(s->g, DIAG_ERROR, j->at, "'%s' is %s, not %s", name, tt(v), j->str);
}

static void
types_assert(Nodes *s, Entry *it)
{
	const Json *j = json_get(it->j, "type");
	int64_t mark = path_key(s->g, "type"), inner;

	if (j && j->kind != J_ARRAY)
		for (int r = 0; r < it->nout; r++) {
			if (it->nout > 1) {
				graph_diag(s->g, DIAG_ERROR, j->at, "'type' of several results is a list");
				break;
			}
			type_assert(s, j, it->name[r], it->out[r]->v);
		}
	else if (j && j->n != it->nout)
		graph_diag(s->g, DIAG_ERROR, j->at, "'type' has %d elements, 'out' has %d", j->n, it->nout);
	else if (j)
		for (int r = 0; r < j->n; r++) {
			inner = path_index(s->g, r);
			if (it->out[r] && j->item[r]->kind != J_NULL)
				type_assert(s, j->item[r], it->name[r], it->out[r]->v);
			path_back(s->g, inner);
		}
	path_back(s->g, mark);
}

static const char *
name_or_null(const char *s)
{
	return s && !name_unnamed(s) ? s : NULL;
}

static Loc *
places(Nodes *s, const Entry *it)
{
	Loc *at = NEW(s->g->arena, MAX(it->nin, 1), Loc);

	for (int k = 0; k < it->nin; k++)
		at[k] = it->in[k].j->at;
	return at;
}

static void
results_bind(Nodes *s, Entry *it, Node *v)
{
	Graph *g = s->g;

	if (it->op->nres >= 0 && it->op->nres <= 1) {
		it->out[0]->v = v;
		return;
	}
	if (v->type.dt != NDTYPE && node_nres(v) != it->nout) {
		int64_t mark = path_key(g, "out");
		graph_diag(g, DIAG_ERROR, json_get(it->j, "out")->at, "%s has %d result%s here, 'out' names %d",
			it->op->name, node_nres(v), node_nres(v) == 1 ? "" : "s", it->nout);
		path_back(g, mark);
		return;
	}
	if (it->nout > 1)
		v->name = NULL;
	if (v->type.dt == NDTYPE)
		return;
	for (int r = 0; r < it->nout; r++)
		if (it->out[r]) {
			g->cur_name = name_or_null(it->name[r]);
			it->out[r]->v = Item(v, r);
		}
}

static void
node_make_at(Nodes *s, Entry *it)
{
	Graph *g = s->g;
	Attr *attrs = it->op ? attrs_read(s, it) : NULL;
	Remat remat = remat_of(s, it);
	Node **in, *v = NULL;
	int r = 0;

	g->cur_scope = text_of(s, it, "scope");
	g->cur_from = text_of(s, it, "from");
	g->cur_side = side_of(s, it);
	if (attrs && !it->bad && (in = operands_make(s, it))) {
		stream_default(it, attrs);
		while (r < it->nout - 1 && !it->name[r])
			r++;
		g->cur_name = name_or_null(it->name[r]);
		g->cur_in_at = places(s, it);
		g->cur_remat = remat;          /* the node's, not its literals' */
		v = node(g, it->op, in, it->nin, attrs);
		results_bind(s, it, v);
	}
	kernels_read(s, it, v);
	g->cur_name = NULL;
	g->cur_in_at = NULL;
	if (!it->bad)
		types_assert(s, it);
}

static void
node_make(Nodes *s, int i)
{
	Graph *g = s->g;
	int64_t mark = path_key(g, "nodes");

	path_index(g, i);
	g->cur_at = s->item[i].op_at;
	if (s->item[i].j->kind == J_OBJECT)
		node_make_at(s, &s->item[i]);
	g->cur_scope = g->cur_from = NULL;
	g->cur_remat = REMAT_AUTO;
	g->cur_side = SIDE_NONE;
	path_back(g, mark);
}

/* ---- order ---- */

static const char *
first_name(const Entry *it)
{
	for (int r = 0; r < it->nout; r++)
		if (it->name[r])
			return it->name[r];
	return "";
}

/* the operand `k` of the innermost open node is an open node itself */
static void
cycle_tell(Nodes *s, Entry *it, int k)
{
	int first = s->depth - 1, target = it->in[k].v->node;
	Buf b = {.arena = s->g->arena};
	int64_t mark = path_key(s->g, "nodes");

	path_index(s->g, it - s->item);
	path_key(s->g, "in");
	path_index(s->g, k);
	while (s->stack[first] != target)
		first--;
	for (int i = first; i < s->depth; i++)
		if (i - first < CYCLE_SHOWN)
			buf_printf(&b, "'%s' needs ", first_name(&s->item[s->stack[i]]));
	if (s->depth - first > CYCLE_SHOWN)
		buf_printf(&b, "... (%d more) needs ", s->depth - first - CYCLE_SHOWN);
	graph_diag(s->g, DIAG_ERROR, it->in[k].j->at, "cycle: %s'%s'", buf_str(&b), it->in[k].j->str);
	it->bad = true;
	path_back(s->g, mark);
}

static void
push(Nodes *s, int i)
{
	s->item[i].state = OPEN;
	s->stack[s->depth++] = i;
}

static void
visit(Nodes *s, const Value *root)
{
	if (!root || root->node < 0 || s->item[root->node].state != NEW_NODE)
		return;
	push(s, root->node);
	while (s->depth) {
		int i = s->stack[s->depth - 1];
		Entry *it = &s->item[i];
		int k = it->next++;
		const Value *v = k < it->nin ? it->in[k].v : NULL;
		if (k >= it->nin) {
			node_make(s, i);
			it->state = DONE;
			s->depth--;
		} else if (v && v->node >= 0 && s->item[v->node].state == NEW_NODE)
			push(s, v->node);
		else if (v && v->node >= 0 && s->item[v->node].state == OPEN)
			cycle_tell(s, it, k);
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* what only a name keeps; values without one go last */
static void
visit_rest(Nodes *s)
{
	const char **name = NEW(s->g->arena, MAX(s->n, 1), const char *);
	int n = 0;

	for (int i = 0; i < s->n; i++)
		for (int r = 0; s->item[i].state == NEW_NODE && r < s->item[i].nout; r++)
			if (name_or_null(s->item[i].name[r])) {
				name[n++] = s->item[i].name[r];
				break;
			}
	if (n)
		qsort(name, (size_t)n, sizeof *name, by_name);
	for (int i = 0; i < n; i++)
		visit(s, map_get(s->values, name[i]));
	for (int i = 0; i < s->n; i++) {
		Value made = {.node = i};
		visit(s, &made);
	}
}

static void
each(Nodes *s, void (*f)(Nodes *, int))
{
	int64_t mark = path_key(s->g, "nodes"), inner;

	for (int i = 0; i < s->n; i++) {
		inner = path_index(s->g, i);
		f(s, i);
		path_back(s->g, inner);
	}
	path_back(s->g, mark);
}

void
nodes_read(Graph *g, const Json *j, Map *values, const char *const *root, int nroot)
{
	int64_t mark = path_key(g, "nodes");
	bool list = j && want(g, j, J_ARRAY, "'nodes'");
	Nodes s = {.g = g, .values = values, .n = list ? j->n : 0};

	path_back(g, mark);
	s.item = NEW(g->arena, MAX(s.n, 1), Entry);
	s.stack = NEW(g->arena, MAX(s.n, 1), int);
	for (int i = 0; i < s.n; i++)
		s.item[i].j = j->item[i];
	each(&s, node_declare);
	each(&s, node_resolve);
	for (int i = 0; i < nroot; i++)
		visit(&s, map_get(values, root[i]));
	visit_rest(&s);
}
