/* driver: calls every function of one emitted model in every way that its contract
 * speaks of. case.h, written by run.c, gives the tables of members and the macros
 * that name the functions. Results go to a file; what the contract forbids is
 * printed as a line beginning with FAIL.
 *
 *   driver IN OUT */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Field {
	const char *name;
	void **at;                     /* the member of the struct */
	size_t bytes, most;            /* at these dimensions; at the greatest */
	int elem;                      /* bytes of an element */
	int64_t bound;                 /* indices below this; 0: no indices */
	int grad;                      /* GRAD, PARAM: the optimizer needs it */
	void *mem, *base, *first;      /* the array, in its allocation; its first contents */
} Field;

#include "case.h"

static FILE *out_file;
static int failed;
static unsigned char *saved, *space;
static size_t space_bytes;
enum { POISON = 0xa5 };

static void
fail(const char *what, const char *name)
{
	printf("FAIL %s: %s %s\n", MODEL_NAME, what, name);
	failed++;
}

/* of exactly this size, so that sanitizers see what lies beyond; rubbish */
static void *
room(size_t bytes, size_t align)
{
	void *p = NULL;

	if (posix_memalign(&p, align, bytes + (bytes == 0)))
		exit(9);
	return memset(p, POISON, bytes);
}

static int
poisoned(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((const unsigned char *)p)[i] != POISON)
			return 0;
	return 1;
}

static void
put(const char *what, const char *name, const void *p, size_t n)
{
	uint64_t head = n;

	fprintf(out_file, "%s.%s\n", what, name);
	fwrite(&head, sizeof head, 1, out_file);
	fwrite(p, 1, n, out_file);
}

/* ---- arrays ---- */

/* aligned as an element has to be, and not better */
static void
fresh(Field *f, int fill)
{
	for (; f->name; f++) {
		free(f->base);
		f->base = room(f->bytes + (size_t)f->elem, 64);
		*f->at = f->mem = (char *)f->base + f->elem;
		if (fill)
			memcpy(f->mem, f->first, f->bytes);
	}
}

static void
load(Field *f, FILE *in)
{
	for (; f->name; f++) {
		f->first = room(f->bytes, 8);
		if (fread(f->first, 1, f->bytes, in) != f->bytes)
			exit(8);
	}
}

static void
put_all(const char *what, const Field *f)
{
	for (; f->name; f++)
		if (*f->at)
			put(what, f->name, f->mem, f->bytes);
}

static void
zero(Field *f)
{
	for (; f->name; f++)
		memset(f->mem, 0, f->bytes);
}

static void
unchanged(const char *what, const Field *f)
{
	for (; f->name; f++)
		if (memcmp(f->mem, f->first, f->bytes))
			fail(what, f->name);
}

static void
untouched(const char *what, const Field *f)
{
	for (; f->name; f++)
		if (!poisoned(f->mem, f->bytes))
			fail(what, f->name);
}

/* copies of what a call gave, to compare the next with */
static void
keep(Field *f, void **copy)
{
	for (int i = 0; f[i].name; i++)
		copy[i] = memcpy(room(f[i].bytes, 8), f[i].mem, f[i].bytes);
}

/* a float of n bytes, 0 or -0 */
static int
no_bits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] && (i + 1 < n || (unsigned char)p[i] != 0x80))        /* little-endian */
			return 0;
	return 1;
}

/* 0 + -0 is 0: added to zeros, a gradient may lose the sign of a zero, and nothing else */
static int
equal(const Field *f, const char *x, const char *y)
{
	size_t n = (size_t)f->elem;

	if (!ACCUMULATE || f < f_grad || f >= f_grad + NGRAD)
		return !memcmp(x, y, f->bytes);
	for (size_t i = 0; i < f->bytes; i += n)
		if (memcmp(x + i, y + i, n) && !(no_bits(x + i, n) && no_bits(y + i, n)))
			return 0;
	return 1;
}

static void
same(const char *what, const Field *f, void *const *copy)
{
	for (int i = 0; f[i].name; i++)
		if (*f[i].at && !equal(&f[i], f[i].mem, copy[i]))
			fail(what, f[i].name);
}

enum { MOST = 400 };
static void *kept_out[MOST], *kept_grad[MOST], *kept_state[MOST], *kept_param[MOST], *kept_infer[MOST];

