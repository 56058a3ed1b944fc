/*
 * The tables of what a client may send, in the order of the routes.  A row:
 * name, source, type, flags, least, most, choices, fallback, refusal, members.
 */
#include "fields.h"

#include <limits.h>

#define END { .name = NULL }
#define OPTIONAL .flags = 0

/* Of every list that has nothing else to ask for. */
const struct field paging[] = {
	{ "limit", QUERY, INTEGER, .max = 10000 },
	{ "offset", QUERY, INTEGER, .max = INT_MAX },
	END
};

/* --- auth --- */
#define PASSWORD_LEAST 6	/* characters, as the web client has it */

const struct field auth_login[] = {
	{ "username", BODY, TEXT, REQUIRED | BLANK,
	    .refusal = "login_missing" },
	{ "password", BODY, TEXT, REQUIRED | BLANK,
	    .refusal = "login_missing" },
	END
};

const struct field auth_password[] = {
	{ "current_password", BODY, TEXT, REQUIRED,
	    .refusal = "password_missing" },
	{ "new_password", BODY, TEXT, REQUIRED, .min = PASSWORD_LEAST,
	    .refusal = "password_too_short" },
	END
};

/* --- customers and dealers --- */
#define CUSTOMER_FILTERS \
	{ "search", QUERY, TEXT, .max = 200 }, \
	{ "city", QUERY, TEXT, .max = 255 }, \
	{ "is_active", QUERY, BOOLEAN, OPTIONAL }

/* All but the name, which is required in one of two. */
#define CUSTOMER_TEXTS \
	{ "code", BODY, LOOSE, .max = 50 }, \
	{ "contact_person", BODY, LOOSE, .max = 255 }, \
	{ "phone", BODY, LOOSE, .max = 50 }, \
	{ "phone_secondary", BODY, LOOSE, .max = 50 }, \
	{ "gsm", BODY, LOOSE, .max = 50 }, \
	{ "email", BODY, LOOSE, .max = 255 }, \
	{ "address", BODY, LOOSE, OPTIONAL }, \
	{ "city", BODY, LOOSE, .max = 255 }, \
	{ "tax_office", BODY, LOOSE, .max = 255 }, \
	{ "tax_number", BODY, LOOSE, .max = 50 }, \
	{ "notes", BODY, LOOSE, OPTIONAL }, \
	{ "short_code", BODY, LOOSE, .max = 50 }, \
	{ "postal_code", BODY, LOOSE, .max = 20 }, \
	{ "is_active", BODY, FLAG, OPTIONAL }

#define DEALER_TEXTS \
	{ "address", BODY, LOOSE, OPTIONAL }, \
	{ "district", BODY, LOOSE, .max = 255 }, \
	{ "city", BODY, LOOSE, .max = 255 }, \
	{ "contact_person", BODY, LOOSE, .max = 255 }, \
	{ "contact_phone", BODY, LOOSE, .max = 50 }, \
	{ "tax_office", BODY, LOOSE, .max = 255 }, \
	{ "tax_number", BODY, LOOSE, .max = 50 }, \
	{ "phone1", BODY, LOOSE, .max = 50 }, \
	{ "phone2", BODY, LOOSE, .max = 50 }, \
	{ "email", BODY, LOOSE, .max = 255 }, \
	{ "website", BODY, LOOSE, .max = 255 }, \
	{ "postal_code", BODY, LOOSE, .max = 20 }, \
	{ "notes", BODY, LOOSE, OPTIONAL }

const struct field customer_list[] = {
	CUSTOMER_FILTERS,
	{ "limit", QUERY, INTEGER, .max = 10000 },
	{ "offset", QUERY, INTEGER, .max = INT_MAX },
	END
};

const struct field customer_export[] = {
	CUSTOMER_FILTERS,
	END
};

const struct field customer_create[] = {
	{ "name", BODY, LOOSE, REQUIRED, .max = 255,
	    .refusal = "customer_name_required" },
	CUSTOMER_TEXTS,
	END
};

const struct field customer_update[] = {
	{ "name", BODY, LOOSE, .max = 255 },
	CUSTOMER_TEXTS,
	END
};

