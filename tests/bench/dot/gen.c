/* gen: kernels of contractions of given shapes as C, for main.c to time.
 *
 * Writes the kernels, and a table of them with a call for each. */
#include <string.h>

#include "gen.h"

typedef struct Shape {
	const char *name, *spec, *a, *b;
	bool epilogue;                 /* bias and relu */
} Shape;

static const Shape shapes[] = {
	{"NN 512x512x512",         "mk,kn->mn", "f32[512,512]",  "f32[512,512]",  false},
	{"NT 512x512x512",         "mk,nk->mn", "f32[512,512]",  "f32[512,512]",  false},
	{"TN 512x512x512",         "km,kn->mn", "f32[512,512]",  "f32[512,512]",  false},
	{"NN 512x512x512 f64",     "mk,kn->mn", "f64[512,512]",  "f64[512,512]",  false},
	{"NT 128x512x784 forward", "mk,nk->mn", "f32[128,784]",  "f32[512,784]",  false},
	{"   with bias and relu",  "mk,nk->mn", "f32[128,784]",  "f32[512,784]",  true},
	{"NN 128x784x512 input",   "mk,kn->mn", "f32[128,512]",  "f32[512,784]",  false},
	{"TN 512x784x128 weight",  "km,kn->mn", "f32[128,512]",  "f32[128,784]",  false},
	{"NT 128x10x512",          "mk,nk->mn", "f32[128,512]",  "f32[10,512]",   false},
	{"NN 1024x1024x1024",      "mk,kn->mn", "f32[1024,1024]", "f32[1024,1024]", false},
	{"TN 1024x1024x1024",      "km,kn->mn", "f32[1024,1024]", "f32[1024,1024]", false},
	{"heads QK 2x8x128x128x64", "bthd,bshd->bhts", "f32[2,128,8,64]", "f32[2,128,8,64]", false},
	{"heads PV 2x8x128x64x128", "bhts,bshd->bthd", "f32[2,8,128,128]", "f32[2,128,8,64]", false},
	{"NN 64x64x64",            "mk,kn->mn", "f32[64,64]",    "f32[64,64]",    false},
	{"NT 64x64x64",            "mk,nk->mn", "f32[64,64]",    "f32[64,64]",    false},
	{"NN 100x100x100",         "mk,kn->mn", "f32[100,100]",  "f32[100,100]",  false},
	{"NT 37x53x71",            "mk,nk->mn", "f32[37,71]",    "f32[53,71]",    false},
	{"NN 8x512x512",           "mk,kn->mn", "f32[8,512]",    "f32[512,512]",  false},
	{"NT 8x512x512",           "mk,nk->mn", "f32[8,512]",    "f32[512,512]",  false},
	{"NT 1x512x512",           "mk,nk->mn", "f32[1,512]",    "f32[512,512]",  false},
	{"TN 512x512x8",           "km,kn->mn", "f32[8,512]",    "f32[8,512]",    false},
};

static Node *
leaf(Graph *g, const char *name, Type t)
{
	return node_leaf(g, &(Leaf){.role = INPUT, .name = name}, t);
}

static Node *
typed_leaf(Graph *g, const char *name, const char *type)
{
	Type t;

	if (!type_parse(g, type, (Loc){0}, &t))
		bug("type %s", type);
	return leaf(g, name, t);
}

static void
put_shape(Arena *a, Kernels *ks, Buf *calls, Buf *table, const Shape *s, int i)
{
	Graph *g = graph_new(a, s->name);
	Node *x = typed_leaf(g, "a", s->a), *y = typed_leaf(g, "b", s->b), *n = Dot(graph_str(g, s->spec), x, y), *h, *root = n;
	Build *b;
	Node **storage;
	const Kernel *k;
	int64_t bytes[MAXIN + 1] = {0};

	if (s->epilogue) {
		h = Add(n, leaf(g, "bias", (Type){.dt = n->type.dt, .rank = 1, .dim = {n->type.dim[n->type.rank - 1]}}));
		root = Where(Gt(h, Lit(h, 0)), h, Lit(h, 0));
	}
	storage = NEW(a, g->nnode, Node *);
	b = build_new(a, g, ks, storage);
	for (int64_t j = 0; j < g->nnode; j++)
		if (is_leaf(g->node[j]) || g->node[j] == root)
			storage[j] = g->node[j];
	for (int64_t j = 0; j < g->nnode; j++)
		b->inside[j] = !is_leaf(g->node[j]);
	dot_kernel(b, n, &root, 1);
	schedule(b);
	k = kernels_add(ks, b, "dot", s->name, node_work(n), 0);
	buf_printf(calls, "static void\ncall%d(void *const *v)\n{\n\tt_%s(", i, k->name);
	for (int j = 0; j < k->nbuf; j++) {
		const Node *p = b->paramnode[j];
		buf_printf(calls, "%sv[%d]", j ? ", " : "", j);
		bytes[j] = type_max_bytes(g, &p->type);
	}
	buf_puts(calls, ");\n}\n\n");
	buf_printf(table, "\t{\"%s\", call%d, %d, {", s->name, i, k->nbuf);
	for (int j = 0; j < k->nbuf; j++)
		buf_printf(table, "%s%lld", j ? ", " : "", (long long)bytes[j]);
	buf_printf(table, "}, %d, %.0f},\n", dtype_size(n->type.dt), (double)node_work(n));
}

int
main(void)
{
	Arena *a = arena_new();
	Kernels *ks = kernels_new(a, graph_new(a, "t"), BACKEND_FUSED);
	Buf b = {.arena = a}, calls = {.arena = a}, table = {.arena = a};

	for (int i = 0; i < LEN(shapes); i++)
		put_shape(a, ks, &calls, &table, &shapes[i], i);
	rt_print(&b, kernels_rt(ks), "t");
	for (int i = 0; i < kernels_len(ks); i++) {
		kernel_print(&b, ks, kernels_at(ks, i), "t");
		buf_putc(&b, '\n');
	}
	printf("%s%sstatic const Shape shapes[] = {\n%s};\n", buf_str(&b), buf_str(&calls), buf_str(&table));
	arena_free(a);
	return 0;
}
