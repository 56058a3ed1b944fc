-- The indexes.  `reklamctl migrate` runs this last; it also runs alone,
--     psql -d DATABASE -f indexes.sql
-- on an old database whose old program is at work: every index is built
-- CONCURRENTLY, so nobody waits, and what is there already stays.  Alone it
-- makes the performance indexes; the others need a migrated database.

\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;

-- Where gin_trgm_ops lives depends on who installed pg_trgm.
SELECT set_config('search_path', concat_ws(', ', 'public', max(
           (SELECT quote_ident(n.nspname)
              FROM pg_extension e
              JOIN pg_namespace n ON n.oid = e.extnamespace
             WHERE e.extname = 'pg_trgm'))), false),
       to_regprocedure('reklam.fold(text)') IS NOT NULL AS migrated \gset

CREATE TEMP TABLE performance (tab text, name text PRIMARY KEY, rule text);
CREATE TEMP TABLE search (LIKE performance INCLUDING ALL);

-- The 31 performance indexes.  The first 23 have the names that the shops
-- know them by.

INSERT INTO performance (tab, name, rule) VALUES
-- the list and its pages; the newest; who changed last
('customers', 'idx_customers_name', '(name)'),
('customers', 'idx_customers_email', '(email)'),
('customers', 'idx_customers_phone', '(phone)'),
('customers', 'idx_customers_created_at', '(created_at DESC)'),
('customers', 'idx_customers_updated_at', '(updated_at DESC)'),
-- the list under a status; counts by status with what is overdue, from the
-- index alone; the overdue list; the next number of a year
('jobs', 'idx_jobs_status_created_at', '(status, created_at DESC)'),
('jobs', 'idx_jobs_status_due_date', '(status, due_date)'),
('jobs', 'idx_jobs_due_date',
    '(due_date) WHERE status NOT IN (''completed'', ''canceled'')'),
('jobs', 'idx_jobs_job_number_pattern', '(job_number text_pattern_ops)'),
('jobs', 'idx_jobs_updated_at', '(updated_at DESC)'),
-- progress of a job; its steps in order; my tasks; what runs on a machine
('job_steps', 'idx_job_steps_job_status', '(job_id, status)'),
('job_steps', 'idx_job_steps_job_order', '(job_id, order_index)'),
('job_steps', 'idx_job_steps_assigned_status',
    '(assigned_to, status) WHERE assigned_to IS NOT NULL'),
('job_steps', 'idx_job_steps_machine_status',
    '(machine_id, status) WHERE machine_id IS NOT NULL'),
('job_steps', 'idx_job_steps_created_at', '(created_at DESC)'),
('job_steps', 'idx_job_steps_started_at',
    '(started_at) WHERE started_at IS NOT NULL'),
('job_steps', 'idx_job_steps_completed_at',
    '(completed_at) WHERE completed_at IS NOT NULL'),
('machines', 'idx_machines_status', '(status) WHERE is_active = true'),
('machines', 'idx_machines_name', '(name)'),
('machines', 'idx_machines_is_active', '(is_active)'),
('users', 'idx_users_role', '(role) WHERE is_active = true'),
('users', 'idx_users_is_active', '(is_active)'),
('users', 'idx_users_full_name', '(full_name)'),
-- the list of a user, all or the read or unread ones; how many are unread
('notifications', 'idx_notifications_user_created_at',
    '(user_id, created_at DESC, id DESC)'),
('notifications', 'idx_notifications_user_is_read',
    '(user_id, is_read, created_at DESC)'),
-- the timeline of a job; its revisions among all that was done to it; the
-- activity of the shop
('audit_logs', 'idx_audit_logs_entity_type_id',
    '(entity_type, entity_id, created_at DESC)'),
('audit_logs', 'idx_audit_logs_revisions',
    '(entity_id, created_at DESC) WHERE action = ''revision_created'''),
('audit_logs', 'idx_audit_logs_created_at', '(created_at DESC)'),
-- the active processes in order; those of a group
('processes', 'idx_processes_order_index',
    '(order_index) WHERE is_active = true'),
('processes', 'idx_processes_group_order', '(group_id, order_index, name)'),
-- the roles that see a process: the primary key answers only the other way
('role_process_permissions', 'idx_role_process_permissions_process',
    '(process_id)');

-- Searching by a part of a word, paging, and following references.

INSERT INTO search (tab, name, rule) VALUES
('customers', 'idx_customers_search', 'USING gin (search_text gin_trgm_ops)'),
('customers', 'idx_customers_is_active_name', '(is_active, name, id)'),
('customers', 'idx_customers_city', '(reklam.fold(city), is_active, name, id)'),
('customers', 'idx_customers_search_name',
    'USING gin (search_name gin_trgm_ops)'),
('jobs', 'idx_jobs_search', 'USING gin (search_text gin_trgm_ops)'),
('jobs', 'idx_jobs_created_at_id', '(created_at DESC, id DESC)'),
('jobs', 'idx_jobs_customer_created_at',
    '(customer_id, created_at DESC, id DESC)'),
('jobs', 'idx_jobs_priority_created_at',
    '(priority, created_at DESC, id DESC)'),
