/* The values that routes take from a request, as tables. */
#ifndef FIELDS_H
#define FIELDS_H

#include "routes.h"

extern const struct field paging[];

/* --- auth --- */
extern const struct field auth_login[];
extern const struct field auth_password[];

/* --- customers and dealers --- */
extern const struct field customer_export[];
extern const struct field customer_create[];
extern const struct field customer_update[];
extern const struct field dealer_create[];
extern const struct field dealer_update[];
extern const struct field customer_list[];

/* --- dashboard --- */
extern const struct field dashboard_latest[];

/* --- health --- */
extern const struct field cache_stats[];
extern const struct field cache_clear[];

/* --- jobs, steps, notes, revisions, timeline --- */
extern const struct field job_list[];
extern const struct field job_export[];
extern const struct field job_create[];
extern const struct field job_update[];
extern const struct field job_reason[];
extern const struct field job_revise[];
extern const struct field step_add[];
extern const struct field step_update[];
extern const struct field step_pause[];
extern const struct field step_produce[];
extern const struct field step_complete[];
extern const struct field step_reopen[];
extern const struct field step_note[];

/* --- machines --- */
extern const struct field machine_create[];
extern const struct field machine_update[];

/* --- notifications --- */
extern const struct field notification_list[];

/* --- permissions --- */
extern const struct field permission_check[];

/* --- processes and groups --- */
extern const struct field process_create[];
extern const struct field process_update[];
extern const struct field process_group_create[];
extern const struct field process_group_update[];

/* --- roles --- */
extern const struct field role_create[];
extern const struct field role_update[];

/* --- tasks --- */
extern const struct field task_list[];
extern const struct field task_history[];
extern const struct field task_performance[];

/* --- user-roles --- */
extern const struct field user_roles_assign[];

/* --- users --- */
extern const struct field user_create[];
extern const struct field user_update[];

#endif
