/* Replies: one writer of heads, so that no header can be forged in a value. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm.h"

void (*http_replied)(struct request *, int, size_t,
    const struct http_timing *);

static const struct {
	int status;
	const char *reason;
	const char *more;	/* header lines that always come with it */
} statuses[] = {
	{ 200, "OK", "" },
	{ 201, "Created", "" },
	{ 304, "Not Modified", "" },
	{ 400, "Bad Request", "" },
	{ 401, "Unauthorized", "WWW-Authenticate: Bearer\r\n" },
	{ 403, "Forbidden", "" },
	{ 404, "Not Found", "" },
	{ 405, "Method Not Allowed", "" },
	{ 409, "Conflict", "" },
	{ 413, "Content Too Large", "" },
	{ 414, "URI Too Long", "" },
	{ 415, "Unsupported Media Type", "" },
	{ 422, "Unprocessable Content", "" },
	{ 429, "Too Many Requests", "Retry-After: 60\r\n" },
	{ 503, "Service Unavailable", "Retry-After: 1\r\n" },
	{ 500, "Internal Server Error", "" },	/* the last: for all else */
};

static size_t
find_status(int status)
{
	size_t i = 0;

	while (statuses[i].status != status && statuses[i].status != 500)
		i++;
	return i;
}

static void
send_reply(struct request *r, int status, const char *head, size_t head_length,
    const char *body, size_t length, const struct http_timing *timing)
{
	if (http_replied != NULL)
		http_replied(r, status, head_length + length, timing);
	http_finish(r);
	fcgi_reply(r->fcgi, head, head_length, body, r->head ? 0 : length);
}

void
http_reply(struct request *r, int status, const char *more,
    const char *body, size_t length)
{
	http_reply_as(r, status, "application/json", more, body, length);
}

void
http_reply_as(struct request *r, int status, const char *type,
    const char *more, const char *body, size_t length)
{
	char head[HTTP_HEAD_MAX];
	size_t i = find_status(status);
	int n = snprintf(head, sizeof head, "Status: %d %s\r\n"
	    "Content-Type: %s\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n%s%s\r\n", statuses[i].status,
	    statuses[i].reason, type, length, statuses[i].more, more);

	send_reply(r, statuses[i].status, head, (size_t)n, body, length, NULL);
}

void
http_refuse(struct request *r, int status, const char *call,
    const char *field)
{
	char text[1024], body[4096];
	size_t length = text_format(text, sizeof text, call, r->language);
	size_t at = (size_t)snprintf(body, sizeof body, "{\"error\":");

	at += json_quote(body + at, sizeof body - at, text, length);
	if (field != NULL) {
		at += (size_t)snprintf(body + at, sizeof body - at,
		    ",\"field\":");
		at += json_quote(body + at, sizeof body - at, field,
		    strnlen(field, 64));
	}
	at += (size_t)snprintf(body + at, sizeof body - at, "}");
	http_reply(r, status, "", body, at);
}

void
http_refuse_bare(struct fcgi *fcgi)
{
	static const char head[] = "Status: 503 Service Unavailable\r\n"
	    "Content-Type: application/json\r\nContent-Length: 2\r\n"
	    "Retry-After: 1\r\n\r\n";

	fcgi_body(fcgi, NULL, 0);
	fcgi_reply(fcgi, head, sizeof head - 1, "{}", 2);
}

void
http_refuse_method(struct request *r, const char *allow)
{
	char text[256], body[512], more[128];
	size_t length = text_format(text, sizeof text, "method_not_allowed",
	    r->language);
	size_t at = (size_t)snprintf(body, sizeof body, "{\"error\":");

	at += json_quote(body + at, sizeof body - at, text, length);
	at += (size_t)snprintf(body + at, sizeof body - at, "}");
	snprintf(more, sizeof more, "Allow: %s\r\n", allow);
	http_reply(r, 405, more, body, at);
}

