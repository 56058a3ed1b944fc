/* One request, as HTTP has it, and one reply. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgi.h"
#include "json.h"
#include "text.h"

#define HTTP_URI_MAX 2048
#define HTTP_SEGMENTS_MAX 12
#define HTTP_PAIRS_MAX 64
#define HTTP_BODY_MAX (1024 * 1024)
#define HTTP_HEAD_MAX 1024

enum http_method {
	HTTP_GET, HTTP_POST, HTTP_PATCH, HTTP_DELETE, HTTP_OTHER
};

struct route;
struct identity;

struct http_pair {
	char *name, *value;
};

struct request {
	struct fcgi *fcgi;
	int64_t started_us;
	enum http_method method;
	bool head;			/* HEAD: as GET, but without a body */
	char uri[HTTP_URI_MAX + 1];	/* cut into pieces and decoded in place */
	unsigned segment_count, pair_count;
	char *segments[HTTP_SEGMENTS_MAX];
	struct http_pair pairs[HTTP_PAIRS_MAX];
	bool gzip;
	enum language language;

	char *body;			/* NUL-terminated, or NULL */
	size_t body_length;
	struct json json;		/* of the body, once it is checked */

	/* For those above: which endpoint, who asks, what hangs on it. */
	const struct route *route;
	unsigned route_index;
	const struct identity *who;	/* until the request first waits */
	char user[37];			/* his id, for good; "" for nobody */
	int64_t queued_us, ran_us;	/* of the statement that was run */
	void *state;
	void (*abandon)(struct request *);	/* when the client leaves */
};

/* What is said of how an answer came to be, in Server-Timing and the log. */
struct http_timing {
	const char *cache;		/* hit, miss, wait, stale; or NULL */
	int64_t age_ms, queued_us, ran_us;
};

/*
 * Reads method, path, query and headers; false when a 4xx has been sent.
 * `http_read_body` then reads the body to its end, whatever happens, and is
 * false in the same way.
 */
bool http_read(struct request *, struct fcgi *);
bool http_read_body(struct request *, size_t max);

/* A header of the request, or NULL. */
const char *http_header(const struct request *, enum fcgi_parameter);

/* The first value of that name in the query, or NULL. */
const char *http_query(const struct request *, const char *name);

/* Sends a JSON body; `more` is further header lines, or "". */
void http_reply(struct request *, int status, const char *more,
    const char *body, size_t length);

/* The same with another Content-Type. */
void http_reply_as(struct request *, int status, const char *type,
    const char *more, const char *body, size_t length);

/* {"error": the text that `call` names}, and "field" when there is one. */
void http_refuse(struct request *, int status, const char *call,
    const char *field);

/* 503 when there is no memory for a request; reads it to its end. */
void http_refuse_bare(struct fcgi *);

/* 405, with the methods that the path has. */
void http_refuse_method(struct request *, const char *allow);

/*
 * The part of a reply's head that is the same each time an answer is given.
 * `total` is -1 when there is none, `encoding` NULL for none; returns its
 * length, 0 when it does not fit.
 */
size_t http_answer_head(char *out, size_t size, const char *type,
    int64_t total, const unsigned char etag[16], const char *encoding,
    size_t length);

/* The same head for the encoded form of `length` bytes. */
size_t http_encoded_head(char *out, size_t size, const char *head,
    const unsigned char etag[16], const char *encoding, size_t length);

/* Sends such an answer, or 304 when the client has it. */
void http_answer(struct request *, const char *head, size_t head_length,
    const unsigned char etag[16], const char *body, size_t length,
    const struct http_timing *);

/* Called at the end of each reply: counts and logs it. */
extern void (*http_replied)(struct request *, int status, size_t bytes,
    const struct http_timing *);

/* The client has left and nothing runs for it: no reply is due. */
void http_drop(struct request *);

/* Frees what one request has taken. */
void http_finish(struct request *);

#endif
