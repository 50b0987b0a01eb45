/* read_function: the functions of a document.
 *
 * Each is a graph of its own, read when a node first names it, so that functions
 * stand in any order; one that is asked for while it is being read calls itself,
 * and the path of calls is told. */
#include "ir.h"

#include <string.h>

enum { MAXNEST = 64 };

typedef enum State { UNREAD, OPEN, DONE } State;

struct Functions {
	const Json *j;                 /* the object; NULL: there is none */
	const char *prefix;            /* where it stands in the document */
	State *state;                  /* by member */
	Graph **graph;                 /* NULL: in error */
	int stack[MAXNEST], depth;     /* of those that are being read */
};

void
functions_declare(Graph *g, const Json *j)
{
	struct Functions *s = NEW(g->arena, 1, struct Functions);
	int64_t mark = path_key(g, "functions");

	g->functions = s;
	s->prefix = arena_str(g->arena, g->path.s);
	if (j && want(g, j, J_OBJECT, "'functions'")) {
		s->j = j;
		s->state = NEW(g->arena, MAX(j->n, 1), State);
		s->graph = NEW(g->arena, MAX(j->n, 1), Graph *);
	}
	path_back(g, mark);
}

/* a graph that shares names and symbols with g */
static Graph *
function_new(Graph *g, const char *name, const char *prefix)
{
	Graph *f = graph_like(g->arena, g);

	f->name = graph_str(f, name);
	f->doc = NULL;
	f->reading = true;
	f->sharing = f->folding = false;
	f->functions = g->functions;
	buf_puts(&f->path, prefix);
	path_key(f, name);
	return f;
}

static Graph *
function_read(Graph *g, int i)
{
	struct Functions *s = g->functions;
	int before = diag_count(DIAG_UNSUPPORTED);
	Graph *f = function_new(g, s->j->key[i], s->prefix);

	s->state[i] = OPEN;
	s->stack[s->depth++] = i;
	if (!*s->j->key[i])
		graph_diag(f, DIAG_ERROR, s->j->key_at[i], "a name is empty");
	if (want(f, s->j->item[i], J_OBJECT, "a function"))
		function_fill(f, s->j->item[i]);
	s->depth--;
	s->state[i] = DONE;
	f->reading = false;
	f->sharing = f->folding = true;
	path_back(f, 0);
	return s->graph[i] = diag_count(DIAG_UNSUPPORTED) > before ? NULL : f;
}

static void
cycle_tell(Graph *g, const Json *name, int target)
{
	struct Functions *s = g->functions;
	Buf b = {.arena = g->arena};
	int first = s->depth - 1;

	while (s->stack[first] != target)
		first--;
	for (int k = first; k < s->depth; k++)
		buf_printf(&b, "'%s' calls ", s->j->key[s->stack[k]]);
	graph_diag(g, DIAG_ERROR, name->at, "a function calls itself: %s'%s'", buf_str(&b), name->str);
}

const Graph *
function_find(Graph *g, const Json *name)
{
	struct Functions *s = g->functions;
	int i = 0, n = s->j ? s->j->n : 0;

	while (i < n && strcmp(s->j->key[i], name->str))
		i++;
	if (i == n)
		graph_diag(g, DIAG_ERROR, name->at, "no function is named '%s'%s", name->str,
			did_you_mean(g, name->str, s->j ? s->j->key : NULL, n));
	else if (s->state[i] == OPEN)
		cycle_tell(g, name, i);
	else if (s->state[i] == UNREAD && s->depth == MAXNEST)
		graph_diag(g, DIAG_UNSUPPORTED, name->at, "functions that call each other more than %d deep", MAXNEST);
	else
		return s->state[i] == DONE ? s->graph[i] : function_read(g, i);
	return NULL;
}

void
functions_read(Graph *g)
{
	struct Functions *s = g->functions;

	for (int i = 0; s->j && i < s->j->n; i++) {
		if (s->state[i] == UNREAD)
			function_read(g, i);
		if (s->graph[i])
			PUSH(g->arena, g->fn, g->nfn, g->capfn, s->graph[i]);
	}
}
