/* optimizer: the update of parameters by their gradients, one pass over each
 * tensor through one static function that all tensors share.
 *
 * Formulas, defaults and their order of operations are PyTorch's: SGD with
 * momentum as torch.optim.SGD (no Nesterov, no dampening), Adam by Kingma and Ba
 * (ICLR 2015, algorithm 1) with L2 in the gradient, AdamW with decoupled decay
 * (Loshchilov and Hutter, ICLR 2019). T stands for the dtype of a tensor, S for
 * that of the settings: float, or double when a parameter is. */
#include "gen.h"

#include <string.h>

typedef struct Setting {
	const char *name;
	double dflt;
	const char *doc;
	bool once;                     /* enters the statements before the tensors only */
} Setting;
static const struct {
	const char *name;
	int moments;                   /* arrays of the size of the parameters */
	Setting setting[6];
	const char *once;              /* statements before the tensors, with opt->step advanced */
	const char *args;              /* beyond n, w, g, the moments, and the settings */
	const char *pass;              /* what is passed for them */
	const char *body[8];           /* of the loop over elements i */
} rule[] = {
	[OPT_SGD] = {"sgd", 0,
		{{"lr", 1e-3, "learning rate", false}, {"weight_decay", 0, "L2 penalty", false}}, NULL, "", "",
		{"w[i] -= lr * (g[i] + weight_decay * w[i]);"}},
	[OPT_MOMENTUM] = {"momentum", 1,
		{{"lr", 1e-3, "learning rate", false}, {"momentum", 0.9, "share of the last step", false},
			{"weight_decay", 0, "L2 penalty", false}},
		NULL, "", "",
		{"m[i] = momentum * m[i] + (g[i] + weight_decay * w[i]);", "w[i] -= lr * m[i];"}},
	[OPT_ADAM] = {"adam", 2,
		{{"lr", 1e-3, "learning rate", true}, {"beta1", 0.9, "decay of m", true}, {"beta2", 0.999, "decay of v", false},
			{"eps", 1e-8, "added to the root of v", false}, {"weight_decay", 0, "L2 penalty", false}},
		"const double fix1 = 1 - pow((double)opt->beta1, (double)opt->step);\n"
		"const double fix2 = 1 - pow((double)opt->beta2, (double)opt->step);\n"
		"const S rate = (S)((double)opt->lr / fix1), root = (S)sqrt(fix2);\n"
		"const S new1 = (S)(1 - (double)opt->beta1), new2 = (S)(1 - (double)opt->beta2);\n",
		", T rate, T root, T new1, T new2", ", (T)rate, (T)root, (T)new1, (T)new2",
		{"const T d = g[i] + weight_decay * w[i];", "", "m[i] += (d - m[i]) * new1;",
			"v[i] = v[i] * beta2 + d * d * new2;", "w[i] -= rate * (m[i] / (SQRT(v[i]) / root + eps));"}},
	[OPT_ADAMW] = {"adamw", 2,
		{{"lr", 1e-3, "learning rate", false}, {"beta1", 0.9, "decay of m", true}, {"beta2", 0.999, "decay of v", false},
			{"eps", 1e-8, "added to the root of v", false},
			{"weight_decay", 1e-2, "share lost at learning rate 1", false}},
		"const double fix1 = 1 - pow((double)opt->beta1, (double)opt->step);\n"
		"const double fix2 = 1 - pow((double)opt->beta2, (double)opt->step);\n"
		"const S rate = (S)((double)opt->lr / fix1), root = (S)sqrt(fix2);\n"
		"const S new1 = (S)(1 - (double)opt->beta1), new2 = (S)(1 - (double)opt->beta2);\n",
		", T rate, T root, T new1, T new2", ", (T)rate, (T)root, (T)new1, (T)new2",
		{"m[i] += (g[i] - m[i]) * new1;", "v[i] = v[i] * beta2 + g[i] * g[i] * new2;",
			"w[i] = w[i] * (1 - lr * weight_decay) - rate * (m[i] / (SQRT(v[i]) / root + eps));"}},
};
static const char *const moment[] = {"m", "v"};

int
optimizer_moments(const Program *p)
{
	return rule[p->opt->optimizer].moments;
}

/* ---- dtypes ---- */

/* the dtypes of the tensors it changes: bits of DType */
static uint32_t
dtypes_of(const Program *p)
{
	uint32_t set = 0;

	for (int i = 0; i < p->of[AREA_GRAD].n; i++)
		if (optimized(p, i))
			set |= (uint32_t)1 << p->of[AREA_GRAD].m[i].type.dt;
	return set;
}

static const char *
setting_type(const Program *p)
{
	return dtypes_of(p) >> F64 & 1 ? "double" : "float";
}

/* of the members m and v: void when tensors differ */
static const char *
moment_type(const Program *p)
{
	uint32_t set = dtypes_of(p);

	return set == 1u << F32 ? "float" : set == 1u << F64 ? "double" : "void";
}

