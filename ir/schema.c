/* schema: a JSON Schema (draft 2020-12) of the IR, for editors.
 *
 * The shape of a document is text; ops, their operands and their attributes are
 * expanded from the op table: one if/then an op, so that an editor completes
 * the attributes of the op that a node has. */
#include "ir.h"

#include <math.h>
#include <string.h>

static const char head[] =
"{\n"
"  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
"  \"title\": \"gradc IR, version 1\",\n"
"  \"description\": \"a model graph for gradc, or the module of its forward and backward graphs\",\n"
"  \"type\": \"object\",\n"
"  \"required\": [\"gradc\"],\n"
"  \"properties\": {\"gradc\": {\"const\": 1, \"description\": \"version of the format\"}},\n"
"  \"if\": {\"required\": [\"module\"]},\n"
"  \"then\": {\"$ref\": \"#/$defs/module\"},\n"
"  \"else\": {\"$ref\": \"#/$defs/graph\"},\n"
"  \"$defs\": {\n";

/* definitions that no table knows */
static const struct {
	const char *name, *schema;
} defs[] = {
	{"int", "{\"anyOf\": [{\"type\": \"integer\"}, {\"type\": \"string\", \"pattern\": \"^-?[0-9]+$\"}]}"},
	{"number", "{\"anyOf\": [{\"type\": \"number\"}, {\"enum\": [\"inf\", \"-inf\", \"nan\"]}, "
		"{\"type\": \"string\", \"pattern\": \"^-?[0-9]+$\"}]}"},
	{"dim", "{\"anyOf\": [{\"type\": \"integer\"}, {\"type\": \"string\", "
		"\"pattern\": \"^-?[A-Za-z_0-9]+( *[*] *[A-Za-z_0-9]+)*$\"}], "
		"\"description\": \"an integer, a symbol, or a product such as 4*B\"}"},
	{"ints", "{\"anyOf\": [{\"$ref\": \"#/$defs/int\"}, {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/int\"}}]}"},
	{"shape", "{\"anyOf\": [{\"$ref\": \"#/$defs/dim\"}, {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/dim\"}}]}"},
	{"name", "{\"type\": \"string\", \"minLength\": 1}"},
	{"names", "{\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/name\"}}"},
	{"c", "{\"type\": \"string\", \"pattern\": \"^[A-Za-z_][A-Za-z_0-9]*$\", \"description\": \"the name in C\"}"},
	{"doc", "{\"type\": \"string\", \"description\": \"goes to the emitted header\"}"},
	{"symbol", "{\"type\": \"object\", \"required\": [\"max\"], \"additionalProperties\": false, \"properties\": {"
		"\"max\": {\"type\": \"integer\", \"minimum\": 1, \"description\": \"memory is planned for it\"}, "
		"\"min\": {\"type\": \"integer\", \"minimum\": 1, \"default\": 1}, "
		"\"hint\": {\"type\": \"integer\", \"minimum\": 1, \"description\": \"what costs are reckoned at; default: max\"}}}"},
	{"input", "{\"anyOf\": [{\"$ref\": \"#/$defs/type\"}, {\"type\": \"object\", \"required\": [\"type\"], "
		"\"additionalProperties\": false, \"properties\": {\"type\": {\"$ref\": \"#/$defs/type\"}, "
		"\"doc\": {\"$ref\": \"#/$defs/doc\"}, \"c\": {\"$ref\": \"#/$defs/c\"}}}]}"},
	{"state", "{\"anyOf\": [{\"$ref\": \"#/$defs/type\"}, {\"type\": \"object\", \"required\": [\"type\"], "
		"\"additionalProperties\": false, \"properties\": {\"type\": {\"$ref\": \"#/$defs/type\"}, "
		"\"init\": {\"$ref\": \"#/$defs/init\"}, "
		"\"file\": {\"type\": \"string\", \"description\": \"first value: safetensors, npy or npz\"}, "
		"\"tensor\": {\"type\": \"string\", \"description\": \"its name in the file\"}, "
		"\"trainable\": {\"type\": \"boolean\", \"default\": true}, "
		"\"doc\": {\"$ref\": \"#/$defs/doc\"}, \"c\": {\"$ref\": \"#/$defs/c\"}}}]}"},
	{"constant", "{\"type\": \"object\", \"required\": [\"type\"], \"additionalProperties\": false, \"properties\": {"
		"\"type\": {\"$ref\": \"#/$defs/type\"}, \"data\": {\"$ref\": \"#/$defs/data\"}, "
		"\"file\": {\"type\": \"string\", \"description\": \"safetensors, npy or npz, relative to this document\"}, "
		"\"tensor\": {\"type\": \"string\", \"description\": \"its name in the file\"}}}"},
	{"data", "{\"anyOf\": [{\"$ref\": \"#/$defs/number\"}, {\"type\": \"boolean\"}, "
		"{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/data\"}}]}"},
	{"module", "{\"type\": \"object\", \"required\": [\"gradc\", \"module\"], \"additionalProperties\": false, \"properties\": {"
		"\"gradc\": true, \"module\": {\"type\": \"object\", \"required\": [\"forward\", \"backward\"], "
		"\"additionalProperties\": false, \"properties\": {"
		"\"forward\": {\"$ref\": \"#/$defs/graph\"}, \"backward\": {\"$ref\": \"#/$defs/graph\"}, "
		"\"saved\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/name\"}}, "
		"\"recomputed\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/name\"}}}}}}"},
	{"graph", "{\"type\": \"object\", \"required\": [\"name\"], \"additionalProperties\": false, \"properties\": {\n"
		"      \"gradc\": true,\n"
		"      \"name\": {\"type\": \"string\", \"pattern\": \"^[A-Za-z][A-Za-z0-9_]{0,63}$\", "
			"\"description\": \"prefix of every emitted symbol\"},\n"
		"      \"doc\": {\"$ref\": \"#/$defs/doc\"},\n"
		"      \"dims\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/symbol\"}, "
			"\"description\": \"symbolic dimensions\"},\n"
		"      \"inputs\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/input\"}, "
			"\"description\": \"tensors of a call, in order\"},\n"
		"      \"params\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/state\"}, "
			"\"description\": \"trainable tensors\"},\n"
		"      \"buffers\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/state\"}, "
			"\"description\": \"state that is not trained\"},\n"
		"      \"saved\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/input\"}, "
			"\"description\": \"backward graph: values that forward keeps\"},\n"
		"      \"constants\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/constant\"}},\n"
		"      \"nodes\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/node\"}, "
			"\"description\": \"operations, in any order\"},\n"
		"      \"outputs\": {\"$ref\": \"#/$defs/names\"},\n"
		"      \"updates\": {\"$ref\": \"#/$defs/names\"},\n"
		"      \"saves\": {\"$ref\": \"#/$defs/names\"},\n"
		"      \"loss\": {\"type\": \"string\", \"description\": \"the output that is differentiated\"},\n"
		"      \"wrt\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/name\"}, "
			"\"description\": \"values to differentiate with respect to; default: all floating params\"},\n"
		"      \"joint\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
			"\"cotangents\": {\"$ref\": \"#/$defs/names\"}, \"grads\": {\"$ref\": \"#/$defs/names\"}}},\n"
		"      \"functions\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/function\"}, "
			"\"description\": \"subgraphs for call and scan\"}}}"},
	{"function", "{\"type\": \"object\", \"required\": [\"outputs\"], \"additionalProperties\": false, \"properties\": {"
		"\"doc\": {\"type\": \"string\"}, "
		"\"inputs\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/input\"}}, "
		"\"constants\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/constant\"}}, "
		"\"nodes\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/node\"}}, "
		"\"outputs\": {\"$ref\": \"#/$defs/names\"}}}"},
};

