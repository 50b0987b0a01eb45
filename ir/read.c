/* read: a document of the JSON IR (docs/ir.md) as a graph.
 *
 * The names of all values are entered first, then the nodes are made in the
 * canonical order (read_node.c), then the interface is bound to them. What is
 * in error is poisoned: a value of dtype NDTYPE, or none at all. Uses of such a
 * value are silent, so every independent error is found in one run. */
#include "ir.h"

#include <string.h>

enum { VERSION = 1, MAX_SUGGEST = 100 };

/* ---- helpers ---- */

static const char *
kind_name(JsonKind k)
{
	static const char *const name[] = {
		[J_NULL] = "null", [J_FALSE] = "false", [J_TRUE] = "true", [J_NUMBER] = "a number",
		[J_STRING] = "a string", [J_ARRAY] = "a list", [J_OBJECT] = "an object",
	};
	return name[k];
}

bool
want(Graph *g, const Json *j, JsonKind kind, const char *what)
{
	if (j->kind == kind)
		return true;
	graph_diag(g, DIAG_ERROR, j->at, "%s must be %s, not %s", what, kind_name(kind), kind_name(j->kind));
	return false;
}

const char *
did_you_mean(Graph *g, const char *s, const char *const *cand, int n)
{
	const char *near = nearest(s, cand, n);

	return near ? arena_fmt(g->arena, "; did you mean '%s'?", near) : "";
}

void
keys_check(Graph *g, const Json *object, const char *words)
{
	const char *word[32];
	int n = 0;

	for (const char *s = words; *s; s += strspn(s, " ")) {
		int64_t len = (int64_t)strcspn(s, " ");
		if (n == LEN(word))
			bug("too many keys: %s", words);
		word[n++] = arena_copy(g->arena, s, len);
		s += len;
	}
	for (int i = 0; i < object->n; i++) {
		int k = 0;
		while (k < n && strcmp(object->key[i], word[k]))
			k++;
		if (k == n)
			graph_diag(g, DIAG_ERROR, object->key_at[i], "unknown key '%s'%s", object->key[i],
				did_you_mean(g, object->key[i], word, n));
	}
}

bool
name_unnamed(const char *s)
{
	return *s == '%' && s[1] && !s[1 + strspn(s + 1, "0123456789")];
}

static bool
has_control(const char *name)
{
	for (const unsigned char *s = (const unsigned char *)name; *s; s++)
		if (*s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0))
			return true;
	return false;
}

static void
name_check(Graph *g, const char *name, Loc at)
{
	if (!*name)
		graph_diag(g, DIAG_ERROR, at, "a name is empty");
	else if (has_control(name))
		graph_diag(g, DIAG_ERROR, at, "a name has a control character");
}

Value *
value_define(Graph *g, Map *values, const char *name, Loc at)
{
	const Value *old = map_get(values, name);
	Value *v = NEW(g->arena, 1, Value);

	*v = (Value){.at = at, .node = -1};
	name_check(g, name, at);
	if (old)
		graph_diag(g, DIAG_ERROR, at, "'%s' is defined twice; first at %d:%d", name, old->at.line, old->at.col);
	else
		map_set(values, name, v);
	return v;
}

Value *
value_find(Graph *g, const Map *values, const Json *name)
{
	/* suggestions cost a walk over all names: beyond some errors they help nobody */
	int n = diag_count(DIAG_ERROR) < MAX_SUGGEST ? map_len(values) : 0;
	Value *v = map_get(values, name->str);
	const char **cand;

	if (v)
		return v;
	cand = NEW(g->arena, n, const char *);
	for (int i = 0; i < n; i++)
		cand[i] = map_key(values, i);
	graph_diag(g, DIAG_ERROR, name->at, "no value is named '%s'%s", name->str,
		did_you_mean(g, name->str, cand, n));
	return NULL;
}

Node *
value_node(const Value *v)
{
	return v && v->v && v->v->type.dt != NDTYPE ? v->v : NULL;
}