const struct field dealer_create[] = {
	{ "name", BODY, LOOSE, REQUIRED, .max = 255,
	    .refusal = "dealer_name_required" },
	DEALER_TEXTS,
	END
};

const struct field dealer_update[] = {
	{ "name", BODY, LOOSE, .max = 255 },
	DEALER_TEXTS,
	END
};

/* --- dashboard --- */
const struct field dashboard_latest[] = {
	{ "limit", QUERY, INTEGER, LENIENT, .max = 10000, .fallback = "10" },
	{ "offset", QUERY, INTEGER, .max = INT_MAX },
	END
};

/* --- health --- */

const struct field cache_stats[] = {
	{ "prefix", QUERY, TEXT, .max = 100 },
	{ 0 }
};

const struct field cache_clear[] = {
	{ "prefix", BODY, TEXT, .max = 100 },
	{ "table", BODY, TEXT, .max = 63 },
	{ 0 }
};

/* --- jobs, steps, notes, revisions, timeline --- */
#define PRIORITIES "low normal high urgent"

/* What nothing can be like finds nothing, however long it is. */
#define JOB_FILTER \
	{ "search", QUERY, TEXT, .max = 2000 }, \
	{ "q", QUERY, TEXT, .max = 2000 }, \
	{ "status", QUERY, TEXT, .max = 2000 }, \
	{ "customer_id", QUERY, UUID, OPTIONAL }, \
	{ "priority", QUERY, TEXT, .max = 2000 }, \
	{ "date_from", QUERY, TIMESTAMP, OPTIONAL }, \
	{ "date_to", QUERY, DATE, OPTIONAL }, \
	{ "overdue", QUERY, BOOLEAN, OPTIONAL }, \
	{ "assigned_to", QUERY, UUID, OPTIONAL }, \
	{ "machine_id", QUERY, UUID, OPTIONAL }, \
	{ "due_from", QUERY, DATE, OPTIONAL }, \
	{ "due_to", QUERY, DATE, OPTIONAL }, \
	{ "sort", QUERY, CHOICE, .choices = "created_at -created_at " \
	    "due_date -due_date job_number -job_number priority -priority" },

const struct field job_list[] = {
	JOB_FILTER
	{ "page", QUERY, INTEGER, .flags = LENIENT },
	{ "per_page", QUERY, INTEGER, .flags = LENIENT },
	{ "limit", QUERY, INTEGER, .max = 10000 },
	{ "offset", QUERY, INTEGER, .max = INT_MAX },
	END
};

const struct field job_export[] = {
	JOB_FILTER
	END
};

/*
 * Dates that nobody can read were always dropped here, not refused.  What was
 * refused comes first; that a process is missing the old backend did not see.
 */
static const struct field new_step[] = {
	{ "due_date", BODY, DATE, .refusal = "step_due_date_invalid" },
	{ "due_time", BODY, TIME, .refusal = "step_due_time_invalid" },
	{ "process_id", BODY, UUID, REQUIRED, .refusal = "process_id_required" },
	{ "assigned_to", BODY, UUID, OPTIONAL },
	{ "machine_id", BODY, UUID, OPTIONAL },
	{ "is_parallel", BODY, FLAG, OPTIONAL },
	{ "estimated_duration", BODY, INTEGER, .max = 10000000,
	    .refusal = "estimated_duration_invalid" },
	{ "planned_start_date", BODY, LOOSE, OPTIONAL },
	{ "planned_end_date", BODY, LOOSE, OPTIONAL },
	{ "requirements", BODY, TEXT, OPTIONAL },
	{ "has_production", BODY, FLAG, OPTIONAL },
	{ "required_quantity", BODY, NUMBER, .max = 99999999,
	    .refusal = "required_quantity_invalid" },
	END
};

const struct field job_create[] = {
	{ "title", BODY, TEXT, REQUIRED, .min = 1, .max = 255,
	    .refusal = "title_required" },
	{ "description", BODY, TEXT, OPTIONAL },
	{ "customer_id", BODY, UUID, OPTIONAL },
	{ "dealer_id", BODY, UUID, OPTIONAL },
	{ "priority", BODY, CHOICE, .choices = PRIORITIES },
	{ "due_date", BODY, DATE, .refusal = "due_date_invalid" },
	{ "steps", BODY, OBJECTS, .max = 200, .members = new_step },
	END
};

