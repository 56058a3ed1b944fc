-- Rows that the constraints to come would refuse are made to fit them, and
-- reklam.merged remembers what they were.
SET client_min_messages = warning;

-- Two rows of rights for one role and resource become one that allows what
-- either allowed: whoever could do something yesterday can do it today.
WITH kept AS (
	SELECT role_id, resource,
	       (array_agg(id ORDER BY created_at, id))[1] AS id,
	       bool_or(can_view) AS can_view,
	       bool_or(can_create) AS can_create,
	       bool_or(can_update) AS can_update,
	       bool_or(can_delete) AS can_delete
	  FROM public.role_permissions
	 GROUP BY role_id, resource
	HAVING count(*) > 1
), remembered AS (
	INSERT INTO reklam.merged (migration, table_name, kept, dropped)
	SELECT '002-merge', 'role_permissions', to_jsonb(k), to_jsonb(d)
	  FROM kept
	  JOIN public.role_permissions k ON k.id = kept.id
	  JOIN public.role_permissions d ON d.role_id = kept.role_id
	   AND d.resource = kept.resource
	   AND d.id <> kept.id
), dropped AS (
	DELETE FROM public.role_permissions d
	 USING kept
	 WHERE d.role_id = kept.role_id
	   AND d.resource = kept.resource
	   AND d.id <> kept.id
)
UPDATE public.role_permissions p
   SET can_view = kept.can_view,
       can_create = kept.can_create,
       can_update = kept.can_update,
       can_delete = kept.can_delete
  FROM kept
 WHERE p.id = kept.id;

-- Of two primary roles the one stays that users.role names, because the old
-- program wrote it there with its last decision; failing that the one that
-- was assigned last.  The other remains a role of the user's.
WITH ranked AS (
	SELECT ur.id, ur.user_id,
	       row_number() OVER (
	           PARTITION BY ur.user_id
	           ORDER BY (r.code = u.role) IS TRUE DESC,
	                    ur.assigned_at DESC NULLS LAST, ur.id) AS place
	  FROM public.user_roles ur
	  JOIN public.users u ON u.id = ur.user_id
	  JOIN public.roles r ON r.id = ur.role_id
	 WHERE ur.is_primary
), remembered AS (
	INSERT INTO reklam.merged (migration, table_name, kept, dropped)
	SELECT '002-merge', 'user_roles', to_jsonb(k), to_jsonb(d)
	  FROM ranked dropped
	  JOIN ranked kept ON kept.user_id = dropped.user_id AND kept.place = 1
	  JOIN public.user_roles k ON k.id = kept.id
	  JOIN public.user_roles d ON d.id = dropped.id
	 WHERE dropped.place > 1
)
UPDATE public.user_roles ur
   SET is_primary = false
  FROM ranked
 WHERE ur.id = ranked.id
   AND ranked.place > 1;

-- A process without a folder gets its code, as a new one does; where another
-- of its group has that folder already, a number follows.
WITH named AS (
	SELECT p.id, p.code,
	       row_number() OVER (
	           PARTITION BY p.group_id, lower(p.code)
	           ORDER BY p.created_at, p.id)
	       + (SELECT count(*)
	            FROM public.processes other
	           WHERE other.folder_name IS NOT NULL
	             AND other.deleted_at IS NULL
	             AND other.group_id IS NOT DISTINCT FROM p.group_id
	             AND lower(other.folder_name) = lower(p.code)) AS place
	  FROM public.processes p
	 WHERE p.folder_name IS NULL
)
UPDATE public.processes p
   SET folder_name = named.code
       || CASE WHEN named.place > 1 THEN '-' || named.place ELSE '' END
  FROM named
 WHERE p.id = named.id;
