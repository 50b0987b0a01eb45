/* two.c: two models in one program, the header of each included twice. */
#include "mlp.h"
#include "gcn.h"
#include "mlp.h"
#include "gcn.h"

int
main(void)
{
	mlp_params p;
	gcn_params q;
	static double flat[(MLP_PARAMS_BYTES + GCN_PARAMS_BYTES) / sizeof(double) + 1];

	mlp_params_bind(&p, flat);
	gcn_params_bind(&q, flat + MLP_PARAMS_BYTES / sizeof(double));
	mlp_params_init(&p, 1);
	gcn_params_init(&q, 1);
	return mlp_infer(0, &p, 0, 0) != MLP_E_NULL || gcn_infer(0, &q, 0, 0) != GCN_E_NULL;
}
