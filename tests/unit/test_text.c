#include "unit.h"

#include "text.h"

/* {1} … are the same in both languages, from 1 on without a gap. */
static unsigned
marks(const char *template)
{
	unsigned found = 0;

	for (; *template != '\0'; template++)
		if (template[0] == '{' && template[2] == '}') {
			assert_in_range(template[1], '1', '9');
			found |= 1u << (template[1] - '1');
		}
	return found;
}

FACT(every_text_has_a_name_and_two_languages)
{
	size_t i, j;

	for (i = 0; i < texts_count; i++) {
		assert_int_equal(strspn(texts[i].name,
		    "abcdefghijklmnopqrstuvwxyz_0123456789"),
		    strlen(texts[i].name));
		for (j = 0; j < i; j++)
			assert_string_not_equal(texts[i].name,
			    texts[j].name);
		for (j = 0; j < LANGUAGES; j++)
			ROW_TRUE(texts[i].in[j] != NULL &&
			    *texts[i].in[j] != '\0', texts[i].name);
		ROW_TRUE(marks(texts[i].in[ENGLISH]) ==
		    marks(texts[i].in[TURKISH]), texts[i].name);
		ROW_TRUE((marks(texts[i].in[ENGLISH]) &
		    (marks(texts[i].in[ENGLISH]) + 1)) == 0, texts[i].name);
	}
}

static const char *
said(const char *call, enum language language)
{
	static char out[300];

	size_t n = text_format(out, sizeof out, call, language);

	assert_int_equal(n, strlen(out));
	return out;
}

FACT(a_call_names_a_text_and_its_arguments)
{
	assert_string_equal(said("job_not_found", ENGLISH), "Job not found");
	assert_string_equal(said("job_not_found", TURKISH),
	    "\xc4\xb0\xc5\x9f bulunamad\xc4\xb1");
	assert_string_equal(said("field_invalid|due_date", ENGLISH),
	    "due_date is not valid");
	assert_string_equal(said("right_missing|jobs|view", ENGLISH),
	    "You lack the right jobs.view");
	assert_string_equal(said("right_missing|jobs", ENGLISH),
	    "You lack the right jobs.");
	assert_string_equal(said("right_missing||", ENGLISH),
	    "You lack the right .");
	/* an argument is not looked into */
	assert_string_equal(said("field_invalid|{1}{2}", ENGLISH),
	    "{1}{2} is not valid");
	assert_string_equal(said("job_not_found|more|and more", ENGLISH),
	    "Job not found");
}

FACT(an_unknown_name_is_an_internal_error)
{
	const char *error = text_find("internal_error", ENGLISH);

	assert_string_equal(said("no_such_text", ENGLISH), error);
	assert_string_equal(said("", ENGLISH), error);
	assert_string_equal(said("|job_not_found", ENGLISH), error);
	assert_string_equal(said("job_not_foun", ENGLISH), error);
	assert_null(text_find("no_such_text", ENGLISH));
	assert_null(text_find("job_not_found|", ENGLISH));
}

FACT(a_text_is_cut_at_the_border_of_a_character)
{
	const char *whole = text_find("job_not_found", TURKISH);
	char out[64];
	size_t size, n;

	for (size = 0; size <= strlen(whole) + 1; size++) {
		memset(out, '#', sizeof out);
		n = text_format(out, size, "job_not_found", TURKISH);
		assert_int_equal(out[size], '#');
		if (size == 0)
			continue;
		assert_int_equal(strlen(out), n);
		assert_memory_equal(out, whole, n);
		assert_true(size - 1 - n <= 1);
		assert_int_not_equal(whole[n] & 0xc0, 0x80);
	}
}

static const struct {
	const char *header;
	enum language english, turkish;	/* what comes of each fallback */
} headers[] = {
	{ NULL, ENGLISH, TURKISH }, { "", ENGLISH, TURKISH },
	{ "tr", TURKISH, TURKISH }, { "en", ENGLISH, ENGLISH },
	{ "TR-tr", TURKISH, TURKISH }, { "en-GB", ENGLISH, ENGLISH },
	{ "tr-TR,tr;q=0.9,en-US;q=0.8,en;q=0.7", TURKISH, TURKISH },
	{ "en-US,en;q=0.9,tr;q=0.8", ENGLISH, ENGLISH },
	{ "en;q=0.5, tr;q=0.6", TURKISH, TURKISH },
	{ "tr;q=0.6,en;q=0.600", TURKISH, TURKISH },
	{ "de,tr;q=0.1", TURKISH, TURKISH },
	{ "de", ENGLISH, TURKISH }, { "de, fr;q=0.9", ENGLISH, TURKISH },
	{ "*", ENGLISH, TURKISH }, { "de,*;q=0.5", ENGLISH, TURKISH },
	{ "tr;q=0", ENGLISH, TURKISH }, { "en;q=0,tr", TURKISH, TURKISH },
	{ "en;q=0,*", TURKISH, TURKISH }, { "tr;q=0,*", ENGLISH, ENGLISH },
	{ "english", ENGLISH, TURKISH }, { "t", ENGLISH, TURKISH },
	{ "tr;q=2", ENGLISH, TURKISH }, { "tr;q=1.001", ENGLISH, TURKISH },
	{ "tr;q=x", ENGLISH, TURKISH }, { "tr;q=", ENGLISH, TURKISH },
	{ "tr ; q=0.5 , en ; q=0.4", TURKISH, TURKISH },
	{ ",,;;,=,tr", TURKISH, TURKISH }, { ";q=1", ENGLISH, TURKISH },
};

FACT(the_preferred_language_is_spoken)
{
	size_t i;

	for (i = 0; i < COUNT(headers); i++) {
		ROW_TRUE(text_accepted(headers[i].header, ENGLISH) ==
		    headers[i].english, headers[i].header);
		ROW_TRUE(text_accepted(headers[i].header, TURKISH) ==
		    headers[i].turkish, headers[i].header);
	}
}

RUN(T(every_text_has_a_name_and_two_languages),
    T(a_call_names_a_text_and_its_arguments),
    T(an_unknown_name_is_an_internal_error),
    T(a_text_is_cut_at_the_border_of_a_character),
    T(the_preferred_language_is_spoken))