const struct field job_update[] = {
	{ "title", BODY, TEXT, NOT_NULL, .min = 1, .max = 255,
	    .refusal = "title_required" },
	{ "description", BODY, TEXT, OPTIONAL },
	{ "customer_id", BODY, UUID, OPTIONAL },
	{ "dealer_id", BODY, UUID, OPTIONAL },
	{ "priority", BODY, CHOICE, .choices = PRIORITIES },
	{ "due_date", BODY, DATE, .refusal = "due_date_invalid" },
	END
};

const struct field job_reason[] = {
	{ "reason", BODY, TEXT, OPTIONAL },
	END
};

/* One of the first four is the reason; the statement says which. */
const struct field job_revise[] = {
	{ "revision_reason", BODY, TEXT, OPTIONAL },
	{ "revision_description", BODY, TEXT, OPTIONAL },
	{ "reason", BODY, TEXT, OPTIONAL },
	{ "description", BODY, TEXT, OPTIONAL },
	{ "job_description", BODY, TEXT, OPTIONAL },
	{ "title", BODY, TEXT, .max = 255 },
	{ "priority", BODY, CHOICE, .choices = PRIORITIES },
	{ "due_date", BODY, DATE, .refusal = "due_date_invalid" },
	END
};

const struct field step_add[] = {
	{ "process_id", BODY, UUID, REQUIRED, .refusal = "process_id_required" },
	{ "assigned_to", BODY, UUID, OPTIONAL },
	{ "machine_id", BODY, UUID, OPTIONAL },
	{ "is_parallel", BODY, FLAG, OPTIONAL },
	{ "estimated_duration", BODY, INTEGER, .max = 10000000,
	    .refusal = "estimated_duration_invalid" },
	{ "due_date", BODY, DATE, .refusal = "due_date_invalid" },
	{ "due_time", BODY, TIME, .refusal = "due_time_invalid" },
	{ "planned_start_date", BODY, LOOSE, OPTIONAL },
	{ "planned_end_date", BODY, LOOSE, OPTIONAL },
	{ "requirements", BODY, TEXT, OPTIONAL },
	{ "has_production", BODY, FLAG, OPTIONAL },
	{ "required_quantity", BODY, NUMBER, .max = 99999999,
	    .refusal = "required_quantity_invalid" },
	END
};

const struct field step_update[] = {
	{ "process_id", BODY, UUID, OPTIONAL },
	{ "assigned_to", BODY, UUID, OPTIONAL },
	{ "machine_id", BODY, UUID, OPTIONAL },
	{ "is_parallel", BODY, FLAG, OPTIONAL },
	{ "has_production", BODY, FLAG, OPTIONAL },
	{ "estimated_duration", BODY, INTEGER, .max = 10000000,
	    .refusal = "estimated_duration_invalid" },
	{ "due_date", BODY, DATE, .refusal = "due_date_invalid" },
	{ "due_time", BODY, TIME, .refusal = "due_time_invalid" },
	{ "planned_start_date", BODY, DATE,
	    .refusal = "planned_start_date_invalid" },
	{ "planned_end_date", BODY, DATE,
	    .refusal = "planned_end_date_invalid" },
	{ "order_index", BODY, INTEGER, NOT_NULL, .max = 1000000,
	    .refusal = "order_index_invalid" },
	{ "requirements", BODY, LOOSE, OPTIONAL },
	{ "required_quantity", BODY, NUMBER, .max = 99999999,
	    .refusal = "required_quantity_invalid" },
	END
};

const struct field step_pause[] = {
	{ "reason", BODY, TEXT, REQUIRED, .refusal = "pause_reason_required" },
	END
};

const struct field step_produce[] = {
	{ "production_quantity", BODY, NUMBER, REQUIRED,
	    .refusal = "production_quantity_required" },
	{ "production_unit", BODY, TEXT, .max = 50 },
	{ "production_notes", BODY, TEXT, OPTIONAL },
	END
};

