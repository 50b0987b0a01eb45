/* args: the words of the command line held against the tables of options.c. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

void
usage_error(const Args *a, const char *fmt, ...)
{
	Buf b = {.arena = a->arena};
	const char *verb = a->verb ? a->verb->name : "";
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	fail(EXIT_INPUT, (Loc){0}, "%s\n`gradc %s%s--help` lists %s", buf_str(&b), verb, *verb ? " " : "",
		*verb ? "its options" : "verbs");
}

static const Verb *
verb_find(const char *name)
{
	int n;
	const Verb *v = verb_table(&n);

	for (int i = 0; i < n; i++)
		if (!strcmp(v[i].name, name))
			return &v[i];
	return NULL;
}

/* Two options may have one name: that of the verb, or else the first. */
static const Opt *
opt_find(const Verb *v, const char *name, int64_t n)
{
	const Opt *o = opt_table(), *found = NULL;

	for (int i = 0; i < NOPT; i++)
		if (!strncmp(o[i].name, name, (size_t)n) && !o[i].name[n] && (!found || (v && !(found->verbs & v->bit))))
			found = &o[i];
	return found;
}

/* -oDIR, -MFfile: a short option with its value in one word */
static const Opt *
opt_joined(const char *word)
{
	const Opt *o = opt_table();

	for (int i = 0; i < NOPT; i++)
		if (o[i].arg && o[i].name[1] != '-' && !strncmp(o[i].name, word, strlen(o[i].name)))
			return &o[i];
	return NULL;
}

