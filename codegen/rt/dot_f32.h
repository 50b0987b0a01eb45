/* rt/dot_f32.h: contractions. C99, with GCC's vector extensions where there are any.
 *
 * c (rows x cols) = a (rows x depth) * b (depth x cols). Each element is the sum over runs of RT_RUN terms of
 *     s = 0; s += a * b, term by term
 * and the runs' sums are added in order: nothing else enters its bits, not the tile that it lies in.
 * The build makes rt/dot_f64.h of this file. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* a vector in registers, and in memory */
#if RT_SIMD
typedef float rt_vec_f32 __attribute__((vector_size(RT_SIMD)));
#else
typedef float rt_vec_f32;
#endif

#if RT_SIMD
typedef float rt_mem_f32 __attribute__((vector_size(RT_SIMD), aligned(sizeof(float)), may_alias));
#else
typedef float rt_mem_f32;
#endif

/* elements of a vector */
enum { RT_WIDTH_F32 = (int)(sizeof(rt_vec_f32) / sizeof(float)) };

/* the most columns of a tile */
enum { RT_COLS_F32 = RT_VECS * RT_WIDTH_F32 };

/* rows of a that are packed at once, or more of fewer terms: with a panel of b at most 96 KiB of stack */
enum { RT_BLOCK_F32 = 48 * 4 / (int)sizeof(float) };

/* one run of a tile of fixed rows and vectors across, stored in c or added to it */
RT_CONTRACT
RT_INLINE void
rt_dot_tile_f32(const int rows, const int vecs, int64_t depth, const float *a, int64_t a_row, int64_t a_k,
	const float *b, int64_t b_k, bool add, float *c, int64_t c_row)
{
	RT_CONTRACT_BODY
	rt_vec_f32 s[RT_ROWS][RT_VECS] = {0};

	for (int64_t k = 0; k < depth; k++) {
		const rt_mem_f32 *y = (const rt_mem_f32 *)(b + k * b_k);

		for (int r = 0; r < rows; r++) {
			const float x = a[k * a_k + r * a_row];

			for (int v = 0; v < vecs; v++)
				s[r][v] += x * y[v];
		}
	}
	for (int r = 0; r < rows; r++)
		for (int v = 0; v < vecs; v++) {
			rt_mem_f32 *to = (rt_mem_f32 *)(c + r * c_row) + v;

			*to = add ? (rt_vec_f32)(*to + s[r][v]) : s[r][v];
		}
}

/* the same for any number of rows that a tile may have */
RT_CONTRACT
RT_INLINE void
rt_dot_high_f32(int rows, const int vecs, int64_t depth, const float *a, int64_t a_row, int64_t a_k,
	const float *b, int64_t b_k, bool add, float *c, int64_t c_row)
{
	switch (rows) {
	case 1: rt_dot_tile_f32(1, vecs, depth, a, a_row, a_k, b, b_k, add, c, c_row); break;
	case 2: rt_dot_tile_f32(2, vecs, depth, a, a_row, a_k, b, b_k, add, c, c_row); break;
	case 3: rt_dot_tile_f32(3, vecs, depth, a, a_row, a_k, b, b_k, add, c, c_row); break;
	case 4: rt_dot_tile_f32(4, vecs, depth, a, a_row, a_k, b, b_k, add, c, c_row); break;
	case 5: rt_dot_tile_f32(5, vecs, depth, a, a_row, a_k, b, b_k, add, c, c_row); break;
	case 6: rt_dot_tile_f32(6, vecs, depth, a, a_row, a_k, b, b_k, add, c, c_row); break;
#if RT_REGISTERS == 32
	case 7: rt_dot_tile_f32(7, vecs, depth, a, a_row, a_k, b, b_k, add, c, c_row); break;
	default: rt_dot_tile_f32(8, vecs, depth, a, a_row, a_k, b, b_k, add, c, c_row);
#endif
	}
}

