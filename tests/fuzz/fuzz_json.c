/* fuzz_json.c: json_read() on mutated documents.
 *
 * usage: fuzz_json [ITERATIONS [SEED]]
 * A sample document is changed in a few random places and
 * read. Built with sanitizers, a crash is the finding; also checked here: a
 * refusal comes with a complaint, and what is read, written out and read again
 * is the same tree. A finding prints the arguments that repeat it. */
#include <stdlib.h>
#include <string.h>

#include "lib.h"

static const char *const samples[] = {
	"{\"gradc\": 1, \"name\": \"mlp\", \"inputs\": {\"x\": \"f32[B,784]\"},\n"
	" \"nodes\": [{\"out\": \"h\", \"op\": \"linear\", \"in\": [\"x\", 0.5, null]}],\n"
	" \"loss\": \"h\", \"flag\": [true, false, -1.25e-3, 9223372036854775807]}\n",
	"[\"\\u00e9\\ud83d\\ude00\\n\\\\\\\"\\/\", \"\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80\", \"\", {}, []]",
	"[[[[[[[[1],[2]],{\"a\":{\"b\":{\"c\":{}}}}]]]]]]",
	"{\"a\":0,\"b\":1,\"A\":-0,\"aa\":1E400,\"\\u0061\":1e-400,\"\":[0.0,10,1e5]}",
};

/* bytes that mean something to a reader of JSON, so that mutations get far */
static const char *const pieces[] = {
	"{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\u0000", "\\ud800", "\\udc00", "0", "-", ".", "e",
	"1e999", "null", "true", "false", "NaN", "//", "\n", " ", "\t", "\xef\xbb\xbf", "\xff", "\xc0\x80",
	"\xed\xa0\x80", "\xf4\x90\x80\x80", "\"a\":", "[[[[[[[[[[[[[[[[", "{\"k\":", "00000000000000000000000000000000",
};

static void
splice(Buf *b, int64_t at, int64_t gone, const char *s, int64_t n)
{
	Buf out = {.arena = b->arena};
	buf_put(&out, b->s, at);
	buf_put(&out, s, n);
	buf_put(&out, b->s + at + gone, b->n - at - gone);
	*b = out;
}

static void
mutate(Buf *b, Rng *r)
{
	int64_t at = rng_below(r, b->n + 1), left = b->n - at;
	int64_t span = rng_below(r, MIN(left, 24) + 1);
	const char *piece = pieces[rng_below(r, LEN(pieces))];
	switch (rng_below(r, 6)) {
	case 0:            /* a byte becomes any */
		if (left > 0)
			b->s[at] = (char)rng_below(r, 256);
		break;
	case 1:            /* a bit flips */
		if (left > 0)
			b->s[at] = (char)(b->s[at] ^ 1 << rng_below(r, 8));
		break;
	case 2:            /* a stretch goes */
		splice(b, at, span, "", 0);
		break;
	case 3:            /* a stretch is said twice */
		splice(b, at, 0, b->s + at, span);
		break;
	case 4:            /* a piece comes between, or instead */
		splice(b, at, rng_below(r, 2) ? span : 0, piece, (int64_t)strlen(piece));
		break;
	case 5:            /* the rest goes, rarely */
		if (rng_below(r, 8) == 0)
			splice(b, at, left, "", 0);
		break;
	}
}

static void
write_json(Buf *b, const Json *j)
{
	static const char *const word[] = {"null", "false", "true"};
	if (j->kind <= J_TRUE)
		buf_puts(b, word[j->kind]);
	else if (j->kind == J_NUMBER)
		buf_puts(b, j->str);
	else if (j->kind == J_STRING)
		json_quote(b, j->str);
	else {
		buf_putc(b, j->kind == J_ARRAY ? '[' : '{');
		for (int k = 0; k < j->n; k++) {
			buf_puts(b, k ? "," : "");
			if (j->kind == J_OBJECT) {
				json_quote(b, j->key[k]);
				buf_putc(b, ':');
			}
			write_json(b, j->item[k]);
		}
		buf_putc(b, j->kind == J_ARRAY ? ']' : '}');
	}
}

/* the text is read from a block of exactly its size; NULL or what is wrong */
static const char *
check(Arena *a, const Buf *b, int64_t *nread)
{
	char *exact = malloc((size_t)MAX(b->n, 1));
	if (!exact)
		return "out of memory";
	if (b->n > 0)
		memcpy(exact, b->s, (size_t)b->n);
	diag_reset();
	Json *j = json_read(a, "fuzz.json", exact, b->n);
	free(exact);
	int ncomplaint = diag_count(DIAG_WARNING);
	diag_reset();
	if (!j)
		return ncomplaint > 0 ? NULL : "refused without a word";
	++*nread;
	Buf once = {.arena = a}, twice = {.arena = a};
	write_json(&once, j);
	Json *again = json_read(a, "fuzz.json", once.s, once.n);
	if (!again)
		return "what was read cannot be read again";
	write_json(&twice, again);
	return strcmp(once.s, twice.s) ? "read again, it is another tree" : NULL;
}

int
main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 10000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	int64_t nread = 0;
	for (long i = 0; i < n; i++) {
		Arena *a = arena_new();
		Rng r = rng_seed(seed + (uint64_t)i);
		Buf b = {.arena = a};
		buf_puts(&b, samples[rng_below(&r, LEN(samples))]);
		for (int64_t k = rng_below(&r, 6); k >= 0; k--)
			mutate(&b, &r);
		const char *wrong = check(a, &b, &nread);
		if (wrong) {
			fprintf(stderr, "fuzz_json 1 %llu: %s:\n%s\n",
				(unsigned long long)(seed + (uint64_t)i), wrong, buf_str(&b));
			return 1;
		}
		arena_free(a);
	}
	printf("fuzz_json: %ld documents, %lld of them read\n", n, (long long)nread);
	return 0;
}
