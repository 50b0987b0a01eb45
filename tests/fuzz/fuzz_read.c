/* fuzz_read.c: graph_read() on the models of the tests with words exchanged.
 *
 * usage: fuzz_read [ITERATIONS [SEED]], from the root of the repository
 * In a model a few strings and numbers are replaced by others: of the same
 * file, names of ops, types, odd numbers, empty lists. So most of what is tried
 * is JSON and gets as far as shape inference. What is refused must come with a
 * complaint; what is read must pass the verifier and be written, read and
 * written again as the same text. A finding prints the arguments that repeat it. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "ir.h"

enum { MAX_FILES = 64, MAX_TOKENS = 4096 };

typedef struct Token { int64_t at, n; } Token;

typedef struct Sample {
	const char *text;
	int64_t n;
	Token *token;
	int ntoken;
} Sample;

static const char *const odd[] = {
	"0", "-1", "1", "3", "1e30", "0.5", "-0", "9223372036854775807", "\"9223372036854775808\"", "\"inf\"", "\"nan\"",
	"true", "false", "null", "[]", "{}", "[0]", "[[1]]", "\"\"", "\"f32[]\"", "\"f32[2]\"", "\"bool[]\"", "\"f16[2]\"",
	"\"f32[B]\"", "\"u64[]\"", "\"i8[0]\"", "\"4*B\"", "\"B*B*B*B*B*B*B*B*B*B*B*B*B*B*B*B*B\"", "\"f32[1099511627776,4]\"",
	"\"%1\"", "\"save\"", "\"b\"", "\"a,b->ab\"", "\"axis\"", "\"attrs\"", "\"init\"", "\"zeros\"", "\"wrt\"", "\"joint\"",
};

/* strings and numbers */
static void
find_tokens(Arena *a, Sample *s)
{
	s->token = NEW(a, MAX_TOKENS, Token);
	for (int64_t i = 0; i < s->n && s->ntoken < MAX_TOKENS;) {
		int64_t from = i++;
		if (s->text[from] == '"') {
			while (s->text[i] != '"')
				i += s->text[i] == '\\' ? 2 : 1;
			i++;
		} else if (strchr("-0123456789", s->text[from]))
			i += (int64_t)strspn(s->text + i, "0123456789.eE+-");
		else
			continue;
		s->token[s->ntoken++] = (Token){from, i - from};
	}
}

static int
is_json(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 5 && !strcmp(e->d_name + len - 5, ".json");
}

static int
read_samples(Arena *a, Sample *s)
{
	static const char dir[] = "tests/models";
	struct dirent **e;
	int n = 0, found = scandir(dir, &e, is_json, alphasort);

	if (found <= 0)
		fail(EXIT_INPUT, (Loc){0}, "no models in %s", dir);
	for (int i = 0; i < found; i++) {
		if (n < MAX_FILES)
			s[n].text = read_file(a, path_join(a, dir, e[i]->d_name), &s[n].n);
		if (n < MAX_FILES && s[n].n < 8000)     /* large models say no more and cost more */
			find_tokens(a, &s[n++]);
		free(e[i]);
	}
	free(e);
	return n;
}

static void
put_word(Buf *b, const Sample *s, Rng *r)
{
	Token t = s->token[rng_below(r, s->ntoken)];

	switch (rng_below(r, 4)) {
	case 0:
		buf_puts(b, odd[rng_below(r, LEN(odd))]);
		break;
	case 1:
		json_quote(b, op_get((int)rng_below(r, NOP))->name);
		break;
	default:
		buf_put(b, s->text + t.at, t.n);
	}
}

static void
mutate(Buf *b, const Sample *s, Rng *r)
{
	int64_t from = 0, changes = rng_below(r, 4);
	bool *hit = NEW(b->arena, s->ntoken, bool);

	for (int64_t i = 0; i < changes; i++)
		hit[rng_below(r, s->ntoken)] = true;
	for (int i = 0; i < s->ntoken; i++) {
		Token t = s->token[i];
		if (!hit[i])
			continue;
		buf_put(b, s->text + from, t.at - from);
		put_word(b, s, r);
		from = t.at + t.n;
	}
	buf_puts(b, s->text + from);
}

/* NULL or what is wrong */
static const char *
check(Arena *a, const Buf *b, int64_t *nread)
{
	Buf once = {.arena = a}, twice = {.arena = a};
	Graph *g;

	diag_reset();
	g = graph_read(a, "tests/models/fuzz.json", b->s, b->n);
	if (!g)
		return diag_count(DIAG_UNSUPPORTED) > 0 ? NULL : "refused without a word";
	if (diag_count(DIAG_UNSUPPORTED) > 0)
		return "read with complaints";
	++*nread;
	graph_verify(g, "read");
	graph_write(&once, g);
	g = graph_read(a, "tests/models/fuzz.json", once.s, once.n);
	if (!g)
		return "what was written cannot be read";
	graph_verify(g, "read again");
	graph_write(&twice, g);
	return strcmp(once.s, twice.s) ? "written again, it is another text" : NULL;
}

static uint64_t current;           /* seed of the document at hand; 0: none */

static void
tell_seed(void)
{
	if (current)
		fprintf(stderr, "fuzz_read 1 %llu\n", (unsigned long long)current);
}

int
main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 10000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	Arena *files = arena_new();
	Sample *sample = NEW(files, MAX_FILES, Sample);
	int nsample = read_samples(files, sample);
	int64_t nread = 0;

	atexit(tell_seed);
	for (long i = 0; i < n; i++) {
		Arena *a = arena_new();
		Rng r = rng_seed(seed + (uint64_t)i);
		Buf b = {.arena = a};
		current = seed + (uint64_t)i;
		mutate(&b, &sample[rng_below(&r, nsample)], &r);
		const char *wrong = check(a, &b, &nread);
		if (wrong) {
			fprintf(stderr, "%s:\n%s\n", wrong, buf_str(&b));
			diag_check();
			return 1;
		}
		arena_free(a);
	}
	current = 0;
	printf("fuzz_read: %ld documents, %lld of them read\n", n, (long long)nread);
	arena_free(files);
	return 0;
}
