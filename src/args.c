/*
 * Where an argument comes from is decided once, at the start, by its name:
 * reserved names first (so no client can set one), then {names} of the path,
 * then the route's query fields.  What is in none of these is a defect of the
 * table and refuses to start.
 */
#include "args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "field.h"
#include "gate.h"
#include "match.h"

#define ROUTES_MAX 256

enum origin { ME, ROLE, RIGHTS, OPERATOR, LANG, TODAY, WHOLE_BODY, GIVEN,
    IN_PATH, IN_QUERY };

static const struct {
	const char *name;
	enum origin origin;
} reserved[] = {
	{ "me", ME },
	{ "role", ROLE },
	{ "rights", RIGHTS },
	{ "operator", OPERATOR },
	{ "lang", LANG },
	{ "today", TODAY },
	{ "body", WHOLE_BODY },
	{ "hash", GIVEN },		/* by the route's handler */
	{ "old", GIVEN },
};

static struct plan {
	const struct query *query;
	unsigned char origins[QUERY_ARGUMENTS_MAX];
	const struct field *fields[QUERY_ARGUMENTS_MAX];	/* IN_QUERY */
} plans[ROUTES_MAX];

static const struct field uuid = { .type = UUID };

static const struct field *
query_field(const struct route *route, const char *name)
{
	for (const struct field *f = route->fields; f != NULL &&
	    f->name != NULL; f++)
		if (f->source == QUERY && strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static bool
find_origin(const struct route *route, struct plan *plan, unsigned i)
{
	const char *name = plan->query->arguments[i];

	for (size_t k = 0; k < sizeof reserved / sizeof *reserved; k++)
		if (strcmp(reserved[k].name, name) == 0) {
			plan->origins[i] = reserved[k].origin;
			return true;
		}
	if (match_has(route, name)) {
		plan->origins[i] = IN_PATH;
		return true;
	}
	plan->origins[i] = IN_QUERY;
	plan->fields[i] = query_field(route, name);
	return plan->fields[i] != NULL;
}

static bool
plan_route(unsigned n, char *why, size_t size)
{
	const struct route *route = &routes[n];
	struct plan *plan = &plans[n];

	if (route->statement == NULL)
		return true;
	if ((plan->query = query_find(route->statement)) == NULL) {
		snprintf(why, size, "%s needs a statement \"%s\"",
		    route->path, route->statement);
		return false;
	}
	if (route->method == GET && !plan->query->reads) {
		snprintf(why, size, "the statement \"%s\" answers a GET but "
		    "does not say what it reads", route->statement);
		return false;
	}
	for (unsigned i = 0; i < plan->query->count; i++)
		if (!find_origin(route, plan, i)) {
			snprintf(why, size, "%s: nobody gives the statement "
			    "\"%s\" its argument \"%s\"", route->path,
			    route->statement, plan->query->arguments[i]);
			return false;
		}
	return true;
}

bool
args_open(char *why, size_t size)
{
	for (unsigned i = 0; i < routes_count; i++)
		if (!plan_route(i, why, size))
			return false;
	return true;
}

const struct query *
args_query(unsigned route)
{
	return plans[route].query;
}

void
args_today(char out[16])
{
	static time_t when;
	static char date[16];
	time_t now = time(NULL);
	struct tm tm;

	if (now != when && localtime_r(&now, &tm) != NULL) {
		strftime(date, sizeof date, "%Y-%m-%d", &tm);
		when = now;
	}
	strcpy(out, date);
}

/*
 * The words of a required text or list say that it is missing, not that it is
 * long or holds something else.
 */
static bool
is_only_demanded(const struct field *f)
{
	return f->flags & REQUIRED && f->min <= 1 &&
	    (f->type == TEXT || f->type == LOOSE || f->type == UUIDS);
}

static bool
refuse_field(struct request *r, const struct field *f, bool missing)
{
	char text[128];

	if (f->refusal != NULL && (missing || !is_only_demanded(f)))
		http_refuse(r, 400, f->refusal, f->name);
	else {
		snprintf(text, sizeof text, "%s|%s", missing ?
		    "field_required" : "field_invalid", f->name);
		http_refuse(r, 400, text, f->name);
	}
	return false;
}

/* Every {name} of a path is an id, unless a PATH field says otherwise. */
static bool
check_path(struct request *r)
{
	const char *at = r->route->path;

	for (unsigned i = 0; (at = strchr(at, '/')) != NULL; i++, at++) {
		const struct field *f = &uuid, *g = r->route->fields;

		if (at[1] != '{')
			continue;
		for (; g != NULL && g->name != NULL; g++)
			if (g->source == PATH && strncmp(g->name, at + 2,
			    strcspn(at + 2, "}")) == 0)
				f = g;
		if (!field_check_text(f, r->segments[i])) {
			http_refuse(r, 404, r->route->not_found != NULL ?
			    r->route->not_found : "not_found", NULL);
			return false;
		}
	}
	return true;
}

static char *
query_value(struct request *r, const char *name)
{
	for (unsigned i = 0; i < r->pair_count; i++)
		if (strcmp(r->pairs[i].name, name) == 0)
			return r->pairs[i].value;
	return NULL;
}

static bool
check_query(struct request *r)
{
	for (const struct field *f = r->route->fields; f != NULL &&
	    f->name != NULL; f++) {
		char *value;

		if (f->source != QUERY)
			continue;
		value = query_value(r, f->name);
		if (value == NULL || value[0] == '\0') {
			if (f->flags & REQUIRED)
				return refuse_field(r, f, true);
		} else if (!field_check_text(f, value)) {
			if (!(f->flags & LENIENT))
				return refuse_field(r, f, false);
			value[0] = '\0';	/* as if it were not given */
		}
	}
	return true;
}

static bool
is_json_type(const char *type)
{
	size_t length;
	const char *plus;

	if (type == NULL)
		return false;
	length = strcspn(type, "; ");
	plus = memmem(type, length, "+json", 5);
	return (length == 16 && strncasecmp(type, "application/json", 16) ==
	    0) || (plus != NULL && plus + 5 == type + length);
}

static bool
is_empty(const struct request *r)
{
	return r->body == NULL ||
	    r->body[strspn(r->body, " \t\r\n")] == '\0';
}

static bool
set_body(struct request *r, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return http_refuse(r, 503, "busy", NULL), false;
	free(r->body);
	r->body = copy;
	r->body_length = strlen(text);
	return true;
}

/* A comma for each value but the first, so this many nodes are enough. */
static uint32_t
nodes_needed(const char *text, size_t length)
{
	uint32_t n = 2;

	for (size_t i = 0; i < length && n < JSON_NODES_MAX; i++)
		n += 2 * (text[i] == ',' || text[i] == ':' || text[i] == '[' ||
		    text[i] == '{');
	return n < JSON_NODES_MAX ? n : JSON_NODES_MAX;
}

static bool
read_json(struct request *r)
{
	uint32_t room = nodes_needed(r->body, r->body_length);
	struct json_node *nodes = calloc(room, sizeof *nodes);

	if (nodes == NULL) {
		http_refuse(r, 503, "busy", NULL);
		return false;
	}
	/* The nodes are the request's from here on, whatever they say. */
	if (json_read(&r->json, r->body, r->body_length, nodes, room) ==
	    JSON_FINE)
		return true;
	http_refuse(r, 400, "json_malformed", NULL);
	return false;
}

/* What the loose kinds take for an empty object. */
static bool
counts_as_empty(const struct request *r)
{
	return r->route->body != JSON_BODY && json_is_nothing(&r->json, 0);
}

static bool
check_body(struct request *r)
{
	const struct field *bad;
	bool missing;

	if (r->route->method == GET || r->route->body == NO_BODY)
		return true;
	if (is_empty(r) && r->route->body == OPTIONAL_BODY) {
		if (!set_body(r, "{}"))
			return false;
	} else if (r->route->body < ANY_BODY &&
	    !is_json_type(http_header(r, FCGI_CONTENT_TYPE))) {
		http_refuse(r, 415, "content_type_unsupported", NULL);
		return false;
	}
	if (is_empty(r))
		return http_refuse(r, 400, "json_malformed", NULL), false;
	if (!read_json(r))
		return false;
	if (counts_as_empty(r)) {
		free(r->json.nodes);
		r->json.nodes = NULL;
		if (!set_body(r, "{}") || !read_json(r))
			return false;
	}
	if (r->json.nodes->kind != JSON_OBJECT) {
		http_refuse(r, 400, "json_not_object", NULL);
		return false;
	}
	if (!field_check_object(r->route->fields, &r->json, 0, &bad, &missing))
		return refuse_field(r, bad, missing);
	return true;
}

bool
args_check(struct request *r)
{
	return check_path(r) && check_query(r) && check_body(r);
}

static const char *
text_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : text;
}

static const char *
value_of(struct request *r, struct args *args, const struct plan *plan,
    unsigned i)
{
	const struct identity *who = r->who;
	const char *value;

	switch ((enum origin)plan->origins[i]) {
	case ME:
		return who == NULL || who->service ? NULL : r->user;
	case ROLE:
		return who == NULL ? NULL : text_or_null(who->role);
	case RIGHTS:
		return who == NULL ? "{}" : who->rights_array;
	case OPERATOR:
		return who != NULL && strcmp(who->role, "operator") == 0 ?
		    r->user : NULL;
	case LANG:
		return r->language == TURKISH ? "tr" : "en";
	case TODAY:
		args_today(args->today);
		return args->today;
	case WHOLE_BODY:
		return r->body != NULL ? r->body : "{}";
	case IN_PATH:
		return match_value(r, plan->query->arguments[i]);
	case IN_QUERY:
		value = query_value(r, plan->fields[i]->name);
		if (!(plan->fields[i]->flags & BLANK))
			value = text_or_null(value);
		return value != NULL ? value : plan->fields[i]->fallback;
	case GIVEN:
		break;
	}
	return NULL;
}

void
args_fill(struct request *r, struct args *args)
{
	const struct plan *plan = &plans[r->route_index];

	args->query = plan->query;
	for (unsigned i = 0; i < plan->query->count; i++)
		args->values[i] = value_of(r, args, plan, i);
}

bool
args_bind(struct request *r, struct args *args)
{
	if (!args_check(r))
		return false;
	args_fill(r, args);
	return true;
}

char *
args_keep(struct args *args)
{
	size_t bytes = 1;
	char *block, *to;

	for (unsigned i = 0; i < args->query->count; i++)
		if (args->values[i] != NULL)
			bytes += strlen(args->values[i]) + 1;
	if ((block = to = malloc(bytes)) == NULL)
		return NULL;
	for (unsigned i = 0; i < args->query->count; i++)
		if (args->values[i] != NULL) {
			char *copy = to;

			to = stpcpy(copy, args->values[i]) + 1;
			args->values[i] = copy;
		}
	return block;
}

void
args_set(struct args *args, const char *name, const char *value)
{
	for (unsigned i = 0; i < args->query->count; i++)
		if (strcmp(args->query->arguments[i], name) == 0)
			args->values[i] = value;
}
