/* SPDX-License-Identifier: Apache-2.0 */
/* `spangate spans` and `verify` over a store of known rows, the gateway down. */
#include <sys/wait.h>

#include "base/base.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "store_test.h"

#define ROWS 120

static struct buf out;
static char hex[ROWS][33];

/* Runs the program; its output and error output stand in `out`. */
static int
run(const char *arguments)
{
	char command[600], block[4096];
	const char *program = getenv("SPANGATE");
	FILE *f;
	size_t n;
	int status;

	snprintf(command, sizeof(command), "%s %s --data-dir %s 2>&1", program ? program : "./spangate", arguments,
	    test_dir);
	buf_clear(&out);
	f = popen(command, "r");
	if (!f)
		return -1;
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_append(&out, block, n);
	status = pclose(f);
	buf_append(&out, "", 1);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
has(const char *words)
{
	if (strstr(out.ptr, words))
		return true;
	printf("# not there: %s\n# %.300s\n", words, out.ptr);
	return false;
}

static size_t
lines(void)
{
	size_t n = 0;

	for (const char *p = out.ptr; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

static void
fill(void)
{
	char err[300];
	struct store *store = store_sqlite.open(test_dir, true, err, sizeof(err));

	ok(store && store_sqlite.begin(store) == STORE_OK);
	for (unsigned n = 0; n < ROWS; n++) {
		struct span span = test_span(n);

		span.id = slice_make(hex[n], 32);
		hex_encode(span.id16, 16, hex[n]);
		span.customer_identifier = n % 2 ? SLICE("odd") : SLICE("even");
		span.span_name = SLICE("a \"name\", with\nall");
		span.metadata = n < 10 ? SLICE("{\"team\":\"red\"}") : SLICE("{}");
		span.error_message = SLICE("\x1b[31mred");
		if (store_sqlite.put(store, &span, SLICE_NONE) != STORE_OK)
			ok(false);
	}
	ok(store_sqlite.commit(store) == STORE_OK);
	store_sqlite.close(store);
}

static void
test_list(void)
{
	ok(run("spans list") == 0 && lines() == 52 && has("50 of 120 spans shown"));
	ok(has("TIME (UTC)") && has("2023-11-14 22:15:19 gpt-4o"));
	ok(run("spans list --all") == 0 && lines() == 121);
	ok(run("spans list --from 1h") == 0 && has("120 more spans are outside of --from and --to"));
	ok(run("spans list --from 2023-11-14T22:13:30Z --to 2023-11-14T22:13:40Z") == 0 && lines() == 12);
	ok(run("spans list --customer odd --filter 'latency<0.02' --fields id --limit 100") == 0 && lines() == 11);
	ok(run("spans list --filter metadata.team=red --format jsonl") == 0 && lines() == 10);
	ok(run("spans list --filter metadata.team=red --filter customer_identifier!=odd --format jsonl") == 0 &&
	    lines() == 5);
	ok(run("spans list --sort latency --limit 1 --fields id --format csv") == 0 && has(hex[0]));
	ok(run("spans list --limit 1 --fields error_message") == 0 && has(".[31mred") && !strchr(out.ptr, '\x1b'));
	ok(run("spans list --status 500") == 0 && lines() == 1);
	ok(run("spans list --status success --model gpt-4o --environment x") == 0 && lines() == 1);
}

static void
test_forms(void)
{
	struct jvalue value;
	struct jiter it;
	struct jmember m;
	char wanted[200];
	size_t n = 0;

	ok(run("spans export --format csv --fields id,span_name") == 0);
	snprintf(wanted, sizeof(wanted), "id,span_name\r\n%s,\"a \"\"name\"\", with\nall\"\r\n%s,", hex[0], hex[1]);
	ok(strncmp(out.ptr, wanted, strlen(wanted)) == 0);
	ok(run("spans export --newest") == 0 && lines() == ROWS);
	*strchr(out.ptr, '\n') = '\0';
	ok(jscan_check(slice_str(out.ptr), &value, NULL) == JSCAN_END);
	ok(jstring_is(jget(value, SLICE("id")), slice_make(hex[ROWS - 1], 32)));
	ok(jget(value, SLICE("cost")).kind == JNULL);
	ok(run("spans list --format json --limit 7 2>/dev/null") == 0);
	ok(jscan_check(slice_make(out.ptr, strcspn(out.ptr, "]") + 1), &value, NULL) == JSCAN_END || value.kind);
	jiter_init(&it, value);
	while (jiter_next(&it, &m))
		n++;
	ok(value.kind == JARRAY && n == 7);
}

static void
test_get(void)
{
	char arguments[100];

	snprintf(arguments, sizeof(arguments), "spans get %s", hex[5]);
	ok(run(arguments) == 0 && has(hex[5]) && has("\"customer_identifier\": \"odd\""));
	snprintf(arguments, sizeof(arguments), "spans get %.11s", hex[5]);
	ok(run(arguments) == 1 || has(hex[5]));
	snprintf(arguments, sizeof(arguments), "spans get %.13s", hex[5]);
	ok(run(arguments) == 0 && has(hex[5]));
	ok(run("spans get 0") == 1 && has("more than one span begins with 0"));
	ok(run("spans get ffff") == 1 && has("there is no span ffff"));
	ok(run("spans get nothing") == 1 && has("is not an id"));
}

static void
test_mistakes(void)
{
	ok(run("spans") == 2 && run("spans show") == 2 && run("spans get") == 2);
	ok(run("spans list --filter oops=1") == 2 && has("filtered by 'oops'"));
	ok(run("spans list --filter oops") == 2 && has("FIELD=VALUE"));
	ok(run("spans list --filter model:like:x") == 2 && has("'like'") && run("spans list --filter model:x") == 2);
	ok(run("spans list --filter 'model:regex:('") == 2 && has("filter model") && run("spans list --filters {") == 2);
	ok(run("spans list --sample 0") == 2 && run("spans list --filters '{\"cost\":{\"operator\":\"gt\",\"value\":\"x\"}}'")
	    == 2 && has("'x' is not an amount"));
	ok(run("spans list --sort input") == 2 && run("spans list --fields id,oops") == 2);
	ok(run("spans list --from yesterday") == 2 && has("neither a time"));
	ok(run("spans list --limit 0") == 2 && run("spans list --format xml") == 2 && has("there are table"));
}

/* Rows that no journal series accounts for do not balance. */
static void
test_verify(void)
{
	struct store_cursor c = { .series = "1700000000000-01", .position = 1, .stored = ROWS, .begun = ROWS,
	    .finished = true };
	char err[300];
	struct store *store;

	ok(run("verify") == 1 && has("DOES NOT BALANCE"));
	store = store_sqlite.open(test_dir, true, err, sizeof(err));
	ok(store_sqlite.begin(store) == STORE_OK && store_sqlite.cursor(store, &c) == STORE_OK);
	ok(store_sqlite.commit(store) == STORE_OK);
	ok(run("verify") == 0 && has("the books balance"));
	c.begun++;
	ok(store_sqlite.begin(store) == STORE_OK && store_sqlite.cursor(store, &c) == STORE_OK);
	ok(store_sqlite.commit(store) == STORE_OK);
	store_sqlite.close(store);
	ok(run("verify") == 1 && has("DOES NOT BALANCE"));
}

int
main(void)
{
	test_dir_make();
	buf_init(&out, 64 * MIB);
	ok(run("spans list") == 1 && has("there is no store yet"));
	ok(run("verify") == 1 && has("there is no store yet"));
	fill();
	test_list();
	test_forms();
	test_get();
	test_mistakes();
	test_verify();
	buf_free(&out);
	test_dir_remove();
	return done();
}
