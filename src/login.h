/* Logging in, and passwords on their way to a hash. */
#ifndef LOGIN_H
#define LOGIN_H

struct request;

/* POST /api/auth/login */
void login_enter(struct request *);

/* POST /api/auth/password: one's own, with the current one. */
void login_change_password(struct request *);

/*
 * For routes whose body may have a password: hashes it off the loop, takes it
 * out of the body and runs the route's statement with it as `hash`.
 */
void login_hash_and_run(struct request *);

#endif
