/* Who may: the statements' answers, the token and the client are given. */
#include "unit.h"

#include "conf.h"
#include "gate.h"
#include "stand_ins.h"
#include "token.h"

#define ID "0f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d11"
#define SERVICE "1f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d11"

static char last_access[2000] = "token";

enum { OPEN, ANY, HERE, JOBS, MACHINES, MANAGER, LAST };
const struct route routes[] = {
	[OPEN] = { .path = "/open", .access = "public" },
	[ANY] = { .path = "/any", .access = "token" },
	[HERE] = { .path = "/here", .access = "loopback|health.view" },
	[JOBS] = { .path = "/jobs", .access = "jobs.view" },
	[MACHINES] = { .path = "/machines",
	    .access = "manager|machines.create" },
	[MANAGER] = { .path = "/manager", .access = "manager" },
	[LAST] = { .path = "/last", .access = last_access }
};
const size_t routes_count = COUNT(routes);

const struct query queries[] = {
	{ .name = "identity", .reads = true },
	{ .name = "identity_service", .reads = true }
};
static const struct query *known_queries[2];

/* --- what the gate meets --- */

static struct token token;		/* of who asks */
static bool token_is_good, trusted, current;
static const char *authorization, *address;
static bool passed, dropped;

const struct query *
query_find(const char *name)
{
	for (size_t i = 0; i < COUNT(queries); i++)
		if (strcmp(queries[i].name, name) == 0)
			return known_queries[i];
	return NULL;
}

bool
token_check(const char *text, size_t length, int64_t now, struct token *t)
{
	(void)text, (void)length, (void)now;
	*t = token;
	return token_is_good;
}

void
fetch_abandon(struct fetch *f)
{
	assert_ptr_equal(f, asked);
	asked = NULL;
}

bool
versions_trusted(void)
{
	return trusted;
}

bool
versions_current(const struct query *q, const struct versions *v)
{
	(void)q, (void)v;
	return current;
}

const char *
http_header(const struct request *r, enum fcgi_parameter parameter)
{
	(void)r;
	return parameter == FCGI_REMOTE_ADDR ? address : authorization;
}

void
http_drop(struct request *r)
{
	(void)r;
	dropped = true;
}

static void
pass(struct request *r)
{
	(void)r;
	passed = true;
}

/* --- asking --- */

static struct request request;

static void
start(int route)
{
	passed = dropped = false;
	nothing_was_said();
	request = (struct request){ .route = &routes[route],
	    .route_index = (unsigned)route };
	gate_enter(&request, pass);
}

/* Somebody new each time: nothing is known of him. */
static void
ask(int route, const char *body)
{
	trusted = false;
	start(route);
	answer(POOL_DONE, body);
}

static int
opened(void **state)
{
	char why[200];

	(void)state;
	conf.ttl_max = 300;
	for (size_t i = 0; i < COUNT(queries); i++)
		known_queries[i] = &queries[i];
	strcpy(last_access, "token");
	strcpy(token.user, ID);
	token.service[0] = '\0';
	token.issued = 1000;
	token.since = 0;
	token_is_good = current = true;
	authorization = "Bearer x";
	address = "192.0.2.1";
	return gate_open(why, sizeof why) ? 0 : -1;
}

#define PERSON(more) "{\"id\":\"" ID "\",\"username\":\"a\",\"active\":true," \
	"\"role\":\"r\",\"valid_from\":0,\"roles\":1," more "}"
#define RIGHTS(list) PERSON("\"rights\":[" list "]")

FACT(an_access_column_that_means_nothing_is_told)
{
	static const char *const nonsense[] = {
		"everybody", "tokem", "publix", "mamager", "loopbacc",
		"jobs", "public|nobody"
	};
	char why[200], *at = last_access;
	size_t i;

	for (i = 0; i < COUNT(nonsense); i++) {
		strcpy(last_access, nonsense[i]);
		assert_false(gate_open(why, sizeof why));
		assert_non_null(strstr(why, nonsense[i]));
	}
	for (i = 0; i < 65; i++)	/* there is a bit for 64 */
		at += sprintf(at, "%sright%zu.view", i > 0 ? "|" : "", i);
	assert_false(gate_open(why, sizeof why));
}

