/*
 * The document is made once per worker, from routes.c and fields.c: what is
 * not in those tables is not in it.  Answers are objects whose members the
 * statements decide, so they are not described further.
 */
#include "openapi.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "conf.h"
#include "http.h"
#include "match.h"
#include "routes.h"

typedef struct json_object object;

static void
put(object *o, const char *name, object *value)
{
	json_object_object_add(o, name, value);
}

static void
put_text(object *o, const char *name, const char *text)
{
	put(o, name, json_object_new_string(text));
}

static object *
new_in(object *o, const char *name)
{
	object *inner = json_object_new_object();

	put(o, name, inner);
	return inner;
}

/* How a type of field is written in JSON Schema. */
static const struct {
	const char *type, *format;
	bool counts_characters, is_range;
} schemas[] = {
	[TEXT] = { "string", NULL, true, false },
	[LOOSE] = { NULL, NULL, false, false },
	[UUID] = { "string", "uuid", false, false },
	[INTEGER] = { "integer", NULL, false, true },
	[NUMBER] = { "number", NULL, false, true },
	[BOOLEAN] = { "boolean", NULL, false, false },
	[FLAG] = { NULL, NULL, false, false },
	[DATE] = { "string", "date", false, false },
	[TIME] = { "string", NULL, false, false },
	[TIMESTAMP] = { "string", NULL, false, false },
	[CHOICE] = { "string", NULL, false, false },
	[CHOICES] = { "string", NULL, false, false },
	[UUIDS] = { "array", NULL, false, false },
	[OBJECT] = { "object", NULL, false, false },
	[OBJECTS] = { "array", NULL, false, false },
};

static object *fields_schema(const struct field *, enum source);

static void
put_limits(object *schema, const struct field *f)
{
	bool characters = schemas[f->type].counts_characters;

	if (f->min == 0 && f->max == 0)
		return;
	if (characters || schemas[f->type].is_range) {
		if (f->min != 0 || !characters)
			put(schema, characters ? "minLength" : "minimum",
			    json_object_new_int64(f->min));
		if (f->max != 0 || !characters)
			put(schema, characters ? "maxLength" : "maximum",
			    json_object_new_int64(f->max));
	} else if (f->type == UUIDS || f->type == OBJECTS)
		put(schema, "maxItems", json_object_new_int64(f->max));
}

static void
put_choices(object *schema, const char *words)
{
	object *list = json_object_new_array();
	size_t length;

	for (; *words != '\0'; words += length + strspn(words + length, " ")) {
		length = strcspn(words, " ");
		json_object_array_add(list,
		    json_object_new_string_len(words, (int)length));
	}
	put(schema, "enum", list);
}

/* What may be left out may be null as well, unless the table says no. */
static void
put_type(object *schema, const struct field *f)
{
	const char *type = schemas[f->type].type;
	object *both;

	if (type == NULL)
		return;
	if (f->source == QUERY || f->flags & (REQUIRED | NOT_NULL) ||
	    f->type == CHOICE) {
		put_text(schema, "type", type);
		return;
	}
	both = json_object_new_array();
	json_object_array_add(both, json_object_new_string(type));
	json_object_array_add(both, json_object_new_string("null"));
	put(schema, "type", both);
}

static object *
schema_of(const struct field *f)
{
	object *schema = json_object_new_object();

	put_type(schema, f);
	if (schemas[f->type].format != NULL)
		put_text(schema, "format", schemas[f->type].format);
	put_limits(schema, f);
	if (f->choices != NULL && f->type == CHOICE)
		put_choices(schema, f->choices);
	else if (f->choices != NULL)
		put_text(schema, "description", f->choices);
	if (f->fallback != NULL)
		put_text(schema, "default", f->fallback);
	if (f->type == UUIDS)
		put_text(new_in(schema, "items"), "format", "uuid");
	if (f->type == OBJECTS)
		put(schema, "items", f->members != NULL ?
		    fields_schema(f->members, BODY) :
		    json_object_new_object());
	return schema;
}

