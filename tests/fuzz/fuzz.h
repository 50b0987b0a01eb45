/* fuzz.h: what the fuzzers share. */
#ifndef FUZZ_H
#define FUZZ_H

#include "ir.h"

/* draw.c: a random graph of a few ops, well typed, with a random interface; every op of the table
 * that has a type rule may occur. The same seed gives the same graph. */
Graph *draw_graph(Arena *a, uint64_t seed);
/* values for its leaves: many where functions have kinks and poles, integers in range where they
 * are indices; symbols get random values within their bounds */
Tensor **draw_leaves(EvalCtx *c, const Graph *g, uint64_t seed);
Tensor *draw_tensor(EvalCtx *c, Rng *r, const Type *t);

#endif
