/*
 * A reload and an upgrade are checked by a process of its own first, since
 * that may take seconds, and change nothing when they are refused.
 */
#include "renew.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "check.h"
#include "conf.h"
#include "control.h"
#include "handover.h"
#include "log.h"
#include "permit.h"
#include "roster.h"
#include "shm.h"
#include "sockets.h"

#define CHECK_PATIENCE_MS 2000

static const char *settings_file;
static char **own_arguments;
static char own_path[PATH_MAX];
static pid_t checking;
static bool upgrading, ending;
static bool reload_due, upgrade_due;	/* asked for while one is checked */

void
renew_open(const char *settings, char **arguments)
{
	ssize_t length = readlink("/proc/self/exe", own_path,
	    sizeof own_path - 1);

	own_path[length > 0 ? length : 0] = '\0';
	settings_file = settings;
	own_arguments = arguments;
}

/*
 * A check asks the database, where there may be one connection more only if
 * one is to spare.
 */
static bool
has_room(void)
{
	if (permit_wait(PERMIT_CHECK, CHECK_PATIENCE_MS))
		return true;
	log_note(LOG_WARNING, "the database is not asked: no connection is "
	    "to spare");
	return false;
}

/* What a reload would do, tried in a child: it says what is wrong. */
static _Noreturn void
check_reload(void)
{
	char why[1024], was[1024], listened[1024];
	struct workers_file w;
	bool reached, other;

	log_as("check");
	snprintf(was, sizeof was, "%s", conf.database_url);
	snprintf(listened, sizeof listened, "%s", conf.listen_url);
	if (!conf_read(settings_file, why, sizeof why) ||
	    !workers_file_read(conf.workers_file, &w, why, sizeof why) ||
	    !check_settings(&w, why, sizeof why) ||
	    !sockets_would(&w, why, sizeof why))
		log_die("the reload is refused: %s", why);
	other = strcmp(was, conf.database_url) != 0;
	if ((other || has_room()) &&
	    !check_database(&reached, why, sizeof why)) {
		if (reached || other)
			log_die("the reload is refused: %s", why);
		log_note(LOG_WARNING, "%s", why);
	}
	/* Else it is one connection more, and the listener knows. */
	if (strcmp(listened, conf.listen_url) != 0 &&
	    !check_listener(&reached, why, sizeof why))
		log_die("the reload is refused: %s", why);
	_exit(0);	/* what is left to do at an end is the master's */
}

static _Noreturn void
check_upgrade(void)
{
	char *words[] = { own_arguments[0], (char *)(uintptr_t)"-t",
	    (char *)(uintptr_t)"-f",
	    (char *)(uintptr_t)settings_file, NULL };

	if (settings_file == NULL)
		words[2] = NULL;
	has_room();
	execv(own_path, words);
	log_die("the upgrade is refused: %s: %s", own_path, strerror(errno));
}

void
renew_begin(bool upgrade)
{
	sigset_t none;

	if (checking != 0) {
		*(upgrade ? &upgrade_due : &reload_due) = true;
		return;
	}
	upgrading = upgrade;
	if (!upgrade)
		control_reach(CONTROL_CHECKED);
	sd_notify(0, "STATUS=checking the settings");
	if ((checking = fork()) == -1) {
		checking = 0;
		log_note(LOG_ERROR, "no process can be started: %s",
		    strerror(errno));
		control_reloaded(CONTROL_CHECKED, "no process can be started");
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
		control_reloaded(CONTROL_CHECKED, why);
		return;
	}
	log_open(conf.log_json, (enum log_level)conf.log_level);
	roster_renew();
	control_reach(CONTROL_RENEWED);
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
	handover_execute(own_path, own_arguments, roster_generation());
	log_note(LOG_ERROR, "the upgrade failed: %s: %s", own_path,
	    strerror(errno));
}

bool
renew_ended(pid_t pid, int status)
{
	if (pid != checking)
		return false;
	checking = 0;
	permit_give_all(PERMIT_CHECK);
	if (ending)
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		log_note(LOG_ERROR, "the %s is refused, all goes on as before",
		    upgrading ? "upgrade" : "reload");
		control_reloaded(CONTROL_CHECKED, "the reload is refused, the "
		    "log tells why; all goes on as before");
	} else if (upgrading) {
		char why[512];

		upgrade();
		if (!control_open(conf.control_socket, why, sizeof why))
			log_note(LOG_ERROR, "%s", why);
	} else
		reload();
	if (reload_due || upgrade_due) {
		bool *due = reload_due ? &reload_due : &upgrade_due;

		*due = false;
		renew_begin(due == &upgrade_due);
	}
	return true;
}

void
renew_stop(void)
{
	ending = true;
	if (checking != 0)
		kill(checking, SIGTERM);
}

bool
renew_checks(void)
{
	return checking != 0;
}
