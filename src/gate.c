/*
 * The token says only who; what he may is read from the database by the
 * statement `identity`, a cached statement like any other.  Its answer is
 * taken apart once per worker and state of the data: `known` holds what came
 * out, with the versions it was computed from, and counts exactly as long as
 * the cached answer would.
 */
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "conf.h"
#include "fetch.h"
#include "log.h"
#include "shm.h"
#include "token.h"

#define RIGHTS_MAX 64
#define KNOWN 1024
#define NODES 512		/* of an identity's JSON */
#define IDENTITY_TTL 300	/* seconds */

struct known {
	struct identity who;
	struct versions versions;
	int64_t until_ms;
};

/* A route's access column, read. */
struct access {
	bool open, anybody, loopback;
	uint64_t rights;
	char refusal[96];	/* a text's name */
};

/* Somebody at the gate, waiting for the database. */
struct visit {
	struct fetch fetch;
	struct request *request;
	struct token token;
	void (*pass)(struct request *);
};

static const char *rights[RIGHTS_MAX];	/* a bit for each */
static unsigned rights_count;
static struct access accesses[256];
static struct known *known[KNOWN];
static const struct query *person, *service;
static int64_t ttl_ms;

static int
right_number(const char *name, size_t length)
{
	for (unsigned i = 0; i < rights_count; i++)
		if (strncmp(rights[i], name, length) == 0 &&
		    rights[i][length] == '\0')
			return (int)i;
	return -1;
}

static bool
add_right(struct access *a, const char *name, size_t length)
{
	int n = right_number(name, length);

	if (n < 0) {
		if (rights_count == RIGHTS_MAX)
			return false;
		n = (int)rights_count;
		if ((rights[rights_count++] = strndup(name, length)) == NULL)
			return false;
	}
	a->rights |= UINT64_C(1) << n;
	return true;
}

/*
 * "public", "token", "manager", "loopback" (the same machine, as nginx sees
 * it), or rights, separated by '|'.  A single right
 * is refused in its own words, everything else by "forbidden".
 */
static bool
read_access(struct access *a, const char *words)
{
	bool single = strchr(words, '|') == NULL;

	strcpy(a->refusal, "forbidden");
	for (size_t length; *words != '\0'; words += length + (words[length] ==
	    '|')) {
		const char *dot = strchr(words, '.');

		length = strcspn(words, "|");
		if (length == 6 && memcmp(words, "public", 6) == 0)
			a->open = true;
		else if (length == 5 && memcmp(words, "token", 5) == 0)
			a->anybody = true;
		else if (length == 8 && memcmp(words, "loopback", 8) == 0)
			a->loopback = true;
		else if (length == 7 && memcmp(words, "manager", 7) == 0)
			continue;	/* has every right anyway */
		else if (dot == NULL || !add_right(a, words, length))
			return false;
		else if (single)
			snprintf(a->refusal, sizeof a->refusal,
			    "right_missing|%.*s|%s", (int)(dot - words), words,
			    dot + 1);
	}
	return true;
}

bool
gate_open(char *why, size_t size)
{
	for (unsigned i = 0; i < routes_count; i++)
		if (!read_access(&accesses[i], routes[i].access)) {
			snprintf(why, size, "the access \"%s\" of %s means "
			    "nothing", routes[i].access, routes[i].path);
			return false;
		}
	ttl_ms = conf_ttl("identity", IDENTITY_TTL) * 1000;
	person = query_find("identity");
	service = query_find("identity_service");
	if (person == NULL || service == NULL)
		snprintf(why, size, "a statement \"identity\" is missing");
	return person != NULL && service != NULL;
}

bool
gate_has(const struct identity *who, const char *right)
{
	char word[130];

	/* In the whole list, since no route's own access may name it. */
	snprintf(word, sizeof word, "\"%s\"", right);
	return who->manager || strstr(who->rights_array, word) != NULL;
}

