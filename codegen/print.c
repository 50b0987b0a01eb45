/* print: statements of a kernel as C text.
 *
 * The only place that knows C's precedence, parentheses and line breaks. A
 * statement is first put on one line with marks where it may break, each with
 * its depth of nesting; lines over 100 columns then break at the outermost mark
 * that fills them best. */
#include "gen.h"

#include <string.h>

enum { COLUMNS = 100, TAB = 8, MARK = 16, MAXMARK = 31 };    /* bytes MARK .. MAXMARK: break here, by depth */

typedef struct Printer {
	Buf *out;
	Buf line;                      /* the statement under construction */
	Arena *arena;
	const Graph *g;
	const char *model;
	bool plain;                    /* names by number: for comparing kernels */
	int depth;                     /* of parentheses */
} Printer;

/* ---- names ---- */

static const char *
var_text(const Printer *p, const Var *v)
{
	return p->plain ? arena_fmt(p->arena, "v%d", v->id) : v->name;
}

static const char *
mem_text(const Printer *p, const Mem *m)
{
	return p->plain ? arena_fmt(p->arena, m->param >= 0 ? "p%d" : "m%d", m->param >= 0 ? m->param : m->id) : m->name;
}

const char *
rt_name(Arena *a, const char *op, const char *model)
{
	return strncmp(op, "rt_", 3) ? op : arena_fmt(a, "%s_%s", model, op + 3);
}

/* ---- expressions ---- */

enum Prec { P_COND = 1, P_OR, P_AND, P_EQ, P_REL, P_ADD, P_MUL, P_UNARY, P_POST };

static int
binary_prec(const char *op)
{
	static const struct { const char *op; int prec; } table[] = {
		{"||", P_OR}, {"&&", P_AND}, {"==", P_EQ}, {"!=", P_EQ}, {"<", P_REL}, {"<=", P_REL}, {">", P_REL},
		{">=", P_REL}, {"+", P_ADD}, {"-", P_ADD}, {"*", P_MUL}, {"/", P_MUL}, {"%", P_MUL},
	};

	for (int i = 0; i < LEN(table); i++)
		if (!strcmp(table[i].op, op))
			return table[i].prec;
	bug("no C operator %s", op);
}

static int
prec(const Val *v)
{
	switch (v->kind) {
	case V_COND:   return P_COND;
	case V_BINARY: return binary_prec(v->op);
	case V_ADDR:   return v->x[0]->kind == V_INT && !v->x[0]->num.i ? P_POST : P_ADD;
	case V_UNARY:
	case V_CAST:   return P_UNARY;
	case V_INT:    return v->num.i < 0 && v->dt != U64 ? P_UNARY : P_POST;
	case V_NUM:    return v->num.f < 0 ? P_UNARY : P_POST;
	default:       return P_POST;
	}
}

/* tight: within a product, which breaks after sums do */
static void
mark(Printer *p, bool tight)
{
	buf_putc(&p->line, MARK + MIN(2 * p->depth + tight, MAXMARK - MARK));
}

static void put(Printer *p, const Val *v);

static void
put_open(Printer *p, const Val *v, bool paren)
{
	if (paren) {
		buf_putc(&p->line, '(');
		p->depth++;
	}
	put(p, v);
	if (paren) {
		p->depth--;
		buf_putc(&p->line, ')');
	}
}

/* mixtures that compilers warn of, or that readers stumble on */
static bool
mixed(const Val *v, const Val *x)
{
	int a = prec(v), b = prec(x);

	if (x->kind != V_BINARY)
		return false;
	return (a == P_OR && b == P_AND) || (a == P_EQ && (b == P_EQ || b == P_REL)) || (a == P_REL && b == P_REL);
}

static void
put_binary(Printer *p, const Val *v)
{
	int mine = prec(v);
	const Val *l = v->x[0], *r = v->x[1];
	/* equal precedence on the right is bare only where it associates bit for bit, which floats never do */
	bool right = prec(r) <= mine;

	if (prec(r) == mine && (mine == P_AND || mine == P_OR || (v->dt == I64 && v->op[0] == '+')))
		right = false;

	put_open(p, l, prec(l) < mine || mixed(v, l));
	buf_putc(&p->line, ' ');
	mark(p, mine >= P_MUL);
	buf_printf(&p->line, "%s ", v->op);
	put_open(p, r, right || mixed(v, r) || (mine == P_ADD && prec(r) == P_UNARY && r->kind != V_CAST));
}

static void
put_call(Printer *p, const Val *v)
{
	buf_printf(&p->line, "%s(", rt_name(p->arena, v->op, p->model));
	p->depth++;
	for (int i = 0; i < v->nx; i++) {
		if (i) {
			buf_puts(&p->line, ", ");
			mark(p, false);
		}
		put(p, v->x[i]);
	}
	p->depth--;
	buf_putc(&p->line, ')');
}