/* text with the words T, S and SQRT replaced */
static const char *
with_types(Arena *a, const char *s, const char *t, const char *settings)
{
	Buf b = {.arena = a};
	char last = ' ';

	for (; *s; last = *s++) {
		bool word = (last >= 'a' && last <= 'z') || last == '_' || (last >= 'A' && last <= 'Z');
		if (!word && !strncmp(s, "SQRT(", 5)) {
			buf_puts(&b, !strcmp(t, "float") ? "sqrtf" : "sqrt");
			s += 3;
		} else if (!word && (s[0] == 'T' || s[0] == 'S') && (s[1] == ' ' || s[1] == ')')) {
			buf_puts(&b, s[0] == 'T' ? t : settings);
		} else {
			buf_putc(&b, *s);
		}
	}
	return buf_str(&b);
}

const char *
optimizer_setting(const Program *p, int k)
{
	return rule[p->opt->optimizer].setting[k].name;
}

DType
optimizer_dtype(const Program *p)
{
	return !strcmp(setting_type(p), "double") ? F64 : F32;
}

/* ---- NAME.h ---- */

void
optimizer_print_api(Buf *b, const Program *p)
{
	const char *m = p->user->name;
	int k = p->opt->optimizer;

	if (!k)
		return;
	buf_printf(b, "/* Settings and state of %s. A schedule changes lr, a checkpoint keeps it all. */\n", rule[k].name);
	buf_printf(b, "typedef struct %s_optimizer {\n", m);
	for (const Setting *s = rule[k].setting; s->name; s++)
		buf_documented(b, arena_fmt(b->arena, "%s %s;", setting_type(p), s->name),
			arena_fmt(b->arena, "%s; %g by optimizer_init", s->doc, s->dflt));
	buf_documented(b, "int64_t step;", "updates done");
	for (int i = 0; i < rule[k].moments; i++)
		buf_documented(b, arena_fmt(b->arena, "%s *%s;", moment_type(p), moment[i]),
			i ? "mean of squared gradients, laid out as params" : "mean of gradients, laid out as params");
	buf_printf(b, "} %s_optimizer;\n\n", m);
	if (rule[k].moments)
		buf_printf(b, "/* Points the members into one flat array, which begins as zeros. */\n"
			"void %s_optimizer_bind(%s_optimizer *opt, void *flat);\n", m, m);
	buf_printf(b, "/* Default settings and step 0; leaves arrays alone. */\n"
		"void %s_optimizer_init(%s_optimizer *opt);\n", m, m);
	buf_puts(b, "/* The update alone, for gradients of several calls; a parameter whose gradient is NULL stays. */\n");
	buf_line(b, 0, arena_fmt(b->arena, "int %s_update(const %s_params *p, const %s_grads *g, %s_optimizer *opt);\n",
		m, m, m, m));
}

/* ---- NAME.c ---- */

/* the loop over one tensor of dtype d */
static void
put_loop(Buf *b, const Program *p, DType d)
{
	const char *m = p->user->name, *t = c_type(d);
	int k = p->opt->optimizer;
	Buf head = {.arena = b->arena};

	buf_printf(b, "static void\n");
	buf_printf(&head, "%s_%s_%s(int64_t n, %s *restrict w, const %s *restrict g", m, rule[k].name, dtype_name(d), t, t);
	for (int i = 0; i < rule[k].moments; i++)
		buf_printf(&head, ", %s *restrict %s", t, moment[i]);
	for (const Setting *s = rule[k].setting; s->name; s++)
		if (!s->once)
			buf_printf(&head, ", %s %s", t, s->name);
	buf_printf(&head, "%s)", with_types(b->arena, rule[k].args, t, t));
	buf_line(b, 0, buf_str(&head));
	buf_printf(b, "{\n\t%s_PARALLEL_FOR\n\tfor (int64_t i = 0; i < n; i++) {\n", upper(b->arena, m));
	for (int i = 0; rule[k].body[i]; i++)
		if (*rule[k].body[i])
			buf_line(b, 2, with_types(b->arena, rule[k].body[i], t, t));
		else
			buf_putc(b, '\n');
	buf_puts(b, "\t}\n}\n\n");
}

static const char *
moment_at(Arena *a, const Program *p, int i, const Member *w)
{
	const char *t = moment_type(p);

	if (!strcmp(t, "void"))
		return arena_fmt(a, "(%s *)(void *)((char *)opt->%s + %lld)", c_type(w->type.dt), moment[i], (long long)w->offset);
	return arena_fmt(a, "opt->%s + %lld", moment[i], (long long)w->offset / dtype_size(w->type.dt));
}

