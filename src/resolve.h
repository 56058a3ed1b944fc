/* Where a connection string leads: addresses, looked up off the loop. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <sys/queue.h>

struct event_base;

#define RESOLVE_MOST 16

/* In the words of libpq; a part that is empty is not said at all. */
struct place {
	char host[256], address[64], port[16];
};

struct places {
	unsigned count;			/* 0: no name was found */
	struct place at[RESOLVE_MOST];
};

/* The memory is the caller's until `done` or resolve_cancel. */
struct resolve {
	void (*done)(struct resolve *, const struct places *);
	LIST_ENTRY(resolve) link;
	bool waits;
};

/*
 * Calls `done` with the places of the string, in its order, each name beside
 * one of its addresses: at once, or when the names have been looked up.  A
 * process has one string.
 */
void resolve_start(struct event_base *, const char *url, struct resolve *);
void resolve_cancel(struct resolve *);

#endif