static void
put_list(Buf *b, const char *const *word, int n)
{
	buf_putc(b, '[');
	for (int i = 0; i < n; i++) {
		buf_puts(b, i ? ", " : "");
		json_quote(b, word[i]);
	}
	buf_putc(b, ']');
}

static void
put_def(Buf *b, const char *name)
{
	buf_puts(b, "    ");
	json_quote(b, name);
	buf_puts(b, ": ");
}

/* ---- from the tables ---- */

static int
dtype_words(const char **word)
{
	for (int i = 0; i < NDTYPE; i++)
		word[i] = dtype_name((DType)i);
	return NDTYPE;
}

static void
put_dtypes(Buf *b)
{
	const char *word[NDTYPE];
	int n = dtype_words(word);

	put_def(b, "dtype");
	buf_puts(b, "{\"enum\": ");
	put_list(b, word, n);
	buf_puts(b, "},\n");
	put_def(b, "type");
	buf_puts(b, "{\"type\": \"string\", \"pattern\": \"^(");
	for (int i = 0; i < n; i++)
		buf_printf(b, "%s%s", i ? "|" : "", word[i]);
	buf_puts(b, ")\\\\[[-A-Za-z_0-9*, ]*\\\\]$\", \"description\": \"such as f32[B,784] or f32[]\"},\n");
}

