#include "conf_rules.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_table.h"

#define SECRET_LEAST 32		/* bytes: RFC 7518, 3.2 */
#define SECRET_VARIETY 8	/* different ones among them */

/* Keys that are in everybody's examples begin so. */
static const char *const known_secrets[] = {
	"change-this", "change_this", "changethis", "changeme", "change-me",
	"change_me", "your-secret", "your_secret", "your-super-secret",
	"your-256-bit-secret", "super-secret", "supersecret", "secretkey",
	"secret-key", "secret_key", "my-secret", "mysecret", "jwt-secret",
	"jwt_secret", "a-string-secret", "0123456789", "1234567890",
	"abcdefgh", "password"
};

/* The place of a word among words separated by blanks, or -1. */
static long
place(const char *words, const char *word)
{
	size_t length = strlen(word), n;
	long i;

	for (i = 0; *words != '\0'; i++) {
		n = strcspn(words, " ");
		if (n == length && strncmp(words, word, n) == 0)
			return i;
		words += n + strspn(words + n, " ");
	}
	return -1;
}

static bool
is_number(const char *text, long *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtol(text, &end, 10);
	return *end == '\0' && errno == 0;
}

static bool
set_number(const struct conf_setting *s, const char *text, long *member,
    char *why, size_t size)
{
	long value;

	if (is_number(text, &value) && value >= s->least && value <= s->most) {
		*member = value;
		return true;
	}
	snprintf(why, size, "%s is \"%s\"; it must be a number from %ld to %ld",
	    s->name, text, s->least, s->most);
	return false;
}

bool
conf_rule_value(const struct conf_setting *s, const char *text,
    struct conf_all *all, char *why, size_t size)
{
	void *member = (char *)all + s->member;
	const char *c;
	long word = s->choices ? place(s->choices, text) : 0;

	for (c = text; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c)) {
			snprintf(why, size, "%s: a control character is in it",
			    s->name);
			return false;
		}
	if (word == -1) {
		snprintf(why, size, "%s is \"%s\"; it must be one of: %s",
		    s->name, text, s->choices);
		return false;
	}
	switch (s->type) {
	case CONF_TEXT:
		*(const char **)member = text;
		break;
	case CONF_NUMBER:
		return set_number(s, text, member, why, size);
	case CONF_SWITCH:
		*(bool *)member = word == 1;
		break;
	case CONF_CHOICE:
		*(long *)member = word;
		break;
	}
	return true;
}

static bool
is_known(const char *secret)
{
	size_t i;

	for (i = 0; i < sizeof known_secrets / sizeof *known_secrets; i++)
		if (strncasecmp(secret, known_secrets[i],
		    strlen(known_secrets[i])) == 0)
			return true;
	return false;
}

static bool
is_monotonous(const char *secret)
{
	bool seen[256] = { false };
	int different = 0;

	for (; *secret != '\0'; secret++) {
		different += !seen[(unsigned char)*secret];
		seen[(unsigned char)*secret] = true;
	}
	return different < SECRET_VARIETY;
}

/* NULL, or what is wrong with the key of the tokens. */
static const char *
secret_fault(const char *secret)
{
	if (secret == NULL)
		return "is not set";
	if (strlen(secret) < SECRET_LEAST)
		return "is shorter than 32 bytes";
	if (is_known(secret))
		return "is a well-known one";
	if (is_monotonous(secret))
		return "repeats a few characters";
	return NULL;
}

bool
conf_rule_secret(const struct conf_all *all, char *why, size_t size)
{
	const char *fault = secret_fault(all->conf.jwt_secret);

	if (fault == NULL || all->conf.demo)
		return true;
	snprintf(why, size, "JWT_SECRET_KEY %s; "
	    "\"openssl rand -base64 48\" makes one", fault);
	return false;
}

bool
conf_rule_together(const struct conf_all *all, char *why, size_t size)
{
	const struct conf *c = &all->conf;

	if (c->pool_min <= c->pool_max)
		return true;
	snprintf(why, size, "DB_POOL_MIN_CONNECTIONS is %ld, more than "
	    "DB_POOL_MAX_CONNECTIONS, which is %ld", c->pool_min, c->pool_max);
	return false;
}

static void
add_word(FILE *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	fprintf(out, "%s='", name);
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			putc('\\', out);
		putc(*value, out);
	}
	fputs("' ", out);
}

char *
conf_rule_url(const struct conf_all *all)
{
	char *words = NULL;
	size_t length;
	FILE *out = open_memstream(&words, &length);

	if (out == NULL)
		return NULL;
	add_word(out, "host", all->host);
	add_word(out, "port", all->port);
	add_word(out, "dbname", all->name);
	add_word(out, "user", all->user);
	add_word(out, "password", all->password);
	if (fclose(out) != 0) {
		free(words);
		return NULL;
	}
	return words;
}