static void
put_int(Buf *b, DType d, int64_t i)
{
	if (d == BOOL)
		buf_puts(b, i ? "true" : "false");
	else if (dtype_half(d))
		buf_printf(b, "0x%04llx", (long long)i);
	else if (d == U64)
		buf_printf(b, (uint64_t)i > INT32_MAX ? "UINT64_C(%llu)" : "%lluu", (unsigned long long)i);
	else if (i == INT64_MIN)
		buf_puts(b, "INT64_MIN");
	else if (i > INT32_MAX || i < -INT32_MAX)
		buf_printf(b, i < 0 ? "-INT64_C(%lld)" : "INT64_C(%lld)", (long long)(i < 0 ? -i : i));
	else
		buf_printf(b, "%lld", (long long)i);
}

static void
put_num(Printer *p, const Val *v)
{
	bool single = v->dt == F32;
	double f = single ? (double)(float)v->num.f : v->num.f;

	buf_c_float(&p->line, f, single);
}

static void
put(Printer *p, const Val *v)
{
	Buf *b = &p->line;

	switch (v->kind) {
	case V_INT:  put_int(b, v->dt, v->num.i); break;
	case V_NUM:  put_num(p, v); break;
	case V_VAR:  buf_puts(b, var_text(p, v->var)); break;
	case V_SYM:  buf_puts(b, p->g->sym[v->num.i].name); break;
	case V_LOAD:
		buf_printf(b, "%s[", mem_text(p, v->mem));
		p->depth++;
		put(p, v->x[0]);
		p->depth--;
		buf_putc(b, ']');
		break;
	case V_ADDR:
		buf_puts(b, mem_text(p, v->mem));
		if (prec(v) == P_ADD) {
			buf_puts(b, " + ");
			put_open(p, v->x[0], prec(v->x[0]) < P_ADD);
		}
		break;
	case V_CALL: put_call(p, v); break;
	case V_UNARY:
		buf_puts(b, v->op);
		put_open(p, v->x[0], prec(v->x[0]) < P_POST);
		break;
	case V_BINARY: put_binary(p, v); break;
	case V_COND:
		put_open(p, v->x[0], prec(v->x[0]) <= P_COND);
		buf_putc(b, ' ');
		mark(p, false);
		buf_puts(b, "? ");
		put_open(p, v->x[1], prec(v->x[1]) <= P_COND);
		buf_putc(b, ' ');
		mark(p, false);
		buf_puts(b, ": ");
		put_open(p, v->x[2], false);
		break;
	case V_CAST:
		buf_printf(b, "(%s)", c_type(v->dt));
		put_open(p, v->x[0], prec(v->x[0]) < P_UNARY);
		break;
	case V_REDUCE: bug("a reduction that was not scheduled");
	}
}

/* ---- lines ---- */

static bool
is_mark(char c)
{
	return c >= MARK && c <= MAXMARK;
}

/* s with marks taken out: where to break so that the first line fits, or its length */
static int64_t
break_at(const char *s, int64_t room)
{
	int64_t width = 0, best = -1;
	int least = MAXMARK + 1;

	for (int64_t i = 0; s[i]; i++) {
		if (!is_mark(s[i])) {
			if (++width > room)
				return best >= 0 ? best : (int64_t)strlen(s);
			continue;
		}
		/* an outer mark is better, unless it leaves most of the line empty */
		if (s[i] <= least || width < room / 3) {
			least = s[i];
			best = i;
		}
	}
	return (int64_t)strlen(s);
}

static void
put_tabs(Buf *b, int n)
{
	for (int i = 0; i < n; i++)
		buf_putc(b, '\t');
}

static void
put_line(Printer *p, int indent, const char *s)
{
	int at = indent;

	do {
		int64_t n = break_at(s, COLUMNS - TAB * at), end = n;
		while (end && (s[end - 1] == ' ' || is_mark(s[end - 1])))
			end--;
		put_tabs(p->out, at);
		for (int64_t i = 0; i < end; i++)
			if (!is_mark(s[i]))
				buf_putc(p->out, s[i]);
		buf_putc(p->out, '\n');
		s += n;
		while (is_mark(*s))
			s++;
		at = indent + 1;
	} while (*s);
}

static void
flush(Printer *p, int indent)
{
	put_line(p, indent, buf_str(&p->line));
	p->line.n = 0;
	if (p->line.s)
		p->line.s[0] = 0;
}

/* ---- statements ---- */

static void put_block(Printer *p, const Block *k, int indent);

static bool
declares(const Stmt *s)
{
	return s->kind == S_LET || s->kind == S_VAR || s->kind == S_ARRAY;
}

/* braces around the body of a for or an if */
static bool
braced(const Block *k)
{
	return k->n != 1 || declares(k->s[0]) || (k->s[0]->kind == S_FOR && k->s[0]->parallel) || k->s[0]->kind == S_NOTE;
}

static void
put_body(Printer *p, const Block *k, int indent, bool brace)
{
	buf_puts(&p->line, brace ? " {" : "");
	flush(p, indent);
	put_block(p, k, indent + 1);
}

int
parallel_loops(const Stmt *s)
{
	int n = s->kind == S_FOR && s->parallel;

	for (const Stmt *t = s; n && n < s->nest && t->body.n == 1 && t->body.s[0]->kind == S_FOR; t = t->body.s[0])
		n++;
	return n;
}

