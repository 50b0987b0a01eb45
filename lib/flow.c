/* flow.c: maximum flow and the minimum cut nearest the sink.
 *
 * Dinic's algorithm (Dinitz 1970) on residual arcs in CSR form. Each phase finds a
 * blocking flow by one depth-first walk with current arcs over vertices labelled with
 * their distance to the sink. Nothing recurses: the path is an array, so chains of any
 * length are fine. Flow is booked when the walk steps back over an arc, and it steps
 * back no further than to the vertex that can take more; the prefix of a path that is
 * not the bottleneck is never touched twice.
 *
 * Distances are kept from phase to phase. A phase can only make them grow, and those
 * that do are found from the arcs that it filled (Ramalingam, Reps 1996: the vertices
 * affected, then a search among them from their unaffected neighbours), so a phase that
 * changes little costs little. Once a phase affects most vertices, each phase labels anew,
 * from the sink up to the source.
 *
 * An infinite arc gets the sum of all finite capacities plus one: without an
 * infinite path no flow can fill it. Vertices are walked in order of index and arcs
 * in the order given, so the same input has the same flow everywhere. */
#include <stdlib.h>
#include "lib.h"

typedef struct Slot {
	int to, twin;          /* twin: slot of the opposite residual arc */
	int64_t room;          /* residual capacity */
} Slot;

enum { NONE = ~0 };        /* level of a vertex that does not reach the sink */

typedef struct Net {
	int nvertex, source, sink;
	int64_t inf;           /* finite stand-in for FLOW_INF */
	int *first;            /* slots of v: first[v] .. first[v+1]-1 */
	Slot *slot;
	int *at;               /* slot of each arc */
	int *level;            /* distance to the sink; NONE; of a lost vertex ~ of the one that it had */
	int *current;          /* first slot of v that may still lead a level down; those before it never do again */
	int *lost, nlost;      /* vertices without a way down, whose level is to be found */
	int *queue, nqueue;    /* vertices that may have lost theirs, each once */
	uint8_t *queued;
	bool anew;             /* each phase labels anew */
} Net;

static int64_t
finite_sum(int nvertex, const FlowArc *arc, int narc)
{
	int64_t sum = 0;

	for (int i = 0; i < narc; i++) {
		if (arc[i].from < 0 || arc[i].from >= nvertex || arc[i].to < 0 || arc[i].to >= nvertex)
			bug("flow: arc %d: vertex %d or %d is not below %d", i, arc[i].from, arc[i].to, nvertex);
		if (arc[i].cap < 0)
			bug("flow: arc %d: capacity %lld is negative", i, (long long)arc[i].cap);
		if (arc[i].cap != FLOW_INF && (!add_ok(sum, arc[i].cap, &sum) || sum >= INT64_MAX / 4))
			bug("flow: arc %d: finite capacities sum to %lld or more", i,
				(long long)(INT64_MAX / 4));
	}
	return sum;
}

static Net
net_new(Arena *a, int nvertex, const FlowArc *arc, int narc, int source, int sink)
{
	Net n = {.nvertex = nvertex, .source = source, .sink = sink};
	int *next;

	if (source < 0 || source >= nvertex || sink < 0 || sink >= nvertex || source == sink)
		bug("flow: source %d, sink %d among %d vertices", source, sink, nvertex);
	if (narc > INT32_MAX / 2)
		bug("flow: %d arcs are too many", narc);
	n.inf = finite_sum(nvertex, arc, narc) + 1;
	n.first = NEW(a, (int64_t)nvertex + 1, int);
	n.slot = NEW(a, 2 * (int64_t)narc, Slot);
	n.at = NEW(a, narc, int);
	n.level = NEW(a, nvertex, int);
	n.current = NEW(a, nvertex, int);
	n.lost = NEW(a, nvertex, int);
	n.queue = NEW(a, nvertex, int);
	n.queued = NEW(a, nvertex, uint8_t);
	next = NEW(a, nvertex, int);
	for (int i = 0; i < narc; i++) {
		n.first[arc[i].from + 1]++;
		n.first[arc[i].to + 1]++;
	}
	for (int v = 0; v < nvertex; v++) {
		n.first[v + 1] += n.first[v];
		next[v] = n.first[v];
		n.level[v] = NONE;
	}
	for (int i = 0; i < narc; i++) {
		int s = next[arc[i].from]++, t = next[arc[i].to]++;

		n.at[i] = s;
		n.slot[s] = (Slot){arc[i].to, t, arc[i].cap == FLOW_INF ? n.inf : arc[i].cap};
		n.slot[t] = (Slot){arc[i].from, s, 0};
	}
	return n;
}

