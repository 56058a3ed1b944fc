/*
 * A path that is there already belongs to somebody who listens, or was left
 * behind by a killed program: connecting tells.
 */
#include "sockets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

struct listening sockets[SOCKETS_MAX];

void
sockets_open(void)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		sockets[i].fd = -1;
}

static bool
is_in_use(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool used = connect(fd, (const struct sockaddr *)name,
	    sizeof *name) == 0;

	close(fd);
	return used;
}

int
sockets_listen(const char *path, bool private, char *why, size_t size)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct stat there;
	mode_t mask;
	int fd, failed;

	if (strlen(path) >= sizeof name.sun_path) {
		snprintf(why, size, "%s: the path of a socket has at most "
		    "107 bytes", path);
		return -1;
	}
	strcpy(name.sun_path, path);
	if (lstat(path, &there) == 0) {
		if (!S_ISSOCK(there.st_mode)) {
			snprintf(why, size, "%s: there is something that is "
			    "no socket", path);
			return -1;
		}
		if (is_in_use(&name)) {
			snprintf(why, size, "%s: another program listens "
			    "there", path);
			return -1;
		}
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mask = umask(private ? 0177 : 0117);
	failed = fd == -1 || bind(fd, (const struct sockaddr *)&name,
	    sizeof name) == -1 || listen(fd, BACKLOG) == -1;
	umask(mask);
	if (failed) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}

static struct listening *
find(const char *path)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i].fd != -1 && strcmp(sockets[i].path, path) == 0)
			return &sockets[i];
	return NULL;
}

static struct listening *
find_unused(void)
{
	size_t i = 0;

	while (i < SOCKETS_MAX - 1 && sockets[i].fd != -1)
		i++;
	return &sockets[i];
}

static unsigned
unused_number(void)
{
	unsigned number = 0;

	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i].fd != -1 && sockets[i].number == number) {
			number++;
			i = (size_t)-1;
		}
	return number;
}

static bool
open_one(const char *path, char *why, size_t size)
{
	struct listening *s = find_unused();
	int fd = sockets_listen(path, false, why, size);

	if (fd == -1)
		return false;
	s->number = unused_number();
	s->fd = fd;
	s->wanted = false;
	strcpy(s->path, path);
	return true;
}

static bool
is_named(const struct workers_file *w, const char *path)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->path[i], path) == 0)
			return true;
	return false;
}

/* The `opened` ones, as if they had never been. */
static void
forget(const bool opened[SOCKETS_MAX])
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (opened[i]) {
			sockets_hide(&sockets[i]);
			sockets_close(&sockets[i]);
		}
}

static bool
open_all(const struct workers_file *w, bool opened[SOCKETS_MAX], char *why,
    size_t size)
{
	for (size_t i = 0; i < w->count; i++)
		if (find(w->path[i]) == NULL) {
			struct listening *s = find_unused();

			if (!open_one(w->path[i], why, size))
				return false;
			opened[s - sockets] = true;
		}
	return true;
}

bool
sockets_want(const struct workers_file *w, char *why, size_t size)
{
	bool opened[SOCKETS_MAX] = { false };

	if (!open_all(w, opened, why, size)) {
		forget(opened);
		return false;
	}
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i].fd != -1)
			sockets[i].wanted = is_named(w, sockets[i].path);
	return true;
}

bool
sockets_would(const struct workers_file *w, char *why, size_t size)
{
	bool opened[SOCKETS_MAX] = { false }, fine = open_all(w, opened, why,
	    size);

	forget(opened);
	return fine;
}

bool
sockets_adopt(int fd, unsigned number, const char *path)
{
	struct listening *s = find_unused();

	if (strlen(path) >= sizeof s->path || s->fd != -1)
		return false;
	s->fd = fd;
	s->number = number;
	s->wanted = true;
	strcpy(s->path, path);
	return true;
}

void
sockets_hide(struct listening *s)
{
	if (s->fd != -1 && s->path[0] != '\0')
		unlink(s->path);
	s->path[0] = '\0';	/* the name may be wanted again, anew */
}

void
sockets_close(struct listening *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	s->wanted = false;
}

void
sockets_close_others(const struct listening *keep)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (&sockets[i] != keep && sockets[i].fd != -1)
			close(sockets[i].fd);
}
