/* init: NAME_params_init and NAME_state_init, first values as the model says.
 *
 * A random element is a function of (seed, name of the tensor, its index) by
 * Philox, so that values depend neither on the other tensors nor on the machine.
 * Fans are those of torch.nn.init: for [out, in, ...] every further dimension
 * multiplies both. kaiming_uniform is what torch.nn.Linear and the convolutions
 * do (a = sqrt(5)): U(-b, b), b = 1 / sqrt(fan_in); kaiming_normal has gain
 * sqrt(2) (He et al., ICCV 2015); xavier as Glorot and Bengio (AISTATS 2010). */
#include "gen.h"

#include <math.h>
#include <string.h>

typedef enum How { FILL, UNIFORM, NORMAL, FROM_FILE } How;
static const char *const how_name[] = {"fill", "uniform", "normal"};
typedef struct Start {
	How how;
	double a, b;                   /* the value; bounds; mean and standard deviation */
} Start;

static void
fans(const Program *p, const Member *m, double *in, double *out)
{
	double field = 1;

	if (m->type.rank < 2)
		fail(EXIT_INPUT, m->leaf->at, "init of '%s': a fan needs at least two dimensions, it is %s", m->name,
			type_text(p->user->arena, p->user, &m->type));
	for (int d = 2; d < m->type.rank; d++)
		field *= (double)dim_max(p->user, m->type.dim[d]);
	*in = field * (double)dim_max(p->user, m->type.dim[1]);
	*out = field * (double)dim_max(p->user, m->type.dim[0]);
}

bool
init_inline(const Program *p, const Member *m)
{
	return m->leaf && m->blob && p->first_inline;
}

static Start
start_of(const Program *p, const Member *m)
{
	const Leaf *l = m->leaf;
	double in = 1, out = 1, b;

	if (m->blob)
		return (Start){.how = FROM_FILE};
	if (l->init >= INIT_KAIMING_UNIFORM)
		fans(p, m, &in, &out);
	switch (l->init) {
	case INIT_NONE:
	case INIT_ZEROS:
		break;
	case INIT_ONES:
		return (Start){FILL, 1, 0};
	case INIT_CONSTANT:
		return (Start){FILL, l->init_a, 0};
	case INIT_UNIFORM:
		return (Start){UNIFORM, l->init_a, l->init_b};
	case INIT_NORMAL:
		return (Start){NORMAL, l->init_a, l->init_b};
	case INIT_KAIMING_UNIFORM:
		b = 1 / sqrt(in);
		return (Start){UNIFORM, -b, b};
	case INIT_KAIMING_NORMAL:
		return (Start){NORMAL, 0, sqrt(2 / in)};
	case INIT_XAVIER_UNIFORM:
		b = sqrt(6 / (in + out));
		return (Start){UNIFORM, -b, b};
	case INIT_XAVIER_NORMAL:
		return (Start){NORMAL, 0, sqrt(2 / (in + out))};
	}
	return (Start){FILL, 0, 0};
}

static void
put_filler(Buf *b, const Program *p, How how, DType d)
{
	const char *m = p->user->name, *t = c_type(d);

	buf_puts(b, "static void\n");
	if (how == FILL) {
		buf_printf(b, "%s_fill_%s(%s *x, int64_t n, %s value)\n{\n", m, dtype_name(d), t, t);
		buf_puts(b, "\tfor (int64_t i = 0; x && i < n; i++)\n\t\tx[i] = value;\n}\n\n");
		return;
	}
	buf_line(b, 0,
		arena_fmt(b->arena,
			"%s_%s_%s(%s *x, int64_t n, double %s, double %s, uint64_t seed, uint64_t stream)", m,
			how_name[how], dtype_name(d), t, how == UNIFORM ? "lo" : "mean", how == UNIFORM ? "hi" : "std"));
	buf_puts(b, "{\n\tfor (int64_t i = 0; x && i < n; i++)\n");
	buf_line(b, 2, arena_fmt(b->arena, "x[i] = %s(%s * %s_%s_f64(seed, stream, (uint64_t)i));",
		dtype_half(d) ? arena_fmt(b->arena, "%s_f64_to_%s", m, dtype_name(d)) : arena_fmt(b->arena, "(%s)", t),
		how == UNIFORM ? "lo + (hi - lo)" : "mean + std", m, how == UNIFORM ? "rand" : "randn"));
	buf_puts(b, "}\n\n");
}

