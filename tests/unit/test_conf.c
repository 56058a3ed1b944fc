#include "unit.h"

#include <ctype.h>

#include "conf.h"
#include "conf_table.h"
#include "env_file.h"
#include "log.h"

#define SECRET "kB4v0q9ZfWm2sX7cR1tY8uJ3nL6pD5hA"

extern char **environ;
static char path[64], why[2048];

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static bool
reads(const char *text)
{
	write_file(path, text);
	strcpy(why, "");
	return conf_read(path, why, sizeof why);
}

/* Nothing of the caller's settings, and a good key. */
static int
plain(void **state)
{
	const char *output = getenv("CMOCKA_MESSAGE_OUTPUT");
	char kept[16];

	(void)state;
	snprintf(kept, sizeof kept, "%s", output ? output : "");
	clearenv();
	setenv("CMOCKA_MESSAGE_OUTPUT", kept, 1);
	setenv("JWT_SECRET_KEY", SECRET, 1);
	setenv("PATH", "/usr/bin", 1);
	return 0;
}

static int
begin(void **state)
{
	int fd;

	strcpy(path, "/tmp/test_conf.XXXXXX");
	fd = mkstemp(path);
	log_open(false, LOG_ERROR);
	return fd == -1 ? -1 : (close(fd), plain(state));
}

static int
finish(void **state)
{
	(void)state;
	return unlink(path);
}

FACT(the_table_is_in_order)
{
	const struct conf_setting *s, *t;
	size_t i, j;

	for (i = 0; i < conf_settings_count; i++) {
		s = &conf_settings[i];
		assert_int_equal(strspn(s->name,
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), strlen(s->name));
		for (j = 0; j < i; j++) {
			t = &conf_settings[j];
			assert_string_not_equal(s->name, t->name);
			assert_int_not_equal(s->member, t->member);
		}
		if (s->type == CONF_NUMBER)
			ROW_TRUE(s->least < s->most && s->fallback != NULL,
			    s->name);
		if (s->type == CONF_SWITCH || s->type == CONF_CHOICE)
			ROW_TRUE(s->choices != NULL && s->fallback != NULL,
			    s->name);
		ROW_TRUE(islower((unsigned char)s->help[0]) ||
		    strncmp(s->help, "nginx", 5) == 0 ||
		    strstr(s->help, "URL") != NULL ||
		    isupper((unsigned char)s->help[0]), s->name);
	}
}

FACT(defaults_then_the_file_then_the_environment)
{
	assert_true(conf_read(NULL, why, sizeof why));
	assert_int_equal(conf.pool_max, 10);
	assert_int_equal(conf.slow_ms, 100);
	assert_int_equal(conf.log_level, LOG_NOTICE);
	assert_true(conf.prepared);
	assert_false(conf.log_json);
	assert_string_equal(conf.time_zone, "UTC");
	setenv("SLOW_MS", "7", 1);
	assert_true(reads("DB_POOL_MAX_CONNECTIONS=12\nSLOW_MS=5\n"
	    "LOG_FORMAT=json\nLOG_LEVEL=debug\nDB_PREPARED=off\n"
	    "REKLAM_LANG=tr\nDB_POOL_MAX_CONNECTIONS=13\n"));
	assert_int_equal(conf.pool_max, 13);
	assert_int_equal(conf.slow_ms, 7);
	assert_true(conf.log_json);
	assert_int_equal(conf.log_level, LOG_DEBUG);
	assert_false(conf.prepared);
	assert_int_equal(conf.language, 1);
	assert_string_equal(conf.jwt_secret, SECRET);
	/* an empty one is as good as not there */
	setenv("SLOW_MS", "", 1);
	assert_true(reads("SLOW_MS=5\nDB_POOL_QUEUE=\n"));
	assert_int_equal(conf.slow_ms, 5);
	assert_int_equal(conf.pool_queue, 256);
}

