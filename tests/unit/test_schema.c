/* test_schema.c: the JSON Schema against the models of the tests: each is valid,
 * and copies with one thing wrong are not. The validator below knows the
 * keywords that the schema uses, and refuses others. */
#include <dirent.h>
#include <regex.h>

#include "unit.h"

#include "ir.h"

#define FAIL(...) (print_error(__VA_ARGS__), print_error("\n"), assert_true(false))

static Arena *arena;
static const Json *schema;

static bool valid(const Json *s, const Json *j);

static const Json *
resolve(const char *ref)
{
	const Json *s = json_get(schema, "$defs");

	assert_int_equal(strncmp(ref, "#/$defs/", 8), 0);
	s = json_get(s, ref + 8);
	assert_non_null(s);
	return s;
}

static bool
is_type(const char *t, const Json *j)
{
	int64_t v;

	if (!strcmp(t, "integer"))
		return j->kind == J_NUMBER && json_int(j, &v);
	if (!strcmp(t, "boolean"))
		return j->kind == J_TRUE || j->kind == J_FALSE;
	return j->kind == (!strcmp(t, "object") ? J_OBJECT : !strcmp(t, "array") ? J_ARRAY : !strcmp(t, "string") ? J_STRING
		: !strcmp(t, "number") ? J_NUMBER : J_NULL);
}

static bool
type_ok(const Json *t, const Json *j)
{
	if (t->kind == J_STRING)
		return is_type(t->str, j);
	for (int i = 0; i < t->n; i++)
		if (is_type(t->item[i]->str, j))
			return true;
	return false;
}

static bool
same(const Json *a, const Json *b)
{
	return a->kind == b->kind && (a->kind < J_NUMBER || !strcmp(a->str, b->str));
}

static bool
matches(const char *pattern, const char *s)
{
	regex_t re;
	bool ok;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ok = regexec(&re, s, 0, NULL, 0) == 0;
	regfree(&re);
	return ok;
}

static bool
any_of(const Json *s, const Json *j)
{
	for (int i = 0; i < s->n; i++)
		if (valid(s->item[i], j))
			return true;
	return false;
}

static bool
is_one_of(const Json *list, const Json *j)
{
	for (int i = 0; i < list->n; i++)
		if (same(list->item[i], j))
			return true;
	return false;
}

static bool
members_ok(const Json *s, const Json *j)
{
	const Json *props = json_get(s, "properties"), *rest = json_get(s, "additionalProperties");

	for (int i = 0; j->kind == J_OBJECT && i < j->n; i++) {
		const Json *p = props ? json_get(props, j->key[i]) : NULL;
		if (p ? !valid(p, j->item[i]) : rest && !valid(rest, j->item[i]))
			return false;
	}
	return true;
}

static bool
required_ok(const Json *list, const Json *j)
{
	for (int i = 0; j->kind == J_OBJECT && i < list->n; i++)
		if (!json_get(j, list->item[i]->str))
			return false;
	return true;
}

static bool
keyword_ok(const Json *s, const char *key, const Json *k, const Json *j)
{
	static const char *const notes[] = {"$schema", "$defs", "title", "description", "default", "then", "else",
		"properties", "additionalProperties"};

	for (int i = 0; i < LEN(notes); i++)
		if (!strcmp(key, notes[i]))
			return true;
	if (!strcmp(key, "$ref"))
		return valid(resolve(k->str), j);
	if (!strcmp(key, "type"))
		return type_ok(k, j);
	if (!strcmp(key, "const"))
		return same(k, j);
	if (!strcmp(key, "enum"))
		return is_one_of(k, j);
	if (!strcmp(key, "anyOf"))
		return any_of(k, j);
	if (!strcmp(key, "allOf")) {
		for (int i = 0; i < k->n; i++)
			if (!valid(k->item[i], j))
				return false;
		return true;
	}
	if (!strcmp(key, "if"))
		return valid(k, j) ? !json_get(s, "then") || valid(json_get(s, "then"), j)
			: !json_get(s, "else") || valid(json_get(s, "else"), j);
	if (!strcmp(key, "required"))
		return required_ok(k, j);
	if (!strcmp(key, "pattern"))
		return j->kind != J_STRING || matches(k->str, j->str);
	if (!strcmp(key, "minLength"))
		return j->kind != J_STRING || (double)strlen(j->str) >= k->num;
	if (!strcmp(key, "minimum"))
		return j->kind != J_NUMBER || j->num >= k->num;
	if (!strcmp(key, "maximum"))
		return j->kind != J_NUMBER || j->num <= k->num;
	if (!strcmp(key, "minItems"))
		return j->kind != J_ARRAY || j->n >= k->num;
	if (!strcmp(key, "maxItems"))
		return j->kind != J_ARRAY || j->n <= k->num;
	if (!strcmp(key, "minProperties"))
		return j->kind != J_OBJECT || j->n >= k->num;
	if (!strcmp(key, "maxProperties"))
		return j->kind != J_OBJECT || j->n <= k->num;
	if (!strcmp(key, "items")) {
		for (int i = 0; j->kind == J_ARRAY && i < j->n; i++)
			if (!valid(k, j->item[i]))
				return false;
		return true;
	}
	FAIL("the validator of this test knows no keyword '%s'", key);
	return false;
}

static bool
valid(const Json *s, const Json *j)
{
	if (s->kind != J_OBJECT)
		return s->kind == J_TRUE;
	for (int i = 0; i < s->n; i++)
		if (!keyword_ok(s, s->key[i], s->item[i], j))
			return false;
	return members_ok(s, j);
}

