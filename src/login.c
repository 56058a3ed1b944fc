/*
 * A password is in this process from the request's body to the helper thread
 * (password.c), and nowhere else: not in a statement, not in a log, not in the
 * cache.
 */
#include "login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "board.h"
#include "conf.h"
#include "fetch.h"
#include "gate.h"
#include "log.h"
#include "password.h"
#include "routes.h"
#include "throttle.h"
#include "token.h"

#define TTL_SECONDS 300
#define NODES 64	/* of what the statement `login` answers */

/* Somebody logging in, or changing his password. */
struct entry {
	struct request *request;
	struct fetch fetch;
	char *username, *password, *new_password;
	char *body;			/* the statement's answer, or NULL */
	size_t length;
	char hash[128];
	struct args args;		/* kept while a new hash is made */
	char *texts;
	void (*checked)(struct entry *, const char *again);
};

/* A hash that is stored in the background; nobody waits for it. */
struct rehash {
	struct pool_job job;
	char id[40], old[128], new[128];
	const char *values[3];
};

static void
forget(struct entry *e)
{
	if (e->password != NULL)
		explicit_bzero(e->password, strlen(e->password));
	if (e->new_password != NULL)
		explicit_bzero(e->new_password, strlen(e->new_password));
	free(e->username);
	free(e->password);
	free(e->new_password);
	free(e->body);
	free(e->texts);
	free(e);
}

static void
refuse_unavailable(struct request *r, enum pool_outcome outcome)
{
	http_refuse(r, 503, outcome == POOL_DOWN || outcome == POOL_LOST ?
	    "database_unavailable" : "busy", NULL);
}

/* Whose failures are counted: a name at the login, an id afterwards. */
static const char *
account_of(const struct entry *e)
{
	return e->username != NULL ? e->username : e->request->user;
}

static void
on_password(void *context, bool right, const char *again)
{
	struct entry *e = context;

	if (right) {
		e->checked(e, again);
		return;
	}
	board_add(&board->logins_failed, 1);
	throttle_count(account_of(e));
	/* 401 would mean that the token is no good. */
	if (e->username != NULL)
		http_refuse(e->request, 401, "login_failed", NULL);
	else
		http_refuse(e->request, 400, "password_wrong",
		    "current_password");
	forget(e);
}

/* Reads the answer of `login`; false when there is no such user. */
static bool
read_user(struct entry *e, struct json *j, struct json_node *nodes)
{
	size_t length;

	if (e->body == NULL ||
	    json_read(j, e->body, e->length, nodes, NODES) != JSON_FINE)
		return false;
	length = json_member_string(j, 0, "hash", e->hash, sizeof e->hash);
	return length > 0 && length < sizeof e->hash - 1;
}

/* The statement's answer is kept: it is another's when this returns. */
static bool
keep_answer(struct entry *e, const struct fetched *a)
{
	if (!a->found)
		return true;
	if ((e->body = malloc(a->body_length + 1)) == NULL)
		return false;
	memcpy(e->body, a->body, a->body_length);
	e->body[e->length = a->body_length] = '\0';
	return true;
}

static void
on_user(struct fetch *f, const struct fetched *a)
{
	struct entry *e = f->context;
	struct json_node nodes[NODES];
	struct json j;
	const char *hash = NULL;

	if (a->outcome != POOL_DONE) {
		refuse_unavailable(e->request, a->outcome);
		forget(e);
		return;
	}
	if (!keep_answer(e, a)) {
		http_refuse(e->request, 503, "busy", NULL);
		forget(e);
		return;
	}
	if (read_user(e, &j, nodes))
		hash = e->hash;
	/* An unknown user takes as long, and gets the same words. */
	if (!password_check(e->password, hash, on_password, e)) {
		http_refuse(e->request, 503, "busy", NULL);
		forget(e);
	}
}

