/*
 * The endpoints.  A row: method, path, who may, then the statement and, for a
 * GET, the name by which its answers are cleared and their age limit, for the
 * others the kind of body; see routes.h.  An exact segment wins over {name}.
 */
#include "routes.h"

#include "fields.h"

const struct route routes[] = {
/* --- auth --- */

/* --- customers and dealers --- */

/* --- dashboard --- */

/* --- health --- */

/* --- jobs, steps, notes, revisions, timeline --- */
	{ GET, "/api/jobs", "jobs.view", .statement = "jobs",
	    .cache = "get_jobs", .ttl = 300, .fields = job_list,
	    .help = "Jobs with their steps, a page at a time" },
	{ POST, "/api/jobs", "jobs.create", .statement = "job_create",
	    .body = JSON_BODY, .fields = job_create,
	    .help = "Creates a job, a draft, with its steps" },
	{ GET, "/api/export/jobs.csv", "jobs.view", .statement = "jobs_csv",
	    .cache = "export_jobs", .ttl = 300, .fields = job_export,
	    .flags = EXPORT, .help = "The jobs that match as a table" },
	{ GET, "/api/jobs/{id}", "jobs.view", .statement = "job",
	    .cache = "get_job", .ttl = 300, .not_found = "job_not_found",
	    .help = "One job with its steps and their notes" },
	{ PATCH, "/api/jobs/{id}", "manager", .statement = "job_update",
	    .body = JSON_BODY, .fields = job_update,
	    .not_found = "job_not_found", .help = "Changes fields of a job" },
	{ POST, "/api/jobs/{id}/activate", "manager",
	    .statement = "job_activate", .not_found = "job_cannot_activate",
	    .help = "Activates a draft: its first steps become ready" },
	{ POST, "/api/jobs/{id}/hold", "manager", .statement = "job_hold",
	    .body = ANY_BODY, .fields = job_reason,
	    .not_found = "job_cannot_hold",
	    .help = "Puts a job and its open steps on hold" },
	{ POST, "/api/jobs/{id}/resume", "manager", .statement = "job_resume",
	    .not_found = "job_cannot_resume", .help = "Takes a job off hold" },
	{ POST, "/api/jobs/{id}/cancel", "manager", .statement = "job_cancel",
	    .body = ANY_BODY, .fields = job_reason,
	    .not_found = "job_cannot_cancel",
	    .help = "Cancels a job and its unfinished steps" },
	{ GET, "/api/jobs/{id}/revisions", "jobs.view",
	    .statement = "revisions", .cache = "get_job_revisions", .ttl = 300,
	    .fields = paging, .not_found = "job_not_found",
	    .help = "What was done to a job, newest first" },
	{ POST, "/api/jobs/{id}/revise", "manager", .statement = "job_revise",
	    .body = ANY_BODY, .fields = job_revise,
	    .not_found = "job_not_found",
	    .help = "Makes a new revision of a job, with a reason" },
	{ GET, "/api/jobs/{id}/timeline", "jobs.view", .statement = "timeline",
	    .cache = "get_job_timeline", .ttl = 300, .fields = paging,
	    .not_found = "job_not_found",
	    .help = "What happened to a job and its steps, newest first" },
	{ POST, "/api/jobs/{id}/steps", "manager", .statement = "step_add",
	    .body = JSON_BODY, .fields = step_add,
	    .not_found = "job_not_found",
	    .help = "Adds a step to the end of a job" },
	{ PATCH, "/api/jobs/steps/{id}", "token", .statement = "step_update",
	    .body = ANY_BODY, .fields = step_update,
	    .not_found = "process_step_not_found",
	    .help = "Changes fields of a step" },
	{ DELETE, "/api/jobs/steps/{id}", "manager",
	    .statement = "step_delete", .not_found = "step_cannot_delete",
	    .help = "Deletes a step that nobody has begun" },
	{ POST, "/api/jobs/steps/{id}/activate", "token",
	    .statement = "step_activate",
	    .not_found = "process_step_not_found",
	    .help = "Makes a pending step ready" },
	{ POST, "/api/jobs/steps/{id}/start", "token",
	    .statement = "step_start", .not_found = "step_cannot_start",
	    .help = "Starts a step" },
	{ POST, "/api/jobs/steps/{id}/pause", "token",
	    .statement = "step_pause", .body = JSON_BODY,
	    .fields = step_pause, .not_found = "step_not_found",
	    .help = "Pauses a step, with a reason" },
	{ POST, "/api/jobs/steps/{id}/resume", "token",
	    .statement = "step_resume", .not_found = "step_not_found",
	    .help = "Takes a step out of its pause" },
	{ POST, "/api/jobs/steps/{id}/production", "token",
	    .statement = "step_produce", .body = JSON_BODY,
	    .fields = step_produce, .not_found = "step_not_found",
	    .help = "Adds to what a step has produced" },
	{ POST, "/api/jobs/steps/{id}/complete", "token",
	    .statement = "step_complete", .body = ANY_BODY,
	    .fields = step_complete, .not_found = "step_not_found",
	    .help = "Completes a step; what comes next becomes ready" },
	{ POST, "/api/jobs/steps/{id}/reopen", "token",
	    .statement = "step_reopen", .body = ANY_BODY,
	    .fields = step_reopen, .not_found = "process_step_not_found",
	    .help = "Reopens a completed step" },
	{ GET, "/api/jobs/steps/{id}/notes", "jobs.view",
	    .statement = "step_notes", .cache = "get_step_notes", .ttl = 300,
	    .fields = paging, .not_found = "step_not_found",
	    .help = "The notes of a step, oldest first" },
	{ POST, "/api/jobs/steps/{id}/notes", "jobs.view",
	    .statement = "step_note", .body = JSON_BODY, .fields = step_note,
	    .not_found = "step_not_found", .help = "Adds a note to a step" },

/* --- machines --- */
	{ GET, "/api/machines", "token", .statement = "machines",
	    .cache = "get_machines", .ttl = 300, .fields = paging,
	    .help = "The machines, each with what runs on it" },
	{ POST, "/api/machines", "manager|machines.create",
	    .statement = "machine_create", .body = JSON_BODY,
	    .fields = machine_create, .help = "Adds a machine" },
	{ GET, "/api/machines/status", "token", .statement = "machines_status",
	    .cache = "get_machines_status", .ttl = 300, .fields = paging,
	    .help = "What runs on each machine, and how much it has done" },
	{ GET, "/api/machines/stats", "token", .statement = "machines_stats",
	    .cache = "get_machines_stats", .ttl = 300,
	    .help = "How many machines there are and how many are at work" },
	{ GET, "/api/machines/{id}", "token", .statement = "machine",
	    .cache = "get_machine", .ttl = 300,
	    .not_found = "machine_not_found",
	    .help = "One machine with what it can do" },
	{ PATCH, "/api/machines/{id}", "manager|machines.update",
	    .statement = "machine_update", .body = JSON_BODY,
	    .fields = machine_update, .not_found = "machine_not_found",
	    .help = "Changes fields of a machine and what it can do" },
	{ DELETE, "/api/machines/{id}", "manager|machines.delete",
	    .statement = "machine_delete", .not_found = "machine_not_found",
	    .help = "Takes a machine out of use" },

/* --- notifications --- */

/* --- permissions --- */

/* --- processes and groups --- */
	{ GET, "/api/processes", "token", .statement = "processes",
	    .cache = "get_processes", .ttl = 300,
	    .help = "The processes by group, and those without one" },
	{ POST, "/api/processes", "manager|processes.create",
	    .statement = "process_create", .body = JSON_BODY,
	    .fields = process_create, .help = "Adds a process" },
	{ GET, "/api/processes/{id}", "token", .statement = "process",
	    .cache = "get_process", .ttl = 300,
	    .not_found = "process_not_found",
	    .help = "One process with its group and machines" },
	{ PATCH, "/api/processes/{id}", "manager|processes.update",
	    .statement = "process_update", .body = JSON_BODY,
	    .fields = process_update, .not_found = "process_not_found",
	    .help = "Changes fields of a process" },
	{ DELETE, "/api/processes/{id}", "manager|processes.delete",
	    .statement = "process_delete", .not_found = "process_not_found",
	    .help = "Archives a process; machines no longer do it" },
	{ GET, "/api/processes/groups", "token", .statement = "process_groups",
	    .cache = "get_process_groups", .ttl = 300, .fields = paging,
	    .help = "The groups of processes" },
	{ POST, "/api/processes/groups", "manager|processes.create",
	    .statement = "process_group_create", .body = ANY_BODY,
	    .fields = process_group_create, .help = "Adds a group" },
	{ PATCH, "/api/processes/groups/{id}", "manager|processes.update",
	    .statement = "process_group_update", .body = ANY_BODY,
	    .fields = process_group_update,
	    .not_found = "process_group_not_found",
	    .help = "Changes fields of a group" },
	{ DELETE, "/api/processes/groups/{id}", "manager|processes.delete",
	    .statement = "process_group_delete",
	    .not_found = "process_group_not_found",
	    .help = "Deletes a group; its processes stay, without one" },

/* --- roles --- */

/* --- tasks --- */
	{ GET, "/api/tasks", "token", .statement = "tasks",
	    .cache = "get_my_tasks", .ttl = 300, .fields = task_list,
	    .help = "The asker's tasks; with jobs.view also other people's" },
	{ GET, "/api/tasks/{id}", "token", .statement = "task",
	    .cache = "get_task", .ttl = 300, .not_found = "task_not_found",
	    .help = "One task of the asker's; for a manager, anybody's" },
	{ GET, "/api/tasks/history", "token", .statement = "tasks_history",
	    .cache = "get_task_history", .ttl = 300, .fields = task_history,
	    .help = "What the asker has completed, newest first" },
	{ GET, "/api/tasks/stats", "token", .statement = "tasks_stats",
	    .cache = "get_task_stats", .ttl = 300,
	    .help = "What the asker completed in 30 days, in numbers" },
	{ GET, "/api/tasks/performance", "token",
	    .statement = "tasks_performance", .cache = "get_task_performance",
	    .ttl = 300, .fields = task_performance,
	    .help = "How the asker did in a period, and the trend" },

/* --- user-roles --- */

/* --- users --- */
};

const size_t routes_count = sizeof routes / sizeof *routes;
