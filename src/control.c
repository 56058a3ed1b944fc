/*
 * One line asks, one JSON document answers, and the connection ends.  Only the
 * user that reklamd runs as (and root) can connect.  Who asks nothing for ten
 * seconds, or reads nothing for one, is closed: the master has other things to
 * do.
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

#include "conf.h"
#include "report.h"
#include "shm.h"
#include "sockets.h"

#define LINE_MAX_BYTES 256
#define PATIENCE_MS 10000

struct asker {
	int fd;
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

static struct json_object *
on_reload(const char *words)
{
	struct json_object *o = json_object_new_object();

	(void)words;
	kill(getpid(), SIGHUP);
	json_object_object_add(o, "reload",
	    json_object_new_string("begins; the log tells how it ends"));
	return o;
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
reply(struct asker *a)
{
	struct json_object *o = answer(a->line);
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
	a->length += (size_t)n;
	a->line[a->length] = '\0';
	if ((end = strchr(a->line, '\n')) != NULL) {
		*end = '\0';
		reply(a);
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

unsigned
control_polls(struct pollfd polls[CONTROL_POLLS])
{
	unsigned n = 0;

	if (socket_fd != -1)
		polls[n++] = (struct pollfd){ .fd = socket_fd,
		    .events = POLLIN };
	for (size_t i = 0; i < CONTROL_POLLS - 1; i++) {
		if (askers[i].fd == -1)
			continue;
		if (shm_now_ms() - askers[i].since_ms > PATIENCE_MS)
			forget(&askers[i]);
		else
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
