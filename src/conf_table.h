/* The rows behind conf.h: what there is to set, and where it is kept. */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"

enum conf_type {
	CONF_TEXT,	/* const char * */
	CONF_NUMBER,	/* long */
	CONF_SWITCH,	/* bool: which of two words */
	CONF_CHOICE	/* long: which of some words */
};

enum { CONF_RELOADABLE = 1, CONF_SECRET = 2 };

/* struct conf, and what is only a part of something in it. */
struct conf_all {
	struct conf conf;
	const char *url, *host, *port, *name, *user, *password;
	const char *listen;
};

struct conf_setting {
	const char *name;
	enum conf_type type;
	size_t member;		/* its place in struct conf_all */
	const char *fallback;	/* NULL: unset */
	long least, most;	/* of a number */
	const char *choices;	/* words separated by blanks */
	unsigned flags;
	const char *help;
};

/* The order in which they are printed and documented. */
extern const struct conf_setting conf_settings[];

#define CONF_SETTINGS_MAX 64
extern const size_t conf_settings_count;

#endif
