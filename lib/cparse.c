/* cparse.c: C texts through libclang: diagnostics and tokens.
 *
 * libclang is a library of 100 MB that most runs never need, so it is opened
 * with dlopen() at first use: no link dependency, no start-up time. clang-c's
 * header gives the types; each function is called through a pointer in `lib`.
 * That table is static because the library is as well: dlopen() loads it once
 * per process, and it cannot be unloaded (it installs signal handlers).
 * gradc has one thread, so that loading needs no lock.
 *
 * clang's own headers (stddef.h, ...) belong to the library that was found, not
 * to a clang on the PATH; they are searched for from where the library lies. */
#define _GNU_SOURCE /* dladdr */
#include <clang-c/Index.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

#define FUNCTIONS(F) \
	F(createIndex) \
	F(disposeDiagnostic) \
	F(disposeIndex) \
	F(disposeString) \
	F(disposeTokens) \
	F(disposeTranslationUnit) \
	F(getCString) \
	F(getClangVersion) \
	F(getDiagnostic) \
	F(getDiagnosticLocation) \
	F(getDiagnosticOption) \
	F(getDiagnosticSeverity) \
	F(getDiagnosticSpelling) \
	F(getFileLocation) \
	F(getFileName) \
	F(getCursorExtent) \
	F(getNumDiagnostics) \
	F(getRangeEnd) \
	F(getRangeStart) \
	F(getTokenExtent) \
	F(getTokenKind) \
	F(getTranslationUnitCursor) \
	F(parseTranslationUnit2) \
	F(tokenize)

enum { OLDEST = 17, PATH_SIZE = 4096 };

#define POINTER(f) __typeof__(clang_##f) *f;
static struct Lib {
	bool tried, loaded;
	char why[PATH_SIZE];
	char resources[PATH_SIZE];     /* for -resource-dir */
	FUNCTIONS(POINTER)
} lib;
#undef POINTER

#define ROW(f) {"clang_" #f, offsetof(struct Lib, f)},
static const struct {
	const char *name;
	size_t offset;
} functions[] = {FUNCTIONS(ROW)};
#undef ROW

static const int versions[] = {19, 18, 17, 20, 21};   /* tested first */
static const char *const version_paths[] = {            /* Debian, Fedora and Arch, apt.llvm.org */
	"libclang-%d.so.%d", "libclang-%d.so.1", "libclang.so.%d", "libclang.so.%d.1",
	"/usr/lib/llvm-%d/lib/libclang.so", "/usr/lib/llvm-%d/lib/libclang.so.1",
};
static const char *const resource_paths[] = {           /* directory of the library, major version */
	"%1$s/clang/%2$d", "%1$s/../lib/clang/%2$d", "%1$s/../llvm-%2$d/lib/clang/%2$d",
	"%1$s/../lib/llvm-%2$d/lib/clang/%2$d", "%1$s/../../lib/clang/%2$d",
};

static bool
find_functions(void *handle)
{
	for (int i = 0; i < LEN(functions); i++) {
		void *f = dlsym(handle, functions[i].name);
		if (!f) {
			snprintf(lib.why, sizeof lib.why, "%s", dlerror());
			return false;
		}
		memcpy((char *)&lib + functions[i].offset, &f, sizeof f);
	}
	return true;
}

static int
major_version(void)
{
	CXString s = lib.getClangVersion();
	const char *v = strstr(lib.getCString(s), "version ");
	int major = v ? atoi(v + strlen("version ")) : 0;
	lib.disposeString(s);
	return major;
}

/* the directory whose include/stddef.h is the one of this library */
static bool
find_resources(void *handle, int major)
{
	Dl_info info;
	char file[PATH_SIZE];
	if (!dladdr(dlsym(handle, "clang_createIndex"), &info) || !realpath(info.dli_fname, file)) {
		snprintf(lib.why, sizeof lib.why, "libclang %d: its file is not known", major);
		return false;
	}
	char *slash = strrchr(file, '/');
	*slash = '\0';
	for (int i = 0; i < LEN(resource_paths); i++) {
		char header[PATH_SIZE + 32];
		int n = snprintf(lib.resources, sizeof lib.resources, resource_paths[i], file, major);
		if (n >= PATH_SIZE)
			continue;
		snprintf(header, sizeof header, "%s/include/stddef.h", lib.resources);
		if (access(header, R_OK) == 0)
			return true;
	}
	*slash = '/';
	snprintf(lib.why, sizeof lib.why,
		"%.*s is here, its headers (clang/%d/include/stddef.h) are not: install libclang-common-%d-dev",
		PATH_SIZE - 128, file, major, major);
	return false;
}

