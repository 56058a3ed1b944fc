/*
 * The request is what nginx made of it: one line, few headers, a whole body.
 * The URI is taken apart here and not by nginx, so that what is matched is
 * what the client sent: split at '/' and '&' first, decoded after.
 *
 * Every reply is built whole before its first byte is sent, and says its
 * length.
 */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf.h"
#include "shm.h"
#include "utf8.h"

static const struct {
	const char *name;
	enum http_method method;
	bool head;
} methods[] = {
	{ "GET", HTTP_GET, false },
	{ "POST", HTTP_POST, false },
	{ "PATCH", HTTP_PATCH, false },
	{ "DELETE", HTTP_DELETE, false },
	{ "HEAD", HTTP_GET, true },
};

static void
read_method(struct request *r, const char *name)
{
	r->method = HTTP_OTHER;
	r->head = false;
	for (size_t i = 0; name != NULL && i < sizeof methods /
	    sizeof *methods; i++)
		if (strcmp(name, methods[i].name) == 0) {
			r->method = methods[i].method;
			r->head = methods[i].head;
		}
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_utf8(const char *s, size_t length)
{
	size_t n;

	for (; length > 0; s += n, length -= n)
		if ((n = utf8_length(s, length)) == 0)
			return false;
	return true;
}

/* Decodes in place; a NUL, a broken escape and what is not UTF-8 are refused. */
static bool
decode(char *s, bool plus_is_blank)
{
	char *start = s, *to = s;

	for (; *s != '\0'; s++) {
		if (*s == '%') {
			int high = hex(s[1]), low = high < 0 ? -1 : hex(s[2]);

			if (low < 0 || high * 16 + low == 0)
				return false;
			*to++ = (char)(high * 16 + low);
			s += 2;
		} else
			*to++ = *s == '+' && plus_is_blank ? ' ' : *s;
	}
	*to = '\0';
	return is_utf8(start, (size_t)(to - start));
}

/* "/api/jobs" is two segments; "/api/" has an empty one at its end. */
static bool
split_path(struct request *r, char *path)
{
	r->segment_count = 0;
	if (*path != '/')
		return false;
	while (path != NULL) {
		char *segment = path + 1;	/* after the slash, now a NUL */

		if ((path = strchr(segment, '/')) != NULL)
			*path = '\0';
		if (r->segment_count == HTTP_SEGMENTS_MAX ||
		    !decode(segment, false))
			return false;
		r->segments[r->segment_count++] = segment;
	}
	return true;
}

static bool
split_query(struct request *r, char *query)
{
	char *pair;

	r->pair_count = 0;
	while ((pair = strsep(&query, "&")) != NULL) {
		struct http_pair *p = &r->pairs[r->pair_count];

		if (*pair == '\0')
			continue;
		if (r->pair_count == HTTP_PAIRS_MAX)
			return false;
		p->name = strsep(&pair, "=");
		p->value = pair != NULL ? pair : p->name + strlen(p->name);
		if (!decode(p->name, true) || !decode(p->value, true))
			return false;
		r->pair_count++;
	}
	return true;
}

static bool
read_uri(struct request *r, const char *uri)
{
	char *query;

	strcpy(r->uri, uri);
	if ((query = strchr(r->uri, '?')) != NULL)
		*query++ = '\0';
	r->pair_count = 0;
	return split_path(r, r->uri) &&
	    (query == NULL || split_query(r, query));
}

/* "gzip" as a word of its own, and not with q=0. */
static bool
accepts_gzip(const char *header)
{
	const char *at = header, *q;

	while (at != NULL && (at = strcasestr(at, "gzip")) != NULL &&
	    at > header && strchr(" \t,", at[-1]) == NULL)
		at += strlen("gzip");
	if (at == NULL)
		return false;
	at += strlen("gzip") + strspn(at + strlen("gzip"), " \t");
	if (*at != ';')
		return *at == ',' || *at == '\0';
	q = at + 1 + strspn(at + 1, " \t");
	return strncasecmp(q, "q=", 2) != 0 || strtod(q + 2, NULL) > 0;
}

bool
http_read(struct request *r, struct fcgi *fcgi)
{
	const char *uri;

	r->fcgi = fcgi;
	r->started_us = shm_now_us();
	r->segment_count = r->pair_count = 0;
	r->body = NULL;
	r->body_length = 0;
	r->json = (struct json){ 0 };
	r->route = NULL;
	r->who = NULL;
	r->user[0] = '\0';
	r->queued_us = r->ran_us = 0;
	r->state = NULL;
	r->abandon = NULL;
	read_method(r, http_header(r, FCGI_REQUEST_METHOD));
	r->gzip = accepts_gzip(http_header(r, FCGI_HTTP_ACCEPT_ENCODING));
	r->language = text_accepted(http_header(r, FCGI_HTTP_ACCEPT_LANGUAGE),
	    (enum language)conf.language);
	uri = http_header(r, FCGI_REQUEST_URI);
	if (uri != NULL && strlen(uri) <= HTTP_URI_MAX && read_uri(r, uri))
		return true;
	/* The rest is of no interest, but must not stay on the connection. */
	if (fcgi_body(fcgi, NULL, 0) < 0)
		return http_refuse(r, 400, "bad_request", NULL), false;
	if (uri != NULL && strlen(uri) > HTTP_URI_MAX)
		http_refuse(r, 414, "uri_too_long", NULL);
	else
		http_refuse(r, 400, "bad_request", NULL);
	return false;
}

/* What CONTENT_LENGTH says; -1 when that is no number. */
static long
announced_length(const struct request *r)
{
	const char *text = http_header(r, FCGI_CONTENT_LENGTH);
	long length = 0;

	for (; text != NULL && *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || length > 1L << 40)
			return -1;
		length = length * 10 + *text - '0';
	}
	return length;
}

bool
http_read_body(struct request *r, size_t max)
{
	long announced = announced_length(r), length;
	size_t room = announced > 0 ? (size_t)announced : 0;

	if (room > max)
		room = 0;	/* read it, keep nothing */
	if (room > 0 && (r->body = malloc(room + 1)) == NULL)
		room = 0;
	length = fcgi_body(r->fcgi, r->body, room);
	if (length < 0 || length != announced)
		http_refuse(r, 400, "bad_request", NULL);
	else if ((size_t)length > max)
		http_refuse(r, 413, "body_too_large", NULL);
	else if ((size_t)length > room)
		http_refuse(r, 503, "busy", NULL);
	else {
		r->body_length = (size_t)length;
		if (r->body != NULL)
			r->body[length] = '\0';
		return true;
	}
	return false;
}

const char *
http_header(const struct request *r, enum fcgi_parameter which)
{
	return fcgi_parameter(r->fcgi, which);
}

const char *
http_query(const struct request *r, const char *name)
{
	for (unsigned i = 0; i < r->pair_count; i++)
		if (strcmp(r->pairs[i].name, name) == 0)
			return r->pairs[i].value;
	return NULL;
}

void
http_finish(struct request *r)
{
	free(r->body);
	free(r->json.nodes);
	r->body = NULL;
	r->json.nodes = NULL;
}

void
http_drop(struct request *r)
{
	http_finish(r);
	fcgi_reply(r->fcgi, "", 0, "", 0);
}