('jobs', 'idx_jobs_by_due_date', '(due_date, id)'),
('jobs', 'idx_jobs_by_due_date_down', '(due_date DESC NULLS LAST, id DESC)'),
('jobs', 'idx_jobs_by_urgency',
    '(reklam.urgency(priority), created_at DESC, id DESC)'),
('jobs', 'idx_jobs_by_urgency_down',
    '(reklam.urgency(priority) DESC, created_at DESC, id DESC)'),
('jobs', 'idx_jobs_dealer_id', '(dealer_id)'),
('jobs', 'idx_jobs_created_by', '(created_by)'),
('job_steps', 'idx_job_steps_history',
    '(assigned_to, completed_at DESC, id DESC) WHERE status = ''completed'''),
('job_steps', 'idx_job_steps_process_id', '(process_id)'),
('job_steps', 'idx_job_steps_started_by',
    '(started_by) WHERE started_by IS NOT NULL'),
('job_steps', 'idx_job_steps_completed_by',
    '(completed_by) WHERE completed_by IS NOT NULL'),
('job_step_notes', 'idx_job_step_notes_step_created_at',
    '(job_step_id, created_at, id)'),
('job_step_notes', 'idx_job_step_notes_user_id', '(user_id)'),
('customer_dealers', 'idx_customer_dealers_customer_id', '(customer_id)'),
('machine_processes', 'idx_machine_processes_process_id', '(process_id)'),
('user_roles', 'idx_user_roles_role_id', '(role_id)'),
('user_roles', 'idx_user_roles_assigned_by', '(assigned_by)'),
('users', 'idx_users_avatar_file_id', '(avatar_file_id)'),
('audit_logs', 'idx_audit_logs_user', '(user_id)'),
('files', 'idx_files_ref', '(ref_type, ref_id)'),
('files', 'idx_files_uploaded_by', '(uploaded_by)');

\if :migrated
\else
	DELETE FROM search;
\endif

CREATE TEMP VIEW wanted AS
SELECT * FROM performance UNION ALL SELECT * FROM search;

-- What an interrupted build left is no index, yet has the name of one.
SELECT format('DROP INDEX CONCURRENTLY public.%I', w.name)
  FROM wanted w
  JOIN pg_index i ON i.indexrelid = to_regclass('public.' || quote_ident(w.name))
 WHERE NOT i.indisvalid
   AND i.indexrelid NOT IN (
           SELECT index_relid FROM pg_stat_progress_create_index) \gexec

SELECT format('CREATE INDEX CONCURRENTLY IF NOT EXISTS %I ON public.%I %s',
           name, tab, rule)
  FROM wanted \gexec

-- An older index that only begins one of these costs every write and helps
-- no read.  It goes when its successor stands: one with the same columns in
-- front, over all rows or all that have a value there.  (The old program may
-- be at work where nothing is migrated: it keeps what it has.)
SELECT format('DROP INDEX CONCURRENTLY public.%I', c.relname)
  FROM pg_index o
  JOIN pg_class c ON c.oid = o.indexrelid
 WHERE :'migrated'::boolean
   AND c.relnamespace = 'public'::regnamespace
   AND c.relname IN ('idx_audit_logs_entity', 'idx_job_step_notes_step_id',
           'idx_job_steps_assigned', 'idx_job_steps_job',
           'idx_job_steps_machine', 'idx_jobs_customer', 'idx_jobs_status',
           'idx_notifications_user', 'idx_processes_group_id',
           'idx_role_process_permissions_lookup', 'idx_user_roles_user_id',
           'idx_users_email', 'idx_users_username')
   AND NOT o.indisunique
   AND EXISTS (
           SELECT
             FROM pg_index n
            WHERE n.indrelid = o.indrelid
              AND n.indexrelid <> o.indexrelid
              AND n.indisvalid
              AND n.indexprs IS NULL
              AND o.indexprs IS NULL
              AND n.indkey::text || ' ' LIKE o.indkey::text || ' %'
              AND (n.indpred IS NULL
                   OR pg_get_expr(n.indpred, n.indrelid) IN (
                          pg_get_expr(o.indpred, o.indrelid),
                          format('(%s IS NOT NULL)',
                              pg_get_indexdef(o.indexrelid, 1, false))))) \gexec

SELECT count(*) FILTER (WHERE w.name IN (SELECT name FROM performance)) AS made,
       count(*) FILTER (WHERE w.name IN (SELECT name FROM search)) AS others,
       count(*) = (SELECT count(*) FROM wanted) AS complete
  FROM wanted w
  JOIN pg_index i ON i.indexrelid = to_regclass('public.' || quote_ident(w.name))
 WHERE i.indisvalid \gset

DROP VIEW wanted;
DROP TABLE performance, search;

\if :complete
\else
	\warn 'Some indexes are missing or could not be built.'
	SELECT 1 / 0 AS incomplete;
\endif

\echo '✅ Performance indexes created successfully!'
\echo '📊 Total new indexes:' :made
\if :migrated
	\echo '🔎 Indexes for search and paging:' :others
\else
	\echo '🔎 Indexes for search and paging come with reklamctl migrate'
\endif
