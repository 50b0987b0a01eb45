/* test_io.c: files in and out, depfiles, arrays in npy, npz and safetensors. What must
 * fail does so in a child; the files live in a directory of the test's own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char root[] = "/tmp/gradc-test-io-XXXXXX";

static const char *
at(Arena *a, const char *name)
{
	return path_join(a, root, name);
}

static void
put_file(const char *path, const char *s, int64_t n)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(s, 1, (size_t)n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void
assert_file(Arena *a, const char *path, const char *want)
{
	int64_t n;
	char *s = read_file(a, path, &n);
	assert_int_equal(n, strlen(want));
	assert_string_equal(s, want);
}

/* entries of a directory, without . and .. */
static int
count_entries(const char *dir)
{
	int n = -2;
	DIR *d = opendir(dir);
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void
remove_tree(Arena *a, const char *path)
{
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			remove_tree(a, path_join(a, path, e->d_name));
	if (d)
		closedir(d);
	remove(path);
}

/* Exit status of read(path) in a child, with what it says in a file; a signal is a failure of
 * the test, and a read that returns gives 0. */
static int
status_of(void (*read)(Arena *a, const char *path), Arena *a, const char *path)
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!freopen(at(a, "stderr"), "w", stderr))
			_exit(99);
		read(a, path);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
assert_says(Arena *a, const char *text)
{
	int64_t n;
	const char *said = read_file(a, at(a, "stderr"), &n);
	if (!strstr(said, text))
		print_error("'%s' is not in: %s\n", text, said);
	assert_non_null(strstr(said, text));
}