static void
put_inits(Buf *b)
{
	const char *plain[32], *word;
	int n = 0, nnum;

	for (int i = 1; n < LEN(plain) && (word = init_word((Init)i, &nnum)); i++)
		if (!nnum)
			plain[n++] = word;
	put_def(b, "init");
	buf_puts(b, "{\"anyOf\": [{\"enum\": ");
	put_list(b, plain, n);
	buf_puts(b, "}, {\"type\": \"object\", \"minProperties\": 1, \"maxProperties\": 1, "
		"\"additionalProperties\": false, \"properties\": {");
	for (int i = 1, k = 0; (word = init_word((Init)i, &nnum)); i++) {
		if (!nnum)
			continue;
		buf_printf(b, "%s\"%s\": ", k++ ? ", " : "", word);
		if (nnum == 1)
			buf_puts(b, "{\"type\": \"number\"}");
		else
			buf_printf(b,
				"{\"type\": \"array\", \"items\": {\"type\": \"number\"}, \"minItems\": %d, \"maxItems\": %d}",
				nnum, nnum);
	}
	buf_puts(b, "}}]},\n");
}

/* words; true and false among them may be bare */
static void
put_words(Buf *b, const char *words)
{
	int n = 0;

	buf_puts(b, "{\"enum\": [");
	for (const char *s = words; *s; s += strspn(s, " ")) {
		int len = (int)strcspn(s, " ");
		bool bare = !strncmp(s, "true", (size_t)MAX(len, 4)) || !strncmp(s, "false", (size_t)MAX(len, 5));
		buf_printf(b, "%s\"%.*s\"", n++ ? ", " : "", len, s);
		if (bare)
			buf_printf(b, ", %.*s", len, s);
		s += len;
	}
	buf_puts(b, "]}");
}

static void
put_range(Buf *b, const AttrSpec *s)
{
	double least, most;

	buf_printf(b, "{\"type\": \"%s\"", s->kind == A_INT ? "integer" : "number");
	range_parse(s->allowed, &least, &most);
	buf_printf(b, ", \"minimum\": %g", least);
	if (isfinite(most))
		buf_printf(b, ", \"maximum\": %g", most);
	buf_puts(b, "}");
}

static void
put_kind(Buf *b, const AttrSpec *s)
{
	static const char *const ref[] = {
		[A_INT] = "int", [A_NUM] = "number", [A_DTYPE] = "dtype", [A_INTS] = "ints",
		[A_SHAPE] = "shape", [A_DIM] = "dim", [A_FUNCTION] = "name",
	};

	if (s->kind == A_BOOL)
		buf_puts(b, "{\"type\": \"boolean\"}");
	else if (s->kind != A_STR && s->allowed)
		put_range(b, s);
	else if (s->kind != A_STR)
		buf_printf(b, "{\"$ref\": \"#/$defs/%s\"}", ref[s->kind]);
	else if (s->allowed)
		put_words(b, s->allowed);
	else
		buf_puts(b, "{\"type\": \"string\"}");
}

static void
put_attr(Buf *b, const AttrSpec *s)
{
	buf_puts(b, "{\"anyOf\": [");
	put_kind(b, s);
	if (s->dflt && !strcmp(s->dflt, "null"))
		buf_puts(b, ", {\"type\": \"null\"}");
	buf_puts(b, "]");
	if (s->dflt)
		buf_printf(b, ", \"default\": %s", s->dflt);
	buf_puts(b, ", \"description\": ");
	json_quote(b, s->doc ? s->doc : "");
	buf_putc(b, '}');
}

static void
put_attrs(Buf *b, const Op *op)
{
	const char *required[64];
	int n = 0;

	buf_puts(b, "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {");
	for (int i = 0; i < op_nattr(op); i++) {
		if (!op->attr[i].dflt && n < LEN(required))
			required[n++] = op->attr[i].name;
		buf_puts(b, i ? ", " : "");
		json_quote(b, op->attr[i].name);
		buf_puts(b, ": ");
		put_attr(b, &op->attr[i]);
	}
	buf_puts(b, "}, \"required\": ");
	put_list(b, required, n);
	buf_putc(b, '}');
}

