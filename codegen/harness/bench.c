/* bench.c: how long emitted functions and their steps take, and what the machine can do.
 *
 * Follows run.c and clock.c. usage: run bench REQUEST RESPONSE
 * The unit calls bench_tick(i) after its step i, and bench_tick(-1) before the first:
 * what lies between two calls is charged to the later. Functions are called in turn,
 * so that what disturbs the machine disturbs all of them; a time is the median of
 * its samples. One thread is timed by its own processor time, several by the clock
 * on the wall. */
enum { CALLS = 5, LEVELS = 8, MOST_SAMPLES = 1001 };

typedef struct Course {        /* the samples of one function */
	int present, nstep, n, code;
	double *total, *step;  /* by sample; by sample and step, the last one is what is no step */
} Course;

static double *bench_now;      /* steps of the running sample */
static int bench_rest;         /* index of what is no step */
static double bench_last, bench_cost;   /* the last tick; what looking at the clock takes */

/* the least time between two looks */
static double
clock_cost(void)
{
	double least = 1, t = now(), u;
	int i;

	for (i = 0; i < 1000; i++, t = u) {
		u = now();
		least = u - t < least ? u - t : least;
	}
	return least;
}

void bench_tick(int step);
void
bench_tick(int step)
{
	const double t = now(), past = t - bench_last - bench_cost;

	bench_now[step < 0 ? bench_rest : step] += past > 0 ? past : 0;
	bench_last = t;
}

/* of every stride-th number; they are sorted */
static double
median(const double *x, int n, int stride)
{
	double *y = memory((size_t)n * sizeof *y), m;
	int i;

	for (i = 0; i < n; i++)
		y[i] = x[i * stride];
	qsort(y, (size_t)n, sizeof *y, ascending);
	m = n % 2 ? y[n / 2] : (y[n / 2 - 1] + y[n / 2]) / 2;
	free(y);
	return m;
}

/* ---- the machine ---- */

static int
threads(void)
{
	int n = 0;

#ifdef _OPENMP
#pragma omp parallel reduction(+:n)
#endif
	n += 1;
	return n;
}

/* GFLOP/s of multiply-adds in independent chains, of all threads at once; the best of several */
static void
peaks(double *single, double *twice)
{
	int i;

	for (i = 0; i < 9; i++) {
		double x = 0, y = 0;
#ifdef _OPENMP
#pragma omp parallel reduction(+:x, y)
#endif
		{
			volatile float f;
			volatile double d;

			x += peak_float(&f);
			y += peak_double(&d);
		}
		*single = x > *single ? x : *single;
		*twice = y > *twice ? y : *twice;
	}
}

/* GB/s, read and written, of copies that take so many bytes together with what they copy */
static double
copy_speed(char *to, const char *from, int64_t bytes, int nthread)
{
	const int64_t n = bytes / 2 / nthread;
	double best = 0;
	int i;

	for (i = 0; i < 7; i++) {
		const int64_t times = 1 + (8 << 20) / bytes;
		double t = now();
		int64_t k;
		int w;

#ifdef _OPENMP
#pragma omp parallel for schedule(static) private(k)
#endif
		for (w = 0; w < nthread; w++)
			for (k = 0; k < times; k++) {
				memcpy(to + w * n, from + w * n, (size_t)n);
#ifdef __GNUC__
				__asm__ volatile("" : : "r"(to) : "memory");
#endif
			}
		t = 2e-9 * (double)(n * nthread * times) / (now() - t);
		best = t > best ? t : best;
	}
	return best;
}

/* footprints of 16 KiB, 64 KiB, … 256 MiB */
static void
copies(double *speed)
{
	const int64_t most = (int64_t)1 << (14 + 2 * (LEVELS - 1));
	char *to = memory((size_t)most / 2), *from = memory((size_t)most / 2);
	const int nthread = threads();
	int i;

	memset(to, 1, (size_t)most / 2);
	memset(from, 2, (size_t)most / 2);
	for (i = 0; i < LEVELS; i++)
		speed[i] = copy_speed(to, from, (int64_t)1 << (14 + 2 * i), nthread);
	free(to);
	free(from);
}

/* ---- the functions ---- */

typedef struct Memory {
	void **p;
	int64_t sym[16];
	int64_t step;
	char *saved, *workspace;
} Memory;

