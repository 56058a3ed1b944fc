-- Every table and column.
--
-- A table is created with its key alone and then given its columns one by one
-- where they are missing, so that each column is named once and an old
-- database ends with the same ones as an empty one.  Nothing here touches a
-- row; what ties tables together comes after duplicates are merged (003).
--
-- Nullable columns stay nullable: old rows have nulls in them, and to the old
-- program a null flag meant no.  `WHERE flag` and `WHERE NOT flag` read it so.
SET client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS reklam;
-- Not where the owner's own schema may come first: he may be called reklam.
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;

-- People and what they may do

CREATE TABLE IF NOT EXISTS public.users (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.users
	ADD COLUMN IF NOT EXISTS username varchar(100) NOT NULL,
	ADD COLUMN IF NOT EXISTS email varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS password_hash varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS full_name varchar(255),
	ADD COLUMN IF NOT EXISTS avatar_file_id uuid,
	ADD COLUMN IF NOT EXISTS avatar_url text,
	ADD COLUMN IF NOT EXISTS role varchar(50),
	ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS updated_at timestamp DEFAULT now(),
	-- A token issued before this moment has ended: the password changed.
	-- It is compared with the seconds in a token, hence an instant and not
	-- a local time.
	ADD COLUMN IF NOT EXISTS tokens_valid_from timestamptz;

CREATE TABLE IF NOT EXISTS public.roles (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.roles
	ADD COLUMN IF NOT EXISTS code varchar(50) NOT NULL,
	ADD COLUMN IF NOT EXISTS name varchar(100) NOT NULL,
	ADD COLUMN IF NOT EXISTS description text,
	ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS updated_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.user_roles (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.user_roles
	ADD COLUMN IF NOT EXISTS user_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS role_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS is_primary boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS assigned_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS assigned_by uuid,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.role_permissions (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.role_permissions
	ADD COLUMN IF NOT EXISTS role_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS resource varchar(100) NOT NULL,
	ADD COLUMN IF NOT EXISTS can_view boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS can_create boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS can_update boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS can_delete boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.role_process_permissions (
	role_id uuid NOT NULL,
	process_id uuid NOT NULL,
	PRIMARY KEY (role_id, process_id));
ALTER TABLE public.role_process_permissions
	ADD COLUMN IF NOT EXISTS can_view boolean DEFAULT true;

-- Customers

CREATE TABLE IF NOT EXISTS public.customers (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.customers
	ADD COLUMN IF NOT EXISTS name varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS code varchar(50),
	ADD COLUMN IF NOT EXISTS contact_person varchar(255),
	ADD COLUMN IF NOT EXISTS phone varchar(50),
	ADD COLUMN IF NOT EXISTS phone_secondary varchar(50),
	ADD COLUMN IF NOT EXISTS gsm varchar(50),
	ADD COLUMN IF NOT EXISTS email varchar(255),
	ADD COLUMN IF NOT EXISTS address text,
	ADD COLUMN IF NOT EXISTS city varchar(255),
	ADD COLUMN IF NOT EXISTS tax_office varchar(255),
	ADD COLUMN IF NOT EXISTS tax_number varchar(50),
	ADD COLUMN IF NOT EXISTS notes text,
	ADD COLUMN IF NOT EXISTS short_code varchar(50),
	ADD COLUMN IF NOT EXISTS postal_code varchar(20),
	ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS updated_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.customer_dealers (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.customer_dealers
	ADD COLUMN IF NOT EXISTS customer_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS name varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS address text,
	ADD COLUMN IF NOT EXISTS district varchar(255),
	ADD COLUMN IF NOT EXISTS city varchar(255),
	ADD COLUMN IF NOT EXISTS contact_person varchar(255),
	ADD COLUMN IF NOT EXISTS contact_phone varchar(50),
	ADD COLUMN IF NOT EXISTS tax_office varchar(255),
	ADD COLUMN IF NOT EXISTS tax_number varchar(50),
	ADD COLUMN IF NOT EXISTS phone1 varchar(50),
	ADD COLUMN IF NOT EXISTS phone2 varchar(50),
	ADD COLUMN IF NOT EXISTS email varchar(255),
	ADD COLUMN IF NOT EXISTS website varchar(255),
	ADD COLUMN IF NOT EXISTS postal_code varchar(20),
	ADD COLUMN IF NOT EXISTS notes text,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS updated_at timestamp DEFAULT now();

-- Processes and machines

CREATE TABLE IF NOT EXISTS public.process_groups (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.process_groups
	ADD COLUMN IF NOT EXISTS name varchar(150) NOT NULL,
	ADD COLUMN IF NOT EXISTS description text,
	ADD COLUMN IF NOT EXISTS color varchar(20),
	ADD COLUMN IF NOT EXISTS order_index integer DEFAULT 0,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS updated_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.processes (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.processes
	ADD COLUMN IF NOT EXISTS name varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS code varchar(50) NOT NULL,
	ADD COLUMN IF NOT EXISTS description text,
	ADD COLUMN IF NOT EXISTS is_machine_based boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS is_production boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS order_index integer DEFAULT 0,
	ADD COLUMN IF NOT EXISTS group_id uuid,
	ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
	ADD COLUMN IF NOT EXISTS folder_name varchar(100),
	ADD COLUMN IF NOT EXISTS deleted_at timestamptz,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.machines (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.machines
	ADD COLUMN IF NOT EXISTS name varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS code varchar(50) NOT NULL,
	ADD COLUMN IF NOT EXISTS type varchar(100),
	ADD COLUMN IF NOT EXISTS status varchar(50) DEFAULT 'active',
	ADD COLUMN IF NOT EXISTS location varchar(255),
	ADD COLUMN IF NOT EXISTS capacity_per_hour numeric(10,2),
	ADD COLUMN IF NOT EXISTS notes text,
	ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS updated_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.machine_processes (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.machine_processes
	ADD COLUMN IF NOT EXISTS machine_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS process_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now();

-- Jobs and their steps

CREATE TABLE IF NOT EXISTS public.jobs (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.jobs
	ADD COLUMN IF NOT EXISTS job_number varchar(50) NOT NULL,
	ADD COLUMN IF NOT EXISTS customer_id uuid,
	ADD COLUMN IF NOT EXISTS dealer_id uuid,
	ADD COLUMN IF NOT EXISTS title varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS description text,
	ADD COLUMN IF NOT EXISTS status varchar(50) DEFAULT 'draft',
	-- What a job on hold was, so that resuming it can give that back.
	ADD COLUMN IF NOT EXISTS status_before_hold varchar(50),
	ADD COLUMN IF NOT EXISTS priority varchar(50) DEFAULT 'normal',
	ADD COLUMN IF NOT EXISTS due_date date,
	ADD COLUMN IF NOT EXISTS revision_no integer DEFAULT 1,
	ADD COLUMN IF NOT EXISTS created_by uuid,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS updated_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.job_steps (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.job_steps
	ADD COLUMN IF NOT EXISTS job_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS process_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS order_index integer NOT NULL,
	ADD COLUMN IF NOT EXISTS assigned_to uuid,
	ADD COLUMN IF NOT EXISTS machine_id uuid,
	ADD COLUMN IF NOT EXISTS due_date date,
	ADD COLUMN IF NOT EXISTS due_time time,
	ADD COLUMN IF NOT EXISTS planned_start_date date,
	ADD COLUMN IF NOT EXISTS planned_end_date date,
	ADD COLUMN IF NOT EXISTS status varchar(50) DEFAULT 'pending',
	ADD COLUMN IF NOT EXISTS is_parallel boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS started_at timestamp,
	ADD COLUMN IF NOT EXISTS completed_at timestamp,
	ADD COLUMN IF NOT EXISTS started_by uuid,
	ADD COLUMN IF NOT EXISTS completed_by uuid,
	ADD COLUMN IF NOT EXISTS estimated_duration integer,
	ADD COLUMN IF NOT EXISTS actual_duration integer,
	ADD COLUMN IF NOT EXISTS production_quantity numeric(10,2),
	ADD COLUMN IF NOT EXISTS production_unit varchar(50),
	ADD COLUMN IF NOT EXISTS production_notes text,
	ADD COLUMN IF NOT EXISTS requirements text,
	ADD COLUMN IF NOT EXISTS has_production boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS required_quantity numeric(10,2),
	ADD COLUMN IF NOT EXISTS block_reason text,
	ADD COLUMN IF NOT EXISTS blocked_at timestamp,
	ADD COLUMN IF NOT EXISTS status_before_block varchar(50),
	ADD COLUMN IF NOT EXISTS revision_no integer DEFAULT 1,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS updated_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.job_step_notes (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.job_step_notes
	ADD COLUMN IF NOT EXISTS job_step_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS user_id uuid,
	ADD COLUMN IF NOT EXISTS note text NOT NULL,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now();

-- What people are told, what was done, what is stored

CREATE TABLE IF NOT EXISTS public.notifications (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.notifications
	ADD COLUMN IF NOT EXISTS user_id uuid NOT NULL,
	ADD COLUMN IF NOT EXISTS title varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS message text,
	ADD COLUMN IF NOT EXISTS type varchar(50) DEFAULT 'info',
	ADD COLUMN IF NOT EXISTS is_read boolean DEFAULT false,
	ADD COLUMN IF NOT EXISTS ref_type varchar(50),
	ADD COLUMN IF NOT EXISTS ref_id uuid,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.audit_logs (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.audit_logs
	ADD COLUMN IF NOT EXISTS user_id uuid,
	ADD COLUMN IF NOT EXISTS action varchar(100) NOT NULL,
	ADD COLUMN IF NOT EXISTS entity_type varchar(100),
	ADD COLUMN IF NOT EXISTS entity_id uuid,
	ADD COLUMN IF NOT EXISTS changes jsonb,
	ADD COLUMN IF NOT EXISTS ip_address inet,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now();

CREATE TABLE IF NOT EXISTS public.files (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid());
ALTER TABLE public.files
	ADD COLUMN IF NOT EXISTS bucket varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS object_key varchar(500) NOT NULL,
	ADD COLUMN IF NOT EXISTS filename varchar(255) NOT NULL,
	ADD COLUMN IF NOT EXISTS file_type varchar(100),
	ADD COLUMN IF NOT EXISTS file_size bigint,
	ADD COLUMN IF NOT EXISTS ref_type varchar(50),
	ADD COLUMN IF NOT EXISTS ref_id uuid,
	ADD COLUMN IF NOT EXISTS uploaded_by uuid,
	ADD COLUMN IF NOT EXISTS checksum varchar(64),
	ADD COLUMN IF NOT EXISTS version integer DEFAULT 1,
	ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
	ADD COLUMN IF NOT EXISTS created_at timestamp DEFAULT now(),
	ADD COLUMN IF NOT EXISTS folder_path varchar(500),
	ADD COLUMN IF NOT EXISTS content_type varchar(255),
	ADD COLUMN IF NOT EXISTS url text;

-- Ours alone

CREATE TABLE IF NOT EXISTS reklam.migrations (
	name text PRIMARY KEY,
	applied_at timestamptz NOT NULL DEFAULT now());

-- What a migration had to merge, as both rows were before.
CREATE TABLE IF NOT EXISTS reklam.merged (
	migration text NOT NULL,
	table_name text NOT NULL,
	kept jsonb NOT NULL,
	dropped jsonb NOT NULL,
	at timestamptz NOT NULL DEFAULT now());

-- A copy of the program's texts, for what is stored in words.
CREATE TABLE IF NOT EXISTS reklam.texts (
	name text,
	language text,
	template text NOT NULL,
	PRIMARY KEY (name, language));

-- The last job number given in a year: TLP-<year>-<last>.
CREATE TABLE IF NOT EXISTS reklam.job_numbers (
	year integer PRIMARY KEY,
	last bigint NOT NULL);

-- A token for a program names a row here; deleting the row ends it.
CREATE TABLE IF NOT EXISTS reklam.service_tokens (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name text NOT NULL,
	rights text[] NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz);