static struct known **
place_of(const char *id)
{
	return &known[XXH3_64bits(id, strlen(id)) % KNOWN];
}

static const struct identity *
find_known(const char *id, const struct query *query)
{
	struct known *k = *place_of(id);

	if (k == NULL || strcmp(k->who.id, id) != 0 ||
	    shm_now_ms() >= k->until_ms || !versions_trusted() ||
	    !versions_current(query, &k->versions))
		return NULL;
	return &k->who;
}

/* Rights are words without quotes or backslashes: checked here. */
static bool
is_plain(const char *word)
{
	return word[0] != '\0' && strcspn(word, "\"\\{},") == strlen(word);
}

/* The list of rights: as bits, and as {"*","jobs.view"} for the statements. */
static bool
read_rights(const struct json *j, struct identity *who)
{
	int list = json_member_of(j, 0, "rights", JSON_ARRAY);
	size_t room, at = 1;
	char word[128];

	if (list < 0)
		return false;
	room = j->nodes[list].end - j->nodes[list].start + 3;
	if ((who->rights_array = malloc(room)) == NULL)
		return false;
	who->rights_array[0] = '{';
	for (uint32_t i = (uint32_t)list + 1; i < j->nodes[list].next;
	    i = j->nodes[i].next) {
		size_t length;
		int n;

		if (j->nodes[i].kind != JSON_STRING || j->nodes[i].escaped ||
		    j->nodes[i].end - j->nodes[i].start >= sizeof word)
			continue;
		length = json_string(j, i, word, sizeof word);
		if (!is_plain(word))
			continue;
		if ((n = right_number(word, length)) >= 0)
			who->rights |= UINT64_C(1) << n;
		who->manager |= strcmp(word, "*") == 0;
		at += (size_t)sprintf(who->rights_array + at, "%s\"%s\"",
		    at > 1 ? "," : "", word);
	}
	strcpy(who->rights_array + at, "}");
	return true;
}

static bool
read_identity(const struct fetched *a, struct identity *who)
{
	static struct json_node nodes[NODES];
	struct json j;

	*who = (struct identity){ .active = false };
	if (json_read(&j, a->body, a->body_length, nodes, NODES) != JSON_FINE)
		return false;
	json_member_string(&j, 0, "id", who->id, sizeof who->id);
	json_member_string(&j, 0, "role", who->role, sizeof who->role);
	who->active = json_member_of(&j, 0, "active", JSON_TRUE) >= 0;
	who->valid_from = json_member_integer(&j, 0, "valid_from");
	who->has_role = json_member_integer(&j, 0, "roles") > 0;
	return read_rights(&j, who);
}

static const struct identity *
get_to_know(const struct fetched *a, const char *id, bool is_service)
{
	struct known **place = place_of(id), *k = *place;

	if (k == NULL && (k = *place = calloc(1, sizeof *k)) == NULL)
		return NULL;
	free(k->who.rights_array);
	if (!read_identity(a, &k->who)) {
		log_note(LOG_ERROR, "the identity of %s cannot be read", id);
		free(k->who.rights_array);
		memset(k, 0, sizeof *k);
		return NULL;
	}
	strcpy(k->who.id, id);
	k->who.service = is_service;
	k->versions = a->versions;
	k->until_ms = shm_now_ms() + ttl_ms - a->age_ms;
	return &k->who;
}

/*
 * The database keeps microseconds, a token whole seconds by our clock.  Where
 * that does not tell whether it is newer than the moment in which the older
 * ones ended, it has been issued with that moment in it.
 */
static bool
is_valid(const struct identity *who, const struct token *token)
{
	return who->active && (who->valid_from == 0 ||
	    who->valid_from == token->since ||
	    token->issued > who->valid_from / 1000000);
}

