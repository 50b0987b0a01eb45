/* test_rt_checkpoint.c: files that emitted code reads and writes: exchanged with gradc's own reader and writer, and
 * refused, with the arrays untouched, in every way that one can be wrong. */
#include <unistd.h>

#include "unit.h"

enum { RT_OK, RT_E_NULL, RT_E_OPEN = 6, RT_E_FILE, RT_E_FORMAT, RT_E_MISSING, RT_E_UNKNOWN, RT_E_TYPE };
#define RT_WHY 256
typedef struct rt_tensor {
	const char *name, *dtype;
	int rank;
	int64_t shape[8], offset;
} rt_tensor;

#include "rt/checkpoint.h"

static const rt_tensor table[] = {
	{"w", "f32", 2, {2, 3}, 0},
	{"mask", "bool", 1, {5}, 64},
	{"step", "i64", 0, {0}, 128},
	{"half", "bf16", 1, {3}, 192},
	{"a \"name\" \\ of \xc3\xa9 and \xf0\x9f\x98\x80", "f64", 1, {1}, 256},
	{"none", "f32", 2, {0, 4}, 320},
};
enum { N = LEN(table), FLAT = 384 };
static char path[300], directory[256];
static unsigned char content[FLAT];

static int
entries(rt_entry *e, unsigned char *flat)
{
	return rt_add(e, 0, table, NULL, flat, N);
}

static void
write_bytes(const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static size_t
read_bytes(void *p, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(p, 1, room, f);
	fclose(f);
	return n;
}

/* a file of that header, blanks behind it, and that many bytes of data, all 1 */
static void
write_file(const char *header, int blanks, size_t ndata)
{
	static unsigned char bytes[16384];
	size_t n = strlen(header), length = n + (size_t)blanks;

	assert_true(8 + length + ndata <= sizeof bytes);
	for (int k = 0; k < 8; k++)
		bytes[k] = (unsigned char)((uint64_t)length >> 8 * k);
	memcpy(bytes + 8, header, n);
	memset(bytes + 8 + n, ' ', (size_t)blanks);
	memset(bytes + 8 + length, 1, ndata);
	write_bytes(bytes, 8 + length + ndata);
}

/* reads two tensors, or refuses and leaves them as they were; *why is what it says */
static int
load_two(const char *ignore, char *why)
{
	static const rt_tensor two[] = {{"a", "f32", 1, {2}, 0}, {"b", "bool", 2, {3, 1}, 8}};
	unsigned char flat[11], before[11], ones[11];
	rt_entry e[2];
	int code;

	memset(flat, 0xC5, sizeof flat);
	memset(before, 0xC5, sizeof before);
	memset(ones, 1, sizeof ones);
	rt_add(e, 0, two, NULL, flat, 2);
	strcpy(why, "untouched");
	code = rt_load_file(path, e, 2, ignore, true, why);
	assert_memory_equal(flat, code ? before : ones, sizeof flat);
	assert_int_equal(!code, !strcmp(why, "untouched"));
	assert_int_equal(rt_load_file(path, e, 2, ignore, false, NULL), code);
	assert_memory_equal(flat, code ? before : ones, sizeof flat);
	return code;
}

#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define B "\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[8,11]}"

static const struct { const char *header; int code; const char *why; } cases[] = {
	{"{" A "," B "}", RT_OK, NULL},
	{"{" B "," A "}", RT_OK, NULL},
	{"{ \"b\" :\t{ \"data_offsets\" : [ 8 , 11 ] ,\n\"shape\":[3 , 1],\r\"dtype\" : \"BOOL\" } , " A " }", RT_OK, NULL},
	{"{\"__metadata__\":{\"format\":\"pt\",\"\\u00e9\":\"\\\"}\"}," A "," B "}", RT_OK, NULL},
	{"{" A "," B ",\"__metadata__\":{}}", RT_OK, NULL},
	{"{\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}," B "}", RT_OK, NULL},
	{"{\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[0,3]},"
		"\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[3,11]}}", RT_OK, NULL},
	/* what is not there, not known, of another type */
	{"{" A "}", RT_E_MISSING, "b: is not in the file"},
	{"{}", RT_E_MISSING, "a: is not in the file"},
	{"{" A "," B ",\"c\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[11,11]}}", RT_E_UNKNOWN, "c: is no tensor of the model"},
	{"{\"a\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]}," B "}", RT_E_TYPE, "a: f32[2] in the model, I32[2] in the file"},
	{"{\"a\":{\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]}," B "}", RT_E_TYPE, NULL},
	{"{\"a\":{\"dtype\":\"F32X\",\"shape\":[2],\"data_offsets\":[0,8]}," B "}", RT_E_TYPE, NULL},
	{"{\"a\":{\"dtype\":\"\",\"shape\":[2],\"data_offsets\":[0,8]}," B "}", RT_E_TYPE, NULL},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}," B "}", RT_E_TYPE, "a: f32[2] in the model, F32[1,2] in the file"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,8]}," B "}", RT_E_TYPE, NULL},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,8]}," B "}", RT_E_TYPE, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[1,3],\"data_offsets\":[8,11]}}", RT_E_TYPE, NULL},
	/* places */
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[8,12]}}", RT_E_FORMAT, "b: has more or fewer bytes than its shape"},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[9,12]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[7,10]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[0,3]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[11,8]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[8]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[8,11,11]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[-3,0]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[08,11]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[8,1.1e1]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[9223372036854775800,9223372036854775803]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[18446744073709551624,18446744073709551627]}}", RT_E_FORMAT, NULL},
	{"{" A "," B "," B "}", RT_E_FORMAT, "b: is in the file twice"},
	{"{" A "," B ",\"\\u0062\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[11,14]}}", RT_E_FORMAT, NULL},
	/* members */
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"shape\":[3,1],\"data_offsets\":[8,11]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1],\"data_offsets\":[8,11],\"more\":1}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":7,\"shape\":[3,1],\"data_offsets\":[8,11]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[\"3\",1],\"data_offsets\":[8,11]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{\"dtype\":\"BOOL\",\"shape\":[3,1,],\"data_offsets\":[8,11]}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":[]}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\":null}", RT_E_FORMAT, NULL},
	{"{\"__metadata__\":{\"n\":1}," A "," B "}", RT_E_FORMAT, NULL},
	{"{\"__metadata__\":{},\"__metadata__\":{}," A "," B "}", RT_E_FORMAT, NULL},
	{"{\"__metadata__\":\"\"," A "," B "}", RT_E_FORMAT, NULL},
	/* JSON */
	{"", RT_E_FORMAT, NULL},
	{"[" A "," B "]", RT_E_FORMAT, NULL},
	{" {" A "," B "}", RT_E_FORMAT, NULL},
	{"{" A "," B, RT_E_FORMAT, NULL},
	{"{" A "," B ",}", RT_E_FORMAT, NULL},
	{"{," A "," B "}", RT_E_FORMAT, NULL},
	{"{" A " " B "}", RT_E_FORMAT, NULL},
	{"{" A "," B "}}", RT_E_FORMAT, NULL},
	{"{" A "," B "}x", RT_E_FORMAT, NULL},
	{"{" A "," B "} {}", RT_E_FORMAT, NULL},
	{"{a:{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\"", RT_E_FORMAT, NULL},
	{"{" A ",\"b", RT_E_FORMAT, NULL},
	{"{" A ",\"b\\", RT_E_FORMAT, NULL},
	{"{" A ",\"b\\x\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\\u00\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"b\\u0000\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\\ud800\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\\udc00\\ud800\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\\ud800\\u0041\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\\ud800\\n\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"line\nbreak\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\x80\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\xc0\x80\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\xe0\x80\x80\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\xed\xa0\x80\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\xf4\x90\x80\x80\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\xf8\x88\x80\x80\x80\":{}}", RT_E_FORMAT, NULL},
	{"{" A ",\"\xc3\":{}}", RT_E_FORMAT, NULL},
};