/* A shortest path of infinite arcs, into c->path. Runs before any flow. */
static bool
infinite_path(Arena *a, const Net *n, const FlowArc *arc, int narc, FlowCut *c)
{
	int *by = NEW(a, n->nvertex, int);          /* slot that reached the vertex */
	int *arc_of = NEW(a, 2 * (int64_t)narc, int);
	int head = 0, tail = 0;

	for (int v = 0; v < n->nvertex; v++)
		by[v] = -1;
	n->queue[tail++] = n->source;
	while (head < tail && by[n->sink] < 0) {
		int v = n->queue[head++];

		for (int s = n->first[v]; s < n->first[v + 1]; s++) {
			int u = n->slot[s].to;

			if (n->slot[s].room == n->inf && u != n->source && by[u] < 0) {
				by[u] = s;
				n->queue[tail++] = u;
			}
		}
	}
	if (by[n->sink] < 0)
		return false;
	for (int i = 0; i < narc; i++)
		arc_of[n->at[i]] = i;
	for (int v = n->sink; v != n->source; v = arc[arc_of[by[v]]].from)
		c->npath++;
	c->path = NEW(a, c->npath, int);
	for (int v = n->sink, k = c->npath; v != n->source; v = arc[c->path[k]].from)
		c->path[--k] = arc_of[by[v]];
	return true;
}

/* the first slot of v from its current one on that leads a level down, or -1 */
static int
admissible(Net *n, int v)
{
	int *s = &n->current[v];

	for (; *s < n->first[v + 1]; ++*s)
		if (n->slot[*s].room > 0 && n->level[n->slot[*s].to] == n->level[v] - 1)
			return *s;
	return -1;
}

static void
lose(Net *n, int v)
{
	n->level[v] = ~n->level[v];
	n->lost[n->nlost++] = v;
}

/* v is to be looked at: an arc that led down from it is full, or leads to a lost vertex */
static void
suspect(Net *n, int v)
{
	if (n->level[v] > 0 && !n->queued[v]) {
		n->queued[v] = 1;
		n->queue[n->nqueue++] = v;
	}
}

/* lose every vertex whose ways down are all full or lead to lost vertices, up to the half of all */
static void
spread(Net *n)
{
	for (int done = 0; (done < n->nlost || n->nqueue > 0) && n->nlost <= n->nvertex / 2;) {
		if (done < n->nlost) {
			int v = n->lost[done++];

			for (int s = n->first[v]; s < n->first[v + 1]; s++)
				if (n->level[n->slot[s].to] == ~n->level[v] + 1)
					suspect(n, n->slot[s].to);
		} else {
			int v = n->queue[--n->nqueue];

			n->queued[v] = 0;
			if (n->level[v] > 0 && admissible(n, v) < 0)
				lose(n, v);
		}
	}
}

typedef struct Seed { int level, vertex; } Seed;

static int
by_level(const void *x, const void *y)
{
	const Seed *a = x, *b = y;

	return a->level != b->level ? (a->level > b->level) - (a->level < b->level)
		: (a->vertex > b->vertex) - (a->vertex < b->vertex);
}

/* the lost vertices that reach another in one step, with the level that this would give */
static int
find_seeds(const Net *n, Seed *seed)
{
	int nseed = 0;

	for (int i = 0; i < n->nlost; i++) {
		int v = n->lost[i], least = -1;

		for (int s = n->first[v]; s < n->first[v + 1]; s++) {
			int level = n->level[n->slot[s].to];

			if (n->slot[s].room > 0 && level >= 0 && (least < 0 || level < least))
				least = level;
		}
		if (least >= 0)
			seed[nseed++] = (Seed){least + 1, v};
	}
	qsort(seed, (size_t)nseed, sizeof *seed, by_level);
	return nseed;
}

