/*
 * Standard error is shared with other programs, so it is not made
 * non-blocking.  A pipe or a terminal is opened once more for ourselves; a
 * socket (the journal's) takes MSG_DONTWAIT; a file never waits.  Where none
 * of these can be had, poll says whether there is room.  Lines are no longer
 * than PIPE_BUF, thus never mixed with those of other processes.
 */
#include "log_sink.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	int fd;			/* -1: there is none */
	bool socket;
	bool broken;		/* the last line was written in part */
} sink = { .fd = -1 };

static _Atomic uint64_t dropped;

/* Whether the journal reads it: systemd.exec(5), JOURNAL_STREAM. */
static bool
is_journal(const struct stat *s)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;

	return stream != NULL &&
	    sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	    device == s->st_dev && inode == s->st_ino;
}

/* A reader that went away is a line lost, not the end of the program. */
static void
ignore_pipe(void)
{
	struct sigaction old;

	if (sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
}

bool
log_sink_open(void)
{
	struct stat s;
	int own;

	ignore_pipe();
	if (sink.fd > STDERR_FILENO)
		close(sink.fd);
	sink.fd = -1;
	if (fstat(STDERR_FILENO, &s) == -1)
		return false;
	sink.fd = STDERR_FILENO;
	sink.socket = S_ISSOCK(s.st_mode);
	if (S_ISFIFO(s.st_mode) || S_ISCHR(s.st_mode)) {
		own = open("/proc/self/fd/2", O_WRONLY | O_APPEND |
		    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (own != -1)
			sink.fd = own;
	}
	return is_journal(&s);
}

/* One attempt that does not wait; what was taken. */
static ssize_t
hand_over(const char *bytes, size_t length)
{
	struct pollfd p = { .fd = sink.fd, .events = POLLOUT };
	ssize_t n;

	do {
		if (sink.socket)
			n = send(sink.fd, bytes, length,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		else if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
			n = write(sink.fd, bytes, length);
		else
			return -1;
	} while (n == -1 && errno == EINTR);
	return n;
}

void
log_sink_write(const char *line, size_t length)
{
	ssize_t n = -1;

	if (sink.fd != -1 && sink.broken && hand_over("\n", 1) == 1)
		sink.broken = false;
	if (sink.fd != -1 && !sink.broken)
		n = hand_over(line, length);
	if (n != (ssize_t)length)
		dropped++;
	if (n > 0 && n < (ssize_t)length)
		sink.broken = true;
}

uint64_t
log_sink_dropped(void)
{
	return dropped;
}
