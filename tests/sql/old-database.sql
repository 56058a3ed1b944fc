-- A shop's database as the old program left it, with some rows in every
-- table, and what other modules of that program put beside them.
--     psql -U SUPERUSER -d DATABASE -f old-database.sql
-- The tables belong to the owner of the database, the other modules' do not.
-- Databases in the field differ; variables make the other kinds:
--     -v deleted_at=timestamptz   processes can be deleted (and their folders
--                                 are unique); timestamp is found as well
--     -v permissions=none         there is no table of rights at all
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET search_path = public;
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS pgcrypto;
SELECT pg_get_userbyid(datdba) AS owner
  FROM pg_database
 WHERE datname = current_database() \gset
BEGIN;
SET LOCAL ROLE :"owner";

CREATE TABLE users (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	username varchar(100) UNIQUE NOT NULL,
	email varchar(255) UNIQUE NOT NULL,
	password_hash varchar(255) NOT NULL,
	full_name varchar(255),
	avatar_file_id uuid,
	avatar_url text,
	role varchar(50) NOT NULL CHECK (role IN ('yonetici',
	    'musteri_temsilcisi', 'tasarimci', 'kesifci', 'operator', 'depocu',
	    'satinalma')),
	is_active boolean DEFAULT true,
	created_at timestamp DEFAULT now(),
	updated_at timestamp DEFAULT now());

CREATE TABLE roles (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	code varchar(50) UNIQUE NOT NULL,
	name varchar(100) NOT NULL,
	description text,
	permissions jsonb DEFAULT '[]',
	is_active boolean DEFAULT true,
	created_at timestamp DEFAULT now(),
	updated_at timestamp DEFAULT now());

CREATE TABLE user_roles (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	role_id uuid NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
	is_primary boolean DEFAULT false,
	assigned_at timestamp DEFAULT now(),
	assigned_by uuid REFERENCES users (id) ON DELETE SET NULL,
	UNIQUE (user_id, role_id));

CREATE TABLE customers (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	name varchar(255) NOT NULL,
	code varchar(50),
	contact_person varchar(255),
	phone varchar(50),
	phone_secondary varchar(50),
	gsm varchar(50),
	email varchar(255),
	address text,
	city varchar(255),
	tax_office varchar(255),
	tax_number varchar(50),
	notes text,
	short_code varchar(50),
	postal_code varchar(20),
	is_active boolean DEFAULT true,
	created_at timestamp DEFAULT now(),
	updated_at timestamp DEFAULT now());

CREATE TABLE customer_dealers (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	customer_id uuid NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
	name varchar(255) NOT NULL,
	address text,
	district varchar(255),
	city varchar(255),
	contact_person varchar(255),
	contact_phone varchar(50),
	tax_office varchar(255),
	tax_number varchar(50),
	phone1 varchar(50),
	phone2 varchar(50),
	email varchar(255),
	website varchar(255),
	postal_code varchar(20),
	notes text,
	created_at timestamp DEFAULT now(),
	updated_at timestamp DEFAULT now());

CREATE TABLE process_groups (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	name varchar(150) NOT NULL,
	description text,
	color varchar(20),
	order_index integer DEFAULT 0,
	created_at timestamp DEFAULT now(),
	updated_at timestamp DEFAULT now());

CREATE TABLE processes (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	name varchar(255) NOT NULL,
	code varchar(50) UNIQUE NOT NULL,
	description text,
	is_machine_based boolean DEFAULT false,
	is_production boolean DEFAULT false,
	order_index integer DEFAULT 0,
	group_id uuid REFERENCES process_groups (id) ON DELETE SET NULL,
	is_active boolean DEFAULT true,
	created_at timestamp DEFAULT now());

CREATE TABLE role_process_permissions (
	role_id uuid NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
	process_id uuid NOT NULL REFERENCES processes (id) ON DELETE CASCADE,
	can_view boolean DEFAULT true,
	PRIMARY KEY (role_id, process_id));