FACT(without_its_statements_it_does_not_begin)
{
	char why[200] = "";

	for (size_t i = 0; i < COUNT(queries); i++) {
		opened(NULL);
		known_queries[i] = NULL;
		assert_false(gate_open(why, sizeof why));
		assert_non_null(strstr(why, "identity"));
	}
}

FACT(a_public_route_asks_for_nothing)
{
	authorization = NULL;
	start(OPEN);
	assert_true(passed && statements == 0 && request.who == NULL);
}

FACT(this_machine_is_known_by_its_address)
{
	static const char *const here[] = { "127.0.0.1", "::1" };
	static const char *const there[] = { "192.0.2.1", "127.0.0.11", "",
	    NULL };

	authorization = NULL;
	for (size_t i = 0; i < COUNT(here); i++) {
		address = here[i];
		start(HERE);
		assert_true(passed);
	}
	for (size_t i = 0; i < COUNT(there); i++) {
		address = there[i];
		start(HERE);
		assert_int_equal(status, 401);
	}
	authorization = "Bearer x";
	ask(HERE, RIGHTS("\"health.view\""));
	assert_true(passed);
}

FACT(a_header_without_a_token_is_told_apart)
{
	static const struct { const char *header, *text; } rows[] = {
		{ NULL, "token_missing" }, { "", "token_missing" },
		{ "Bearer", "token_malformed" }, { "Bearer ", "token_missing" },
		{ "Bearer  x", "token_missing" }
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		authorization = rows[i].header;
		start(ANY);
		assert_int_equal(status, 401);
		assert_string_equal(said, rows[i].text);
	}
	authorization = "Bearer x";
	token_is_good = false;
	start(ANY);
	assert_string_equal(said, "token_invalid");
	assert_int_equal(statements, 0);
}

FACT(rights_open_what_they_name)
{
	static const struct {
		int route, status;
		const char *person, *text;
	} rows[] = {
		{ ANY, 0, RIGHTS(""), "" },
		{ JOBS, 0, RIGHTS("\"jobs.view\""), "" },
		{ JOBS, 403, RIGHTS("\"jobs.vie\""), "right_missing|jobs|view" },
		{ JOBS, 0, RIGHTS("\"*\""), "" },
		{ MACHINES, 0, RIGHTS("\"a.b\",\"machines.create\""), "" },
		{ MACHINES, 403, RIGHTS("\"jobs.view\""), "forbidden" },
		{ MANAGER, 403, RIGHTS("\"jobs.view\""), "forbidden" },
		{ MANAGER, 0, RIGHTS("\"*\""), "" },
		{ JOBS, 403, "{\"active\":true,\"roles\":0,\"rights\":[]}",
		    "no_role" },
		{ MACHINES, 403, "{\"active\":true,\"rights\":[]}",
		    "forbidden" },
		{ ANY, 401, "{\"active\":false,\"rights\":[]}",
		    "token_invalid" },
		{ ANY, 401, "{\"active\":1,\"rights\":[]}", "token_invalid" },
		{ ANY, 401, "{\"rights\":[]}", "token_invalid" }
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		ask(rows[i].route, rows[i].person);
		ROW_TRUE(passed == (rows[i].status == 0), rows[i].person);
		ROW_TRUE(status == rows[i].status, rows[i].person);
		assert_string_equal(said, rows[i].text);
	}
}

FACT(what_is_no_word_is_no_right)
{
	static const char long_word[] =
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "0123456789012345678901234567890123456789012345678901234567890123";
	char person[600];

	ask(ANY, RIGHTS("1,null,\"\",\"a\\\\b\",\"a{b\",\"\\u002a\","
	    "\"jobs.view\",\"c,d\",{\"x\":1}"));
	assert_true(passed);
	assert_string_equal(request.who->rights_array, "{\"jobs.view\"}");
	assert_false(request.who->manager);
	assert_true(gate_has(request.who, "jobs.view"));
	assert_false(gate_has(request.who, "jobs"));
	snprintf(person, sizeof person, RIGHTS("\"%s\",\"a.b\""), long_word);
	ask(ANY, person);
	assert_string_equal(request.who->rights_array, "{\"a.b\"}");
	ask(ANY, RIGHTS("\"*\""));
	assert_true(gate_has(request.who, "anything.else"));
}

