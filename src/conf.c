/*
 * A reading of the settings fills a generation and becomes `conf` only when
 * all of it is right.  Strings of the generation before stay until the next
 * reload, so that who still holds one of them is not cut off.
 */
#include "conf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_rules.h"
#include "conf_source.h"
#include "log.h"

struct conf conf;
static struct conf_generation *current, *before;

static bool
set_defaults(struct conf_generation *g, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < conf_settings_count; i++)
		if (conf_settings[i].fallback != NULL &&
		    !conf_rule_value(&conf_settings[i],
		    conf_settings[i].fallback, &g->all, why, size))
			return false;
	return true;
}

/* What a running program cannot change stays as it was. */
static bool
hold_fixed(struct conf_generation *g, char *why, size_t size)
{
	const char *was, *is;
	size_t i;

	for (i = 0; current != NULL && i < conf_settings_count; i++) {
		if (conf_settings[i].flags & CONF_RELOADABLE)
			continue;
		was = current->texts[i] ? current->texts[i] :
		    conf_settings[i].fallback;
		is = g->texts[i] ? g->texts[i] : conf_settings[i].fallback;
		if (strcmp(was, is) == 0)
			continue;
		log_note(LOG_WARNING, "%s changes at the next start, not at a "
		    "reload", conf_settings[i].name);
		if (!conf_source_keep(g, i, strdup(was), why, size))
			return false;
	}
	return true;
}

static bool
conclude(struct conf_generation *g, bool secret, char *why, size_t size)
{
	struct conf *c = &g->all.conf;

	if (!conf_rule_together(&g->all, why, size) ||
	    (secret && !conf_rule_secret(&g->all, why, size)))
		return false;
	if (c->jwt_secret == NULL && c->demo)
		c->jwt_secret = "change-this-secret-key";
	c->database_url = g->all.url;
	if (c->database_url == NULL)
		c->database_url = g->url = conf_rule_url(&g->all);
	if (c->database_url == NULL) {
		snprintf(why, size, "out of memory");
		return false;
	}
	c->listen_url = g->all.listen ? g->all.listen : c->database_url;
	return true;
}

static bool
read_all(const char *file, bool secret, char *why, size_t size)
{
	struct conf_generation *g = calloc(1, sizeof *g);

	if (g == NULL) {
		snprintf(why, size, "out of memory");
		return false;
	}
	if (!set_defaults(g, why, size) ||
	    (file != NULL && !conf_source_file(g, file, why, size)) ||
	    !conf_source_environment(g, why, size) ||
	    !hold_fixed(g, why, size) || !conclude(g, secret, why, size)) {
		conf_source_forget(g);
		return false;
	}
	conf_source_forget(before);
	before = current;
	current = g;
	conf = g->all.conf;
	return true;
}

bool
conf_read(const char *file, char *why, size_t size)
{
	return read_all(file, true, why, size);
}

bool
conf_read_without_secret(const char *file, char *why, size_t size)
{
	return read_all(file, false, why, size);
}

long
conf_ttl(const char *name, long seconds)
{
	size_t i, n, longest = 0;
	long own = seconds;

	for (i = 0; current != NULL && i < current->ttls_count; i++) {
		const char *prefix = current->ttls[i].name +
		    strlen(CONF_TTL_PREFIX);

		n = strlen(prefix);
		if (n > longest && strncasecmp(name, prefix, n) == 0) {
			longest = n;
			own = current->ttls[i].seconds;
		}
	}
	own = own < seconds ? own : seconds;
	return own < conf.ttl_max ? own : conf.ttl_max;
}

const char *
conf_ttl_name(size_t i)
{
	return current != NULL && i < current->ttls_count ?
	    current->ttls[i].name + strlen(CONF_TTL_PREFIX) : NULL;
}

/* As it may stand in a file again. */
static void
print_text(FILE *out, const char *text)
{
	if (text[strcspn(text, " \t\"'\\#;$`")] == '\0') {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text != '\0'; text++) {
		if (strchr("\"\\$`", *text) != NULL)
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

void
conf_print(FILE *out)
{
	const struct conf_setting *s;
	const char *text;
	size_t i;

	for (i = 0; i < conf_settings_count; i++) {
		s = &conf_settings[i];
		text = current ? current->texts[i] : NULL;
		if (text == NULL)
			text = s->fallback;
		fprintf(out, "%s=", s->name);
		if (s->flags & CONF_SECRET)
			fputs(text ? "(set)" : "(unset)", out);
		else if (text != NULL)
			print_text(out, text);
		putc('\n', out);
	}
	for (i = 0; current != NULL && i < current->ttls_count; i++)
		fprintf(out, "%s=%ld\n", current->ttls[i].name,
		    current->ttls[i].seconds);
}

void
conf_describe(FILE *out)
{
	static const char *const types[] = {
		[CONF_TEXT] = "text", [CONF_NUMBER] = "number",
		[CONF_SWITCH] = "word", [CONF_CHOICE] = "word"
	};
	const struct conf_setting *s;
	size_t i;

	for (i = 0; i < conf_settings_count; i++) {
		s = &conf_settings[i];
		fprintf(out, "%s\t%s\t%s\t", s->name,
		    s->choices ? "word" : types[s->type],
		    s->fallback ? s->fallback : "");
		if (s->type == CONF_NUMBER)
			fprintf(out, "%ld to %ld", s->least, s->most);
		else if (s->choices != NULL)
			fputs(s->choices, out);
		fprintf(out, "\t%s\t%s\n",
		    s->flags & CONF_RELOADABLE ? "yes" : "no", s->help);
	}
}
