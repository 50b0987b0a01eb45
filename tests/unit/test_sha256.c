/* SHA-256 against published examples (FIPS 180-2, appendix B) and all lengths around the
 * padding boundaries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "lib.h"           /* before cmocka.h, whose macro fail() would hide ours */
#include <cmocka.h>

static void
expect(const char *text, int64_t n, const char *want)
{
	char hex[65];

	sha256_hex(text, n, hex);
	assert_string_equal(hex, want);
}

static void
published(void **state)
{
	static char million[1000000];

	(void)state;
	memset(million, 'a', sizeof million);
	expect("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	expect(million, sizeof million,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* digests of the texts of length n = 0..200 with byte i = 7*i + n, joined and digested
 * again; the constant was computed with Python's hashlib */
static void
padding(void **state)
{
	static char joined[201 * 64 + 1];
	char text[200];

	(void)state;
	for (int n = 0; n <= 200; n++) {
		for (int i = 0; i < n; i++)
			text[i] = (char)(7 * i + n);
		sha256_hex(text, n, joined + 64 * n);
	}
	expect(joined, 201 * 64, "de444fd33c2915b23d3772a4de9aa249a9206ee2f93688a74e332e160c085f41");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
