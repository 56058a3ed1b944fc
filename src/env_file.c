#include "env_file.h"

#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r"
#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define NAME_LATER NAME_LETTERS "0123456789"

/* Unquoted: a backslash stands before what is meant by itself. */
static char *
plain(char *from, char *to)
{
	char *end = to;		/* behind the last that is no blank */

	for (; *from != '\0'; from++) {
		if (*from == '\\') {
			if (*++from == '\0')
				return NULL;
		} else if (strchr(BLANKS, *from) != NULL) {
			*to++ = *from;
			continue;
		}
		*to++ = *from;
		end = to;
	}
	*end = '\0';
	return from;
}

/* Between quotes; gives what stands behind the closing one. */
static char *
quoted(char *from, char *to)
{
	char quote = *from++;

	for (; *from != quote; from++) {
		if (*from == '\0')
			return NULL;
		if (quote == '"' && *from == '\\' && from[1] != '\0' &&
		    strchr("\"\\$`", from[1]) != NULL)
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return from + 1;
}

/* The value in place; NULL, or what is wrong with it. */
static const char *
unquote(char *value)
{
	char *rest;

	if (*value != '"' && *value != '\'')
		return plain(value, value) == NULL ?
		    "a line cannot be continued" : NULL;
	rest = quoted(value, value);
	if (rest == NULL)
		return "a quote is not closed";
	if (rest[strspn(rest, BLANKS)] != '\0')
		return "something stands behind the closing quote";
	return NULL;
}

/* Splits a line; NULL, or what is wrong with it.  No name: nothing there. */
static const char *
split(char *line, char **name, char **value)
{
	char *p = line + strspn(line, BLANKS);
	size_t n = strspn(p, NAME_LATER), sign = n + strspn(p + n, BLANKS);

	*name = NULL;
	if (*p == '\0' || *p == '#' || *p == ';')
		return NULL;
	if (strchr(NAME_LETTERS, *p) == NULL || p[sign] != '=')
		return "this is not NAME=value";
	*name = p;
	p[n] = '\0';
	*value = p + sign + 1;
	*value += strspn(*value, BLANKS);
	return unquote(*value);
}

static const char *
odd_byte(const char *line, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if ((unsigned char)line[i] < 0x20 &&
		    line[i] != '\t' && line[i] != '\r')
			return "a control character is in it";
	return NULL;
}

bool
env_file_parse(char *text, size_t length, env_take *take, void *context,
    char *why, size_t size, unsigned *line)
{
	char *end = text + length, *newline, *name, *value;
	const char *wrong;

	/* text[length] is ours to write: the last line may lack its newline */
	for (*line = 1; text < end; text = newline + 1, ++*line) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (newline == NULL)
			newline = end;
		wrong = odd_byte(text, (size_t)(newline - text));
		*newline = '\0';
		if (wrong == NULL)
			wrong = split(text, &name, &value);
		if (wrong != NULL) {
			snprintf(why, size, "%s", wrong);
			return false;
		}
		if (name != NULL && !take(context, name, value, why, size))
			return false;
	}
	return true;
}
