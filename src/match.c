/*
 * A path is a list of segments; a segment in braces matches anything that is
 * not empty.  Routes are looked for by their number of segments, the ones with
 * more fixed segments first, so that /api/tasks/history wins over /{id}.
 */
#include "match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTES_MAX 256

struct pattern {
	unsigned route, count, fixed;
	char text[128];			/* the path, cut at its slashes */
	const char *segments[HTTP_SEGMENTS_MAX];
};

static struct pattern patterns[ROUTES_MAX];
static unsigned by_count[HTTP_SEGMENTS_MAX + 2];	/* where each begins */

static const char *const method_names[METHODS] = {
	[GET] = "GET", [POST] = "POST", [PATCH] = "PATCH", [DELETE] = "DELETE"
};

const char *
match_method_name(enum method method)
{
	return method_names[method];
}

static bool
is_name(const char *segment)
{
	return segment[0] == '{';
}

static bool
take_apart(struct pattern *p, unsigned route)
{
	const char *path = routes[route].path;
	char *rest;

	*p = (struct pattern){ .route = route };
	if (path[0] != '/' || strlen(path) >= sizeof p->text)
		return false;
	rest = strcpy(p->text, path);
	rest++;
	for (char *segment; (segment = strsep(&rest, "/")) != NULL; ) {
		if (p->count == HTTP_SEGMENTS_MAX)
			return false;
		p->fixed += !is_name(segment);
		p->segments[p->count++] = segment;
	}
	return true;
}

/* By number of segments; then the more definite ones first. */
static int
compare(const void *a, const void *b)
{
	const struct pattern *p = a, *q = b;

	if (p->count != q->count)
		return p->count < q->count ? -1 : 1;
	if (p->fixed != q->fixed)
		return p->fixed > q->fixed ? -1 : 1;
	return p->route < q->route ? -1 : 1;
}

static bool
same_request(const struct pattern *p, const struct pattern *q)
{
	if (routes[p->route].method != routes[q->route].method ||
	    p->count != q->count)
		return false;
	for (unsigned i = 0; i < p->count; i++)
		if (!(is_name(p->segments[i]) && is_name(q->segments[i])) &&
		    strcmp(p->segments[i], q->segments[i]) != 0)
			return false;
	return true;
}

/* The segments' pointers move with the sort, so they are made anew. */
static void
sort(void)
{
	unsigned order[ROUTES_MAX], n = 0;

	qsort(patterns, routes_count, sizeof *patterns, compare);
	for (unsigned i = 0; i < routes_count; i++)
		order[i] = patterns[i].route;
	for (unsigned i = 0; i < routes_count; i++)
		take_apart(&patterns[i], order[i]);
	for (unsigned count = 0; count <= HTTP_SEGMENTS_MAX + 1; count++) {
		while (n < routes_count && patterns[n].count < count)
			n++;
		by_count[count] = n;
	}
}

bool
match_open(char *why, size_t size)
{
	if (routes_count > ROUTES_MAX) {
		snprintf(why, size, "there are more than %d routes",
		    ROUTES_MAX);
		return false;
	}
	for (unsigned i = 0; i < routes_count; i++)
		if (!take_apart(&patterns[i], i)) {
			snprintf(why, size, "the path %s of a route is "
			    "malformed", routes[i].path);
			return false;
		}
	sort();
	for (unsigned i = 0; i < routes_count; i++)
		for (unsigned j = 0; j < i; j++)
			if (same_request(&patterns[i], &patterns[j])) {
				snprintf(why, size, "two routes are %s %s",
				    method_names[routes[patterns[i].route]
				    .method], routes[patterns[i].route].path);
				return false;
			}
	return true;
}

static bool
fits(const struct pattern *p, const struct request *r)
{
	for (unsigned i = 0; i < p->count; i++)
		if (is_name(p->segments[i]) ? r->segments[i][0] == '\0' :
		    strcmp(p->segments[i], r->segments[i]) != 0)
			return false;
	return true;
}

static void
add_method(char *allow, size_t size, const char *name)
{
	size_t length = strlen(allow);

	if (strstr(allow, name) == NULL)
		snprintf(allow + length, size - length, "%s%s",
		    length > 0 ? ", " : "", name);
}

enum match
match_route(struct request *r, char *allow, size_t size)
{
	unsigned n = r->segment_count;

	allow[0] = '\0';
	for (unsigned i = by_count[n]; i < by_count[n + 1]; i++) {
		const struct pattern *p = &patterns[i];
		const struct route *route = &routes[p->route];

		if (!fits(p, r))
			continue;
		if (route->method == (enum method)r->method) {
			r->route = route;
			r->route_index = p->route;
			return MATCH_FOUND;
		}
		add_method(allow, size, method_names[route->method]);
		if (route->method == GET)
			add_method(allow, size, "HEAD");
	}
	return allow[0] == '\0' ? MATCH_NO_PATH : MATCH_NO_METHOD;
}

/* Where the {name} stands in the path; -1 when it has none of that name. */
static int
place_of(const struct route *route, const char *name)
{
	size_t length = strlen(name);
	int place = 0;

	for (const char *at = route->path; (at = strchr(at, '/')) != NULL;
	    place++) {
		at++;
		if (at[0] == '{' && strncmp(at + 1, name, length) == 0 &&
		    at[1 + length] == '}')
			return place;
	}
	return -1;
}

const char *
match_value(const struct request *r, const char *name)
{
	int place = place_of(r->route, name);

	return place < 0 ? NULL : r->segments[place];
}

bool
match_has(const struct route *route, const char *name)
{
	return place_of(route, name) >= 0;
}