const struct field step_complete[] = {
	{ "production_quantity", BODY, NUMBER, .max = 99999999,
	    .refusal = "production_quantity_invalid" },
	{ "production_unit", BODY, TEXT, .max = 50 },
	{ "production_notes", BODY, TEXT, OPTIONAL },
	END
};

const struct field step_reopen[] = {
	{ "reason", BODY, TEXT, OPTIONAL },
	END
};

const struct field step_note[] = {
	{ "note", BODY, TEXT, REQUIRED, .refusal = "note_required" },
	END
};

/* --- machines --- */
#define MACHINE_STATUSES "active maintenance inactive"

const struct field machine_create[] = {
	{ "name", BODY, TEXT, REQUIRED, .min = 1, .max = 255,
	    .refusal = "machine_name_code_required" },
	{ "code", BODY, TEXT, REQUIRED, .min = 1, .max = 50,
	    .refusal = "machine_name_code_required" },
	{ "type", BODY, TEXT, .max = 100 },
	{ "status", BODY, CHOICE, .choices = MACHINE_STATUSES },
	{ "location", BODY, TEXT, .max = 255 },
	{ "capacity_per_hour", BODY, NUMBER, .max = 99999999,
	    .refusal = "capacity_per_hour_invalid" },
	{ "notes", BODY, TEXT, OPTIONAL },
	{ "process_ids", BODY, UUIDS, .max = 1000 },
	END
};

const struct field machine_update[] = {
	{ "name", BODY, TEXT, NOT_NULL, .min = 1, .max = 255,
	    .refusal = "machine_name_blank" },
	{ "type", BODY, TEXT, .max = 100 },
	{ "status", BODY, CHOICE, NOT_NULL, .choices = MACHINE_STATUSES },
	{ "location", BODY, TEXT, .max = 255 },
	{ "capacity_per_hour", BODY, NUMBER, .max = 99999999,
	    .refusal = "capacity_per_hour_invalid" },
	{ "notes", BODY, TEXT, OPTIONAL },
	{ "process_ids", BODY, UUIDS, NOT_NULL, .max = 1000 },
	END
};

/* --- notifications --- */
const struct field notification_list[] = {
	{ "is_read", QUERY, TEXT, LENIENT | BLANK, .max = 20 },
	{ "limit", QUERY, INTEGER, LENIENT, .max = 10000, .fallback = "50" },
	{ "offset", QUERY, INTEGER, .max = INT_MAX },
	END
};

/* --- permissions --- */
const struct field permission_check[] = {
	{ "resource", BODY, TEXT, REQUIRED, .max = 100,
	    .refusal = "resource_required" },
	{ "action", BODY, TEXT, .max = 100 },
	END
};

/* --- processes and groups --- */
const struct field process_create[] = {
	{ "name", BODY, TEXT, REQUIRED, .min = 1, .max = 255,
	    .refusal = "process_name_code_required" },
	{ "code", BODY, TEXT, REQUIRED, .min = 1, .max = 50,
	    .refusal = "process_name_code_required" },
	{ "description", BODY, TEXT, OPTIONAL },
	{ "is_machine_based", BODY, FLAG, OPTIONAL },
	{ "is_production", BODY, FLAG, OPTIONAL },
	{ "order_index", BODY, INTEGER, .min = INT_MIN, .max = INT_MAX },
	{ "group_id", BODY, UUID, OPTIONAL },
	{ "folder_name", BODY, TEXT, .max = 100 },
	END
};

const struct field process_update[] = {
	{ "name", BODY, TEXT, NOT_NULL, .min = 1, .max = 255,
	    .refusal = "process_name_blank" },
	{ "code", BODY, TEXT, .max = 50 },
	{ "description", BODY, TEXT, OPTIONAL },
	{ "is_machine_based", BODY, FLAG, OPTIONAL },
	{ "is_production", BODY, FLAG, OPTIONAL },
	{ "is_active", BODY, FLAG, OPTIONAL },
	{ "order_index", BODY, INTEGER, .min = INT_MIN, .max = INT_MAX },
	{ "group_id", BODY, UUID, OPTIONAL },
	{ "folder_name", BODY, TEXT, .max = 100 },
	END
};

