/* module: the document of a partitioned graph. Forward names what it keeps in
 * "saves", backward takes it in "saved"; both lists of the module repeat what
 * the graphs say, for people and for tools that read no graphs. */
#include "ir.h"

#include <string.h>

/* backward's own computation of a forward value; views cost nothing */
static bool
is_recomputed(const Node *n)
{
	bool cheap = n->op->flags & ALIAS || (n->op->kind == SOURCE && !(n->op->flags & RANDOM));

	return n->side == SIDE_F && !n->leaf && !cheap && node_nres(n) == 1;
}

static int
recomputed_names(Arena *a, const Graph *bwd, const char ***out)
{
	Canon c = canon(a, bwd);
	int n = 0;

	*out = NEW(a, MAX(c.n, 1), const char *);
	for (int64_t i = 0; i < c.n; i++)
		if (is_recomputed(c.order[i]))
			(*out)[n++] = c.name[c.order[i]->id];
	return n;
}

static int
saved_names(Arena *a, const Graph *fwd, const char ***out)
{
	*out = NEW(a, MAX(fwd->saved.n, 1), const char *);
	for (int64_t i = 0; i < fwd->saved.n; i++)
		(*out)[i] = fwd->saved.p[i].name;
	return (int)fwd->saved.n;
}

static void
put_list(Buf *b, const char *key, const char *const *name, int n)
{
	buf_printf(b, ",\n    \"%s\": [", key);
	for (int i = 0; i < n; i++) {
		buf_puts(b, i ? ", " : "");
		json_quote(b, name[i]);
	}
	buf_putc(b, ']');
}

void
module_write(Buf *b, const Split *s)
{
	Arena *a = arena_new();
	const char **saved, **again;
	int nsaved = saved_names(a, s->fwd, &saved), nagain = recomputed_names(a, s->bwd, &again);

	buf_puts(b, "{\n  \"gradc\": 1,\n  \"module\": {\n    \"forward\": ");
	graph_write_part(b, s->fwd, 4);
	buf_puts(b, ",\n    \"backward\": ");
	graph_write_part(b, s->bwd, 4);
	put_list(b, "saved", saved, nsaved);
	put_list(b, "recomputed", again, nagain);
	buf_puts(b, "\n  }\n}\n");
	arena_free(a);
}

/* ---- reading ---- */

/* g only carries the path of complaints about the module itself */
static void
list_check(Graph *g, const Json *module, const char *key, const char *const *name, int n)
{
	const Json *j = json_get(module, key);
	int64_t mark = path_key(g, key);

	for (int i = 0; j && want(g, j, J_ARRAY, arena_fmt(g->arena, "'%s'", key)) && i < MAX(j->n, n); i++) {
		if (i < j->n && i < n && j->item[i]->kind == J_STRING && !strcmp(j->item[i]->str, name[i]))
			continue;
		graph_diag(g, DIAG_ERROR, i < j->n ? j->item[i]->at : j->at,
			"'%s' is not what the graphs say: element %d is %s%s%s", key, i,
			i < n ? "'" : "too much", i < n ? name[i] : "", i < n ? "'" : "");
		break;
	}
	path_back(g, mark);
}

/* what backward takes is what forward keeps */
static void
saved_check(Graph *g, const Split *s)
{
	for (int64_t i = 0; i < s->bwd->nleaf; i++) {
		const Leaf *l = s->bwd->leaf[i];
		const Node *kept = port_find(&s->fwd->saved, l->name);
		if (l->role != SAVED)
			continue;
		if (!kept)
			graph_diag(g, DIAG_ERROR, l->at, "forward saves no '%s'", l->name);
		else if (strcmp(tt(kept), tt(l->node)))
			graph_diag(g, DIAG_ERROR, l->at, "'%s' is %s, forward saves %s", l->name, tt(l->node), tt(kept));
	}
}

static void
figures(Split *s)
{
	for (int64_t i = 0; i < s->fwd->saved.n; i++)
		s->saved_bytes += type_max_bytes(s->fwd, &s->fwd->saved.p[i].v->type);
	for (int64_t i = 0; i < s->bwd->nnode; i++)
		s->nrecomputed += is_recomputed(s->bwd->node[i]);
}

static Graph *
part_read(Graph *g, const Json *module, const char *key)
{
	const Json *j = json_get(module, key);

	if (!j)
		graph_diag(g, DIAG_ERROR, module->at, "key '%s' is missing", key);
	return j ? graph_of_json(g->arena, j, key) : NULL;
}

Split *
module_read(Arena *a, const char *file, const char *text, int64_t n)
{
	int before = diag_count(DIAG_UNSUPPORTED);
	const Json *doc = json_read(a, file, text, n), *j;
	Graph *g = graph_new(a, "");
	Split *s = NEW(a, 1, Split);
	const char **name;
	int count;

	if (!doc || !want(g, doc, J_OBJECT, "a module"))
		return NULL;
	if (!(j = json_get(doc, "module"))) {
		graph_diag(g, DIAG_ERROR, doc->at, "key 'module' is missing: this is no partitioned graph");
		return NULL;
	}
	keys_check(g, doc, "gradc module");
	version_check(g, doc);
	path_key(g, "module");
	if (!want(g, j, J_OBJECT, "'module'"))
		return NULL;
	keys_check(g, j, "forward backward saved recomputed");
	s->fwd = part_read(g, j, "forward");
	s->bwd = part_read(g, j, "backward");
	if (!s->fwd || !s->bwd)
		return NULL;
	saved_check(g, s);
	count = saved_names(a, s->fwd, &name);
	list_check(g, j, "saved", name, count);
	count = recomputed_names(a, s->bwd, &name);
	list_check(g, j, "recomputed", name, count);
	figures(s);
	return diag_count(DIAG_UNSUPPORTED) > before ? NULL : s;
}
