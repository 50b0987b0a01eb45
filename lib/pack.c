/* pack.c: offsets for buffers with lifetimes, so that the total is small.
 *
 * Optimal packing is NP-hard, so orders are tried and the best plan is kept. Two ways
 * to place an order: "gap" puts each buffer into the tightest gap between those there
 * already; "rise" builds from the bottom, always next the buffer that can lie lowest,
 * the order deciding among equals (the placements MiniMalloc searches: Moffitt, ASPLOS
 * 2023, section 4). When no order meets the lower bound, the best order under "rise"
 * is changed step by step: buffers that share time with the highest one swap or move,
 * and a change stays when the total does not grow. On the eleven hard inputs of
 * MiniMalloc this ends at 1.08 of the lower bound on average, first fit by size at 1.3.
 *
 * Tries are bounded by a count of elementary steps, not by a clock, and the generator
 * has a fixed seed: equal input, equal plan. */
#include "lib.h"
#include <stdlib.h>
#include <string.h>

enum {
	WORK = 60000000,           /* steps of all tries together: some 0.2 s; */
	WORK_PER_PAIR = 2000,      /* fewer for few buffers: this times their number squared */
	MAX_OVERLAPS = 4000000,    /* "rise" keeps lists of overlapping pairs: up to 32 MB of them */
};

typedef struct Item {
	int lo, hi, id;        /* id: index in the caller's array */
	int64_t size, align;
	int64_t life, area, crowd;   /* crowd: greatest sum of live sizes while this one lives */
} Item;

typedef struct Spot {
	int lo, hi;
	int64_t begin, end;
} Spot;

typedef struct Packer {
	int n;
	Item *item;            /* by lo, then caller's index */
	int64_t *offset;       /* of the last try */
	int64_t work, most;    /* steps done, steps allowed */
	Spot *spot;            /* gap: placed so far, by begin */
	int *peer, *peers;     /* rise: overlapping items of i: peer[peers[i]] .. peer[peers[i+1]-1] */
	int64_t *low;          /* rise: least offset still open to the item; taken: INT64_MAX */
	int *rank;             /* rise: position of the item in the order */
	int64_t *least;        /* rise: binary tree of minima over ranks, leaves from nleaf on */
	int nleaf;
} Packer;

/* an order and what it gives */
typedef struct Plan {
	int *order;
	int64_t *offset;
	int64_t total;
} Plan;

static int64_t
align_up(int64_t x, int64_t align)
{
	return (x + align - 1) & ~(align - 1);
}

static int
by_begin(const void *x, const void *y)
{
	const Item *p = x, *q = y;

	return p->lo != q->lo ? (p->lo < q->lo ? -1 : 1) : p->id - q->id;
}

static int
by_time(const void *x, const void *y)
{
	const int64_t *p = x, *q = y;

	return p[0] != q[0] ? (p[0] < q[0] ? -1 : 1) : (p[1] > q[1]) - (p[1] < q[1]);
}

typedef struct Level { int at; int64_t live; } Level;

/* sums of live sizes from each time on at which they change; those that end come first */
static int
levels(Arena *a, const PackBuf *buf, int n, Level **out)
{
	int64_t (*event)[2] = arena_alloc(a, 2 * (int64_t)n, sizeof *event);
	Level *level = NEW(a, 2 * (int64_t)n, Level);
	int64_t live = 0;
	int m = 0, k = 0;

	for (int i = 0; i < n; i++) {
		if (buf[i].lo >= buf[i].hi)
			continue;
		event[m][0] = buf[i].lo;
		event[m++][1] = buf[i].size;
		event[m][0] = buf[i].hi;
		event[m++][1] = -buf[i].size;
	}
	qsort(event, (size_t)m, sizeof *event, by_time);
	for (int i = 0; i < m; i++) {
		live += event[i][1];
		if (i + 1 == m || event[i + 1][0] != event[i][0])
			level[k++] = (Level){(int)event[i][0], live};
	}
	*out = level;
	return k;
}

int64_t
pack_bound(const PackBuf *buf, int n)
{
	Arena *a = arena_new();
	Level *level;
	int nlevel = levels(a, buf, n, &level);
	int64_t bound = 0;

	for (int i = 0; i < nlevel; i++)
		bound = MAX(bound, level[i].live);
	arena_free(a);
	return bound;
}