static object *
fields_schema(const struct field *fields, enum source source)
{
	object *schema = json_object_new_object(), *properties;
	object *required = json_object_new_array();

	put_text(schema, "type", "object");
	properties = new_in(schema, "properties");
	for (const struct field *f = fields; f->name != NULL; f++) {
		if (f->source != source)
			continue;
		put(properties, f->name, schema_of(f));
		if (f->flags & REQUIRED)
			json_object_array_add(required,
			    json_object_new_string(f->name));
	}
	if (json_object_array_length(required) > 0)
		put(schema, "required", required);
	else
		json_object_put(required);
	return schema;
}

static object *
parameter(const char *name, const char *in, bool required, object *schema)
{
	object *p = json_object_new_object();

	put_text(p, "name", name);
	put_text(p, "in", in);
	if (required)
		put(p, "required", json_object_new_boolean(true));
	put(p, "schema", schema);
	return p;
}

static const struct field *
find_field(const struct route *route, enum source source, const char *name,
    size_t length)
{
	for (const struct field *f = route->fields; f != NULL &&
	    f->name != NULL; f++)
		if (f->source == source && strncmp(f->name, name, length) == 0
		    && f->name[length] == '\0')
			return f;
	return NULL;
}

static void
add_path_parameters(object *list, const struct route *route)
{
	static const struct field uuid = { .type = UUID, .flags = REQUIRED };
	const char *at = route->path;

	while ((at = strchr(at, '{')) != NULL) {
		size_t length = strcspn(++at, "}");
		const struct field *f = find_field(route, PATH, at, length);
		char name[64];

		snprintf(name, sizeof name, "%.*s", (int)length, at);
		json_object_array_add(list, parameter(name, "path", true,
		    schema_of(f != NULL ? f : &uuid)));
	}
}

static void
put_parameters(object *operation, const struct route *route)
{
	object *list = json_object_new_array();

	add_path_parameters(list, route);
	for (const struct field *f = route->fields; f != NULL &&
	    f->name != NULL; f++)
		if (f->source == QUERY)
			json_object_array_add(list, parameter(f->name,
			    "query", f->flags & REQUIRED, schema_of(f)));
	if (json_object_array_length(list) > 0)
		put(operation, "parameters", list);
	else
		json_object_put(list);
}

static void
put_body(object *operation, const struct route *route)
{
	bool required = false;

	if (route->body == NO_BODY || route->fields == NULL)
		return;
	for (const struct field *f = route->fields; f->name != NULL; f++)
		required |= f->source == BODY && f->flags & REQUIRED;
	operation = new_in(operation, "requestBody");
	put(operation, "required", json_object_new_boolean(required));
	operation = new_in(new_in(operation, "content"), "application/json");
	put(operation, "schema", fields_schema(route->fields, BODY));
}

static bool
is_public(const struct route *route)
{
	return strcmp(route->access, "public") == 0;
}

static bool
has_parameter(const struct route *route)
{
	return strchr(route->path, '{') != NULL;
}

static bool
takes_values(const struct route *route)
{
	return route->fields != NULL || route->body != NO_BODY;
}

static bool
needs_token(const struct route *route)
{
	return !is_public(route);
}

static bool
may_be_forbidden(const struct route *route)
{
	return needs_token(route) && strcmp(route->access, "token") != 0;
}

static bool
writes(const struct route *route)
{
	return route->method != GET;
}

static bool
may_be_unchanged(const struct route *route)
{
	return route->method == GET && route->statement != NULL;
}

static bool
always(const struct route *route)
{
	(void)route;
	return true;
}

static bool
is_login(const struct route *route)
{
	return route->method == POST && is_public(route);
}

/* What a route may answer besides success. */
static const struct {
	const char *status, *description;
	bool (*is_of)(const struct route *);
	bool has_body;
} refusals[] = {
	{ "304", "Not modified: the client has it", may_be_unchanged, false },
	{ "400", "A value is missing, malformed or out of range",
	    takes_values, true },
	{ "401", "No valid token, or wrong credentials", needs_token, true },
	{ "401", "Wrong credentials", is_login, true },
	{ "403", "The right is missing", may_be_forbidden, true },
	{ "404", "There is no such thing", has_parameter, true },
	{ "409", "The present state does not allow it", writes, true },
	{ "429", "Too many attempts", is_login, true },
	{ "503", "Busy, or without the database: try again", always, true },
};

