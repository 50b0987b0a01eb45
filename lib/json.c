/* json.c: JSON texts. */
#include "lib.h"

void
json_quote(Buf *b, const char *utf8)
{
	buf_putc(b, '"');
	for (const unsigned char *s = (const unsigned char *)utf8; *s; s++)
		switch (*s) {
		case '"': buf_puts(b, "\\\""); break;
		case '\\': buf_puts(b, "\\\\"); break;
		case '\n': buf_puts(b, "\\n"); break;
		case '\t': buf_puts(b, "\\t"); break;
		case '\r': buf_puts(b, "\\r"); break;
		default:
			if (*s < 0x20 || *s == 0x7f)
				buf_printf(b, "\\u%04x", *s);
			else
				buf_putc(b, *s);
		}
	buf_putc(b, '"');
}