static _Noreturn void
unknown_option(const Args *a, const char *text, int64_t n)
{
	const char *names[NOPT], *near;

	for (int i = 0; i < NOPT; i++)
		names[i] = opt_table()[i].name;
	near = nearest(arena_copy(a->arena, text, n), names, NOPT);
	usage_error(a, "unknown option %.*s%s%s%s", (int)n, text, near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
}

static bool
word_in(const char *words, const char *w)
{
	size_t n = strlen(w);

	for (const char *s = words; s; s = strchr(s, '|') ? strchr(s, '|') + 1 : NULL)
		if (!strncmp(s, w, n) && (s[n] == '|' || !s[n]))
			return true;
	return false;
}

static void
set_value(Args *a, const Opt *o, const char *v)
{
	if (o->words && !word_in(o->words, v))
		usage_error(a, "%s: '%s' is not one of %s", o->name, v, o->words);
	if (o->arg && !*v)
		usage_error(a, "%s needs a value: %s", o->name, o->arg);
	if (a->val[o->id] && !o->many && strcmp(a->val[o->id], v))
		usage_error(a, "%s is given twice: '%s' and '%s'", o->name, a->val[o->id], v);
	a->val[o->id] = v;
	if (o->many) {
		int64_t n = a->nlist[o->id], cap = n;
		a->list[o->id] = arena_grow(a->arena, a->list[o->id], n, &cap, (int64_t)sizeof(char *));
		a->list[o->id][a->nlist[o->id]++] = v;
	}
}

/* the option argv[i]; returns how many further words it took */
static int
parse_option(Args *a, int argc, char **argv, int i)
{
	const char *s = argv[i];
	int64_t n = (int64_t)strcspn(s, "=");
	const Opt *o = opt_find(a->verb, s, n);

	if (!o && (o = opt_joined(s))) {
		set_value(a, o, s + strlen(o->name));
		return 0;
	}
	if (!o)
		unknown_option(a, s, n);
	if (!o->arg) {
		if (s[n])
			usage_error(a, "%s takes no value", o->name);
		set_value(a, o, "");
		return 0;
	}
	if (s[n]) {
		set_value(a, o, s + n + 1);
		return 0;
	}
	if (i + 1 == argc)
		usage_error(a, "%s needs a value: %s", o->name, o->arg);
	set_value(a, o, argv[i + 1]);
	return 1;
}

/* a word that is no verb is the file of `gradc IR -o DIR`, if it looks like one */
static void
choose_verb(Args *a, const char *first)
{
	const char *near, **names;
	int n;
	const Verb *v = verb_table(&n);

	if ((a->verb = verb_find(first))) {
		a->pos++;
		a->npos--;
		return;
	}
	if ((!strcmp(first, "-") || strpbrk(first, "./") || file_exists(first)) && (a->verb = verb_find("compile")))
		return;
	if (opt_find(NULL, arena_fmt(a->arena, "--%s", first), (int64_t)strlen(first) + 2))
		usage_error(a, "unknown verb '%s'; did you mean --%s?", first, first);
	names = NEW(a->arena, n, const char *);
	for (int i = 0; i < n; i++)
		names[i] = v[i].name;
	near = nearest(first, names, n);
	usage_error(a, "unknown verb '%s'%s%s%s", first, near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

static _Noreturn void
wrong_verb(const Args *a, const Opt *o)
{
	Buf b = {.arena = a->arena};
	int n;
	const Verb *v = verb_table(&n);

	for (int i = 0; i < n; i++)
		if (o->verbs & v[i].bit)
			buf_printf(&b, "%s%s", b.n ? ", " : "", v[i].name);
	usage_error(a, "gradc %s has no option %s; it is one of %s", a->verb->name, o->name, buf_str(&b));
}

static void
check_usage(const Args *a)
{
	const Verb *v = a->verb;

	for (int i = 0; i < NOPT; i++)
		if (a->val[i] && !(opt_table()[i].verbs & v->bit))
			wrong_verb(a, &opt_table()[i]);
	if (a->npos < v->min_pos)
		usage_error(a, "%s is missing; usage: gradc %s %s", v->need, v->name, v->usage);
	if (v->max_pos >= 0 && a->npos > v->max_pos) {
		const char *more = a->pos[v->max_pos];
		bool directory = (v->bit & (V_COMPILE | V_CHECK)) && !a->val[O_OUT];
		usage_error(a, "gradc %s: one argument too many: '%s'%s%s%s", v->name, more,
			directory ? "; did you mean -o " : "", directory ? more : "", directory ? "?" : "");
	}
}

/* before anything is complained about */
static void
find_diagnostics_form(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--diagnostics=json")
			|| (!strcmp(argv[i], "--diagnostics") && i + 1 < argc && !strcmp(argv[i + 1], "json")))
			diag_json(true);
}

static void
read_words(Args *a, int argc, char **argv)
{
	bool files_only = false;

	for (int i = 1; i < argc; i++)
		if (!files_only && !strcmp(argv[i], "--"))
			files_only = true;
		else if (!files_only && !strcmp(argv[i], "-h"))
			set_value(a, &opt_table()[O_HELP], "");
		else if (files_only || argv[i][0] != '-' || !argv[i][1])
			a->pos[a->npos++] = argv[i];
		else
			i += parse_option(a, argc, argv, i);
}

static _Noreturn void
print_and_exit(const char *text)
{
	fputs(text, stdout);
	stdout_check();
	exit(0);
}

Args *
args_parse(Arena *arena, int argc, char **argv)
{
	Args *a = NEW(arena, 1, Args);

	a->arena = arena;
	a->self = argc ? argv[0] : "gradc";
	a->pos = NEW(arena, argc + 1, const char *);
	for (int i = 1; i < argc && !a->verb; i++)             /* a guess until it is chosen */
		a->verb = verb_find(argv[i]);
	find_diagnostics_form(argc, argv);
	read_words(a, argc, argv);
	a->verb = NULL;
	if (a->val[O_VERSION])
		print_and_exit(arena_fmt(arena, "gradc %s\n", GRADC_VERSION));
	if (!a->npos && !a->val[O_HELP])
		usage_error(a, "usage: gradc VERB ..., or gradc IR -o DIR");
	if (a->npos)
		choose_verb(a, a->pos[0]);
	if (a->val[O_HELP]) {
		Buf b = {.arena = arena};
		if (a->verb)
			help_verb(&b, a->verb);
		else
			help_main(&b);
		print_and_exit(buf_str(&b));
	}
	check_usage(a);
	args_preset(a);
	return a;
}

/* %XX back to bytes */
static const char *
decoded(Arena *a, const char *s)
{
	Buf b = {.arena = a};
	unsigned c;

	for (; *s; s++)
		if (*s == '%' && sscanf(s + 1, "%2x", &c) == 1) {
			buf_putc(&b, (int)c);
			s += 2;
		} else
			buf_putc(&b, *s);
	return buf_str(&b);
}

/* a word of a head; false: this gradc would not have written it */
static bool
read_head_word(Args *head, const char *word)
{
	int64_t n = (int64_t)strcspn(word, "=");
	const Opt *o = opt_find(NULL, word, n);
	const char *v = word[n] ? decoded(head->arena, word + n + 1) : "";

	if (!o || !o->shapes || !o->arg != !word[n] || (o->words && !word_in(o->words, v)))
		return false;
	head->val[o->id] = v;
	return true;
}

static const char *
effective(const Args *a, const Opt *o)
{
	return a->val[o->id] ? a->val[o->id] : o->dflt ? o->dflt : "";
}

static const char *
option_text(Arena *a, const Opt *o, const char *v)
{
	return !o->arg || !*v ? o->name : arena_fmt(a, "%s=%s", o->name, v);
}

/* the options of the head become those of the command line, which may repeat them but not differ */
static const char *
agree(Args *a, const Args *head)
{
	for (int i = 0; i < NOPT; i++) {
		const Opt *o = &opt_table()[i];
		if (!o->shapes)
			continue;
		if (a->val[i] && (strcmp(a->val[i], effective(head, o)) || (!o->arg && !head->val[i])))
			return arena_fmt(a->arena, "made %s %s, not with %s", *effective(head, o) ? "with" : "without",
				option_text(a->arena, o, effective(head, o)), option_text(a->arena, o, a->val[i]));
		a->val[i] = head->val[i];
	}
	return NULL;
}

const char *
args_adopt(Args *a, const char *list)
{
	Args head = {.arena = a->arena};

	for (;;) {
		const char *word;
		list += strspn(list, " \t\r\n");
		if (*list == '*' && list[1] != '/') {          /* begins a line of the comment */
			list++;
			continue;
		}
		if (strncmp(list, "--", 2))
			return agree(a, &head);
		word = arena_copy(a->arena, list, (int64_t)strcspn(list, " \t\r\n"));
		list += strlen(word);
		if (!read_head_word(&head, word))
			return arena_fmt(a->arena, "made with %s, which this gradc does not know", word);
	}
}
