/*
 * libfcgi reads: FCGX_Accept_r is called on a connection that is readable, and
 * blocks for the short time in which nginx, which has buffered the request,
 * hands over the rest (two seconds at most).  Writing never blocks: the reply
 * is framed here and sent with MSG_DONTWAIT; what is left over waits in a
 * buffer for the socket.  (Framing all replies here costs less than libfcgi's
 * streams: one sendmsg from where the bytes are, and no copy.)
 *
 * Three rules keep libfcgi safe: the body is read to its end before the reply,
 * since bytes that are left on a kept connection would be read as the next
 * request; FCGX_GetError and the last parameter are looked at, since a request
 * that was cut off is otherwise delivered as a whole one; and a connection is
 * always "detached", so that closing it never lingers.
 */
#include "fcgi.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <fcgiapp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "board.h"
#include "log.h"

#define RECORD_MAX 65528	/* bytes of content; a multiple of 8 */
#define RECORDS_AT_ONCE 32	/* more go through the buffer */
#define ACCEPTS_AT_ONCE 64
#define READ_SECONDS 2
#define STALLED_SECONDS 5
#define NO_DESCRIPTORS_MS 10

enum { TYPE_END = 3, TYPE_STDOUT = 6 };

struct fcgi {
	FCGX_Request fcgx;
	struct event *readable, *writable;
	struct evbuffer *unsent;
	const char *parameters[FCGI_COUNT];
	void *user;
	bool keep, gone;
	bool waiting;			/* the reply, or its end, is due */
	bool deaf;			/* `readable` is off meanwhile */
};

static struct event_base *base;
static struct event *accepting, *resume_accepting;
static const struct fcgi_handler *handler;
static unsigned connections, busy;
static size_t unsent;
static bool draining;
static struct fcgi *unanswered;		/* whose handler is running */

static const char *const parameter_names[FCGI_COUNT] = {
#define X(name) #name,
	FCGI_PARAMETERS(X)
#undef X
};

/*
 * While a request is not answered to its end, nothing more is read.  The event
 * stays on, since nginx sends nothing more either, and switching it would cost
 * two system calls; when it comes all the same, see on_early.
 */
static void
set_waiting(struct fcgi *c, bool waiting)
{
	if (c->waiting == waiting)
		return;
	c->waiting = waiting;
	if (waiting)
		busy++;
	else {
		busy--;
		if (c->deaf)
			event_add(c->readable, NULL);
		c->deaf = false;
	}
}

static void
end(struct fcgi *c)
{
	busy -= c->waiting;
	if (c->unsent != NULL) {
		unsent -= evbuffer_get_length(c->unsent);
		evbuffer_free(c->unsent);
	}
	handler->forget(c->user);
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	FCGX_Free(&c->fcgx, 1);
	free(c);
	board_set(&board->clients, --connections);
	board_set(&board->unsent_bytes, unsent);
}

static void
find_parameters(struct fcgi *c)
{
	memset(c->parameters, 0, sizeof c->parameters);
	for (char **p = c->fcgx.envp; *p != NULL; p++) {
		for (int i = 0; i < FCGI_COUNT; i++) {
			size_t length = strlen(parameter_names[i]);

			if (strncmp(*p, parameter_names[i], length) == 0 &&
			    (*p)[length] == '=') {
				c->parameters[i] = *p + length + 1;
				break;
			}
		}
		if (p[1] == NULL && c->parameters[FCGI_REKLAM_END] != *p +
		    strlen(parameter_names[FCGI_REKLAM_END]) + 1)
			c->parameters[FCGI_REKLAM_END] = NULL;
	}
}

/* Whether a whole request has arrived: without an error, to the marker. */
static bool
is_whole(struct fcgi *c)
{
	find_parameters(c);
	return FCGX_GetError(c->fcgx.in) == 0 &&
	    c->parameters[FCGI_REKLAM_END] != NULL;
}

static bool
is_unsent(const struct fcgi *c)
{
	return c->unsent != NULL && evbuffer_get_length(c->unsent) > 0;
}

/*
 * Something came before the reply was sent: the peer's end, or bytes that are
 * out of turn.  The first is told once; neither makes the loop busy.
 */
static void
on_early(struct fcgi *c)
{
	char byte;

	event_del(c->readable);
	c->deaf = true;
	if (c->gone || is_unsent(c) || recv(c->fcgx.ipcFd, &byte, 1,
	    MSG_PEEK | MSG_DONTWAIT) > 0)
		return;
	c->gone = true;
	handler->gone(c);
}