/* ---- head of the document ---- */

/* the member `key` of object j, with g->path on it; NULL: absent. path_back(g, *mark) goes on. */
static const Json *
enter(Graph *g, const Json *j, const char *key, int64_t *mark)
{
	*mark = path_key(g, key);
	return json_get(j, key);
}

static void
missing(Graph *g, const Json *j, const char *key)
{
	graph_diag(g, DIAG_ERROR, j->at, "key '%s' is missing", key);
}

void
version_check(Graph *g, const Json *doc)
{
	const Json *j = json_get(doc, "gradc");
	int64_t v;

	if (!j)
		missing(g, doc, "gradc");
	else if (j->kind != J_NUMBER || !json_int(j, &v) || v < 1)
		graph_diag(g, DIAG_ERROR, j->at, "'gradc' is the version of the format, an integer such as %d", VERSION);
	else if (v > VERSION)
		graph_diag(g, DIAG_UNSUPPORTED, j->at, "format version %lld; this gradc reads up to %d",
			(long long)v, VERSION);
}

static void
name_read(Graph *g, const Json *doc)
{
	const Json *j = json_get(doc, "name");
	const char *wrong;

	if (!j) {
		missing(g, doc, "name");
		return;
	}
	if (!want(g, j, J_STRING, "'name'"))
		return;
	g->name = graph_str(g, j->str);
	if ((wrong = model_name_wrong(g->arena, g->name)))
		graph_diag(g, DIAG_ERROR, j->at, "name %s", wrong);
}

static void
doc_read(Graph *g, const Json *doc)
{
	const Json *j = json_get(doc, "doc");

	if (j && want(g, j, J_STRING, "'doc'"))
		g->doc = graph_str(g, j->str);
}

/* ---- dims ---- */

/* an integer of at least 1, or the default */
static int64_t
bound_read(Graph *g, const Json *j, const char *key, int64_t dflt)
{
	int64_t mark, v;
	const Json *b = enter(g, j, key, &mark);

	if (b && (b->kind != J_NUMBER || !json_int(b, &v) || v < 1)) {
		graph_diag(g, DIAG_ERROR, b->at, "'%s' must be an integer of at least 1", key);
		b = NULL;
	}
	path_back(g, mark);
	return b ? v : dflt;
}

/* in error the symbol exists all the same, so that its uses are silent */
static void
dim_read(Graph *g, const char *name, Loc at, const Json *j)
{
	Sym *s;

	if (!c_ident_ok(name))
		graph_diag(g, DIAG_ERROR, at, "dimension symbol '%s' is not an identifier of C", name);
	if (g->nsym == MAXSYM) {
		graph_diag(g, DIAG_UNSUPPORTED, at, "more than %d dimension symbols", MAXSYM);
		return;
	}
	s = &g->sym[g->nsym++];
	*s = (Sym){.name = graph_str(g, name), .min = 1, .max = 1, .hint = 1, .at = at};
	if (j->kind != J_OBJECT) {
		graph_diag(g, DIAG_ERROR, j->at, "dimension symbol '%s' must be an object such as {\"max\": 128}", name);
		return;
	}
	keys_check(g, j, "max min hint");
	if (!json_get(j, "max"))
		missing(g, j, "max");
	s->max = bound_read(g, j, "max", INT32_MAX);
	s->min = bound_read(g, j, "min", 1);
	s->hint = bound_read(g, j, "hint", s->max);
	if (s->min > s->max)
		graph_diag(g, DIAG_ERROR, at, "'%s': min %lld is greater than max %lld", name,
			(long long)s->min, (long long)s->max);
	else if (s->hint < s->min || s->hint > s->max)
		graph_diag(g, DIAG_ERROR, at, "'%s': hint %lld is not between min %lld and max %lld", name,
			(long long)s->hint, (long long)s->min, (long long)s->max);
}