/* the same for any number of vectors, too */
RT_CONTRACT
static void
rt_dot_run_f32(int rows, int vecs, int64_t depth, const float *a, int64_t a_row, int64_t a_k,
	const float *b, int64_t b_k, bool add, float *c, int64_t c_row)
{
	switch (vecs) {
	case 1: rt_dot_high_f32(rows, 1, depth, a, a_row, a_k, b, b_k, add, c, c_row); break;
	case 2: rt_dot_high_f32(rows, 2, depth, a, a_row, a_k, b, b_k, add, c, c_row); break;
#if RT_REGISTERS == 32
	default: rt_dot_high_f32(rows, 3, depth, a, a_row, a_k, b, b_k, add, c, c_row);
#endif
	}
}

/* a panel of neighbours */
RT_INLINE void
rt_dot_copy_f32(const int vecs, int64_t depth, const float *b, int64_t b_k, float *panel)
{
	for (int64_t k = 0; k < depth; k++, panel += vecs * RT_WIDTH_F32)
		memcpy(panel, b + k * b_k, (size_t)vecs * sizeof(rt_vec_f32));
}

/* a panel of b, so many vectors wide, zero where b has no column: panel[k][j] = b[k * b_k + j * b_col] */
static void
rt_dot_panel_f32(int vecs, int64_t depth, int64_t cols, const float *b, int64_t b_k, int64_t b_col, float *panel)
{
	const int64_t wide = (int64_t)vecs * RT_WIDTH_F32;
	const bool squares = b_k == 1 && RT_SQUARE_F32 > 1;
	const int64_t k_end = squares ? depth - depth % RT_SQUARE_F32 : 0;
	const int64_t j_end = squares ? cols - cols % RT_SQUARE_F32 : 0;

	if (cols == wide && b_col == 1) {
		switch (vecs) {
		case 1: rt_dot_copy_f32(1, depth, b, b_k, panel); break;
		case 2: rt_dot_copy_f32(2, depth, b, b_k, panel); break;
		default: rt_dot_copy_f32(RT_VECS, depth, b, b_k, panel);
		}
		return;
	}
	if (cols < wide)
		memset(panel, 0, (size_t)(depth * wide) * sizeof *panel);
	for (int64_t j = 0; j < j_end; j += RT_SQUARE_F32)
		for (int64_t k = 0; k < k_end; k += RT_SQUARE_F32)
			rt_transpose_f32(b + j * b_col + k, b_col, panel + k * wide + j, wide);
	for (int64_t j = 0; j < cols; j++)
		for (int64_t k = j < j_end ? k_end : 0; k < depth; k++)
			panel[k * wide + j] = b[k * b_k + j * b_col];
}

/* rows of a as one array for each tile, which is [k][row]; two tiles at once share the lines that a's terms lie in */
static void
rt_dot_rows_f32(int64_t rows, int64_t depth, const float *a, int64_t a_row, int64_t a_k, float *packed)
{
	const size_t tile = RT_ROWS * sizeof *a;

	for (int64_t i = 0, height; i < rows; i += height, packed += height * depth) {
		const float *x = a + i * a_row;
		const bool two = a_row == 1 && (rows - i == 2 * RT_ROWS || rows - i >= 3 * RT_ROWS);

		height = two ? 2 * RT_ROWS : rt_dot_share(rows - i, RT_ROWS);
		for (int64_t k = 0; k < depth; k++)
			if (two) {
				memcpy(packed + k * RT_ROWS, x + k * a_k, tile);
				memcpy(packed + (depth + k) * RT_ROWS, x + k * a_k + RT_ROWS, tile);
			} else
				for (int64_t r = 0; r < height; r++)
					packed[k * height + r] = x[r * a_row + k * a_k];
	}
}

