/* harness: emitted units compiled by the system's compiler, and their calls.
 *
 * The program is harness/run.c, which knows no model, with harness/clock.c and
 * bench.c where it takes times, and a table made here: per
 * model the arrays that its calls get, and one function that puts them into the
 * structs of its interface. It is compiled once and run any number of times;
 * request and response are files of 64-bit integers and the bytes of arrays. */
#include "gen.h"

#include <errno.h>
#include <string.h>

#include "harness_files.h"

struct Harness {
	Arena *arena;
	const Program *const *p;
	int n;
	const char *dir, *exe;
	int runs;
};

/* arrays in the order of request and response; the optimizer's moments are the last */
static const struct { Area area; const char *var, *type; char kind; } areas[] = {
	{AREA_INPUT,     "in",  "inputs",     'i'},
	{AREA_PARAM,     "par", "params",     'p'},
	{AREA_STATE,     "st",  "state",      's'},
	{AREA_COTANGENT, "ct",  "cotangents", 'c'},
	{AREA_OUTPUT,    "out", "outputs",    'o'},
	{AREA_GRAD,      "g",   "grads",      'g'},
};

/* ---- the table's text ---- */

static void
put_slots(Buf *b, const Program *p)
{
	int n = 0;

	buf_printf(b, "static const Slot slots_%s[] = {\n", p->user->name);
	for (int k = 0; k < LEN(areas); k++)
		for (int64_t i = 0; i < p->of[areas[k].area].n; i++, n++) {
			const Member *m = &p->of[areas[k].area].m[i];
			buf_puts(b, "\t{");
			buf_c_string(b, m->name);
			buf_printf(b, ", '%c', %d},\n", areas[k].kind, dtype_size(m->type.dt));
		}
	buf_puts(b, "\t{\"moments\", 'm', 8}\n};\n\n");
}

static void
put_structs(Buf *b, const Program *p)
{
	const char *name = p->user->name;
	int n = 0, nsym = 0;

	for (int k = 0; k < LEN(areas); k++)
		if (has_struct(p, areas[k].area))
			buf_printf(b, "\t%s_%s %s;\n", name, areas[k].type, areas[k].var);
	if (p->opt->optimizer)
		buf_printf(b, "\t%s_optimizer opt;\n", name);
	buf_putc(b, '\n');
	for (int k = 0; k < LEN(areas); k++)
		for (int64_t i = 0; i < p->of[areas[k].area].n; i++, n++)
			buf_printf(b, "\t%s.%s = p[%d];\n", areas[k].var, p->of[areas[k].area].m[i].cname, n);
	for (int s = 0; s < p->user->nsym; s++)
		if (p->syms >> s & 1)
			buf_printf(b, "\tin.%s = sym[%d];\n", p->user->sym[s].name, nsym++);
	if (p->opt->optimizer)
		buf_printf(b, "\t%s_optimizer_init(&opt);\n\topt.step = *step;\n%s", name,
			p->opt->ticks ? "\topt.lr = 0;\n" : "");
	if (optimizer_moments(p))
		buf_printf(b, "\t%s_optimizer_bind(&opt, p[%d]);\n", name, n);
	buf_puts(b, "\t(void)p, (void)sym, (void)step, (void)saved, (void)workspace;\n");
}

static void
put_case(Buf *b, const Program *p, const Function *f, const char *word)
{
	bool train = f == p->train, back = f == p->backward;
	Buf t = {.arena = b->arena};

	if (!f)
		return;
	for (int k = 0; k < 3; k++)
		if (has_struct(p, areas[k].area))
			buf_printf(&t, ", &%s", areas[k].var);
	if (back && has_struct(p, AREA_COTANGENT))
		buf_puts(&t, ", &ct");
	buf_puts(&t, train ? ", &g, &opt, &out" : back ? "" : ", &out");
	if (p->split && (f == p->forward || back))
		buf_puts(&t, back ? ", saved, &g" : ", saved");
	buf_printf(b, "\tif (function == %s)\n\t\tcode = %s_%s(%s, workspace);\n", word, p->user->name, f->name,
		buf_str(&t) + 2);
}

