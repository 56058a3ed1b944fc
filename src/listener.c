/*
 * One process per host holds LISTEN.  The order that makes answers from memory
 * safe: LISTEN first, then every version is bumped (whatever was missed), then
 * the proof of life begins; from then on each NOTIFY bumps its table.  A round
 * trip every 250 ms is the proof: what was committed before it has been heard
 * when it ends.
 *
 * The same connection looks which server processes are gone, so that permits
 * (permit.h) of closed connections become free when there is really room.
 *
 * A successor connects while its predecessor still listens, so that nothing is
 * missed; for that time there is one connection more, under a permit.  Where
 * every permit is some worker's own, the predecessor goes first.
 *
 * A connection runs one thing at a time, so what is due is remembered here and
 * taken up when the last thing has ended, the proof of life first.
 */
#include "listener.h"

#include <event2/event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "board.h"
#include "claim.h"
#include "conf.h"
#include "connection.h"
#include "log.h"
#include "permit.h"
#include "query.h"
#include "shm.h"
#include "versions.h"

#define PROOF_MS 250
#define CHECK_LEAST_MS 2
#define CHECK_MOST_MS 20
#define GUEST_MS 20		/* how often a permit is asked for */
#define GUEST_PATIENCE_MS 1000
#define BACKOFF_LEAST_MS 20
#define BACKOFF_MOST_MS 240
#define PIDS_MAX 128

enum task { NOTHING, LISTENING, LIMITS, PROOF, BACKENDS };

static struct event_base *base;
static struct event *proof_timer, *check_timer, *connect_timer;
static struct connection *connection;
static enum task running;
static int64_t proof_began_ms;
static bool listening, proof_due, check_due, limits_due;
static bool successor, leaving, leaving_proof;
static int ready = -1, guest = -1;	/* a permit */
static int64_t born_ms;
static long check_ms = CHECK_LEAST_MS;
static long backoff_ms = BACKOFF_LEAST_MS;

static int pids[PIDS_MAX];		/* that are being looked for */
static unsigned pid_count;
static char pids_text[PIDS_MAX * 12 + 3];
static const char *const pids_value[] = { pids_text };

static void
set_timer(struct event *timer, long ms)
{
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(timer, &wait);
}

static void
run_query(enum task task, const char *name, const char *const *values)
{
	struct work work = { .query = query_find(name),
	    .values = values, .deadline_ms = conf.connect_ms };

	work.count = work.query->count;
	work.text = work.query->text;
	running = task;
	connection_run(connection, &work);
}

static void
run_listen(void)
{
	struct work work = { .text = "LISTEN reklam",
	    .deadline_ms = conf.connect_ms };

	running = LISTENING;
	connection_run(connection, &work);
}

/* False when no permit waits for its server process to go. */
static bool
look_for_backends(void)
{
	char *to = pids_text;

	pid_count = permit_closing(pids, PIDS_MAX);
	if (pid_count == 0)
		return false;
	*to++ = '{';
	for (unsigned i = 0; i < pid_count; i++)
		to += sprintf(to, "%s%d", i > 0 ? "," : "", pids[i]);
	strcpy(to, "}");
	run_query(BACKENDS, "listener_backends", pids_value);
	return true;
}

static void
go_on(void)
{
	if (connection == NULL || running != NOTHING ||
	    !connection_is_idle(connection))
		return;
	if (limits_due) {
		limits_due = false;
		run_query(LIMITS, "listener_limits", NULL);
	} else if (!listening)
		run_listen();
	else if (proof_due) {
		proof_due = false;
		leaving_proof = leaving;
		running = PROOF;
		proof_began_ms = shm_now_ms();
		connection_ping(connection);
	} else if (check_due) {
		check_due = false;
		look_for_backends();
	}
}

static void
on_proof_time(int fd, short what, void *context)
{
	(void)fd, (void)what, (void)context;
	set_timer(proof_timer, PROOF_MS);
	proof_due = true;
	go_on();
}