static void
put_hex(char *out, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

/* A strong ETag; each encoding has its own. */
static void
put_etag(char out[40], const unsigned char etag[16], bool encoded)
{
	out[0] = '"';
	put_hex(out + 1, etag, 16);
	strcpy(out + 33, encoded ? "-z\"" : "\"");
}

size_t
http_answer_head(char *out, size_t size, const char *type, int64_t total,
    const unsigned char etag[16], const char *encoding, size_t length)
{
	char tag[40], count[48] = "", coding[48] = "";
	int n;

	put_etag(tag, etag, encoding != NULL);
	if (total >= 0)
		snprintf(count, sizeof count, "X-Total-Count: %lld\r\n",
		    (long long)total);
	if (encoding != NULL)
		snprintf(coding, sizeof coding, "Content-Encoding: %s\r\n",
		    encoding);
	n = snprintf(out, size, "Status: 200 OK\r\nContent-Type: %s\r\n"
	    "Content-Length: %zu\r\nETag: %s\r\n%s%s"
	    "Cache-Control: private, no-cache\r\n"
	    "Vary: Authorization, Accept-Encoding\r\n",
	    type, length, tag, count, coding);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

size_t
http_encoded_head(char *out, size_t size, const char *head,
    const unsigned char etag[16], const char *encoding, size_t length)
{
	char tag[40];
	size_t at;

	put_etag(tag, etag, true);
	at = (size_t)snprintf(out, size, "Status: 200 OK\r\n"
	    "Content-Length: %zu\r\nETag: %s\r\nContent-Encoding: %s\r\n",
	    length, tag, encoding);
	/* All other lines are those of the plain form. */
	for (const char *line = head, *next; *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (strncmp(line, "Status:", 7) != 0 &&
		    strncmp(line, "Content-Length:", 15) != 0 &&
		    strncmp(line, "ETag:", 5) != 0)
			at += (size_t)snprintf(out + at, size - at, "%.*s",
			    (int)(next - line), line);
		if (at >= size)
			return 0;
	}
	return at;
}

/*
 * If-None-Match: a list of ETags, perhaps weak, or "*".  Who takes both forms
 * may have either of them, and `encoded` becomes the one that he has.
 */
static bool
has_it(const struct request *r, const unsigned char etag[16], bool *encoded)
{
	const char *header = http_header(r, FCGI_HTTP_IF_NONE_MATCH);
	char tag[40];

	if (header == NULL)
		return false;
	put_etag(tag, etag, *encoded);
	if (strstr(header, tag) != NULL || strcmp(header, "*") == 0)
		return true;
	if (!r->gzip)
		return false;
	*encoded = !*encoded;
	put_etag(tag, etag, *encoded);
	return strstr(header, tag) != NULL;
}

static char *
put_number(char *to, uint64_t n)
{
	char digits[20];
	int i = 0;

	do
		digits[i++] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	while (i > 0)
		*to++ = digits[--i];
	return to;
}

static char *
put_text(char *to, const char *text)
{
	return stpcpy(to, text);
}

/* Milliseconds with three decimals, as Server-Timing has them. */
static char *
put_ms(char *to, int64_t us)
{
	if (us < 0)
		us = 0;
	to = put_number(to, (uint64_t)us / 1000);
	*to++ = '.';
	*to++ = (char)('0' + us / 100 % 10);
	*to++ = (char)('0' + us / 10 % 10);
	*to++ = (char)('0' + us % 10);
	return to;
}

static char *
put_timing(char *to, const struct http_timing *t, int64_t us)
{
	to = put_text(to, "X-Cache: ");
	to = put_text(to, t->cache);
	to = put_text(to, "\r\nAge: ");
	to = put_number(to, (uint64_t)t->age_ms / 1000);
	if (strcmp(t->cache, "stale") == 0)
		to = put_text(to,
		    "\r\nWarning: 110 reklam \"Response is Stale\"");
	to = put_text(to, "\r\nServer-Timing: cache;desc=");
	to = put_text(to, t->cache);
	if (t->queued_us + t->ran_us > 0) {
		to = put_text(to, ", queue;dur=");
		to = put_ms(to, t->queued_us);
		to = put_text(to, ", query;dur=");
		to = put_ms(to, t->ran_us);
	}
	to = put_text(to, ", total;dur=");
	to = put_ms(to, us);
	return put_text(to, "\r\n\r\n");
}

static size_t
put_not_modified(char *to, const unsigned char etag[16], bool encoded)
{
	char *start = to;

	to = put_text(to, "Status: 304 Not Modified\r\nETag: ");
	put_etag(to, etag, encoded);
	to += strlen(to);
	to = put_text(to, "\r\nCache-Control: private, no-cache\r\n"
	    "Vary: Authorization, Accept-Encoding\r\n");
	return (size_t)(to - start);
}

void
http_answer(struct request *r, const char *head, size_t head_length,
    const unsigned char etag[16], const char *body, size_t length,
    const struct http_timing *timing)
{
	char out[HTTP_HEAD_MAX + 512];
	bool encoded = memmem(head, head_length, "\r\nContent-Encoding", 18) !=
	    NULL;
	int status = 200;
	char *to;

	if (has_it(r, etag, &encoded)) {
		head_length = put_not_modified(out, etag, encoded);
		status = 304;
		length = 0;
	} else
		memcpy(out, head, head_length);
	to = put_timing(out + head_length, timing,
	    shm_now_us() - r->started_us);
	send_reply(r, status, out, (size_t)(to - out), body, length, timing);
}