static void
put_number(Buf *b, DType d, double x)
{
	if (dtype_half(d))
		buf_printf(b, "0x%04x", (unsigned)(d == F16 ? half_from_double(x) : bfloat_from_double(x)));
	else if (dtype_float(d))
		buf_c_float(b, x, d != F64);
	else
		buf_printf(b, "%lld", (long long)x);
}

static void
put_copy(Buf *b, const Program *p, const Member *m, char self)
{
	if (init_inline(p, m))
		buf_printf(b, "\tif (%c->%s)\n\t\tmemcpy(%c->%s, %s_init_%s, sizeof %s_init_%s);\n", self, m->cname,
			self, m->cname, p->user->name, m->cname, p->user->name, m->cname);
}

static void
put_start(Buf *b, const Program *p, const Member *m, char self)
{
	Start s = start_of(p, m);
	Buf line = {.arena = b->arena};

	if (s.how == FROM_FILE) {
		put_copy(b, p, m, self);
		return;
	}
	buf_printf(&line, "%s_%s_%s(%c->%s, %lld, ", p->user->name, how_name[s.how], dtype_name(m->type.dt), self, m->cname,
		(long long)(m->bytes / dtype_size(m->type.dt)));
	if (s.how == FILL) {
		put_number(&line, m->type.dt, s.a);
	} else {
		buf_c_float(&line, s.a, false);
		buf_puts(&line, ", ");
		buf_c_float(&line, s.b, false);
		buf_printf(&line, ", seed, 0x%llxu", (unsigned long long)hash64(m->name, (int64_t)strlen(m->name), 0));
	}
	buf_puts(&line, ");");
	buf_line(b, 1, buf_str(&line));
}

static void
put_init(Buf *b, const Program *p, Area area, const char *what, char self)
{
	const Members *ms = &p->of[area];
	bool random = false, any = false, left = false;

	if (!ms->n)
		return;
	for (int64_t i = 0; i < ms->n; i++) {
		How how = start_of(p, &ms->m[i]).how;
		random |= how == UNIFORM || how == NORMAL;
		left |= how == FROM_FILE && !init_inline(p, &ms->m[i]);
		any |= how != FROM_FILE || init_inline(p, &ms->m[i]);
	}
	for (int64_t i = 0; i < ms->n; i++)
		if (init_inline(p, &ms->m[i]))
			array_print(b, arena_fmt(b->arena, "%s_init_%s", p->user->name, ms->m[i].cname), ms->m[i].type.dt,
				ms->m[i].blob->data, ms->m[i].blob->nbytes);
	buf_printf(b, "void\n%s_%s_init(const %s_%s *%c, uint64_t seed)\n{\n", p->user->name, what, p->user->name,
		what, self);
	for (int64_t i = 0; i < ms->n; i++)
		put_start(b, p, &ms->m[i], self);
	if (left)
		buf_puts(b, "\t/* what comes from files is to be loaded */\n");
	if (!any)
		buf_printf(b, "\t(void)%c;\n", self);
	if (!random)
		buf_puts(b, "\t(void)seed;\n");
	buf_puts(b, "}\n\n");
}

/* helpers in use by (how, dtype): call f for each */
static void
each_filler(const Program *p, void f(Buf *, const Program *, How, DType), Buf *b)
{
	static const Area area[] = {AREA_PARAM, AREA_STATE};
	bool used[NORMAL + 1][NDTYPE] = {{false}};

	for (int k = 0; k < LEN(area); k++)
		for (int64_t i = 0; i < p->of[area[k]].n; i++) {
			How how = start_of(p, &p->of[area[k]].m[i]).how;
			if (how != FROM_FILE)
				used[how][p->of[area[k]].m[i].type.dt] = true;
		}
	for (int how = 0; how <= NORMAL; how++)
		for (int d = 0; d < NDTYPE; d++)
			if (used[how][d])
				f(b, p, (How)how, (DType)d);
}

static void
use_filler(Buf *b, const Program *p, How how, DType d)
{
	(void)b;
	if (how != FILL && dtype_half(d))
		rt_use(kernels_rt(p->kernels), arena_fmt(p->user->arena, "rt_f64_to_%s", dtype_name(d)));
	if (how != FILL)
		rt_use(kernels_rt(p->kernels), how == UNIFORM ? "rt_rand_f64" : "rt_randn_f64");
}

void
init_use(const Program *p)
{
	each_filler(p, use_filler, NULL);
}

void
init_print(Buf *b, const Program *p)
{
	each_filler(p, put_filler, b);
	put_init(b, p, AREA_PARAM, "params", 'p');
	put_init(b, p, AREA_STATE, "state", 's');
}
