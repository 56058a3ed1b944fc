/* Which processes there should be, and what follows from it. */
#ifndef ROSTER_H
#define ROSTER_H

#include <stdint.h>

#include "children.h"

/* `ready` is the pipe on which a child says that it serves. */
void roster_open(unsigned generation, int ready);

/* All of the present generation are to be followed by a new one. */
void roster_renew(void);
unsigned roster_generation(void);

/* Starts, retires and closes what differs from what should be. */
void roster_compare(void);

/* A child has ended that was `c` in that slot: when its successor starts. */
void roster_ended(unsigned slot, const struct child *c, int status);

/* When somebody may start who waits for it, or `latest`. */
int64_t roster_next_ms(int64_t now, int64_t latest);

#endif
