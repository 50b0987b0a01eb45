/* op_stub: records of ops whose shape, value and derivative are not here yet.
 * Each goes away when its family defines it; the attribute tables are the contract. */
#include "ir.h"

#define STUB(n, k, lo, hi, ...) \
	static const AttrSpec n##_attr[] = {__VA_ARGS__, {0}}; \
	const Op op_##n = {.name = #n, .id = OP_##n, .kind = k, .min_in = lo, .max_in = hi, .attr = n##_attr}

const Op op_input = {.name = "input", .id = OP_input, .kind = LEAF};
const Op op_constant = {.name = "constant", .id = OP_constant, .kind = SOURCE};
STUB(full, SOURCE, 0, 0,
	{"value", A_NUM, NULL, "every element", NULL},
	{"shape", A_SHAPE, "[]", "dimensions", NULL},
	{"type", A_DTYPE, "\"f32\"", "dtype", NULL});
STUB(iota, SOURCE, 0, 0,
	{"dim", A_INT, "0", "the dimension counted along", NULL},
	{"shape", A_SHAPE, NULL, "dimensions", NULL},
	{"type", A_DTYPE, "\"i64\"", "dtype", NULL});
STUB(dim_size, SOURCE, 0, 0,
	{"size", A_DIM, NULL, "the dimension, such as \"4*B\"", NULL},
	{"type", A_DTYPE, "\"i64\"", "dtype", NULL});
STUB(item, ITEM, 1, 1, {"index", A_INT, NULL, "which result", NULL});
STUB(reshape, VIEW, 1, 1, {"shape", A_SHAPE, NULL, "new dimensions; one may be -1", NULL});
STUB(permute, VIEW, 1, 1, {"dims", A_INTS, NULL, "source of each dimension", NULL});
STUB(expand, VIEW, 1, 1, {"shape", A_SHAPE, NULL, "new dimensions; -1 keeps one", NULL});
STUB(slice, VIEW, 1, 1,
	{"dim", A_INT, "0", "dimension", NULL},
	{"start", A_DIM, "null", "first index, negative from the end", NULL},
	{"end", A_DIM, "null", "index after the last", NULL},
	{"step", A_INT, "1", "positive", NULL});
STUB(flip, VIEW, 1, 1, {"dims", A_INTS, NULL, "dimensions to reverse", NULL});
STUB(pad, VIEW, 1, 1,
	{"low", A_SHAPE, NULL, "elements before, per dimension", NULL},
	{"high", A_SHAPE, NULL, "elements after, per dimension", NULL},
	{"value", A_NUM, "0", "the elements added", NULL});
STUB(cat, VIEW, 1, -1, {"dim", A_INT, "0", "dimension", NULL});
#define DIM_KEEP \
	{"dim", A_INTS, "null", "dimensions to reduce; default all", NULL}, \
	{"keepdim", A_BOOL, "false", "keep reduced dimensions as 1", NULL}
STUB(sum, REDUCE, 1, 1, DIM_KEEP);
STUB(amax, REDUCE, 1, 1, DIM_KEEP);
STUB(amin, REDUCE, 1, 1, DIM_KEEP);
STUB(dot, DOT, 2, 2, {"spec", A_STR, NULL, "labels, such as \"bmk,bkn->bmn\"", NULL});
STUB(gather, INDEX, 2, 2, {"dim", A_INT, "0", "dimension", NULL});
STUB(scatter_add, INDEX, 3, 3, {"dim", A_INT, "0", "dimension", NULL});