static const struct {
	const char *text, *why;
} wrong[] = {
	{ "SLOW_MSS=5", ":1: no setting is called SLOW_MSS" },
	{ "\n\nslow_ms=5", ":3: no setting is called slow_ms" },
	{ "SLOW_MS=five", "must be a number from 0 to 600000" },
	{ "SLOW_MS=-1", "must be a number" }, { "SLOW_MS=1.5", "a number" },
	{ "SLOW_MS=1 000", "a number" }, { "SLOW_MS=+1", "a number" },
	{ "SLOW_MS=0x10", "a number" }, { "SLOW_MS=600001", "a number" },
	{ "SLOW_MS=99999999999999999999", "a number" },
	{ "DB_POOL_MAX_CONNECTIONS=1", "from 2 to 1000" },
	{ "DB_POOL_MIN_CONNECTIONS=11", "more than DB_POOL_MAX_CONNECTIONS" },
	{ "DB_PREPARED=yes", "must be one of: off on" },
	{ "DB_PREPARED=of", "one of" }, { "LOG_LEVEL=off on", "one of" },
	{ "JWT_ALGORITHM=none", "one of: HS256 HS384 HS512" },
	{ "JWT_ALGORITHM=hs256", "one of" },
	{ "CACHE_TTL_get_jobs=-1", "must be a number" },
	{ "CACHE_TTL_get_jobs=x", "must be a number" },
	{ "CACHE_TTL_=1", "no setting is called" },
	{ "TIME_ZONE_FILE=/etc/timezone", "no setting is called" },
	{ "DATABASE_URL=a\nDATABASE_URL_FILE=/x", "are both set" },
	{ "DATABASE_URL_FILE=/nowhere", "/nowhere: No such file" },
	{ "SLOW_MS", ":1: this is not NAME=value" },
	{ "=5", "this is not NAME=value" }, { "1A=5", "this is not" },
	{ "export SLOW_MS=5", "this is not" },
	{ "TIME_ZONE=\"UTC", "a quote is not closed" },
	{ "TIME_ZONE='UTC", "a quote is not closed" },
	{ "TIME_ZONE=\"UTC\" x", "behind the closing quote" },
	{ "TIME_ZONE=UTC\\", "a line cannot be continued" },
	{ "TIME_ZONE=\x01", "a control character" },
	{ "TIME_ZONE=\"a\tb\"", "TIME_ZONE: a control character" },
};

FACT(a_mistake_is_one_sentence_with_its_line)
{
	long before;
	size_t i;

	assert_true(reads("SLOW_MS=77\n"));
	before = conf.slow_ms;
	for (i = 0; i < COUNT(wrong); i++) {
		ROW_TRUE(!reads(wrong[i].text), wrong[i].text);
		if (strstr(why, wrong[i].why) == NULL)
			fail_msg("%s: %s", wrong[i].text, why);
		assert_null(strchr(why, '\n'));
		assert_int_equal(conf.slow_ms, before);
	}
	assert_false(conf_read("/nowhere", why, sizeof why));
	assert_string_equal(why, "/nowhere: No such file or directory");
}

/* In the environment others have names too, but not such as ours. */
FACT(a_misspelt_name_is_noticed_in_the_environment)
{
	setenv("HOME", "/", 1);
	setenv("LOG_COLOR", "yes", 1);
	assert_true(reads(""));
	setenv("DB_POOL_MAX", "5", 1);
	assert_false(reads(""));
	assert_string_equal(why,
	    "environment: no setting is called DB_POOL_MAX");
}

static const struct {
	const char *secret, *why;
} secrets[] = {
	{ NULL, "is not set" }, { "short", "is shorter than 32 bytes" },
	{ "kB4v0q9ZfWm2sX7cR1tY8uJ3nL6pD5h", "is shorter" },
	{ "change-this-secret-key-change-this-secret-key", "well-known" },
	{ "Change-This-Secret-Key-Change-This-Secret-Key", "well-known" },
	{ "your-256-bit-secret-your-256-bit-secret", "well-known" },
	{ "01234567890123456789012345678901", "well-known" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "repeats a few" },
	{ "abcabcabcabcabcabcabcabcabcabcabcabc", "repeats a few" },
};