static void
new_space(size_t bytes)
{
	free(space);
	space = room(bytes, 64);
	space_bytes = bytes;
}

/* all as before the first call */
static void
begin(void)
{
	fresh(f_in, 1);
	fresh(f_param, 1);
	fresh(f_state, 1);
	fresh(f_ct, 1);
	fresh(f_out, 0);
	fresh(f_grad, 0);
	new_space(WORKSPACE);
	set_dims();
}

/* ---- the calls ---- */

enum { INFER, FORWARD, BACKWARD, TRAIN, NCALL };
static const char *const call_name[] = {"infer", "forward", "backward", "train_step"};

static int
call_at(int which, void *workspace)
{
	switch (which) {
	case INFER:    return CALL_INFER(workspace);
#ifdef CALL_FORWARD
	case FORWARD:  return CALL_FORWARD(workspace);
#endif
#ifdef CALL_BACKWARD
	case BACKWARD: return CALL_BACKWARD(workspace);
#endif
#ifdef CALL_TRAIN
	case TRAIN:    return CALL_TRAIN(workspace);
#endif
	}
	return -1;
}

static int
call(int which)
{
	return call_at(which, space);
}

static int
has(int which)
{
	return which == INFER || (which == FORWARD && HAS_FORWARD) || (which == BACKWARD && HAS_BACKWARD)
		|| (which == TRAIN && HAS_TRAIN);
}

static void
must(int which, const char *how)
{
	int rc = call(which);

	if (rc != CODE(OK)) {
		printf("FAIL %s: %s %s returns %d\n", MODEL_NAME, call_name[which], how, rc);
		failed++;
	}
}

static void
ready(int which)
{
	begin();
	if (HAS_BACKWARD) {
		free(saved);
		saved = room(SAVED, 64);
	}
	if (which == BACKWARD) {
		must(FORWARD, "before backward");
		fresh(f_out, 0);
		new_space(WORKSPACE);
		zero(f_grad);
	}
	if (which == TRAIN) {
		begin_optimizer();
		new_space(TRAIN_WORKSPACE);
	}
}

/* results and state of a plain run of everything */
static void
plain(void)
{
	ready(INFER);
	must(INFER, "");
	put_all("infer", f_out);
	unchanged("infer changes", f_param);
	unchanged("infer changes", f_state);
	keep(f_out, kept_infer);
	if (HAS_FORWARD) {
		ready(FORWARD);
		must(FORWARD, "");
		put_all("out", f_out);
		put_all("state", f_state);
		put_all("param", f_param);
		unchanged("forward changes", f_in);
		keep(f_out, kept_out);
		keep(f_state, kept_state);
		keep(f_param, kept_param);
	}
	if (HAS_BACKWARD) {
		ready(BACKWARD);
		must(BACKWARD, "");
		put_all("grad", f_grad);
		same("backward changes", f_state, kept_state);
		same("backward changes", f_param, kept_param);
		unchanged("backward changes", f_in);
		keep(f_grad, kept_grad);
		untouched("backward writes", f_out);
	}
}

/* any one result alone, and all but one, have the bits that they have among the others */
static void
choices(int which, Field *f, void **kept)
{
	for (int i = 0; f[i].name; i++)
		for (int others = 0; others < 2; others++) {
			ready(which);
			for (int k = 0; f[k].name; k++)
				if ((k == i) == others)
					*f[k].at = NULL;
			must(which, "with some results");
			same(others ? "differs without another:" : "differs alone:", f, kept);
		}
}

static void
no_results(void)
{
	ready(FORWARD);
	for (int i = 0; f_out[i].name; i++)
		*f_out[i].at = NULL;
	must(FORWARD, "without outputs");
	same("forward without outputs:", f_state, kept_state);
	if (!HAS_BACKWARD)
		return;
	new_space(WORKSPACE);
	zero(f_grad);
	must(BACKWARD, "after forward without outputs");
	same("backward after forward without outputs:", f_grad, kept_grad);
}

static void
twice(void)
{
	ready(BACKWARD);
	must(BACKWARD, "");
	must(BACKWARD, "again");
	if (!ACCUMULATE)
		same("a second backward changes", f_grad, kept_grad);
	else
		put_all("grad2", f_grad);
}

/* ---- refusals ---- */

