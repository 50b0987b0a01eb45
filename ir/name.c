/* name: identifiers of C, and names that a C file may not have. */
#include "ir.h"

#include <ctype.h>
#include <string.h>

/* keywords of C99, C11, C23 and C++20, since C++ includes the emitted header */
static const char *const keyword[] = {
	"alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case",
	"catch", "char", "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield",
	"compl", "concept", "const", "const_cast", "consteval", "constexpr", "constinit", "continue",
	"decltype", "default", "delete", "do", "double", "dynamic_cast", "else", "enum", "explicit",
	"export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long",
	"mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq",
	"private", "protected", "public", "register", "reinterpret_cast", "requires", "restrict",
	"return", "short", "signed", "sizeof", "static", "static_assert", "static_cast", "struct",
	"switch", "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid",
	"typename", "typeof", "typeof_unqual", "union", "unsigned", "using", "virtual", "void",
	"volatile", "wchar_t", "while", "xor", "xor_eq",
};

/* headers of C23 and of POSIX.1-2024 without a directory, and OpenMP's */
static const char *const header[] = {
	"aio", "assert", "complex", "cpio", "ctype", "devctl", "dirent", "dlfcn", "endian", "errno",
	"fcntl", "fenv", "float", "fmtmsg", "fnmatch", "ftw", "glob", "grp", "iconv", "inttypes",
	"iso646", "langinfo", "libgen", "libintl", "limits", "locale", "math", "monetary", "mqueue",
	"ndbm", "netdb", "nl_types", "omp", "poll", "pthread", "pwd", "regex", "sched", "search",
	"semaphore", "setjmp", "signal", "spawn", "stdalign", "stdarg", "stdatomic", "stdbit",
	"stdbool", "stdckdint", "stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string",
	"strings", "stropts", "syslog", "tar", "termios", "tgmath", "threads", "time", "trace",
	"uchar", "ulimit", "unistd", "utime", "utmpx", "wchar", "wctype", "wordexp",
};

static bool
same_word(const char *a, const char *b)
{
	while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b))
		a++, b++;
	return *a == *b;
}

/* "math" for "Math": NAME.h would be the system's; NULL: none */
static const char *
header_clash(const char *name)
{
	for (int i = 0; i < LEN(header); i++)
		if (same_word(name, header[i]))
			return header[i];
	return NULL;
}

static bool
is_keyword(const char *s)
{
	for (int i = 0; i < LEN(keyword); i++)
		if (!strcmp(s, keyword[i]))
			return true;
	return false;
}

static bool
word_char(unsigned char c)
{
	return (c < 0x80 && isalnum(c)) || c == '_';
}

bool
c_ident_ok(const char *s)
{
	if (!*s || (*s >= '0' && *s <= '9') || is_keyword(s))
		return false;
	while (word_char((unsigned char)*s))
		s++;
	return !*s;
}

const char *
c_ident(Arena *a, const char *name)
{
	Buf b = {.arena = a};

	if (*name >= '0' && *name <= '9')
		buf_putc(&b, '_');
	for (const unsigned char *s = (const unsigned char *)name; *s; s++)
		if ((*s & 0xc0) != 0x80)       /* one '_' for a whole UTF-8 sequence */
			buf_putc(&b, word_char(*s) ? *s : '_');
	if (is_keyword(buf_str(&b)))
		buf_putc(&b, '_');
	return buf_str(&b);
}

/* ---- names of models ---- */

static bool
model_name_ok(const char *s)
{
	if (strlen(s) > MAX_MODEL_NAME || !isalpha((unsigned char)*s))
		return false;
	while (word_char((unsigned char)*s))
		s++;
	return !*s;
}

/* the nearest name that is fine */
static const char *
model_name_for(Arena *a, const char *s)
{
	const char *t = c_ident(a, s);

	if (!isalpha((unsigned char)*t))
		t = arena_fmt(a, "m%s", t);
	return arena_copy(a, t, (int64_t)strnlen(t, MAX_MODEL_NAME));
}

const char *
model_name_wrong(Arena *a, const char *name)
{
	const char *clash = header_clash(name);

	if (!model_name_ok(name))
		return arena_fmt(a, "'%s' is not of the form: a letter, then at most %d letters, digits or '_'; '%s' would do",
			name, MAX_MODEL_NAME - 1, model_name_for(a, name));
	if (clash)
		return arena_fmt(a, "'%s': the file %s.h would hide the system's <%s.h>; '%s_model' would do", name, name,
			clash, name);
	return NULL;
}