const char *
parallel_macro(const Stmt *s)
{
	static const char *const macro[][3] = {
		[PARALLEL]       = {"RT_PARALLEL_FOR", "RT_PARALLEL_FOR_2", "RT_PARALLEL_FOR_3"},
		[PARALLEL_CHECK] = {"RT_PARALLEL_FOR_CHECK", "RT_PARALLEL_FOR_2_CHECK", "RT_PARALLEL_FOR_3_CHECK"},
	};

	return macro[s->parallel][parallel_loops(s) - 1];
}

static void
put_for(Printer *p, const Stmt *s, int indent)
{
	const char *v = var_text(p, s->var);
	bool brace = braced(&s->body);

	if (s->parallel) {
		buf_printf(&p->line, "%s%s", upper(p->arena, p->model), parallel_macro(s) + strlen("RT"));
		flush(p, indent);
	}
	buf_printf(&p->line, "for (int64_t %s = ", v);
	put(p, s->x[0]);
	buf_puts(&p->line, "; ");
	mark(p, false);
	buf_printf(&p->line, "%s < ", v);
	put(p, s->x[1]);
	buf_puts(&p->line, "; ");
	mark(p, false);
	if (s->step == 1)
		buf_printf(&p->line, "%s++)", v);
	else
		buf_printf(&p->line, "%s += %lld)", v, (long long)s->step);
	put_body(p, &s->body, indent, brace);
	if (brace) {
		buf_puts(&p->line, "}");
		flush(p, indent);
	}
}

static void
put_if(Printer *p, const Stmt *s, int indent)
{
	bool brace = braced(&s->body) || (s->other.n && braced(&s->other));

	buf_puts(&p->line, "if (");
	put(p, s->x[0]);
	buf_puts(&p->line, ")");
	put_body(p, &s->body, indent, brace);
	if (s->other.n) {
		buf_puts(&p->line, brace ? "} else" : "else");
		put_body(p, &s->other, indent, brace);
	}
	if (brace) {
		buf_puts(&p->line, "}");
		flush(p, indent);
	}
}

static const char *
assign(Combine c)
{
	return c == R_SUM ? "+=" : c == R_PROD ? "*=" : "=";
}

static void
put_stmt(Printer *p, const Stmt *s, int indent)
{
	Buf *b = &p->line;

	switch (s->kind) {
	case S_FOR: put_for(p, s, indent); return;
	case S_IF:  put_if(p, s, indent); return;
	case S_NOTE:
		if (!p->plain) {
			buf_printf(b, "/* %s */", s->text);
			flush(p, indent);
		}
		return;
	case S_LET:
		buf_printf(b, "const %s %s = ", c_type(s->var->dt), var_text(p, s->var));
		put(p, s->x[0]);
		break;
	case S_VAR:
		buf_printf(b, "%s %s = ", c_type(s->var->dt), var_text(p, s->var));
		put(p, s->x[0]);
		break;
	case S_SET:
		buf_printf(b, "%s %s ", var_text(p, s->var), assign(s->combine));
		put(p, s->x[0]);
		break;
	case S_ARRAY:
		if (s->mem->param == -2) {
			buf_printf(b, "%s *restrict %s = ", c_type(s->mem->dt), mem_text(p, s->mem));
			buf_printf(b, s->mem->len ? "(void *)((char *)scratch + %lld)" : "scratch", (long long)s->mem->len);
			break;
		}
		if (s->mem->aligned)
			buf_printf(b, "%s_ALIGNED ", upper(p->arena, p->model));
		buf_printf(b, "%s %s[%lld]%s", c_type(s->mem->dt), mem_text(p, s->mem), (long long)s->mem->len,
			s->x[0] ? " = {0}" : "");
		break;
	case S_STORE:
	case S_ACC:
		buf_printf(b, "%s[", mem_text(p, s->mem));
		p->depth++;
		put(p, s->x[0]);
		p->depth--;
		buf_printf(b, "] %s ", s->kind == S_ACC ? assign(s->combine) : "=");
		put(p, s->x[1]);
		break;
	case S_CALL:
		put(p, s->x[0]);
		break;
	case S_BAD:
		buf_puts(b, "bad |= ");
		put(p, s->x[0]);
		break;
	}
	buf_putc(b, ';');
	flush(p, indent);
}

static void
put_block(Printer *p, const Block *k, int indent)
{
	for (int64_t i = 0; i < k->n; i++)
		put_stmt(p, k->s[i], indent);
}

void
block_print(Buf *b, const Graph *g, const Block *body, const char *model, int indent, bool plain)
{
	Printer p = {.out = b, .line.arena = b->arena, .arena = b->arena, .g = g, .model = model, .plain = plain};

	put_block(&p, body, indent);
}

/* one logical line, broken at the blanks after its commas */
void
line_print(Buf *b, const char *s, int indent)
{
	Printer p = {.out = b, .line.arena = b->arena, .arena = b->arena};

	for (; *s; s++) {
		buf_putc(&p.line, *s);
		if (*s == ' ' && s[-1] == ',')
			mark(&p, false);
	}
	flush(&p, indent);
}
