/* run.c: calls emitted functions on data from a file, and watches them.
 *
 * usage: run REQUEST RESPONSE
 * Every array is an allocation of its own with the alignment of its elements only,
 * between guard bytes (or, under AddressSanitizer, of its exact size); memory
 * without content is filled with a byte that the request chooses; saved values
 * and outputs may not be needed where the interface says that they are not.
 * What a call may only read is compared afterwards. Exit 3: a promise is broken. */
#define _POSIX_C_SOURCE 200112L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INFER, FORWARD, BACKWARD, TRAIN, UPDATE };

typedef struct Slot {          /* an array that a call gets */
	const char *name;
	char kind;             /* input, param, state, cotangent, output, grad, moments */
	int align;
} Slot;
typedef struct Model {
	const char *name;
	const Slot *slot;
	int nslot, nsym;
	size_t saved, workspace, infer_workspace, train_workspace;
	int (*call)(int function, void *const *p, const int64_t *sym, int64_t *step, void *saved, void *workspace);
} Model;
typedef struct Block {
	char *base, *p;        /* p: NULL when the call gets NULL */
	char *before;          /* content at the last snapshot */
	size_t n, front;
} Block;

#if defined(__SANITIZE_ADDRESS__)
enum { GUARD = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { GUARD = 0 };
#else
enum { GUARD = 64 };
#endif
#else
enum { GUARD = 64 };
#endif
static const unsigned char MARK = 0xC5;

static void
broken(const char *model, const char *name, const char *what)
{
	fprintf(stderr, "%s: '%s' %s\n", model, name, what);
	exit(3);
}

/* ---- memory ---- */

static void *
memory(size_t n)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, n ? n : 1)) {
		fprintf(stderr, "no memory\n");
		exit(4);
	}
	return p;
}

/* shift: by how many bytes p misses an alignment of 64 */
static Block
block_new(size_t n, size_t shift, int fill)
{
	Block b = {NULL, NULL, NULL, 0, 0};

	b.n = n;
	b.front = GUARD + shift;
	b.base = memory(b.front + n + GUARD);
	b.p = b.base + b.front;
	memset(b.base, MARK, b.front);
	memset(b.p, fill, n);
	memset(b.p + n, MARK, GUARD);
	return b;
}

static void
block_check(const Block *b, const char *model, const char *name)
{
	size_t i;

	for (i = 0; b->p && i < b->front; i++)
		if ((unsigned char)b->base[i] != MARK)
			broken(model, name, "is written below its first byte");
	for (i = 0; b->p && i < GUARD; i++)
		if ((unsigned char)b->p[b->n + i] != MARK)
			broken(model, name, "is written above its last byte");
}

static void
block_free(Block *b)
{
	free(b->base);
	free(b->before);
}

/* ---- files ---- */

static void
get_bytes(FILE *f, void *p, size_t n)
{
	if (n && fread(p, 1, n, f) != n) {
		fprintf(stderr, "the request ends too early\n");
		exit(4);
	}
}

static int64_t
get(FILE *f)
{
	int64_t v;

	get_bytes(f, &v, sizeof v);
	return v;
}

static void
put_bytes(FILE *f, const void *p, size_t n)
{
	if (n && fwrite(p, 1, n, f) != n) {
		fprintf(stderr, "the response cannot be written\n");
		exit(4);
	}
}

static void
put(FILE *f, int64_t v)
{
	put_bytes(f, &v, sizeof v);
}

static void
put_blocks(FILE *f, const Model *m, const Block *b, const char *kinds)
{
	int i;

	for (i = 0; i < m->nslot; i++)
		if (strchr(kinds, m->slot[i].kind) && b[i].p)
			put_bytes(f, b[i].p, b[i].n);
}

/* ---- one request ---- */

static void
snapshot(const Model *m, Block *b)
{
	int i;

	for (i = 0; i < m->nslot; i++)
		if (b[i].p) {
			if (!b[i].before)
				b[i].before = memory(b[i].n);
			memcpy(b[i].before, b[i].p, b[i].n);
		}
}

/* guards stand, and arrays of these kinds are as they were */
static void
check(const Model *m, const Block *b, const char *readonly)
{
	int i;

	for (i = 0; i < m->nslot; i++) {
		block_check(&b[i], m->name, m->slot[i].name);
		if (b[i].p && strchr(readonly, m->slot[i].kind) && memcmp(b[i].before, b[i].p, b[i].n))
			broken(m->name, m->slot[i].name, "is written by a call that may only read it");
	}
}

static void
refill(const Model *m, Block *b, Block *workspace, int fill)
{
	int i;

	for (i = 0; i < m->nslot; i++)
		if (m->slot[i].kind == 'o' && b[i].p)
			memset(b[i].p, fill, b[i].n);
	memset(workspace->p, fill, workspace->n);
}

static const char *
may_only_read(int function)
{
	static const char *const kinds[] = {"icpsgm", "icgm", "icpsom", "ic", "icsog"};

	return kinds[function];
}

static int
call(const Model *m, int function, Block *b, void *const *p, const int64_t *sym, int64_t *step, Block *saved,
	Block *workspace)
{
	int code;

	snapshot(m, b);
	code = m->call(function, p, sym, step, saved->p, workspace->p);
	check(m, b, may_only_read(function));
	block_check(saved, m->name, "saved");
	block_check(workspace, m->name, "workspace");
	return code;
}

static void
run(const Model *m, FILE *in, FILE *out)
{
	int function = (int)get(in), fill = (int)get(in), i;
	int64_t step = get(in), sym[16];
	Block *b = memory((size_t)(m->nslot + 1) * sizeof *b), saved, workspace;
	void **p = memory((size_t)(m->nslot + 1) * sizeof *p);

	for (i = 0; i < m->nsym; i++)
		sym[i] = get(in);
	for (i = 0; i < m->nslot; i++) {
		int64_t how = get(in), n = get(in);      /* 0: NULL, 1: content follows, 2: filled */
		b[i] = block_new((size_t)n, (size_t)m->slot[i].align, fill);
		if (how == 1)
			get_bytes(in, b[i].p, (size_t)n);
		if (how == 0)
			b[i].p = NULL;
		p[i] = b[i].p;
	}
	saved = block_new(m->saved, 0, fill);
	workspace = block_new(
		function == INFER ? m->infer_workspace : function == TRAIN ? m->train_workspace : m->workspace,
		0, fill);
	put(out, call(m, function == BACKWARD ? FORWARD : function, b, p, sym, &step, &saved, &workspace));
	put_blocks(out, m, b, "o");
	if (function == BACKWARD) {
		refill(m, b, &workspace, 255 - fill);
		put(out, call(m, BACKWARD, b, p, sym, &step, &saved, &workspace));
	} else
		put(out, 0);
	put(out, step);
	put_blocks(out, m, b, "psgm");
	for (i = 0; i < m->nslot; i++)
		block_free(&b[i]);
	block_free(&saved);
	block_free(&workspace);
	free(b);
	free(p);
}

static int
run_all(const Model *models, int nmodel, int argc, char **argv)
{
	FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL, *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
	int64_t n, k, which;

	if (!in || !out) {
		fprintf(stderr, "usage: run REQUEST RESPONSE\n");
		return 2;
	}
	for (n = get(in), k = 0; k < n; k++) {
		which = get(in);
		if (which < 0 || which >= nmodel)
			return 2;
		run(&models[which], in, out);
		if (fflush(out))
			return 4;
	}
	fclose(in);
	return fclose(out) ? 4 : 0;
}
