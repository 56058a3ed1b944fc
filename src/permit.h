/* The right to hold a connection to the database, counted over all workers. */
#ifndef PERMIT_H
#define PERMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "shm.h"

#define PERMITS_MAX 1024

/*
 * Beside the slots there are two guests, who own none and take what is free:
 * SHM_LISTENER, while a listener and its successor are both connected (one of
 * the two is not counted here), and whoever checks settings.
 */
#define PERMIT_CHECK SHM_PROCESSES
#define PERMIT_HOLDERS (SHM_PROCESSES + 1)

size_t permit_bytes(void);
void permit_open(void);		/* after shm_open_memory, before fork */

/*
 * The master's: so many permits in all, of which each of the `count` slots
 * owns an equal share; all other slots own none.  May shrink: what is held
 * beyond comes back as it is given back.
 */
void permit_share(unsigned limit, const unsigned *slots, unsigned count);
unsigned permit_limit(void);

/*
 * Takes one: of the own share, or a lent one.  -1 when there is none; then
 * permit_want() asks for it, when the slot holds less than its share: those
 * who hold more than theirs are rung (claim.h) and give back idle ones at
 * once, busy ones after their statement.
 */
int permit_take(unsigned slot);
void permit_want(unsigned slot);

/* The same for a guest who may block; false when it gets none in time. */
bool permit_wait(unsigned guest, long ms);
bool permit_wanted(void);

/* The server process that the permit's connection led to. */
void permit_backend(int permit, int pid);

/*
 * The connection is closed.  The permit is free when the listener has seen
 * that its server process is gone.
 */
void permit_give(int permit);

unsigned permit_held(unsigned slot);
unsigned permit_owned(unsigned slot);

/* The master's, when somebody is gone: gives all that it held. */
void permit_give_all(unsigned slot);

/*
 * The listener's.  The server processes to look for, at most `room`; those that
 * are gone; and the same for all, when the server itself is gone.
 */
unsigned permit_closing(int *pids, unsigned room);
void permit_gone(int pid);
void permit_all_gone(void);

#endif
