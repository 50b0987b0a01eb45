/* read_leaf: inputs, parameters and buffers of the JSON IR, with the way in
 * which a parameter gets its first value. */
#include "ir.h"

#include <math.h>
#include <string.h>

/* "kaiming_uniform", or {"uniform": [a, b]}: a word or a member with `nnum` numbers */
static const struct {
	const char *word;
	Init init;
	int nnum;
	bool floating;
} inits[] = {
	{"zeros",           INIT_ZEROS,           0, false},
	{"ones",            INIT_ONES,            0, false},
	{"constant",        INIT_CONSTANT,        1, false},
	{"uniform",         INIT_UNIFORM,         2, true},
	{"normal",          INIT_NORMAL,          2, true},
	{"kaiming_uniform", INIT_KAIMING_UNIFORM, 0, true},
	{"kaiming_normal",  INIT_KAIMING_NORMAL,  0, true},
	{"xavier_uniform",  INIT_XAVIER_UNIFORM,  0, true},
	{"xavier_normal",   INIT_XAVIER_NORMAL,   0, true},
};

const char *
init_word(Init init, int *nnum)
{
	for (int i = 0; i < LEN(inits); i++)
		if (inits[i].init == init) {
			*nnum = inits[i].nnum;
			return inits[i].word;
		}
	return NULL;
}

static int
init_find(Graph *g, const char *word, Loc at)
{
	const char *words[LEN(inits)];

	for (int i = 0; i < LEN(inits); i++) {
		words[i] = inits[i].word;
		if (!strcmp(word, words[i]))
			return i;
	}
	graph_diag(g, DIAG_ERROR, at, "unknown init '%s'%s", word, did_you_mean(g, word, words, LEN(inits)));
	return -1;
}

/* the numbers of an init: one, or a list of two */
static bool
init_numbers(Graph *g, const Json *j, int nnum, Leaf *l)
{
	const Json *two[2] = {j, j};

	if (nnum == 2 && j->kind == J_ARRAY && j->n == 2) {
		two[0] = j->item[0];
		two[1] = j->item[1];
	} else if (nnum == 2) {
		graph_diag(g, DIAG_ERROR, j->at, "init must be a list of two numbers");
		return false;
	}
	for (int i = 0; i < nnum; i++)
		if (two[i]->kind != J_NUMBER || !isfinite(two[i]->num)) {
			graph_diag(g, DIAG_ERROR, two[i]->at, "init must have finite numbers");
			return false;
		}
	l->init_a = two[0]->num;
	l->init_b = nnum == 2 ? two[1]->num : 0;
	return true;
}

static void
init_check(Graph *g, const Json *j, int i, const Leaf *l, const Type *t)
{
	if (inits[i].floating && t->dt != NDTYPE && !dtype_float(t->dt))
		graph_diag(g, DIAG_ERROR, j->at, "init '%s' needs a floating dtype, not %s", inits[i].word,
			dtype_name(t->dt));
	else if (l->init == INIT_UNIFORM && l->init_a > l->init_b)
		graph_diag(g, DIAG_ERROR, j->at, "init 'uniform': %g is greater than %g", l->init_a, l->init_b);
	else if (l->init == INIT_NORMAL && l->init_b < 0)
		graph_diag(g, DIAG_ERROR, j->at, "init 'normal': the standard deviation %g is negative", l->init_b);
}

static void
init_read(Graph *g, const Json *j, Leaf *l, const Type *t)
{
	bool object = j->kind == J_OBJECT && j->n == 1;
	int i;

	if (j->kind != J_STRING && !object) {
		graph_diag(g, DIAG_ERROR, j->at, "init must be a word such as \"zeros\", or an object with one member "
			"such as {\"uniform\": [-1, 1]}");
		return;
	}
	i = object ? init_find(g, j->key[0], j->key_at[0]) : init_find(g, j->str, j->at);
	if (i < 0)
		return;
	if (object != (inits[i].nnum > 0)) {
		graph_diag(g, DIAG_ERROR, j->at, inits[i].nnum ? "init '%s' needs numbers, as in {\"%s\": %s}"
			: "init '%s' is a word without numbers", inits[i].word, inits[i].word,
			inits[i].nnum == 2 ? "[0, 1]" : "0");
		return;
	}
	l->init = inits[i].init;
	if (!object || init_numbers(g, j->item[0], inits[i].nnum, l))
		init_check(g, j, i, l, t);
}

