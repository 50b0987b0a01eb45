/* rt: the helpers that kernels call, as text.
 *
 * The files of codegen/rt are embedded line by line. Each is cut into items at
 * the blank lines outside of braces; what an item defines is read off its layout
 * (a function's name begins a line), what it needs are the names it mentions. */
#include "gen.h"

#include <ctype.h>
#include <string.h>

#include "rt_files.h"

typedef struct Helper {
	const char *name;              /* NULL: printed always */
	const char *text;
} Helper;
struct RtSet {
	Arena *arena;
	Helper *item;
	int64_t n, cap;
	bool *used;
	Map *by_name;                  /* name -> item */
};

static bool
name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* the rt_ or RT_ name at or after s: its length, *at its place; 0: none */
static int64_t
next_name(const char *s, const char **at)
{
	for (const char *p = s; *p; p++) {
		int64_t n = 0;
		if ((strncmp(p, "rt_", 3) && strncmp(p, "RT_", 3)) || (p > s && name_char(p[-1])))
			continue;
		while (name_char(p[n]))
			n++;
		*at = p;
		return n;
	}
	return 0;
}

/* what a line of code at the outer level defines: a function, a macro, a constant, a type */
static bool
defines(const char *line)
{
	return !strncmp(line, "rt_", 3) || !strncmp(line, "#define ", 8) || !strncmp(line, "enum ", 5)
		|| !strncmp(line, "typedef ", 8);
}

static void
add_item(RtSet *set, Buf *text, const char *name, bool always)
{
	Helper *it;

	if (text->n) {
		PUSH(set->arena, set->item, set->n, set->cap, ((Helper){always ? NULL : name, buf_str(text)}));
		it = &set->item[set->n - 1];
		if (!it->name && !always)
			bug("rt: an item without a name: %s", it->text);
	}
	*text = (Buf){.arena = set->arena};
}

static void
add_file(RtSet *set, const char *const *line, int n, bool always)
{
	Buf text = {.arena = set->arena};
	const char *name = NULL, *at;
	int depth = 0, i = 0;

	while (!strstr(line[i++], "*/"))
		;
	for (; i < n; i++) {
		int64_t len;
		if (!always && !strncmp(line[i], "#include", 8))
			continue;
		if (!depth && line[i][0] == '\n') {
			add_item(set, &text, name, always);
			name = NULL;
			continue;
		}
		for (const char *c = line[i]; *c; c++)
			if (c[0] == '\'' && c[1] && c[2] == '\'')
				c += 2;                /* a brace as a character */
			else
				depth += (*c == '{') - (*c == '}');
		if (!name && defines(line[i]) && (len = next_name(line[i], &at)))
			name = arena_copy(set->arena, at, len);
		buf_puts(&text, line[i]);
	}
	add_item(set, &text, name, always);
}

RtSet *
rt_set(Arena *a)
{
	RtSet *set = NEW(a, 1, RtSet);

	set->arena = a;
	for (int i = 0; i < LEN(rt_files); i++)
		add_file(set, rt_files[i].line, rt_files[i].n, !strcmp(rt_files[i].name, "prologue.h"));
	set->used = NEW(a, set->n, bool);
	set->by_name = map_new(a);
	for (int64_t i = 0; i < set->n; i++)
		if (set->item[i].name)
			map_set(set->by_name, set->item[i].name, &set->item[i]);
	return set;
}

bool
rt_has(const RtSet *set, const char *name)
{
	return map_get(set->by_name, name) != NULL;
}

void
rt_use(RtSet *set, const char *name)
{
	const Helper *it = map_get(set->by_name, name);
	const char *at;
	int64_t n;

	if (!it)
		bug("no runtime helper %s", name);
	if (set->used[it - set->item])
		return;
	set->used[it - set->item] = true;
	for (const char *s = it->text; (n = next_name(s, &at)); s = at + n) {
		const char *need = arena_copy(set->arena, at, n);
		if (map_get(set->by_name, need))
			rt_use(set, need);
	}
}

/* text with rt_ and RT_ replaced by the model's name */
static void
put_renamed(Buf *b, const char *s, const char *model)
{
	const char *at;

	for (int64_t n; (n = next_name(s, &at)); s = at + n) {
		buf_put(b, s, at - s);
		buf_puts(b, *at == 'r' ? model : upper(b->arena, model));
		buf_put(b, at + 2, n - 2);
	}
	buf_puts(b, s);
}

void
rt_print(Buf *b, const RtSet *set, const char *model)
{
	for (int64_t i = 0; i < set->n; i++)
		if (!set->item[i].name || set->used[i]) {
			Buf text = {.arena = b->arena};
			put_renamed(&text, set->item[i].text, model);
			buf_lines(b, buf_str(&text));
			buf_putc(b, '\n');
		}
}