static void
set_level(Net *n, int v, int level)
{
	if (n->level[v] >= 0)
		return;
	n->level[v] = level;
	n->current[v] = n->first[v];
	n->queue[n->nqueue++] = v;
}

/* Levels by a search in breadth from the vertices queued and the seeds; it takes in the seeds of a
 * level before it leaves the first vertex of that level. */
static void
search(Net *n, const Seed *seed, int nseed)
{
	int next = 0;

	for (int i = 0; next < nseed || i < n->nqueue;) {
		if (next < nseed && (i == n->nqueue || seed[next].level <= n->level[n->queue[i]])) {
			set_level(n, seed[next].vertex, seed[next].level);
			next++;
			continue;
		}
		if (n->anew && n->level[n->source] >= 0)
			break;
		for (int v = n->queue[i++], s = n->first[v]; s < n->first[v + 1]; s++)
			if (n->level[n->slot[s].to] < 0 && n->slot[n->slot[s].twin].room > 0)
				set_level(n, n->slot[s].to, n->level[v] + 1);
	}
	n->nlost = n->nqueue = 0;
}

/* levels of all vertices, or where each phase labels anew, up to the source's */
static void
label(Net *n)
{
	for (int i = 0; i < n->nqueue; i++)
		n->queued[n->queue[i]] = 0;
	for (int v = 0; v < n->nvertex; v++)
		n->level[v] = NONE;
	n->nqueue = 0;
	set_level(n, n->sink, 0);
	search(n, NULL, 0);
}

/* levels after a phase */
static void
relabel(Net *n, Seed *seed)
{
	if (!n->anew)
		spread(n);
	n->anew = n->anew || n->nlost > n->nvertex / 2;
	if (n->anew) {
		label(n);
	} else {
		int nseed = find_seeds(n, seed);

		for (int i = 0; i < n->nlost; i++)
			n->level[n->lost[i]] = NONE;
		search(n, seed, nseed);
	}
}

typedef struct Step {
	int vertex;
	int64_t room;          /* what may still enter the path here */
	int64_t sent;          /* what reached the sink from here, not yet booked on the arc before */
} Step;

static int64_t
blocking_flow(Net *n, Step *path)
{
	int depth = 0;

	path[0] = (Step){n->source, INT64_MAX, 0};
	for (;;) {
		Step *p = &path[depth];
		int s = -1;

		if (p->vertex == n->sink) {
			p->sent = p->room;
			p->room = 0;
		}
		if (p->room > 0)
			s = admissible(n, p->vertex);
		if (s >= 0) {
			path[++depth] = (Step){n->slot[s].to, MIN(p->room, n->slot[s].room), 0};
			continue;
		}
		if (depth == 0) {
			lose(n, n->source);
			return p->sent;
		}
		if (p->room > 0)
			lose(n, p->vertex);         /* nothing more gets through: no arc may lead here again */
		p[-1].room -= p->sent;
		p[-1].sent += p->sent;
		s = n->current[p[-1].vertex];
		n->slot[s].room -= p->sent;
		n->slot[n->slot[s].twin].room += p->sent;
		if (n->slot[s].room == 0)
			suspect(n, p[-1].vertex);
		depth--;
	}
}

FlowCut
flow_min_cut(Arena *a, int nvertex, const FlowArc *arc, int narc, int source, int sink)
{
	Net n = net_new(a, nvertex, arc, narc, source, sink);
	FlowCut c = {0};
	Step *path = NEW(a, nvertex, Step);
	Seed *seed = NEW(a, nvertex, Seed);

	if (infinite_path(a, &n, arc, narc, &c)) {
		c.value = -1;
		return c;
	}
	for (label(&n); n.level[source] >= 0; relabel(&n, seed))
		c.value += blocking_flow(&n, path);
	c.flow = NEW(a, narc, int64_t);
	c.sink_side = NEW(a, nvertex, uint8_t);
	for (int i = 0; i < narc; i++)
		c.flow[i] = n.slot[n.slot[n.at[i]].twin].room;
	for (int v = 0; v < nvertex; v++)
		c.sink_side[v] = n.level[v] >= 0;
	return c;
}

