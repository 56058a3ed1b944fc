/* Logging in, and new passwords: whom nobody lets in, and what is forgotten. */
#include "unit.h"

#include "answer.h"
#include "board.h"
#include "gate.h"
#include "login.h"
#include "password.h"
#include "stand_ins.h"
#include "throttle.h"
#include "token.h"

#define ID "0f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d11"
#define USER "{\"user\":{\"id\":\"" ID "\",\"role\":\"r\"},\"hash\":\"$2a$old\"" \
	",\"valid_from\":7}"

static const struct query rehash = { .name = "login_rehash", .count = 3,
    .arguments = { "id", "new", "old" } };
static const struct query other = { .name = "other" };

/* --- what it meets --- */

static struct request request;
static char body[1000];
static struct json_node nodes[100];
static char *replied;
static struct pool_job *stored;		/* in the background */
static char stored_new[100];
static bool full, helper_is_busy, answered, keeps, has_right;
static bool short_of_memory;
static int failures;
static int64_t issued_since;
static size_t issued_length;
static password_checked *checked;
static password_hashed *hashed;
static void *context;
static char checked_against[100], hash_that_was_set[100];

void *__real_calloc(size_t, size_t);
void *__wrap_calloc(size_t, size_t);
void *
__wrap_calloc(size_t count, size_t size)
{
	return short_of_memory ? NULL : __real_calloc(count, size);
}

const struct query *
query_find(const char *name)
{
	return strcmp(name, "login_rehash") == 0 ? &rehash : &other;
}

bool
args_check(struct request *r)
{
	(void)r;
	return true;
}

void
args_fill(struct request *r, struct args *a)
{
	(void)r;
	memset(a, 0, sizeof *a);
}

char *
args_keep(struct args *a)
{
	(void)a;
	return keeps ? strdup("texts") : NULL;
}

void
args_set(struct args *a, const char *name, const char *value)
{
	(void)a;
	if (strcmp(name, "hash") == 0)
		snprintf(hash_that_was_set, sizeof hash_that_was_set, "%s",
		    value);
}

void
answer_run(struct request *r, const struct args *a)
{
	(void)r, (void)a;
	answered = true;
}

bool
gate_has(const struct identity *who, const char *right)
{
	(void)who, (void)right;
	return has_right;
}

void
http_reply(struct request *r, int code, const char *more, const char *text,
    size_t length)
{
	(void)r, (void)more;
	status = code;
	free(replied);
	replied = strndup(text, length);
}

bool
password_check(const char *password, const char *hash, password_checked *done,
    void *c)
{
	(void)password;
	snprintf(checked_against, sizeof checked_against, "%s",
	    hash ? hash : "nobody");
	checked = done;
	context = c;
	return !helper_is_busy;
}

bool
password_hash(const char *password, password_hashed *done, void *c)
{
	(void)password;
	hashed = done;
	context = c;
	return !helper_is_busy;
}

void
pool_submit(struct pool_job *job)
{
	stored = job;
	for (unsigned i = 0; i < job->work.count; i++)
		if (strcmp(rehash.arguments[i], "new") == 0)
			snprintf(stored_new, sizeof stored_new, "%s",
			    job->work.values[i]);
}

size_t
text_format(char *out, size_t size, const char *call, enum language language)
{
	(void)language;
	return (size_t)snprintf(out, size, "%s", call);
}

bool
throttle_is_full(const char *account)
{
	(void)account;
	return full;
}

void
throttle_count(const char *account)
{
	(void)account;
	failures++;
}

size_t
token_issue(char *out, size_t size, const char *user, const char *username,
    const char *role, int64_t since, int64_t now, int64_t lifetime)
{
	(void)user, (void)username, (void)role, (void)now, (void)lifetime;
	issued_since = since;
	snprintf(out, size, "a-token");
	return issued_length;
}

/* --- asking --- */

static void
send(void (*route)(struct request *), const char *text)
{
	static const struct route post = { .method = POST };

	nothing_was_said();
	failures = 0;
	hash_that_was_set[0] = stored_new[0] = '\0';
	stored = NULL;
	checked = NULL;
	hashed = NULL;
	answered = false;
	memset(&request, 0, sizeof request);
	request.route = &post;
	strcpy(request.user, ID);
	snprintf(body, sizeof body, "%s", text);
	request.body = body;
	request.body_length = strlen(body);
	assert_int_equal(json_read(&request.json, body, request.body_length,
	    nodes, COUNT(nodes)), JSON_FINE);
	route(&request);
}

