/* What the commands of reklamctl have in common. */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "password.h"

struct json;
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

/* By its name under a directory; recorded as applied, unless NULL is its sum. */
struct ctl_file {
	const char *name, *checksum;
};

/*
 * Runs files, one after the other, by one psql: each in a transaction with its
 * record, or each statement in its own.  `told`: says which were applied.
 * False: psql has said why; what came before is applied.
 */
struct ctl_script {
	const char *directory;
	const struct ctl_file *files;
	size_t count;
	bool at_once, told;
};
bool ctl_psql(const struct ctl_script *);

/* --- the master: ctl_control.c, ctl_table.c --- */

/* Its answer to a line; the caller frees it.  NULL: said why. */
char *ctl_ask(const char *line, size_t *length);

/* False: said that it is no JSON.  One document at a time. */
bool ctl_read(struct json *, const char *answer, size_t length);

/* Shows a document as lines and tables. */
void ctl_table(const struct json *);

/* --- what else they share --- */

/* What a migration would apply; -1: said why not. */
int ctl_pending(struct pg_conn *, const char *directory);

/* All texts of the program as one JSON list for SQL; the caller frees it. */
char *ctl_texts(void);

/* Asks for a new password and hashes it.  False: said why. */
bool ctl_password(char hash[PASSWORD_HASH_SIZE]);

/* --- the commands --- */

int ctl_cache(int argc, char **argv);
int ctl_check(int argc, char **argv);
int ctl_control(int argc, char **argv);	/* what is one word for the master */
int ctl_migrate(int argc, char **argv);
int ctl_token(int argc, char **argv);
int ctl_user(int argc, char **argv);

#endif
