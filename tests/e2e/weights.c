/* weights.c: values of files, loaded and in the source, are the same bytes; a file that cannot be read changes nothing,
 * though another one could.
 *
 *     weights DIR WRONG       WRONG: a directory where one of the two files is damaged */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "inside.h"
#include "weights.h"

static unsigned char params[WEIGHTS_PARAMS_BYTES], state[WEIGHTS_STATE_BYTES], constants[WEIGHTS_CONSTANTS_BYTES];
static unsigned char params2[INSIDE_PARAMS_BYTES], state2[INSIDE_STATE_BYTES], before[WEIGHTS_PARAMS_BYTES];
static unsigned char space[WEIGHTS_WORKSPACE_BYTES + WEIGHTS_ALIGN];

int
main(int argc, char **argv)
{
	const float x[6] = {1, 2, 3, 4, 5, 6};
	float loss = 0, loss2 = 1;
	char why[WEIGHTS_WHY] = "";
	unsigned char *aligned = space + WEIGHTS_ALIGN - (uintptr_t)space % WEIGHTS_ALIGN;
	weights_params p;
	weights_state s;
	weights_constants c;
	inside_params p2;
	inside_state s2;

	if (argc != 3)
		return 2;
	memset(params, 0x5A, sizeof params);
	weights_params_bind(&p, params);
	weights_state_bind(&s, state);
	weights_constants_bind(&c, constants);
	weights_params_init(&p, 1);
	weights_state_init(&s, 1);
	memcpy(before, params, sizeof params);
	check(weights_weights_load("none", &p, &s, constants, why) == WEIGHTS_E_OPEN
		&& !strcmp(why, "none/kept.safetensors: cannot be opened"), "no files", why);
	check(weights_weights_load(argv[2], &p, &s, constants, why) == WEIGHTS_E_FORMAT, "a damaged file", why);
	check(weights_weights_load(argv[1], &p, &s, NULL, why) == WEIGHTS_E_NULL, "no room for constants", why);
	check(!memcmp(before, params, sizeof params) && !*s.n, "refusals", "something was written");
	check(weights_weights_load(argv[1], &p, &s, constants, why) == WEIGHTS_OK, "load", why);
	inside_params_bind(&p2, params2);
	inside_state_bind(&s2, state2);
	inside_params_init(&p2, 1);
	inside_state_init(&s2, 1);
	check(!memcmp(params, params2, sizeof params) && !memcmp(state, state2, sizeof state), "values", "not those in the source");
	check(*s.n == 3 && p.b[0] == 1 && p.c[0] != 1, "values", "not those in the file");
	check(!weights_infer(&(weights_inputs){x}, &p, &s, &c, &(weights_outputs){&loss}, aligned)
		&& !inside_infer(&(inside_inputs){x}, &p2, &s2, &(inside_outputs){&loss2}, aligned) && loss == loss2, "infer", "other bits");
	check(weights_save("saved.safetensors", &p, &s, why) == WEIGHTS_OK, "save", why);
	check(weights_load("saved.safetensors", &p, &s, why) == WEIGHTS_OK, "load", why);
	return failed;
}