/* nothing is written by a call that is refused */
static void
refused(int which, int rc, int want, const char *what, const char *name)
{
	if (rc != want) {
		printf("FAIL %s: %s with %s %s returns %d, not %d\n", MODEL_NAME, call_name[which], what, name, rc, want);
		failed++;
	}
	untouched("a refused call writes output", f_out);
	if (which != BACKWARD) {
		untouched("a refused call writes gradient", f_grad);
		unchanged("a refused call changes", f_state);
		unchanged("a refused call changes", f_param);
		if (!poisoned(space, space_bytes) || (HAS_BACKWARD && !poisoned(saved, SAVED)))
			fail("a refused call writes to", "workspace or saved");
	}
}

/* an argument that is NULL is refused, or not needed for the same results */
static void
nulls(int which, Field *f, int results)
{
	for (int i = 0; f[i].name; i++) {
		int rc;
		ready(which);
		*f[i].at = NULL;
		rc = call(which);
		if (rc == CODE(E_NULL))
			refused(which, rc, CODE(E_NULL), "NULL", f[i].name);
		else if (rc != CODE(OK))
			fail("a NULL argument has another code:", f[i].name);
		else if (results && which == INFER)
			same("wrong without an argument:", f_out, kept_infer);
		else if (results && which == FORWARD)
			same("wrong without an argument:", f_out, kept_out);
		else if (results && which == BACKWARD)
			same("wrong without an argument:", f_grad, kept_grad);
	}
}

static void
indices(int which, Field *f)
{
	static const int64_t by[] = {-1, 0};

	for (int i = 0; f[i].name; i++)
		for (int k = 0; f[i].bound && k < 2; k++) {
			int64_t v = by[k] < 0 ? -5 : f[i].bound;
			size_t last = f[i].bytes - (size_t)f[i].elem;
			int rc;
			ready(which);
			memcpy((char *)f[i].mem + last, &v, (size_t)f[i].elem);     /* little-endian */
			rc = call(which);
			if (rc != CODE(OK))
				refused(which, rc, CODE(E_INDEX), "an index out of range in", f[i].name);
			else if (which == FORWARD)
				fail("an index out of range is not refused in", f[i].name);
		}
}

static void
dims(int which)
{
	for (int i = 0; i < NDIM; i++)
		for (int k = 0; k < 2; k++) {
			ready(which);
			*dim_at(i) = k ? dim_max[i] + 1 : dim_min[i] - 1;
			refused(which, call(which), CODE(E_DIM), "dimension out of range", dim_name[i]);
		}
}

static void
refusals(int which)
{
	ready(which);
	refused(which, call_at(which, NULL), CODE(E_NULL), "NULL", "workspace");
	ready(which);
	refused(which, call_at(which, space + 32), CODE(E_ALIGN), "misaligned", "workspace");
	nulls(which, f_in, 1);
	nulls(which, f_param, 1);
	nulls(which, f_state, 1);
	if (which == BACKWARD)
		nulls(which, f_ct, 1);
	indices(which, f_in);
	dims(which);
}

static void
bad_saved(void)
{
	ready(BACKWARD);
	saved[0] ^= 1;
	refused(BACKWARD, call(BACKWARD), CODE(E_SAVED), "another", "magic number");
	for (int i = 0; i < NDIM; i++) {
		ready(BACKWARD);
		*dim_at(i) += *dim_at(i) < dim_max[i] ? 1 : -1;
		if (dim_min[i] < dim_max[i])
			refused(BACKWARD, call(BACKWARD), CODE(E_SAVED), "saved of another", dim_name[i]);
	}
	ready(FORWARD);
	memset(saved, 0, SAVED);
	if (call(BACKWARD) != CODE(E_SAVED))
		fail("backward takes zeros as", "saved");
}

/* ---- training ---- */