static void
on_readable(int fd, short what, void *context)
{
	struct fcgi *c = context;

	(void)fd, (void)what;
	if (c->waiting) {
		on_early(c);
		return;
	}
	if (FCGX_Accept_r(&c->fcgx) != 0) {	/* closed; or nonsense */
		end(c);
		return;
	}
	c->keep = c->fcgx.keepConnection != 0;
	c->fcgx.keepConnection = 1;	/* whether it is kept is ours to say */
	c->gone = false;
	if (!is_whole(c)) {
		board_add(&board->broken, 1);
		end(c);
		return;
	}
	unanswered = c;
	handler->request(c);
	if (unanswered == c)
		set_waiting(c, true);	/* the reply will come later */
	unanswered = NULL;
}

static void
ready_for_next(struct fcgi *c)
{
	FCGX_Free(&c->fcgx, 0);
	if (!c->keep || draining) {
		end(c);
		return;
	}
	set_waiting(c, false);
}

static void
put_header(unsigned char *to, int type, int id, size_t length, size_t padding)
{
	to[0] = 1;
	to[1] = (unsigned char)type;
	to[2] = (unsigned char)(id >> 8);
	to[3] = (unsigned char)id;
	to[4] = (unsigned char)(length >> 8);
	to[5] = (unsigned char)length;
	to[6] = (unsigned char)padding;
	to[7] = 0;
}

/* What ends a request: an empty STDOUT record, and END_REQUEST. */
static void
put_end(unsigned char to[24], int id)
{
	put_header(to, TYPE_STDOUT, id, 0, 0);
	put_header(to + 8, TYPE_END, id, 8, 0);
	memset(to + 16, 0, 8);
}

static size_t
append(struct iovec *to, size_t n, const void *bytes, size_t length)
{
	if (length == 0)
		return n;
	to[n].iov_base = (void *)(uintptr_t)bytes;
	to[n].iov_len = length;
	return n + 1;
}

/*
 * Lists the pieces of a reply: head and body as STDOUT records (the head fits
 * into the first), then the end.  `headers` has 8 bytes for each record.
 */
static size_t
frame(struct fcgi *c, struct iovec *to, unsigned char (*headers)[8],
    unsigned char *last, const char *head, size_t head_length,
    const char *body, size_t body_length)
{
	size_t n = 0, records = 0;
	int id = c->fcgx.requestId;

	while (head_length + body_length > 0) {
		size_t part = RECORD_MAX - head_length;

		if (part > body_length)
			part = body_length;
		put_header(headers[records], TYPE_STDOUT, id,
		    head_length + part, 0);
		n = append(to, n, headers[records++], 8);
		n = append(to, n, head, head_length);
		n = append(to, n, body, part);
		body += part;
		body_length -= part;
		head_length = 0;
	}
	put_end(last, id);
	return append(to, n, last, 24);
}

static ssize_t
send_some(struct fcgi *c, struct iovec *pieces, size_t n)
{
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = n };
	ssize_t sent = sendmsg(c->fcgx.ipcFd, &message,
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return sent;
}

static bool
keep_rest(struct fcgi *c, const struct iovec *pieces, size_t n, size_t sent)
{
	if (c->unsent == NULL && (c->unsent = evbuffer_new()) == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t skip = sent < pieces[i].iov_len ? sent :
		    pieces[i].iov_len;

		sent -= skip;
		if (evbuffer_add(c->unsent, (char *)pieces[i].iov_base + skip,
		    pieces[i].iov_len - skip) != 0)
			return false;
	}
	unsent += evbuffer_get_length(c->unsent);
	board_set(&board->unsent_bytes, unsent);
	return true;
}

/* A peer that takes nothing for a while is closed. */
static void
wait_for_room(struct fcgi *c)
{
	struct timeval patience = { STALLED_SECONDS, 0 };

	set_waiting(c, true);
	if (event_add(c->writable, &patience) != 0)
		end(c);
}

static void
on_writable(int fd, short what, void *context)
{
	struct fcgi *c = context;
	struct iovec pieces[64];
	int n = evbuffer_peek(c->unsent, -1, NULL, pieces, 64);
	ssize_t sent = -1;

	(void)fd;
	if (!(what & EV_TIMEOUT))
		sent = send_some(c, pieces, (size_t)(n > 64 ? 64 : n));
	if (sent == -1) {
		end(c);
		return;
	}
	evbuffer_drain(c->unsent, (size_t)sent);
	unsent -= (size_t)sent;
	board_set(&board->unsent_bytes, unsent);
	if (evbuffer_get_length(c->unsent) > 0)
		wait_for_room(c);
	else
		ready_for_next(c);
}

static void
send_reply(struct fcgi *c, struct iovec *pieces, size_t n)
{
	ssize_t sent = send_some(c, pieces, n), length = 0;

	for (size_t i = 0; i < n; i++)
		length += (ssize_t)pieces[i].iov_len;
	if (sent == length)
		ready_for_next(c);
	else if (sent == -1 || !keep_rest(c, pieces, n, (size_t)sent))
		end(c);
	else
		wait_for_room(c);
}

