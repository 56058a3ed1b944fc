/*
 * A line is built in the caller's memory and handed over whole; what does not
 * fit into it is cut or left out, and it ends properly all the same.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log_sink.h"
#include "utf8.h"

#define CLOSING 3		/* room for the last quote, brace and newline */
#define ROOM (sizeof ((struct log_line *)0)->bytes - CLOSING)

static const struct {
	const char *name;
	const char *journal;	/* the journal's prefix */
} levels[] = {
	[LOG_ERROR] = { "error", "<3>" },
	[LOG_WARNING] = { "warning", "<4>" },
	[LOG_NOTICE] = { "notice", "<5>" },
	[LOG_DEBUG] = { "debug", "<7>" },
};

static struct {
	bool open, json, journal;
	enum log_level least;
	char who[24];
} out = { .least = LOG_NOTICE, .who = "reklam" };

void
log_open(bool json, enum log_level least)
{
	out.json = json;
	out.least = least;
	out.journal = log_sink_open();
	out.open = true;
}

void
log_as(const char *who)
{
	snprintf(out.who, sizeof out.who, "%s", who);
}

static bool
put(struct log_line *line, const char *bytes, size_t n)
{
	if (line->length + n > ROOM)
		return false;
	memcpy(line->bytes + line->length, bytes, n);
	line->length += n;
	return true;
}

static bool
put_string(struct log_line *line, const char *string)
{
	return put(line, string, strlen(string));
}

/* One character as it may stand between quotes; how far to go on. */
static size_t
escape(char to[8], const char *from, size_t left)
{
	size_t n = utf8_length(from, left);
	unsigned char c = (unsigned char)*from;

	if (n == 0) {
		snprintf(to, 8, "\\ufffd");
		return 1;
	}
	if (n == 2 && c == 0xc2 && (unsigned char)from[1] < 0xa0)
		snprintf(to, 8, "\\u00%02x", (unsigned char)from[1]);
	else if (c == '\n')
		snprintf(to, 8, "\\n");
	else if (c < 0x20 || c == 0x7f)
		snprintf(to, 8, "\\u00%02x", c);
	else
		snprintf(to, 8, "%s%.*s", c == '"' || c == '\\' ? "\\" : "",
		    (int)n, from);
	return n;
}

/* As much as there is room for: a long value is cut, the line stays whole. */
static void
put_quoted(struct log_line *line, const char *value)
{
	size_t left = strlen(value), n;
	char one[8];

	if (!put(line, "\"", 1))
		return;
	for (; left > 0; value += n, left -= n) {
		n = escape(one, value, left);
		if (!put_string(line, one))
			break;
	}
	line->bytes[line->length++] = '"';	/* CLOSING */
}

static bool
is_plain(const char *value)
{
	const char *c;

	for (c = value; *c > ' ' && *c < 0x7f; c++)
		if (strchr("\"\\=", *c) != NULL)
			return false;
	return *c == '\0' && c > value;
}

static bool
put_name(struct log_line *line, const char *name)
{
	size_t before = line->length;
	bool fits;

	/* one byte more, for a value to be begun */
	if (out.json)
		fits = put(line, ",\"", 2) && put_string(line, name) &&
		    put(line, "\":", 2);
	else
		fits = put(line, " ", 1) && put_string(line, name) &&
		    put(line, "=", 1);
	if (fits && line->length < ROOM)
		return true;
	line->length = before;
	return false;
}

static void
put_time(struct log_line *line)
{
	struct timespec now;
	struct tm tm;
	char text[40];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof text - n, ".%03ldZ", now.tv_nsec / 1000000);
	put_string(line, text);
}

/* What every line begins with; false when nobody wants to read it. */
static bool
begin(struct log_line *line, enum log_level level)
{
	line->length = 0;
	line->level = level;
	if (!out.open)
		log_open(out.json, out.least);
	if (level > out.least)
		return false;
	if (out.journal)
		put_string(line, levels[level].journal);
	if (out.json)
		put_string(line, "{\"time\":\"");
	put_time(line);
	put_string(line, out.json ? "\",\"who\":\"" : " ");
	put_string(line, out.who);
	put_string(line, out.json ? "\",\"level\":\"" : " ");
	put_string(line, levels[level].name);
	put_string(line, out.json ? "\"" : "");
	return true;
}

void
log_begin(struct log_line *line, enum log_level level, const char *event)
{
	if (!begin(line, level))
		return;
	if (out.json) {
		log_text(line, "event", event);
	} else {
		put_string(line, " ");
		put_string(line, event);
	}
}

void
log_text(struct log_line *line, const char *name, const char *value)
{
	if (line->length == 0 || !put_name(line, name))
		return;
	if (!out.json && is_plain(value) && put_string(line, value))
		return;
	put_quoted(line, value);
}

void
log_number(struct log_line *line, const char *name, int64_t value)
{
	size_t before = line->length;
	char digits[24];

	if (line->length == 0 || !put_name(line, name))
		return;
	snprintf(digits, sizeof digits, "%lld", (long long)value);
	if (!put_string(line, digits))
		line->length = before;
}

void
log_end(struct log_line *line)
{
	int error = errno;

	if (line->length == 0)
		return;
	if (out.json)
		line->bytes[line->length++] = '}';
	line->bytes[line->length++] = '\n';
	log_sink_write(line->bytes, line->length);
	errno = error;
}

static void
put_sentence(struct log_line *line, const char *format, va_list arguments)
{
	char text[sizeof line->bytes];
	char *c;

	vsnprintf(text, sizeof text, format, arguments);
	for (c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	text[utf8_cut(text, (size_t)(c - text))] = '\0';
	if (out.json) {
		log_text(line, "message", text);
		return;
	}
	put(line, " ", 1);
	for (c = text; *c != '\0' && put(line, c, 1); c++)
		;
	line->length = utf8_cut(line->bytes, line->length);
}

void
log_note(enum log_level level, const char *format, ...)
{
	struct log_line line;
	va_list arguments;
	int error = errno;

	if (!begin(&line, level))
		return;
	errno = error;		/* for %m */
	va_start(arguments, format);
	put_sentence(&line, format, arguments);
	va_end(arguments);
	log_end(&line);
}

void
log_die(const char *format, ...)
{
	struct log_line line;
	va_list arguments;

	if (begin(&line, LOG_ERROR)) {
		va_start(arguments, format);
		put_sentence(&line, format, arguments);
		va_end(arguments);
		log_end(&line);
	}
	exit(1);
}

uint64_t
log_dropped(void)
{
	return log_sink_dropped();
}