static void
headers(void **state)
{
	char why[RT_WHY];

	(void)state;
	for (int i = 0; i < LEN(cases); i++)
		for (int blanks = 0; blanks < 8; blanks += 7) {
			int code;
			write_file(cases[i].header, blanks, 11);
			code = load_two(NULL, why);
			if (code != cases[i].code)
				print_error("%s: %d, %s\n", cases[i].header, code, why);
			assert_int_equal(code, cases[i].code);
			assert_string_equal(why, cases[i].why ? cases[i].why : why);
		}
}

/* names of other prefixes are unknown still, and what is passed over must be sound */
static void
passing_over(void **state)
{
	static const struct { const char *ignore, *header; int code; } some[] = {
		{"", "{" A "," B ",\"x\":{\"dtype\":\"F4\",\"shape\":[9,9,9,9,9,9,9,9,9,9,9],\"data_offsets\":[11,11]}}", RT_OK},
		{"o.", "{" A "," B ",\"o.x\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[11,11]}}", RT_OK},
		{"o.", "{" A "," B ",\"o\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[11,11]}}", RT_E_UNKNOWN},
		{"", "{" A "," B ",\"x\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[11,12]}}", RT_E_FORMAT},
		{"", "{" A "," B ",\"x\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,11]}}", RT_E_FORMAT},
		{"", "{" A "," B ",\"x\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,9223372036854775807]}}", RT_E_FORMAT},
		{"", "{" A ",\"x\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[8,11]}}", RT_E_MISSING},
	};
	char why[RT_WHY];

	(void)state;
	for (int i = 0; i < LEN(some); i++) {
		write_file(some[i].header, 0, 11);
		assert_int_equal(load_two(some[i].ignore, why), some[i].code);
	}
}