CREATE TABLE machines (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	name varchar(255) NOT NULL,
	code varchar(50) UNIQUE NOT NULL,
	type varchar(100),
	status varchar(50) DEFAULT 'active'
	    CHECK (status IN ('active', 'maintenance', 'inactive')),
	location varchar(255),
	capacity_per_hour numeric(10,2),
	notes text,
	is_active boolean DEFAULT true,
	created_at timestamp DEFAULT now(),
	updated_at timestamp DEFAULT now());

CREATE TABLE machine_processes (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	machine_id uuid NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
	process_id uuid NOT NULL REFERENCES processes (id) ON DELETE CASCADE,
	created_at timestamp DEFAULT now(),
	UNIQUE (machine_id, process_id));

CREATE TABLE jobs (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	job_number varchar(50) UNIQUE NOT NULL,
	customer_id uuid REFERENCES customers (id) ON DELETE SET NULL,
	dealer_id uuid REFERENCES customer_dealers (id) ON DELETE SET NULL,
	title varchar(255) NOT NULL,
	description text,
	status varchar(50) DEFAULT 'draft' CHECK (status IN ('draft', 'active',
	    'on_hold', 'in_progress', 'completed', 'canceled')),
	priority varchar(50) DEFAULT 'normal'
	    CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
	due_date date,
	revision_no integer DEFAULT 1,
	created_by uuid REFERENCES users (id),
	created_at timestamp DEFAULT now(),
	updated_at timestamp DEFAULT now());

CREATE TABLE job_steps (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	job_id uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
	process_id uuid NOT NULL REFERENCES processes (id),
	order_index integer NOT NULL,
	assigned_to uuid REFERENCES users (id) ON DELETE SET NULL,
	machine_id uuid REFERENCES machines (id) ON DELETE SET NULL,
	due_date date,
	due_time time,
	status varchar(50) DEFAULT 'pending' CHECK (status IN ('pending',
	    'ready', 'in_progress', 'blocked', 'completed', 'canceled')),
	is_parallel boolean DEFAULT false,
	started_at timestamp,
	completed_at timestamp,
	estimated_duration integer,
	actual_duration integer,
	production_quantity numeric(10,2),
	production_unit varchar(50),
	production_notes text,
	requirements text,
	has_production boolean DEFAULT false,
	required_quantity numeric(10,2),
	block_reason text,
	blocked_at timestamp,
	status_before_block varchar(50),
	revision_no integer DEFAULT 1,
	created_at timestamp DEFAULT now(),
	updated_at timestamp DEFAULT now());

CREATE TABLE job_step_notes (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	job_step_id uuid NOT NULL REFERENCES job_steps (id) ON DELETE CASCADE,
	user_id uuid REFERENCES users (id) ON DELETE SET NULL,
	note text NOT NULL,
	created_at timestamp DEFAULT now());

CREATE TABLE notifications (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	title varchar(255) NOT NULL,
	message text,
	type varchar(50) DEFAULT 'info'
	    CHECK (type IN ('info', 'success', 'warning', 'error')),
	is_read boolean DEFAULT false,
	ref_type varchar(50),
	ref_id uuid,
	created_at timestamp DEFAULT now());

CREATE TABLE audit_logs (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	user_id uuid REFERENCES users (id) ON DELETE SET NULL,
	action varchar(100) NOT NULL,
	entity_type varchar(100),
	entity_id uuid,
	changes jsonb,
	ip_address inet,
	created_at timestamp DEFAULT now());

CREATE TABLE files (
	id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
	bucket varchar(255) NOT NULL,
	object_key varchar(500) NOT NULL,
	filename varchar(255) NOT NULL,
	file_type varchar(100),
	file_size bigint,
	ref_type varchar(50),
	ref_id uuid,
	uploaded_by uuid REFERENCES users (id),
	checksum varchar(64),
	version integer DEFAULT 1,
	is_active boolean DEFAULT true,
	created_at timestamp DEFAULT now());
ALTER TABLE users ADD FOREIGN KEY (avatar_file_id) REFERENCES files (id);

