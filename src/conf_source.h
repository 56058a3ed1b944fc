/* One reading of the settings, before it counts. */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf_table.h"

#define CONF_TTL_PREFIX "CACHE_TTL_"
#define CONF_TTLS_MAX 64

struct conf_generation {
	struct conf_all all;
	char *texts[CONF_SETTINGS_MAX];		/* as given; NULL: default */
	struct { char *name; long seconds; } ttls[CONF_TTLS_MAX];
	size_t ttls_count;
	char *url;				/* built from its parts */
};

bool conf_source_file(struct conf_generation *, const char *path, char *why,
    size_t size);
bool conf_source_environment(struct conf_generation *, char *why, size_t size);

/* Sets one; takes the malloc'd text over, which may be NULL: no memory. */
bool conf_source_keep(struct conf_generation *, size_t row, char *text,
    char *why, size_t size);

void conf_source_forget(struct conf_generation *);

#endif
