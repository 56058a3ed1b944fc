/*
 * One line asks, one JSON document answers, and the connection ends.  Only the
 * user that reklamd runs as (and root) can connect.  Who asks nothing for ten
 * seconds, or reads nothing for one, is closed: the master has other things to
 * do.  A reload alone is answered later: when its workers serve, or when it was
 * refused.
 */
#include "control.h"

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "board.h"
#include "conf.h"
#include "report.h"
#include "shm.h"
#include "sockets.h"

#define LINE_MAX_BYTES 256
#define PATIENCE_MS 10000
#define RELOAD_MS 25000		/* reklamctl waits for a little longer */

struct asker {
	int fd;
	enum control_stage stage;
	int64_t since_ms;
	size_t length;
	char line[LINE_MAX_BYTES];
};

static int socket_fd = -1;
static char socket_path[WORKERS_PATH_MAX];
static struct asker askers[CONTROL_POLLS - 1];

static struct json_object *
on_status(const char *words)
{
	(void)words;
	return report_status();
}

static struct json_object *
on_workers(const char *words)
{
	(void)words;
	return report_workers();
}

static struct json_object *
on_pool(const char *words)
{
	(void)words;
	return report_pool((enum language)conf.language);
}

static struct json_object *
on_clear(const char *words)
{
	return report_cleared(*words != '\0' ? words : NULL, NULL);
}

static struct json_object *
on_cache(const char *words)
{
	return report_cache(*words != '\0' ? words : NULL,
	    (enum language)conf.language);
}

static struct json_object *
on_slow(const char *words)
{
	(void)words;
	return report_slow(NULL, false);	/* it prints tables */
}

/* The answer comes later. */
static struct json_object *
on_reload(const char *words)
{
	(void)words;
	kill(getpid(), SIGHUP);
	return NULL;
}

/* The longer name first, where one begins like another. */
static const struct {
	const char *name;
	struct json_object *(*answer)(const char *words);
} commands[] = {
	{ "status", on_status },
	{ "workers", on_workers },
	{ "pool", on_pool },
	{ "cache clear", on_clear },
	{ "cache", on_cache },
	{ "slow", on_slow },
	{ "reload", on_reload },
};

static struct json_object *
answer(const char *line)
{
	struct json_object *o;

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		size_t n = strlen(commands[i].name);

		if (strncmp(line, commands[i].name, n) == 0 &&
		    (line[n] == '\0' || line[n] == ' '))
			return commands[i].answer(line + n +
			    strspn(line + n, " "));
	}
	o = json_object_new_object();
	json_object_object_add(o, "error",
	    json_object_new_string("the master knows no such command"));
	return o;
}

static void
forget(struct asker *a)
{
	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
}

static void
reply(struct asker *a, struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN);
	size_t length = strlen(text), at = 0;
	ssize_t n;

	while (at < length && (n = send(a->fd, text + at, length - at,
	    MSG_NOSIGNAL)) > 0)
		at += (size_t)n;
	json_object_put(o);
	forget(a);
}

static void
reply_reload(struct asker *a, const char *refusal)
{
	struct json_object *o = json_object_new_object();
	char text[32];

	snprintf(text, sizeof text, "%u workers serve",
	    (unsigned)board_common->workers);
	json_object_object_add(o, refusal != NULL ? "error" : "reload",
	    json_object_new_string(refusal != NULL ? refusal : text));
	reply(a, o);
}

void
control_reach(enum control_stage stage)
{
	for (size_t i = 0; i < CONTROL_POLLS - 1; i++)
		if (askers[i].fd != -1 && askers[i].stage + 1 == stage)
			askers[i].stage = stage;
}

void
control_reloaded(enum control_stage stage, const char *refusal)
{
	for (size_t i = 0; i < CONTROL_POLLS - 1; i++)
		if (askers[i].fd != -1 && askers[i].stage == stage)
			reply_reload(&askers[i], refusal);
}

static void
obey(struct asker *a)
{
	struct json_object *o = answer(a->line);

	a->length = 0;
	if (o != NULL)
		reply(a, o);
	else
		a->stage = CONTROL_ASKED;
}

static void
listen_to(struct asker *a)
{
	ssize_t n = recv(a->fd, a->line + a->length,
	    sizeof a->line - 1 - a->length, MSG_DONTWAIT);
	char *end;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		forget(a);
		return;
	}
	if (a->stage != CONTROL_ANSWERED)
		return;			/* it has asked */
	a->length += (size_t)n;
	a->line[a->length] = '\0';
	if ((end = strchr(a->line, '\n')) != NULL) {
		*end = '\0';
		obey(a);
	} else if (a->length == sizeof a->line - 1)
		forget(a);
}

static void
welcome(void)
{
	struct timeval patience = { 1, 0 };
	int fd = accept4(socket_fd, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd != -1 && i < CONTROL_POLLS - 1; i++)
		if (askers[i].fd == -1) {
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			    sizeof patience);
			askers[i].fd = fd;
			askers[i].length = 0;
			askers[i].stage = CONTROL_ANSWERED;
			askers[i].since_ms = shm_now_ms();
			return;
		}
	if (fd != -1)
		close(fd);
}

bool
control_open(const char *path, char *why, size_t size)
{
	for (size_t i = 0; i < CONTROL_POLLS - 1; i++)
		askers[i].fd = -1;
	socket_fd = sockets_listen(path, true, why, size);
	if (socket_fd == -1)
		return false;
	strcpy(socket_path, path);
	return true;
}

void
control_forget(void)
{
	for (size_t i = 0; i < CONTROL_POLLS - 1; i++)
		forget(&askers[i]);
	if (socket_fd != -1)
		close(socket_fd);
	socket_fd = -1;
}

void
control_close(void)
{
	if (socket_fd != -1)
		unlink(socket_path);
	control_forget();
}

/* Whether somebody is waited for, or waits, no longer. */
static bool
is_over(struct asker *a, int64_t now)
{
	if (a->stage != CONTROL_ANSWERED) {
		if (now - a->since_ms <= RELOAD_MS)
			return false;
		reply_reload(a, "not all of the new workers serve yet; the "
		    "log tells more");
	} else if (now - a->since_ms <= PATIENCE_MS)
		return false;
	forget(a);
	return true;
}

unsigned
control_polls(struct pollfd polls[CONTROL_POLLS])
{
	int64_t now = shm_now_ms();
	unsigned n = 0;

	if (socket_fd != -1)
		polls[n++] = (struct pollfd){ .fd = socket_fd,
		    .events = POLLIN };
	for (size_t i = 0; i < CONTROL_POLLS - 1; i++) {
		if (askers[i].fd != -1 && !is_over(&askers[i], now))
			polls[n++] = (struct pollfd){ .fd = askers[i].fd,
			    .events = POLLIN };
	}
	return n;
}

void
control_serve(const struct pollfd *polls, unsigned count)
{
	for (unsigned p = 0; p < count; p++) {
		if (polls[p].revents == 0)
			continue;
		if (polls[p].fd == socket_fd)
			welcome();
		for (size_t i = 0; i < CONTROL_POLLS - 1; i++)
			if (askers[i].fd == polls[p].fd)
				listen_to(&askers[i]);
	}
}
