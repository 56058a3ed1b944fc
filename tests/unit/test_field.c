#include "unit.h"

#include "field.h"

static struct json_node nodes[JSON_NODES_MAX];
static struct json json;

#define OPTIONAL .flags = 0
#define WORDS "low normal high"

static const struct {
	struct field field;
	const char *value;
	const char *becomes;	/* NULL: it is refused */
} texts[] = {
	{ { .type = TEXT }, "a b", "a b" },
	{ { .type = TEXT, .max = 3 }, "\xc3\xa4\xc3\xb6\xc3\xbc",
	    "\xc3\xa4\xc3\xb6\xc3\xbc" },
	{ { .type = TEXT, .max = 3 }, "abcd", NULL },
	{ { .type = TEXT, .min = 2 }, "a", NULL },
	{ { .type = LOOSE, .max = 3 }, "  abc ", "abc" },
	{ { .type = LOOSE, .max = 3 }, " abcd", NULL },
	{ { .type = LOOSE }, " \t", "" },

	{ { .type = UUID }, "0F6C1A52-33F0-4B43-9D4B-6F0F3F7A1D11",
	    "0f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d11" },
	{ { .type = UUID }, "0f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d1", NULL },
	{ { .type = UUID }, "0f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d112", NULL },
	{ { .type = UUID }, "0f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d1g", NULL },
	{ { .type = UUID }, "0f6c1a5233f04b439d4b6f0f3f7a1d11", NULL },
	{ { .type = UUID }, "{f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d1}", NULL },
	{ { .type = UUID }, "a", NULL },

	{ { .type = INTEGER }, "7", "7" }, { { .type = INTEGER }, " +07 ", "7" },
	{ { .type = INTEGER }, "-0", "0" }, { { .type = INTEGER }, "-12", "-12" },
	{ { .type = INTEGER }, "1.0", NULL }, { { .type = INTEGER }, "1e3", NULL },
	{ { .type = INTEGER }, "0x1", NULL }, { { .type = INTEGER }, "- 1", NULL },
	{ { .type = INTEGER }, "--1", NULL }, { { .type = INTEGER }, "1 2", NULL },
	{ { .type = INTEGER }, "9223372036854775808", NULL },
	{ { .type = INTEGER }, "\xd9\xa1", NULL },	/* an Arabic digit */
	{ { .type = INTEGER, .max = 10 }, "10", "10" },
	{ { .type = INTEGER, .max = 10 }, "11", NULL },
	{ { .type = INTEGER, .max = 10 }, "-1", NULL },
	{ { .type = INTEGER, .min = -1, .max = 0 }, "-1", "-1" },
	{ { .type = INTEGER, .flags = LENIENT, .max = 10 }, "+11 ", "10" },
	{ { .type = INTEGER, .flags = LENIENT, .max = 10 }, "-1", NULL },
	{ { .type = INTEGER, .flags = LENIENT }, "11", "11" },

	{ { .type = NUMBER }, "1.5", "1.5" }, { { .type = NUMBER }, "-1e3", "-1e3" },
	{ { .type = NUMBER }, "NaN", NULL }, { { .type = NUMBER }, "inf", NULL },
	{ { .type = NUMBER }, "Infinity", NULL },
	{ { .type = NUMBER }, "1e999", NULL }, { { .type = NUMBER }, "1,5", NULL },
	{ { .type = NUMBER }, "0x1p3", NULL }, { { .type = NUMBER }, "1.5.2", NULL },
	{ { .type = NUMBER }, ".", NULL }, { { .type = NUMBER }, "1e", NULL },
	{ { .type = NUMBER, .max = 10 }, "10.01", NULL },
	{ { .type = NUMBER, .max = 10 }, "-0.1", NULL },

	{ { .type = BOOLEAN }, "TRUE", "true" },
	{ { .type = BOOLEAN }, "false", "false" },
	{ { .type = BOOLEAN }, "1", NULL }, { { .type = BOOLEAN }, "yes", NULL },
	{ { .type = FLAG }, "anything", "anything" },

	{ { .type = DATE }, "2026-02-28", "2026-02-28" },
	{ { .type = DATE }, "2024-02-29", "2024-02-29" },
	{ { .type = DATE }, "2000-02-29", "2000-02-29" },
	{ { .type = DATE }, "1900-02-29", NULL },
	{ { .type = DATE }, "2026-02-29", NULL },
	{ { .type = DATE }, "2026-04-31", NULL },
	{ { .type = DATE }, "2026-13-01", NULL },
	{ { .type = DATE }, "2026-00-01", NULL },
	{ { .type = DATE }, "2026-01-00", NULL },
	{ { .type = DATE }, "0000-01-01", NULL },
	{ { .type = DATE }, "2026-1-1", NULL },
	{ { .type = DATE }, "2026-01-01 ", NULL },
	{ { .type = DATE }, "2026-01", NULL }, { { .type = DATE }, "2026", NULL },
	{ { .type = DATE }, "infinity", NULL }, { { .type = DATE }, "today", NULL },
	{ { .type = DATE }, "2026-01-01T00:00", NULL },

	{ { .type = TIME }, "09:30", "09:30" },
	{ { .type = TIME }, "23:59:59", "23:59:59" },
	{ { .type = TIME }, "23:59:59.25", "23:59:59.25" },
	{ { .type = TIME }, "24:00", NULL }, { { .type = TIME }, "09:60", NULL },
	{ { .type = TIME }, "09:30:60", NULL }, { { .type = TIME }, "9:30", NULL },
	{ { .type = TIME }, "09:30:", NULL }, { { .type = TIME }, "09:30:59.", NULL },
	{ { .type = TIME }, "09:30.5", NULL }, { { .type = TIME }, "09", NULL },
	{ { .type = TIME }, "09:", NULL }, { { .type = TIME }, "09:30Z", NULL },
	{ { .type = TIME }, "allballs", NULL },

	{ { .type = TIMESTAMP }, "2026-11-23", "2026-11-23" },
	{ { .type = TIMESTAMP }, "2026-11-23T09:30", "2026-11-23T09:30" },
	{ { .type = TIMESTAMP }, "2026-11-23 09:30:00.123456",
	    "2026-11-23 09:30:00.123456" },
	{ { .type = TIMESTAMP }, "2026-11-23T", NULL },
	{ { .type = TIMESTAMP }, "2026-11-23t09:30", NULL },
	{ { .type = TIMESTAMP }, "infinity", NULL },
	{ { .type = TIMESTAMP }, "now", NULL },

	{ { .type = CHOICE, .choices = WORDS }, "low", "low" },
	{ { .type = CHOICE, .choices = WORDS }, "high", "high" },
	{ { .type = CHOICE, .choices = WORDS }, "lo", NULL },
	{ { .type = CHOICE, .choices = WORDS }, "igh", NULL },
	{ { .type = CHOICE, .choices = WORDS }, "Low", NULL },
	{ { .type = CHOICE, .choices = WORDS }, "low normal", NULL },
	{ { .type = CHOICE, .choices = WORDS }, " ", NULL },
	{ { .type = CHOICE, .choices = "hot shot" }, "hot", "hot" },
	{ { .type = CHOICE, .choices = "shot hot" }, "hot", "hot" },
	{ { .type = CHOICES, .choices = WORDS }, "low,high", "low,high" },
	{ { .type = CHOICES, .choices = WORDS }, "low", "low" },
	{ { .type = CHOICES, .choices = WORDS }, "low,", NULL },
	{ { .type = CHOICES, .choices = WORDS }, ",", NULL },
	{ { .type = CHOICES, .choices = WORDS }, "low, high", NULL },
	{ { .type = CHOICES, .choices = WORDS }, "low,other", NULL },

	{ { .type = UUIDS }, "a", NULL }, { { .type = OBJECT }, "{}", NULL },
	{ { .type = OBJECTS }, "[]", NULL },
	{ { .type = INTEGER }, "", "" }, { { .type = UUID }, "", "" },
};

