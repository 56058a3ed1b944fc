#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "ctl.h"
#include "json.h"
#include "query.h"

#define BOOLEAN_OID 16
#define INTEGER_OID 20

struct pg_conn *
ctl_connect(void)
{
	static const char *const names[] = {
		"dbname", "application_name", NULL
	};
	const char *values[] = { conf.listen_url, "reklamctl", NULL };
	PGconn *connection = PQconnectdbParams(names, values, 1);

	if (PQstatus(connection) == CONNECTION_OK) {
		PQclear(PQexec(connection, "SET search_path = public, reklam"));
		return connection;
	}
	ctl_fail("%.*s", (int)strcspn(PQerrorMessage(connection), "\n"),
	    PQerrorMessage(connection));
	PQfinish(connection);
	return NULL;
}

static const char *
value_of(const struct ctl_argument *arguments, const char *name)
{
	for (; arguments->name != NULL; arguments++)
		if (strcmp(arguments->name, name) == 0)
			return arguments->value;
	return NULL;
}

static bool
is_fine(PGresult *result)
{
	const char *message;

	if (PQresultStatus(result) == PGRES_TUPLES_OK ||
	    PQresultStatus(result) == PGRES_COMMAND_OK)
		return true;
	/* of a duplicate the detail says what is there already */
	message = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME) ?
	    PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
	if (message == NULL)
		message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (message == NULL)
		message = PQresultErrorMessage(result);
	ctl_fail("%.*s", (int)strcspn(message, "\n"), message);
	return false;
}

struct pg_result *
ctl_run(struct pg_conn *connection, const char *statement,
    const struct ctl_argument *arguments)
{
	const struct query *query = query_find(statement);
	const char *values[QUERY_ARGUMENTS_MAX];
	PGresult *result;
	unsigned i;

	for (i = 0; i < query->count; i++)
		values[i] = value_of(arguments, query->arguments[i]);
	result = PQexecParams(connection, query->text, (int)query->count,
	    NULL, values, NULL, NULL, 0);
	if (is_fine(result))
		return result;
	PQclear(result);
	return NULL;
}

const char *
ctl_field(const struct pg_result *result, const char *name)
{
	return PQntuples(result) == 0 ? "" :
	    PQgetvalue(result, 0, PQfnumber(result, name));
}

/* In characters, as far as a terminal shows one for each. */
static int
width(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static int
column_width(const PGresult *result, int column)
{
	int widest = width(PQfname(result, column)), i, n;

	for (i = 0; i < PQntuples(result); i++) {
		n = width(PQgetvalue(result, i, column));
		widest = n > widest ? n : widest;
	}
	return widest;
}

static void
print_cell(const PGresult *result, int column, const char *text)
{
	bool last = column == PQnfields(result) - 1;

	printf("%s%*s", text, last ? 0 :
	    column_width(result, column) - width(text) + 2, "");
}

static void
print_table(const PGresult *result)
{
	int i, j;

	for (i = -1; i < PQntuples(result); i++) {
		for (j = 0; j < PQnfields(result); j++)
			print_cell(result, j, i == -1 ? PQfname(result, j) :
			    PQftype(result, j) != BOOLEAN_OID ?
			    PQgetvalue(result, i, j) :
			    *PQgetvalue(result, i, j) == 't' ? "yes" : "no");
		putchar('\n');
	}
}

static void
print_quoted(const char *text)
{
	char quoted[8192];

	json_quote(quoted, sizeof quoted, text, strlen(text));
	fputs(quoted, stdout);
}

static void
print_value(const PGresult *result, int i, int j)
{
	const char *text = PQgetvalue(result, i, j);

	if (PQgetisnull(result, i, j))
		fputs("null", stdout);
	else if (PQftype(result, j) == BOOLEAN_OID)
		fputs(*text == 't' ? "true" : "false", stdout);
	else if (PQftype(result, j) == INTEGER_OID)
		fputs(text, stdout);
	else
		print_quoted(text);
}

static void
print_json(const PGresult *result)
{
	int i, j;

	putchar('[');
	for (i = 0; i < PQntuples(result); i++) {
		fputs(i ? ",\n {" : "{", stdout);
		for (j = 0; j < PQnfields(result); j++) {
			fputs(j ? ", " : "", stdout);
			print_quoted(PQfname(result, j));
			fputs(": ", stdout);
			print_value(result, i, j);
		}
		putchar('}');
	}
	puts("]");
}

void
ctl_print(const struct pg_result *result)
{
	if (ctl_json)
		print_json(result);
	else
		print_table(result);
}
