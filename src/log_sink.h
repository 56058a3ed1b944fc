/* Where lines go: standard error, without ever waiting for its reader. */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looks at standard error again; true when the journal reads it. */
bool log_sink_open(void);

/* Writes a line now, or drops and counts it. */
void log_sink_write(const char *line, size_t length);

uint64_t log_sink_dropped(void);

#endif
