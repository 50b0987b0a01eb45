/* read_const: constants of the JSON IR, written inline, or in a safetensors,
 * npy or npz file named relative to the document. */
#include "ir.h"

#include <string.h>

/* stores one element as its dtype's bytes */
static void
element_put(DType d, const Attr *v, void *to)
{
	switch (d) {
	case F64: memcpy(to, &v->f, 8); break;
	case F32: memcpy(to, &(float){(float)v->f}, 4); break;
	case F16: memcpy(to, &(uint16_t){half_from_double(v->f)}, 2); break;
	case BF16: memcpy(to, &(uint16_t){bfloat_from_double(v->f)}, 2); break;
	case I64: case U64: memcpy(to, &v->i, 8); break;
	case I32: memcpy(to, &(int32_t){(int32_t)v->i}, 4); break;
	case I16: memcpy(to, &(int16_t){(int16_t)v->i}, 2); break;
	case I8: memcpy(to, &(int8_t){(int8_t)v->i}, 1); break;
	case U8: case BOOL: memcpy(to, &(uint8_t){(uint8_t)v->i}, 1); break;
	case NDTYPE: break;
	}
}

typedef struct Fill {
	Graph *g;
	const Type *type;
	char *next;                /* where the next element goes */
} Fill;

static bool
length_ok(Fill *f, const Json *j, int64_t want_n, const char *what)
{
	if (j->n == want_n)
		return true;
	graph_diag(f->g, DIAG_ERROR, j->at, "%s of type %s has %lld elements, here are %d", what,
		type_text(f->g->arena, f->g, f->type), (long long)want_n, j->n);
	return false;
}

static bool
element_read(Fill *f, const Json *j)
{
	Attr v;

	if (!number_read(f->g, f->type->dt, j, &v))
		return false;
	element_put(f->type->dt, &v, f->next);
	f->next += dtype_size(f->type->dt);
	return true;
}

/* the first bad element is told; the rest of its list would be noise */
static bool
flat_read(Fill *f, const Json *j)
{
	for (int i = 0; i < j->n; i++)
		if (!element_read(f, j->item[i]))
			return false;
	return true;
}

static bool
nested_read(Fill *f, const Json *j, int d)
{
	if (d == f->type->rank)
		return element_read(f, j);
	if (!want(f->g, j, J_ARRAY, arena_fmt(f->g->arena, "dimension %d of the data", d)))
		return false;
	if (!length_ok(f, j, f->type->dim[d].k, arena_fmt(f->g->arena, "dimension %d", d)))
		return false;
	for (int i = 0; i < j->n; i++)
		if (!nested_read(f, j->item[i], d + 1))
			return false;
	return true;
}

static bool
data_read(Fill *f, const Json *j, int64_t count)
{
	if (f->type->rank == 0 && j->kind != J_ARRAY)
		return element_read(f, j);
	if (!want(f->g, j, J_ARRAY, "'data'"))
		return false;
	if (f->type->rank > 1 && j->n && j->item[0]->kind == J_ARRAY)
		return nested_read(f, j, 0);
	return length_ok(f, j, count, "data") && flat_read(f, j);
}

static int64_t
scalars(const Json *j)
{
	int64_t n = j->kind != J_ARRAY;

	for (int i = 0; j->kind == J_ARRAY && i < j->n; i++)
		n += scalars(j->item[i]);
	return n;
}

static Node *
inline_read(Graph *g, const Json *j, const Type *t)
{
	int64_t count = type_count(t).k, size = dtype_size(t->dt);
	Blob *b = NEW(g->arena, 1, Blob);
	/* a type of absurd size may not ask for more memory than there are numbers */
	char *data = arena_alloc(g->arena, MAX(MIN(count, scalars(j)), 1), size);
	Fill f = {g, t, data};

	*b = (Blob){.nbytes = count * size, .data = data};
	return data_read(&f, j, count) ? node_constant(g, *t, b) : NULL;
}

/* ---- from files ---- */

typedef struct Arrays { Array *x; int n; } Arrays;     /* of a file; n is -1: not a format that we read */

static Arrays
arrays_read(Arena *a, const char *path)
{
	Arrays all = {NULL, -1};

	if (ends_with(path, ".safetensors"))
		all.n = safetensors_read(a, path, &all.x);
	else if (ends_with(path, ".npz"))
		all.n = npz_read(a, path, &all.x);
	else if (ends_with(path, ".npy"))
		all = (Arrays){npy_read(a, path), 1};
	return all;
}

/* read once, however many tensors the model takes of it */
static const Arrays *
arrays_of(Graph *g, const char *path)
{
	Arrays *all = map_get(g->files, path);

	if (all)
		return all;
	all = NEW(g->arena, 1, Arrays);
	*all = arrays_read(g->arena, path);
	map_set(g->files, path, all);
	return all;
}

