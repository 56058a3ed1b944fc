/* The listening sockets, which the master alone keeps open. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers_file.h"

struct listening {
	char path[WORKERS_PATH_MAX];
	int fd;
	unsigned number;	/* names its worker: "worker-3" */
	bool wanted;		/* the list still names it */
};

#define SOCKETS_MAX (2 * WORKERS_MAX)	/* with those that go */
extern struct listening sockets[SOCKETS_MAX];	/* fd -1: unused */

void sockets_open(void);

/*
 * Opens what the list names and is not open yet, for nginx's group as well;
 * what it no longer names is not wanted from now on.  False with a sentence in
 * `why`, and nothing changed.
 */
bool sockets_want(const struct workers_file *, char *why, size_t size);

/* Whether that would succeed; in a child, which leaves no path behind. */
bool sockets_would(const struct workers_file *, char *why, size_t size);

/* One that was open before this program was executed. */
bool sockets_adopt(int fd, unsigned number, const char *path);

/* No client finds it any more; who has connected stays. */
void sockets_hide(struct listening *);
void sockets_close(struct listening *);

/* In a child: closes all but `keep` (NULL: all). */
void sockets_close_others(const struct listening *keep);

/* Listens on a path that only the owner (and, unless private, the group) may
 * use.  -1 with a sentence when it is in use, or cannot be had. */
int sockets_listen(const char *path, bool private, char *why, size_t size);

#endif