static void
dims_read(Graph *g, const Json *doc)
{
	int64_t mark, inner;
	const Json *j = enter(g, doc, "dims", &mark);

	if (j && want(g, j, J_OBJECT, "'dims'"))
		for (int i = 0; i < j->n; i++) {
			inner = path_key(g, j->key[i]);
			dim_read(g, j->key[i], j->key_at[i], j->item[i]);
			path_back(g, inner);
		}
	path_back(g, mark);
}

/* ---- leaves ---- */

/* input name -> output name, of the joint graph's cotangents */
static Map *
cotangents_of(Graph *g, const Json *doc)
{
	const Json *j = json_get(doc, "joint");
	Map *cot = map_new(g->arena);

	j = j && j->kind == J_OBJECT ? json_get(j, "cotangents") : NULL;
	for (int i = 0; j && j->kind == J_OBJECT && i < j->n; i++)
		if (j->item[i]->kind == J_STRING)
			map_set(cot, j->item[i]->str, (void *)j->key[i]);
	return cot;
}

static void
section_read(Graph *g, const Json *doc, const char *key, Role role, const Map *cot, Map *values)
{
	int64_t mark;
	const Json *j = enter(g, doc, key, &mark);

	/* inputs come twice; the first time tells */
	if (j && (role == COTANGENT ? j->kind == J_OBJECT : want(g, j, J_OBJECT, arena_fmt(g->arena, "'%s'", key))))
		leaves_read(g, role, j, cot, values);
	path_back(g, mark);
}

/* members of one struct: C name -> whose it is */
typedef struct CNames { Map *owner; const char *remedy; } CNames;

static void
cname_add(Graph *g, CNames *c, const char *cname, const char *name, Loc at)
{
	const char *owner = map_get(c->owner, cname);

	if (!owner)
		map_set(c->owner, cname, arena_fmt(g->arena, "'%s'", name));
	else
		graph_diag(g, DIAG_ERROR, at, "'%s' is '%s' in C, and so is %s; %s", name, cname, owner, c->remedy);
}

static void
cnames_check(Graph *g, Role role)
{
	static const char *const section[] = {"inputs", "params", "buffers", "inputs", "saved"};
	CNames c = {map_new(g->arena), "give one a \"c\": \"identifier\""};

	if (role == INPUT)     /* symbols are members of the same struct */
		for (int i = 0; i < g->nsym; i++)
			map_set(c.owner, g->sym[i].name, "the dimension symbol");
	for (int64_t i = 0; i < g->nleaf; i++) {
		const Leaf *l = g->leaf[i];
		int64_t mark = path_key(g, section[l->role]), inner = path_key(g, l->name);
		if (l->role == role)
			cname_add(g, &c, l->cname ? l->cname : c_ident(g->arena, l->name), l->name, l->at);
		path_back(g, inner);
		path_back(g, mark);
	}
}

static void
all_leaves_read(Graph *g, const Json *doc, Map *values)
{
	const Map *cot = cotangents_of(g, doc);

	section_read(g, doc, "inputs", INPUT, cot, values);
	section_read(g, doc, "params", PARAM, cot, values);
	section_read(g, doc, "buffers", BUFFER, cot, values);
	section_read(g, doc, "inputs", COTANGENT, cot, values);
	section_read(g, doc, "saved", SAVED, cot, values);
	for (int r = 0; r < NROLE; r++)
		cnames_check(g, (Role)r);
}

/* ---- interface: what the graph gives ---- */

/* called for each member of the object at `key`: name, its place, its value as a string */
typedef void Member(Graph *g, Map *values, const char *name, Loc at, const Json *value);

static void
members_read(Graph *g, const Json *object, const char *key, Map *values, Member *each)
{
	int64_t mark, inner;
	const Json *j = enter(g, object, key, &mark);

	if (j && want(g, j, J_OBJECT, arena_fmt(g->arena, "'%s'", key)))
		for (int i = 0; i < j->n; i++) {
			inner = path_key(g, j->key[i]);
			if (want(g, j->item[i], J_STRING, "the value"))
				each(g, values, j->key[i], j->key_at[i], j->item[i]);
			path_back(g, inner);
		}
	path_back(g, mark);
}