\if :{?deleted_at}
	ALTER TABLE processes
		ADD COLUMN deleted_at :deleted_at,
		ADD COLUMN folder_name varchar(100) NOT NULL;
	CREATE UNIQUE INDEX idx_processes_group_folder_unique
	    ON processes (group_id, lower(folder_name))
	    WHERE deleted_at IS NULL AND group_id IS NOT NULL;
	CREATE UNIQUE INDEX idx_processes_no_group_folder_unique
	    ON processes (lower(folder_name))
	    WHERE deleted_at IS NULL AND group_id IS NULL;
\endif

CREATE INDEX idx_users_avatar_file_id ON users (avatar_file_id);
CREATE INDEX idx_user_roles_user_id ON user_roles (user_id);
CREATE INDEX idx_user_roles_role_id ON user_roles (role_id);
CREATE INDEX idx_user_roles_primary ON user_roles (user_id, is_primary)
    WHERE is_primary = true;
CREATE INDEX idx_customer_dealers_customer_id
    ON customer_dealers (customer_id);
CREATE UNIQUE INDEX idx_process_groups_name ON process_groups (lower(name));
CREATE INDEX idx_processes_group_id ON processes (group_id);
CREATE INDEX idx_jobs_customer ON jobs (customer_id);
CREATE INDEX idx_jobs_status ON jobs (status);
CREATE INDEX idx_jobs_created_by ON jobs (created_by);
CREATE INDEX idx_jobs_dealer_id ON jobs (dealer_id);
CREATE INDEX idx_job_steps_job ON job_steps (job_id);
CREATE INDEX idx_job_steps_assigned ON job_steps (assigned_to);
CREATE INDEX idx_job_steps_machine ON job_steps (machine_id);
CREATE INDEX idx_job_steps_status ON job_steps (status);
CREATE INDEX idx_job_steps_due_date ON job_steps (due_date);
CREATE INDEX idx_job_steps_has_production ON job_steps (has_production)
    WHERE has_production = true;
CREATE INDEX idx_job_step_notes_step_id ON job_step_notes (job_step_id);
CREATE INDEX idx_files_ref ON files (ref_type, ref_id);
CREATE INDEX idx_audit_logs_user ON audit_logs (user_id);
CREATE INDEX idx_audit_logs_entity ON audit_logs (entity_type, entity_id);
CREATE INDEX idx_notifications_user ON notifications (user_id, is_read);

-- Rows.  Ids say what they are: a kind and a number.

CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS uuid LANGUAGE sql AS
$$ SELECT md5(kind || n)::uuid $$;

INSERT INTO roles (id, code, name, permissions)
SELECT pg_temp.id('role', n), code, initcap(code), '["jobs"]'
  FROM unnest(ARRAY['yonetici', 'operator', 'tasarimci', 'depocu'])
           WITH ORDINALITY r (code, n);

INSERT INTO users (id, username, email, password_hash, full_name, role,
    is_active)
VALUES
(pg_temp.id('user', 1), 'admin', 'admin@old.example',
    crypt('admin123', gen_salt('bf')), 'Işıl Çınar', 'yonetici', true),
(pg_temp.id('user', 2), 'akaya', 'akaya@old.example',
    crypt('operator123', gen_salt('bf')), 'Ali Kaya', 'operator', true),
(pg_temp.id('user', 3), 'both', 'both@old.example',
    crypt('123456', gen_salt('bf')), NULL, 'tasarimci', true),
(pg_temp.id('user', 4), 'moved', 'moved@old.example',
    crypt('123456', gen_salt('bf')), '', 'satinalma', true),
(pg_temp.id('user', 5), 'gone', 'gone@old.example',
    crypt('123456', gen_salt('bf')), 'Gone', 'depocu', NULL);

-- "both" has two primary roles and users.role names the one assigned first;
-- "moved" has three and users.role names none of them.
INSERT INTO user_roles (id, user_id, role_id, is_primary, assigned_at)
VALUES
(pg_temp.id('assigned', 1), pg_temp.id('user', 1), pg_temp.id('role', 1),
    true, '2025-01-01'),
(pg_temp.id('assigned', 2), pg_temp.id('user', 2), pg_temp.id('role', 2),
    true, '2025-01-01'),
(pg_temp.id('assigned', 3), pg_temp.id('user', 3), pg_temp.id('role', 3),
    true, '2025-01-01'),