static void
on_check_time(int fd, short what, void *context)
{
	(void)fd, (void)what, (void)context;
	check_due = true;
	go_on();
}

static void
on_bell(int fd, short what, void *context)
{
	uint64_t rings;

	(void)what, (void)context;
	if (read(fd, &rings, sizeof rings) != sizeof rings)
		return;
	check_ms = CHECK_LEAST_MS;
	on_check_time(-1, 0, NULL);
}

/* The permit is free when the predecessor's server process is gone. */
static void
pass_for_predecessor(void)
{
	if (guest >= 0) {
		permit_backend(guest, board_common->listener_backend);
		permit_give(guest);
	}
	guest = -1;
}

/*
 * What was committed before LISTEN has not been heard here.  A predecessor
 * that has a connection hears it, and does not go before.
 */
static void
begin_to_listen(void)
{
	unsigned char me = SHM_LISTENER;

	listening = true;
	check_due = true;
	backoff_ms = BACKOFF_LEAST_MS;
	if (!successor || !versions_trusted())
		versions_bump_all();
	successor = false;
	versions_set_unreachable(false);
	versions_alive(shm_now_ms());
	pass_for_predecessor();
	board_common->listener = getpid();
	board_common->listener_backend = connection_backend(connection);
	log_note(LOG_NOTICE, "listening for changes in the database");
	if (write(ready, &me, 1) != 1)
		log_note(LOG_WARNING, "the master could not be told that "
		    "the listener listens");
}

static bool
is_among(const PGresult *rows, int pid)
{
	for (int i = 0; i < PQntuples(rows); i++)
		if (atoi(PQgetvalue(rows, i, 0)) == pid)
			return true;
	return false;
}

static void
free_permits(const PGresult *rows)
{
	bool some = false;

	for (unsigned i = 0; i < pid_count; i++) {
		if (pids[i] != 0 && !is_among(rows, pids[i]))
			permit_gone(pids[i]);
		else
			some = true;
	}
	if (!some)
		return;
	set_timer(check_timer, check_ms);
	if ((check_ms *= 2) > CHECK_MOST_MS)
		check_ms = CHECK_MOST_MS;
}

static void
on_opened(struct connection *c)
{
	(void)c;
	limits_due = true;
	go_on();
}

/*
 * Behind a pooler LISTEN is some other session's a moment later, and what
 * changes is not heard: better no answer from memory at all.
 */
static bool
is_the_server(struct connection *c, const PGresult *limits)
{
	static bool told;

	if (atoi(PQgetvalue(limits, 0, 1)) == connection_backend(c))
		return true;
	if (!told)
		log_note(LOG_ERROR, "DB_LISTEN_URL has to lead past the "
		    "pooler: nothing is answered from memory");
	told = true;
	return false;
}

static void
on_finished(struct connection *c, const struct finding *f)
{
	enum task task = running;

	running = NOTHING;
	if (f->outcome != WORK_DONE) {
		/* The connection goes too, or has to: nothing is sure. */
		if (f->outcome == WORK_REFUSED)
			connection_drop(c);
		return;
	}
	switch (task) {
	case LISTENING:
		begin_to_listen();
		break;
	case PROOF:
		versions_alive(proof_began_ms);
		board_set(&board_common->listener_round_us,
		    (uint64_t)f->ran_us);
		if (leaving_proof)
			event_base_loopbreak(base);
		break;
	case LIMITS:
		board_set(&board_common->max_connections, strtoull(
		    PQgetvalue(f->result, 0, 0), NULL, 10));
		board_set(&board_common->reserved_connections, strtoull(
		    PQgetvalue(f->result, 0, 2), NULL, 10));
		if (!is_the_server(c, f->result)) {
			connection_drop(c);
			return;
		}
		break;
	case BACKENDS:
		free_permits(f->result);
		break;
	case NOTHING:
		break;
	}
	go_on();
}

