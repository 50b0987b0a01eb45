/* computed.c: indices that the model computes. */
#include <stdio.h>
#include "computed.h"

/* the indices i + j; what must come back */
static int
try(int32_t i0, int32_t i1, int code, float y0, float y1)
{
	static union { double align[8]; char bytes[COMPUTED_WORKSPACE_BYTES + 64]; } memory;
	const int32_t i[2] = {i0, i1}, j[2] = {1, 1};
	const float table[4] = {10, 11, 12, 13};
	float y[2];
	const computed_inputs in = {i, j, table};
	const computed_outputs out = {y};
	char *workspace = memory.bytes + (64 - (uintptr_t)memory.bytes % 64) % 64;
	int rc = computed_infer(&in, &out, workspace);

	printf("%d %d: %d, %g, %g\n", i0 + 1, i1 + 1, rc, (double)y[0], (double)y[1]);
	return rc != code || y[0] != y0 || y[1] != y1;
}

int
main(void)
{
	return try(0, 2, COMPUTED_OK, 11, 13) | try(-1, 3, COMPUTED_E_INDEX, 10, 13) | try(-7, 1, COMPUTED_E_INDEX, 10, 12);
}
