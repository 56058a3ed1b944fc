/* What a setting may be, alone and together with the others. */
#ifndef CONF_RULES_H
#define CONF_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct conf_all;
struct conf_setting;

/*
 * Stores `text` as the setting's value; a string is stored as it is and must
 * outlive `all`.  Refuses with a sentence in `why`.
 */
bool conf_rule_value(const struct conf_setting *, const char *text,
    struct conf_all *all, char *why, size_t size);

/* What no row alone can say. */
bool conf_rule_together(const struct conf_all *, char *why, size_t size);

/* Whether the key of the tokens will do. */
bool conf_rule_secret(const struct conf_all *, char *why, size_t size);

/* libpq's words for the parts; malloc'd. */
char *conf_rule_url(const struct conf_all *);

#endif
