/*
 * The master waits for signals, for workers that say they serve, and for
 * reklamctl.  What follows is roster.c's and renew.c's to know.
 */
#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "board.h"
#include "children.h"
#include "conf.h"
#include "control.h"
#include "handover.h"
#include "log.h"
#include "renew.h"
#include "roster.h"
#include "shm.h"
#include "sockets.h"

#define PATIENCE_MS 2000	/* beyond DRAIN_SECONDS, then SIGKILL */

static int signals = -1, ready[2] = { -1, -1 };
static bool stopping;
static int64_t stopping_since_ms;

static void
on_ready(void)
{
	unsigned char slot;

	while (read(ready[0], &slot, 1) == 1) {
		if (slot >= SHM_PROCESSES || children[slot].pid == 0)
			continue;
		if (slot == SHM_LISTENER && children_old_listener > 0)
			kill(children_old_listener, SIGUSR1);
		if (children[slot].state == CHILD_STARTING) {
			children[slot].state = CHILD_READY;
			board_slots[slot].state = SLOT_READY;
		}
	}
}

static void
bury(void)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child was[SHM_PROCESSES];
		int slot;

		if (renew_ended(pid, status))
			continue;
		memcpy(was, children, sizeof was);
		if ((slot = children_ended(pid, status)) >= 0)
			roster_ended((unsigned)slot, &was[slot], status);
	}
}

static void
stop(void)
{
	if (stopping)
		return;
	log_note(LOG_NOTICE, "stopping");
	sd_notify(0, "STOPPING=1");
	stopping = true;
	stopping_since_ms = shm_now_ms();
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		sockets_hide(&sockets[i]);
	children_stop_all(SIGTERM);
	renew_stop();
}

/* The listener goes last: until then others' answers rely on it. */
static bool
has_stopped(void)
{
	bool listener = children[SHM_LISTENER].pid > 0;

	if (children_count() == (unsigned)listener + (children_old_listener >
	    0)) {
		if (listener)
			kill(children[SHM_LISTENER].pid, SIGTERM);
		if (children_old_listener > 0)
			kill(children_old_listener, SIGTERM);
	}
	if (children_count() > 0 && shm_now_ms() - stopping_since_ms >
	    conf.drain_seconds * 1000 + PATIENCE_MS) {
		log_note(LOG_WARNING, "what did not stop is killed");
		children_stop_all(SIGKILL);
		if (listener)
			kill(children[SHM_LISTENER].pid, SIGKILL);
	}
	return children_count() == 0 && !renew_checks();
}

/* --- the loop --- */

static void
renew(bool upgrade)
{
	if (!stopping)
		renew_begin(upgrade);
}

static void
on_signals(void)
{
	struct signalfd_siginfo s;

	while (read(signals, &s, sizeof s) == sizeof s)
		switch (s.ssi_signo) {
		case SIGHUP:
			renew(false);
			break;
		case SIGUSR2:
			renew(true);
			break;
		case SIGTERM:
		case SIGINT:
		case SIGQUIT:
			stop();
			break;
		}
	bury();
}

/* Until a worker may start again, or somebody has to be looked after. */
static int
wait_ms(void)
{
	int64_t now = shm_now_ms();

	return stopping ? 20 : (int)(roster_next_ms(now, now + 1000) - now);
}

static void
tell_watchdog(void)
{
	static int64_t last_us;
	uint64_t every_us;

	if (sd_watchdog_enabled(0, &every_us) > 0 &&
	    shm_now_us() - last_us > (int64_t)every_us / 3) {
		last_us = shm_now_us();
		sd_notify(0, "WATCHDOG=1");
	}
}

static void
serve(void)
{
	struct pollfd polls[2 + CONTROL_POLLS];
	unsigned n;

	polls[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
	polls[1] = (struct pollfd){ .fd = ready[0], .events = POLLIN };
	n = control_polls(polls + 2);
	if (poll(polls, 2 + n, wait_ms()) > 0) {
		on_signals();
		on_ready();
		control_serve(polls + 2, n);
	}
	if (!stopping)
		roster_compare();
	tell_watchdog();
}

static bool
catch_signals(void)
{
	/* SIGUSR1 means nothing here, but must not end all. */
	static const int caught[] = { SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2,
	    SIGTERM, SIGINT, SIGQUIT };
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		sigaddset(&set, caught[i]);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return signals != -1 && pipe2(ready, O_NONBLOCK | O_CLOEXEC) == 0;
}

/* An upgrade has workers that serve: what cannot be opened does not end it. */
static bool
goes_on(bool upgraded, const char *why)
{
	if (upgraded)
		log_note(LOG_ERROR, "%s: it stays as it was", why);
	return upgraded;
}

static bool
open_all(char *why, size_t size)
{
	struct workers_file w;
	bool upgraded = false;
	unsigned generation;

	if (!handover_receive(&generation, why, size) ||
	    !workers_file_read(conf.workers_file, &w, why, size))
		return false;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		upgraded |= sockets[i].fd != -1;
	if (!sockets_want(&w, why, size) && !goes_on(upgraded, why))
		return false;
	if (!control_open(conf.control_socket, why, size) &&
	    !goes_on(upgraded, why))
		return false;
	if (!catch_signals()) {
		snprintf(why, size, "%s", strerror(errno));
		return false;
	}
	roster_open(generation, ready[1]);
	return true;
}

int
master_run(const char *settings, char **arguments)
{
	char why[1024];

	log_as("master");
	renew_open(settings, arguments);
	if (!open_all(why, sizeof why)) {
		for (size_t i = 0; i < SOCKETS_MAX; i++)
			sockets_hide(&sockets[i]);
		log_die("%s", why);
	}
	board_be(SHM_LISTENER);		/* for what it counts itself */
	if (board_common->started_ms == 0)
		board_common->started_ms = shm_now_ms();
	bury();		/* who ended while this program was executed */
	roster_compare();
	while (!stopping || !has_stopped())
		serve();
	control_close();
	log_note(LOG_NOTICE, "stopped");
	return 0;
}
