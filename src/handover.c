/*
 * Words separated by blanks in one environment variable:
 *
 *	memory FD  generation N  bell SLOT FD ...  socket FD NUMBER PATH ...
 *	worker SLOT PID NUMBER ...  listener PID  predecessor PID
 *
 * When the memory's layout is another one now, the children are strangers: they
 * keep their old memory and are told to leave like any retired worker.
 */
#include "handover.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "board.h"
#include "cache.h"
#include "children.h"
#include "claim.h"
#include "conf.h"
#include "log.h"
#include "permit.h"
#include "plan.h"
#include "query.h"
#include "routes.h"
#include "shm.h"
#include "sockets.h"
#include "throttle.h"
#include "versions.h"

#define VARIABLE "REKLAM_HANDOVER"
#define TEXT_MAX 32768
#define FORMAT 1	/* raised when a part changes without its size */

static size_t
segment_bytes(void)
{
	return (size_t)conf.segment_mb << 20;
}

static size_t
all_bytes(void)
{
	/* Each part begins on a page of its own. */
	return versions_bytes() + claim_bytes() + board_bytes() +
	    permit_bytes() + throttle_bytes() + plan_bytes() +
	    cache_bytes(segment_bytes()) + 8 * 4096;
}

static void
hash_name(XXH64_state_t *h, const char *name)
{
	XXH64_update(h, name, strlen(name) + 1);
}

uint64_t
handover_layout(void)
{
	uint64_t sizes[] = { FORMAT, versions_bytes(), claim_bytes(),
	    board_bytes(), permit_bytes(), throttle_bytes(), plan_bytes(),
	    cache_bytes(segment_bytes()) }, digest;
	XXH64_state_t *h = XXH64_createState();

	XXH64_reset(h, 0);
	XXH64_update(h, sizes, sizeof sizes);
	/* Counters are found by the place in these tables. */
	for (unsigned i = 0; i < queries_count; i++)
		hash_name(h, queries[i].name);
	for (unsigned i = 0; i < query_tables_count; i++)
		hash_name(h, query_tables[i]);
	for (size_t i = 0; i < routes_count; i++) {
		XXH64_update(h, &routes[i].method, sizeof routes[i].method);
		hash_name(h, routes[i].path);
	}
	digest = XXH64_digest(h);
	XXH64_freeState(h);
	return digest;
}

static bool
map(int memory, char *why, size_t size)
{
	if (!shm_open_memory(memory, all_bytes(), handover_layout())) {
		snprintf(why, size, "there is no address space for %zu bytes "
		    "of shared memory", all_bytes());
		return false;
	}
	versions_open();
	claim_open();
	board_open();
	permit_open();
	throttle_open();
	plan_open();
	cache_open(segment_bytes());
	return true;
}

static void
keep_open(int fd, bool keep)
{
	fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

static void
keep_all_open(bool keep)
{
	keep_open(shm_descriptor(), keep);
	for (unsigned i = 0; i < SHM_PROCESSES; i++)
		keep_open(bell_descriptor(i), keep);
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i].fd != -1)
			keep_open(sockets[i].fd, keep);
}

static void
write_down(FILE *out, unsigned generation)
{
	fprintf(out, "memory %d generation %u", shm_descriptor(), generation);
	for (unsigned i = 0; i < SHM_PROCESSES; i++)
		fprintf(out, " bell %u %d", i, bell_descriptor(i));
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i].fd != -1 && sockets[i].wanted)
			fprintf(out, " socket %d %u %s", sockets[i].fd,
			    sockets[i].number, sockets[i].path);
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
		if (children[slot].pid > 0)
			fprintf(out, " worker %u %d %u", slot,
			    (int)children[slot].pid,
			    sockets[children[slot].socket].number);
	if (children[SHM_LISTENER].pid > 0)
		fprintf(out, " listener %d", (int)children[SHM_LISTENER].pid);
	if (children_old_listener > 0)
		fprintf(out, " predecessor %d", (int)children_old_listener);
}

void
handover_execute(const char *program, char **arguments, unsigned generation)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return;
	write_down(out, generation);
	fclose(out);
	setenv(VARIABLE, text, 1);
	free(text);
	keep_all_open(true);
	execv(program, arguments);
	keep_all_open(false);
	unsetenv(VARIABLE);
}