static void
decide(struct request *r, const struct identity *who,
    const struct token *token, void (*pass)(struct request *))
{
	const struct access *a = &accesses[r->route_index];

	if (!is_valid(who, token))
		http_refuse(r, 401, "token_invalid", NULL);
	else if (who->manager || (a->anybody && !who->service) ||
	    (a->rights & who->rights) != 0) {
		r->who = who;
		strcpy(r->user, who->id);
		pass(r);
	} else if (!who->has_role && strcmp(a->refusal, "forbidden") != 0)
		http_refuse(r, 403, "no_role", NULL);
	else
		http_refuse(r, 403, a->refusal, NULL);
}

static void
on_identity(struct fetch *f, const struct fetched *a)
{
	struct visit *visit = f->context;
	struct request *r = visit->request;
	struct token token = visit->token;
	void (*pass)(struct request *) = visit->pass;
	bool is_service = token.service[0] != '\0';
	const struct identity *who;

	r->state = NULL;
	r->abandon = NULL;
	free(visit);
	if (a->outcome != POOL_DONE)
		http_refuse(r, 503, a->outcome == POOL_DOWN ?
		    "database_unavailable" : "busy", NULL);
	else if (!a->found)
		http_refuse(r, 401, "token_invalid", NULL);
	else if ((who = get_to_know(a, is_service ? token.service :
	    token.user, is_service)) == NULL)
		http_refuse(r, 500, "internal_error", NULL);
	else
		decide(r, who, &token, pass);
}

static void
abandon(struct request *r)
{
	struct visit *visit = r->state;

	fetch_abandon(&visit->fetch);
	free(visit);
	http_drop(r);
}

static void
ask_database(struct request *r, const struct token *token,
    void (*pass)(struct request *))
{
	struct visit *visit = calloc(1, sizeof *visit);
	bool is_service = token->service[0] != '\0';

	if (visit == NULL) {
		http_refuse(r, 503, "busy", NULL);
		return;
	}
	visit->request = r;
	visit->token = *token;
	visit->pass = pass;
	visit->fetch.query = is_service ? service : person;
	visit->fetch.values[0] = is_service ? visit->token.service :
	    visit->token.user;
	visit->fetch.ttl_ms = ttl_ms;
	visit->fetch.deadline_ms = conf.statement_ms;
	visit->fetch.urgent = true;
	visit->fetch.done = on_identity;
	visit->fetch.context = visit;
	r->state = visit;
	r->abandon = abandon;
	fetch_start(&visit->fetch);
}

/*
 * The second word of the header, whatever the first one says; NULL after a
 * refusal, in the old backend's words.
 */
static const char *
bearer(struct request *r, size_t *length)
{
	const char *header = http_header(r, FCGI_HTTP_AUTHORIZATION), *blank;

	if (header == NULL || header[0] == '\0') {
		http_refuse(r, 401, "token_missing", NULL);
		return NULL;
	}
	if ((blank = strchr(header, ' ')) == NULL) {
		http_refuse(r, 401, "token_malformed", NULL);
		return NULL;
	}
	if ((*length = strcspn(blank + 1, " ")) == 0) {
		http_refuse(r, 401, "token_missing", NULL);
		return NULL;
	}
	return blank + 1;
}

static bool
is_local(const struct request *r)
{
	const char *address = http_header(r, FCGI_REMOTE_ADDR);

	return address != NULL && (strcmp(address, "127.0.0.1") == 0 ||
	    strcmp(address, "::1") == 0);
}

void
gate_enter(struct request *r, void (*pass)(struct request *))
{
	const struct identity *who;
	struct token token;
	const char *text;
	size_t length;

	if (accesses[r->route_index].open ||
	    (accesses[r->route_index].loopback && is_local(r))) {
		pass(r);
		return;
	}
	if ((text = bearer(r, &length)) == NULL)
		return;
	if (!token_check(text, length, time(NULL), &token)) {
		http_refuse(r, 401, "token_invalid", NULL);
		return;
	}
	if (token.service[0] != '\0')
		who = find_known(token.service, service);
	else
		who = find_known(token.user, person);
	if (who != NULL)
		decide(r, who, &token, pass);
	else
		ask_database(r, &token, pass);
}
