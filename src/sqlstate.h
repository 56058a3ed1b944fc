/* What an error of the database means to a client. */
#ifndef SQLSTATE_H
#define SQLSTATE_H

#include <stddef.h>

struct sqlstate_answer {
	int status;
	char text[256];		/* a text's name with its arguments */
	const char *field;	/* or NULL */
};

/*
 * `sqlstate`, `message`, `constraint` and `column` are those of the error and
 * may be NULL.  PTnnn is status nnn with the text that `message` names; what
 * is not in the table is 500 "internal_error".  The database's own words never
 * come out.
 */
struct sqlstate_answer sqlstate_read(const char *sqlstate,
    const char *message, const char *constraint, const char *column);

#endif