/* ---- members of a leaf's object ---- */

static const char *
string_read(Graph *g, const Json *j, const char *key)
{
	const Json *s = json_get(j, key);
	int64_t mark = path_key(g, key);
	bool ok = s && want(g, s, J_STRING, arena_fmt(g->arena, "'%s'", key));

	path_back(g, mark);
	return ok ? graph_str(g, s->str) : NULL;
}

static void
source_read(Graph *g, const Json *j, Leaf *l, const Type *t)
{
	const Json *init = json_get(j, "init");
	int64_t mark;

	l->file = string_read(g, j, "file");
	l->tensor = string_read(g, j, "tensor");
	if (l->tensor && !json_get(j, "file"))
		graph_diag(g, DIAG_ERROR, json_get(j, "tensor")->at, "'tensor' without 'file'");
	if (!init)
		return;
	mark = path_key(g, "init");
	if (l->file)
		graph_diag(g, DIAG_ERROR, init->at, "both 'init' and 'file' are given");
	init_read(g, init, l, t);
	path_back(g, mark);
}

static void
object_read(Graph *g, const Json *j, Leaf *l, Type *t)
{
	static const char *const keys[NROLE] = {
		[INPUT] = "type doc c", [COTANGENT] = "type doc c", [SAVED] = "type doc c",
		[PARAM] = "type init file tensor trainable c doc",
		[BUFFER] = "type init file tensor c doc",
	};
	const Json *type = json_get(j, "type"), *trainable = json_get(j, "trainable");
	int64_t mark = path_key(g, "type");

	if (type)
		type_read(g, type, t);
	path_back(g, mark);
	keys_check(g, j, keys[l->role]);
	if (!type)
		graph_diag(g, DIAG_ERROR, j->at, "key 'type' is missing");
	l->doc = string_read(g, j, "doc");
	l->cname = string_read(g, j, "c");
	if (l->cname && !c_ident_ok(l->cname))
		graph_diag(g, DIAG_ERROR, json_get(j, "c")->at, "'%s' is not an identifier of C", l->cname);
	if (l->role == PARAM || l->role == BUFFER)
		source_read(g, j, l, t);
	if (l->role == PARAM && trainable) {
		if (trainable->kind != J_TRUE && trainable->kind != J_FALSE)
			graph_diag(g, DIAG_ERROR, trainable->at, "'trainable' must be true or false");
		l->trainable = trainable->kind == J_TRUE;
	}
}

static void
leaf_read(Graph *g, Role role, const char *name, Loc at, const Json *j, const char *of, Map *values)
{
	Value *v = value_define(g, values, name, at);
	Leaf l = {.role = role, .name = graph_str(g, name), .trainable = role == PARAM, .at = at};
	Type t = {.dt = NDTYPE};

	l.of = of ? graph_str(g, of) : NULL;
	if (name_unnamed(name))
		graph_diag(g, DIAG_ERROR, at, "'%s' is the form of a value without a name", name);
	if (j->kind == J_OBJECT)
		object_read(g, j, &l, &t);
	else
		type_read(g, j, &t);
	v->v = node_leaf(g, &l, t);
}

void
leaves_read(Graph *g, Role role, const Json *j, const Map *cot, Map *values)
{
	for (int i = 0; i < j->n; i++) {
		const char *name = j->key[i], *ct = map_get(cot, name);
		const char *of = role == COTANGENT ? ct : role == SAVED ? name : NULL;
		int64_t mark = path_key(g, name);
		if (role == COTANGENT ? ct != NULL : role != INPUT || !ct)
			leaf_read(g, role, name, j->key_at[i], j->item[i], of, values);
		path_back(g, mark);
	}
}