static int
begin(void **state)
{
	static struct board_slot slot;

	(void)state;
	board = &slot;
	full = helper_is_busy = short_of_memory = false;
	keeps = has_right = true;
	issued_length = 7;
	return 0;
}

#define LOGIN "{\"username\":\"anna\",\"password\":\"secret-1\"}"
#define CHANGE "{\"current_password\":\"secret-1\",\"new_password\":\"new-1\"}"

FACT(who_is_known_gets_a_token_with_the_end_of_older_ones)
{
	send(login_enter, LOGIN);
	answer(POOL_DONE, USER);
	assert_string_equal(checked_against, "$2a$old");
	checked(context, true, "");
	assert_int_equal(status, 200);
	assert_string_equal(replied, "{\"message\":\"login_done\","
	    "\"token\":\"a-token\",\"user\":{\"id\":\"" ID "\",\"role\":\"r\"}}");
	assert_int_equal(issued_since, 7);
	assert_null(stored);
}

FACT(a_stronger_hash_is_stored_and_nobody_waits)
{
	struct pool_answer done = { .outcome = POOL_DONE },
	    lost = { .outcome = POOL_LOST };

	for (int i = 0; i < 2; i++) {
		send(login_enter, LOGIN);
		answer(POOL_DONE, USER);
		checked(context, true, "$2a$new");
		assert_int_equal(status, 200);
		assert_non_null(stored);
		assert_string_equal(stored_new, "$2a$new");
		stored->done(stored, i == 0 ? &done : &lost);
	}
}

FACT(a_wrong_password_and_nobody_are_the_same)
{
	static const char *const users[] = { USER, NULL, "{", "{}",
	    "{\"hash\":null}", "{\"hash\":7}", "{\"hash\":\"\"}" };

	for (size_t i = 0; i < COUNT(users); i++) {
		send(login_enter, LOGIN);
		answer(POOL_DONE, users[i]);
		assert_string_equal(checked_against, i == 0 ? "$2a$old" :
		    "nobody");
		checked(context, false, "");
		assert_int_equal(status, 401);
		assert_string_equal(said, "login_failed");
		assert_int_equal(failures, 1);
	}
}

FACT(a_hash_that_does_not_fit_is_none)
{
	char user[400];

	snprintf(user, sizeof user, "{\"hash\":\"%0200d\"}", 1);
	send(login_enter, LOGIN);
	answer(POOL_DONE, user);
	assert_string_equal(checked_against, "nobody");
	checked(context, false, "");
}

FACT(a_token_that_cannot_be_made_is_our_fault)
{
	static const char *const users[] = {
		"{\"hash\":\"$2a$old\"}", "{\"hash\":\"$2a$old\",\"user\":{}}",
		"{\"hash\":\"$2a$old\",\"user\":{\"id\":7}}"
	};

	for (size_t i = 0; i < COUNT(users); i++) {
		send(login_enter, LOGIN);
		answer(POOL_DONE, users[i]);
		checked(context, true, "");
		assert_int_equal(status, 500);
	}
	issued_length = 0;
	send(login_enter, LOGIN);
	answer(POOL_DONE, USER);
	checked(context, true, "");
	assert_int_equal(status, 500);
}

FACT(without_a_database_nobody_is_let_in)
{
	static const struct { enum pool_outcome outcome; const char *text; }
	rows[] = {
		{ POOL_DOWN, "database_unavailable" },
		{ POOL_LOST, "database_unavailable" }, { POOL_FULL, "busy" },
		{ POOL_TIMED_OUT, "busy" }
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		send(login_enter, LOGIN);
		answer(rows[i].outcome, NULL);
		assert_int_equal(status, 503);
		assert_string_equal(said, rows[i].text);
		assert_null(checked);
	}
}

