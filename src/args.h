/* The arguments of a statement, each from its one source, checked. */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "query.h"
#include "routes.h"

struct args {
	const struct query *query;
	const char *values[QUERY_ARGUMENTS_MAX];
	char today[16];
};

/*
 * Finds the source of each statement's arguments, once; false with a sentence
 * in `why` when a route's statement is missing or asks for what nobody gives.
 */
bool args_open(char *why, size_t size);

/* The statement of a route, or NULL. */
const struct query *args_query(unsigned route);

/*
 * Checks what the client sent against the route's fields and binds the
 * statement's arguments; the values live as long as the request and `args`.
 * False when the request has been refused.
 */
bool args_bind(struct request *, struct args *);

/*
 * The same in two steps, for those who look at the body in between: checks
 * path, query and body, then binds.
 */
bool args_check(struct request *);
void args_fill(struct request *, struct args *);

/*
 * Copies all values into one piece of memory, which the caller frees: for who
 * waits, since what they point to may change meanwhile.  NULL when there is no
 * memory.
 */
char *args_keep(struct args *);

/* Sets the value of an argument that the statement has. */
void args_set(struct args *, const char *name, const char *value);

/* The date in the shop's time zone. */
void args_today(char out[16]);

#endif