static void
put_call(Buf *b, const Program *p)
{
	const char *name = p->user->name;

	buf_printf(b, "static int\ncall_%s(int function, void *const *p, const int64_t *sym, int64_t *step, void *saved, "
		"void *workspace)\n{\n\tint code = -1;\n", name);
	put_structs(b, p);
	put_case(b, p, p->infer, "INFER");
	put_case(b, p, p->forward, "FORWARD");
	put_case(b, p, p->backward, "BACKWARD");
	put_case(b, p, p->train, "TRAIN");
	if (p->opt->optimizer)
		buf_printf(b, "\tif (function == UPDATE)\n\t\tcode = %s_update(&par, &g, &opt);\n\t*step = opt.step;\n", name);
	buf_puts(b, "\treturn code;\n}\n\n");
}

static void
put_model(Buf *b, const Program *p)
{
	const char *name = p->user->name, *u = upper(b->arena, name);
	int n = optimizer_moments(p) > 0, nsym = 0;

	for (int k = 0; k < LEN(areas); k++)
		n += (int)p->of[areas[k].area].n;
	for (uint32_t s = p->syms; s; s &= s - 1)
		nsym++;
	buf_printf(b, "\t{\"%s\", slots_%s, %d, %d, ", name, name, n, nsym);
	buf_printf(b, p->split ? "%s_SAVED_BYTES, " : "0, ", u);
	buf_printf(b, "%s_WORKSPACE_BYTES, ", u);
	buf_printf(b, p->forward ? "%s_INFER_WORKSPACE_BYTES, " : "%s_WORKSPACE_BYTES, ", u);
	buf_printf(b, p->train ? "%s_TRAIN_WORKSPACE_BYTES, " : "0, ", u);
	buf_printf(b, "call_%s},\n", name);
}

void
harness_source(Buf *b, const Program *const *p, int n)
{
	bool ticks = n && p[0]->opt->ticks;

	for (int k = 0; k < (ticks ? LEN(harness_files) : 1); k++)
		for (int i = 0; i < harness_files[k].n; i++)
			buf_puts(b, harness_files[k].line[i]);
	buf_putc(b, '\n');
	for (int i = 0; i < n; i++)
		buf_printf(b, "#include \"%s.h\"\n", p[i]->user->name);
	buf_putc(b, '\n');
	for (int i = 0; i < n; i++) {
		put_slots(b, p[i]);
		put_call(b, p[i]);
	}
	buf_puts(b, "static const Model models[] = {\n");
	for (int i = 0; i < n; i++)
		put_model(b, p[i]);
	buf_puts(b, "};\n\nint\nmain(int argc, char **argv)\n{\n");
	if (ticks)
		buf_puts(b, "\treturn bench_all(models, argc, argv);\n}\n");
	else
		buf_printf(b, "\treturn run_all(models, %d, argc, argv);\n}\n", n);
}

/* ---- compiling ---- */

static void
write_file(const char *path, const void *bytes, int64_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f || (n && fwrite(bytes, 1, (size_t)n, f) != (size_t)n) || fclose(f))
		fail(EXIT_INPUT, (Loc){.file = path}, "cannot write: %s", strerror(errno));
}

static const char *
write_text(Harness *h, const char *name, const Buf *b)
{
	const char *path = path_join(h->arena, h->dir, name);

	write_file(path, b->s, b->n);
	return path;
}

/* the shell splits the command, so that it may hold flags and quotes */
static const char *
compile(Harness *h, const char *cc, const char *const *source)
{
	const char **argv = NEW(h->arena, h->n + 9, const char *), *how;
	int n = 0;
	Proc p;

	argv[n++] = "/bin/sh";
	argv[n++] = "-c";
	argv[n++] = arena_fmt(h->arena, "exec %s \"$@\"", cc);
	argv[n++] = "sh";
	for (int i = 0; i <= h->n; i++)
		argv[n++] = source[i];
	argv[n++] = "-o";
	argv[n++] = h->exe;
	argv[n++] = "-lm";
	p = proc_run(h->arena, argv, NULL, 3600);
	how = proc_text(h->arena, &p);
	return how ? arena_fmt(h->arena, "%s: %s\n%s", cc, how, buf_str(&p.err)) : p.err.n ? buf_str(&p.err) : NULL;
}

