/* libfcgi on the loop: connections from nginx, a request at a time. */
#ifndef FCGI_H
#define FCGI_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct fcgi;

/* What nginx may send, and what is looked at; the marker comes last. */
#define FCGI_PARAMETERS(X) \
	X(REQUEST_METHOD) X(REQUEST_URI) X(CONTENT_TYPE) X(CONTENT_LENGTH) \
	X(REMOTE_ADDR) X(REQUEST_ID) X(HTTP_AUTHORIZATION) \
	X(HTTP_IF_NONE_MATCH) X(HTTP_ACCEPT_ENCODING) \
	X(HTTP_ACCEPT_LANGUAGE) X(REKLAM_END)

enum fcgi_parameter {
#define X(name) FCGI_##name,
	FCGI_PARAMETERS(X)
#undef X
	FCGI_COUNT
};

struct fcgi_handler {
	/* A whole request; ends with fcgi_reply, now or later.  When later,
	 * `gone` tells that the peer has left meanwhile. */
	void (*request)(struct fcgi *);
	/* fcgi_reply is still due, now or when what runs has ended. */
	void (*gone)(struct fcgi *);
	/* The connection's end: what hangs on fcgi_user goes. */
	void (*forget)(void *user);
};

/* Will serve the listening socket, which must be non-blocking. */
bool fcgi_open(struct event_base *, int listener, const struct fcgi_handler *);

/* From now on; until then who connects waits in the socket's queue. */
void fcgi_accept(void);

/* A parameter of the request, or NULL; valid until the reply. */
const char *fcgi_parameter(const struct fcgi *, enum fcgi_parameter);

/* Something of the caller's that lives with the connection. */
void *fcgi_user(const struct fcgi *);
void fcgi_set_user(struct fcgi *, void *);

/*
 * Reads the body to its end, keeping at most `room` bytes.  Returns its length,
 * which may be more than that, or -1 when it was cut off.
 */
long fcgi_body(struct fcgi *, char *to, size_t room);

/*
 * Sends the reply and is ready for the next request.  What the socket does not
 * take at once is copied.  The connection may be gone afterwards.
 */
void fcgi_reply(struct fcgi *, const char *head, size_t head_length,
    const char *body, size_t body_length);

/* Bytes waiting for their readers, over all connections. */
size_t fcgi_unsent(void);

/* Accepts no more; each connection ends after its next reply. */
void fcgi_drain(void);
unsigned fcgi_connections(void);
unsigned fcgi_busy(void);	/* of these, with a request under way */

#endif