/* ---- ties ---- */

typedef struct Ties {      /* a solved network whose vertices 0 and 1 stand for source and sink */
	int nvertex, narc, caparc;
	FlowArc *arc;
	int *origin;           /* per arc: arc of the first network, or -1 for one that may not be cut */
	int *at;               /* per vertex of the first network: its vertex here */
	FlowCut cut;
} Ties;

/* per vertex: 0 reached from the source over residual arcs, 1 reaches the sink, 2 neither */
static uint8_t *
sides(Arena *a, const Ties *t, int source, int sink)
{
	Net n = net_new(a, t->nvertex, t->arc, t->narc, source, sink);
	uint8_t *side = NEW(a, t->nvertex, uint8_t);
	int tail = 0;

	for (int i = 0; i < t->narc; i++) {
		n.slot[n.at[i]].room -= t->cut.flow[i];
		n.slot[n.slot[n.at[i]].twin].room += t->cut.flow[i];
	}
	label(&n);
	for (int v = 0; v < t->nvertex; v++)
		side[v] = n.level[v] >= 0 ? 1 : 2;
	n.queue[tail++] = source;
	side[source] = 0;
	for (int i = 0; i < tail; i++)
		for (int v = n.queue[i], s = n.first[v]; s < n.first[v + 1]; s++)
			if (side[n.slot[s].to] == 2 && n.slot[s].room > 0) {
				side[n.slot[s].to] = 0;
				n.queue[tail++] = n.slot[s].to;
			}
	return side;
}

static void
ties_arc(Arena *a, Ties *t, int from, int to, int64_t cap, int origin)
{
	int64_t c = t->caparc, d = t->caparc;

	t->arc = arena_grow(a, t->arc, t->narc, &c, (int64_t)sizeof *t->arc);
	t->origin = arena_grow(a, t->origin, t->narc, &d, (int64_t)sizeof *t->origin);
	t->caparc = (int)c;
	t->arc[t->narc] = (FlowArc){from, to, cap};
	t->origin[t->narc++] = origin;
}

/* the network of what is still undecided in t, with the costs of the next rank */
static Ties
ties_next(Arena *a, const Ties *t, int source, int sink, int nfirst, const int64_t *rank)
{
	uint8_t *side = sides(a, t, source, sink);
	int *to = NEW(a, t->nvertex, int);
	Ties u = {.nvertex = 2, .at = NEW(a, nfirst, int)};

	for (int v = 0; v < t->nvertex; v++)
		to[v] = side[v] < 2 ? side[v] : u.nvertex++;
	for (int v = 0; v < nfirst; v++)
		u.at[v] = to[t->at[v]];
	for (int i = 0; i < t->narc; i++) {
		int x = to[t->arc[i].from], y = to[t->arc[i].to], origin = t->origin[i];
		bool inner = x > 1 && y > 1;

		if (t->cut.flow[i] < t->arc[i].cap) {
			if (inner)
				ties_arc(a, &u, x, y, FLOW_INF, -1);
		} else if (x != 1 && y != 0 && x + y > 1 && origin >= 0)
			ties_arc(a, &u, x, y, rank[origin], origin);
		if (t->cut.flow[i] > 0 && inner)
			ties_arc(a, &u, y, x, FLOW_INF, -1);
	}
	return u;
}