FACT(what_cannot_be_read_is_our_fault)
{
	static const char *const bodies[] = {
		"", "{", "{\"active\":true}",
		"{\"active\":true,\"rights\":\"*\"}"
	};

	for (size_t i = 0; i < COUNT(bodies); i++) {
		ask(ANY, bodies[i]);
		assert_int_equal(status, 500);
		assert_false(passed);
	}
	/* Nor is anything of it known afterwards. */
	trusted = true;
	start(ANY);
	assert_int_equal(statements, 1);
	answer(POOL_DONE, RIGHTS(""));
	assert_true(passed);
}

FACT(who_is_not_there_is_nobody)
{
	ask(ANY, NULL);
	assert_int_equal(status, 401);
	start(ANY);
	answer(POOL_DOWN, NULL);
	assert_int_equal(status, 503);
	assert_string_equal(said, "database_unavailable");
	start(ANY);
	answer(POOL_WAITED_OUT, NULL);
	assert_string_equal(said, "busy");
}

FACT(who_is_known_is_not_asked_for_again)
{
	ask(JOBS, RIGHTS("\"jobs.view\""));
	trusted = true;
	start(JOBS);
	assert_true(passed && statements == 0);
	current = false;		/* the data has changed */
	start(JOBS);
	assert_int_equal(statements, 1);
	answer(POOL_DONE, RIGHTS(""));
	assert_int_equal(status, 403);
	current = true;
	trusted = false;		/* nobody hears of changes */
	start(JOBS);
	assert_int_equal(statements, 1);
	answer(POOL_DONE, RIGHTS(""));
}

FACT(a_token_from_before_its_end_is_none)
{
	static const struct { int64_t issued, since, valid_from; bool good; }
	rows[] = {
		{ 1000, 0, 0, true }, { 0, 0, 0, true },
		{ 1000, 0, 999999999, true }, { 1000, 0, 1000000000, false },
		{ 1000, 0, 1000999999, false }, { 1001, 0, 1000999999, true },
		{ 1000, 1000999999, 1000999999, true },
		{ 1000, 1000999998, 1000999999, false },
		{ 0, 0, 1, false }
	};
	char person[300];

	for (size_t i = 0; i < COUNT(rows); i++) {
		token.issued = rows[i].issued;
		token.since = rows[i].since;
		snprintf(person, sizeof person, "{\"active\":true,\"valid_from\":"
		    "%lld,\"rights\":[]}", (long long)rows[i].valid_from);
		ask(ANY, person);
		ROW_TRUE(passed == rows[i].good, person);
	}
}

FACT(a_service_is_no_person)
{
	strcpy(token.service, SERVICE);
	token.user[0] = '\0';
	ask(ANY, RIGHTS("\"jobs.view\""));
	assert_int_equal(status, 403);
	trusted = true;
	start(JOBS);
	assert_true(passed && statements == 0);
	assert_string_equal(request.user, SERVICE);
	assert_true(request.who->service);
}

FACT(who_leaves_is_not_answered)
{
	trusted = false;
	start(ANY);
	request.abandon(&request);
	assert_true(dropped);
	assert_null(asked);
	assert_int_equal(status, 0);
}

#define EACH(name) cmocka_unit_test_setup(name, opened)

RUN(EACH(an_access_column_that_means_nothing_is_told),
    EACH(without_its_statements_it_does_not_begin),
    EACH(a_public_route_asks_for_nothing),
    EACH(this_machine_is_known_by_its_address),
    EACH(a_header_without_a_token_is_told_apart),
    EACH(rights_open_what_they_name), EACH(what_is_no_word_is_no_right),
    EACH(what_cannot_be_read_is_our_fault), EACH(who_is_not_there_is_nobody),
    EACH(who_is_known_is_not_asked_for_again),
    EACH(a_token_from_before_its_end_is_none), EACH(a_service_is_no_person),
    EACH(who_leaves_is_not_answered))
