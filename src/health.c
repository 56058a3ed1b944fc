#include "health.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "args.h"
#include "http.h"
#include "pool.h"
#include "query.h"
#include "report.h"
#include "versions.h"

static void
reply(struct request *r, int status, struct json_object *o)
{
	size_t length;
	const char *text = json_object_to_json_string_length(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

	http_reply(r, status, "", text, length);
	json_object_put(o);
}

void
health_root(struct request *r)
{
	static const char body[] =
	    "{\"message\":\"Reklam Yönetim Sistemi API\","
	    "\"version\":\"1.0.0\",\"endpoints\":{"
	    "\"health\":\"/api/health\",\"db_health\":\"/api/health/db\","
	    "\"db_test\":\"/api/health/db/test\"}}";

	http_reply(r, 200, "", body, sizeof body - 1);
}

/* {"status": …, "message": the text}. */
static void
say(struct request *r, int status, const char *word, const char *call)
{
	struct json_object *o = json_object_new_object();
	char text[256];

	text_format(text, sizeof text, call, r->language);
	json_object_object_add(o, "status", json_object_new_string(word));
	json_object_object_add(o, "message", json_object_new_string(text));
	reply(r, status, o);
}

/* Liveness: the loop runs. */
void
health_alive(struct request *r)
{
	say(r, 200, "ok", "health_alive");
}

/* Readiness: a statement would be answered. */
void
health_ready(struct request *r)
{
	if (pool_is_up() && !versions_unreachable())
		say(r, 200, "ready", "health_ready");
	else
		say(r, 503, "unavailable", "database_unavailable");
}

void
health_pool(struct request *r)
{
	struct json_object *o = report_pool(r->language);
	const char *status = json_object_get_string(
	    json_object_object_get(o, "status"));

	reply(r, strcmp(status, "error") == 0 ? 503 : 200, o);
}

/* "" is no prefix. */
static const char *
none_when_blank(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

void
health_cache(struct request *r)
{
	reply(r, 200, report_cache(none_when_blank(http_query(r, "prefix")),
	    r->language));
}

void
health_clear(struct request *r)
{
	char *prefix, *table;

	if (!args_check(r))
		return;
	prefix = json_member_copy(&r->json, 0, "prefix");
	table = json_member_copy(&r->json, 0, "table");
	reply(r, 200, report_cleared(none_when_blank(prefix),
	    none_when_blank(table)));
	free(prefix);
	free(table);
}

/* What the server has counted is left out when it cannot be asked. */
static void
on_counted(struct request *r, void *context, const struct pool_answer *p)
{
	const char *counts = NULL;

	(void)context;
	if (p->outcome == POOL_DONE && PQntuples(p->finding->result) == 1 &&
	    !PQgetisnull(p->finding->result, 0, 0))
		counts = PQgetvalue(p->finding->result, 0, 0);
	reply(r, 200, report_slow(counts, true));
}

void
health_slow(struct request *r)
{
	struct args args = { .query = query_find("server_statements") };

	answer_query(r, &args, on_counted, NULL);
}