static void
put_tensor(Buf *b, const Program *p, const Member *w)
{
	const char *m = p->user->name, *t = c_type(w->type.dt);
	int k = p->opt->optimizer;
	Buf call = {.arena = b->arena};

	buf_printf(&call, "%s_%s_%s(%lld, p->%s, g->%s", m, rule[k].name, dtype_name(w->type.dt),
		(long long)(w->bytes / dtype_size(w->type.dt)), w->cname, w->cname);
	for (int i = 0; i < rule[k].moments; i++)
		buf_printf(&call, ", %s", moment_at(b->arena, p, i, w));
	for (const Setting *s = rule[k].setting; s->name; s++)
		if (!s->once)
			buf_printf(&call, ", %sopt->%s", strcmp(t, setting_type(p)) ? arena_fmt(b->arena, "(%s)", t) : "", s->name);
	buf_printf(&call, "%s);", !strcmp(t, setting_type(p)) && *rule[k].pass ? ", rate, root, new1, new2"
		: with_types(b->arena, rule[k].pass, t, t));
	buf_printf(b, "\tif (g->%s)\n", w->cname);
	buf_line(b, 2, buf_str(&call));
}

static void
put_step(Buf *b, const Program *p)
{
	const char *m = p->user->name;
	int k = p->opt->optimizer;

	buf_puts(b, "/* advances all parameters that have a gradient */\nstatic void\n");
	buf_line(b, 0,
		arena_fmt(b->arena, "%s_step(const %s_params *p, const %s_grads *g, %s_optimizer *opt)", m, m, m, m));
	buf_puts(b, "{\n\topt->step++;\n");
	for (const char *s = rule[k].once; s && *s; s = strchr(s, '\n') + 1)
		buf_printf(b, "\t%s\n", with_types(b->arena, arena_copy(b->arena, s, strchr(s, '\n') - s), "float",
			setting_type(p)));
	for (int i = 0; i < p->of[AREA_GRAD].n; i++)
		if (optimized(p, i))
			put_tensor(b, p, &p->of[AREA_PARAM].m[p->of[AREA_GRAD].m[i].param]);
	buf_puts(b, "}\n\n");
}

/* what must not be NULL, as a condition */
const char *
optimizer_nulls(Arena *a, const Program *p)
{
	Buf b = {.arena = a};

	for (int i = 0; i < optimizer_moments(p); i++)
		buf_printf(&b, "%s!opt->%s", i ? " || " : "", moment[i]);
	return buf_str(&b);
}

static void
put_update(Buf *b, const Program *p)
{
	const char *m = p->user->name, *u = upper(b->arena, m);
	Buf null = {.arena = b->arena};

	buf_puts(b, "int\n");
	buf_line(b, 0, arena_fmt(b->arena, "%s_update(const %s_params *p, const %s_grads *g, %s_optimizer *opt)", m, m, m, m));
	buf_puts(&null, "if (!p || !g || !opt");
	if (optimizer_moments(p))
		buf_printf(&null, " || %s", optimizer_nulls(b->arena, p));
	for (int i = 0; i < p->of[AREA_GRAD].n; i++)
		if (optimized(p, i))
			buf_printf(&null, " || (g->%s && !p->%s)", p->of[AREA_GRAD].m[i].cname, p->of[AREA_GRAD].m[i].cname);
	buf_puts(&null, ")");
	buf_puts(b, "{\n");
	buf_line(b, 1, buf_str(&null));
	buf_printf(b, "\t\treturn %s_E_NULL;\n\t%s_step(p, g, opt);\n\treturn %s_OK;\n}\n\n", u, m, u);
}

static void
put_bind_init(Buf *b, const Program *p)
{
	const char *m = p->user->name;
	int k = p->opt->optimizer;

	if (rule[k].moments) {
		buf_printf(b, "void\n%s_optimizer_bind(%s_optimizer *opt, void *flat)\n{\n", m, m);
		buf_puts(b, "\topt->m = flat;\n");
		if (rule[k].moments > 1)
			buf_printf(b, "\topt->v = (void *)((char *)flat + %lld);\n", (long long)p->of[AREA_PARAM].bytes);
		buf_puts(b, "}\n\n");
	}
	buf_printf(b, "void\n%s_optimizer_init(%s_optimizer *opt)\n{\n", m, m);
	for (const Setting *s = rule[k].setting; s->name; s++) {
		bool single = !strcmp(setting_type(p), "float");
		buf_printf(b, "\topt->%s = ", s->name);
		buf_float(b, s->dflt, single);
		buf_printf(b, "%s%s;\n", s->dflt == 0 || s->dflt == 1 ? ".0" : "", single ? "f" : "");
	}
	buf_puts(b, "\topt->step = 0;\n}\n\n");
}

void
optimizer_print(Buf *b, const Program *p)
{
	if (!p->opt->optimizer)
		return;
	for (int d = 0; d < NDTYPE; d++)
		if (dtypes_of(p) >> d & 1)
			put_loop(b, p, d);
	put_step(b, p);
	put_bind_init(b, p);
	put_update(b, p);
}
