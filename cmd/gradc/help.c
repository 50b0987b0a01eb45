/* help: the texts made from the tables of options.c: --help, the manual page,
 * completion for bash. */
#include "cmd.h"

#include <string.h>

static const char synopsis[] = "a model graph in JSON becomes C that computes, differentiates and trains it";

static const struct { int code; const char *meaning; } exits[] = {
	{0, "done"},
	{EXIT_DIFF, "check or verify found a difference"},
	{EXIT_INPUT, "bad usage, a file that cannot be read or written, or a model that is wrong"},
	{EXIT_UNSUPPORTED, "unsupported: everything in the model that gradc cannot do is listed"},
	{EXIT_BUDGET, "reserved: for budgets that no plan keeps to; there are none yet"},
	{EXIT_BUG, "a fault of gradc"},
};

/* the values that an option takes, one blank between; empty: any */
static const char *
value_words(Arena *a, const Opt *o)
{
	Buf b = {.arena = a};
	int n;

	if (o->words) {
		char *copy = arena_str(a, o->words);
		for (char *bar = copy; (bar = strchr(bar, '|'));)
			*bar = ' ';
		return copy;
	}
	if (o->arg && !strcmp(o->arg, "PASS")) {
		const Pass *p = pass_table(&n);
		for (int i = 0; i < n; i++)
			buf_printf(&b, "%s%s", i ? " " : "", p[i].name);
	}
	return buf_str(&b);
}

/* ---- --help ---- */

static void
put_wrapped(Buf *b, const char *s, int indent, int col)
{
	for (bool first = true; *s; first = false) {
		int n = (int)strcspn(s, " ");
		if (!first && col + 1 + n > 79) {
			buf_printf(b, "\n%*s", indent, "");
			col = indent;
		} else if (!first) {
			buf_putc(b, ' ');
			col++;
		}
		buf_put(b, s, n);
		col += n;
		s += n;
		s += *s == ' ';
	}
	buf_putc(b, '\n');
}

void
help_main(Buf *b)
{
	int n;
	const Verb *v = verb_table(&n);

	buf_printf(b, "gradc: %s\n\nusage: gradc VERB ...\n       gradc IR -o DIR       (compile)\n\nverbs:\n", synopsis);
	for (int i = 0; i < n; i++)
		buf_printf(b, "  %-10s %-10s %s\n", v[i].name, v[i].usage, v[i].doc);
	buf_puts(b, "\n`gradc VERB --help` lists the options of a verb. '-' is standard input or output.\n\nexit codes:\n");
	for (int i = 0; i < LEN(exits); i++)
		buf_printf(b, "  %-4d%s\n", exits[i].code, exits[i].meaning);
}

enum { DIR_VERBS = V_COMPILE | V_CHECK | V_INIT };

/* -o means two things */
static Opt
out_option(Opt o, const Verb *v)
{
	bool dir = v->bit & DIR_VERBS;

	o.arg = dir ? "DIR" : "FILE";
	o.doc = dir ? "the directory of the files" : "where to write; without it, or with '-', to standard output";
	return o;
}

static void
help_option(Buf *b, const Opt *o)
{
	int64_t start = b->n;
	const char *words = value_words(b->arena, o);

	buf_printf(b, "  %s%s%s", o->name, o->arg ? (o->name[1] == '-' ? "=" : " ") : "", o->arg ? o->arg : "");
	if (b->n - start > 26) {
		buf_putc(b, '\n');
		start = b->n;
	}
	buf_printf(b, "%*s", (int)(28 - (b->n - start)), "");
	put_wrapped(b, o->doc, 28, 28);
	if (*words || o->dflt) {
		buf_printf(b, "%28s", "");
		put_wrapped(b,
			arena_fmt(b->arena, "%s%s%s%s%s", words, *words && o->dflt ? " " : "", o->dflt ? "(default " : "",
				o->dflt ? o->dflt : "", o->dflt ? ")" : ""),
			28, 28);
	}
}

void
help_verb(Buf *b, const Verb *v)
{
	buf_printf(b, "gradc %s: %s\n\nusage: gradc %s [options]%s%s\n\n", v->name, v->doc, v->name, *v->usage ? " " : "",
		v->usage);
	if (v->more) {
		put_wrapped(b, v->more, 0, 0);
		buf_putc(b, '\n');
	}
	buf_puts(b, "options:\n");
	for (int i = 0; i < NOPT; i++) {
		Opt o = i == O_OUT ? out_option(opt_table()[i], v) : opt_table()[i];
		if (o.verbs & v->bit)
			help_option(b, &o);
	}
}

/* ---- the manual page ---- */

/* running text in man(7): '-' and '\' escaped, a leading dot or quote protected */
static void
man_text(Buf *b, const char *s)
{
	if (*s == '.' || *s == '\'')
		buf_puts(b, "\\&");
	for (; *s; s++) {
		if (*s == '-')
			buf_puts(b, "\\-");
		else if (*s == '\\')
			buf_puts(b, "\\e");
		else
			buf_putc(b, *s);
	}
}