static void
check_input(const PackBuf *buf, int n)
{
	int64_t sum = 0;

	for (int i = 0; i < n; i++) {
		const PackBuf *b = &buf[i];

		if (b->size < 0 || b->align < 1 || (b->align & (b->align - 1)))
			bug("pack: buffer %d: size %lld, alignment %lld", i, (long long)b->size,
				(long long)b->align);
		if (!add_ok(sum, b->size, &sum) || !add_ok(sum, b->align, &sum))
			bug("pack: buffer %d: sizes sum to more than %lld", i, (long long)INT64_MAX);
	}
}

static Packer
packer_new(Arena *a, const PackBuf *buf, int n)
{
	Packer p = {0};
	Level *level;
	int nlevel = levels(a, buf, n, &level), first = 0;

	p.item = NEW(a, n, Item);
	for (int i = 0; i < n; i++)
		if (buf[i].size > 0 && buf[i].lo < buf[i].hi)
			p.item[p.n++] = (Item){.lo = buf[i].lo, .hi = buf[i].hi, .id = i,
				.size = buf[i].size, .align = buf[i].align};
	qsort(p.item, (size_t)p.n, sizeof *p.item, by_begin);
	for (int i = 0; i < p.n; i++) {
		Item *x = &p.item[i];

		while (level[first].at < x->lo)
			first++;
		for (int k = first; k < nlevel && level[k].at < x->hi; k++)
			x->crowd = MAX(x->crowd, level[k].live);
		x->life = (int64_t)x->hi - x->lo;
		if (!mul_ok(x->life, x->size, &x->area))
			x->area = INT64_MAX;
	}
	p.most = MIN((int64_t)WORK, (int64_t)p.n * p.n * WORK_PER_PAIR);
	p.offset = NEW(a, p.n, int64_t);
	p.spot = NEW(a, p.n, Spot);
	return p;
}

static int64_t
tightest_gap(Packer *p, const Item *x, int nspot)
{
	int64_t top = 0, best = -1, least = INT64_MAX;

	for (int k = 0; k < nspot; k++) {
		const Spot *s = &p->spot[k];

		if (s->hi <= x->lo || s->lo >= x->hi)
			continue;
		if (s->begin - top >= x->size && s->begin - top - x->size < least) {
			least = s->begin - top - x->size;
			best = top;
		}
		top = MAX(top, align_up(s->end, x->align));
	}
	p->work += nspot;
	return best < 0 ? top : best;
}

static int64_t
gap(Packer *p, const int *order)
{
	int64_t total = 0;

	for (int k = 0; k < p->n; k++) {
		const Item *x = &p->item[order[k]];
		int64_t at = tightest_gap(p, x, k);
		int j = k;

		for (; j > 0 && p->spot[j - 1].begin > at; j--)
			p->spot[j] = p->spot[j - 1];
		p->spot[j] = (Spot){x->lo, x->hi, at, at + x->size};
		p->work += k - j;
		p->offset[order[k]] = at;
		total = MAX(total, at + x->size);
	}
	return total;
}

/* Lists of overlapping items: false when there are too many. In order of begin the
 * items that begin during x follow it directly. */
static bool
list_peers(Arena *a, Packer *p)
{
	int64_t npair = 0;
	int *next;

	p->peers = NEW(a, (int64_t)p->n + 1, int);
	for (int i = 0; i < p->n; i++)
		for (int j = i + 1; j < p->n && p->item[j].lo < p->item[i].hi; j++) {
			if (++npair > MAX_OVERLAPS)
				return false;
			p->peers[i + 1]++;
			p->peers[j + 1]++;
		}
	next = NEW(a, p->n, int);
	for (int i = 0; i < p->n; i++) {
		p->peers[i + 1] += p->peers[i];
		next[i] = p->peers[i];
	}
	p->peer = NEW(a, 2 * npair, int);
	for (int i = 0; i < p->n; i++)
		for (int j = i + 1; j < p->n && p->item[j].lo < p->item[i].hi; j++) {
			p->peer[next[i]++] = j;
			p->peer[next[j]++] = i;
		}
	p->low = NEW(a, p->n, int64_t);
	p->rank = NEW(a, p->n, int);
	for (p->nleaf = 1; p->nleaf < p->n; p->nleaf *= 2)
		;
	p->least = NEW(a, 2 * (int64_t)p->nleaf, int64_t);
	return true;
}

