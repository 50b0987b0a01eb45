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

/* Macros without arguments in the headers that emitted files include, in whatever dialect a compiler takes them, and
 * what gcc defines by itself unless it is told not to. */
static const char *const macro[] = {
	"BIG_ENDIAN", "BUFSIZ", "BYTE_ORDER", "EOF", "EXIT_FAILURE", "EXIT_SUCCESS", "FD_SETSIZE", "FILENAME_MAX",
	"FOPEN_MAX", "FP_FAST_FMA", "FP_FAST_FMAF", "FP_FAST_FMAL", "FP_ILOGB0", "FP_ILOGBNAN", "FP_INFINITE", "FP_NAN",
	"FP_NORMAL", "FP_SUBNORMAL", "FP_ZERO", "HUGE_VAL", "HUGE_VALF", "HUGE_VALL", "INFINITY", "LITTLE_ENDIAN",
	"L_ctermid", "L_tmpnam", "MATH_ERREXCEPT", "MATH_ERRNO", "MAXFLOAT", "MB_CUR_MAX", "M_1_PI", "M_2_PI",
	"M_2_SQRTPI", "M_E", "M_LN10", "M_LN2", "M_LOG10E", "M_LOG2E", "M_PI", "M_PI_2", "M_PI_4", "M_SQRT1_2", "M_SQRT2",
	"NAN", "NFDBITS", "NULL", "PDP_ENDIAN", "P_tmpdir", "RAND_MAX", "SEEK_CUR", "SEEK_DATA", "SEEK_END", "SEEK_HOLE",
	"SEEK_SET", "TMP_MAX", "WCONTINUED", "WEXITED", "WNOHANG", "WNOWAIT", "WSTOPPED", "WUNTRACED", "i386", "linux",
	"math_errhandling", "stderr", "stdin", "stdout", "unix",
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

/* INT8_MAX, SIZE_MAX, … of stdint.h */
static bool
is_limit(const char *s)
{
	static const char *const first[] = {"INT", "UINT", "SIZE_", "PTRDIFF_", "WCHAR_", "WINT_", "SIG_ATOMIC_"};
	size_t n = strlen(s);

	if (n < 5 || (strcmp(s + n - 4, "_MAX") && strcmp(s + n - 4, "_MIN")))
		return false;
	for (int i = 0; i < LEN(first); i++)
		if (!strncmp(s, first[i], strlen(first[i])))
			return true;
	return false;
}

bool
c_macro(const char *s)
{
	for (int i = 0; i < LEN(macro); i++)
		if (!strcmp(s, macro[i]))
			return true;
	return is_limit(s);
}

/* a word that means something else in C */
static bool
is_taken(const char *s)
{
	for (int i = 0; i < LEN(keyword); i++)
		if (!strcmp(s, keyword[i]))
			return true;
	return c_macro(s);
}

static bool
word_char(unsigned char c)
{
	return (c < 0x80 && isalnum(c)) || c == '_';
}

bool
c_ident_ok(const char *s)
{
	if (!*s || (*s >= '0' && *s <= '9') || is_taken(s))
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
	if (is_taken(buf_str(&b)))
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