static void
man_sentence(Buf *b, const char *s)
{
	if (*s >= 'a' && *s <= 'z' && s[strcspn(s, " :")] != ':') {        /* "nop: ..." is a word of the user's */
		buf_putc(b, *s - 'a' + 'A');
		s++;
	}
	man_text(b, s);
	buf_puts(b, strchr(".?", s[strlen(s) - 1]) ? "\n" : ".\n");
}

static void
man_verbs(Buf *b)
{
	int n;
	const Verb *v = verb_table(&n);

	buf_puts(b, ".SH VERBS\n");
	for (int i = 0; i < n; i++) {
		buf_printf(b, ".TP\n\\fBgradc %s\\fR%s", v[i].name, *v[i].usage ? " \\fI" : "");
		man_text(b, v[i].usage);
		buf_puts(b, *v[i].usage ? "\\fR\n" : "\n");
		man_sentence(b, v[i].doc);
		if (v[i].more)
			man_sentence(b, v[i].more);
	}
}

static void
man_option(Buf *b, const Opt *o)
{
	const char *words = value_words(b->arena, o);
	int n;
	const Verb *v = verb_table(&n);

	buf_puts(b, ".TP\n\\fB");
	man_text(b, o->name);
	buf_printf(b, "\\fR%s%s%s\n", o->arg ? (o->name[1] == '-' ? "=\\fI" : " \\fI") : "", o->arg ? o->arg : "",
		o->arg ? "\\fR" : "");
	man_sentence(b, o->doc);
	if (*words) {
		buf_puts(b, "One of ");
		man_text(b, words);
		buf_puts(b, ".\n");
	}
	if (o->dflt) {
		buf_puts(b, "Default: ");
		man_text(b, o->dflt);
		buf_puts(b, ".\n");
	}
	if (o->verbs == V_ALL)
		return;
	buf_puts(b, "Of");
	for (int i = 0, k = 0; i < n; i++)
		if (o->verbs & v[i].bit)
			buf_printf(b, "%s %s", k++ ? "," : "", v[i].name);
	buf_puts(b, ".\n");
}

static const char man_examples[] =
	".SH EXAMPLES\n"
	".TP\n.B gradc init net && make \\-C net\nStart a project and train its network.\n"
	".TP\n.B gradc net.json \\-o gen \\-\\-optimizer=adam\nWrite gen/net.h, gen/net.c and gen/net.manifest.json.\n"
	".TP\n.B gradc check net.json \\-o gen\nIn a CI job: are the files that are checked in still those of the model?\n"
	".TP\n.B gradc explain net.json\nSee which values backward keeps and which it computes again.\n"
	".TP\n.B gradc grad net.json | gradc grad \\- \\-\\-of=d.w\nSecond derivatives, as a graph.\n";
static const char man_rest[] =
	".SH ENVIRONMENT\n"
	".TP\n.B NO_COLOR\nIf set and not empty, messages on a terminal have no colour.\n"
	".TP\n.B GRADC_LIBCLANG\nThe libclang with which emitted C is parsed; if unset, the newest that is installed.\n"
	".TP\n.B TMPDIR\nWhere programs that are built to be run have their private directory; /tmp if unset.\n"
	".SH NOTES\nThe code that gradc emits belongs to its user.\n";

void
man_page(Buf *b)
{
	buf_printf(b, ".TH GRADC 1 \"\" \"gradc %s\" \"User Commands\"\n.SH NAME\ngradc \\- %s\n", GRADC_VERSION, synopsis);
	buf_puts(b, ".SH SYNOPSIS\n.B gradc\n.I VERB\n.RI [ options ]\n.RI [ file ...]\n.br\n.B gradc\n.I IR\n.B \\-o\n"
		".I DIR\n.RI [ options ]\n");
	buf_puts(b, ".SH DESCRIPTION\ngradc reads a model graph in JSON (the IR), differentiates it, decides by a minimum cut what "
		"backward computes again instead of keeping, fuses, and writes standalone C99: forward, backward, optimizer. "
		"Without a verb it compiles. A file named \\- is standard input or output. Nothing is written on failure, and "
		"a file whose content would not change is not touched.\n");
	man_verbs(b);
	buf_puts(b, ".SH OPTIONS\n");
	for (int i = 0; i < NOPT; i++)
		man_option(b, &opt_table()[i]);
	buf_puts(b, ".SH EXIT STATUS\n");
	for (int i = 0; i < LEN(exits); i++) {
		buf_printf(b, ".TP\n.B %d\n", exits[i].code);
		man_sentence(b, exits[i].meaning);
	}
	buf_puts(b, man_examples);
	buf_puts(b, man_rest);
}

/* ---- completion ---- */