FACT(a_value_of_the_query_is_what_its_field_says)
{
	char *value;
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		value = strdup(texts[i].value);
		ROW_TRUE(field_check_text(&texts[i].field, value) ==
		    (texts[i].becomes != NULL), texts[i].value);
		if (texts[i].becomes != NULL)
			assert_string_equal(value, texts[i].becomes);
		free(value);
	}
}

static const struct field dealer[] = {
	{ "name", BODY, TEXT, REQUIRED, .min = 1, .max = 5 },
	{ .name = NULL }
};
static const struct field fields[] = {
	{ "text", BODY, TEXT, .max = 5 },
	{ "title", BODY, TEXT, .min = 1, .max = 5 },
	{ "loose", BODY, LOOSE, .max = 5 },
	{ "id", BODY, UUID, OPTIONAL },
	{ "integer", BODY, INTEGER, .max = 100 },
	{ "number", BODY, NUMBER, .max = 100 },
	{ "boolean", BODY, BOOLEAN, OPTIONAL },
	{ "flag", BODY, FLAG, OPTIONAL },
	{ "date", BODY, DATE, OPTIONAL },
	{ "time", BODY, TIME, OPTIONAL },
	{ "choice", BODY, CHOICE, .choices = WORDS },
	{ "ids", BODY, UUIDS, .max = 2 },
	{ "object", BODY, OBJECT, OPTIONAL },
	{ "objects", BODY, OBJECTS, .max = 2, .members = dealer },
	{ "always", BODY, INTEGER, .flags = NOT_NULL },
	{ "query", QUERY, INTEGER, .flags = REQUIRED },
	{ .name = NULL }
};