static void
ask_for_user(struct entry *e, const char *statement, const char *value)
{
	e->fetch.query = query_find(statement);
	e->fetch.values[0] = value;
	e->fetch.ttl_ms = conf_ttl(statement, TTL_SECONDS) * 1000;
	e->fetch.deadline_ms = conf.statement_ms;
	e->fetch.urgent = true;
	e->fetch.done = on_user;
	e->fetch.context = e;
	fetch_start(&e->fetch);
}

static void
on_rehashed(struct pool_job *job, const struct pool_answer *p)
{
	if (p->outcome != POOL_DONE)
		log_note(LOG_WARNING, "a password's stronger hash could not "
		    "be stored; the next login tries again");
	free(job->context);
}

static void
store_again(const char *id, const char *old, const char *new)
{
	struct rehash *h = calloc(1, sizeof *h);

	if (h == NULL)
		return;
	snprintf(h->id, sizeof h->id, "%s", id);
	snprintf(h->old, sizeof h->old, "%s", old);
	snprintf(h->new, sizeof h->new, "%s", new);
	h->job.work.query = query_find("login_rehash");
	h->job.work.count = h->job.work.query->count;
	for (unsigned i = 0; i < h->job.work.count; i++) {
		const char *name = h->job.work.query->arguments[i];

		h->values[i] = strcmp(name, "id") == 0 ? h->id :
		    strcmp(name, "old") == 0 ? h->old : h->new;
	}
	h->job.work.values = h->values;
	h->job.work.writes = true;
	h->job.work.deadline_ms = conf.statement_ms;
	h->job.done = on_rehashed;
	h->job.context = h;
	pool_submit(&h->job);
}

/* {"message":…,"token":…,"user":…}: the user as the statement gave it. */
static void
welcome(struct request *r, const struct json *j, uint32_t user,
    const char *token)
{
	const struct json_node *n = &j->nodes[user];
	char text[256], message[512], *out = NULL;
	size_t length = text_format(text, sizeof text, "login_done",
	    r->language);
	int size;

	message[json_quote(message, sizeof message, text, length)] = '\0';
	size = asprintf(&out, "{\"message\":%s,\"token\":\"%s\",\"user\":%.*s}",
	    message, token, (int)(n->end - n->start), j->text + n->start);
	if (size < 0)
		http_refuse(r, 503, "busy", NULL);
	else
		http_reply(r, 200, "", out, (size_t)size);
	free(out);
}

static void
let_in(struct entry *e, const char *again)
{
	struct json_node nodes[NODES];
	struct json j;
	char token[TOKEN_MAX], *id = NULL, *role = NULL;
	int64_t since = 0;
	int user = -1;

	if (read_user(e, &j, nodes)) {
		user = json_member(&j, 0, "user");
		since = json_member_integer(&j, 0, "valid_from");
	}
	if (user >= 0) {
		id = json_member_copy(&j, (uint32_t)user, "id");
		role = json_member_copy(&j, (uint32_t)user, "role");
	}
	if (id == NULL || token_issue(token, sizeof token, id, e->username,
	    role, since, time(NULL), conf.jwt_hours * 3600) == 0)
		http_refuse(e->request, 500, "internal_error", NULL);
	else {
		board_add(&board->logins, 1);
		welcome(e->request, &j, (uint32_t)user, token);
		if (again[0] != '\0')
			store_again(id, e->hash, again);
	}
	free(id);
	free(role);
	forget(e);
}

void
login_enter(struct request *r)
{
	struct entry *e;

	if (!args_check(r))
		return;
	if ((e = calloc(1, sizeof *e)) == NULL) {
		http_refuse(r, 503, "busy", NULL);
		return;
	}
	e->request = r;
	e->checked = let_in;
	e->username = json_member_copy(&r->json, 0, "username");
	e->password = json_member_copy(&r->json, 0, "password");
	if (e->username == NULL || e->password == NULL) {
		http_refuse(r, 503, "busy", NULL);
		forget(e);
	} else if (throttle_is_full(e->username)) {
		http_refuse(r, 429, "login_too_often", NULL);
		forget(e);
	} else
		ask_for_user(e, "login", e->username);
}