/* bash takes --name=value apart at the '=', which becomes a word of its own */
static const char bash_head[] =
	"# completion of gradc for bash, made by `gradc help --completion=bash`\n"
	"_gradc()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= words= i\n"
	"\tCOMPREPLY=()\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\tcur=\n"
	"\telif [[ $prev == = ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\tfi\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\t[[ ${COMP_WORDS[i]} == -* ]] || { verb=${COMP_WORDS[i]}; break; }\n"
	"\tdone\n";
static const char bash_tail[] =
	"\tesac\n"
	"\tif [[ $cur == -* ]]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	"\t\t[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n"
	"\tfi\n"
	"}\n"
	"complete -o default -F _gradc gradc\n";

static void
bash_verbs(Buf *b, const char *before)
{
	int n;
	const Verb *v = verb_table(&n);

	buf_puts(b, before);
	for (int i = 0; i < n; i++)
		buf_printf(b, "%s%s", i ? " " : "", v[i].name);
	buf_puts(b, "\" -- \"$cur\"))\n");
}

static void
bash_options(Buf *b, unsigned bits)
{
	buf_puts(b, "words=\"");
	for (int i = 0, k = 0; i < NOPT; i++) {
		const Opt *o = &opt_table()[i];
		if (o->verbs & bits)
			buf_printf(b, "%s%s%s", k++ ? " " : "", o->name, o->arg && o->name[1] == '-' ? "=" : "");
	}
	buf_puts(b, "\"");
}

/* what follows an option; one that shares its name belongs to some verbs alone */
static void
bash_values(Buf *b, const Opt *o)
{
	const char *words = value_words(b->arena, o);
	int n, shared = 0;
	const Verb *v = verb_table(&n);

	for (int i = 0; i < NOPT; i++)
		shared += !strcmp(opt_table()[i].name, o->name);
	if (shared > 1)
		buf_printf(b, "\t%s", o->verbs & V_COMPILE ? arena_fmt(b->arena, "\" %s\"", o->name) : "");
	for (int i = 0, k = o->verbs & V_COMPILE; i < n && shared > 1; i++)
		if (o->verbs & v[i].bit)
			buf_printf(b, "%s\"%s %s\"", k++ ? "|" : "", v[i].name, o->name);
	if (shared == 1)
		buf_printf(b, "\t*\" %s\"", o->name);
	buf_puts(b, ")\n");
	if (*words)
		buf_printf(b, "\t\tCOMPREPLY=($(compgen -W \"%s\" -- \"$cur\"))\n", words);
	buf_puts(b, "\t\treturn ;;\n");
}

void
completion_bash(Buf *b)
{
	int n;
	const Verb *v = verb_table(&n);

	buf_puts(b, bash_head);
	buf_puts(b, "\tcase $verb in\n\t");
	for (int i = 0; i < n; i++)
		buf_printf(b, "%s%s", i ? "|" : "", v[i].name);
	buf_puts(b, ") ;;\n\t*) verb= ;;\n\tesac\n\tcase \"$verb $prev\" in\n");
	for (int i = 0; i < NOPT; i++)
		if (opt_table()[i].arg)
			bash_values(b, &opt_table()[i]);
	buf_puts(b, "\tesac\n\tcase $verb in\n\t\"\")\n\t\t");
	bash_options(b, V_COMPILE);
	bash_verbs(b, "\n\t\t[[ $cur == -* ]] || COMPREPLY=($(compgen -W \"");
	buf_puts(b, "\t\t;;\n");
	for (int i = 0; i < n; i++) {
		buf_printf(b, "\t%s)\n\t\t", v[i].name);
		bash_options(b, v[i].bit);
		if (v[i].bit == V_HELP)
			bash_verbs(b, "\n\t\tCOMPREPLY=($(compgen -W \"");
		else if (v[i].bit == V_OPS)
			buf_puts(b, "\n\t\tCOMPREPLY=($(compgen -W \"$(gradc ops 2>/dev/null | cut -d' ' -f1)\" -- \"$cur\"))\n");
		else
			buf_putc(b, '\n');
		buf_puts(b, "\t\t;;\n");
	}
	buf_puts(b, bash_tail);
}

/* ---- gradc help ---- */

int
verb_help(Args *a)
{
	Buf b = {.arena = a->arena};
	int n;
	const Verb *v = verb_table(&n);
	const char **names = NEW(a->arena, n, const char *), *near;

	if (a->val[O_MAN])
		man_page(&b);
	else if (a->val[O_COMPLETION])
		completion_bash(&b);
	else if (!a->npos)
		help_main(&b);
	for (int i = 0; i < n && !b.n; i++) {
		names[i] = v[i].name;
		if (!strcmp(a->pos[0], v[i].name))
			help_verb(&b, &v[i]);
	}
	if (!b.n) {
		near = nearest(a->pos[0], names, n);
		usage_error(a, "there is no verb '%s'%s%s%s", a->pos[0], near ? "; did you mean '" : "", near ? near : "",
			near ? "'?" : "");
	}
	output_text(a, &b);
	return 0;
}