static bool
check(const struct field *table, const char *body, const char **name,
    bool *missing)
{
	const struct field *bad = NULL;
	bool fine;

	assert_int_equal(json_read(&json, body, strlen(body), nodes,
	    JSON_NODES_MAX), JSON_FINE);
	fine = field_check_object(table, &json, 0, &bad, missing);
	*name = fine ? NULL : bad->name;
	return fine;
}

#define ID "\"0f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d11\""

static const struct {
	const char *body;
	const char *bad;	/* the field that is to blame, or NULL */
} bodies[] = {
	{ "{}", NULL }, { "{\"other\":[1]}", NULL },
	{ "{\"query\":\"x\"}", NULL },
	{ "{\"text\":\"abc\"}", NULL }, { "{\"text\":null}", NULL },
	{ "{\"text\":\"\"}", NULL }, { "{\"text\":\"null\"}", NULL },
	{ "{\"text\":\"abcdef\"}", "text" }, { "{\"text\":1}", "text" },
	{ "{\"text\":true}", "text" }, { "{\"text\":[]}", "text" },
	{ "{\"text\":{}}", "text" },
	{ "{\"text\":\"\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\"}", NULL },
	{ "{\"title\":\"\"}", "title" },
	{ "{\"loose\":12}", NULL }, { "{\"loose\":true}", NULL },
	{ "{\"loose\":\"  abc  \"}", NULL }, { "{\"loose\":\" \"}", NULL },
	{ "{\"loose\":123456}", "loose" }, { "{\"loose\":[]}", "loose" },
	{ "{\"id\":" ID "}", NULL }, { "{\"id\":\"\"}", NULL },
	{ "{\"id\":\"null\"}", NULL }, { "{\"id\":\"x\"}", "id" },
	{ "{\"id\":1}", "id" },
	{ "{\"integer\":45}", NULL }, { "{\"integer\":45.7}", NULL },
	{ "{\"integer\":\"45\"}", NULL }, { "{\"integer\":\"\"}", NULL },
	{ "{\"integer\":101}", "integer" }, { "{\"integer\":-1}", "integer" },
	{ "{\"integer\":1e1}", "integer" }, { "{\"integer\":1.5e3}", "integer" },
	{ "{\"integer\":\"x\"}", "integer" }, { "{\"integer\":true}", "integer" },
	{ "{\"integer\":99999999999999999999}", "integer" },
	{ "{\"number\":1.5}", NULL }, { "{\"number\":\"1.5\"}", NULL },
	{ "{\"number\":1e1}", NULL }, { "{\"number\":1e999}", "number" },
	{ "{\"number\":\"NaN\"}", "number" }, { "{\"number\":100.01}", "number" },
	{ "{\"boolean\":true}", NULL }, { "{\"boolean\":\"false\"}", NULL },
	{ "{\"boolean\":1}", "boolean" },
	{ "{\"flag\":true}", NULL }, { "{\"flag\":1}", NULL },
	{ "{\"flag\":\"x\"}", NULL }, { "{\"flag\":[]}", "flag" },
	{ "{\"date\":\"2026-11-23\"}", NULL }, { "{\"date\":\"\"}", NULL },
	{ "{\"date\":\"null\"}", NULL }, { "{\"date\":20261123}", "date" },
	{ "{\"date\":\"23.11.2026\"}", "date" },
	{ "{\"time\":\"09:30\"}", NULL }, { "{\"time\":\"soon\"}", "time" },
	{ "{\"choice\":\"low\"}", NULL }, { "{\"choice\":\"\"}", NULL },
	{ "{\"choice\":\"none\"}", "choice" }, { "{\"choice\":1}", "choice" },
	{ "{\"ids\":[]}", NULL }, { "{\"ids\":[" ID "," ID "]}", NULL },
	{ "{\"ids\":[" ID "," ID "," ID "]}", "ids" },
	{ "{\"ids\":[\"\"]}", "ids" }, { "{\"ids\":[1]}", "ids" },
	{ "{\"ids\":[null]}", "ids" }, { "{\"ids\":" ID "}", "ids" },
	{ "{\"ids\":{}}", "ids" }, { "{\"ids\":[[" ID "]]}", "ids" },
	{ "{\"object\":{}}", NULL }, { "{\"object\":[]}", "object" },
	{ "{\"objects\":[{\"name\":\"a\"},{\"name\":\"b\"}]}", NULL },
	{ "{\"objects\":[{}]}", "objects" },
	{ "{\"objects\":[{\"name\":\"abcdef\"}]}", "objects" },
	{ "{\"objects\":[1]}", "objects" }, { "{\"objects\":{}}", "objects" },
	{ "{\"objects\":[{\"name\":\"a\"},{\"name\":\"b\"},"
	    "{\"name\":\"c\"}]}", "objects" },
	{ "{\"always\":1}", NULL }, { "{\"always\":null}", "always" },
};

