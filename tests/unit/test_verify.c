/* test_verify.c: what the verifier finds in graphs that a faulty pass left. Each
 * fault is made by hand, in a child, whose message and status are looked at. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "ir.h"

#define FAIL(...) (print_error(__VA_ARGS__), print_error("\n"), assert_true(false))

static const char model[] =
	"{\"gradc\": 1, \"name\": \"m\", \"inputs\": {\"x\": \"f32[4]\"}, \"params\": {\"w\": \"f32[4]\"},"
	"\"buffers\": {\"n\": \"f32[4]\"},"
	"\"constants\": {\"c\": {\"type\": \"f32[4]\", \"data\": [1, 2, 3, 4]}},"
	"\"nodes\": [{\"out\": \"e\", \"op\": \"exp\", \"in\": [\"x\"]},"
	"{\"out\": \"y\", \"op\": \"mul\", \"in\": [\"e\", \"w\"]},"
	"{\"out\": \"z\", \"op\": \"add\", \"in\": [\"y\", \"c\"]},"
	"{\"out\": \"l\", \"op\": \"sum\", \"in\": [\"z\"]}],"
	"\"outputs\": {\"z\": \"z\", \"l\": \"l\"}, \"updates\": {\"n\": \"z\"}, \"loss\": \"l\", \"wrt\": [\"w\", \"x\"]}";

static Graph *
read_model(void)
{
	Graph *g = graph_read(arena_new(), "m.json", model, LEN(model) - 1);

	diag_check();
	return g;
}

static Node *
named(Graph *g, const char *name)
{
	for (int64_t i = 0; i < g->nnode; i++)
		if (g->node[i]->name && !strcmp(g->node[i]->name, name))
			return g->node[i];
	bug("no node %s", name);
}

typedef void Fault(Graph *g);

static void
none(Graph *g)
{
	(void)g;
}

static void
wrong_id(Graph *g)
{
	g->node[3]->id = 2;
}

static void
wrong_order(Graph *g)
{
	named(g, "e")->in[0] = named(g, "l");
}

static void
foreign_operand(Graph *g)
{
	named(g, "e")->in[0] = read_model()->leaf[0]->node;
}

static void
lost_operand(Graph *g)
{
	named(g, "z")->nin = 1;
}

static void
wrong_type(Graph *g)
{
	named(g, "y")->type.dim[0] = DIM(5);
}

static void
no_type(Graph *g)
{
	named(g, "y")->type.dt = NDTYPE;
}

static void
wrong_symbol(Graph *g)
{
	g->leaf[0]->node->type.dim[0].sym = 1;
}

static void
name_twice(Graph *g)
{
	named(g, "z")->name = "x";
}

static void
short_data(Graph *g)
{
	Blob *b = NEW(g->arena, 1, Blob);

	*b = *named(g, "c")->blob;
	b->nbytes--;
	named(g, "c")->blob = b;
}

static void
stale_leaf(Graph *g)
{
	g->leaf[0]->node = g->leaf[1]->node;
}

static void
foreign_output(Graph *g)
{
	g->out.p[0].v = read_model()->leaf[0]->node;
}

static void
outputs_twice(Graph *g)
{
	g->out.p[0].name = "l";
}

static void
update_of_input(Graph *g)
{
	g->update.p[0].name = "x";
}

static void
update_type(Graph *g)
{
	g->update.p[0].v = named(g, "l");
}

static void
integer_wrt(Graph *g)
{
	Leaf l = {.role = INPUT, .name = "i"};

	g->wrt.p[0].v = node_leaf(g, &l, type_scalar(I32));
}

static void
cotangent_type(Graph *g)
{
	Leaf l = {.role = COTANGENT, .name = "ct", .of = "z"};

	port_add(g, &g->ct, "z", node_leaf(g, &l, type_scalar(F32)), (Loc){0});
}

static const struct {
	Fault *fault;
	const char *message;           /* NULL: nothing is wrong */
} faults[] = {
	{none, NULL},
	{wrong_id, "node 3 is not at its place"},
	{wrong_order, "(exp): operand 0, %7, does not stand before it"},
	{foreign_operand, "(exp): operand 0 is of another graph"},
	{lost_operand, "(add): 1 operands"},
	{wrong_type, "(mul): its type is f32[5], inferred f32[4]"},
	{no_type, "(mul): it has no type"},
	{wrong_symbol, "%0 (input): dimension 0 is malformed"},
	{name_twice, "(add): the name 'x' is taken"},
	{short_data, "(constant): the data do not fit the type f32[4]"},
	{stale_leaf, "%0 (input): its leaf is of another node"},
	{foreign_output, "output 'z' is not in the graph"},
	{outputs_twice, "(sum): two outputs are named 'l'"},
	{update_of_input, "'x', which it updates, is no buffer or param"},
	{update_type, "(sum): it updates 'n', which is f32[4], with f32[]"},
	{integer_wrt, "(input): a derivative with respect to i32[]"},
	{cotangent_type, "(input): the cotangent of 'z', which is f32[4], is f32[]"},
};

static char err[8192];

/* exit status of verifying the model with one fault; its standard error is left in err */
static int
verify_in_child(Fault *fault)
{
	int fd[2], status;
	size_t n = 0;
	ssize_t k;

	assert_int_equal(pipe(fd), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		Graph *g = read_model();
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		close(fd[1]);
		fault(g);
		graph_verify(g, "test");
		_exit(0);
	}
	close(fd[1]);
	while ((k = read(fd[0], err + n, sizeof err - 1 - n)) > 0)
		n += (size_t)k;
	err[n] = 0;
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
finds_faults(void **state)
{
	(void)state;
	for (int i = 0; i < LEN(faults); i++) {
		int code = verify_in_child(faults[i].fault);
		assert_int_equal(code, faults[i].message ? EXIT_BUG : 0);
		if (faults[i].message && (!strstr(err, faults[i].message) || !strstr(err, "in pass 'test'")))
			FAIL("fault %d: no '%s' in:\n%s", i, faults[i].message, err);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
