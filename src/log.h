/* One line per event on standard error, as text or JSON; never blocks. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_DEBUG };

/* Before the first line; without it: text, up to LOG_NOTICE. */
void log_open(bool json, enum log_level least);

/* The process name that every line carries: "master", "worker-0". */
void log_as(const char *who);

/* A sentence.  printf's rules; a newline in it becomes a blank. */
void log_note(enum log_level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Before serving: the sentence, then exit status 1. */
_Noreturn void log_die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* An event with fields, built in place:
 *	struct log_line line;
 *	log_begin(&line, LOG_WARNING, "slow");
 *	log_text(&line, "route", route);
 *	log_number(&line, "us", us);
 *	log_end(&line);
 */
struct log_line {
	char bytes[4096];
	size_t length;
	enum log_level level;
};
void log_begin(struct log_line *, enum log_level, const char *event);
void log_text(struct log_line *, const char *name, const char *value);
void log_number(struct log_line *, const char *name, int64_t value);
void log_end(struct log_line *);

/* Lines that could not be written since the start of this process. */
uint64_t log_dropped(void);

#endif
