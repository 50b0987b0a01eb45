/* gradc bench: how long the emitted C takes on this machine, kernel by kernel, and
 * how much of what the machine can do that is.
 *
 * A kernel's operations and bytes are those of its cost line: multiply-adds count
 * two, an exponential 20, each buffer once. Its limits are the machine's peak of
 * multiply-adds and the speed of a copy that moves as many bytes (Williams,
 * Waterman and Patterson, "Roofline", CACM 52(4), 2009). */
#include "cmd.h"
#include "roofline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Timing {
	const char *model, *cc;
	const Graph *user;
	int threads;
	Bench b;
	Row *row[NCALL];               /* kernels, the slowest first */
	int nrow[NCALL];
} Timing;

/* ---- rows ---- */

static bool
is_double(const Kernel *k)
{
	for (int i = 0; i < k->nbuf; i++)
		if (k->buf[i].dt == F64)
			return true;
	return false;
}

static int
slowest_first(const void *p, const void *q)
{
	const Row *a = p, *b = q;

	return a->seconds < b->seconds ? 1 : a->seconds > b->seconds ? -1 : strcmp(a->kernel->name, b->kernel->name);
}

const char *const function_name[NCALL] = {
	[CALL_INFER] = "infer", [CALL_FORWARD] = "forward", [CALL_BACKWARD] = "backward", [CALL_TRAIN] = "train_step",
	[CALL_UPDATE] = "update",
};

const char *
copy_size(Arena *a, int i)
{
	return i < 3 ? arena_fmt(a, "%d KiB", 16 << 2 * i) : arena_fmt(a, "%d MiB", 1 << 2 * (i - 3));
}

double
copy_speed(const Bench *b, int64_t bytes)
{
	double at = (log2((double)MAX(bytes, 1)) - 14) / 2;
	int i = at < 0 ? 0 : at >= NCOPY - 1 ? NCOPY - 2 : (int)at;
	double f = at < 0 ? 0 : at > NCOPY - 1 ? 1 : at - i;

	return b->copy[i] + f * (b->copy[i + 1] - b->copy[i]);
}

static void
rate(const Bench *b, Row *r)
{
	const Kernel *k = r->kernel;
	double seconds = r->seconds / r->calls;

	r->gflops = seconds > 0 ? 1e-9 * (double)k->flops / seconds : 0;
	r->gbytes = seconds > 0 ? 1e-9 * (double)k->bytes / seconds : 0;
	r->of_peak = r->gflops / (is_double(k) ? b->peak_f64 : b->peak_f32);
	r->of_copy = r->gbytes / copy_speed(b, k->bytes);
}

/* steps of one function by kernel */
static void
find_rows(Arena *a, Timing *t, int call)
{
	const Times *x = &t->b.call[call];
	Row *row = NEW(a, MAX(x->nstep, 1), Row);
	int n = 0;

	for (int i = 0; i < x->nstep; i++) {
		int k = 0;
		while (k < n && row[k].kernel != x->of[i]->kernel)
			k++;
		if (k == n)
			row[n++] = (Row){.kernel = x->of[i]->kernel};
		row[k].calls++;
		row[k].seconds += x->step[i];
	}
	qsort(row, (size_t)n, sizeof *row, slowest_first);
	for (int k = 0; k < n; k++)
		rate(&t->b, &row[k]);
	t->row[call] = row;
	t->nrow[call] = n;
}

/* ---- as text ---- */

static void
put_heading(Buf *b, const Timing *t)
{
	buf_printf(b, "%s:", t->model);
	for (int s = 0; s < t->user->nsym; s++)
		buf_printf(b, " %s=%lld", t->user->sym[s].name, (long long)t->user->sym[s].hint);
	buf_printf(b, " threads=%d cc='%s'\nmachine: %.4g GFLOP/s in f32, %.4g in f64; copies of", t->threads, t->cc,
		t->b.peak_f32, t->b.peak_f64);
	for (int i = 0; i < NCOPY; i++)
		buf_printf(b, "%s %s %.3g", i ? "," : "", copy_size(b->arena, i), t->b.copy[i]);
	buf_puts(b, " GB/s\n");
}

static void
put_function(Buf *b, const Timing *t, int call)
{
	const Times *x = &t->b.call[call];
	int width = 6;

	if (!x->present)
		return;
	for (int i = 0; i < t->nrow[call]; i++)
		width = MAX(width, (int)strlen(t->row[call][i].kernel->name));
	buf_printf(b, "\n%s: %.4g ms, %d samples\n", function_name[call], 1e3 * x->total, x->samples);
	if (!x->nstep)
		return;
	buf_printf(b, "  %-*s %5s %10s %6s %8s %8s %8s %8s\n", width, "kernel", "calls", "ms", "share", "GFLOP/s", "of peak",
		"GB/s", "of copy");
	for (int i = 0; i < t->nrow[call]; i++) {
		const Row *r = &t->row[call][i];
		buf_printf(b, "  %-*s %5d %10.4g %5.1f%%", width, r->kernel->name, r->calls, 1e3 * r->seconds,
			100 * r->seconds / x->total);
		if (r->seconds > 0)    /* else it is beyond the clock */
			buf_printf(b, " %8.3g %7.0f%% %8.3g %7.0f%%", r->gflops, 100 * r->of_peak, r->gbytes, 100 * r->of_copy);
		buf_putc(b, '\n');
	}
	buf_printf(b, "  %-*s %5s %10.4g %5.1f%%\n", width, "else", "", 1e3 * x->rest, 100 * x->rest / x->total);
}

