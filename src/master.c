/*
 * The master waits for signals, for workers that say they serve, and for
 * reklamctl.  What has to be done follows from a comparison, made after each
 * event: every wanted socket needs one worker of the present generation; when
 * it serves, those of older generations retire.  So start, crash, reload and
 * upgrade are the same work.
 *
 * A reload and an upgrade are checked by a process of its own first, since
 * that may take seconds, and change nothing when they are refused.
 */
#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "board.h"
#include "check.h"
#include "children.h"
#include "conf.h"
#include "control.h"
#include "handover.h"
#include "log.h"
#include "shm.h"
#include "sockets.h"

#define YOUNG_MS 1000		/* who dies younger is replaced later */
#define BACKOFF_MOST_MS 2000
#define BACKOFF_SERVED_MS 100	/* when it is not its own fault */
#define PATIENCE_MS 2000	/* beyond DRAIN_SECONDS, then SIGKILL */
#define UNLISTED_QUIET_MS 2000	/* nobody asks there any more */
#define UNLISTED_MOST_MS 60000

static const char *settings_file;
static char **own_arguments;
static char own_path[PATH_MAX];
static int signals = -1, ready[2] = { -1, -1 };
static unsigned generation;
static bool stopping, announced;
static int64_t stopping_since_ms;
static pid_t checking;			/* a reload's, an upgrade's check */
static bool upgrading;
static bool reload_due, upgrade_due;	/* asked for while one is checked */

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
	if (!children_start_listener(generation, ready[1], old))
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
		if (!children_start_worker(i, generation, ready[1],
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
}

static void
compare(void)
{
	if (stopping)
		return;
	start_listener();
	start_workers();
	leave_sockets();
	retire_workers();
	close_sockets();
	announce();
}

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

/* --- reload and upgrade --- */

/* What a reload would do, tried in a child: it says what is wrong. */
static _Noreturn void
check_reload(void)
{
	char why[1024], was[1024];
	struct workers_file w;
	bool reached;

	log_as("check");
	snprintf(was, sizeof was, "%s", conf.database_url);
	if (!conf_read(settings_file, why, sizeof why) ||
	    !workers_file_read(conf.workers_file, &w, why, sizeof why) ||
	    !check_settings(&w, why, sizeof why))
		log_die("the reload is refused: %s", why);
	if (!check_database(&reached, why, sizeof why)) {
		if (reached || strcmp(was, conf.database_url) != 0)
			log_die("the reload is refused: %s", why);
		log_note(LOG_WARNING, "%s", why);
	}
	exit(0);
}

static _Noreturn void
check_upgrade(void)
{
	char *words[] = { own_arguments[0], (char *)(uintptr_t)"-t",
	    (char *)(uintptr_t)"-f",
	    (char *)(uintptr_t)settings_file, NULL };

	if (settings_file == NULL)
		words[2] = NULL;
	execv(own_path, words);
	log_die("the upgrade is refused: %s: %s", own_path, strerror(errno));
}

static void
begin_check(bool upgrade)
{
	sigset_t none;

	if (stopping)
		return;
	if (checking != 0) {
		*(upgrade ? &upgrade_due : &reload_due) = true;
		return;
	}
	upgrading = upgrade;
	sd_notify(0, "STATUS=checking the settings");
	if ((checking = fork()) == -1) {
		checking = 0;
		log_note(LOG_ERROR, "no process can be started: %s",
		    strerror(errno));
	} else if (checking == 0) {
		control_forget();
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (upgrade)
			check_upgrade();
		else
			check_reload();
	}
}

static void
reload(void)
{
	char why[1024];
	struct workers_file w;

	if (!conf_read(settings_file, why, sizeof why) ||
	    !workers_file_read(conf.workers_file, &w, why, sizeof why) ||
	    !sockets_want(&w, why, sizeof why)) {
		log_note(LOG_ERROR, "the reload is refused: %s", why);
		return;
	}
	log_open(conf.log_json, (enum log_level)conf.log_level);
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		starts[i].young = 0;
		starts[i].at_ms = 0;
		starts[i].room = -1;
	}
	board_common->generation = ++generation;
	announced = false;
	log_note(LOG_NOTICE, "reloading");
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)shm_now_us());
}

static void
upgrade(void)
{
	log_note(LOG_NOTICE, "upgrading to %s", own_path);
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (!sockets[i].wanted)
			sockets_hide(&sockets[i]);
	control_close();
	handover_execute(own_path, own_arguments, generation);
	log_note(LOG_ERROR, "the upgrade failed: %s: %s", own_path,
	    strerror(errno));
}

static void
end_check(int status)
{
	checking = 0;
	if (stopping)
		return;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_note(LOG_ERROR, "the %s is refused, all goes on as before",
		    upgrading ? "upgrade" : "reload");
	else if (upgrading) {
		char why[512];

		upgrade();
		if (!control_open(conf.control_socket, why, sizeof why))
			log_note(LOG_ERROR, "%s", why);
	} else
		reload();
	if (reload_due || upgrade_due) {
		bool *due = reload_due ? &reload_due : &upgrade_due;

		*due = false;
		begin_check(due == &upgrade_due);
	}
}

/* --- ends --- */

static void
plan_next_start(unsigned slot, const struct child *c, int status)
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

static void
bury(void)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child was[SHM_PROCESSES];
		int slot;

		if (pid == checking) {
			end_check(status);
			continue;
		}
		memcpy(was, children, sizeof was);
		if ((slot = children_ended(pid, status)) >= 0)
			plan_next_start((unsigned)slot, &was[slot], status);
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
	if (checking != 0)
		kill(checking, SIGTERM);
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
	return children_count() == 0;
}

/* --- the loop --- */

static void
on_signals(void)
{
	struct signalfd_siginfo s;

	while (read(signals, &s, sizeof s) == sizeof s)
		switch (s.ssi_signo) {
		case SIGHUP:
			begin_check(false);
			break;
		case SIGUSR2:
			begin_check(true);
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
	int64_t now = shm_now_ms(), next = now + 1000;

	for (size_t i = 0; i <= LISTENER_START; i++)
		if (starts[i].at_ms > now && starts[i].at_ms < next)
			next = starts[i].at_ms;
	return stopping ? 20 : (int)(next - now);
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
	compare();
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
	ssize_t length = readlink("/proc/self/exe", own_path,
	    sizeof own_path - 1);

	own_path[length > 0 ? length : 0] = '\0';
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
	if (catch_signals())
		return true;
	snprintf(why, size, "%s", strerror(errno));
	return false;
}

int
master_run(const char *settings, char **arguments)
{
	char why[1024];

	settings_file = settings;
	own_arguments = arguments;
	log_as("master");
	if (!open_all(why, sizeof why)) {
		for (size_t i = 0; i < SOCKETS_MAX; i++)
			sockets_hide(&sockets[i]);
		log_die("%s", why);
	}
	for (size_t i = 0; i <= LISTENER_START; i++)
		starts[i].room = -1;
	board_be(SHM_LISTENER);		/* for what it counts itself */
	board_common->generation = generation;
	if (board_common->started_ms == 0)
		board_common->started_ms = shm_now_ms();
	bury();		/* who ended while this program was executed */
	compare();
	while (!stopping || !has_stopped())
		serve();
	control_close();
	log_note(LOG_NOTICE, "stopped");
	return 0;
}