/* false with lib.why unchanged: there is no such library; with a reason: it is of no use */
static bool
load(const char *path)
{
	void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!handle || !find_functions(handle))
		return false;
	int major = major_version();
	if (major < OLDEST) {
		snprintf(lib.why, sizeof lib.why, "%s is libclang %d; %d or later is needed", path, major,
			OLDEST);
		return false;
	}
	return find_resources(handle, major);
}

static bool
load_any(void)
{
	char path[128];
	for (int i = 0; i < LEN(versions); i++) {
		for (int k = 0; k < LEN(version_paths); k++) {
			snprintf(path, sizeof path, version_paths[k], versions[i], versions[i]);
			if (load(path))
				return true;
		}
	}
	if (load("libclang.so"))
		return true;
	if (!*lib.why)
		snprintf(lib.why, sizeof lib.why,
			"libclang %d or later is not installed (Debian: libclang1-19); "
			"GRADC_LIBCLANG names one elsewhere", OLDEST);
	return false;
}

static bool
load_given(const char *path)
{
	char why[PATH_SIZE];
	if (load(path))
		return true;
	const char *error = *lib.why ? NULL : dlerror();
	snprintf(why, sizeof why, "%.*s", PATH_SIZE - 32, error ? error : lib.why);
	snprintf(lib.why, sizeof lib.why, "GRADC_LIBCLANG: %.*s", PATH_SIZE - 32, why);
	return false;
}

bool
cparse_available(const char **why)
{
	if (!lib.tried) {
		const char *given = getenv("GRADC_LIBCLANG");
		lib.tried = true;
		lib.loaded = given && *given ? load_given(given) : load_any();
	}
	if (why)
		*why = lib.loaded ? NULL : lib.why;
	return lib.loaded;
}

/* the files of one parse, in memory */
typedef struct Unit {
	Arena *arena;
	CXIndex index;
	CXTranslationUnit tu;
	struct CXUnsavedFile *file;    /* file[0] is the unit */
	int nfile;
} Unit;

/* With "./" before a relative name, an #include beside the unit spells the very name
 * under which clang was given the header; otherwise it would look on the disk. */
static struct CXUnsavedFile
unsaved(Arena *a, const char *name, const char *text)
{
	if (*name != '/')
		name = arena_fmt(a, "./%s", name);
	return (struct CXUnsavedFile){name, text, (unsigned long)strlen(text)};
}

static const char *
given_name(const char *name)
{
	return strncmp(name, "./", 2) == 0 ? name + 2 : name;
}

static void
unit_open(Unit *u, const char *const *args, int nargs, unsigned options)
{
	static const char *const first[] = {"-xc", "--no-default-config", "-resource-dir"};
	const char **all = NEW(u->arena, LEN(first) + 1 + nargs, const char *);
	int n = 0;
	for (int i = 0; i < LEN(first); i++)
		all[n++] = first[i];
	all[n++] = lib.resources;
	for (int i = 0; i < nargs; i++)
		all[n++] = args[i];
	u->index = lib.createIndex(0, 0);
	enum CXErrorCode rc = lib.parseTranslationUnit2(u->index, u->file[0].Filename, all, n, u->file,
		(unsigned)u->nfile, options, &u->tu);
	if (rc != CXError_Success)
		bug("%s: libclang gives up with code %d", given_name(u->file[0].Filename), (int)rc);
}

static void
unit_close(Unit *u)
{
	lib.disposeTranslationUnit(u->tu);
	lib.disposeIndex(u->index);
}

/* the text of s, which is released; NULL becomes "" */
static const char *
take(Arena *a, CXString s)
{
	const char *text = lib.getCString(s);
	const char *copy = arena_str(a, text ? text : "");
	lib.disposeString(s);
	return copy;
}

typedef struct Place {
	CXFile file;
	unsigned line, col, offset;
} Place;

/* in the file as it is: where a macro was used, and whatever #line says */
static Place
place(CXSourceLocation at)
{
	Place p;
	lib.getFileLocation(at, &p.file, &p.line, &p.col, &p.offset);
	return p;
}

/* Did the C library's side of an #include fail? A "quoted" file that one of our own
 * texts asks for is the fault of that text. */
static bool
is_missing_header(const Unit *u, const CDiag *d, unsigned offset)
{
	if (!d->file || !strstr(d->text, "' file not found"))
		return false;
	for (int i = 0; i < u->nfile; i++)
		if (strcmp(u->file[i].Filename, d->file) == 0)
			return offset < u->file[i].Length && u->file[i].Contents[offset] == '<';
	return true;
}