(pg_temp.id('assigned', 4), pg_temp.id('user', 3), pg_temp.id('role', 2),
    true, '2025-02-01'),
(pg_temp.id('assigned', 5), pg_temp.id('user', 4), pg_temp.id('role', 2),
    true, '2025-01-01'),
(pg_temp.id('assigned', 6), pg_temp.id('user', 4), pg_temp.id('role', 4),
    true, '2025-03-01'),
(pg_temp.id('assigned', 7), pg_temp.id('user', 4), pg_temp.id('role', 3),
    true, NULL),
(pg_temp.id('assigned', 8), pg_temp.id('user', 5), pg_temp.id('role', 4),
    NULL, NULL);

\if :{?permissions}
\else
	-- Made by hand in the field: nothing keeps a pair from coming twice.
	CREATE TABLE role_permissions (
		id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
		role_id uuid NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
		resource varchar(100) NOT NULL,
		can_view boolean DEFAULT false,
		can_create boolean DEFAULT false,
		can_update boolean DEFAULT false,
		can_delete boolean DEFAULT false,
		created_at timestamp DEFAULT now());
	INSERT INTO role_permissions (id, role_id, resource, can_view,
	    can_create, can_update, can_delete, created_at)
	VALUES
	(pg_temp.id('right', 1), pg_temp.id('role', 1), 'jobs',
	    true, true, true, true, '2025-01-01'),
	(pg_temp.id('right', 2), pg_temp.id('role', 2), 'jobs',
	    true, false, false, NULL, '2025-01-01'),
	(pg_temp.id('right', 3), pg_temp.id('role', 2), 'jobs',
	    false, false, true, NULL, '2025-02-01'),
	(pg_temp.id('right', 4), pg_temp.id('role', 2), 'jobs',
	    true, true, false, NULL, NULL),
	(pg_temp.id('right', 5), pg_temp.id('role', 2), 'machines',
	    true, NULL, false, false, '2025-01-01'),
	(pg_temp.id('right', 6), pg_temp.id('role', 3), 'jobs',
	    true, false, true, false, '2025-01-01');
\endif

INSERT INTO customers (id, name, code, city, is_active)
VALUES
(pg_temp.id('customer', 1), 'Işık Tabela', 'C-1', 'İstanbul', true),
(pg_temp.id('customer', 2), 'IRMAK Reklam', NULL, 'Iğdır', NULL);
INSERT INTO customer_dealers (id, customer_id, name)
VALUES (pg_temp.id('dealer', 1), pg_temp.id('customer', 1), 'Kadıköy');

INSERT INTO process_groups (id, name)
VALUES (pg_temp.id('group', 1), 'Baskı');

-- Codes that differ by case alone were two codes, and would be one folder.
\if :{?deleted_at}
	INSERT INTO processes (id, name, code, group_id, folder_name,
	    deleted_at)
	VALUES
	(pg_temp.id('process', 1), 'Baskı', 'BASKI', pg_temp.id('group', 1),
	    'BASKI', NULL),
	(pg_temp.id('process', 2), 'Kesim', 'KESIM', NULL, 'KESIM', NULL),
	(pg_temp.id('process', 3), 'Kesim 2', 'kesim', NULL, 'kesim',
	    '2025-05-05');
\else
	INSERT INTO processes (id, name, code, group_id)
	VALUES
	(pg_temp.id('process', 1), 'Baskı', 'BASKI', pg_temp.id('group', 1)),
	(pg_temp.id('process', 2), 'Kesim', 'KESIM', NULL),
	(pg_temp.id('process', 3), 'Kesim 2', 'kesim', NULL);
\endif
INSERT INTO role_process_permissions (role_id, process_id, can_view)
VALUES
(pg_temp.id('role', 1), pg_temp.id('process', 1), true),
(pg_temp.id('role', 2), pg_temp.id('process', 1), NULL);

INSERT INTO machines (id, name, code, status, is_active)
VALUES
(pg_temp.id('machine', 1), 'HP Latex 360', 'HP-360', 'active', true),
(pg_temp.id('machine', 2), 'CNC', 'CNC-A', NULL, false);
INSERT INTO machine_processes (id, machine_id, process_id)
VALUES (pg_temp.id('link', 1), pg_temp.id('machine', 1),
    pg_temp.id('process', 1));