Harness *
harness_build(Arena *a, const Program *const *p, int n, const char *cc, const char **why)
{
	Harness *h = NEW(a, 1, Harness);
	const char **source = NEW(a, n + 1, const char *);
	Buf b = {.arena = a};

	*h = (Harness){.arena = a, .p = p, .n = n, .dir = temp_dir(a)};
	h->exe = path_join(a, h->dir, "run");
	for (int i = 0; i < n; i++) {
		Buf header = {.arena = a}, text = {.arena = a};
		unit_header(&header, p[i]);
		unit_source(&text, p[i]);
		write_text(h, arena_fmt(a, "%s.h", p[i]->user->name), &header);
		source[i] = write_text(h, arena_fmt(a, "%s.c", p[i]->user->name), &text);
	}
	harness_source(&b, p, n);
	source[n] = write_text(h, "run.c", &b);
	*why = compile(h, cc, source);
	return *why ? NULL : h;
}

/* ---- running ---- */

static void
put_int(Buf *b, int64_t v)
{
	buf_put(b, (const char *)&v, (int64_t)sizeof v);
}

static int64_t
bytes_at(const Type *t, const int64_t *symval)
{
	int64_t n = dtype_size(t->dt);

	for (int d = 0; d < t->rank; d++)
		n *= dim_at(t->dim[d], symval);
	return n;
}

static bool
passes_null(const Job *j, Area area, int64_t i)
{
	return j->null[area] && j->null[area][i];
}

static void
put_array(Buf *b, const Job *j, Area area, int64_t i, const Member *m)
{
	const Tensor *v = j->value[area] ? j->value[area][i] : NULL;
	int64_t n = bytes_at(&m->type, j->symval);

	put_int(b, passes_null(j, area, i) ? 0 : v ? 1 : 2);
	put_int(b, n);
	if (passes_null(j, area, i) || !v)
		return;
	Array x = tensor_to_array(b->arena, v, m->name);
	if (x.nbytes != n || v->dt != m->type.dt)
		bug("the value given for '%s' is not of its type", m->name);
	buf_put(b, x.data, n);
}

static void
put_job(Buf *b, const Harness *h, const Job *j)
{
	const Program *p = h->p[j->model];

	put_int(b, j->model);
	put_int(b, (int64_t)j->call);
	put_int(b, j->fill);
	put_int(b, j->step);
	for (int s = 0; s < p->user->nsym; s++)
		if (p->syms >> s & 1)
			put_int(b, j->symval[s]);
	for (int k = 0; k < LEN(areas); k++)
		for (int64_t i = 0; i < p->of[areas[k].area].n; i++)
			put_array(b, j, areas[k].area, i, &p->of[areas[k].area].m[i]);
	if (optimizer_moments(p)) {
		int64_t n = optimizer_moments(p) * p->of[AREA_PARAM].bytes;
		put_int(b, 1);
		put_int(b, n);
		buf_put(b, j->moments ? j->moments : arena_alloc(b->arena, n, 1), n);
	}
}

typedef struct Reader { const char *s; int64_t n; } Reader;

static const void *
take(Reader *r, int64_t n)
{
	const char *s = r->s;

	if (n > r->n)
		return NULL;
	r->s += n;
	r->n -= n;
	return s;
}

static bool
take_int(Reader *r, int64_t *out)
{
	const void *p = take(r, (int64_t)sizeof *out);

	if (p)
		memcpy(out, p, sizeof *out);
	return p != NULL;
}

/* arrays of an area; false: the response ends */
static bool
take_arrays(Reader *r, const Harness *h, Job *j, Area area)
{
	const Members *ms = &h->p[j->model]->of[area];

	j->result[area] = NEW(h->arena, MAX(ms->n, 1), Array);
	for (int64_t i = 0; i < ms->n; i++) {
		const Type *t = &ms->m[i].type;
		Array *x = &j->result[area][i];
		*x = (Array){.name = ms->m[i].name, .dtype = dtype_name(t->dt), .rank = t->rank,
			.nbytes = bytes_at(t, j->symval)};
		for (int d = 0; d < t->rank; d++)
			x->dim[d] = dim_at(t->dim[d], j->symval);
		if (passes_null(j, area, i))
			continue;
		if (!(x->data = (void *)(uintptr_t)take(r, x->nbytes)))
			return false;
	}
	return true;
}