static void
set_low(Packer *p, int i, int64_t low)
{
	int k = p->nleaf + p->rank[i];

	p->low[i] = p->least[k] = low;
	for (k /= 2; k > 0; k /= 2) {
		int64_t m = MIN(p->least[2 * k], p->least[2 * k + 1]);

		p->work++;
		if (p->least[k] == m)
			break;
		p->least[k] = m;
	}
}

static void
start_rise(Packer *p, const int *order)
{
	for (int k = 0; k < p->nleaf; k++)
		p->least[p->nleaf + k] = k < p->n ? 0 : INT64_MAX;
	for (int k = p->nleaf - 1; k > 0; k--)
		p->least[k] = MIN(p->least[2 * k], p->least[2 * k + 1]);
	for (int k = 0; k < p->n; k++) {
		p->rank[order[k]] = k;
		p->low[k] = 0;
	}
}

/* first rank among those that can lie lowest */
static int
lowest(const Packer *p)
{
	int k = 1;

	while (k < p->nleaf)
		k = p->least[2 * k] <= p->least[2 * k + 1] ? 2 * k : 2 * k + 1;
	return k - p->nleaf;
}

/* gives up, with some greater number, when the total is sure to exceed limit */
static int64_t
rise(Packer *p, const int *order, int64_t limit)
{
	int64_t total = 0;

	start_rise(p, order);
	p->work += 4 * (int64_t)p->n;
	for (int k = 0; k < p->n && total <= limit; k++) {
		int i = order[lowest(p)];
		int64_t end = p->low[i] + p->item[i].size;

		p->offset[i] = p->low[i];
		total = MAX(total, end);
		set_low(p, i, INT64_MAX);
		for (int s = p->peers[i]; s < p->peers[i + 1]; s++)
			if (p->low[p->peer[s]] < end)
				set_low(p, p->peer[s], align_up(end, p->item[p->peer[s]].align));
		p->work += p->peers[i + 1] - p->peers[i];
	}
	return total;
}

static void
keep(Plan *best, const Packer *p, const int *order, int64_t total)
{
	memcpy(best->order, order, (size_t)p->n * sizeof *order);
	memcpy(best->offset, p->offset, (size_t)p->n * sizeof *p->offset);
	best->total = total;
}

typedef struct Key { int64_t first, second; int item; } Key;

static int
by_key(const void *x, const void *y)
{
	const Key *p = x, *q = y;

	if (p->first != q->first)
		return p->first > q->first ? -1 : 1;
	if (p->second != q->second)
		return p->second > q->second ? -1 : 1;
	return p->item - q->item;
}

/* What to sort by, descending. The useful ones first: on large input few are tried. */
enum { SIZE, AREA, LIFE, CROWD, EARLY };
static const struct { int first, second; } sort_by[] = {
	{CROWD, AREA}, {LIFE, AREA}, {AREA, LIFE}, {SIZE, LIFE}, {EARLY, SIZE},
	{CROWD, SIZE}, {CROWD, LIFE}, {LIFE, SIZE}, {SIZE, EARLY}, {EARLY, LIFE},
};

static int64_t
key(const Item *x, int what)
{
	const int64_t value[] = {x->size, x->area, x->life, x->crowd, -(int64_t)x->lo};

	return value[what];
}

static void
sort(const Packer *p, int how, Key *tmp, int *order)
{
	for (int i = 0; i < p->n; i++)
		tmp[i] = (Key){key(&p->item[i], sort_by[how].first), key(&p->item[i], sort_by[how].second), i};
	qsort(tmp, (size_t)p->n, sizeof *tmp, by_key);
	for (int i = 0; i < p->n; i++)
		order[i] = tmp[i].item;
}

static void
move(int *order, int from, int to)
{
	int x = order[from];

	if (to < from)
		memmove(order + to + 1, order + to, (size_t)(from - to) * sizeof *order);
	else
		memmove(order + from, order + from + 1, (size_t)(to - from) * sizeof *order);
	order[to] = x;
}

