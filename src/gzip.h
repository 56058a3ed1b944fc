/* The compressed form of an answer, made off the loop when it is large. */
#ifndef GZIP_H
#define GZIP_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;

#define GZIP_LEAST 1024			/* smaller ones are not worth it */

/* Starts the helper; its results arrive on the loop. */
bool gzip_open(struct event_base *);

/*
 * Compresses a copy of the text; `done` is called on the loop, perhaps before
 * this returns, with NULL when it failed.  False when another one is being
 * made: it is asked for again soon enough.
 */
typedef void gzip_done(void *context, const char *bytes, size_t length);
bool gzip_make(const char *text, size_t length, gzip_done *done,
    void *context);

#endif