static bool
take_job(Reader *r, const Harness *h, Job *j)
{
	const Program *p = h->p[j->model];
	int64_t code[2];

	if (!take_int(r, &code[0]) || !take_arrays(r, h, j, AREA_OUTPUT) || !take_int(r, &code[1]) || !take_int(r, &j->step)
		|| !take_arrays(r, h, j, AREA_PARAM) || !take_arrays(r, h, j, AREA_STATE) || !take_arrays(r, h, j, AREA_GRAD))
		return false;
	j->code[0] = (int)code[0];
	j->code[1] = (int)code[1];
	if (optimizer_moments(p) && !(j->moments = take(r, optimizer_moments(p) * p->of[AREA_PARAM].bytes)))
		return false;
	return true;
}

/* NULL, or how the program ended */
static const char *
exchange(Harness *h, const Buf *b, int threads, Reader *r)
{
	Arena *a = h->arena;
	const char *request = path_join(a, h->dir, arena_fmt(a, "request%d", h->runs));
	const char *response = path_join(a, h->dir, arena_fmt(a, "response%d", h->runs++)), *how;
	const char *env[] = {arena_fmt(a, "OMP_NUM_THREADS=%d", threads), NULL};
	Proc p;

	write_file(request, b->s, b->n);
	p = proc_run(a, (const char *[]){h->exe, request, response, NULL}, threads ? env : NULL, 3600);
	if ((how = proc_text(a, &p)))
		return arena_fmt(a, "the compiled program: %s\n%s", how, buf_str(&p.err));
	r->s = read_file(a, response, &r->n);
	return NULL;
}

const char *
harness_run(Harness *h, Job *job, int n, int threads)
{
	Buf b = {.arena = h->arena};
	Reader r = {0};
	const char *why;

	put_int(&b, n);
	for (int i = 0; i < n; i++)
		put_job(&b, h, &job[i]);
	if ((why = exchange(h, &b, threads, &r)))
		return why;
	for (int i = 0; i < n; i++)
		if (!take_job(&r, h, &job[i]))
			return "the compiled program: its response is too short";
	return NULL;
}

/* ---- timing ---- */

static bool
take_double(Reader *r, double *out)
{
	const void *p = take(r, (int64_t)sizeof *out);

	if (p)
		memcpy(out, p, sizeof *out);
	return p != NULL;
}

static bool
take_times(Reader *r, Times *t)
{
	int64_t code, n;
	bool ok = take_int(r, &code) && take_int(r, &n);

	if (!ok || !t->present)
		return ok;
	t->code = (int)code;
	t->samples = (int)n;
	ok = take_double(r, &t->total);
	for (int i = 0; ok && i < t->nstep; i++)
		ok = take_double(r, &t->step[i]);
	return ok && take_double(r, &t->rest);
}

const char *
harness_bench(Harness *h, const Job *job, int threads, double seconds, Bench *out)
{
	const Program *p = h->p[job->model];
	const Function *const f[NCALL] = {[CALL_INFER] = p->infer, [CALL_FORWARD] = p->forward,
		[CALL_BACKWARD] = p->backward, [CALL_TRAIN] = p->train};
	Buf b = {.arena = h->arena};
	Reader r = {0};
	const char *why;
	bool ok = true;

	*out = (Bench){0};
	put_int(&b, 1);
	put_job(&b, h, job);
	put_int(&b, (int64_t)(seconds * 1000));
	for (int i = 0; i < NCALL; i++) {
		Times *t = &out->call[i];
		t->present = i == CALL_UPDATE ? p->opt->optimizer != OPT_NONE : f[i] != NULL;
		if (f[i])
			t->of = call_steps(h->arena, f[i], &t->nstep);
		t->step = NEW(h->arena, MAX(t->nstep, 1), double);
		put_int(&b, t->present ? t->nstep : -1);
	}
	if ((why = exchange(h, &b, threads, &r)))
		return why;
	for (int i = 0; i < NCALL; i++)
		ok = ok && take_times(&r, &out->call[i]);
	ok = ok && take_double(&r, &out->peak_f32) && take_double(&r, &out->peak_f64);
	for (int i = 0; i < NCOPY; i++)
		ok = ok && take_double(&r, &out->copy[i]);
	return ok ? NULL : "the compiled program: its response is too short";
}
