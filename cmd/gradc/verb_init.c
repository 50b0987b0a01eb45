/* gradc init NAME: a new project. Its files are those of cmd/gradc/init, a
 * project by itself, in which the name 'starter' becomes NAME. */
#define _XOPEN_SOURCE 700   /* realpath */
#include "cmd.h"
#include "init_files.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool
is_word(const char *s, const char *word)
{
	return !strncmp(s, word, strlen(word));
}

/* text with 'starter' and 'STARTER' replaced */
static void
put_named(Buf *b, const char *text, const char *name)
{
	for (; *text; text++) {
		bool upper = is_word(text, "STARTER");
		if (!upper && !is_word(text, "starter")) {
			buf_putc(b, *text);
			continue;
		}
		for (const char *s = name; *s; s++)
			buf_putc(b, upper ? toupper((unsigned char)*s) : *s);
		text += strlen("starter") - 1;
	}
}

static void
refuse_existing(const char *path)
{
	if (file_exists(path))
		diag(DIAG_ERROR, (Loc){.file = path}, "this file exists; gradc init never writes over one");
}

static const char *
shell_word(Arena *a, const char *s)
{
	return s[strcspn(s, " \t\"'$`\\*?[#~&;|<>()")] ? arena_fmt(a, "'%s'", s) : s;
}

/* a program that no PATH leads to is named to make */
static const char *
make_command(Args *a, const char *dir)
{
	char *self = strchr(a->self, '/') ? realpath(a->self, NULL) : NULL;
	const char *text = arena_fmt(a->arena, "make -C %s%s%s", shell_word(a->arena, dir), self ? " GRADC=" : "",
		self ? shell_word(a->arena, self) : "");

	free(self);
	return text;
}

int
verb_init(Args *a)
{
	const char *name = a->pos[0], *dir = a->val[O_OUT] ? a->val[O_OUT] : name;
	const char *wrong = model_name_wrong(a->arena, name);
	Outputs *o = outputs_new(a->arena);
	Buf files = {.arena = a->arena};

	if (wrong)
		usage_error(a, "gradc init: %s", wrong);
	if (!strcmp(dir, "-"))
		usage_error(a, "gradc init writes several files: -o names a directory");
	for (int i = 0; i < LEN(init_files); i++) {
		Buf path = {.arena = a->arena}, text = {.arena = a->arena};
		put_named(&path, init_files[i].name, name);
		for (int k = 0; k < init_files[i].n; k++)
			put_named(&text, init_files[i].line[k], name);
		refuse_existing(path_join(a->arena, dir, path.s));
		outputs_add(o, path_join(a->arena, dir, path.s), text.s, text.n);
		buf_printf(&files, "%s %s", i ? "," : "", path.s);
	}
	diag_check();
	outputs_commit(o);
	printf("%s:%s\nnow: %s\n", dir, buf_str(&files), make_command(a, dir));
	return 0;
}
