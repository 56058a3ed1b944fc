-- Whether there are roles, and an active manager.
SELECT EXISTS (SELECT FROM roles) AS roles,
       EXISTS (
           SELECT FROM users u
            WHERE u.is_active
              AND CASE WHEN EXISTS (
                           SELECT FROM user_roles
                            WHERE user_id = u.id)
                  THEN EXISTS (
                           SELECT FROM user_roles ur
                             JOIN roles r ON r.id = ur.role_id
                            WHERE ur.user_id = u.id
                              AND r.is_active
                              AND r.code = 'yonetici')
                  ELSE u.role = 'yonetici' END) AS manager;