FACT(what_is_too_much_is_refused)
{
	static const struct {
		void (*route)(struct request *);
		const char *text;
	} ways[] = { { login_enter, LOGIN }, { login_change_password, CHANGE },
	    { login_hash_and_run, LOGIN } };

	for (size_t i = 0; i < COUNT(ways); i++) {
		begin(NULL);
		short_of_memory = true;
		send(ways[i].route, ways[i].text);
		assert_int_equal(status, 503);
		begin(NULL);
		helper_is_busy = true;
		send(ways[i].route, ways[i].text);
		if (asked != NULL)
			answer(POOL_DONE, USER);
		assert_int_equal(status, 503);
		begin(NULL);
		full = true;
		send(ways[i].route, ways[i].text);
		if (ways[i].route == login_hash_and_run) {
			hashed(context, "$2a$new");	/* nothing is tried */
			continue;
		}
		assert_int_equal(status, 429);
		assert_null(asked);
	}
}

FACT(a_changed_password_is_hashed_and_stored)
{
	send(login_change_password, CHANGE);
	answer(POOL_DONE, USER);
	checked(context, true, "");
	assert_false(answered);
	hashed(context, "$2a$new");
	assert_true(answered);
	assert_string_equal(hash_that_was_set, "$2a$new");

	send(login_change_password, CHANGE);
	answer(POOL_DONE, USER);
	checked(context, true, "");
	hashed(context, "");
	assert_int_equal(status, 500);

	send(login_change_password, CHANGE);
	answer(POOL_DONE, USER);
	checked(context, false, "");
	assert_int_equal(status, 400);
	assert_string_equal(said, "password_wrong");

	send(login_change_password, CHANGE);
	answer(POOL_DONE, USER);
	helper_is_busy = true;
	checked(context, true, "");
	assert_int_equal(status, 503);

	keeps = false;
	send(login_change_password, CHANGE);
	assert_int_equal(status, 503);
	keeps = true;
	send(login_change_password, "{\"new_password\":\"x\"}");
	assert_int_equal(status, 503);
	send(login_change_password, "{\"current_password\":\"x\"}");
	assert_int_equal(status, 503);
}

FACT(bcrypt_reads_seventy_two_bytes)
{
	static const struct {
		void (*route)(struct request *);
		const char *format;
	} ways[] = {
		{ login_change_password, "{\"current_password\":\"secret-1\","
		    "\"new_password\":\"%0*d\"}" },
		{ login_hash_and_run, "{\"password\":\"%0*d\"}" }
	};
	char text[300];

	for (size_t i = 0; i < COUNT(ways); i++)
		for (int bytes = 72; bytes <= 73; bytes++) {
			snprintf(text, sizeof text, ways[i].format, bytes,
			    1);
			send(ways[i].route, text);
			assert_int_equal(status, bytes == 72 ? 0 : 400);
			if (asked != NULL)
				answer(POOL_DOWN, NULL);
			if (hashed != NULL)
				hashed(context, "$2a$new");
		}
}

FACT(a_user_s_password_goes_nowhere_but_to_the_hash)
{
	send(login_hash_and_run, "{\"username\":\"b\",\"password\":\"s\\u0065c\","
	    "\"password_confirm\":\"sec\"}");
	assert_null(strstr(body, "sec"));
	assert_null(strstr(body, "\\u0065"));
	assert_int_equal(json_read(&request.json, body, strlen(body), nodes,
	    COUNT(nodes)), JSON_FINE);
	hashed(context, "$2a$new");
	assert_true(answered);
	/* What is no text, or blank, is none. */
	send(login_hash_and_run, "{\"password\":null,\"password_confirm\":7}");
	assert_true(answered);
	send(login_hash_and_run, "{\"password\":\" \\t\"}");
	assert_true(answered);
	has_right = false;
	send(login_hash_and_run, "{\"password\":\"secret\"}");
	assert_int_equal(status, 403);
	has_right = true;
	keeps = false;
	send(login_hash_and_run, "{\"password\":\"secret\"}");
	assert_int_equal(status, 503);
}

#define EACH(name) cmocka_unit_test_setup(name, begin)

RUN(EACH(who_is_known_gets_a_token_with_the_end_of_older_ones),
    EACH(a_stronger_hash_is_stored_and_nobody_waits),
    EACH(a_wrong_password_and_nobody_are_the_same),
    EACH(a_hash_that_does_not_fit_is_none),
    EACH(a_token_that_cannot_be_made_is_our_fault),
    EACH(without_a_database_nobody_is_let_in),
    EACH(what_is_too_much_is_refused),
    EACH(a_changed_password_is_hashed_and_stored),
    EACH(bcrypt_reads_seventy_two_bytes),
    EACH(a_user_s_password_goes_nowhere_but_to_the_hash))