/* every beginning of a good file, a file that is too long, and a header of absurd length */
static void
lengths(void **state)
{
	static const char good[] = "{" A "," B "}";
	char why[RT_WHY], whole[512], name[700];
	size_t n;

	(void)state;
	write_file(good, 3, 11);
	n = read_bytes(whole, sizeof whole);
	for (size_t k = 0; k < n; k++) {
		write_bytes(whole, k);
		assert_int_equal(load_two(NULL, why), RT_E_FORMAT);
	}
	write_file(good, 3, 12);
	assert_int_equal(load_two(NULL, why), RT_E_FORMAT);
	for (int k = 0; k < 8; k++) {
		memset(name, ' ', 16);
		memcpy(name, whole, 16);
		name[k] = (char)0xff;
		write_bytes(name, n);
		assert_int_equal(load_two(NULL, why), RT_E_FORMAT);
	}
	/* names longer than any of a model */
	memset(name, 'a', sizeof name);
	for (size_t m = RT_NAME - 2; m < RT_NAME + 3; m++) {
		char header[2048];
		snprintf(header, sizeof header, "{" A "," B ",\"%.*s\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[11,11]}}",
			(int)m, name);
		write_file(header, 0, 11);
		assert_int_equal(load_two(NULL, why), RT_E_UNKNOWN);
		assert_int_equal(load_two("", why), RT_OK);
	}
}

/* any other byte as a bool of C would be undefined behaviour */
static void
booleans(void **state)
{
	static const char good[] = "{" A "," B "}";
	char why[RT_WHY], whole[512];
	size_t n;

	(void)state;
	write_file(good, 0, 11);
	n = read_bytes(whole, sizeof whole);
	whole[n - 2] = 2;
	write_bytes(whole, n);
	assert_int_equal(load_two(NULL, why), RT_E_FORMAT);
	assert_string_equal(why, "b: a bool is neither 0 nor 1");
	whole[n - 2] = 0;
	whole[n - 5] = 2;              /* in the float: any value is good */
	write_bytes(whole, n);
	rt_entry e[2];
	static const rt_tensor two[] = {{"a", "f32", 1, {2}, 0}, {"b", "bool", 2, {3, 1}, 8}};
	unsigned char flat[11];
	rt_add(e, 0, two, NULL, flat, 2);
	assert_int_equal(rt_load_file(path, e, 2, NULL, true, why), RT_OK);
	assert_int_equal(flat[9], 0);
}

/* what is NULL is neither missed nor read; two tensors of a model may be one of the file */
static void
wanted(void **state)
{
	static const rt_tensor four[] = {{"a", "f32", 1, {2}, 0}, {"a", "f32", 1, {2}, 8}, {"b", "bool", 2, {3, 1}, 0},
		{"c", "bool", 2, {3, 1}, 0}};
	unsigned char flat[16] = {0};
	void *const data[] = {flat, flat + 8, NULL, NULL};
	rt_entry e[4];
	char why[RT_WHY];

	(void)state;
	write_file("{" A "," B "}", 0, 11);
	rt_add(e, 0, four, data, NULL, 4);
	assert_int_equal(rt_load_file(path, e, 4, NULL, true, why), RT_OK);
	assert_int_equal(flat[0] + flat[7] + flat[8] + flat[15], 4);
}

static void
files(void **state)
{
	char why[RT_WHY], long_path[FILENAME_MAX + 16];
	unsigned char flat[FLAT];
	rt_entry e[N];

	(void)state;
	memcpy(flat, content, FLAT);
	entries(e, flat);
	assert_int_equal(rt_load_file("/none/such", e, N, NULL, true, why), RT_E_OPEN);
	assert_string_equal(why, "/none/such: cannot be opened");
	assert_int_equal(rt_load_file(directory, e, N, NULL, true, why), RT_E_FILE);
	assert_int_equal(rt_save_file("/none/such", e, N, why), RT_E_OPEN);
	assert_string_equal(why, "/none/such.new: cannot be made");
	memset(long_path, 'x', sizeof long_path - 1);
	long_path[sizeof long_path - 1] = '\0';
	assert_int_equal(rt_save_file(long_path, e, N, why), RT_E_OPEN);
	assert_int_equal(rt_load_below("/tmp", long_path, e, N, true, why), RT_E_OPEN);
	assert_int_equal(rt_load_below(long_path, "x", e, N, true, why), RT_E_OPEN);
	/* the target is a directory: nothing of ours stays beside it */
	assert_int_equal(rt_save_file(directory, e, N, why), RT_E_FILE);
	strcat(strcpy(long_path, directory), ".new");
	assert_int_equal(access(long_path, F_OK), -1);
	entries(e, flat);
	e[2].data = NULL;
	assert_int_equal(rt_save_file(path, e, N, why), RT_E_NULL);
	assert_string_equal(why, "step: its array is NULL");
}

