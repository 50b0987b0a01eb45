/* mem.c: arenas.
 *
 * An arena is a list of zeroed blocks; the newest small block is cut from the
 * front, a large request gets a block of its own behind it. Nothing is ever
 * given back before the arena is, so fresh memory is always still zero and
 * growing the newest array takes no copy. */
#include <stdlib.h>
#include <string.h>

#include "lib.h"

enum { ALIGN = 16, FIRST_BLOCK = 1 << 14, LAST_BLOCK = 1 << 22 };
/* no object is larger: systems that overcommit would grant it, sanitizers abort */
#define MAX_OBJECT (INT64_C(1) << 39)

typedef struct Block Block;
struct Block {
	Block *next;
	int64_t used, size;
	_Alignas(ALIGN) char data[];
};

struct Arena {
	Block *head;       /* the block being cut, then older ones */
	int64_t next_size;
	bool each_apart;   /* a malloc for each allocation */
};

bool
mul_ok(int64_t a, int64_t b, int64_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

bool
add_ok(int64_t a, int64_t b, int64_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

int64_t
mul_sat(int64_t a, int64_t b)
{
	int64_t p;
	return mul_ok(a, b, &p) ? p : INT64_MAX;
}

int64_t
add_sat(int64_t a, int64_t b)
{
	int64_t s;
	return add_ok(a, b, &s) ? s : INT64_MAX;
}

Arena *
arena_new(void)
{
	Arena *a = calloc(1, sizeof *a);
	if (!a)
		fail(EXIT_BUG, (Loc){0}, "out of memory");
	a->next_size = FIRST_BLOCK;
	a->each_apart = getenv("GRADC_DEBUG_ALLOC") != NULL;
	return a;
}

void
arena_free(Arena *a)
{
	if (!a)
		return;
	for (Block *b = a->head, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

static Block *
block_new(int64_t size)
{
	Block *b = size <= MAX_OBJECT ? calloc(1, sizeof *b + (size_t)size) : NULL;
	if (!b)
		fail(EXIT_BUG, (Loc){0}, "out of memory: %lld bytes asked for", (long long)size);
	b->size = size;
	return b;
}

/* a whole block for one object; the block being cut stays in front */
static void *
alloc_apart(Arena *a, int64_t size)
{
	Block *b = block_new(size);
	b->used = size;
	Block **at = a->head ? &a->head->next : &a->head;
	b->next = *at;
	*at = b;
	return b->data;
}

static int64_t
object_size(int64_t n, int64_t size)
{
	int64_t bytes, padded;
	if (n < 0 || size < 0)
		bug("arena: %lld objects of %lld bytes", (long long)n, (long long)size);
	if (!mul_ok(n, size, &bytes) || !add_ok(bytes, ALIGN - 1, &padded))
		fail(EXIT_BUG, (Loc){0}, "out of memory: %lld objects of %lld bytes asked for",
			(long long)n, (long long)size);
	return bytes;
}

static int64_t
padded_size(int64_t bytes)
{
	return MAX((bytes + ALIGN - 1) / ALIGN * ALIGN, ALIGN);
}

void *
arena_alloc(Arena *a, int64_t n, int64_t size)
{
	int64_t bytes = object_size(n, size);
	if (a->each_apart)
		return alloc_apart(a, bytes);
	int64_t padded = padded_size(bytes);
	if (padded > a->next_size / 4)
		return alloc_apart(a, padded);
	if (!a->head || a->head->size - a->head->used < padded) {
		Block *b = block_new(a->next_size);
		b->next = a->head;
		a->head = b;
		a->next_size = MIN(a->next_size * 2, LAST_BLOCK);
	}
	void *p = a->head->data + a->head->used;
	a->head->used += padded;
	return p;
}

char *
arena_copy(Arena *a, const char *s, int64_t n)
{
	char *p = arena_alloc(a, n + 1, 1);
	if (n > 0)
		memcpy(p, s, (size_t)n);
	return p;
}

char *
arena_str(Arena *a, const char *s)
{
	return arena_copy(a, s, (int64_t)strlen(s));
}

char *
arena_fmt(Arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	Buf b = {.arena = a};
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return b.s ? b.s : arena_str(a, "");
}

/* widen the newest object of the block being cut where it stands */
static bool
extend(Arena *a, const void *v, int64_t old, int64_t bytes)
{
	Block *b = a->head;
	if (a->each_apart || !b || !v)
		return false;
	int64_t from = padded_size(old), to = padded_size(bytes);
	if (b->used < from || b->data + b->used - from != (const char *)v || to - from > b->size - b->used)
		return false;
	b->used += to - from;
	return true;
}

void *
arena_grow(Arena *a, void *v, int64_t n, int64_t *cap, int64_t size)
{
	if (n < *cap)
		return v;
	int64_t wide;
	if (!mul_ok(MAX(*cap, 4), 2, &wide))
		bug("arena: an array of %lld elements", (long long)n);
	if (!extend(a, v, *cap * size, object_size(wide, size))) {
		void *w = arena_alloc(a, wide, size);
		if (n > 0)
			memcpy(w, v, (size_t)(n * size));
		v = w;
	}
	*cap = wide;
	return v;
}
