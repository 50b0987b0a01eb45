/* roofline: SVG, written as it is; no dimension of it depends on the model. */
#include "roofline.h"

#include <math.h>

enum { WIDTH = 860, HEIGHT = 560, LEFT = 70, RIGHT = 20, TOP = 40, BOTTOM = 60 };
enum { MAXMARK = 26 };                 /* radius of a kernel that takes all of the time */

typedef struct Plot {
	Buf *b;
	double x0, x1, y0, y1;         /* decades */
} Plot;

static const char *const colour[NCALL] = {
	[CALL_INFER] = "#4477aa", [CALL_FORWARD] = "#228833", [CALL_BACKWARD] = "#cc6677", [CALL_TRAIN] = "#aa3377",
	[CALL_UPDATE] = "#666666",
};

static double
at_x(const Plot *p, double x)
{
	return LEFT + (log10(x) - p->x0) / (p->x1 - p->x0) * (WIDTH - LEFT - RIGHT);
}

static double
at_y(const Plot *p, double y)
{
	return HEIGHT - BOTTOM - (log10(y) - p->y0) / (p->y1 - p->y0) * (HEIGHT - TOP - BOTTOM);
}

static double
intensity(const Row *r)
{
	return (double)r->kernel->flops / (double)r->kernel->bytes;
}

static bool
drawn(const Row *r)
{
	return r->kernel->flops > 0 && r->kernel->bytes > 0 && r->gflops > 0;
}

static void
text(const Plot *p, double x, double y, const char *anchor, const char *s)
{
	buf_printf(p->b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	for (; *s; s++)
		if (*s == '<' || *s == '&')
			buf_puts(p->b, *s == '<' ? "&lt;" : "&amp;");
		else
			buf_putc(p->b, *s);
	buf_puts(p->b, "</text>\n");
}

static void
line(const Plot *p, double x0, double y0, double x1, double y1, const char *style)
{
	buf_printf(p->b, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", at_x(p, x0), at_y(p, y0), at_x(p, x1),
		at_y(p, y1), style);
}

static void
put_axes(const Plot *p)
{
	Arena *a = p->b->arena;

	for (int d = (int)p->x0; d <= (int)p->x1; d++) {
		line(p, pow(10, d), pow(10, p->y0), pow(10, d), pow(10, p->y1), "stroke=\"#dddddd\"");
		text(p, at_x(p, pow(10, d)), HEIGHT - BOTTOM + 18, "middle", arena_fmt(a, "%g", pow(10, d)));
	}
	for (int d = (int)p->y0; d <= (int)p->y1; d++) {
		line(p, pow(10, p->x0), pow(10, d), pow(10, p->x1), pow(10, d), "stroke=\"#dddddd\"");
		text(p, LEFT - 8, at_y(p, pow(10, d)) + 4, "end", arena_fmt(a, "%g", pow(10, d)));
	}
	text(p, (LEFT + WIDTH - RIGHT) / 2., HEIGHT - 20, "middle", "operations by byte");
	text(p, LEFT, TOP - 12, "middle", "GFLOP/s");
}

/* the copy of i, up to the peak */
static void
put_roof(const Plot *p, const Bench *m, int i)
{
	double knee = m->peak_f32 / m->copy[i], from = pow(10, p->x0), low = pow(10, p->y0);
	double x = MAX(from, low / m->copy[i]), to = MIN(knee, pow(10, p->x1));

	if (x < to) {
		line(p, x, x * m->copy[i], to, to * m->copy[i], "stroke=\"#888888\"");
		text(p, at_x(p, x) + 4, at_y(p, x * m->copy[i]) - 4, "start", copy_size(p->b->arena, i));
	}
}

static void
put_marks(const Plot *p, const Bench *m, const Row *row, int n, int call)
{
	for (int i = 0; i < n; i++) {
		const Row *r = &row[i];
		if (!drawn(r))
			continue;
		buf_printf(p->b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" fill-opacity=\"0.5\" stroke=\"%s\">"
			"<title>%s: %s, %.4g ms, %.3g GFLOP/s (%.0f%%), %.3g GB/s (%.0f%%)</title></circle>\n",
			at_x(p, intensity(r)), at_y(p, r->gflops), MAX(2, MAXMARK * sqrt(r->seconds / m->call[call].total)),
			colour[call], colour[call], function_name[call], r->kernel->name, 1e3 * r->seconds, r->gflops,
			100 * r->of_peak, r->gbytes, 100 * r->of_copy);
	}
}

static void
put_legend(const Plot *p, const Bench *m)
{
	double y = HEIGHT - BOTTOM - 12;

	for (int c = NCALL - 1; c >= 0; c--)
		if (m->call[c].present && m->call[c].nstep) {
			buf_printf(p->b, "<circle cx=\"%d\" cy=\"%.1f\" r=\"5\" fill=\"%s\" fill-opacity=\"0.5\" stroke=\"%s\"/>\n",
				WIDTH - RIGHT - 190, y - 4, colour[c], colour[c]);
			text(p, WIDTH - RIGHT - 180, y, "start",
				arena_fmt(p->b->arena, "%s: %.4g ms", function_name[c], 1e3 * m->call[c].total));
			y -= 18;
		}
}

/* whole decades around all marks, the peak, and the knees of the roofs */
static Plot
scale(Buf *b, const Bench *m, const Row *const *row, const int *nrow)
{
	double x0 = 1, x1 = 10, y0 = m->peak_f32 / 10;

	for (int c = 0; c < NCALL; c++)
		for (int i = 0; i < nrow[c]; i++)
			if (drawn(&row[c][i])) {
				x0 = MIN(x0, intensity(&row[c][i]));
				x1 = MAX(x1, intensity(&row[c][i]));
				y0 = MIN(y0, row[c][i].gflops);
			}
	return (Plot){b, floor(log10(x0)), ceil(log10(x1)), floor(log10(y0)), ceil(log10(m->peak_f32 * 1.2))};
}

void
roofline_svg(Buf *b, const char *model, const Bench *m, const Row *const *row, const int *nrow)
{
	Plot p = scale(b, m, row, nrow);

	buf_printf(b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
		"font-size=\"12\">\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", WIDTH, HEIGHT, WIDTH, HEIGHT);
	text(&p, WIDTH / 2., 20, "middle", arena_fmt(b->arena, "%s: kernels, and what this machine can do", model));
	put_axes(&p);
	for (int i = 1; i < NCOPY; i += 2)
		put_roof(&p, m, i);
	line(&p, m->peak_f32 / m->copy[1], m->peak_f32, pow(10, p.x1), m->peak_f32, "stroke=\"#888888\"");
	text(&p, WIDTH - RIGHT, at_y(&p, m->peak_f32) - 6, "end",
		arena_fmt(b->arena, "%.3g GFLOP/s, multiply-adds in f32", m->peak_f32));
	for (int c = 0; c < NCALL; c++)
		put_marks(&p, m, row[c], nrow[c], c);
	put_legend(&p, m);
	buf_puts(b, "</svg>\n");
}
