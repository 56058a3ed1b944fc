/* reklamctl user: the people who may log in. */
#include <getopt.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"

#ifndef SQL_DIRECTORY
#define SQL_DIRECTORY "/usr/share/reklam/sql"
#endif

#define MANAGER "yonetici"

struct person {
	const char *username, *email, *full_name, *role;
	const char *directory;
};

/* An empty shop gets its roles; without a manager, the next is one. */
static bool
find_role(PGconn *connection, struct person *p)
{
	static const struct ctl_argument none[] = { { NULL, NULL } };
	struct ctl_file file = { "seed.sql", NULL };
	struct ctl_script seed = { .directory = p->directory,
	    .files = &file, .count = 1, .at_once = true };
	PGresult *row = ctl_run(connection, "control_roles", none);
	bool fine = row != NULL, roles, manager;

	if (!fine)
		return false;
	roles = *ctl_field(row, "roles") == 't';
	manager = *ctl_field(row, "manager") == 't';
	PQclear(row);
	if (!roles)
		fine = ctl_psql(&seed);
	if (p->role == NULL && manager) {
		ctl_fail("say with -r which role; there is a manager");
		fine = false;
	}
	if (p->role == NULL)
		p->role = MANAGER;
	return fine;
}

/* What a password is typed for, in vain, when the rest is wrong. */
static bool
is_sound(const struct person *p)
{
	const char *at = strchr(p->email, '@');

	if (*p->username == '\0' || strpbrk(p->username, " \t\r\n") != NULL)
		ctl_fail("\"%s\" is no user name", p->username);
	else if (at == NULL || at == p->email || at[1] == '\0')
		ctl_fail("\"%s\" is no address", p->email);
	else
		return true;
	return false;
}

static int
insert(PGconn *connection, struct person *p)
{
	char hash[PASSWORD_HASH_SIZE];
	struct ctl_argument arguments[] = {
		{ "username", p->username }, { "email", p->email },
		{ "full_name", p->full_name }, { "role", NULL },
		{ "hash", hash }, { NULL, NULL }
	};
	PGresult *row;
	int status = CTL_FAILED;

	if (!find_role(connection, p) || !ctl_password(hash))
		return CTL_FAILED;
	arguments[3].value = p->role;
	row = ctl_run(connection, "control_user_add", arguments);
	if (row != NULL && PQntuples(row) == 0)
		ctl_fail("no role is called \"%s\"", p->role);
	else if (row != NULL)
		status = CTL_DONE;
	if (status == CTL_DONE)
		fprintf(stderr, "%s is a user now, with the role %s\n",
		    p->username, p->role);
	PQclear(row);
	return status;
}

static int
add(int argc, char **argv)
{
	struct person p = { .directory = SQL_DIRECTORY };
	PGconn *connection;
	int option, status;

	while ((option = getopt(argc, argv, "n:r:d:")) != -1)
		if (option == 'n')
			p.full_name = optarg;
		else if (option == 'r')
			p.role = optarg;
		else if (option == 'd')
			p.directory = optarg;
		else
			return ctl_usage();
	if (argc - optind != 2)
		return ctl_usage();
	p.username = argv[optind];
	p.email = argv[optind + 1];
	if (!is_sound(&p) || !ctl_settings(false) ||
	    (connection = ctl_connect()) == NULL)
		return CTL_FAILED;
	status = insert(connection, &p);
	PQfinish(connection);
	return status;
}

/* Runs a statement about one user; the first row, or NULL: said why. */
static PGresult *
change(PGconn *connection, const char *statement, const char *username,
    const char *hash)
{
	struct ctl_argument arguments[] = {
		{ "username", username }, { "hash", hash }, { NULL, NULL }
	};
	PGresult *row = ctl_run(connection, statement, arguments);

	if (row == NULL || PQntuples(row) > 0)
		return row;
	ctl_fail("no user is called \"%s\"", username);
	PQclear(row);
	return NULL;
}

static int
passwd(PGconn *connection, const char *username)
{
	char hash[PASSWORD_HASH_SIZE];
	PGresult *row;

	if (!ctl_password(hash) || (row = change(connection,
	    "control_user_password", username, hash)) == NULL)
		return CTL_FAILED;
	PQclear(row);
	return CTL_DONE;
}

static int
deactivate(PGconn *connection, const char *username)
{
	PGresult *row = change(connection, "control_user_deactivate",
	    username, NULL);
	bool done = row != NULL && *ctl_field(row, "done") == 't';

	if (row != NULL && !done)
		ctl_fail("%s is the last manager", username);
	PQclear(row);
	return done ? CTL_DONE : CTL_FAILED;
}

static int
list(PGconn *connection, const char *username)
{
	static const struct ctl_argument none[] = { { NULL, NULL } };
	PGresult *rows = ctl_run(connection, "control_users", none);

	(void)username;
	if (rows == NULL)
		return CTL_FAILED;
	ctl_print(rows);
	PQclear(rows);
	return CTL_DONE;
}

static const struct action {
	const char *name;
	int words;
	int (*run)(PGconn *, const char *username);
} actions[] = {
	{ "passwd", 2, passwd },
	{ "deactivate", 2, deactivate },
	{ "list", 1, list },
};

int
ctl_user(int argc, char **argv)
{
	PGconn *connection;
	size_t i;
	int status;

	if (argc < 2)
		return ctl_usage();
	if (strcmp(argv[1], "add") == 0)
		return add(argc - 1, argv + 1);
	for (i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(argv[1], actions[i].name) == 0)
			break;
	if (i == sizeof actions / sizeof *actions ||
	    argc - 1 != actions[i].words)
		return ctl_usage();
	if (!ctl_settings(false) || (connection = ctl_connect()) == NULL)
		return CTL_FAILED;
	status = actions[i].run(connection, argv[2]);
	PQfinish(connection);
	return status;
}
