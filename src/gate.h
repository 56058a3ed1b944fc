/* Who is asking, and may they: the one place where that is decided. */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "routes.h"

/* A person or a service, as the statement `identity` describes it. */
struct identity {
	char id[37];
	char role[64];			/* code of the primary role, or "" */
	bool active, service, has_role, manager;
	int64_t valid_from;		/* older tokens have ended; us, or 0 */
	uint64_t rights;		/* those that some route asks for */
	char *rights_array;		/* all of them, as a text[] literal */
};

/* Reads the access column of the routes; false with a sentence in `why`. */
bool gate_open(char *why, size_t size);

/*
 * Finds out who asks and whether the route is open to him: then calls `pass`,
 * with r->who set (NULL on a public route); else the request is refused.  May
 * have to wait for the database; r->state and r->abandon are the gate's until
 * then.
 */
void gate_enter(struct request *r, void (*pass)(struct request *));

/* Whether the asker has a right like "jobs.view". */
bool gate_has(const struct identity *, const char *right);

#endif