static bool
needs_attrs(const Op *op)
{
	for (int i = 0; i < op_nattr(op); i++)
		if (!op->attr[i].dflt)
			return true;
	return false;
}

static bool
in_document(const Op *op)
{
	return op->kind != LEAF && op->kind != ITEM && op->id != OP_constant && !(op->flags & NOT_YET);
}

static void
put_op(Buf *b, const Op *op)
{
	const char *required[2], *const spelled[] = {op->name, op->alias};
	int n = 0;

	if (op->min_in)
		required[n++] = "in";
	if (needs_attrs(op))
		required[n++] = "attrs";
	buf_puts(b, "      {\"if\": {\"properties\": {\"op\": {\"enum\": ");
	put_list(b, spelled, 1 + (op->alias != NULL));
	buf_puts(b, "}}},\n       \"then\": {\"description\": ");
	json_quote(b, op->doc ? op->doc : "");
	buf_puts(b, ", \"required\": ");
	put_list(b, required, n);
	buf_printf(b, ", \"properties\": {\"in\": {\"minItems\": %d", op->min_in);
	if (op->max_in >= 0)
		buf_printf(b, ", \"maxItems\": %d", op->max_in);
	if (op->operands) {
		buf_puts(b, ", \"description\": ");
		json_quote(b, op->operands);
	}
	buf_puts(b, "}, \"attrs\": ");
	put_attrs(b, op);
	buf_puts(b, "}}}");
}

static void
put_node(Buf *b)
{
	const char *names[2 * NOP];
	int n = 0;

	for (int i = 0; i < NOP; i++) {
		if (in_document(op_get(i)))
			names[n++] = op_get(i)->name;
		if (op_get(i)->alias)
			names[n++] = op_get(i)->alias;
	}
	put_def(b, "node");
	buf_puts(b, "{\"type\": \"object\", \"required\": [\"out\", \"op\"], \"additionalProperties\": false, \"properties\": {\n"
		"      \"out\": {\"anyOf\": [{\"$ref\": \"#/$defs/name\"}, {\"type\": \"array\", "
			"\"items\": {\"anyOf\": [{\"$ref\": \"#/$defs/name\"}, {\"type\": \"null\"}]}}]},\n"
		"      \"in\": {\"type\": \"array\", \"items\": {\"anyOf\": [{\"$ref\": \"#/$defs/name\"}, "
			"{\"type\": [\"number\", \"boolean\"]}]}},\n"
		"      \"attrs\": {\"type\": \"object\"},\n"
		"      \"type\": {\"anyOf\": [{\"$ref\": \"#/$defs/type\"}, {\"type\": \"array\", "
			"\"items\": {\"anyOf\": [{\"$ref\": \"#/$defs/type\"}, {\"type\": \"null\"}]}}], "
			"\"description\": \"checked against what is inferred\"},\n"
		"      \"scope\": {\"type\": \"string\", \"description\": \"module path, such as blocks.3/attn\"},\n"
		"      \"remat\": {\"enum\": [\"auto\", \"save\", \"recompute\"]},\n"
		"      \"side\": {\"enum\": [\"f\", \"b\"]},\n"
		"      \"from\": {\"type\": \"string\"},\n"
		"      \"kernel\": {\"type\": \"array\", \"items\": {\"type\": \"integer\", \"minimum\": 0}},\n"
		"      \"op\": {\"enum\": ");
	put_list(b, names, n);
	buf_puts(b, "}},\n     \"allOf\": [\n");
	for (int i = 0, k = 0; i < NOP; i++)
		if (in_document(op_get(i))) {
			buf_puts(b, k++ ? ",\n" : "");
			put_op(b, op_get(i));
		}
	buf_puts(b, "]}\n");
}

void
schema_write(Buf *b)
{
	buf_puts(b, head);
	put_dtypes(b);
	put_inits(b);
	for (int i = 0; i < LEN(defs); i++) {
		put_def(b, defs[i].name);
		buf_puts(b, defs[i].schema);
		buf_puts(b, ",\n");
	}
	put_node(b);
	buf_puts(b, "  }\n}\n");
}