static const Array *
tensor_find(Graph *g, const Array *x, int n, const char *file, Loc file_at, const char *tensor, Loc tensor_at)
{
	const char **names = NEW(g->arena, MAX(n, 1), const char *);

	if (!tensor && n == 1)
		return x;
	if (!tensor) {
		graph_diag(g, DIAG_ERROR, file_at, "'%s' has %d tensors; 'tensor' must name one", file, n);
		return NULL;
	}
	for (int i = 0; i < n; i++) {
		names[i] = x[i].name ? x[i].name : "";
		if (!strcmp(names[i], tensor))
			return &x[i];
	}
	graph_diag(g, DIAG_ERROR, tensor_at, "'%s' has no tensor '%s'%s", file, tensor,
		did_you_mean(g, tensor, names, n));
	return NULL;
}

static bool
same_array(const Array *x, const Type *t)
{
	if (strcmp(x->dtype, dtype_name(t->dt)) || x->rank != t->rank)
		return false;
	for (int i = 0; i < t->rank; i++)
		if (x->dim[i] != t->dim[i].k)
			return false;
	return true;
}

static const char *
array_text(Arena *a, const Array *x)
{
	Buf b = {.arena = a};

	buf_printf(&b, "%s[", x->dtype);
	for (int i = 0; i < x->rank; i++)
		buf_printf(&b, i ? ",%lld" : "%lld", (long long)x->dim[i]);
	buf_putc(&b, ']');
	return buf_str(&b);
}

const Blob *
file_blob(Graph *g, const char *what, const char *file, Loc file_at, const char *tensor, Loc tensor_at, const Type *t)
{
	const char *path = path_join(g->arena, path_dir(g->arena, g->file), file);
	Blob *b = NEW(g->arena, 1, Blob);
	const Arrays *all;
	const Array *x;

	if (!file_exists(path)) {
		graph_diag(g, DIAG_ERROR, file_at, "there is no file '%s'", path);
		return NULL;
	}
	all = arrays_of(g, path);
	if (all->n < 0) {
		graph_diag(g, DIAG_ERROR, file_at, "'%s' is not a .safetensors, .npy or .npz file", file);
		return NULL;
	}
	if (!(x = tensor_find(g, all->x, all->n, file, file_at, tensor, tensor_at)))
		return NULL;
	if (!same_array(x, t)) {
		graph_diag(g, DIAG_ERROR, file_at, "%s is %s, in '%s' it is %s", what, type_text(g->arena, g, t), file,
			array_text(g->arena, x));
		return NULL;
	}
	*b = (Blob){x->nbytes, x->data, graph_str(g, file), tensor ? graph_str(g, tensor) : NULL,
		x->name ? graph_str(g, x->name) : NULL};
	return b;
}

static Node *
file_read(Graph *g, const Json *file, const Json *tensor, const Type *t)
{
	const Blob *b = file_blob(g, "the constant", file->str, file->at, tensor ? tensor->str : NULL,
		tensor ? tensor->at : file->at, t);

	return b ? node_constant(g, *t, b) : NULL;
}

/* ---- the section ---- */

static Node *
source_read(Graph *g, const Json *j, const Type *t)
{
	const Json *data = json_get(j, "data"), *file = json_get(j, "file"), *tensor = json_get(j, "tensor");

	if (!data == !file) {
		graph_diag(g, DIAG_ERROR, j->at, "a constant has either 'data' or 'file'");
		return NULL;
	}
	if (tensor && (!want(g, tensor, J_STRING, "'tensor'")))
		return NULL;
	if (tensor && !file) {
		graph_diag(g, DIAG_ERROR, tensor->at, "'tensor' without 'file'");
		return NULL;
	}
	if (data)
		return inline_read(g, data, t);
	return want(g, file, J_STRING, "'file'") ? file_read(g, file, tensor, t) : NULL;
}

static Node *
constant_read(Graph *g, const Json *j)
{
	const Json *type;
	Type t;

	if (!want(g, j, J_OBJECT, "a constant"))
		return NULL;
	keys_check(g, j, "type data file tensor");
	if (!(type = json_get(j, "type"))) {
		graph_diag(g, DIAG_ERROR, j->at, "key 'type' is missing");
		return NULL;
	}
	if (!type_read(g, type, &t))
		return NULL;
	if (type_count(&t).sym) {
		graph_diag(g, DIAG_ERROR, type->at, "a constant's type %s has a symbol", type->str);
		return NULL;
	}
	return source_read(g, j, &t);
}

void
constants_read(Graph *g, const Json *j, Map *values)
{
	int64_t mark = path_key(g, "constants");

	for (int i = 0; j && want(g, j, J_OBJECT, "'constants'") && i < j->n; i++) {
		Value *v = value_define(g, values, j->key[i], j->key_at[i]);
		int64_t inner = path_key(g, j->key[i]);
		g->cur_name = name_unnamed(j->key[i]) ? NULL : graph_str(g, j->key[i]);
		g->cur_at = j->key_at[i];
		v->v = constant_read(g, j->item[i]);
		path_back(g, inner);
	}
	g->cur_name = NULL;
	path_back(g, mark);
}