const struct field process_group_create[] = {
	{ "name", BODY, LOOSE, REQUIRED, .max = 150,
	    .refusal = "process_group_name_required" },
	{ "description", BODY, LOOSE, OPTIONAL },
	{ "color", BODY, LOOSE, .max = 20 },
	{ "order_index", BODY, INTEGER, .min = INT_MIN, .max = INT_MAX },
	END
};

const struct field process_group_update[] = {
	{ "name", BODY, LOOSE, .max = 150 },
	{ "description", BODY, LOOSE, OPTIONAL },
	{ "color", BODY, LOOSE, .max = 20 },
	{ "order_index", BODY, INTEGER, .min = INT_MIN, .max = INT_MAX },
	END
};

/* --- roles --- */
const struct field role_create[] = {
	{ "name", BODY, TEXT, REQUIRED, .min = 1, .max = 100,
	    .refusal = "role_name_code_required" },
	{ "code", BODY, TEXT, REQUIRED, .min = 1, .max = 50,
	    .refusal = "role_name_code_required" },
	{ "description", BODY, TEXT, OPTIONAL },
	{ "permissions", BODY, OBJECT, OPTIONAL },
	{ "process_permissions", BODY, UUIDS, .max = 1000 },
	END
};

const struct field role_update[] = {
	{ "name", BODY, TEXT, NOT_NULL, .min = 1, .max = 100,
	    .refusal = "role_name_blank" },
	{ "description", BODY, TEXT, OPTIONAL },
	{ "permissions", BODY, OBJECT, OPTIONAL },
	{ "process_permissions", BODY, UUIDS, .max = 1000 },
	END
};

/* --- tasks --- */
const struct field task_list[] = {
	{ "status", QUERY, TEXT, .max = 200 },
	{ "assigned_to", QUERY, UUID, OPTIONAL },
	{ "machine_id", QUERY, UUID, OPTIONAL },
	{ "job_id", QUERY, UUID, OPTIONAL },
	{ "limit", QUERY, INTEGER, .max = 10000 },
	{ "offset", QUERY, INTEGER, .max = INT_MAX },
	END
};

const struct field task_history[] = {
	{ "date_from", QUERY, TIMESTAMP, OPTIONAL },
	{ "date_to", QUERY, DATE, OPTIONAL },
	{ "limit", QUERY, INTEGER, LENIENT, .max = 10000, .fallback = "50" },
	{ "offset", QUERY, INTEGER, .max = INT_MAX },
	END
};

const struct field task_performance[] = {
	{ "period", QUERY, INTEGER, .min = -36500, .max = 36500,
	    .fallback = "30" },
	END
};

/* --- user-roles --- */
const struct field user_roles_assign[] = {
	{ "role_ids", BODY, UUIDS, REQUIRED, .max = 100,
	    .refusal = "role_ids_required" },
	{ "primary_role_id", BODY, UUID, OPTIONAL },
	END
};

/* --- users --- */
/* The password comes to the statement as its hash; a blank one is none. */
const struct field user_create[] = {
	{ "username", BODY, TEXT, REQUIRED, .min = 1, .max = 100,
	    .refusal = "user_fields_required" },
	{ "email", BODY, TEXT, REQUIRED, .min = 1, .max = 255,
	    .refusal = "user_fields_required" },
	{ "password", BODY, TEXT, REQUIRED, .min = PASSWORD_LEAST,
	    .refusal = "user_fields_required" },
	{ "full_name", BODY, TEXT, .max = 255 },
	{ "role", BODY, LOOSE, .max = 50 },
	END
};

const struct field user_update[] = {
	{ "full_name", BODY, TEXT, .max = 255 },
	{ "email", BODY, TEXT, NOT_NULL, .min = 1, .max = 255,
	    .refusal = "email_invalid" },
	{ "password", BODY, LOOSE, .min = PASSWORD_LEAST,
	    .refusal = "password_too_short" },
	{ "role", BODY, LOOSE, NOT_NULL, .max = 50 },
	{ "is_active", BODY, FLAG, .flags = NOT_NULL },
	{ "avatar_url", BODY, TEXT, .max = 2000 },
	{ "avatar_file_id", BODY, UUID, OPTIONAL },
	END
};