void
flow_refine(Arena *a, int nvertex, const FlowArc *arc, int narc, int source, int sink, FlowCut *cut,
	const int64_t *const *rank, int nrank)
{
	Ties t = {nvertex, narc, narc, NEW(a, narc, FlowArc), NEW(a, narc, int), NEW(a, nvertex, int), *cut};

	for (int i = 0; i < narc; i++) {
		t.arc[i] = arc[i];
		t.origin[i] = i;
	}
	for (int v = 0; v < nvertex; v++)
		t.at[v] = v;
	for (int r = 0; r < nrank; r++) {
		t = ties_next(a, &t, r ? 0 : source, r ? 1 : sink, nvertex, rank[r]);
		t.cut = flow_min_cut(a, t.nvertex, t.arc, t.narc, 0, 1);
		if (t.nvertex == 2)
			break;
	}
	for (int v = 0; v < nvertex; v++)
		cut->sink_side[v] = t.cut.sink_side[t.at[v]];
}

/* ---- the checker ---- */

static const char *
check_path(Arena *a, const FlowArc *arc, int narc, int source, int sink, const FlowCut *cut)
{
	int v = source;

	for (int k = 0; k < cut->npath; k++) {
		int i = cut->path[k];

		if (i < 0 || i >= narc)
			return arena_fmt(a, "path step %d: no arc %d", k, i);
		if (arc[i].from != v)
			return arena_fmt(a, "path step %d: arc %d leaves vertex %d, not %d", k, i, arc[i].from, v);
		if (arc[i].cap != FLOW_INF)
			return arena_fmt(a, "path step %d: arc %d is finite", k, i);
		v = arc[i].to;
	}
	return v == sink ? NULL : arena_fmt(a, "path ends at vertex %d, not at sink %d", v, sink);
}

static const char *
check_flow(Arena *a, int nvertex, const FlowArc *arc, int narc, int source, int sink, const FlowCut *cut)
{
	int64_t *net = NEW(a, nvertex, int64_t);    /* out minus in */

	if (cut->value < 0)
		return arena_fmt(a, "value %lld is negative", (long long)cut->value);
	for (int i = 0; i < narc; i++) {
		int64_t f = cut->flow[i];

		if (f < 0 || f > arc[i].cap)
			return arena_fmt(a, "arc %d: flow %lld is outside [0, %lld]", i, (long long)f,
				(long long)arc[i].cap);
		if (!add_ok(net[arc[i].from], f, &net[arc[i].from]) ||
			!add_ok(net[arc[i].to], -f, &net[arc[i].to]))
			return arena_fmt(a, "arc %d: flow %lld overflows a sum", i, (long long)f);
	}
	for (int v = 0; v < nvertex; v++) {
		int64_t want = v == source ? cut->value : v == sink ? -cut->value : 0;

		if (net[v] != want)
			return arena_fmt(a, "vertex %d: net outflow is %lld, not %lld", v, (long long)net[v],
				(long long)want);
	}
	return NULL;
}

static const char *
check_cut(Arena *a, const FlowArc *arc, int narc, int source, int sink, const FlowCut *cut)
{
	int64_t sum = 0;

	if (cut->sink_side[source] || !cut->sink_side[sink])
		return "the cut does not part source and sink";
	for (int i = 0; i < narc; i++) {
		if (cut->sink_side[arc[i].from] || !cut->sink_side[arc[i].to])
			continue;
		if (arc[i].cap == FLOW_INF)
			return arena_fmt(a, "arc %d: infinite and cut", i);
		if (!add_ok(sum, arc[i].cap, &sum))
			return arena_fmt(a, "arc %d: capacity of the cut overflows", i);
	}
	if (sum != cut->value)
		return arena_fmt(a, "the cut's capacity is %lld, the flow's value %lld", (long long)sum,
			(long long)cut->value);
	return NULL;
}

/* A feasible flow and a cut of the same value prove each other optimal (Ford, Fulkerson 1956). */
const char *
flow_check(Arena *a, int nvertex, const FlowArc *arc, int narc, int source, int sink, const FlowCut *cut)
{
	const char *wrong;

	if (cut->value == -1)
		return check_path(a, arc, narc, source, sink, cut);
	wrong = check_flow(a, nvertex, arc, narc, source, sink, cut);
	return wrong ? wrong : check_cut(a, arc, narc, source, sink, cut);
}
