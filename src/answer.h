/* From a request to its answer: route, gate, arguments, memory or database. */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "args.h"
#include "http.h"
#include "pool.h"

/* Reads the tables, once per process; false with a sentence in `why`. */
bool answer_open(char *why, size_t size);

/* What fcgi_open is given. */
extern const struct fcgi_handler answer_handler;

/*
 * For the routes with a handler.  Runs the route's statement with arguments
 * that args_fill and the handler have set (the values are copied), as a write
 * or, when the statement says what it reads, without the cache; the request is
 * answered with what it gives.
 */
void answer_run(struct request *, const struct args *);

/* The same, but `done` gets the outcome; it ends with a reply. */
typedef void answer_done(struct request *, void *context,
    const struct pool_answer *);
void answer_query(struct request *, const struct args *, answer_done *,
    void *context);

/* Refuses for what the database, or the lack of one, said. */
void answer_refuse(struct request *, const struct query *,
    const struct pool_answer *);

/* The TTL of a route in milliseconds, after the settings. */
int64_t answer_ttl_ms(unsigned route);

#endif
