/* The settings: one table, read from a file and the environment. */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct conf {
	/* the database */
	const char *database_url;	/* what libpq is given; built from the parts */
	const char *listen_url;		/* the listener's; past any pooler */
	long pool_min, pool_max;	/* connections of the whole program */
	long pool_wait_ms, pool_queue;
	long connect_ms, statement_ms, export_ms;
	long lifetime_seconds, idle_check_seconds;
	bool prepared;
	const char *time_zone;
	/* who is asking */
	const char *jwt_secret, *jwt_algorithm;
	long jwt_hours;
	long password_cost;
	/* the cache */
	long segment_mb;
	long ttl_max;			/* seconds; 0: nothing is cached */
	/* the program */
	const char *workers_file;
	const char *control_socket;
	long drain_seconds;
	bool batch;			/* how workers are scheduled */
	long slow_ms;
	bool log_json;
	long log_level;
	long language;			/* enum language */
	bool demo;
};

/* Constant after conf_read, but for a reload. */
extern struct conf conf;

/*
 * Defaults, then the file's NAME=value lines (NULL: no file), then the
 * environment; the later wins.  Settings that are unknown, out of range or
 * unreadable are refused with one sentence in `why`.  `NAME_FILE` names a file
 * that holds a secret.
 */
bool conf_read(const char *file, char *why, size_t size);

/* The same for a program that knows no tokens: JWT_SECRET_KEY may be unset. */
bool conf_read_without_secret(const char *file, char *why, size_t size);

/* The TTL of a cache name: the smallest of `seconds`, CACHE_TTL_MAX and
 * CACHE_TTL_<name>, in seconds; 0 is off. */
long conf_ttl(const char *name, long seconds);

/* The names that CACHE_TTL_<name> settings give, one by one; then NULL. */
const char *conf_ttl_name(size_t i);

/* Every setting as NAME=value, secrets as NAME=(set) or NAME=(unset). */
void conf_print(FILE *);

/* For documents and tests: "NAME\ttype\tdefault\trange\treloadable\thelp". */
void conf_describe(FILE *);

#endif
