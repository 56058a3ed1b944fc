/*
 * A claim is one word: the id's upper bits, and the slot that owns it.  It is
 * taken by compare-and-swap from 0 and released by its owner, or by the master
 * after the owner's death, so an owner is always somebody who lives or is
 * about to be cleaned up after.  An id has exactly one place in the table:
 * when that is in use by another flight, the request executes on its own,
 * which is only a lost saving.
 *
 * Whoever waits sets its slot's bit in `waiting` and then looks at the claim
 * again; whoever releases clears the claim and then takes the bits.  Both in
 * sequentially consistent order, so that one of them sees the other: a waiter
 * is rung, or sees that the flight is over.  Bits are taken for good: when
 * several were rung and one of them takes the claim anew, the others have to
 * set theirs again.
 */
#include "claim.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shm.h"

#define PLACES 16384
#define SLOT_BITS 8

struct place {
	_Atomic uint64_t claim;
	_Atomic uint64_t waiting;
	_Atomic uint64_t fruitless;	/* the last flight that was */
};

_Static_assert(SHM_SLOTS <= 64, "a bit for each slot in `waiting`");
_Static_assert(SHM_SLOTS < 1 << SLOT_BITS, "a slot fits into a claim");

static struct place *places;
static int bells[SHM_PROCESSES];

size_t
claim_bytes(void)
{
	return PLACES * sizeof *places;
}

void
claim_open(void)
{
	places = shm_take(claim_bytes());
}

static struct place *
place_of(uint64_t id)
{
	return &places[id % PLACES];
}

/* The lowest bits choose the place; the owner takes theirs in the word. */
static uint64_t
claim_of(uint64_t id, unsigned slot)
{
	return (id >> SLOT_BITS << SLOT_BITS) | (slot + 1);
}

static bool
is_flight(uint64_t claim, uint64_t id)
{
	return claim != 0 && claim >> SLOT_BITS == id >> SLOT_BITS;
}

bool
claim_watch(uint64_t id, unsigned slot)
{
	atomic_fetch_or(&place_of(id)->waiting, UINT64_C(1) << slot);
	return claim_is_held(id);
}

enum claim
claim_take(uint64_t id, unsigned slot)
{
	struct place *p = place_of(id);
	uint64_t held = 0;

	for (int tries = 0; tries < 2; tries++) {
		held = 0;
		if (atomic_compare_exchange_strong(&p->claim, &held,
		    claim_of(id, slot)))
			return CLAIM_TAKEN;
		if (!is_flight(held, id))
			return CLAIM_NONE;
		if (claim_watch(id, slot))
			return CLAIM_OTHERS;
	}
	return CLAIM_NONE;
}

static void
ring_waiting(struct place *p)
{
	uint64_t waiting = atomic_exchange(&p->waiting, 0);

	for (unsigned slot = 0; waiting != 0; slot++, waiting >>= 1)
		if (waiting & 1)
			bell_ring(slot);
}

static void
release(struct place *p, uint64_t held)
{
	if (atomic_compare_exchange_strong(&p->claim, &held, 0))
		ring_waiting(p);
}

void
claim_fruitless(uint64_t id)
{
	atomic_store(&place_of(id)->fruitless, id);
}

bool
claim_was_fruitless(uint64_t id)
{
	return atomic_load(&place_of(id)->fruitless) == id;
}

void
claim_release(uint64_t id, unsigned slot)
{
	release(place_of(id), claim_of(id, slot));
}

bool
claim_is_held(uint64_t id)
{
	return is_flight(atomic_load(&place_of(id)->claim), id);
}

bool
claim_has_waiters(uint64_t id)
{
	return atomic_load(&place_of(id)->waiting) != 0;
}

void
claim_release_all(unsigned slot)
{
	for (unsigned i = 0; i < PLACES; i++) {
		uint64_t held = atomic_load(&places[i].claim);

		if (held != 0 && (held & ((1 << SLOT_BITS) - 1)) == slot + 1)
			release(&places[i], held);
	}
}

bool
bell_open(void)
{
	for (unsigned slot = 0; slot < SHM_PROCESSES; slot++)
		if ((bells[slot] = eventfd(0,
		    EFD_NONBLOCK | EFD_CLOEXEC)) == -1)
			return false;
	return true;
}

void
bell_adopt(unsigned slot, int fd)
{
	if (slot < SHM_PROCESSES)
		bells[slot] = fd;
}

int
bell_descriptor(unsigned slot)
{
	return bells[slot];
}

void
bell_ring(unsigned slot)
{
	uint64_t one = 1;

	/* Full means it rings already. */
	if (write(bells[slot], &one, sizeof one) == -1)
		return;
}