/* With the one that was checked, if any: it may have changed since. */
static void
on_new_hash(void *context, const char *hash)
{
	struct entry *e = context;

	if (hash[0] == '\0')
		http_refuse(e->request, 500, "internal_error", NULL);
	else {
		args_set(&e->args, "hash", hash);
		args_set(&e->args, "old", e->hash);
		answer_run(e->request, &e->args);
	}
	forget(e);
}

static void
change(struct entry *e, const char *again)
{
	(void)again;
	if (!password_hash(e->new_password, on_new_hash, e)) {
		http_refuse(e->request, 503, "busy", NULL);
		forget(e);
	}
}

/* Binds the statement now: who asks is known only until we wait. */
static bool
bind(struct entry *e, struct request *r)
{
	e->request = r;
	args_fill(r, &e->args);
	return (e->texts = args_keep(&e->args)) != NULL;
}

void
login_change_password(struct request *r)
{
	struct entry *e;

	if (!args_check(r))
		return;
	if ((e = calloc(1, sizeof *e)) == NULL) {
		http_refuse(r, 503, "busy", NULL);
		return;
	}
	e->checked = change;
	e->password = json_member_copy(&r->json, 0, "current_password");
	e->new_password = json_member_copy(&r->json, 0, "new_password");
	if (!bind(e, r) || e->password == NULL || e->new_password == NULL) {
		http_refuse(r, 503, "busy", NULL);
		forget(e);
	} else if (strlen(e->new_password) > PASSWORD_BYTES_MAX) {
		http_refuse(r, 400, "password_too_long", "new_password");
		forget(e);
	} else if (throttle_is_full(account_of(e))) {
		http_refuse(r, 429, "login_too_often", NULL);
		forget(e);
	} else
		ask_for_user(e, "password_of", r->user);
}

/* Of a string the value's own bytes become an empty one and blanks. */
static void
blank_out(struct request *r, const char *name)
{
	int node = json_member_of(&r->json, 0, name, JSON_STRING);
	const struct json_node *n;
	char *start;

	if (node < 0)
		return;
	n = &r->json.nodes[node];
	start = r->body + n->start - 1;		/* its opening quote */
	memset(start, ' ', n->end - n->start + 2);
	start[0] = start[1] = '"';
}

static void
run_without(struct request *r)
{
	struct args args;

	args_fill(r, &args);
	answer_run(r, &args);
}

/* A password of blanks is none. */
static bool
is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n\v\f")] == '\0';
}

void
login_hash_and_run(struct request *r)
{
	struct entry *e;

	if (!args_check(r))
		return;
	if ((e = calloc(1, sizeof *e)) == NULL) {
		http_refuse(r, 503, "busy", NULL);
		return;
	}
	e->new_password = json_member_copy(&r->json, 0, "password");
	if (e->new_password == NULL &&
	    json_member_of(&r->json, 0, "password", JSON_STRING) >= 0) {
		http_refuse(r, 503, "busy", NULL);
		forget(e);
		return;
	}
	/* What the old web client sends twice goes nowhere either. */
	blank_out(r, "password");
	blank_out(r, "password_confirm");
	if (e->new_password == NULL || is_blank(e->new_password)) {
		run_without(r);
		forget(e);
		return;
	}
	/* Hashing costs more than all else: not for who may not change it. */
	if (!gate_has(r->who, r->route->method == POST ? "users.create" :
	    "users.update")) {
		http_refuse(r, 403, "forbidden", NULL);
		forget(e);
	} else if (strlen(e->new_password) > PASSWORD_BYTES_MAX) {
		http_refuse(r, 400, "password_too_long", "password");
		forget(e);
	} else if (!bind(e, r)) {
		http_refuse(r, 503, "busy", NULL);
		forget(e);
	} else
		change(e, "");
}