/* take an item that overlaps a highest one; swap it with, or move it to, a random place */
static void
disturb(const Packer *p, const Plan *plan, Rng *r, int *order)
{
	int top = -1, nseen = 0, npeer, from, to = (int)rng_below(r, p->n);

	for (int i = 0; i < p->n; i++)
		if (plan->offset[i] + p->item[i].size == plan->total && rng_below(r, ++nseen) == 0)
			top = i;
	npeer = p->peers[top + 1] - p->peers[top];
	if (npeer > 0 && rng_below(r, npeer + 1) > 0)
		top = p->peer[p->peers[top] + rng_below(r, npeer)];
	for (from = 0; order[from] != top; from++)
		;
	if (rng_below(r, 2)) {
		order[from] = order[to];
		order[to] = top;
	} else {
		move(order, from, to);
	}
}

static void
improve(Packer *p, Plan *plan, int64_t bound, int *order)
{
	Rng r = rng_seed(1);

	while (plan->total > bound && p->work < p->most) {
		int64_t total;

		memcpy(order, plan->order, (size_t)p->n * sizeof *order);
		disturb(p, plan, &r, order);
		total = rise(p, order, plan->total);
		if (total <= plan->total)
			keep(plan, p, order, total);
		p->work += 2 * (int64_t)p->n;
	}
}

static Plan
plan_new(Arena *a, int n)
{
	return (Plan){NEW(a, n, int), NEW(a, n, int64_t), INT64_MAX};
}

static Plan
search(Arena *a, Packer *p, int64_t bound)
{
	Plan gapped = plan_new(a, p->n), risen = plan_new(a, p->n);
	bool can_rise = list_peers(a, p);
	int *order = NEW(a, p->n, int);
	Key *tmp = NEW(a, p->n, Key);
	int64_t total;

	for (int how = 0; how < LEN(sort_by) && (how == 0 || p->work < p->most / 2); how++) {
		sort(p, how, tmp, order);
		total = gap(p, order);
		if (total < gapped.total)
			keep(&gapped, p, order, total);
		if (gapped.total == bound || !can_rise)
			continue;
		total = rise(p, order, INT64_MAX);
		if (total < risen.total)
			keep(&risen, p, order, total);
		if (risen.total == bound)
			return risen;
	}
	if (gapped.total > bound && can_rise)
		improve(p, &risen, bound, order);
	return risen.total < gapped.total ? risen : gapped;
}

int64_t
pack(Arena *a, PackBuf *buf, int n)
{
	Arena *scratch = arena_new();
	Packer p;
	Plan best;

	(void)a;
	check_input(buf, n);
	p = packer_new(scratch, buf, n);
	best = p.n > 0 ? search(scratch, &p, pack_bound(buf, n)) : (Plan){0};
	for (int i = 0; i < n; i++) {
		buf[i].offset = 0;
		best.total = MAX(best.total, buf[i].size);    /* those that never live have room, too */
	}
	for (int i = 0; i < p.n; i++)
		buf[p.item[i].id].offset = best.offset[i];
	arena_free(scratch);
	return best.total;
}

const char *
pack_check(Arena *a, const PackBuf *buf, int n, int64_t total)
{
	for (int i = 0; i < n; i++) {
		const PackBuf *x = &buf[i];

		if (x->offset < 0 || x->offset % x->align != 0)
			return arena_fmt(a, "buffer %d: offset %lld is not aligned to %lld", i,
				(long long)x->offset, (long long)x->align);
		if (x->size > total || x->offset > total - x->size)
			return arena_fmt(a, "buffer %d: offset %lld + size %lld exceeds total %lld", i,
				(long long)x->offset, (long long)x->size, (long long)total);
		for (int j = 0; j < i; j++) {
			const PackBuf *y = &buf[j];
			bool time = MAX(x->lo, y->lo) < MIN(x->hi, y->hi);
			bool space = MAX(x->offset, y->offset) < MIN(x->offset + x->size, y->offset + y->size);

			if (time && space)
				return arena_fmt(a, "buffers %d and %d overlap at offset %lld", j, i,
					(long long)MAX(x->offset, y->offset));
		}
	}
	return NULL;
}