/* ---- as JSON ---- */

static void
put_row_json(Buf *b, const Row *r)
{
	buf_puts(b, "{\"kernel\": ");
	json_quote(b, r->kernel->name);
	buf_printf(b, ", \"calls\": %d, \"ms\": %.6g, \"flops\": %lld, \"bytes\": %lld, \"of_peak\": %.4g, \"of_copy\": %.4g}",
		r->calls, 1e3 * r->seconds, (long long)r->kernel->flops, (long long)r->kernel->bytes, r->of_peak, r->of_copy);
}

static void
put_json(Buf *b, const Timing *t)
{
	const char *comma = "";

	buf_puts(b, "{\n  \"model\": ");
	json_quote(b, t->model);
	buf_puts(b, ",\n  \"dims\": {");
	for (int s = 0; s < t->user->nsym; s++)
		buf_printf(b, "%s\"%s\": %lld", s ? ", " : "", t->user->sym[s].name, (long long)t->user->sym[s].hint);
	buf_printf(b, "},\n  \"threads\": %d,\n  \"cc\": ", t->threads);
	json_quote(b, t->cc);
	buf_printf(b, ",\n  \"peak_gflops\": {\"f32\": %.6g, \"f64\": %.6g},\n  \"copy_gbytes\": [", t->b.peak_f32, t->b.peak_f64);
	for (int i = 0; i < NCOPY; i++)
		buf_printf(b, "%s{\"bytes\": %lld, \"gbytes\": %.6g}", i ? ", " : "", 16384LL << 2 * i, t->b.copy[i]);
	buf_puts(b, "],\n  \"functions\": [");
	for (int c = 0; c < NCALL; c++) {
		const Times *x = &t->b.call[c];
		if (!x->present)
			continue;
		buf_printf(b, "%s\n    {\"name\": \"%s\", \"ms\": %.6g, \"samples\": %d, \"else_ms\": %.6g, \"kernels\": [", comma,
			function_name[c], 1e3 * x->total, x->samples, 1e3 * x->rest);
		comma = ",";
		for (int i = 0; i < t->nrow[c]; i++) {
			buf_puts(b, i ? ",\n      " : "\n      ");
			put_row_json(b, &t->row[c][i]);
		}
		buf_puts(b, "]}");
	}
	buf_puts(b, "\n  ]\n}\n");
}

/* ---- the verb ---- */

static double
number(Args *a, int opt, double dflt, double least, double most)
{
	const char *text = a->val[opt];
	double v;

	if (!text)
		return dflt;
	if (!parse_double(text, &v) || !(v >= least && v <= most))
		usage_error(a, "%s: '%s' is no number from %g to %g", opt_table()[opt].name, text, least, most);
	return v;
}

/* sizes that were asked for are those that the plan is made for */
static void
plan_for_sizes(Graph *user, const int64_t *symval)
{
	for (int s = 0; s < user->nsym; s++)
		user->sym[s].hint = symval[s];
}

static void
measure(Args *a, Timing *t, const Program *p, const EvalCtx *c, Tensor *const *leaf, double seconds)
{
	const char *why, *cc = t->threads > 1 ? arena_fmt(a->arena, "%s -fopenmp", t->cc) : t->cc;
	Harness *h = harness_build(a->arena, &p, 1, cc, &why);
	Job job = {.symval = c->symval};

	if (!h)
		fail(EXIT_INPUT, (Loc){0}, "%s", why);
	for (Area k = AREA_INPUT; k <= AREA_STATE; k++)
		job.value[k] = emitted_values(a->arena, p, k, leaf);
	if ((why = harness_bench(h, &job, t->threads, seconds, &t->b)))
		bug("%s", why);
	for (int i = 0; i < NCALL; i++) {
		if (t->b.call[i].code == 4)
			fail(EXIT_INPUT, (Loc){0}, "an index is out of range");
		if (t->b.call[i].code)
			bug("%s returned %d", function_name[i], t->b.call[i].code);
		find_rows(a->arena, t, i);
	}
}

int
verb_bench(Args *a)
{
	Graph *user = input_graph(a, a->pos[0]);
	EvalCtx c = {.arena = a->arena, .g = user};
	double seconds = number(a, O_SECONDS, 2, 0, 3600), threads = number(a, O_THREADS, 1, 1, 1024);
	Timing t = {.model = user->name, .user = user, .threads = (int)threads,
		.cc = a->val[O_BENCH_CC] ? a->val[O_BENCH_CC] : opt_table()[O_BENCH_CC].dflt};
	Tensor **leaf = data_leaves(a, &c, user);
	Buf b = {.arena = a->arena};
	Program *p;

	if (threads != floor(threads))
		usage_error(a, "--threads: '%s' is no whole number", a->val[O_THREADS]);
	diag_check();
	plan_for_sizes(user, c.symval);
	p = emitted_program(a, user, true);
	measure(a, &t, p, &c, leaf, seconds);
	if (a->val[O_SVG]) {
		Outputs *o = outputs_new(a->arena);
		Buf svg = {.arena = a->arena};
		roofline_svg(&svg, t.model, &t.b, (const Row *const *)t.row, t.nrow);
		outputs_add(o, a->val[O_SVG], svg.s, svg.n);
		outputs_commit(o);
	}
	if (a->val[O_JSON]) {
		put_json(&b, &t);
	} else {
		put_heading(&b, &t);
		for (int i = 0; i < NCALL; i++)
			put_function(&b, &t, i);
	}
	output_text(a, &b);
	return 0;
}