static CDiag
read_diagnostic(const Unit *u, CXDiagnostic d)
{
	static const char *const names[] = {"ignored", "note", "warning", "error", "fatal error"};
	Arena *a = u->arena;
	Place at = place(lib.getDiagnosticLocation(d));
	const char *text = take(a, lib.getDiagnosticSpelling(d));
	const char *option = take(a, lib.getDiagnosticOption(d, NULL));
	CDiag out = {
		.file = at.file ? take(a, lib.getFileName(at.file)) : NULL,
		.line = (int)at.line, .col = (int)at.col,
		.severity = names[lib.getDiagnosticSeverity(d)],
		.text = *option ? arena_fmt(a, "%s [%s]", text, option) : text,
	};
	if (is_missing_header(u, &out, at.offset))
		out.severity = "missing header";
	if (out.file)
		out.file = given_name(out.file);
	return out;
}

static void
require_library(void)
{
	const char *why;
	if (!cparse_available(&why))
		bug("libclang is used though it is not available: %s", why);
}

CUnit
cparse(Arena *a, const char *name, const char *text, const char *const *args, int nargs,
	const char *const *extra_names, const char *const *extra_texts, int nextra)
{
	require_library();
	Unit u = {.arena = a, .nfile = 1 + nextra};
	u.file = NEW(a, u.nfile, struct CXUnsavedFile);
	u.file[0] = unsaved(a, name, text);
	for (int i = 0; i < nextra; i++)
		u.file[1 + i] = unsaved(a, extra_names[i], extra_texts[i]);
	unit_open(&u, args, nargs, CXTranslationUnit_None);

	CUnit out = {.ndiag = (int)lib.getNumDiagnostics(u.tu)};
	out.diag = NEW(a, out.ndiag, CDiag);
	for (int i = 0; i < out.ndiag; i++) {
		CXDiagnostic d = lib.getDiagnostic(u.tu, (unsigned)i);
		out.diag[i] = read_diagnostic(&u, d);
		lib.disposeDiagnostic(d);
	}
	unit_close(&u);
	return out;
}

/* the length of a line splice at s, or 0; blanks may come before its newline, as clang has it */
static int
splice(const char *s, const char *end)
{
	const char *p = s;
	if (p == end || *p++ != '\\')
		return 0;
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p < end && *p == '\n' ? (int)(p + 1 - s) : 0;
}

static const char *
without_splices(Arena *a, const char *s, const char *end)
{
	char *copy = arena_copy(a, s, end - s), *w = copy;
	while (s < end) {
		int n = splice(s, end);
		if (n)
			s += n;
		else
			*w++ = *s++;
	}
	*w = '\0';
	return copy;
}

/* does the logical line end within s, white space between tokens? */
static bool
ends_line(const char *s, const char *end)
{
	while (s < end) {
		int n = splice(s, end);
		if (*s == '\n')
			return true;
		s += n ? n : 1;
	}
	return false;
}

static int
read_tokens(const Unit *u, const CXToken *token, int ntoken, CToken *out)
{
	const char *text = u->file[0].Contents, *end = text;
	bool first = true;
	int n = 0;
	for (int i = 0; i < ntoken; i++) {
		CXSourceRange range = lib.getTokenExtent(u->tu, token[i]);
		Place from = place(lib.getRangeStart(range));
		const char *start = text + from.offset;
		first |= ends_line(end, start);
		end = text + place(lib.getRangeEnd(range)).offset;
		if (lib.getTokenKind(token[i]) == CXToken_Comment)
			continue;
		out[n++] = (CToken){
			.text = without_splices(u->arena, start, end),
			.line = (int)from.line, .col = (int)from.col, .first = first,
		};
		first = false;
	}
	return n;
}

int
ctokens(Arena *a, const char *name, const char *text, CToken **out)
{
	require_library();
	struct CXUnsavedFile file = unsaved(a, name, text);
	Unit u = {.arena = a, .file = &file, .nfile = 1};
	CXToken *token = NULL;
	unsigned n = 0;
	unit_open(&u, NULL, 0, CXTranslationUnit_SingleFileParse | CXTranslationUnit_SkipFunctionBodies);
	lib.tokenize(u.tu, lib.getCursorExtent(lib.getTranslationUnitCursor(u.tu)), &token, &n);
	*out = NEW(a, n, CToken);
	int kept = read_tokens(&u, token, (int)n, *out);
	lib.disposeTokens(u.tu, token, n);
	unit_close(&u);
	return kept;
}