static Json *
parse(const char *file, const char *text)
{
	Json *j = json_read(arena, file, text, (int64_t)strlen(text));

	diag_check();
	return j;
}

static int
setup(void **state)
{
	Buf b;

	(void)state;
	arena = arena_new();
	b = (Buf){.arena = arena};
	schema_write(&b);
	schema = parse("schema.json", b.s);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* as they are, and as they are written back */
static void
models_are_valid(void **state)
{
	static const char dir[] = "tests/models";
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);
		int64_t size;
		if (len < 5 || strcmp(e->d_name + len - 5, ".json"))
			continue;
		const char *path = path_join(arena, dir, e->d_name), *text = read_file(arena, path, &size);
		if (!valid(schema, parse(path, text)))
			FAIL("%s is not valid", path);
		Graph *g = graph_read(arena, path, text, size);
		diag_check();
		Buf b = {.arena = arena};
		graph_write(&b, g);
		assert_true(valid(schema, parse(path, b.s)));
		n++;
	}
	closedir(d);
	assert_true(n > 0);
}

#define DOC(rest) "{\"gradc\": 1, \"name\": \"m\", \"inputs\": {\"x\": \"f32[4]\"}, \"outputs\": {\"y\": \"y\"}, " rest "}"
#define NODE(rest) DOC("\"nodes\": [{\"out\": \"y\", " rest "}]")

static void
accepts(void **state)
{
	static const char *const doc[] = {
		DOC("\"nodes\": []"),
		NODE("\"op\": \"exp\", \"in\": [\"x\"]"),
		NODE("\"op\": \"add\", \"in\": [\"x\", 0.5]"),
		NODE("\"op\": \"where\", \"in\": [true, \"x\", \"inf\"], \"remat\": \"save\""),
		NODE("\"op\": \"sum\", \"in\": [\"x\"], \"attrs\": {\"dim\": 0, \"keepdim\": true}, \"type\": \"f32[1]\""),
		NODE("\"op\": \"sum\", \"in\": [\"x\"], \"attrs\": {\"dim\": null}"),
		NODE("\"op\": \"cat\", \"in\": [\"x\", \"x\", \"x\", \"x\", \"x\"], \"attrs\": {\"dim\": -1}"),
		NODE("\"op\": \"reshape\", \"in\": [\"x\"], \"attrs\": {\"shape\": [2, \"4*B\", -1]}"),
		NODE("\"op\": \"full\", \"attrs\": {\"value\": \"-inf\", \"type\": \"f64\"}"),
		NODE("\"op\": \"dropout\", \"in\": [\"x\", \"k\"], \"attrs\": {\"p\": 1}"),
		DOC("\"params\": {\"w\": {\"type\": \"f32[4]\", \"init\": {\"uniform\": [-1, 1]}, \"c\": \"w\"}}"),
		DOC("\"dims\": {\"B\": {\"max\": 8, \"min\": 2, \"hint\": 4}}, \"buffers\": {\"n\": \"i64[]\"}"),
		DOC("\"constants\": {\"c\": {\"type\": \"f32[2,2]\", \"data\": [[1, 2], [\"nan\", 4]]}}"),
		"{\"gradc\": 1, \"module\": {\"forward\": {\"name\": \"m\"}, \"backward\": {\"name\": \"m\"}}}",
	};
	(void)state;
	for (int i = 0; i < LEN(doc); i++)
		if (!valid(schema, parse("doc.json", doc[i])))
			FAIL("not valid: %s", doc[i]);
}

static void
refuses(void **state)
{
	static const char *const doc[] = {
		"[]",
		"{\"name\": \"m\"}",
		"{\"gradc\": 2, \"name\": \"m\"}",
		"{\"gradc\": 1}",
		"{\"gradc\": 1, \"name\": \"m-1\"}",
		DOC("\"nodez\": []"),
		DOC("\"params\": {\"w\": \"float[4]\"}"),
		DOC("\"params\": {\"w\": {\"type\": \"f32[4]\", \"init\": \"ones_\"}}"),
		DOC("\"params\": {\"w\": {\"type\": \"f32[4]\", \"init\": {\"uniform\": [1]}}}"),
		DOC("\"dims\": {\"B\": {\"min\": 2}}"),
		NODE("\"op\": \"expp\", \"in\": [\"x\"]"),
		NODE("\"in\": [\"x\"]"),
		NODE("\"op\": \"exp\""),
		NODE("\"op\": \"exp\", \"in\": [\"x\", \"x\"]"),
		NODE("\"op\": \"exp\", \"in\": [\"x\"], \"attrs\": {\"base\": 2}"),
		NODE("\"op\": \"sum\", \"in\": [\"x\"], \"attrs\": {\"keepdim\": 1}"),
		NODE("\"op\": \"dot\", \"in\": [\"x\", \"x\"]"),
		NODE("\"op\": \"dot\", \"in\": [\"x\", \"x\"], \"attrs\": {}"),
		NODE("\"op\": \"constant\""),
		NODE("\"op\": \"dropout\", \"in\": [\"x\", \"k\"], \"attrs\": {\"p\": 1.5}"),
		NODE("\"op\": \"histc\", \"in\": [\"x\"], \"attrs\": {\"bins\": 0}"),
		NODE("\"op\": \"exp\", \"in\": [\"x\"], \"remat\": \"never\""),
		"{\"gradc\": 1, \"module\": {\"forward\": {\"name\": \"m\"}}}",
	};
	(void)state;
	for (int i = 0; i < LEN(doc); i++)
		if (valid(schema, parse("doc.json", doc[i])))
			FAIL("valid: %s", doc[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_are_valid),
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