INSERT INTO jobs (id, job_number, customer_id, dealer_id, title, status,
    priority, created_by)
VALUES
(pg_temp.id('job', 1), 'TLP-2025-0001', pg_temp.id('customer', 1),
    pg_temp.id('dealer', 1), 'Cephe tabelası', 'active', 'high',
    pg_temp.id('user', 1)),
(pg_temp.id('job', 2), 'JOB-2025-001', NULL, NULL, 'Afiş', NULL, NULL, NULL),
(pg_temp.id('job', 3), 'TLP-2025-0002', pg_temp.id('customer', 2), NULL,
    'Araç giydirme', 'on_hold', 'low', pg_temp.id('user', 1));
INSERT INTO job_steps (id, job_id, process_id, order_index, assigned_to,
    machine_id, status, started_at, completed_at)
VALUES
(pg_temp.id('step', 1), pg_temp.id('job', 1), pg_temp.id('process', 1), 0,
    pg_temp.id('user', 2), pg_temp.id('machine', 1), 'completed',
    '2025-03-01 08:00', '2025-03-01 10:00'),
(pg_temp.id('step', 2), pg_temp.id('job', 1), pg_temp.id('process', 2), 1,
    pg_temp.id('user', 2), NULL, 'blocked', '2025-03-01 11:00', NULL),
(pg_temp.id('step', 3), pg_temp.id('job', 2), pg_temp.id('process', 3), 1,
    NULL, NULL, NULL, NULL, NULL),
(pg_temp.id('step', 4), pg_temp.id('job', 2), pg_temp.id('process', 2), 1,
    NULL, NULL, 'pending', NULL, NULL);
INSERT INTO job_step_notes (id, job_step_id, user_id, note)
VALUES (pg_temp.id('note', 1), pg_temp.id('step', 1), NULL, 'renk?');

INSERT INTO files (id, bucket, object_key, filename, ref_type, ref_id,
    uploaded_by)
VALUES
(pg_temp.id('file', 1), 'reklampro-files', 'a/b.pdf', 'b.pdf', 'job',
    pg_temp.id('job', 1), pg_temp.id('user', 1)),
(pg_temp.id('file', 2), 'reklampro-files', 'a/c.png', 'c.png', 'user',
    pg_temp.id('user', 2), NULL);
UPDATE users SET avatar_file_id = pg_temp.id('file', 2)
 WHERE username = 'akaya';

INSERT INTO notifications (id, user_id, title, type, is_read)
VALUES
(pg_temp.id('told', 1), pg_temp.id('user', 2), 'Yeni Görev', 'info', false),
(pg_temp.id('told', 2), pg_temp.id('user', 2), 'Hata', 'error', NULL);
INSERT INTO audit_logs (id, user_id, action, entity_type, entity_id, changes)
VALUES
(pg_temp.id('audit', 1), pg_temp.id('user', 1), 'revision_created', 'job',
    pg_temp.id('job', 1), '{"revision_no": 2}'),
(pg_temp.id('audit', 2), NULL, 'hr_document_status_expired',
    'hr_employee_document', NULL, NULL);

-- Other modules: a table that refers to ours, a view over ours, and a table
-- of another server that nobody can reach.

RESET ROLE;
CREATE TABLE hr_employees (
	id serial PRIMARY KEY,
	user_id uuid NOT NULL REFERENCES users (id),
	salary numeric);
INSERT INTO hr_employees (user_id, salary)
SELECT id, 1000 FROM users;
CREATE VIEW hr_open_steps AS
SELECT s.id, s.status, j.status AS job_status, u.role
  FROM job_steps s
  JOIN jobs j ON j.id = s.job_id
  LEFT JOIN users u ON u.id = s.assigned_to;

CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER accounting FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host '127.0.0.1', port '1', connect_timeout '1');
CREATE FOREIGN TABLE invoices (
	id uuid NOT NULL,
	job_id uuid,
	updated_at timestamp) SERVER accounting;

COMMIT;
