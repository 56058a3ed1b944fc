#include "workers_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r"
#define FILE_MAX 65536

/* One line of the file while it is read. */
struct line {
	char *path;
	bool down, max_fails;
};

/* What nginx lets stand behind a server; those with = have a value. */
static const char *const parameters[] = {
	"backup", "down", "fail_timeout=", "max_conns=", "max_fails=",
	"weight="
};

static bool
is_parameter(const char *word)
{
	size_t i, n;

	for (i = 0; i < sizeof parameters / sizeof *parameters; i++) {
		n = strlen(parameters[i]);
		if (parameters[i][n - 1] == '=' ?
		    strncmp(word, parameters[i], n) == 0 && word[n] != '\0' :
		    strcmp(word, parameters[i]) == 0)
			return true;
	}
	return false;
}

/* NULL, or what is wrong with the path of a socket. */
static const char *
path_fault(const char *path)
{
	const char *c;

	if (*path != '/')
		return "the path of a socket begins with /";
	if (strlen(path) >= WORKERS_PATH_MAX)
		return "the path of a socket has at most 107 bytes";
	for (c = path; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f || strchr("\"'\\{}$:", *c) != NULL)
			return "the path of a socket has an odd character";
	return NULL;
}

/* NULL, or what is wrong with the words before the semicolon. */
static const char *
read_words(char *words, struct line *line)
{
	char *rest, *word = strtok_r(words, BLANKS, &rest);
	const char *wrong;

	if (word == NULL || strcmp(word, "server") != 0)
		return "only \"server unix:PATH max_fails=0;\" may stand here";
	word = strtok_r(NULL, BLANKS, &rest);
	if (word == NULL || strncmp(word, "unix:", 5) != 0)
		return "behind \"server\" there must be unix:PATH";
	line->path = word + 5;
	if ((wrong = path_fault(line->path)) != NULL)
		return wrong;
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL) {
		if (!is_parameter(word))
			return "nginx knows no such parameter of a server";
		line->down |= strcmp(word, "down") == 0;
		line->max_fails |= strcmp(word, "max_fails=0") == 0;
	}
	return NULL;
}

static const char *
remember(struct workers_file *w, const struct line *line)
{
	size_t i;

	if (line->down)
		return NULL;
	for (i = 0; i < w->count; i++)
		if (strcmp(w->path[i], line->path) == 0)
			break;
	if (i == WORKERS_MAX)
		return "there are more than 64 workers";
	w->once[i] = i == w->count;
	if (i == w->count) {
		strcpy(w->path[i], line->path);
		w->count++;
	}
	w->no_max_fails[i] |= !line->max_fails;
	return NULL;
}

/* NULL, or what is wrong with a line, which is changed. */
static const char *
read_line(char *text, struct workers_file *w)
{
	struct line line = { .path = NULL };
	const char *wrong;
	char *end;

	text += strspn(text, BLANKS);
	if (*text == '\0' || *text == '#')
		return NULL;
	end = text + strcspn(text, ";#");
	if (*end != ';')
		return "a line ends with a semicolon";
	*end++ = '\0';
	end += strspn(end, BLANKS);
	if (*end != '\0' && *end != '#')
		return "one server a line";
	if ((wrong = read_words(text, &line)) != NULL)
		return wrong;
	return remember(w, &line);
}

/* `text` has a NUL behind its length. */
static bool
read_text(char *text, size_t length, const char *path,
    struct workers_file *w, char *why, size_t size)
{
	char *end = text + length, *newline;
	const char *wrong;
	unsigned line;

	for (line = 1; text < end; text = newline + 1, line++) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (newline == NULL)
			newline = end;
		*newline = '\0';
		wrong = strlen(text) < (size_t)(newline - text) ?
		    "a NUL is in it" : read_line(text, w);
		if (wrong != NULL) {
			snprintf(why, size, "%s:%u: %s", path, line, wrong);
			return false;
		}
	}
	if (w->count > 0)
		return true;
	snprintf(why, size, "%s:%u: no worker is named", path, line);
	return false;
}

bool
workers_file_read(const char *path, struct workers_file *w, char *why,
    size_t size)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(FILE_MAX + 1);
	bool fine = false;
	size_t length;

	memset(w, 0, sizeof *w);
	errno = text == NULL ? ENOMEM : errno;
	if (file == NULL || text == NULL) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		goto out;
	}
	length = fread(text, 1, FILE_MAX, file);
	text[length] = '\0';
	if (ferror(file))
		snprintf(why, size, "%s: %s", path, strerror(errno));
	else if (length == FILE_MAX)
		snprintf(why, size, "%s: it is too long", path);
	else
		fine = read_text(text, length, path, w, why, size);
out:
	if (file != NULL)
		fclose(file);
	free(text);
	return fine;
}
