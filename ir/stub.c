/* stub: declared in ir.h, not written yet. Each goes away with its file. */
#include "ir.h"

Split *
split(Arena *a, const Graph *joint, const Options *o)
{
	(void)a, (void)joint, (void)o;
	bug("split is not written yet");
}

void
certificate_write(Buf *b, const Split *s)
{
	(void)b, (void)s;
}

const char *
certificate_check(Arena *a, const Split *s)
{
	(void)a, (void)s;
	return NULL;
}
