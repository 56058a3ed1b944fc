-- Which of these server processes are still there.
SELECT pid
  FROM pg_stat_activity
 WHERE pid = ANY (:'pids'::int[]);