/* train_step has the bits of forward, backward and update */
static void
train(void)
{
#ifdef CALL_TRAIN
	enum { STEPS = 3 };
	void *moments = room(MOMENTS, 8);

	ready(FORWARD);
	begin_optimizer();
	put("opt", "defaults", defaults, sizeof defaults);
	for (int i = 0; i < STEPS; i++) {
		static const char *const by[] = {"by0", "by1", "by2"}, *const from[] = {"from0", "from1", "from2"},
			*const after[] = {"after0", "after1", "after2"};
		must(FORWARD, "in training");
		zero(f_grad);
		must(BACKWARD, "in training");
		put_all(by[i], f_grad);
		put_all(from[i], f_param);
		if (CALL_UPDATE)
			fail("update refuses", "");
		put_all(after[i], f_param);
	}
	memcpy(moments, optimizer_memory, MOMENTS);
	keep(f_param, kept_param);
	keep(f_state, kept_state);
	keep(f_grad, kept_grad);
	keep(f_out, kept_out);
	ready(TRAIN);
	for (int i = 0; i < STEPS; i++)
		must(TRAIN, "");
	same("train_step differs:", f_param, kept_param);
	same("train_step differs:", f_state, kept_state);
	same("train_step differs:", f_grad, kept_grad);
	same("train_step differs:", f_out, kept_out);
	if (memcmp(moments, optimizer_memory, MOMENTS))
		fail("train_step differs:", "moments");
	if (opt.step != STEPS)
		fail("train_step does not count", "steps");
	for (int i = 0; f_grad[i].name; i++) {
		if (!f_grad[i].grad)
			continue;
		ready(TRAIN);
		*f_grad[i].at = NULL;
		refused(TRAIN, call(TRAIN), CODE(E_NULL), "NULL gradient", f_grad[i].name);
	}
	free(moments);
#endif
}

/* ---- flat arrays ---- */

static void
flat(const char *what, Field *f, unsigned char *bytes, size_t n, const size_t *offset)
{
	for (int i = 0; f[i].name; i++) {
		if ((unsigned char *)*f[i].at != bytes + offset[i] || offset[i] % 64)
			fail(what, f[i].name);
		memset(*f[i].at, 0, f[i].most);
	}
	for (size_t i = 0; i < n; i++)
		if (bytes[i]) {
			fail(what, "has padding that is not zero");
			return;
		}
}

static void
binds(void)
{
#ifdef BIND_PARAM
	unsigned char *flat_p = room(CODE(PARAMS_BYTES), 64);
	size_t at[MOST] = {0};
	for (int i = 0; f_param[i].name; i++)
		at[i] = (size_t)MODEL(params_table)[i].offset;
	BIND_PARAM(flat_p);
	INIT_PARAM(7);
	for (int i = 0; f_param[i].name; i++)
		put("init", f_param[i].name, *f_param[i].at, f_param[i].most);
	flat("params_bind:", f_param, flat_p, CODE(PARAMS_BYTES), at);
	free(flat_p);
#endif
#ifdef BIND_STATE
	unsigned char *flat_s = room(CODE(STATE_BYTES), 64);
	size_t as[MOST] = {0};
	for (int i = 0; f_state[i].name; i++)
		as[i] = (size_t)MODEL(state_table)[i].offset;
	BIND_STATE(flat_s);
	INIT_STATE(7);
	for (int i = 0; f_state[i].name; i++)
		put("init", f_state[i].name, *f_state[i].at, f_state[i].most);
	flat("state_bind:", f_state, flat_s, CODE(STATE_BYTES), as);
	free(flat_s);
#endif
#ifdef BIND_GRAD
	unsigned char *flat_g = room(CODE(GRADS_BYTES), 64);
	size_t ag[MOST] = {0};
	for (int i = 0; f_grad[i].name; i++)
		ag[i] = (size_t)MODEL(grads_table)[i].offset;
	BIND_GRAD(flat_g);
	flat("grads_bind:", f_grad, flat_g, CODE(GRADS_BYTES), ag);
	free(flat_g);
#endif
}

int
main(int argc, char **argv)
{
	FILE *in = argc > 2 ? fopen(argv[1], "rb") : NULL;
	int quick = argc > 3;

	if (!in || !(out_file = fopen(argv[2], "wb")))
		return 2;
	load(f_in, in);
	load(f_param, in);
	load(f_state, in);
	load(f_ct, in);
	fclose(in);
	plain();
	if (!quick) {
		choices(INFER, f_out, kept_infer);
		if (HAS_FORWARD) {
			choices(FORWARD, f_out, kept_out);
			no_results();
		}
		if (HAS_BACKWARD) {
			choices(BACKWARD, f_grad, kept_grad);
			twice();
			bad_saved();
		}
		for (int i = 0; i < NCALL; i++)
			if (has(i))
				refusals(i);
	}
	train();
	binds();
	if (ferror(out_file) || fclose(out_file))
		return 2;
	return failed != 0;
}
