/* Flights: one execution per key and versions on the whole host. */
#ifndef CLAIM_H
#define CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t claim_bytes(void);
void claim_open(void);		/* after shm_open_memory, before fork */

enum claim {
	CLAIM_TAKEN,	/* it is ours: execute, store, then release */
	CLAIM_OTHERS,	/* another worker executes; our bell will ring */
	CLAIM_NONE	/* its place is in use for something else: execute */
};

/* `id` is a hash of key and versions, so equal ids are the same flight. */
enum claim claim_take(uint64_t id, unsigned slot);

/* After the answer has been stored, or has failed: rings all who wait. */
void claim_release(uint64_t id, unsigned slot);

/* Before the release: there is no answer to be found in memory. */
void claim_fruitless(uint64_t id);
bool claim_was_fruitless(uint64_t id);

/* Whether that flight is still in the air; `watch`: so that our bell rings
 * at its end. */
bool claim_is_held(uint64_t id);
bool claim_watch(uint64_t id, unsigned slot);

/* Whether some other worker may be waiting for it. */
bool claim_has_waiters(uint64_t id);

/* The master's, when a worker is gone: releases all it held. */
void claim_release_all(unsigned slot);

/*
 * Bells: one eventfd per slot and one of the
 * listener (SHM_LISTENER), made by the master before the first fork.  A
 * bell says "look at what you wait for"; it may ring for nothing.
 */
bool bell_open(void);
void bell_adopt(unsigned slot, int fd);	/* instead, from before exec */
int bell_descriptor(unsigned slot);
void bell_ring(unsigned slot);

#endif