static int
setup(void **state)
{
	*state = arena_new();
	strcpy(root + sizeof root - 7, "XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int
teardown(void **state)
{
	remove_tree(*state, root);
	arena_free(*state);
	return 0;
}

static void
read_any(Arena *a, const char *path)
{
	int64_t n;
	read_file(a, path, &n);
}

static void
files_are_read_whole(void **state)
{
	Arena *a = *state;
	int64_t n;
	char *big = arena_alloc(a, 300000, 1);
	for (int i = 0; i < 300000; i++)
		big[i] = (char)(i * 7);
	put_file(at(a, "big"), big, 300000);
	char *s = read_file(a, at(a, "big"), &n);
	assert_int_equal(n, 300000);
	assert_memory_equal(s, big, 300000);
	assert_int_equal(s[n], 0);
	put_file(at(a, "empty"), "", 0);
	assert_file(a, at(a, "empty"), "");
	s = read_file(a, "/proc/self/status", &n);     /* says it has no bytes */
	assert_true(n > 100 && (int64_t)strlen(s) == n);
	assert_true(file_exists(at(a, "big")));
	assert_false(file_exists(at(a, "small")));
	assert_int_equal(status_of(read_any, a, at(a, "small")), EXIT_INPUT);
	assert_says(a, "small: error: cannot open: No such file");
	assert_int_equal(status_of(read_any, a, root), EXIT_INPUT);
	assert_says(a, "error: cannot read: Is a directory");
}

static void
paths_split_and_join(void **state)
{
	Arena *a = *state;
	assert_string_equal(path_dir(a, "x"), ".");
	assert_string_equal(path_dir(a, "a/x"), "a");
	assert_string_equal(path_dir(a, "a/b//x"), "a/b");
	assert_string_equal(path_dir(a, "/x"), "/");
	assert_string_equal(path_dir(a, "//x"), "/");
	assert_string_equal(path_join(a, "a", "b"), "a/b");
	assert_string_equal(path_join(a, "a/", "b"), "a/b");
	assert_string_equal(path_join(a, ".", "b"), "b");
	assert_string_equal(path_join(a, "/", "b"), "/b");
	assert_string_equal(path_join(a, "a", "/b"), "/b");
}

static void
commit(Arena *a, const char *path1, const char *s1, const char *path2, const char *s2)
{
	Outputs *o = outputs_new(a);
	outputs_add(o, path1, s1, (int64_t)strlen(s1));
	outputs_add(o, path2, s2, (int64_t)strlen(s2));
	outputs_commit(o);
}

static void
set_times(const char *path)
{
	struct timespec t[2] = {{1000, 0}, {1000, 0}};
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static int64_t
mtime(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mtime;
}

static void
outputs_appear_with_their_directories(void **state)
{
	Arena *a = *state;
	const char *x = at(a, "new/deep/x"), *y = at(a, "y");
	commit(a, x, "one", y, "");
	assert_file(a, x, "one");
	assert_file(a, y, "");
	assert_int_equal(count_entries(root), 2);
	assert_int_equal(count_entries(path_dir(a, x)), 1);
	mode_t mask = umask(0);
	umask(mask);
	struct stat st;
	assert_int_equal(stat(x, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666 & ~mask);
}

static void
unchanged_outputs_are_not_touched(void **state)
{
	Arena *a = *state;
	const char *x = at(a, "x"), *y = at(a, "y");
	commit(a, x, "same", y, "old");
	set_times(x);
	set_times(y);
	assert_int_equal(chmod(y, 0640), 0);
	commit(a, x, "same", y, "new");
	assert_int_equal(mtime(x), 1000);
	assert_true(mtime(y) > 1000);
	assert_file(a, y, "new");
	struct stat st;
	assert_int_equal(stat(y, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	set_times(x);
	commit(a, x, "samE", y, "new");                /* same length */
	assert_true(mtime(x) > 1000);
	assert_file(a, x, "samE");
}

static const char *second;         /* what commit_pair writes after "x" */

static void
commit_pair(Arena *a, const char *path)
{
	commit(a, path, "changed", second, "b");
}

static void
one_failing_output_leaves_all_untouched(void **state)
{
	Arena *a = *state;
	const char *x = at(a, "x"), *made = at(a, "made/deep/x");
	put_file(x, "before", 6);
	set_times(x);
	assert_int_equal(mkdir(at(a, "dir"), 0777), 0);
	put_file(at(a, "file"), "", 0);

	second = at(a, "dir");
	assert_int_equal(status_of(commit_pair, a, x), EXIT_INPUT);
	assert_says(a, "dir: error: cannot write: Is a directory");
	second = at(a, "file/y");
	assert_int_equal(status_of(commit_pair, a, x), EXIT_INPUT);
	assert_says(a, "Not a directory");
	second = "/dev/full";
	assert_int_equal(status_of(commit_pair, a, x), EXIT_INPUT);
	assert_says(a, "/dev/full: error: cannot write: No space left");
	second = x;
	assert_int_equal(status_of(commit_pair, a, x), EXIT_INPUT);
	assert_says(a, "x: error: two outputs have this path");
	second = at(a, "dir");
	assert_int_equal(status_of(commit_pair, a, made), EXIT_INPUT);

	assert_file(a, x, "before");
	assert_int_equal(mtime(x), 1000);
	assert_false(file_exists(at(a, "made")));
	assert_int_equal(count_entries(at(a, "dir")), 0);
	assert_int_equal(count_entries(root), 4);      /* x, dir, file, stderr */
}

static void
devices_and_links_stay_what_they_are(void **state)
{
	Arena *a = *state;
	struct stat st;
	put_file(at(a, "target"), "t", 1);
	assert_int_equal(symlink("target", at(a, "link")), 0);
	commit(a, at(a, "link"), "through", "/dev/null", "gone");
	assert_int_equal(lstat(at(a, "link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_file(a, at(a, "target"), "through");
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void
depfiles_are_escaped_as_by_gcc(void **state)
{
	Buf b = {.arena = *state};
	const char *const dep[] = {"t\tb.h", "m.c", "a b/x#y$z.h", "e\\ f.h", "p%q.h", "c:d.h", "m.c", "b\\c.h"};
	depfile(&b, "o ut$:#.o", dep, LEN(dep), true);
	/* every quoted name as printed by gcc 12 -MM -MP -MQ */
	assert_string_equal(buf_str(&b),
		"o\\ ut$$:\\#.o: a\\ b/x\\#y$$z.h \\\n  b\\c.h \\\n  c:d.h \\\n  e\\\\\\ f.h \\\n  m.c \\\n  p%q.h \\\n  t\\\tb.h\n"
		"a\\ b/x\\#y$$z.h:\nb\\c.h:\nc:d.h:\ne\\\\\\ f.h:\nm.c:\np%q.h:\nt\\\tb.h:\n");
	Buf none = {.arena = *state};
	depfile(&none, "x", NULL, 0, false);
	assert_string_equal(buf_str(&none), "x:\n");
}

/* ---- arrays */

static uint64_t words[64];

/* one array of each dtype and many shapes */
static int
sample(Array *x)
{
	static const struct { const char *dtype; int size; } T[] = {
		{"f32", 4}, {"bool", 1}, {"f64", 8}, {"i64", 8}, {"u8", 1}, {"i32", 4}, {"i16", 2}, {"f16", 2},
		{"i8", 1}, {"u64", 8}, {"f32", 4}, {"f32", 4}, {"f64", 8},
	};
	static const char *const name[] = {
		"a", "b.weight", "c", "d", "e", "f", "g", "h", "i", "j", "scalar", "empty", "\xc3\xa9"};
	Rng r = rng_seed(3);
	for (int i = 0; i < LEN(words); i++)
		words[i] = rng_next(&r) & 0x0101010101010101;
	for (int i = 0; i < LEN(T); i++) {
		x[i] = (Array){.name = name[i], .dtype = T[i].dtype, .rank = 1 + i % 3, .dim = {3, 2, 5}, .data = words + i};
		if (!strcmp(name[i], "scalar"))
			x[i].rank = 0;
		if (!strcmp(name[i], "empty"))
			x[i].dim[0] = 0;
		x[i].nbytes = T[i].size;
		for (int d = 0; d < x[i].rank; d++)
			x[i].nbytes *= x[i].dim[d];
	}
	return LEN(T);
}

static void
assert_same_array(const Array *x, const Array *y)
{
	assert_string_equal(x->dtype, y->dtype);
	assert_int_equal(x->rank, y->rank);
	assert_memory_equal(x->dim, y->dim, (size_t)x->rank * sizeof *x->dim);
	assert_int_equal(x->nbytes, y->nbytes);
	assert_memory_equal(x->data, y->data, (size_t)x->nbytes);
	assert_int_equal((uintptr_t)y->data % 16, 0);
}

static const char *
put_buf(Arena *a, const char *name, Buf *b)
{
	put_file(at(a, name), b->s, b->n);
	return at(a, name);
}

static void
arrays_are_read_as_written(void **state)
{
	Arena *a = *state;
	Array x[16], bf = {.name = "bf", .dtype = "bf16", .rank = 2, .dim = {2, 3}, .nbytes = 12, .data = words}, *y;
	int n = sample(x);
	for (int i = 0; i < n; i++) {
		Buf b = {.arena = a};
		npy_bytes(&b, &x[i]);
		assert_int_equal((b.n - x[i].nbytes) % 64, 0);
		assert_same_array(&x[i], npy_read(a, put_buf(a, "x.npy", &b)));
	}

	Buf z = {.arena = a}, again = {.arena = a};
	npz_bytes(&z, x, n);
	npz_bytes(&again, x, n);
	assert_int_equal(z.n, again.n);
	assert_memory_equal(z.s, again.s, (size_t)z.n);
	assert_int_equal(npz_read(a, put_buf(a, "x.npz", &z), &y), n);
	for (int i = 0; i < n; i++) {
		assert_same_array(&x[i], &y[i]);
		assert_string_equal(x[i].name, y[i].name);
	}

	x[n++] = bf;
	Buf s = {.arena = a};
	safetensors_bytes(&s, x, n);
	assert_int_equal(safetensors_read(a, put_buf(a, "x.safetensors", &s), &y), n);
	for (int i = 0; i < n; i++) {
		assert_same_array(&x[i], &y[i]);
		assert_string_equal(x[i].name, y[i].name);
	}

	Buf none = {.arena = a}, nones = {.arena = a};
	npz_bytes(&none, NULL, 0);
	assert_int_equal(npz_read(a, put_buf(a, "none.npz", &none), &y), 0);
	safetensors_bytes(&nones, NULL, 0);
	assert_int_equal(safetensors_read(a, put_buf(a, "none.safetensors", &nones), &y), 0);
}

#define TEN    "          "
#define HEADER "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }" TEN TEN TEN TEN TEN "        \n"
#define VALUES "\0\0\x80?\0\0 @\0\0@\xc0"

/* numpy.save and numpy.savez of [[1, 2.5, -3]], NumPy 2.4 */
static const char NUMPY_NPY[] = "\x93NUMPY\1\0v\0" HEADER VALUES;
static const char NUMPY_NPZ[] =
	"PK\3\4-\0\0\0\0\0\0\0!\0\n\x8e\xbf\xdf\xff\xff\xff\xff\xff\xff\xff\xff\5\0\24\0a.npy"
	"\1\0\20\0\x8c\0\0\0\0\0\0\0\x8c\0\0\0\0\0\0\0\x93NUMPY\1\0v\0" HEADER VALUES
	"PK\1\2-\3-\0\0\0\0\0\0\0!\0\n\x8e\xbf\xdf\x8c\0\0\0\x8c\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\x80\1\0\0\0\0a.npy"
	"PK\5\6\0\0\0\0\1\0\1\0\x33\0\0\0\xc3\0\0\0\0\0";
/* safetensors.numpy.save_file of the same, with metadata={"k": "v"}; version 0.8 */
static const char SAFETENSORS[] =
	"X\0\0\0\0\0\0\0{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[0,12]}}"
	"      " VALUES;

static void
assert_golden(const Array *x)
{
	static const float want[] = {1, 2.5f, -3};
	assert_string_equal(x->dtype, "f32");
	assert_int_equal(x->rank, 2);
	assert_int_equal(x->dim[0], 1);
	assert_int_equal(x->dim[1], 3);
	assert_memory_equal(x->data, want, sizeof want);
}

static void
files_of_others_are_read(void **state)
{
	Arena *a = *state;
	Array *x;
	put_file(at(a, "n.npy"), NUMPY_NPY, sizeof NUMPY_NPY - 1);
	x = npy_read(a, at(a, "n.npy"));
	assert_golden(x);
	Buf b = {.arena = a};
	npy_bytes(&b, x);
	assert_int_equal(b.n, sizeof NUMPY_NPY - 1);
	assert_memory_equal(b.s, NUMPY_NPY, (size_t)b.n);

	put_file(at(a, "n.npz"), NUMPY_NPZ, sizeof NUMPY_NPZ - 1);
	assert_int_equal(npz_read(a, at(a, "n.npz"), &x), 1);
	assert_string_equal(x->name, "a");
	assert_golden(x);

	put_file(at(a, "n.safetensors"), SAFETENSORS, sizeof SAFETENSORS - 1);
	assert_int_equal(safetensors_read(a, at(a, "n.safetensors"), &x), 1);
	assert_string_equal(x->name, "a");
	assert_golden(x);
}

static void
read_npy(Arena *a, const char *path)
{
	npy_read(a, path);
}

static void
read_npz(Arena *a, const char *path)
{
	Array *x;
	npz_read(a, path, &x);
}

static void
read_safetensors(Arena *a, const char *path)
{
	Array *x;
	safetensors_read(a, path, &x);
}

/* an npy file of version 1 with this dict and n zero bytes of data */
static const char *
npy_with(Arena *a, const char *dict, int n)
{
	Buf b = {.arena = a};
	buf_put(&b, "\x93NUMPY\1\0", 8);
	buf_putc(&b, (int)strlen(dict));
	buf_putc(&b, 0);
	buf_puts(&b, dict);
	while (n-- > 0)
		buf_putc(&b, 0);
	return put_buf(a, "bad.npy", &b);
}

static void
bad_npy_is_told(void **state)
{
	Arena *a = *state;
	static const struct { const char *dict; int n, code; const char *say; } row[] = {
		{"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8, EXIT_INPUT,
			"big-endian data ('>f4'): save it as x.astype('<f4')"},
		{"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", 8, EXIT_INPUT, "Fortran order"},
		{"{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}", 8, 0, ""},
		{"{'shape': (), 'descr': \"<i8\", 'fortran_order': False}\n", 8, 0, ""},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7, EXIT_INPUT,
			"the array takes 8 bytes, the file has 7"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 9, EXIT_INPUT, "has 9"},
		{"{'descr': '<U4', 'fortran_order': False, 'shape': (2,), }", 8, EXIT_UNSUPPORTED, "dtype '<U4'"},
		{"{'descr': '', 'fortran_order': False, 'shape': (2,), }", 8, EXIT_UNSUPPORTED, "dtype ''"},
		{"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 8, EXIT_UNSUPPORTED, "structured"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0, EXIT_INPUT, "overflows"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 0, EXIT_INPUT, "overflows"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296), }", 0, 0, ""},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1), }", 4, EXIT_INPUT,
			"more than 16 dimensions"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4, EXIT_INPUT, "a dimension expected"},
		{"{'descr': '<f4', 'fortran_order': False, }", 4, EXIT_INPUT, "'shape' expected"},
		{"{'descr': '<f4', 'fortran_order': Maybe, 'shape': ()}", 4, EXIT_INPUT, "True or False expected"},
		{"{'descr': '<f4', 'descr': '<f4', 'shape': ()}", 4, EXIT_INPUT, "key 'descr'"},
		{"{'descr': '<f4", 4, EXIT_INPUT, "''' expected"},
		{"", 4, EXIT_INPUT, "'{' expected"},
	};
	for (int i = 0; i < LEN(row); i++) {
		assert_int_equal(status_of(read_npy, a, npy_with(a, row[i].dict, row[i].n)), row[i].code);
		assert_says(a, row[i].say);
	}
	char bools[sizeof NUMPY_NPY];
	memcpy(bools, NUMPY_NPY, sizeof bools);
	memcpy(strstr(bools + 10, "<f4"), "|b1", 3);
	memcpy(strstr(bools + 10, "1, 3"), "12, ", 4);
	put_file(at(a, "bools.npy"), bools, sizeof bools - 1);
	assert_int_equal(status_of(read_npy, a, at(a, "bools.npy")), EXIT_INPUT);
	assert_says(a, "element 2 of a bool array is 128");
}

static void
bad_npz_is_told(void **state)
{
	Arena *a = *state;
	char z[sizeof NUMPY_NPZ];
	static const struct { int at; char byte; int code; const char *say; } row[] = {
		{195 + 10, 8, EXIT_INPUT, "member 'a.npy': compressed: save it with numpy.savez"},
		{195 + 8, 1, EXIT_INPUT, "encrypted"},
		{195 + 16, 0, EXIT_INPUT, "checksum differs"},
		{195 + 20, 1, EXIT_INPUT, "its two sizes differ"},
		{195 + 42, 1, EXIT_INPUT, "no local header at byte 1"},
		{195 + 46, 'b', EXIT_INPUT, "its local header has another name"},
		{195 + 50, 'x', EXIT_INPUT, "not an npy file by its name"},
		{246 + 16, 1, EXIT_INPUT, "the directory of the archive is damaged at byte 1"},
		{246, 0, EXIT_INPUT, "not an npz file"},
	};
	for (int i = 0; i < LEN(row); i++) {
		memcpy(z, NUMPY_NPZ, sizeof z);
		z[row[i].at] = row[i].byte;
		put_file(at(a, "bad.npz"), z, sizeof z - 1);
		assert_int_equal(status_of(read_npz, a, at(a, "bad.npz")), row[i].code);
		assert_says(a, row[i].say);
	}
}

static void
bad_safetensors_is_told(void **state)
{
	Arena *a = *state;
	static const struct { const char *header; int n, code; const char *say; } row[] = {
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, 0, ""},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, EXIT_INPUT, "end at byte 8 of data that has 9"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, EXIT_INPUT,
			"tensor 'a': bytes 0 to 8 of data that has 7"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, EXIT_INPUT, "takes 12 bytes, its data 8"},
		{"{\"a\":{\"dtype\":\"F8\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, EXIT_UNSUPPORTED, "dtype 'F8'"},
		{"{\"a\":{\"shape\":[3],\"data_offsets\":[0,8]}}", 8, EXIT_INPUT, "\"dtype\" is not a string"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, EXIT_INPUT, "something else than sizes"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, EXIT_INPUT, "not a pair"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, EXIT_INPUT, "bytes 8 to 0"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0, EXIT_INPUT, "overflows"},
		{"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
			"\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6, EXIT_INPUT,
			"tensor 'b' begins at byte 2, the one before ends at 4"},
		{"{\"a\":3}", 0, EXIT_INPUT, "tensor 'a': not an object"},
		{"[]", 0, EXIT_INPUT, "no object"},
		{"{\"a\":", 0, EXIT_INPUT, "error"},
	};
	for (int i = 0; i < LEN(row); i++) {
		Buf b = {.arena = a};
		buf_putc(&b, (int)strlen(row[i].header));
		buf_put(&b, "\0\0\0\0\0\0", 7);
		buf_puts(&b, row[i].header);
		for (int k = 0; k < row[i].n; k++)
			buf_putc(&b, 0);
		assert_int_equal(status_of(read_safetensors, a, put_buf(a, "bad.safetensors", &b)), row[i].code);
		assert_says(a, row[i].say);
	}
}

/* Every prefix of a good file is refused; with any byte changed it is read or refused. No crash:
 * status_of sees one. Padding is skipped, to save time. */
static void
batter(Arena *a, void (*read)(Arena *a, const char *path), const char *good, int n)
{
	char *s = arena_copy(a, good, n);
	const char *path = at(a, "battered");
	for (int i = 0; i < n; i++) {
		if (good[i] == ' ' && good[i + 1] == ' ')
			continue;
		put_file(path, s, i);
		assert_true(status_of(read, a, path) != 0);
	}
	for (int i = 0; i < n; i++) {
		if (good[i] == ' ' && good[i + 1] == ' ')
			continue;
		s[i] = (char)(i % 3 ? ~good[i] : good[i] ^ 1 << i % 7);
		put_file(path, s, n);
		int code = status_of(read, a, path);
		assert_true(code == 0 || code == EXIT_INPUT || code == EXIT_UNSUPPORTED);
		s[i] = good[i];
	}
}

static void
damaged_files_are_refused(void **state)
{
	batter(*state, read_npy, NUMPY_NPY, sizeof NUMPY_NPY - 1);
	batter(*state, read_npz, NUMPY_NPZ, sizeof NUMPY_NPZ - 1);
	batter(*state, read_safetensors, SAFETENSORS, sizeof SAFETENSORS - 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_are_read_whole), TEST(paths_split_and_join),
		TEST(outputs_appear_with_their_directories), TEST(unchanged_outputs_are_not_touched),
		TEST(one_failing_output_leaves_all_untouched), TEST(devices_and_links_stay_what_they_are),
		TEST(depfiles_are_escaped_as_by_gcc), TEST(arrays_are_read_as_written), TEST(files_of_others_are_read),
		TEST(bad_npy_is_told), TEST(bad_npz_is_told), TEST(bad_safetensors_is_told),
		TEST(damaged_files_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
