/*
 * What has to be done follows from a comparison, made after each event: every
 * wanted socket needs one worker of the present generation; when it serves,
 * those of older generations retire.  So start, crash, reload and upgrade are
 * the same work.
 */
#include "roster.h"

#include <signal.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include "board.h"
#include "control.h"
#include "log.h"
#include "shm.h"
#include "sockets.h"

#define YOUNG_MS 1000		/* who dies younger is replaced later */
#define BACKOFF_MOST_MS 2000
#define BACKOFF_SERVED_MS 100	/* when it is not its own fault */
#define UNLISTED_QUIET_MS 2000	/* nobody asks there any more */
#define UNLISTED_MOST_MS 60000

static unsigned generation;
static int ready;
static bool announced;

/* When the next worker of each socket may start; the listener's is the last. */
static struct {
	unsigned young;
	int64_t at_ms;
	int room;			/* the slot of the one before */
} starts[SOCKETS_MAX + 1];
#define LISTENER_START SOCKETS_MAX

/* What the list no longer names, but nginx may until it reloads as well. */
static struct {
	int64_t since_ms, quiet_ms;	/* 0: it is named */
	uint64_t requests;
} unlisted[SOCKETS_MAX];

void
roster_open(unsigned present, int told_when_ready)
{
	generation = present;
	ready = told_when_ready;
	for (size_t i = 0; i <= LISTENER_START; i++)
		starts[i].room = -1;
	board_common->generation = generation;
}

void
roster_renew(void)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		starts[i].young = 0;
		starts[i].at_ms = 0;
		starts[i].room = -1;
	}
	board_common->generation = ++generation;
	announced = false;
}

unsigned
roster_generation(void)
{
	return generation;
}

/*
 * Who fails before it serves will hardly do better at once.  One that served
 * may have met a bad request, and one that was killed has been killed by
 * somebody: the other requests of its socket should not wait for that.
 */
static int64_t
backoff_ms(unsigned young, bool could_start)
{
	int64_t ms = 50, most = could_start ? BACKOFF_SERVED_MS :
	    BACKOFF_MOST_MS;

	if (young < 2)		/* the first time at once */
		return 0;
	while (young-- > 2 && ms < most)
		ms *= 2;
	return ms < most ? ms : most;
}

static void
start_listener(void)
{
	const struct child *c = &children[SHM_LISTENER];
	bool old = c->pid != 0 && c->generation != generation;

	if ((c->pid != 0 && !old) || children_old_listener != 0 ||
	    shm_now_ms() < starts[LISTENER_START].at_ms)
		return;
	if (!children_start_listener(generation, ready, old))
		starts[LISTENER_START].at_ms = shm_now_ms() + 100;
}

static bool
has_present_worker(int socket)
{
	int slot = children_newest(socket);

	return slot >= 0 && children[slot].generation == generation;
}

static void
start_workers(void)
{
	for (int i = 0; i < SOCKETS_MAX; i++) {
		if (!sockets[i].wanted || has_present_worker(i) ||
		    shm_now_ms() < starts[i].at_ms)
			continue;
		if (!children_start_worker(i, generation, ready,
		    starts[i].room))
			starts[i].at_ms = shm_now_ms() + 100;
	}
}

static uint64_t
requests_of(int socket)
{
	int slot = children_newest(socket);

	return slot >= 0 ? board_slots[slot].requests : 0;
}

/* Hides what nobody asks any more: who still comes finds another one. */
static void
leave_sockets(void)
{
	int64_t now = shm_now_ms();

	for (int i = 0; i < SOCKETS_MAX; i++) {
		uint64_t requests = requests_of(i);

		if (sockets[i].fd == -1 || sockets[i].wanted) {
			unlisted[i].since_ms = 0;
			continue;
		}
		if (unlisted[i].since_ms == 0)
			unlisted[i].since_ms = now;
		if (unlisted[i].since_ms == now ||
		    unlisted[i].requests != requests) {
			unlisted[i].requests = requests;
			unlisted[i].quiet_ms = now;
		}
		if (now - unlisted[i].quiet_ms >= UNLISTED_QUIET_MS ||
		    now - unlisted[i].since_ms >= UNLISTED_MOST_MS)
			sockets_hide(&sockets[i]);
	}
}

/* Whom a younger worker that serves has made superfluous, or the list. */
static void
retire_workers(void)
{
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++) {
		const struct child *c = &children[slot];
		int newest;

		if (c->pid <= 0 || c->state == CHILD_RETIRING)
			continue;
		newest = children_newest(c->socket);
		if (sockets[c->socket].path[0] == '\0' || (newest != (int)slot &&
		    children[newest].state == CHILD_READY))
			children_retire(slot);
	}
}

/* A socket that is not wanted is closed when its last worker has gone. */
static void
close_sockets(void)
{
	for (int i = 0; i < SOCKETS_MAX; i++) {
		bool used = sockets[i].wanted;

		for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
			used |= children[slot].pid != 0 &&
			    children[slot].socket == i;
		if (sockets[i].fd != -1 && !used)
			sockets_close(&sockets[i]);
	}
}

static bool
all_serve(void)
{
	for (int i = 0; i < SOCKETS_MAX; i++) {
		int slot = children_newest(i);

		if (sockets[i].wanted && (slot < 0 ||
		    children[slot].generation != generation ||
		    children[slot].state != CHILD_READY))
			return false;
	}
	return true;
}

static void
announce(void)
{
	if (announced || !all_serve())
		return;
	announced = true;
	sd_notifyf(0, "READY=1\nSTATUS=%u workers",
	    (unsigned)board_common->workers);
	log_note(LOG_NOTICE, "%u workers serve",
	    (unsigned)board_common->workers);
	control_reloaded(CONTROL_RENEWED, NULL);
}

void
roster_compare(void)
{
	start_listener();
	start_workers();
	leave_sockets();
	retire_workers();
	close_sockets();
	announce();
}

void
roster_ended(unsigned slot, const struct child *c, int status)
{
	bool could_start = c->state == CHILD_READY || (WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGKILL);
	unsigned which = slot == SHM_LISTENER ? LISTENER_START :
	    (unsigned)c->socket;
	bool young = shm_now_ms() - c->born_ms < YOUNG_MS;

	if (c->generation != generation || c->state == CHILD_RETIRING)
		return;
	starts[which].young = young ? starts[which].young + 1 : 0;
	starts[which].at_ms = shm_now_ms() + backoff_ms(starts[which].young,
	    could_start);
	starts[which].room = (int)slot;
	if (slot == SHM_LISTENER)
		board_add(&board_common->listener_restarts, 1);
	else
		board_add(&board_slots[slot].restarts, 1);
}

int64_t
roster_next_ms(int64_t now, int64_t latest)
{
	for (size_t i = 0; i <= LISTENER_START; i++)
		if (starts[i].at_ms > now && starts[i].at_ms < latest)
			latest = starts[i].at_ms;
	return latest;
}
