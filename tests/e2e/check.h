/* check.h: what programs that call emitted code and are no part of run.c have in common. */
#include <stdio.h>

static int failed;

static void
check(int ok, const char *what, const char *why)
{
	if (ok)
		return;
	printf("FAIL %s: %s\n", what, why);
	failed = 1;
}
