/*
 * A worker shares nothing with others but the memory of shm.h and the bells.
 * When its parent dies it drains as after SIGTERM: a new master brings its own
 * workers.
 */
#include "worker.h"

#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "answer.h"
#include "board.h"
#include "cache.h"
#include "claim.h"
#include "conf.h"
#include "fcgi.h"
#include "fetch.h"
#include "gzip.h"
#include "log.h"
#include "measure.h"
#include "password.h"
#include "pool.h"
#include "shm.h"
#include "token.h"

#define READY_CHECK_MS 5
#define LEAVE_CHECK_MS 20
#define QUIET_MS 1000		/* idle connections after SIGTERM */
#define RETIRED_MS 7000		/* more than nginx's keepalive_timeout */

static struct event_base *base;
static struct event *ready_timer, *leave_timer;
static const struct worker_start *self;
static int64_t born_ms, leaving_since_ms;
static bool retired;

static void
set_timer(struct event *timer, long ms)
{
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(timer, &wait);
}

/*
 * Requests wait in the socket's queue until there is a connection to the
 * database, since here they would wait for it no longer than DB_POOL_WAIT_MS.
 * When it cannot be reached they are answered all the same.
 */
static void
on_ready_check(int fd, short what, void *context)
{
	unsigned char slot = (unsigned char)self->slot;
	bool up = pool_is_up();

	(void)fd, (void)what, (void)context;
	if (up || shm_now_ms() - born_ms > conf.connect_ms)
		fcgi_accept();
	if (!up) {
		set_timer(ready_timer, READY_CHECK_MS);
		return;
	}
	if (write(self->ready, &slot, 1) != 1)
		log_note(LOG_WARNING, "the master could not be told that "
		    "this worker serves");
}

static void
on_bell(int fd, short what, void *context)
{
	uint64_t rings;

	(void)what, (void)context;
	if (read(fd, &rings, sizeof rings) == sizeof rings) {
		fetch_bell();
		pool_bell();
	}
}

/* Nothing runs, and who still holds a connection has had his time. */
static bool
may_leave(int64_t since_ms)
{
	if (fcgi_connections() == 0 && board->writing == 0)
		return true;
	if (since_ms > conf.drain_seconds * 1000 + (retired ? RETIRED_MS : 0))
		return true;
	return fcgi_busy() == 0 && board->writing == 0 &&
	    since_ms >= (retired ? RETIRED_MS : QUIET_MS);
}

static void
on_leave_check(int fd, short what, void *context)
{
	(void)fd, (void)what, (void)context;
	if (may_leave(shm_now_ms() - leaving_since_ms))
		event_base_loopbreak(base);
	else
		set_timer(leave_timer, LEAVE_CHECK_MS);
}

static void
on_stop(int number, short what, void *context)
{
	(void)what, (void)context;
	if (leaving_since_ms == 0) {
		retired = number == SIGUSR1;
		leaving_since_ms = shm_now_ms();
		fcgi_drain();
		pool_drain();
		set_timer(leave_timer, LEAVE_CHECK_MS);
	} else if (number == SIGTERM && retired) {
		retired = false;
		leaving_since_ms = shm_now_ms();
	}
}

static bool
add(struct event *event)
{
	return event != NULL && event_add(event, NULL) == 0;
}

/* What a descriptor waits for changes often within one round of the loop; only
 * the outcome is worth a system call. */
static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *made;

	if (config == NULL)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	made = event_base_new_with_config(config);
	event_config_free(config);
	return made;
}

static bool
open_all(void)
{
	char why[256] = "";
	sigset_t none;

	if (!cache_own(self->slot) || (base = new_base()) == NULL ||
	    !token_open(conf.jwt_algorithm, conf.jwt_secret,
	    __builtin_strlen(conf.jwt_secret)) ||
	    !password_open(base, (int)conf.password_cost) ||
	    !gzip_open(base) || !pool_open(base, self->slot, self->least))
		return false;
	fetch_open(base, self->slot);
	measure_open();
	if (!answer_open(why, sizeof why)) {
		log_note(LOG_ERROR, "%s", why);
		return false;
	}
	if (!fcgi_open(base, self->listener, &answer_handler))
		return false;
	/* After libfcgi, which installs handlers of its own. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);	/* Ctrl-C is the master's to answer */
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	ready_timer = evtimer_new(base, on_ready_check, NULL);
	leave_timer = evtimer_new(base, on_leave_check, NULL);
	if (ready_timer == NULL || leave_timer == NULL)
		return false;
	set_timer(ready_timer, 0);
	sigemptyset(&none);
	return add(event_new(base, bell_descriptor(self->slot),
	    EV_READ | EV_PERSIST, on_bell, NULL)) &&
	    add(evsignal_new(base, SIGTERM, on_stop, NULL)) &&
	    add(evsignal_new(base, SIGUSR1, on_stop, NULL)) &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static void
take_name(void)
{
	char name[16];

	snprintf(name, sizeof name, "worker-%u", self->number);
	prctl(PR_SET_NAME, name);
	log_as(name);
}

/*
 * A worker that interrupts nginx as soon as it is woken finds one request, and
 * nginx then one answer: two changes of the processor for each.  One that waits
 * for its turn finds more at a time, and nothing is lost while a processor is
 * idle.  Its helper threads are the same.
 */
static void
take_turns(void)
{
	struct sched_param none = { 0 };

	if (conf.batch && sched_setscheduler(0, SCHED_BATCH, &none) < 0)
		log_note(LOG_WARNING, "WORKER_SCHEDULING=batch is not allowed "
		    "here: %s", strerror(errno));
}

void
worker_run(const struct worker_start *start)
{
	pid_t parent = getppid();

	self = start;
	born_ms = shm_now_ms();
	take_name();
	take_turns();
	board_be(self->slot);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!open_all()) {
		log_note(LOG_ERROR, "the worker cannot start");
		_exit(1);
	}
	if (getppid() != parent)	/* it died before we could be told */
		raise(SIGTERM);
	event_base_dispatch(base);
	/* No cleaning up: the kernel does it, and threads are still there. */
	_exit(0);
}
