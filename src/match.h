/* Which route a request means. */
#ifndef MATCH_H
#define MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "routes.h"

/*
 * Takes the table apart, once; false with a sentence in `why` when two rows
 * mean the same request or one is malformed.
 */
bool match_open(char *why, size_t size);

enum match { MATCH_FOUND, MATCH_NO_PATH, MATCH_NO_METHOD };

/*
 * Sets the request's route.  MATCH_NO_METHOD: `allow` lists the methods that
 * the path has.
 */
enum match match_route(struct request *, char *allow, size_t size);

/* The value of a path's {name}, or NULL. */
const char *match_value(const struct request *, const char *name);

/* Whether the route's path has a {name}. */
bool match_has(const struct route *, const char *name);

const char *match_method_name(enum method);

#endif
