/* What is told of the program's state, as JSON: for HTTP and reklamctl. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

#include "text.h"

struct json_object;

/* The caller's, ends with json_object_put. */
struct json_object *report_status(void);
struct json_object *report_workers(void);

/* Statements, the slowest first, and whether with their plans.  `server`: what
 * pg_stat_statements has counted of them by name, as JSON, or NULL. */
struct json_object *report_slow(const char *server, bool plans);

/* As GET /api/health/db and /api/health/cache answer. */
struct json_object *report_pool(enum language);
struct json_object *report_cache(const char *prefix, enum language);

/*
 * Makes answers old: all, those whose name begins with `prefix`, or those that
 * read `table`; NULL for none.  Tells how many counted until now.
 */
struct json_object *report_cleared(const char *prefix, const char *table);

#endif