/* a write that fails leaves the old file */
static void
full(void **state)
{
	char why[RT_WHY];
	unsigned char flat[FLAT];
	rt_entry e[N];

	(void)state;
	if (access("/dev/full", W_OK))
		return;
	write_file("{" A "," B "}", 0, 11);
	strcat(strcpy(why, path), ".new");
	unlink(why);
	assert_int_equal(symlink("/dev/full", why), 0);
	memcpy(flat, content, FLAT);
	entries(e, flat);
	assert_int_equal(rt_save_file(path, e, N, why), RT_E_FILE);
	assert_int_equal(load_two(NULL, why), RT_OK);
	strcat(strcpy(why, path), ".new");
	assert_int_equal(access(why, F_OK), -1);
}

/* to gradc's reader, and from its writer */
static void
exchange(void **state)
{
	Arena *a = arena_new();
	unsigned char flat[FLAT], read[FLAT];
	rt_entry e[N];
	char why[RT_WHY] = "";
	Array *x;
	Buf b = {.arena = a};

	(void)state;
	memcpy(flat, content, FLAT);
	entries(e, flat);
	assert_int_equal(rt_save_file(path, e, N, why), RT_OK);
	assert_int_equal(safetensors_read(a, path, &x), N);
	for (int i = 0; i < N; i++) {
		int k = 0;
		while (k < N && strcmp(x[k].name, table[i].name))
			k++;
		assert_true(k < N);
		assert_string_equal(x[k].dtype, table[i].dtype);
		assert_int_equal(x[k].rank, table[i].rank);
		assert_memory_equal(x[k].dim, table[i].shape, (size_t)table[i].rank * sizeof *x[k].dim);
		assert_memory_equal(x[k].data, content + table[i].offset, (size_t)x[k].nbytes);
	}
	safetensors_bytes(&b, x, N);
	write_bytes(b.s, (size_t)b.n);
	memset(read, 0, sizeof read);
	entries(e, read);
	assert_int_equal(rt_load_file(path, e, N, NULL, true, why), RT_OK);
	assert_memory_equal(read, content, FLAT);
	arena_free(a);
}

/* as Python's library lays it out: metadata first, tensors by dtype and name, blanks to a multiple of 8 */
static void
of_python(void **state)
{
	static const char header[] = "{\"__metadata__\":{\"format\":\"pt\"},"
		"\"step\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
		"\"a \\\"name\\\" \\\\ of \xc3\xa9 and \\ud83d\\ude00\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[8,16]},"
		"\"none\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[16,16]},"
		"\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]},"
		"\"half\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[40,46]},"
		"\"mask\":{\"dtype\":\"BOOL\",\"shape\":[5],\"data_offsets\":[46,51]}}";
	unsigned char flat[FLAT] = {0};
	rt_entry e[N];
	char why[RT_WHY] = "";

	(void)state;
	write_file(header, (int)((8 - strlen(header) % 8) % 8), 51);
	entries(e, flat);
	assert_int_equal(rt_load_file(path, e, N, NULL, true, why), RT_OK);
	assert_int_equal(flat[0] + flat[23] + flat[64] + flat[68] + flat[135] + flat[197] + flat[263], 7);
}

/* what a big-endian machine does before it writes and after it has read */
static void
order(void **state)
{
	static const uint16_t one = 1;
	char bytes[17] = "0123456789abcdef";

	(void)state;
	assert_int_equal(rt_big_endian(), *(const unsigned char *)&one == 0);
	rt_reverse(bytes, 16, 8);
	assert_string_equal(bytes, "76543210fedcba98");
	rt_reverse(bytes, 16, 2);
	assert_string_equal(bytes, "67452301efcdab89");
	rt_reverse(bytes, 16, 1);
	assert_string_equal(bytes, "67452301efcdab89");
}

static int
setup(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(directory, sizeof directory, "%s/checkpoint-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof path, "%s/file", directory);
	for (int i = 0; i < N; i++) {
		rt_entry e;
		rt_add(&e, 0, &table[i], NULL, content, 1);
		for (int64_t k = 0; k < e.bytes; k++)
			content[table[i].offset + k] = (unsigned char)(rt_is_bool(&e) ? k % 2 : 17 * i + 3 * k + 1);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(passing_over),
		cmocka_unit_test(lengths),
		cmocka_unit_test(booleans),
		cmocka_unit_test(wanted),
		cmocka_unit_test(files),
		cmocka_unit_test(full),
		cmocka_unit_test(exchange),
		cmocka_unit_test(of_python),
		cmocka_unit_test(order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
