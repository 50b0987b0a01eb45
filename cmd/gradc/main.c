/* main: the command line. */
#include "lib.h"

int
main(void)
{
	return 0;
}