static void
output_read(Graph *g, Map *values, const char *name, Loc at, const Json *value)
{
	const Value *v = value_find(g, values, value);

	if (value_node(v))
		port_add(g, &g->out, name, v->v, at);
}

static void
outputs_check(Graph *g, const Json *doc)
{
	const Json *j = json_get(doc, "outputs");
	CNames c = {map_new(g->arena), "rename one"};
	int64_t mark = path_key(g, "outputs"), inner;

	for (int i = 0; j && j->kind == J_OBJECT && i < j->n; i++) {
		inner = path_key(g, j->key[i]);
		if (!*j->key[i])
			graph_diag(g, DIAG_ERROR, j->key_at[i], "a name is empty");
		cname_add(g, &c, c_ident(g->arena, j->key[i]), j->key[i], j->key_at[i]);
		path_back(g, inner);
	}
	path_back(g, mark);
}

static Leaf *
state_find(Graph *g, const char *name, Loc at)
{
	Leaf *l = leaf_find(g, name);
	const char **cand = NEW(g->arena, MAX(g->nleaf, 1), const char *);
	int n = 0;

	if (l && (l->role == PARAM || l->role == BUFFER))
		return l;
	for (int64_t i = 0; i < g->nleaf; i++)
		if (g->leaf[i]->role == PARAM || g->leaf[i]->role == BUFFER)
			cand[n++] = g->leaf[i]->name;
	if (l)
		graph_diag(g, DIAG_ERROR, at, "'%s' is an input; updates are of buffers and params", name);
	else
		graph_diag(g, DIAG_ERROR, at, "no buffer or param is named '%s'%s", name, did_you_mean(g, name, cand, n));
	return NULL;
}

static void
update_read(Graph *g, Map *values, const char *name, Loc at, const Json *value)
{
	const Leaf *l = state_find(g, name, at);
	const Value *v = value_find(g, values, value);

	if (!l || !value_node(v) || l->node->type.dt == NDTYPE)
		return;
	if (!type_eq(&l->node->type, &v->v->type))
		graph_diag(g, DIAG_ERROR, value->at, "'%s' is %s, its new value '%s' is %s",
			name, tt(l->node), value->str, tt(v->v));
	port_add(g, &g->update, name, v->v, at);
}

/* the name of output `s` of the document, whether it could be bound or not */
static bool
output_known(Graph *g, const Json *doc, const Json *s)
{
	const Json *outs = json_get(doc, "outputs");

	if (!outs || outs->kind != J_OBJECT || json_get(outs, s->str))
		return outs != NULL;
	graph_diag(g, DIAG_ERROR, s->at, "no output is named '%s'%s", s->str,
		did_you_mean(g, s->str, outs->key, outs->n));
	return false;
}

static void
loss_read(Graph *g, const Json *doc)
{
	int64_t mark;
	const Json *j = enter(g, doc, "loss", &mark);

	if (j && want(g, j, J_STRING, "'loss'") && output_known(g, doc, j))
		for (int64_t i = 0; i < g->out.n; i++) {
			const Node *v = g->out.p[i].v;
			if (strcmp(g->out.p[i].name, j->str))
				continue;
			if (v->type.rank || !dtype_float(v->type.dt))
				graph_diag(g, DIAG_ERROR, j->at, "the loss '%s' is %s, not a floating scalar", j->str, tt(v));
			g->loss = (int)i;
		}
	path_back(g, mark);
}

static void
wrt_add(Graph *g, Map *values, const Json *j)
{
	const Value *v;

	if (!want(g, j, J_STRING, "the name of a value") || !value_node(v = value_find(g, values, j)))
		return;
	if (port_find(&g->wrt, j->str))
		graph_diag(g, DIAG_ERROR, j->at, "'%s' appears twice", j->str);
	else if (!dtype_float(v->v->type.dt))
		graph_diag(g, DIAG_ERROR, j->at, "'%s' is %s; only floating values have a derivative", j->str, tt(v->v));
	else {
		port_add(g, &g->wrt, j->str, v->v, j->at);
		v->v->pinned = !v->v->leaf;
	}
}

