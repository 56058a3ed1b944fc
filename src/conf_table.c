/*
 * Every setting.  A row: name, type, place, default, least, most, choices,
 * flags, help.  The manual reklam.conf(5) has the same order and words.
 */
#include "conf_table.h"

#define TEXT(member) CONF_TEXT, offsetof(struct conf_all, member)
#define NUMBER(member) CONF_NUMBER, offsetof(struct conf_all, conf.member)
#define SWITCH(member) CONF_SWITCH, offsetof(struct conf_all, conf.member)
#define CHOICE(member) CONF_CHOICE, offsetof(struct conf_all, conf.member)
#define R CONF_RELOADABLE
#define S CONF_SECRET

#ifndef NGINX_DIRECTORY
#define NGINX_DIRECTORY "/etc/nginx"
#endif

const struct conf_setting conf_settings[] = {
	/* the database */
	{ "DATABASE_URL", TEXT(url), NULL, 0, 0, NULL, R | S,
	    "postgresql:// URL or libpq words; wins over its parts below" },
	{ "DATABASE_HOST", TEXT(host), NULL, 0, 0, NULL, R,
	    "host, or directory of the unix socket" },
	{ "DATABASE_PORT", TEXT(port), NULL, 0, 0, NULL, R,
	    "port" },
	{ "DATABASE_NAME", TEXT(name), "reklam", 0, 0, NULL, R,
	    "database" },
	{ "DATABASE_USER", TEXT(user), NULL, 0, 0, NULL, R,
	    "role; without it the system's user" },
	{ "DATABASE_PASSWORD", TEXT(password), NULL, 0, 0, NULL, R | S,
	    "the role's password" },
	{ "DB_LISTEN_URL", TEXT(listen), NULL, 0, 0, NULL, R | S,
	    "for LISTEN, past any pooler; without it DATABASE_URL" },
	{ "DB_POOL_MIN_CONNECTIONS", NUMBER(pool_min), "2",
	    1, 1000, NULL, R,
	    "connections kept open by the whole program" },
	{ "DB_POOL_MAX_CONNECTIONS", NUMBER(pool_max), "10",
	    2, 1000, NULL, R,
	    "the most connections, the listener's included" },
	{ "DB_POOL_WAIT_MS", NUMBER(pool_wait_ms), "250",
	    1, 60000, NULL, R,
	    "the longest wait for a connection, then 503" },
	{ "DB_POOL_QUEUE", NUMBER(pool_queue), "256",
	    1, 100000, NULL, R,
	    "requests of a worker that may wait for a connection" },
	{ "DB_CONNECT_MS", NUMBER(connect_ms), "500",
	    10, 60000, NULL, R,
	    "the longest time to connect" },
	{ "DB_STATEMENT_MS", NUMBER(statement_ms), "2000",
	    10, 600000, NULL, R,
	    "the longest time of a statement" },
	{ "DB_EXPORT_MS", NUMBER(export_ms), "30000",
	    10, 3600000, NULL, R,
	    "the longest time of an export's statement" },
	{ "DB_LIFETIME_SECONDS", NUMBER(lifetime_seconds), "1800",
	    1, 604800, NULL, R,
	    "age at which a connection is replaced" },
	{ "DB_IDLE_CHECK_SECONDS", NUMBER(idle_check_seconds), "30",
	    1, 86400, NULL, R,
	    "idle time after which a connection is checked before use" },
	{ "DB_PREPARED", SWITCH(prepared), "on", 0, 0, "off on", R,
	    "prepare statements; off for a pooler in transaction mode" },
	{ "TIME_ZONE", TEXT(conf.time_zone), "UTC", 0, 0, NULL, R,
	    "the shop's, for dates and stored times" },

	/* who is asking */
	{ "JWT_SECRET_KEY", TEXT(conf.jwt_secret), NULL, 0, 0, NULL, R | S,
	    "key of the tokens, 32 bytes or more" },
	{ "JWT_ALGORITHM", TEXT(conf.jwt_algorithm), "HS256", 0, 0,
	    "HS256 HS384 HS512", R,
	    "how tokens are signed" },
	{ "JWT_EXPIRATION_HOURS", NUMBER(jwt_hours), "24",
	    1, 8760, NULL, R,
	    "how long a login lasts" },
	{ "PASSWORD_COST", NUMBER(password_cost), "10",
	    4, 14, NULL, R,
	    "bcrypt's cost; one more takes twice as long" },

	/* the cache */
	{ "CACHE_SEGMENT_MB", NUMBER(segment_mb), "16",
	    1, 1024, NULL, 0,
	    "memory for answers, per worker" },
	{ "CACHE_TTL_MAX", NUMBER(ttl_max), "300",
	    0, 86400, NULL, R,
	    "the greatest age of an answer in seconds; 0: no cache" },

	/* the program */
	{ "WORKERS_FILE", TEXT(conf.workers_file),
	    NGINX_DIRECTORY "/reklam-workers.conf", 0, 0, NULL, R,
	    "nginx's list of sockets: one worker for each" },
	{ "CONTROL_SOCKET", TEXT(conf.control_socket),
	    "/run/reklam/control.sock", 0, 0, NULL, 0,
	    "where reklamctl finds the master" },
	{ "DRAIN_SECONDS", NUMBER(drain_seconds), "10",
	    0, 3600, NULL, R,
	    "how long running requests may take after TERM" },
	{ "WORKER_SCHEDULING", SWITCH(batch), "batch", 0, 0, "normal batch", R,
	    "batch: a woken worker does not interrupt what is running" },
	{ "SLOW_MS", NUMBER(slow_ms), "100",
	    0, 600000, NULL, R,
	    "requests that take longer are logged" },
	{ "LOG_FORMAT", SWITCH(log_json), "text", 0, 0, "text json", R,
	    "lines for people or for programs" },
	{ "LOG_LEVEL", CHOICE(log_level), "notice", 0, 0,
	    "error warning notice debug", R,
	    "what is worth a line" },
	{ "REKLAM_LANG", CHOICE(language), "en", 0, 0, "en tr", R,
	    "language of stored notifications, and where nothing is asked" },
	{ "REKLAM_DEMO", SWITCH(demo), "off", 0, 0, "off on", R,
	    "a demonstration: a weak JWT_SECRET_KEY will do" },
};

const size_t conf_settings_count =
    sizeof conf_settings / sizeof *conf_settings;

_Static_assert(sizeof conf_settings / sizeof *conf_settings <=
    CONF_SETTINGS_MAX, "CONF_SETTINGS_MAX is too small");
