/* JSON Web Tokens: checked in constant time, and issued. */
#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_MAX 4096		/* bytes; a longer one is refused unread */

struct token {
	char user[37];		/* user_id, a uuid in lower case; "" for a service */
	char service[37];	/* service_id; "" for a person */
	int64_t issued;		/* iat, seconds; 0 when there is none */
	int64_t since;		/* us; 0 when there is none, see below */
	int64_t expires;	/* exp */
};

/* Once per process, after fork.  `algorithm` is HS256, HS384 or HS512. */
bool token_open(const char *algorithm, const char *secret, size_t length);

/*
 * True when the signature is ours and every rule of the design holds at `now`
 * (wall clock, seconds).  Allocates nothing.
 */
bool token_check(const char *text, size_t length, int64_t now, struct token *);

/*
 * A token with the claims of the old backend: user_id, username, role (null
 * when NULL), iat, exp.  `since` is when the user's older tokens ended, by the
 * database's clock in microseconds, or 0; it goes into a token whose iat is not
 * clearly later.  Returns the token's length, 0 when it does not fit.
 */
size_t token_issue(char *out, size_t size, const char *user,
    const char *username, const char *role, int64_t since, int64_t now,
    int64_t lifetime);

/* A token of a service: service_id, username "service:NAME", iat, exp. */
size_t token_issue_service(char *out, size_t size, const char *service,
    const char *name, int64_t now, int64_t lifetime);

#endif