static void
wrt_read(Graph *g, const Json *doc, Map *values)
{
	int64_t mark, inner;
	const Json *j = enter(g, doc, "wrt", &mark);

	if (j && want(g, j, J_ARRAY, "'wrt'")) {
		g->wrt_given = true;
		for (int i = 0; i < j->n; i++) {
			inner = path_index(g, i);
			wrt_add(g, values, j->item[i]);
			path_back(g, inner);
		}
	}
	path_back(g, mark);
}

/* ---- joint and partitioned graphs ---- */

static void
cotangent_read(Graph *g, Map *values, const char *name, Loc at, const Json *value)
{
	const Value *v = value_find(g, values, value);
	const Node *out = port_find(&g->out, name);

	if (!value_node(v))
		return;
	if (!v->v->leaf || v->v->leaf->role != COTANGENT)
		graph_diag(g, DIAG_ERROR, value->at, "'%s' is not an input", value->str);
	else if (out && !type_eq(&out->type, &v->v->type))
		graph_diag(g, DIAG_ERROR, value->at, "output '%s' is %s, its cotangent '%s' is %s", name, tt(out),
			value->str, tt(v->v));
	else
		port_add(g, &g->ct, name, v->v, at);
}

static void
grad_read(Graph *g, Map *values, const char *name, Loc at, const Json *value)
{
	const Value *v = value_find(g, values, value), *of = map_get(values, name);

	if (!value_node(v))
		return;
	if (value_node(of) && !type_eq(&of->v->type, &v->v->type))
		graph_diag(g, DIAG_ERROR, value->at, "'%s' is %s, its gradient '%s' is %s", name, tt(of->v),
			value->str, tt(v->v));
	else
		port_add(g, &g->grad, name, v->v, at);
}

static void
save_read(Graph *g, Map *values, const char *name, Loc at, const Json *value)
{
	const Value *v = value_find(g, values, value);

	if (value_node(v))
		port_add(g, &g->saved, name, v->v, at);
}

static void
joint_read(Graph *g, const Json *doc, Map *values)
{
	int64_t mark;
	const Json *j = enter(g, doc, "joint", &mark);

	if (j && want(g, j, J_OBJECT, "'joint'")) {
		g->joint = true;
		keys_check(g, j, "cotangents grads");
		members_read(g, j, "cotangents", values, cotangent_read);
		members_read(g, j, "grads", values, grad_read);
	}
	path_back(g, mark);
}

/* ---- the document ---- */

/* appends the strings that are the members of object j */
static void
roots_add(const Json *j, const char **root, int *n)
{
	for (int i = 0; j && j->kind == J_OBJECT && i < j->n; i++)
		if (j->item[i]->kind == J_STRING)
			root[(*n)++] = j->item[i]->str;
}

/* *gives: whether there is anything, well-formed or not */
static int
roots_of(Graph *g, const Json *doc, const char ***root, bool *gives)
{
	const Json *joint = json_get(doc, "joint");
	const Json *grads = joint && joint->kind == J_OBJECT ? json_get(joint, "grads") : NULL;
	const Json *from[] = {json_get(doc, "outputs"), grads, json_get(doc, "updates"), json_get(doc, "saves")};
	int64_t room = 1;
	int n = 0;

	for (int i = 0; i < LEN(from); i++)
		room += from[i] ? from[i]->n : 0;
	*gives = room > 1;
	*root = NEW(g->arena, room, const char *);
	for (int i = 0; i < LEN(from); i++)
		roots_add(from[i], *root, &n);
	return n;
}