FACT(a_body_is_what_its_fields_say)
{
	const char *name;
	bool missing;
	size_t i;

	for (i = 0; i < COUNT(bodies); i++) {
		check(fields, bodies[i].body, &name, &missing);
		if (name != NULL && bodies[i].bad != NULL &&
		    strcmp(bodies[i].bad, "objects") == 0 &&
		    strcmp(name, "name") == 0)
			name = "objects";	/* the member is named */
		if ((name == NULL) != (bodies[i].bad == NULL) ||
		    (name != NULL && strcmp(name, bodies[i].bad) != 0))
			fail_msg("%s: %s is to blame, not %s", bodies[i].body,
			    name ? name : "nobody",
			    bodies[i].bad ? bodies[i].bad : "nobody");
	}
}

/* What is required: not missing, not null, not blank. */
FACT(what_is_missing_is_told_from_what_is_wrong)
{
	static const struct field table[] = {
		{ "a", BODY, TEXT, REQUIRED, .min = 1, .max = 5 },
		{ "b", BODY, UUID, .flags = REQUIRED },
		{ .name = NULL }
	};
	static const struct {
		const char *body, *bad;
		bool missing;
	} some[] = {
		{ "{}", "a", true }, { "{\"a\":null}", "a", true },
		{ "{\"a\":\"\"}", "a", true }, { "{\"a\":\"  \"}", "a", true },
		{ "{\"a\":1}", "a", false }, { "{\"a\":true}", "a", false },
		{ "{\"a\":[0]}", "a", false },
		{ "{\"a\":0}", "a", true }, { "{\"a\":-0.0}", "a", true },
		{ "{\"a\":false}", "a", true }, { "{\"a\":[]}", "a", true },
		{ "{\"a\":{ }}", "a", true },
		{ "{\"a\":\"abcdef\"}", "a", false },
		{ "{\"a\":\"a\"}", "b", true },
		{ "{\"a\":\"a\",\"b\":\"\"}", "b", true },
		{ "{\"a\":\"a\",\"b\":\"x\"}", "b", false },
		{ "{\"a\":\"a\",\"b\":" ID "}", NULL, false },
	};
	const char *name;
	bool missing;
	size_t i;

	for (i = 0; i < COUNT(some); i++) {
		check(table, some[i].body, &name, &missing);
		ROW_TRUE((name == NULL) == (some[i].bad == NULL),
		    some[i].body);
		if (name != NULL)
			assert_string_equal(name, some[i].bad);
		ROW_TRUE(missing == some[i].missing, some[i].body);
	}
}

FACT(a_blank_one_may_be_a_value)
{
	static const struct field table[] = {
		{ "a", BODY, TEXT, .flags = REQUIRED | BLANK },
		{ .name = NULL }
	};
	const char *name;
	bool missing;

	assert_true(check(table, "{\"a\":\" \"}", &name, &missing));
	assert_false(check(table, "{\"a\":\"\"}", &name, &missing));
	assert_true(missing);
}

FACT(no_string_is_longer_than_64_kb)
{
	static char body[70000];
	const char *name;
	bool missing;
	int size;

	static const struct field any[] = {
		{ "text", BODY, TEXT, OPTIONAL }, { .name = NULL }
	};

	for (size = 65536; size <= 65537; size++) {
		sprintf(body, "{\"text\":\"%0*d\"}", size, 0);
		assert_int_equal(check(any, body, &name, &missing),
		    size == 65536);
	}
}

RUN(T(a_value_of_the_query_is_what_its_field_says),
    T(a_body_is_what_its_fields_say),
    T(what_is_missing_is_told_from_what_is_wrong),
    T(a_blank_one_may_be_a_value),
    T(no_string_is_longer_than_64_kb))