FACT(a_weak_key_is_refused_outside_of_a_demonstration)
{
	size_t i;

	for (i = 0; i < COUNT(secrets); i++) {
		unsetenv("JWT_SECRET_KEY");
		if (secrets[i].secret != NULL)
			setenv("JWT_SECRET_KEY", secrets[i].secret, 1);
		ROW_TRUE(!reads(""), secrets[i].why);
		if (strstr(why, secrets[i].why) == NULL ||
		    strncmp(why, "JWT_SECRET_KEY ", 15) != 0 ||
		    (secrets[i].secret != NULL && strlen(secrets[i].secret) >
		    5 && strstr(why, secrets[i].secret) != NULL))
			fail_msg("%s: %s", secrets[i].why, why);
		assert_true(reads("REKLAM_DEMO=on\n"));
		assert_non_null(conf.jwt_secret);
		assert_int_equal(conf_read_without_secret(NULL, why,
		    sizeof why), true);
	}
}

FACT(a_secret_may_lie_in_a_file_of_its_own)
{
	char name[80], text[200];

	snprintf(name, sizeof name, "%s.key", path);
	write_file(name, SECRET "and more\r\n\n");
	unsetenv("JWT_SECRET_KEY");
	snprintf(text, sizeof text, "JWT_SECRET_KEY_FILE=%s\n", name);
	assert_true(reads(text));
	assert_string_equal(conf.jwt_secret, SECRET "and more");
	setenv("JWT_SECRET_KEY", SECRET, 1);	/* the later wins */
	assert_true(reads(text));
	assert_string_equal(conf.jwt_secret, SECRET);
	write_file(name, "\n");
	unsetenv("JWT_SECRET_KEY");
	assert_false(reads(text));
	assert_non_null(strstr(why, "holds no text"));
	unlink(name);
}

FACT(the_database_is_named_by_a_url_or_its_parts)
{
	assert_true(reads("DATABASE_HOST=/run/postgresql\n"
	    "DATABASE_PASSWORD='it''s'\n"
	    "DATABASE_USER=\"o'brien\\\\\"\n") == false);
	assert_true(reads("DATABASE_HOST=/run/postgresql\n"
	    "DATABASE_USER=\"o'brien\\\\\"\nDATABASE_PORT=5433\n"));
	assert_string_equal(conf.database_url, "host='/run/postgresql' "
	    "port='5433' dbname='reklam' user='o\\'brien\\\\' ");
	assert_ptr_equal(conf.listen_url, conf.database_url);
	assert_true(reads("DATABASE_HOST=a\nDATABASE_URL=postgresql://b/c\n"
	    "DB_LISTEN_URL=postgresql://d\n"));
	assert_string_equal(conf.database_url, "postgresql://b/c");
	assert_string_equal(conf.listen_url, "postgresql://d");
}

FACT(a_ttl_is_the_smallest_that_is_named)
{
	assert_true(reads("CACHE_TTL_get=50\nCACHE_TTL_GET_JOB=20\n"
	    "CACHE_TTL_get_jobs=0\nCACHE_TTL_MAX=100\n"));
	assert_int_equal(conf_ttl("get_customers", 300), 50);
	assert_int_equal(conf_ttl("get_customers", 30), 30);
	assert_int_equal(conf_ttl("get_job", 300), 20);
	assert_int_equal(conf_ttl("get_jobs", 300), 0);
	assert_int_equal(conf_ttl("identity", 300), 100);
	assert_true(reads("CACHE_TTL_MAX=0\n"));
	assert_int_equal(conf_ttl("get_customers", 300), 0);
}

/* What a running program cannot change stays, with a word about it. */
FACT(a_reload_leaves_what_is_fixed)
{
	long before;

	assert_true(reads("SLOW_MS=50\n"));
	before = conf.segment_mb;
	assert_true(reads("CACHE_SEGMENT_MB=512\nSLOW_MS=51\n"));
	assert_int_equal(conf.segment_mb, before);
	assert_int_equal(conf.slow_ms, 51);
}

static char *
printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print(out);
	fclose(out);
	return text;
}