void
function_fill(Graph *f, const Json *j)
{
	Map *values = map_new(f->arena);
	const char **root;
	bool gives;
	int nroot = roots_of(f, j, &root, &gives);

	keys_check(f, j, "doc inputs constants nodes outputs");
	doc_read(f, j);
	section_read(f, j, "inputs", INPUT, map_new(f->arena), values);
	constants_read(f, json_get(j, "constants"), values);
	nodes_read(f, json_get(j, "nodes"), values, root, nroot);
	members_read(f, j, "outputs", values, output_read);
	if (!gives)
		graph_diag(f, DIAG_ERROR, j->at, "function '%s' gives nothing: 'outputs' is empty", f->name);
}

static void
graph_fill(Graph *g, const Json *doc)
{
	Map *values = map_new(g->arena);
	const char **root;
	bool gives;
	int nroot = roots_of(g, doc, &root, &gives);

	keys_check(g, doc, "gradc name doc dims inputs params buffers saved constants nodes outputs updates saves "
		"loss wrt joint functions");
	name_read(g, doc);
	doc_read(g, doc);
	dims_read(g, doc);
	functions_declare(g, json_get(doc, "functions"));
	all_leaves_read(g, doc, values);
	constants_read(g, json_get(doc, "constants"), values);
	nodes_read(g, json_get(doc, "nodes"), values, root, nroot);
	functions_read(g);
	outputs_check(g, doc);
	members_read(g, doc, "outputs", values, output_read);
	members_read(g, doc, "updates", values, update_read);
	members_read(g, doc, "saves", values, save_read);
	loss_read(g, doc);
	wrt_read(g, doc, values);
	joint_read(g, doc, values);
	if (!gives)
		graph_diag(g, DIAG_ERROR, doc->at, "the graph gives nothing: 'outputs' and 'updates' are empty");
}

/* members by name: where their order means nothing, no more may depend on it. Few, so by insertion. */
static void
sort_members(Json *j)
{
	for (int i = 1; j && j->kind == J_OBJECT && i < j->n; i++)
		for (int k = i; k > 0 && strcmp(j->key[k - 1], j->key[k]) > 0; k--) {
			Json *item = j->item[k];
			const char *key = j->key[k];
			Loc at = j->key_at[k];
			j->item[k] = j->item[k - 1];
			j->key[k] = j->key[k - 1];
			j->key_at[k] = j->key_at[k - 1];
			j->item[k - 1] = item;
			j->key[k - 1] = key;
			j->key_at[k - 1] = at;
		}
}

Graph *
graph_of_json(Arena *a, const Json *doc, const char *part)
{
	int before = diag_count(DIAG_UNSUPPORTED);
	Graph *g = graph_new(a, "");

	g->file = doc->at.file;
	g->reading = true;
	g->sharing = g->folding = false;
	if (part) {
		path_key(g, "module");
		path_key(g, part);
	}
	if (!want(g, doc, J_OBJECT, "a graph"))
		return NULL;
	sort_members(json_get(doc, "dims"));
	sort_members(json_get(doc, "updates"));
	sort_members(json_get(doc, "functions"));
	if (!part)
		version_check(g, doc);
	graph_fill(g, doc);
	if (diag_count(DIAG_UNSUPPORTED) > before)
		return NULL;
	g->reading = false;
	g->sharing = g->folding = true;
	path_back(g, 0);
	return g;
}

Graph *
graph_read(Arena *a, const char *file, const char *text, int64_t n)
{
	int before = diag_count(DIAG_UNSUPPORTED);
	const Json *doc = json_read(a, file, text, n);
	Graph *g;

	if (doc && doc->kind == J_OBJECT && json_get(doc, "module")) {
		diag(DIAG_ERROR, json_get(doc, "module")->at, "a partitioned module, where a graph is wanted");
		return NULL;
	}
	g = doc ? graph_of_json(a, doc, NULL) : NULL;
	/* a tree comes with complaints about keys that appear twice */
	return diag_count(DIAG_UNSUPPORTED) > before ? NULL : g;
}
