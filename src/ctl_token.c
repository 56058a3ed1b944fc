/*
 * reklamctl token: a token for a program.  It names a row of the database that
 * says what the program may do; deleting the row ends the token.
 */
#include <getopt.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "ctl.h"
#include "json.h"
#include "token.h"

#define DAYS_MAX 3650
#define RIGHTS_MAX 32
#define LETTERS "abcdefghijklmnopqrstuvwxyz_"

/* What cron's token is for, when nothing else is asked. */
#define USUAL_RIGHT "cache.clear"

struct wish {
	const char *service;
	long days;
	const char *rights[RIGHTS_MAX];
	int count;
};

static const struct option words[] = {
	{ "service", required_argument, NULL, 's' },
	{ "days", required_argument, NULL, 'n' },
	{ "right", required_argument, NULL, 'r' },
	{ 0 }
};

/* resource.action, or * for all of them. */
static bool
is_right(const char *right)
{
	size_t n = strspn(right, LETTERS);

	if (strcmp(right, "*") == 0)
		return true;
	return n > 0 && n < 64 && right[n] == '.' &&
	    right[n + 1] != '\0' && strlen(right + n + 1) < 64 &&
	    right[n + 1 + strspn(right + n + 1, LETTERS)] == '\0';
}

static bool
is_name(const char *name)
{
	return *name != '\0' && strlen(name) <= 64 &&
	    name[strspn(name, LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-")] == '\0';
}

static bool
read_days(const char *text, long *days)
{
	char *end;

	*days = strtol(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && *days >= 1 &&
	    *days <= DAYS_MAX;
}

static int
read_option(struct wish *w, int option)
{
	switch (option) {
	case 's':
		w->service = optarg;
		return is_name(optarg) ? CTL_DONE : ctl_fail("\"%s\" is no "
		    "name of a service: letters, digits, '.', '-', '_'",
		    optarg);
	case 'n':
		return read_days(optarg, &w->days) ? CTL_DONE :
		    ctl_fail("--days is a number from 1 to %d", DAYS_MAX);
	case 'r':
		if (!is_right(optarg))
			return ctl_fail("\"%s\" is no right; it looks like "
			    USUAL_RIGHT, optarg);
		if (w->count == RIGHTS_MAX)
			return ctl_fail("more than %d rights", RIGHTS_MAX);
		w->rights[w->count++] = optarg;
		return CTL_DONE;
	}
	return ctl_usage();
}

/* {"cache.clear","jobs.view"}; only letters that need no quoting. */
static void
as_array(const struct wish *w, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "{");
	int i;

	for (i = 0; i < w->count; i++)
		n += (size_t)snprintf(out + n, size - n, "%s\"%s\"",
		    i ? "," : "", w->rights[i]);
	snprintf(out + n, size - n, "}");
}

static int
print(const PGresult *row, const struct wish *w)
{
	char token[TOKEN_MAX + 1];
	int64_t now = strtoll(ctl_field(row, "now"), NULL, 10);
	int64_t lifetime = (int64_t)w->days * 86400;

	if (!token_open(conf.jwt_algorithm, conf.jwt_secret,
	    strlen(conf.jwt_secret)) || token_issue_service(token,
	    sizeof token, ctl_field(row, "id"), w->service, now,
	    lifetime) == 0)
		return ctl_fail("a token cannot be made");
	if (!ctl_json)
		puts(token);
	else
		printf("{\"id\": \"%s\", \"service\": \"%s\", \"expires\": "
		    "%lld, \"token\": \"%s\"}\n", ctl_field(row, "id"),
		    w->service, (long long)(now + lifetime), token);
	return CTL_DONE;
}

static int
issue(const struct wish *w)
{
	char rights[RIGHTS_MAX * 136], days[24];
	struct ctl_argument arguments[] = {
		{ "service", w->service }, { "rights", rights },
		{ "days", days }, { NULL, NULL }
	};
	PGconn *connection;
	PGresult *row;
	int status = CTL_FAILED;

	as_array(w, rights, sizeof rights);
	snprintf(days, sizeof days, "%ld", w->days);
	if (!ctl_settings(true) || (connection = ctl_connect()) == NULL)
		return CTL_FAILED;
	row = ctl_run(connection, "control_token", arguments);
	if (row != NULL)
		status = print(row, w);
	PQclear(row);
	PQfinish(connection);
	return status;
}

int
ctl_token(int argc, char **argv)
{
	struct wish w = { .days = 0 };
	int option, status;

	while ((option = getopt_long(argc, argv, "", words, NULL)) != -1)
		if ((status = read_option(&w, option)) != CTL_DONE)
			return status;
	if (optind != argc || w.service == NULL || w.days == 0)
		return ctl_usage();
	if (w.count == 0)
		w.rights[w.count++] = USUAL_RIGHT;
	return issue(&w);
}
