/* loads.c: the caller loads the constant that is not in the source. */
#include <stdio.h>
#include <stdlib.h>
#include "loads.h"

int
main(int argc, char **argv)
{
	void *workspace, *flat = malloc(LOADS_CONSTANTS_BYTES);
	float w[2], x[512], loss = 0;
	loads_constants c;
	loads_params p = {w};
	loads_inputs in = {x};
	loads_outputs out = {&loss};
	FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;

	if (!f || fread(flat, 1, 512 * 1024 * 4, f) != 512 * 1024 * 4 || loads_constants_table[0].offset != 0)
		return 2;
	fclose(f);
	if (posix_memalign(&workspace, LOADS_ALIGN, LOADS_WORKSPACE_BYTES))
		return 2;
	loads_constants_bind(&c, flat);
	loads_params_init(&p, 0);
	for (int i = 0; i < 512; i++)
		x[i] = 1;
	if (loads_infer(&in, &p, &c, &out, workspace) != LOADS_OK)
		return 3;
	printf("%g, not 1048576\n", (double)loss);
	return loss != 1048576 || loads_infer(&in, &p, &(loads_constants){NULL}, &out, workspace) != LOADS_E_NULL;
}
