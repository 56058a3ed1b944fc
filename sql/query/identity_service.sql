-- What the program that a service token names may do, for the gate.
-- reads: service_tokens
SELECT json_build_object(
           'id', id,
           'username', name,
           'active', true,		-- its token says until when
           'role', NULL,
           'valid_from', 0,
           'roles', cardinality(rights),
           'rights', rights) AS body
  FROM reklam.service_tokens
 WHERE id = :'service'::uuid;
