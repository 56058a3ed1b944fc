/*
 * A slot has one process at a time.  When it has ended, the master does what
 * it can no longer do: its flights are released, its permits are given back
 * when its server processes are gone, and when it was in the middle of a write
 * nothing that is in memory counts any more.
 */
#include "children.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "board.h"
#include "check.h"
#include "claim.h"
#include "conf.h"
#include "control.h"
#include "listener.h"
#include "log.h"
#include "permit.h"
#include "versions.h"
#include "worker.h"

struct child children[SHM_PROCESSES];
pid_t children_old_listener;

/*
 * A child starts with those signals blocked that its loop will take, and does
 * not lose one that comes before.
 */
static pid_t
fork_child(const struct listening *keep)
{
	sigset_t later;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	control_forget();
	sockets_close_others(keep);
	sigemptyset(&later);
	sigaddset(&later, SIGTERM);
	sigaddset(&later, SIGUSR1);
	sigprocmask(SIG_SETMASK, &later, NULL);
	return 0;
}

/*
 * The one that was not used for longest, so that what a retired worker had in
 * memory stays.
 */
static int
free_slot(int room)
{
	int found = -1;

	if (room >= 0 && children[room].pid == 0)
		return room;
	for (int slot = 0; slot < SHM_SLOTS; slot++)
		if (children[slot].pid == 0 && (found == -1 ||
		    board_slots[slot].started_ms <
		    board_slots[found].started_ms))
			found = slot;
	return found;
}

static void
note_child(unsigned slot, pid_t pid, int socket, unsigned generation)
{
	children[slot] = (struct child){ .pid = pid, .state = CHILD_STARTING,
	    .socket = socket, .generation = generation,
	    .born_ms = shm_now_ms() };
	board_slots[slot].pid = pid;
	board_slots[slot].started_ms = shm_now_ms();
	board_slots[slot].state = SLOT_STARTING;
}

bool
children_start_worker(int socket, unsigned generation, int ready, int room)
{
	const struct listening *s = &sockets[socket];
	int slot = free_slot(room);
	size_t workers = 0;
	pid_t pid;

	if (slot < 0)
		return false;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		workers += sockets[i].wanted;
	strcpy(board_slots[slot].path, s->path);
	/* Before it runs, since it opens connections at once. */
	note_child((unsigned)slot, -1, socket, generation);
	children_share();
	if ((pid = fork_child(s)) == 0) {
		unsigned share = check_share(workers);
		unsigned least = (unsigned)((size_t)conf.pool_min / workers);
		struct worker_start start = { .slot = (unsigned)slot,
		    .number = s->number, .listener = s->fd, .ready = ready };

		start.least = least < 1 ? 1 : least > share ? share : least;
		worker_run(&start);
	}
	note_child((unsigned)slot, pid == -1 ? 0 : pid, socket, generation);
	return pid != -1;
}

bool
children_start_listener(unsigned generation, int ready, bool successor)
{
	pid_t pid = fork_child(NULL);

	if (pid == 0)
		listener_run(successor, ready);
	if (pid == -1)
		return false;
	if (successor)
		children_old_listener = children[SHM_LISTENER].pid;
	note_child(SHM_LISTENER, pid, -1, generation);
	return true;
}

int
children_newest(int socket)
{
	int newest = -1;

	for (int slot = 0; slot < SHM_SLOTS; slot++) {
		const struct child *c = &children[slot];

		if (c->pid != 0 && c->socket == socket &&
		    c->state != CHILD_RETIRING && (newest == -1 ||
		    c->generation > children[newest].generation))
			newest = slot;
	}
	return newest;
}

void
children_retire(unsigned slot)
{
	struct child *c = &children[slot];

	if (c->pid <= 0 || c->state == CHILD_RETIRING)
		return;
	c->state = CHILD_RETIRING;
	board_slots[slot].state = SLOT_DRAINING;
	kill(c->pid, SIGUSR1);
}

void
children_stop_all(int signal)
{
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
		if (children[slot].pid > 0) {
			children[slot].state = CHILD_RETIRING;
			board_slots[slot].state = SLOT_DRAINING;
			kill(children[slot].pid, signal);
		}
}

static void
log_end_of(const struct child *c, unsigned slot, int status)
{
	struct log_line line;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	log_begin(&line, LOG_ERROR, "process_ended");
	if (slot == SHM_LISTENER)
		log_text(&line, "process", "listener");
	else
		log_number(&line, "worker", sockets[c->socket].number);
	log_number(&line, "pid", c->pid);
	if (WIFSIGNALED(status))
		log_number(&line, "signal", WTERMSIG(status));
	else
		log_number(&line, "status", WEXITSTATUS(status));
	log_end(&line);
}

static void
clean_up_worker(unsigned slot)
{
	struct board_slot *b = &board_slots[slot];

	if (atomic_exchange(&b->writing, 0) > 0) {
		versions_bump_all();
		log_note(LOG_WARNING, "a worker ended during a write: nothing "
		    "in memory counts any more");
	}
	claim_release_all(slot);
	permit_give_all(slot);
#define X(name, help) atomic_store(&b->name, 0);
	BOARD_GAUGES(X)
#undef X
}

/*
 * A listener that ended before it listened leaves the work to the one before,
 * which nobody has told to go.  Of one that listened a moment ago that is not
 * known: then both go.
 */
static bool
take_back_predecessor(void)
{
	struct child *c = &children[SHM_LISTENER];

	if (children_old_listener == 0 || c->state != CHILD_STARTING)
		return false;
	if (board_common->listener != children_old_listener) {
		kill(children_old_listener, SIGTERM);
		return false;
	}
	*c = (struct child){ .pid = children_old_listener, .socket = -1,
	    .state = CHILD_READY, .born_ms = c->born_ms };
	children_old_listener = 0;
	board_slots[SHM_LISTENER].pid = c->pid;
	return true;
}

int
children_ended(pid_t pid, int status)
{
	unsigned slot = 0;

	if (pid == children_old_listener) {
		children_old_listener = 0;
		return -1;
	}
	while (slot < SHM_PROCESSES && children[slot].pid != pid)
		slot++;
	if (slot == SHM_PROCESSES)
		return -1;
	log_end_of(&children[slot], slot, status);
	if (slot == SHM_LISTENER) {
		permit_give_all(SHM_LISTENER);
		if (take_back_predecessor())
			return (int)slot;
		versions_lost();
	} else
		clean_up_worker(slot);
	children[slot].pid = 0;
	children[slot].state = CHILD_NONE;
	board_slots[slot].pid = 0;
	board_slots[slot].state = SLOT_FREE;
	return (int)slot;
}

unsigned
children_count(void)
{
	unsigned n = children_old_listener > 0;

	for (unsigned slot = 0; slot < SHM_PROCESSES; slot++)
		n += children[slot].pid > 0;
	return n;
}

void
children_share(void)
{
	unsigned slots[SHM_SLOTS], n = 0;

	for (int i = 0; i < SOCKETS_MAX; i++) {
		int slot = sockets[i].wanted ? children_newest(i) : -1;

		if (slot >= 0)
			slots[n++] = (unsigned)slot;
	}
	if (n > 0)
		permit_share((unsigned)conf.pool_max - 1, slots, n);
	board_common->workers = n;
}