/* Too many records for one call: all of it goes into the buffer. */
static void
send_large(struct fcgi *c, size_t records, const char *head,
    size_t head_length, const char *body, size_t body_length)
{
	struct iovec *pieces = calloc(3 * records + 1, sizeof *pieces);
	unsigned char (*headers)[8] = calloc(records, sizeof *headers);
	unsigned char last[24];
	bool kept = false;

	if (pieces != NULL && headers != NULL) {
		size_t n = frame(c, pieces, headers, last, head, head_length,
		    body, body_length);

		kept = keep_rest(c, pieces, n, 0);
	}
	free(pieces);
	free(headers);
	if (kept)
		wait_for_room(c);
	else
		end(c);
}

void
fcgi_reply(struct fcgi *c, const char *head, size_t head_length,
    const char *body, size_t body_length)
{
	size_t records = (head_length + body_length) / RECORD_MAX + 1;
	struct iovec pieces[3 * RECORDS_AT_ONCE + 1];
	unsigned char headers[RECORDS_AT_ONCE][8], last[24];
	size_t n;

	if (unanswered == c)
		unanswered = NULL;
	if (c->gone)
		end(c);
	else if (records > RECORDS_AT_ONCE)
		send_large(c, records, head, head_length, body, body_length);
	else {
		n = frame(c, pieces, headers, last, head, head_length, body,
		    body_length);
		send_reply(c, pieces, n);
	}
}

const char *
fcgi_parameter(const struct fcgi *c, enum fcgi_parameter which)
{
	return c->parameters[which];
}

void *
fcgi_user(const struct fcgi *c)
{
	return c->user;
}

void
fcgi_set_user(struct fcgi *c, void *user)
{
	c->user = user;
}

long
fcgi_body(struct fcgi *c, char *to, size_t room)
{
	char rest[8192];
	long length = 0;
	int n;

	if (room > 0) {
		length = FCGX_GetStr(to, (int)room, c->fcgx.in);
		if ((size_t)length < room)
			return FCGX_GetError(c->fcgx.in) == 0 ? length : -1;
	}
	while ((n = FCGX_GetStr(rest, sizeof rest, c->fcgx.in)) > 0)
		length += n;
	return FCGX_GetError(c->fcgx.in) == 0 ? length : -1;
}

static void
begin(int fd)
{
	struct fcgi *c = calloc(1, sizeof *c);
	struct timeval patience = { READ_SECONDS, 0 };

	if (c == NULL || FCGX_InitRequest(&c->fcgx, -1, 0) != 0) {
		free(c);
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	c->fcgx.ipcFd = fd;
	c->fcgx.keepConnection = 1;
	c->fcgx.detached = 1;
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST,
	    on_readable, c);
	c->writable = event_new(base, fd, EV_WRITE, on_writable, c);
	board_add(&board->connections, 1);
	board_set(&board->clients, ++connections);
	if (c->readable == NULL || c->writable == NULL ||
	    event_add(c->readable, NULL) != 0)
		end(c);
}

/*
 * Without a free descriptor the connection stays in the queue of the socket;
 * trying again at once would be a busy loop.
 */
static void
pause_accepting(void)
{
	struct timeval wait = { 0, NO_DESCRIPTORS_MS * 1000 };

	event_del(accepting);
	evtimer_add(resume_accepting, &wait);
}

static void
on_resume(int fd, short what, void *context)
{
	(void)fd, (void)what, (void)context;
	if (!draining)
		event_add(accepting, NULL);
}

static void
on_accept(int listener, short what, void *context)
{
	(void)what, (void)context;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			begin(fd);
		else if (errno == EMFILE || errno == ENFILE ||
		    errno == ENOMEM || errno == ENOBUFS) {
			pause_accepting();
			return;
		} else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

bool
fcgi_open(struct event_base *b, int listener, const struct fcgi_handler *h)
{
	base = b;
	handler = h;
	if (FCGX_Init() != 0)
		return false;
	accepting = event_new(base, listener, EV_READ | EV_PERSIST,
	    on_accept, NULL);
	resume_accepting = evtimer_new(base, on_resume, NULL);
	return accepting != NULL && resume_accepting != NULL;
}

void
fcgi_accept(void)
{
	if (!draining && !evtimer_pending(resume_accepting, NULL))
		event_add(accepting, NULL);
}

size_t
fcgi_unsent(void)
{
	return unsent;
}

void
fcgi_drain(void)
{
	/* Who has connected already is served: the socket may be gone soon. */
	on_accept(event_get_fd(accepting), EV_READ, NULL);
	draining = true;
	event_del(accepting);
	/* When the master is dead, a new one must find it unused. */
	close(event_get_fd(accepting));
}

unsigned
fcgi_busy(void)
{
	return busy;
}

unsigned
fcgi_connections(void)
{
	return connections;
}
