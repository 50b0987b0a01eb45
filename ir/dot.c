/* dot: graphs as Graphviz and as lines of text, for people. */
#include "ir.h"

static const char *
value_name(Arena *a, const Node *n)
{
	return n->name ? n->name : arena_fmt(a, "%%%d", n->id);
}

/* attributes that differ from their defaults, as "dim=[1] keepdim=true" */
static void
put_attrs(Buf *b, const Node *n)
{
	for (int i = 0; i < op_nattr(n->op); i++) {
		const AttrSpec *s = &n->op->attr[i];
		const Attr *v = attr(n, i);
		if (!v->set)
			continue;
		buf_printf(b, " %s=", s->name);
		switch (s->kind) {
		case A_STR:
			buf_puts(b, v->s);
			break;
		case A_DTYPE:
			buf_puts(b, dtype_name((DType)v->i));
			break;
		case A_BOOL:
			buf_puts(b, v->i ? "true" : "false");
			break;
		case A_INT:
			buf_printf(b, "%lld", (long long)v->i);
			break;
		case A_NUM:
			buf_float(b, v->f, false);
			break;
		case A_INTS:
			buf_putc(b, '[');
			for (int k = 0; k < v->n; k++)
				buf_printf(b, "%s%lld", k ? "," : "", (long long)v->ints[k]);
			buf_putc(b, ']');
			break;
		case A_SHAPE:
		case A_DIM:
			buf_putc(b, '[');
			for (int k = 0; k < MAX(v->n, s->kind == A_DIM); k++)
				buf_printf(b, "%s%s", k ? "," : "", dim_text(b->arena, n->g, v->dims[k]));
			buf_putc(b, ']');
			break;
		case A_FUNCTION:
			buf_puts(b, v->fn->name);
			break;
		}
	}
}

/* "kernel 2, 5" */
static void
put_kernels(Buf *b, const Node *n)
{
	for (int i = 0; i < n->nkernel; i++)
		buf_printf(b, "%s%d", i ? ", " : "kernel ", n->kernel[i]);
}

void
graph_text(Buf *b, const Graph *g)
{
	static const char *const role[NROLE] = {"input", "param", "buffer", "cotangent", "saved"};
	const struct { const char *what; const Ports *p; } ports[] = {
		{"output", &g->out}, {"update", &g->update}, {"saved", &g->saved}, {"grad", &g->grad},
	};

	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		buf_printf(b, "%-16s %-16s = %s", value_name(b->arena, n), tt(n), n->leaf ? role[n->leaf->role] : n->op->name);
		for (int k = 0; k < n->nin; k++)
			buf_printf(b, "%s%s", k ? ", " : " ", value_name(b->arena, n->in[k]));
		put_attrs(b, n);
		if (n->scope || n->nkernel)
			buf_printf(b, "  # %s%s", n->scope ? n->scope : "", n->scope && n->nkernel ? ", " : "");
		put_kernels(b, n);
		buf_putc(b, '\n');
	}
	for (int p = 0; p < LEN(ports); p++)
		for (int64_t i = 0; i < ports[p].p->n; i++)
			buf_printf(b, "%s %s = %s\n", ports[p].what, ports[p].p->p[i].name,
				value_name(b->arena, ports[p].p->p[i].v));
}

/* text within a double-quoted Graphviz label */
static void
put_label(Buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *s);
	}
}

static void
dot_ports(Buf *b, const char *what, const char *color, const Ports *p)
{
	for (int64_t i = 0; i < p->n; i++) {
		buf_printf(b, "  %s%lld [label=\"", what, (long long)i);
		put_label(b, p->p[i].name);
		buf_printf(b, "\", shape=box, style=filled, fillcolor=\"%s\"];\n  n%d -> %s%lld;\n", color, p->p[i].v->id,
			what, (long long)i);
	}
}

/* a box around what one kernel alone computes */
static void
dot_kernels(Buf *b, const Graph *g)
{
	int n = 0;

	for (int64_t i = 0; i < g->nnode; i++)
		for (int k = 0; k < g->node[i]->nkernel; k++)
			n = MAX(n, g->node[i]->kernel[k] + 1);
	for (int k = 0; k < n; k++) {
		buf_printf(b, "  subgraph cluster%d { label=\"kernel %d\"; color=\"#8a8a8a\";", k, k);
		for (int64_t i = 0; i < g->nnode; i++)
			if (g->node[i]->nkernel == 1 && g->node[i]->kernel[0] == k)
				buf_printf(b, " n%d;", g->node[i]->id);
		buf_puts(b, " }\n");
	}
}

void
graph_dot(Buf *b, const Graph *g)
{
	buf_printf(b, "digraph \"%s\" {\n  node [fontname=\"sans-serif\", fontsize=10];\n", g->name);
	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		buf_printf(b, "  n%d [label=\"", n->id);
		put_label(b, n->leaf ? n->leaf->name : n->op->name);
		if (n->name && !n->leaf) {
			buf_puts(b, "\\n");
			put_label(b, n->name);
		}
		buf_puts(b, "\\n");
		put_label(b, tt(n));
		if (n->nkernel)
			buf_puts(b, "\\n");
		put_kernels(b, n);
		buf_printf(b, "\"%s];\n", n->leaf ? ", shape=box" : n->side == SIDE_B ? ", style=filled, fillcolor=\"#f6dfd3\"" : "");
		for (int k = 0; k < n->nin; k++)
			buf_printf(b, "  n%d -> n%d;\n", n->in[k]->id, n->id);
	}
	dot_kernels(b, g);
	dot_ports(b, "out", "#d7e8d4", &g->out);
	dot_ports(b, "update", "#e3dcf0", &g->update);
	dot_ports(b, "saved", "#f7ebc3", &g->saved);
	dot_ports(b, "grad", "#f2c9bd", &g->grad);
	buf_puts(b, "}\n");
}