/* one run of a column of tiles, cols wide, from a panel of b; packed: a is what rt_dot_rows_f32() makes */
static void
rt_dot_column_f32(int64_t rows, int vecs, int64_t cols, int64_t depth, const float *a, int64_t a_row, int64_t a_k,
	bool packed, const float *b, int64_t b_k, bool add, float *c, int64_t c_row)
{
	RT_ALIGNED float edge[RT_ROWS * RT_COLS_F32];

	for (int64_t i = 0, height; i < rows; i += height) {
		const int left = rt_dot_share(rows - i, RT_ROWS);
		const float *x = packed ? a + i * depth : a + i * a_row;
		const int64_t x_row = packed ? 1 : a_row, x_k = packed ? left : a_k;
		float *to = c + i * c_row;

		height = left;
		if (cols == (int64_t)vecs * RT_WIDTH_F32) {
			rt_dot_run_f32(left, vecs, depth, x, x_row, x_k, b, b_k, add, to, c_row);
			continue;
		}
		rt_dot_run_f32(left, vecs, depth, x, x_row, x_k, b, b_k, false, edge, RT_COLS_F32);
		for (int64_t r = 0; r < height; r++)
			for (int64_t j = 0; j < cols; j++) {
				const float s = edge[r * RT_COLS_F32 + j];

				to[r * c_row + j] = add ? to[r * c_row + j] + s : s;
			}
	}
}

/* one run: each panel of b is packed and multiplied with all rows of a, unless so few that it is read in place */
static void
rt_dot_block_f32(int64_t rows, int64_t cols, int64_t depth, const float *a, int64_t a_row, int64_t a_k,
	bool packed, const float *b, int64_t b_k, int64_t b_col, bool add, float *c, int64_t c_row)
{
	RT_ALIGNED float panel[RT_RUN * RT_COLS_F32];

	for (int64_t j = 0, width; j < cols; j += width) {
		const int share = rt_dot_share((cols - j + RT_WIDTH_F32 - 1) / RT_WIDTH_F32, RT_VECS);
		/* a lone vector of sums would not be contracted by gcc as it tunes for some machines */
		const int vecs = rows == 1 && share == 1 ? 2 : share;
		const int64_t wide = (int64_t)vecs * RT_WIDTH_F32;
		bool in_place;

		width = cols - j < wide ? cols - j : wide;
		in_place = b_col == 1 && width == wide && rows <= 2 * RT_ROWS;
		if (!in_place)
			rt_dot_panel_f32(vecs, depth, width, b + j * b_col, b_k, b_col, panel);
		rt_dot_column_f32(rows, vecs, width, depth, a, a_row, a_k, packed, in_place ? b + j : panel,
			in_place ? b_k : wide, add, c + j, c_row);
	}
}

/* c = a * b, or c += a * b; element (i, k) of a lies at i * a_row + k * a_k, and so on */
static void
rt_dot_f32(int64_t rows, int64_t cols, int64_t depth, const float *a, int64_t a_row, int64_t a_k,
	const float *b, int64_t b_k, int64_t b_col, bool add, float *c, int64_t c_row)
{
	const bool pack = a_k != 1 && cols > 2 * RT_COLS_F32;
	const int64_t times = depth > 0 && depth < RT_RUN ? RT_RUN / depth : 1;
	const int64_t step = pack ? RT_BLOCK_F32 * times : rows;
	RT_ALIGNED float packed[RT_BLOCK_F32 * RT_RUN];

	for (int64_t k = 0; k < depth; k += RT_RUN) {
		const int64_t n = depth - k < RT_RUN ? depth - k : RT_RUN;

		for (int64_t i = 0; i < rows; i += step) {
			const int64_t m = rows - i < step ? rows - i : step;
			const float *x = a + i * a_row + k * a_k;

			if (pack)
				rt_dot_rows_f32(m, n, x, a_row, a_k, packed);
			rt_dot_block_f32(m, cols, n, pack ? packed : x, a_row, a_k, pack, b + k * b_k, b_k, b_col,
				add || k > 0, c + i * c_row, c_row);
		}
	}
}
