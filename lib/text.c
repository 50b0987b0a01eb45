/* text.c: the string builder, maps from bytes to pointers, nearest words, and
 * the seeded random numbers.
 *
 * A Map is an array of entries in insertion order and a table of indices into
 * it, probed linearly and at most half full. The hash is the same in every
 * process, so nothing that is printed can depend on one. */
#include <ctype.h>
#include <string.h>

#include "lib.h"

static void
reserve(Buf *b, int64_t more)
{
	int64_t need;
	if (!add_ok(b->n, more + 1, &need))
		bug("text of more than 2^63 bytes");
	while (b->cap < need)
		b->s = arena_grow(b->arena, b->s, b->cap, &b->cap, 1);
}

void
buf_put(Buf *b, const char *s, int64_t n)
{
	reserve(b, n);
	if (n > 0)
		memcpy(b->s + b->n, s, (size_t)n);
	b->n += n;
	b->s[b->n] = 0;
}

void
buf_putc(Buf *b, int c)
{
	buf_put(b, &(char){(char)c}, 1);
}

void
buf_puts(Buf *b, const char *s)
{
	buf_put(b, s, (int64_t)strlen(s));
}

void
buf_vprintf(Buf *b, const char *fmt, va_list ap)
{
	reserve(b, 64);
	va_list again;
	va_copy(again, ap);
	int64_t room = b->cap - b->n;
	int n = vsnprintf(b->s + b->n, (size_t)room, fmt, ap);
	if (n < 0)
		bug("text: format '%s'", fmt);
	if (n >= room) {
		reserve(b, n);
		vsnprintf(b->s + b->n, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	b->n += n;
}

void
buf_printf(Buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

const char *
buf_str(Buf *b)
{
	return b->s ? b->s : "";
}

typedef struct Entry {
	char *key;
	int64_t n;
	uint64_t hash;
	void *val;
} Entry;

struct Map {
	Arena *arena;
	Entry *entry;
	int64_t nentry, cap;
	int *slot;         /* index of an entry + 1; 0: empty */
	int64_t nslot;     /* a power of two, or 0 */
};

Map *
map_new(Arena *a)
{
	Map *m = NEW(a, 1, Map);
	m->arena = a;
	return m;
}

/* FNV-1a, Fowler, Noll, Vo; IETF draft-eastlake-fnv */
uint64_t
hash64(const void *p, int64_t n, uint64_t seed)
{
	const unsigned char *s = p;
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;
	for (int64_t i = 0; i < n; i++)
		h = (h ^ s[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* the slot of the key, or the empty one where it belongs; there are slots */
static int *
find_slot(const Map *m, const void *key, int64_t n, uint64_t hash)
{
	uint64_t mask = (uint64_t)m->nslot - 1;
	for (uint64_t i = (hash ^ hash >> 32) & mask;; i = (i + 1) & mask) {
		if (!m->slot[i])
			return &m->slot[i];
		const Entry *e = &m->entry[m->slot[i] - 1];
		if (e->hash == hash && e->n == n && (n == 0 || !memcmp(e->key, key, (size_t)n)))
			return &m->slot[i];
	}
}

static void
widen(Map *m)
{
	m->nslot = MAX(m->nslot * 2, 8);
	m->slot = NEW(m->arena, m->nslot, int);
	for (int64_t i = 0; i < m->nentry; i++) {
		const Entry *e = &m->entry[i];
		*find_slot(m, e->key, e->n, e->hash) = (int)i + 1;
	}
}

static const Entry *
find(const Map *m, const void *key, int64_t n)
{
	if (m->nslot == 0)
		return NULL;
	int i = *find_slot(m, key, n, hash64(key, n, 0));
	return i ? &m->entry[i - 1] : NULL;
}

static Entry *
find_or_add(Map *m, const void *key, int64_t n)
{
	if (m->nentry * 2 >= m->nslot)
		widen(m);
	uint64_t hash = hash64(key, n, 0);
	int *slot = find_slot(m, key, n, hash);
	if (!*slot) {
		if (m->nentry >= INT32_MAX)
			bug("map of more than 2^31 keys");
		Entry e = {.key = arena_copy(m->arena, key, n), .n = n, .hash = hash};
		PUSH(m->arena, m->entry, m->nentry, m->cap, e);
		*slot = (int)m->nentry;
	}
	return &m->entry[*slot - 1];
}

void *
map_get_bytes(const Map *m, const void *key, int64_t n)
{
	const Entry *e = find(m, key, n);
	return e ? e->val : NULL;
}

void
map_set_bytes(Map *m, const void *key, int64_t n, void *val)
{
	find_or_add(m, key, n)->val = val;
}

void *
map_get(const Map *m, const char *key)
{
	return map_get_bytes(m, key, (int64_t)strlen(key));
}

void
map_set(Map *m, const char *key, void *val)
{
	map_set_bytes(m, key, (int64_t)strlen(key), val);
}

int
map_len(const Map *m)
{
	return (int)m->nentry;
}

static const Entry *
entry_at(const Map *m, int i)
{
	if (i < 0 || i >= m->nentry)
		bug("map: entry %d of %lld", i, (long long)m->nentry);
	return &m->entry[i];
}

const char *
map_key(const Map *m, int i)
{
	return entry_at(m, i)->key;
}

void *
map_at(const Map *m, int i)
{
	return entry_at(m, i)->val;
}

const char *
intern(Map *m, const char *s, int64_t n)
{
	return find_or_add(m, s, n)->key;
}

enum { MAX_WORD = 127 };

/* Edit distance with swaps of neighbours (optimal string alignment), in three
 * rows; letters are compared without case, since "ReLU" means "relu". */
static int
distance(const char *a, int na, const char *b, int nb)
{
	int rows[3][MAX_WORD + 1];
	int *prev2 = rows[0], *prev = rows[1], *row = rows[2];
	for (int j = 0; j <= nb; j++)
		prev[j] = j;
	for (int i = 1; i <= na; i++) {
		row[0] = i;
		int x = tolower((unsigned char)a[i - 1]);
		int before_x = i > 1 ? tolower((unsigned char)a[i - 2]) : -1;
		for (int j = 1; j <= nb; j++) {
			int y = tolower((unsigned char)b[j - 1]);
			row[j] = MIN(prev[j - 1] + (x != y), MIN(prev[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && before_x == y && x == tolower((unsigned char)b[j - 2]))
				row[j] = MIN(row[j], prev2[j - 2] + 1);
		}
		int *free_row = prev2;
		prev2 = prev;
		prev = row;
		row = free_row;
	}
	return prev[nb];
}

const char *
nearest(const char *s, const char *const *cand, int n)
{
	size_t len = strlen(s);
	if (len > MAX_WORD)
		return NULL;
	const char *best = NULL;
	int limit = (int)len / 3;
	for (int i = 0; i < n; i++) {
		size_t m = strlen(cand[i]);
		if (m > MAX_WORD || (int)m > (int)len + limit || (int)m < (int)len - limit)
			continue;
		int d = distance(s, (int)len, cand[i], (int)m);
		if (d <= limit) {
			best = cand[i];
			limit = d - 1;
		}
	}
	return best;
}

static uint64_t
rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

/* the four words come from SplitMix64 (Steele, Lea, Flood 2014), as its authors advise */
Rng
rng_seed(uint64_t seed)
{
	Rng r;
	for (int i = 0; i < 4; i++) {
		seed += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t z = seed;
		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		r.s[i] = z ^ z >> 31;
	}
	return r;
}

uint64_t
rng_next(Rng *r)
{
	uint64_t *s = r->s, out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

int64_t
rng_below(Rng *r, int64_t n)
{
	if (n <= 0)
		bug("random number below %lld", (long long)n);
	/* the 2^64 mod n smallest draws would favour small results */
	uint64_t m = (uint64_t)n, skip = (0 - m) % m, x;
	do
		x = rng_next(r);
	while (x < skip);
	return (int64_t)(x % m);
}

double
rng_double(Rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}
