/* Every endpoint as one row: who may, which statement, cached for how long. */
#ifndef ROUTES_H
#define ROUTES_H

#include <stdbool.h>
#include <stddef.h>

enum method { GET, POST, PATCH, DELETE, METHODS };

/*
 * What kind of body a route takes.  An object is needed; the loose kinds take
 * null, false, 0, "" and [] for an empty one, as the old backend did.
 */
enum body_kind {
	NO_BODY,	/* read to its end and ignored */
	JSON_BODY,	/* of the type application/json */
	LOOSE_BODY,	/* the same, loosely */
	ANY_BODY,	/* JSON whatever the Content-Type says, loosely */
	OPTIONAL_BODY	/* the same, or nothing at all */
};

enum source { PATH, QUERY, BODY };

enum field_type {
	TEXT,		/* a string; min and max count characters */
	LOOSE,		/* any scalar, read as trimmed text; blank is null */
	UUID,		/* a blank string is null */
	INTEGER,	/* min and max are the range */
	NUMBER,		/* finite; text that is a number counts */
	BOOLEAN,	/* true or false */
	FLAG,		/* BOOLEAN, or text in 1/true/yes/on, or a number */
	DATE,		/* YYYY-MM-DD; blank or "null" is null */
	TIME,		/* HH:MM or HH:MM:SS; blank or "null" is null */
	TIMESTAMP,	/* a date, or a date and a time */
	CHOICE,		/* one of the words in choices */
	CHOICES,	/* some of them, separated by commas */
	UUIDS,		/* a list of ids, at most max of them */
	OBJECT,		/* any object */
	OBJECTS		/* a list of objects, each checked by members */
};

enum {
	REQUIRED = 1,	/* missing, null or (TEXT, LOOSE) blank is refused;
			 * to a TEXT false, 0, [] and {} are the same */
	LENIENT = 2,	/* QUERY: what cannot be read counts as not given,
			 * and what is more than max as max */
	NOT_NULL = 4,	/* may be missing, but not null */
	BLANK = 8	/* a blank one is a value, not none */
};

/*
 * A value that a client may send.  A table of them ends with a row without a
 * name.  `refusal` is the name of the text (text.c) that says what is wrong;
 * without one it is "field_required" or "field_invalid".  `fallback` is what a
 * QUERY field is when it is not given; without one it is null.
 */
struct field {
	const char *name;
	enum source source;
	enum field_type type;
	unsigned flags;
	long long min, max;		/* both 0: no limit of its own */
	const char *choices;		/* words separated by blanks */
	const char *fallback;
	const char *refusal;
	const struct field *members;	/* of OBJECTS */
};

struct request;

/*
 * `access`: "public"; "token" (anybody known); "manager" (an active role
 * yonetici); "loopback" (who asks on this machine); a right like "jobs.view";
 * "manager|machines.create" (either, but refused in the words of "manager").
 * Managers have every right.
 *
 * `statement` names sql/query/NAME.sql; the few that are not one statement
 * have a `handler` instead.  `cache` is the name by which the answers of a GET
 * are cleared, `ttl` their age limit in seconds.
 */
struct route {
	enum method method;
	const char *path;		/* "/api/jobs/{id}/hold" */
	const char *access;
	const char *statement;
	const char *cache;
	int ttl;
	enum body_kind body;
	size_t body_max;		/* 0: 1 MiB */
	const struct field *fields;
	const char *not_found;		/* text when the statement has no row */
	unsigned flags;
	void (*handler)(struct request *);
	const char *help;		/* one line for openapi.json */
};

enum {			/* route flags */
	EXPORT = 1,	/* a deadline of its own */
	URGENT = 2,	/* waits behind no other statement */
	QUIET = 4	/* its failures are expected: no line in the log */
};

extern const struct route routes[];
extern const size_t routes_count;

#endif
