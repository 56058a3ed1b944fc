/*
 * The file and the environment are walked by the same function; what differs
 * is only who may be meant by a name that is not ours.
 */
#include "conf_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf_rules.h"
#include "env_file.h"

#define FILE_MAX 65536

enum { NOT, BY_VALUE, BY_FILE };

struct source {
	struct conf_generation *g;
	bool all_ours;				/* unknown names are mistakes */
	int seen[CONF_SETTINGS_MAX];		/* how, in this source */
};

extern char **environ;

void
conf_source_forget(struct conf_generation *g)
{
	size_t i;

	if (g == NULL)
		return;
	for (i = 0; i < CONF_SETTINGS_MAX; i++)
		free(g->texts[i]);
	for (i = 0; i < g->ttls_count; i++)
		free(g->ttls[i].name);
	free(g->url);
	free(g);
}

/* A file's bytes and a NUL; NULL with errno. */
static char *
read_whole(const char *path, size_t *length)
{
	char *bytes = NULL;
	ssize_t n;
	int fd;

	*length = 0;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return NULL;
	if ((bytes = malloc(FILE_MAX + 1)) == NULL)
		goto out;
	while ((n = read(fd, bytes + *length, FILE_MAX - *length)) > 0)
		*length += (size_t)n;
	if (n == -1 || *length == FILE_MAX) {
		if (n != -1)
			errno = EFBIG;
		free(bytes);
		bytes = NULL;
		goto out;
	}
	bytes[*length] = '\0';
out:
	close(fd);
	return bytes;
}

static int
row(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < conf_settings_count; i++)
		if (strncmp(conf_settings[i].name, name, length) == 0 &&
		    conf_settings[i].name[length] == '\0')
			return (int)i;
	return -1;
}

bool
conf_source_keep(struct conf_generation *g, size_t i, char *text, char *why,
    size_t size)
{
	if (text == NULL) {
		snprintf(why, size, "out of memory");
		return false;
	}
	if (!conf_rule_value(&conf_settings[i], text, &g->all, why, size)) {
		free(text);
		return false;
	}
	free(g->texts[i]);
	g->texts[i] = text;
	return true;
}

static bool
keep_secret(struct conf_generation *g, int i, const char *path, char *why,
    size_t size)
{
	size_t length;
	char *text = read_whole(path, &length);

	if (text == NULL) {
		snprintf(why, size, "%s_FILE: %s: %s", conf_settings[i].name,
		    path, strerror(errno));
		return false;
	}
	while (length > 0 && strchr("\r\n", text[length - 1]) != NULL)
		text[--length] = '\0';
	if (length == 0 || strlen(text) != length) {
		snprintf(why, size, "%s_FILE: %s holds no text",
		    conf_settings[i].name, path);
		free(text);
		return false;
	}
	return conf_source_keep(g, (size_t)i, text, why, size);
}

static bool
keep_ttl(struct conf_generation *g, const char *name, const char *value,
    char *why, size_t size)
{
	static const struct conf_setting like = {
		.type = CONF_NUMBER, .most = 86400,
		.member = offsetof(struct conf_all, conf.ttl_max)
	};
	struct conf_setting setting = like;
	struct conf_all all;
	size_t i;

	setting.name = name;
	if (!conf_rule_value(&setting, value, &all, why, size))
		return false;
	for (i = 0; i < g->ttls_count; i++)
		if (strcasecmp(g->ttls[i].name, name) == 0)
			break;
	if (i == CONF_TTLS_MAX) {
		snprintf(why, size, "more than %d " CONF_TTL_PREFIX "… settings",
		    CONF_TTLS_MAX);
		return false;
	}
	if (i == g->ttls_count) {
		if ((g->ttls[i].name = strdup(name)) == NULL) {
			snprintf(why, size, "out of memory");
			return false;
		}
		g->ttls_count++;
	}
	g->ttls[i].seconds = all.conf.ttl_max;
	return true;
}

/* Names that nobody but us begins so: there, a misspelt one is noticed. */
static bool
looks_ours(const char *name)
{
	static const char *const beginnings[] = { "DB_POOL_", "CACHE_", "JWT_" };
	size_t i;

	for (i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
		if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* env_take: one name and value of a source. */
static bool
take(void *context, const char *name, const char *value, char *why,
    size_t size)
{
	struct source *s = context;
	size_t n = strlen(name);
	int i = row(name, n), by = BY_VALUE;

	if (i == -1 && n > 5 && strcmp(name + n - 5, "_FILE") == 0) {
		i = row(name, n - 5);
		if (i != -1 && !(conf_settings[i].flags & CONF_SECRET))
			i = -1;
		by = BY_FILE;
	}
	if (i == -1 && strncmp(name, CONF_TTL_PREFIX, strlen(CONF_TTL_PREFIX)) == 0 &&
	    name[strlen(CONF_TTL_PREFIX)] != '\0')
		return *value == '\0' ||
		    keep_ttl(s->g, name, value, why, size);
	if (i == -1) {
		if (!s->all_ours && !looks_ours(name))
			return true;
		snprintf(why, size, "no setting is called %s", name);
		return false;
	}
	if (*value == '\0')	/* as good as not there */
		return true;
	if (s->seen[i] != NOT && s->seen[i] != by) {
		snprintf(why, size, "%s and %s_FILE are both set",
		    conf_settings[i].name, conf_settings[i].name);
		return false;
	}
	s->seen[i] = by;
	if (by == BY_FILE)
		return keep_secret(s->g, i, value, why, size);
	return conf_source_keep(s->g, (size_t)i, strdup(value), why, size);
}

bool
conf_source_file(struct conf_generation *g, const char *path, char *why,
    size_t size)
{
	struct source s = { .g = g, .all_ours = true };
	char sentence[512];
	unsigned line;
	size_t length;
	char *text = read_whole(path, &length);
	bool fine;

	if (text == NULL) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return false;
	}
	fine = env_file_parse(text, length, take, &s, sentence,
	    sizeof sentence, &line);
	free(text);
	if (!fine)
		snprintf(why, size, "%s:%u: %s", path, line, sentence);
	return fine;
}

bool
conf_source_environment(struct conf_generation *g, char *why, size_t size)
{
	struct source s = { .g = g };
	char name[128], sentence[512];
	char **one, *value;

	for (one = environ; *one != NULL; one++) {
		value = strchr(*one, '=');
		if (value == NULL || (size_t)(value - *one) >= sizeof name)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(value - *one), *one);
		if (!take(&s, name, value + 1, sentence, sizeof sentence)) {
			snprintf(why, size, "environment: %s", sentence);
			return false;
		}
	}
	return true;
}
