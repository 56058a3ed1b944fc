#include "unit.h"

#include "sqlstate.h"
#include "text.h"

static const struct {
	const char *code;
	int status;
} rows[] = {
	/* input that was wrong */
	{ "22021", 400 }, { "22P02", 400 }, { "22003", 400 },
	{ "22P05", 400 }, { "22008", 400 }, { "22007", 400 },
	{ "22001", 400 }, { "22012", 400 }, { "22023", 400 },
	{ "22P03", 400 }, { "2200G", 400 },
	{ "23505", 409 }, { "23503", 404 }, { "23502", 400 },
	{ "23514", 400 }, { "23P01", 409 }, { "23001", 409 },
	/* not now */
	{ "40001", 503 }, { "40P01", 503 }, { "55P03", 503 },
	{ "57014", 503 }, { "53300", 503 }, { "53100", 503 },
	{ "53200", 503 },
	/* the connection or its server is gone */
	{ "08000", 503 }, { "08003", 503 }, { "08006", 503 },
	{ "57P01", 503 }, { "57P02", 503 }, { "57P03", 503 },
	{ "25006", 503 }, { NULL, 503 },
	/* a defect of ours */
	{ "42P01", 500 }, { "42601", 500 }, { "42703", 500 },
	{ "42501", 500 }, { "0A000", 500 }, { "26000", 500 },
	{ "XX000", 500 }, { "P0001", 500 }, { "21000", 500 },
	{ "2", 500 }, { "", 500 }, { "220210", 400 },
	{ "PT", 500 }, { "PT4", 500 }, { "PT500", 500 }, { "PT200", 500 },
};

FACT(every_code_has_a_status_and_a_text)
{
	struct sqlstate_answer a;
	char said[256];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		a = sqlstate_read(rows[i].code,
		    "relation \"users\" of /var/lib does not exist", NULL,
		    NULL);
		if (a.status != rows[i].status)
			fail_msg("%s is %d, not %d", rows[i].code, a.status,
			    rows[i].status);
		assert_non_null(text_find(a.text, ENGLISH));
		assert_null(a.field);
		text_format(said, sizeof said, a.text, ENGLISH);
		assert_null(strstr(said, "users"));
	}
}

FACT(a_statement_chooses_its_refusal)
{
	struct sqlstate_answer a = sqlstate_read("PT409", "job_not_found",
	    NULL, "status");

	assert_int_equal(a.status, 409);
	assert_string_equal(a.text, "job_not_found");
	assert_string_equal(a.field, "status");
	a = sqlstate_read("PT404", "field_invalid|due_date", NULL, NULL);
	assert_int_equal(a.status, 404);
	assert_string_equal(a.text, "field_invalid|due_date");
	assert_null(a.field);
}

/* Nobody but us knows the names of texts; foreign words never come out. */
FACT(a_refusal_without_a_text_is_a_defect)
{
	static const char *const messages[] = {
		"division by zero", "", "|", "no such text|a",
		"job_not_found ", "|job_not_found", NULL
	};
	struct sqlstate_answer a;
	size_t i;

	for (i = 0; i < COUNT(messages); i++) {
		a = sqlstate_read("PT409", messages[i], NULL, NULL);
		assert_int_equal(a.status, 500);
		assert_string_equal(a.text, "internal_error");
	}
	assert_int_equal(sqlstate_read("PT4xx", "job_not_found", NULL,
	    NULL).status, 500);
	assert_int_equal(sqlstate_read("PT4", "job_not_found", NULL,
	    NULL).status, 500);
	assert_int_equal(sqlstate_read("PT4099", "job_not_found", NULL,
	    NULL).status, 500);
}

FACT(a_constraint_may_have_words_of_its_own)
{
	struct sqlstate_answer a = sqlstate_read("23505", "duplicate key",
	    "idx_machines_code_unique_active", NULL);

	assert_int_equal(a.status, 409);
	assert_string_equal(a.text, "machine_code_exists");
	assert_string_equal(a.field, "code");
	a = sqlstate_read("23505", "duplicate key", "another_key", "column");
	assert_int_equal(a.status, 409);
	assert_string_equal(a.text, "already_exists");
	assert_string_equal(a.field, "column");
}

FACT(long_arguments_are_cut)
{
	char message[600] = "field_invalid|";
	struct sqlstate_answer a;

	memset(message + 14, 'x', sizeof message - 15);
	a = sqlstate_read("PT400", message, NULL, NULL);
	assert_int_equal(a.status, 400);
	assert_int_equal(strlen(a.text), sizeof a.text - 1);
}

RUN(T(every_code_has_a_status_and_a_text),
    T(a_statement_chooses_its_refusal),
    T(a_refusal_without_a_text_is_a_defect),
    T(a_constraint_may_have_words_of_its_own), T(long_arguments_are_cut))