static object *
response(const char *description, const char *type, const char *schema)
{
	object *r = json_object_new_object(), *content;

	put_text(r, "description", description);
	if (type == NULL)
		return r;
	content = new_in(new_in(r, "content"), type);
	content = new_in(content, "schema");
	if (schema != NULL)
		put_text(content, "$ref", schema);
	return r;
}

static void
put_responses(object *operation, const struct route *route)
{
	object *responses = new_in(operation, "responses");
	bool table = route->flags & EXPORT;

	put(responses, "2XX", response("Success", table ? "text/csv" :
	    "application/json", NULL));
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (refusals[i].is_of(route))
			put(responses, refusals[i].status,
			    response(refusals[i].description,
			    refusals[i].has_body ? "application/json" : NULL,
			    refusals[i].has_body ?
			    "#/components/schemas/Error" : NULL));
}

/* The first segment behind /api, by which readers group. */
static void
put_tag(object *operation, const struct route *route)
{
	object *tags = json_object_new_array();
	const char *from = route->path + strlen("/");

	if (strncmp(from, "api/", 4) == 0)
		from += 4;
	json_object_array_add(tags, json_object_new_string_len(from,
	    (int)strcspn(from, "/{.")));
	put(operation, "tags", tags);
}

static object *
operation_of(const struct route *route)
{
	object *o = json_object_new_object(), *none;

	put_text(o, "summary", route->help);
	put_text(o, "x-access", route->access);
	if (route->cache != NULL) {
		put_text(o, "x-cache", route->cache);
		put(o, "x-ttl", json_object_new_int64(conf_ttl(route->cache,
		    route->ttl)));
	}
	put_tag(o, route);
	if (is_public(route)) {
		none = json_object_new_array();
		put(o, "security", none);
	}
	put_parameters(o, route);
	put_body(o, route);
	put_responses(o, route);
	return o;
}

static void
put_paths(object *document)
{
	static const char *const methods[] = { [GET] = "get",
	    [POST] = "post", [PATCH] = "patch", [DELETE] = "delete" };
	object *paths = new_in(document, "paths"), *path;

	for (size_t i = 0; i < routes_count; i++) {
		if (!json_object_object_get_ex(paths, routes[i].path, &path))
			path = new_in(paths, routes[i].path);
		put(path, methods[routes[i].method],
		    operation_of(&routes[i]));
	}
}

static void
put_components(object *document)
{
	object *components = new_in(document, "components"), *o;
	object *required = json_object_new_array();

	o = new_in(new_in(components, "securitySchemes"), "token");
	put_text(o, "type", "http");
	put_text(o, "scheme", "bearer");
	put_text(o, "bearerFormat", "JWT");
	o = new_in(new_in(components, "schemas"), "Error");
	put_text(o, "type", "object");
	json_object_array_add(required, json_object_new_string("error"));
	put(o, "required", required);
	o = new_in(o, "properties");
	put_text(new_in(o, "error"), "type", "string");
	put_text(new_in(o, "field"), "type", "string");
}

static object *
make_document(void)
{
	object *d = json_object_new_object(), *o, *list;

	put_text(d, "openapi", "3.1.0");
	o = new_in(d, "info");
	put_text(o, "title", "reklam");
	put_text(o, "version", VERSION);
	put_text(o, "description", "Production tracking of a sign and print "
	    "shop. Errors are {\"error\": words, \"field\": name}; lists take "
	    "limit and offset and tell X-Total-Count.");
	o = json_object_new_object();
	put(o, "token", json_object_new_array());
	list = json_object_new_array();
	json_object_array_add(list, o);
	put(d, "security", list);
	put_paths(d);
	put_components(d);
	return d;
}

void
openapi_tell(struct request *r)
{
	static char *text, head[HTTP_HEAD_MAX];
	static size_t length, head_length;
	static unsigned char etag[CACHE_ETAG];
	struct http_timing timing = { .cache = "hit" };

	if (text == NULL) {
		object *d = make_document();

		text = strdup(json_object_to_json_string_length(d,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		    &length));
		json_object_put(d);
		if (text == NULL) {
			http_refuse(r, 503, "busy", NULL);
			return;
		}
		cache_etag(text, length, etag);
		head_length = http_answer_head(head, sizeof head,
		    "application/json", -1, etag, NULL, length);
	}
	http_answer(r, head, head_length, etag, text, length, &timing);
}