static void
connect_again(void)
{
	long ms = backoff_ms - random() % (backoff_ms / 10 + 1);

	if ((backoff_ms *= 2) > BACKOFF_MOST_MS)
		backoff_ms = BACKOFF_MOST_MS;
	set_timer(connect_timer, ms);
}

/*
 * A server that lets nobody in, or does not even answer, cannot be reached; one
 * that does not answer has no processes any more.  (One that a broken network
 * hides may have: they end by themselves, when they notice.)
 */
static void
on_closed(struct connection *c, bool was_open)
{
	connection = NULL;
	running = NOTHING;
	if (listening) {
		versions_lost();
		log_note(LOG_WARNING, "the listener lost its connection");
	}
	listening = false;
	if (!was_open && !connection_was_refused(c))
		versions_set_unreachable(true);
	if (!was_open && !connection_was_answered(c))
		permit_all_gone();
	connect_again();
}

static void
on_notified(struct connection *c, const char *payload)
{
	(void)c;
	board_add(&board_common->notifications, 1);
	if (!versions_heard(payload))
		board_add(&board_common->notifications_own, 1);
}

static const struct connection_owner owner = {
	.opened = on_opened, .finished = on_finished, .closed = on_closed,
	.notified = on_notified
};

/* Whether there may be a connection more, or is none now. */
static bool
has_room(void)
{
	if (!successor || guest >= 0 ||
	    (guest = permit_take(SHM_LISTENER)) >= 0)
		return true;
	permit_want(SHM_LISTENER);
	if (shm_now_ms() - born_ms > GUEST_PATIENCE_MS &&
	    (board_common->listener <= 0 ||
	    kill(board_common->listener, SIGTERM) != 0)) {
		successor = false;	/* it is gone, and missed something */
		return true;
	}
	return false;
}

static void
on_connect_time(int fd, short what, void *context)
{
	(void)fd, (void)what, (void)context;
	if (!has_room()) {
		set_timer(connect_timer, GUEST_MS);
		return;
	}
	connection = connection_open(base, conf.listen_url,
	    "reklamd listener", &owner, NULL);
	if (connection == NULL)
		connect_again();
}

static void
on_stop(int number, short what, void *context)
{
	(void)what, (void)context;
	leaving = true;
	if (number == SIGTERM || !listening)
		event_base_loopbreak(base);
	else {
		proof_due = true;
		go_on();
	}
}

static bool
add(struct event *event)
{
	return event != NULL && event_add(event, NULL) == 0;
}

static bool
open_all(void)
{
	sigset_t none;

	if ((base = event_base_new()) == NULL)
		return false;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	proof_timer = evtimer_new(base, on_proof_time, NULL);
	check_timer = evtimer_new(base, on_check_time, NULL);
	connect_timer = evtimer_new(base, on_connect_time, NULL);
	if (proof_timer == NULL || check_timer == NULL ||
	    connect_timer == NULL)
		return false;
	set_timer(proof_timer, PROOF_MS);
	set_timer(connect_timer, 0);
	sigemptyset(&none);
	return add(event_new(base, bell_descriptor(SHM_LISTENER),
	    EV_READ | EV_PERSIST, on_bell, NULL)) &&
	    add(evsignal_new(base, SIGTERM, on_stop, NULL)) &&
	    add(evsignal_new(base, SIGUSR1, on_stop, NULL)) &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

void
listener_run(bool succeeds, int pipe)
{
	pid_t parent = getppid();

	successor = succeeds;
	born_ms = shm_now_ms();
	ready = pipe;

	prctl(PR_SET_NAME, "listener");
	log_as("listener");
	board_be(SHM_LISTENER);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!open_all()) {
		log_note(LOG_ERROR, "the listener cannot start");
		_exit(1);
	}
	if (getppid() != parent)
		raise(SIGTERM);
	event_base_dispatch(base);
	/* Nobody hears any more: no answer from memory counts from now on. */
	if (!leaving_proof)
		versions_lost();
	_exit(0);
}