static void
sample(const Model *m, int function, Memory *mem, Course *c)
{
	double t;

	bench_rest = c->nstep;
	bench_now = c->step + (size_t)c->n * (size_t)(c->nstep + 1);
	memset(bench_now, 0, (size_t)(c->nstep + 1) * sizeof *bench_now);
	mem->step = 0;
	t = bench_last = now();
	c->code |= m->call(function, mem->p, mem->sym, &mem->step, mem->saved, mem->workspace);
	bench_tick(-1);
	c->total[c->n] = bench_last - t - bench_cost * (c->nstep + 2);
	c->n++;
}

/* in turn until the time is over, three times at least; the first round warms up and is forgotten */
static void
all_samples(const Model *m, Memory *mem, Course *c, double seconds)
{
	double end = 0;
	int round, f;

	for (round = 0; round <= MOST_SAMPLES; round++) {
		for (f = 0; f < CALLS; f++)
			if (c[f].present)
				sample(m, f, mem, &c[f]);
		for (f = 0; !round && f < CALLS; f++)
			c[f].n = 0;
		if (!round)
			end = now() + seconds;
		else if (round >= 3 && now() > end)
			break;
	}
}

static void
put_double(FILE *out, double x)
{
	put_bytes(out, &x, sizeof x);
}

static void
put_course(FILE *out, const Course *c)
{
	int i;

	put(out, c->code);
	put(out, c->n);
	if (!c->n)
		return;
	put_double(out, median(c->total, c->n, 1));
	for (i = 0; i <= c->nstep; i++)
		put_double(out, median(c->step + i, c->n, c->nstep + 1));
}

/* the request is that of one call, then seconds in thousandths, and the steps of each function, -1 without it */
static void
bench(const Model *m, FILE *in, FILE *out)
{
	Memory mem;
	Course c[CALLS];
	double speed[LEVELS] = {0}, single = 0, twice = 0, seconds;
	size_t workspace = m->workspace;
	int i, fill;

	(void)get(in);
	fill = (int)get(in);
	mem.step = get(in);
	mem.p = memory((size_t)(m->nslot + 1) * sizeof *mem.p);
	for (i = 0; i < m->nsym; i++)
		mem.sym[i] = get(in);
	for (i = 0; i < m->nslot; i++) {
		const int64_t how = get(in), n = get(in);

		mem.p[i] = memory((size_t)n);
		memset(mem.p[i], fill, (size_t)n);
		if (how == 1)
			get_bytes(in, mem.p[i], (size_t)n);
	}
	workspace = m->infer_workspace > workspace ? m->infer_workspace : workspace;
	workspace = m->train_workspace > workspace ? m->train_workspace : workspace;
	mem.saved = memory(m->saved);
	mem.workspace = memory(workspace);
	memset(mem.saved, 0, m->saved);
	memset(mem.workspace, 0, workspace);
	seconds = 1e-3 * (double)get(in);
	for (i = 0; i < CALLS; i++) {
		const int64_t n = get(in);

		memset(&c[i], 0, sizeof c[i]);
		c[i].present = n >= 0;
		c[i].nstep = n < 0 ? 0 : (int)n;
		c[i].total = memory((MOST_SAMPLES + 1) * sizeof(double));
		c[i].step = memory((MOST_SAMPLES + 1) * (size_t)(c[i].nstep + 1) * sizeof(double));
	}
	bench_cost = clock_cost();
	all_samples(m, &mem, c, seconds);
	peaks(&single, &twice);
	copies(speed);
	for (i = 0; i < CALLS; i++)
		put_course(out, &c[i]);
	put_double(out, single);
	put_double(out, twice);
	for (i = 0; i < LEVELS; i++)
		put_double(out, speed[i]);
}

static int
bench_all(const Model *models, int argc, char **argv)
{
	FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL, *out = argc == 3 ? fopen(argv[2], "wb") : NULL;

	if (!in || !out) {
		fprintf(stderr, "usage: run REQUEST RESPONSE\n");
		return 2;
	}
	(void)get(in);
	(void)get(in);
	(void)run_all;
	bench(models, in, out);
	fclose(in);
	return fclose(out) ? 4 : 0;
}
