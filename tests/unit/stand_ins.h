/*
 * What stands before the database meets these instead of the rest: a statement
 * that the test answers, and the refusal of a request.
 */
#ifndef STAND_INS_H
#define STAND_INS_H

#include "fetch.h"
#include "http.h"

static struct fetch *asked;		/* that nobody has answered yet */
static int statements, status;		/* status: 0, nothing was refused */
static char said[100];			/* a text's name */

void
fetch_start(struct fetch *f)
{
	asked = f;
	statements++;
}

void
http_refuse(struct request *r, int code, const char *call, const char *field)
{
	(void)r, (void)field;
	status = code;
	snprintf(said, sizeof said, "%s", call);
}

/* Before each request. */
static void
nothing_was_said(void)
{
	asked = NULL;
	statements = status = 0;
	said[0] = '\0';
}

/* The database says so; NULL: it has no such row. */
static void
answer(enum pool_outcome outcome, const char *body)
{
	struct fetched a = { .outcome = outcome, .found = body != NULL,
	    .body = body, .body_length = body ? (uint32_t)strlen(body) : 0 };
	struct fetch *f = asked;

	assert_non_null(f);
	asked = NULL;
	f->done(f, &a);
}

#endif