static int
socket_numbered(unsigned number)
{
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i].fd != -1 && sockets[i].number == number)
			return i;
	return 0;
}

static void
adopt_child(unsigned slot, pid_t pid, int socket)
{
	if (!shm_inherited()) {
		/* Its slot means another memory: only its end is ours. */
		if (slot == SHM_LISTENER)
			kill(pid, SIGTERM);
		else
			kill(pid, SIGUSR1);
		return;
	}
	children[slot] = (struct child){ .pid = pid, .socket = socket,
	    .state = CHILD_READY, .born_ms = shm_now_ms() };
}

/*
 * A listener is about to take over from it, and would tell the program before,
 * which is no more: it goes, and a new one takes over instead (children.c).
 */
static void
adopt_predecessor(pid_t pid)
{
	struct child *successor = &children[SHM_LISTENER];

	if (!shm_inherited()) {
		kill(pid, SIGTERM);
		return;
	}
	children_old_listener = pid;
	if (board_common->listener == successor->pid) {
		kill(pid, SIGUSR1);
		return;
	}
	successor->state = CHILD_STARTING;
	if (successor->pid > 0)
		kill(successor->pid, SIGTERM);
}

/* Words are read in the order in which they were written. */
static bool
read_word(const char *word, char **rest, unsigned *generation)
{
	int numbers[3] = { 0 };
	const char *name = word, *at = NULL;
	int wanted = strcmp(name, "worker") == 0 ? 3 :
	    strcmp(name, "socket") == 0 || strcmp(name, "bell") == 0 ? 2 : 1;

	for (int i = 0; i < wanted; i++) {
		if ((at = strtok_r(NULL, " ", rest)) == NULL)
			return false;
		numbers[i] = atoi(at);
	}
	if (strcmp(name, "generation") == 0)
		*generation = (unsigned)numbers[0] + 1;
	else if (strcmp(name, "bell") == 0) {
		keep_open(numbers[1], false);
		if (shm_inherited())
			bell_adopt((unsigned)numbers[0], numbers[1]);
		else
			close(numbers[1]);
	} else if (strcmp(name, "socket") == 0) {
		if ((at = strtok_r(NULL, " ", rest)) == NULL)
			return false;
		keep_open(numbers[0], false);
		return sockets_adopt(numbers[0], (unsigned)numbers[1], at);
	} else if (strcmp(name, "worker") == 0)
		adopt_child((unsigned)numbers[0], numbers[1],
		    socket_numbered((unsigned)numbers[2]));
	else if (strcmp(name, "listener") == 0)
		adopt_child(SHM_LISTENER, numbers[0], -1);
	else if (strcmp(name, "predecessor") == 0)
		adopt_predecessor(numbers[0]);
	else
		return false;
	return true;
}

static bool
read_all(char *text, unsigned *generation, char *why, size_t size)
{
	char *rest, *word = strtok_r(text, " ", &rest);
	bool fine = word != NULL && strcmp(word, "memory") == 0 &&
	    (word = strtok_r(NULL, " ", &rest)) != NULL;

	if (fine && !map(atoi(word), why, size))
		return false;
	if (fine && !shm_inherited())
		log_note(LOG_NOTICE, "the memory of the program before has "
		    "another layout: the cache starts empty");
	if (fine && !shm_inherited() && !bell_open())
		fine = false;
	while (fine && (word = strtok_r(NULL, " ", &rest)) != NULL)
		fine = read_word(word, &rest, generation);
	if (!fine)
		snprintf(why, size, "what was handed over cannot be read");
	return fine;
}

bool
handover_receive(unsigned *generation, char *why, unsigned long size)
{
	const char *handed = getenv(VARIABLE);
	char text[TEXT_MAX];

	*generation = 1;
	sockets_open();
	if (handed == NULL) {
		if (!map(-1, why, size))
			return false;
		if (!bell_open()) {
			snprintf(why, size, "there are too few file "
			    "descriptors");
			return false;
		}
		return true;
	}
	snprintf(text, sizeof text, "%s", handed);
	unsetenv(VARIABLE);
	return read_all(text, generation, why, size);
}
