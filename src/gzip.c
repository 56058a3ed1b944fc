/*
 * Small texts are compressed where they are asked for, in some tenths of a
 * millisecond.  A large one goes to a thread that touches nothing but it: the
 * loop writes `task`, wakes the thread by one eventfd, and reads the result
 * when the other one says so.  The semaphore of each eventfd orders the memory.
 */
#include "gzip.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zlib.h>

#define ON_THE_LOOP 16384		/* bytes of text */
#define LEVEL 5
#define GZIP_WINDOW (15 + 16)		/* zlib's: a gzip header */

static struct {
	char *text, *bytes;
	size_t length, size;
	gzip_done *done;
	void *context;
} task;

static int wake = -1, made = -1;
static bool busy;

static char *
compress_text(const char *text, size_t length, size_t *size)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)text,
	    .avail_in = (uInt)length };
	char *out = NULL;
	uLong bound;

	if (deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8,
	    Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	bound = deflateBound(&z, (uLong)length);
	if ((out = malloc(bound)) != NULL) {
		z.next_out = (Bytef *)out;
		z.avail_out = (uInt)bound;
		if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
			free(out);
			out = NULL;
		}
		*size = z.total_out;
	}
	deflateEnd(&z);
	return out;
}

static void *
helper(void *nothing)
{
	uint64_t n;

	(void)nothing;
	while (read(wake, &n, sizeof n) == sizeof n) {
		task.bytes = compress_text(task.text, task.length, &task.size);
		n = 1;
		if (write(made, &n, sizeof n) != sizeof n)
			break;
	}
	return NULL;
}

static void
on_made(int fd, short what, void *context)
{
	uint64_t n;

	(void)what, (void)context;
	if (read(fd, &n, sizeof n) != sizeof n)
		return;
	busy = false;
	task.done(task.context, task.bytes, task.size);
	free(task.bytes);
	free(task.text);
	task.bytes = task.text = NULL;
}

bool
gzip_open(struct event_base *base)
{
	sigset_t all, before;
	pthread_t thread;
	struct event *event;
	bool started;

	wake = eventfd(0, EFD_CLOEXEC);
	made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake == -1 || made == -1)
		return false;
	event = event_new(base, made, EV_READ | EV_PERSIST, on_made, NULL);
	if (event == NULL || event_add(event, NULL) != 0)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, NULL, helper, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		pthread_detach(thread);
	return started;
}

static bool
make_now(const char *text, size_t length, gzip_done *done, void *context)
{
	size_t size = 0;
	char *bytes = compress_text(text, length, &size);

	done(context, bytes, size);
	free(bytes);
	return true;
}

bool
gzip_make(const char *text, size_t length, gzip_done *done, void *context)
{
	uint64_t one = 1;

	if (length <= ON_THE_LOOP)
		return make_now(text, length, done, context);
	if (busy || (task.text = malloc(length)) == NULL)
		return false;
	memcpy(task.text, text, length);
	task.length = length;
	task.done = done;
	task.context = context;
	busy = true;
	return write(wake, &one, sizeof one) == sizeof one;
}
