/*
 * Two tables: what a constraint's name means, and what a code means when the
 * constraint has no row of its own.  A code ends with '*' for its whole class.
 */
#include "sqlstate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static const struct {
	const char *code;
	int status;
	const char *text;
} codes[] = {
	{ "22021", 400, "value_invalid" },	/* not UTF-8 */
	{ "22P05", 400, "value_invalid" },	/* \u0000 in jsonb */
	{ "22001", 400, "value_too_long" },
	{ "22003", 400, "value_out_of_range" },
	{ "22P02", 400, "value_invalid" },	/* no uuid, number, … */
	{ "22007", 400, "value_invalid" },	/* no date */
	{ "22008", 400, "value_out_of_range" },	/* 31 February */
	{ "22*", 400, "value_invalid" },
	{ "23502", 400, "value_required" },
	{ "23503", 404, "reference_not_found" },
	{ "23505", 409, "already_exists" },
	{ "23514", 400, "value_invalid" },
	{ "23P01", 409, "already_exists" },
	{ "23*", 409, "already_exists" },
	{ "55P03", 503, "busy" },		/* a lock was not to be had */
	{ "53*", 503, "busy" },			/* the server lacks resources */
	{ "57014", 503, "busy" },		/* took too long */
	{ "57*", 503, "database_unavailable" },
	{ "08*", 503, "database_unavailable" },
	{ "40*", 503, "busy" },			/* conflicts, tried enough */
	{ "25006", 503, "database_unavailable" },	/* a standby */
};

static const struct {
	const char *constraint;
	int status;
	const char *text, *field;
} constraints[] = {
	{ "users_username_key", 400, "user_exists", "username" },
	{ "users_email_key", 400, "user_exists", "email" },
	{ "roles_code_key", 409, "role_code_exists", "code" },
	{ "idx_machines_code_unique_active", 409, "machine_code_exists",
	    "code" },
	{ "idx_processes_code_unique_active", 409, "process_code_exists",
	    "code" },
	{ "idx_processes_group_folder_unique", 409, "process_folder_exists",
	    "folder_name" },
	{ "idx_processes_no_group_folder_unique", 409,
	    "process_folder_exists", "folder_name" },
	{ "idx_process_groups_name", 409, "process_group_exists", "name" },
};

static bool
is_code(const char *row, const char *sqlstate)
{
	size_t length = strcspn(row, "*");

	return strncmp(row, sqlstate, length) == 0 &&
	    (row[length] == '*' || sqlstate[length] == '\0');
}

static struct sqlstate_answer
answer(int status, const char *text, const char *field)
{
	struct sqlstate_answer a = { .status = status, .field = field };

	snprintf(a.text, sizeof a.text, "%s", text);
	return a;
}

/* RAISE … ERRCODE 'PT409': the statement has chosen the status. */
static bool
is_chosen(const char *sqlstate, const char *message)
{
	char name[64];
	size_t length = message == NULL ? 0 : strcspn(message, "|");

	if (strncmp(sqlstate, "PT4", 3) != 0 || strlen(sqlstate) != 5 ||
	    strspn(sqlstate + 3, "0123456789") != 2 || length == 0 ||
	    length >= sizeof name)
		return false;
	memcpy(name, message, length);
	name[length] = '\0';
	return text_find(name, ENGLISH) != NULL;
}

struct sqlstate_answer
sqlstate_read(const char *sqlstate, const char *message,
    const char *constraint, const char *column)
{
	/* libpq's own errors have none: the connection is gone */
	if (sqlstate == NULL)
		return answer(503, "database_unavailable", NULL);
	if (is_chosen(sqlstate, message))
		return answer(atoi(sqlstate + 2), message, column);
	for (size_t i = 0; constraint != NULL &&
	    i < sizeof constraints / sizeof *constraints; i++)
		if (strcmp(constraints[i].constraint, constraint) == 0)
			return answer(constraints[i].status,
			    constraints[i].text, constraints[i].field);
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (is_code(codes[i].code, sqlstate))
			return answer(codes[i].status, codes[i].text, column);
	return answer(500, "internal_error", NULL);
}