FACT(what_is_printed_is_read_again_and_tells_no_secret)
{
	char *first, *second, *p;

	assert_true(reads("TIME_ZONE=\"Europe/Istanbul; $x \\\"\\\\\"\n"
	    "DATABASE_HOST='a b'\nDATABASE_PASSWORD=very-secret\n"
	    "CACHE_TTL_get=50\n"));
	first = printed(conf_print);
	assert_null(strstr(first, SECRET));
	assert_null(strstr(first, "very-secret"));
	assert_non_null(strstr(first, "JWT_SECRET_KEY=(set)\n"));
	assert_non_null(strstr(first, "DATABASE_URL=(unset)\n"));
	assert_non_null(strstr(first, "CACHE_TTL_get=50\n"));
	second = strdup(first);
	while ((p = strstr(second, "=(set)")) != NULL ||
	    (p = strstr(second, "=(unset)")) != NULL)
		memmove(p + 1, p + strcspn(p, "\n"),
		    strlen(p + strcspn(p, "\n")) + 1);
	setenv("DATABASE_PASSWORD", "very-secret", 1);
	assert_true(reads(second));
	free(second);
	second = printed(conf_print);
	assert_string_equal(first, second);
	free(first);
	free(second);
	free(first = printed(conf_describe));
}

/* --- lines --- */

static const struct {
	const char *line, *name, *value;
} lines[] = {
	{ "A=b", "A", "b" }, { " A = b ", "A", "b" }, { "A=", "A", "" },
	{ "A=b c", "A", "b c" }, { "A=b # c", "A", "b # c" },
	{ "A=\"b # c\"", "A", "b # c" }, { "A='b \"c\" \\'", "A", "b \"c\" \\" },
	{ "A=\"b \\\"c\\\" \\\\ \\$x \\` \\n\"", "A", "b \"c\" \\ $x ` \\n" },
	{ "A=b\\ c\\\\", "A", "b c\\" }, { "A=b\\ ", "A", "b " },
	{ "A=$HOME `x`", "A", "$HOME `x`" }, { "A==b", "A", "=b" },
	{ "A=b\r", "A", "b" }, { "A=\"b\" \r", "A", "b" },
	{ "_a1=\xc3\xa4", "_a1", "\xc3\xa4" },
	{ "", NULL, NULL }, { "# A=b", NULL, NULL }, { " ; A=b", NULL, NULL },
	{ " \t\r", NULL, NULL },
};

struct taken {
	char name[40], value[40];
	int count;
};

static bool
take(void *context, const char *name, const char *value, char *sentence,
    size_t size)
{
	struct taken *t = context;

	(void)sentence, (void)size;
	snprintf(t->name, sizeof t->name, "%s", name);
	snprintf(t->value, sizeof t->value, "%s", value);
	t->count++;
	return true;
}

FACT(a_line_is_read_as_systemd_reads_it)
{
	struct taken t;
	unsigned line;
	char *copy;
	size_t i;

	for (i = 0; i < COUNT(lines); i++) {
		memset(&t, 0, sizeof t);
		copy = strdup(lines[i].line);
		ROW_TRUE(env_file_parse(copy, strlen(copy), take, &t, why,
		    sizeof why, &line), lines[i].line);
		ROW_TRUE(t.count == (lines[i].name != NULL), lines[i].line);
		if (lines[i].name != NULL) {
			assert_string_equal(t.name, lines[i].name);
			assert_string_equal(t.value, lines[i].value);
		}
		free(copy);
	}
}

#define P(fact) cmocka_unit_test_setup(fact, plain)

int
main(void)
{
	const struct CMUnitTest facts[] = {
		P(the_table_is_in_order),
		P(defaults_then_the_file_then_the_environment),
		P(a_mistake_is_one_sentence_with_its_line),
		P(a_misspelt_name_is_noticed_in_the_environment),
		P(a_weak_key_is_refused_outside_of_a_demonstration),
		P(a_secret_may_lie_in_a_file_of_its_own),
		P(the_database_is_named_by_a_url_or_its_parts),
		P(a_ttl_is_the_smallest_that_is_named),
		P(a_reload_leaves_what_is_fixed),
		P(what_is_printed_is_read_again_and_tells_no_secret),
		P(a_line_is_read_as_systemd_reads_it),
	};

	return cmocka_run_group_tests(facts, begin, finish);
}
