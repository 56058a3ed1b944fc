/* What the commands of reklamctl have in common. */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "password.h"

struct pg_conn;
struct pg_result;

enum { CTL_DONE, CTL_FAILED, CTL_USAGE };	/* exit statuses */

/* A row of the table in reklamctl.c; `run` gives an exit status. */
struct ctl_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;	/* what stands behind the name */
	const char *help;
};

/* -j: JSON instead of tables. */
extern bool ctl_json;

/* Says "reklamctl: " and the sentence; gives CTL_FAILED. */
int ctl_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Says how the running command is used; gives CTL_USAGE. */
int ctl_usage(void);

/* Reads the settings, with a key for tokens or without; false: said why. */
bool ctl_settings(bool secret);

/* --- the database: ctl_database.c --- */

/* Past any pooler.  NULL: said why. */
struct pg_conn *ctl_connect(void);

/* Runs a statement of sql/query/; the arguments end with a row without a
 * name.  NULL: said why. */
struct ctl_argument {
	const char *name, *value;
};
struct pg_result *ctl_run(struct pg_conn *, const char *statement,
    const struct ctl_argument *);

/* A field of the first row; "" when it is null. */
const char *ctl_field(const struct pg_result *, const char *name);

/* All rows, as a table or as JSON. */
void ctl_print(const struct pg_result *);

/* --- psql: ctl_psql.c --- */

/*
 * Runs files of DIRECTORY, one after the other, in one transaction or each
 * statement in its own.  `name` and `checksum`, unless NULL, are recorded with
 * it.  False: psql has said why.
 */
struct ctl_script {
	const char *directory;
	const char *file;
	bool at_once;
	const char *name, *checksum;
};
bool ctl_psql(const struct ctl_script *);

/* All texts of the program as one JSON list for SQL; the caller frees it. */
char *ctl_texts(void);

/* Asks for a new password and hashes it.  False: said why. */
bool ctl_password(char hash[PASSWORD_HASH_SIZE]);

/* --- the commands --- */

int ctl_migrate(int argc, char **argv);
int ctl_token(int argc, char **argv);
int ctl_user(int argc, char **argv);

#endif
