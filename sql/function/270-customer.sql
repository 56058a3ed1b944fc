-- Customers and their dealers.

CREATE OR REPLACE FUNCTION reklam.customer_object(c customers)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT jsonb_build_object(
    'id', c.id,
    'name', c.name,
    'code', c.code,
    'contact_person', c.contact_person,
    'phone', c.phone,
    'phone_secondary', c.phone_secondary,
    'gsm', c.gsm,
    'email', c.email,
    'address', c.address,
    'city', c.city,
    'tax_office', c.tax_office,
    'tax_number', c.tax_number,
    'notes', c.notes,
    'short_code', c.short_code,
    'postal_code', c.postal_code,
    'is_active', c.is_active)
$$;

CREATE OR REPLACE FUNCTION reklam.dealer_object(d customer_dealers)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT jsonb_build_object(
    'id', d.id,
    'name', d.name,
    'address', d.address,
    'district', d.district,
    'city', d.city,
    'contact_person', d.contact_person,
    'contact_phone', d.contact_phone,
    'tax_office', d.tax_office,
    'tax_number', d.tax_number,
    'phone1', d.phone1,
    'phone2', d.phone2,
    'email', d.email,
    'website', d.website,
    'postal_code', d.postal_code,
    'notes', d.notes,
    'created_at', d.created_at,
    'updated_at', d.updated_at)
$$;

-- The dealers of a customer, by name.
CREATE OR REPLACE FUNCTION reklam.dealers_of(customer uuid)
RETURNS jsonb
LANGUAGE sql STABLE
AS $$
SELECT coalesce(jsonb_agg(reklam.dealer_object(d) ORDER BY d.name, d.id), '[]')
  FROM customer_dealers d
 WHERE d.customer_id = customer
$$;

CREATE OR REPLACE FUNCTION reklam.customer_create(body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	made uuid;
BEGIN
	INSERT INTO customers (name, code, contact_person, phone, phone_secondary, gsm,
	    email, address, city, tax_office, tax_number,
	    notes, short_code, postal_code, is_active)
	VALUES (
	    reklam.loose(body, 'name'),
	    reklam.loose(body, 'code'),
	    reklam.loose(body, 'contact_person'),
	    reklam.loose(body, 'phone'),
	    reklam.loose(body, 'phone_secondary'),
	    reklam.loose(body, 'gsm'),
	    reklam.loose(body, 'email'),
	    reklam.loose(body, 'address'),
	    reklam.loose(body, 'city'),
	    reklam.loose(body, 'tax_office'),
	    reklam.loose(body, 'tax_number'),
	    reklam.loose(body, 'notes'),
	    reklam.loose(body, 'short_code'),
	    reklam.loose(body, 'postal_code'),
	    coalesce(reklam.worded_flag(body, 'is_active'),
	        NOT body ? 'is_active'))
	RETURNING id INTO made;
	RETURN reklam.reply(201, 'customer_created', json_build_object('data',
	    json_build_object('id', made)));
END
$$;

/*
 * Writes what is there: blank and null clear a field, but not the name.  A
 * customer is active or not: null changes nothing.
 */
CREATE OR REPLACE FUNCTION reklam.customer_update(id uuid, body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM reklam.expect(body, '{name,code,contact_person,phone,phone_secondary,
	    gsm,email,address,city,tax_office,tax_number,
	    notes,short_code,postal_code,is_active}',
	    'no_field_to_change');
	PERFORM reklam.expect_not_blank(body, 'name', 'customer_name_required');
	UPDATE customers c
	   SET name = CASE WHEN body ? 'name'
	           THEN reklam.loose(body, 'name') ELSE name END,
	       code = CASE WHEN body ? 'code'
	           THEN reklam.loose(body, 'code') ELSE code END,
	       contact_person = CASE WHEN body ? 'contact_person'
	           THEN reklam.loose(body, 'contact_person') ELSE contact_person END,
	       phone = CASE WHEN body ? 'phone'
	           THEN reklam.loose(body, 'phone') ELSE phone END,
	       phone_secondary = CASE WHEN body ? 'phone_secondary'
	           THEN reklam.loose(body, 'phone_secondary') ELSE phone_secondary END,
	       gsm = CASE WHEN body ? 'gsm'
	           THEN reklam.loose(body, 'gsm') ELSE gsm END,
	       email = CASE WHEN body ? 'email'
	           THEN reklam.loose(body, 'email') ELSE email END,
	       address = CASE WHEN body ? 'address'
	           THEN reklam.loose(body, 'address') ELSE address END,
	       city = CASE WHEN body ? 'city'
	           THEN reklam.loose(body, 'city') ELSE city END,
	       tax_office = CASE WHEN body ? 'tax_office'
	           THEN reklam.loose(body, 'tax_office') ELSE tax_office END,
	       tax_number = CASE WHEN body ? 'tax_number'
	           THEN reklam.loose(body, 'tax_number') ELSE tax_number END,
	       notes = CASE WHEN body ? 'notes'
	           THEN reklam.loose(body, 'notes') ELSE notes END,
	       short_code = CASE WHEN body ? 'short_code'
	           THEN reklam.loose(body, 'short_code') ELSE short_code END,
	       postal_code = CASE WHEN body ? 'postal_code'
	           THEN reklam.loose(body, 'postal_code') ELSE postal_code END,
	       is_active = coalesce(reklam.flag(body, 'is_active'),
	           c.is_active)
	 WHERE c.id = customer_update.id;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'customer_not_found');
	END IF;
	RETURN reklam.reply(200, 'customer_updated', json_build_object('data',
	    json_build_object('id', id)));
END
$$;

-- Archives: jobs keep their customer.
CREATE OR REPLACE FUNCTION reklam.customer_delete(id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE customers c
	   SET is_active = false
	 WHERE c.id = customer_delete.id
	   AND c.is_active;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'customer_not_active');
	END IF;
	RETURN reklam.reply(200, 'customer_archived', json_build_object('data',
	    json_build_object('id', id)));
END
$$;

CREATE OR REPLACE FUNCTION reklam.dealer_create(customer_id uuid, body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	made uuid;
BEGIN
	-- Nobody deletes the customer meanwhile.
	PERFORM
	  FROM customers c
	 WHERE c.id = dealer_create.customer_id
	   FOR KEY SHARE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'customer_not_found');
	END IF;
	INSERT INTO customer_dealers (customer_id, name, address, district, city, contact_person,
	    contact_phone, tax_office, tax_number, phone1, phone2,
	    email, website, postal_code, notes)
	VALUES (dealer_create.customer_id,
	    reklam.loose(body, 'name'),
	    reklam.loose(body, 'address'),
	    reklam.loose(body, 'district'),
	    reklam.loose(body, 'city'),
	    reklam.loose(body, 'contact_person'),
	    reklam.loose(body, 'contact_phone'),
	    reklam.loose(body, 'tax_office'),
	    reklam.loose(body, 'tax_number'),
	    reklam.loose(body, 'phone1'),
	    reklam.loose(body, 'phone2'),
	    reklam.loose(body, 'email'),
	    reklam.loose(body, 'website'),
	    reklam.loose(body, 'postal_code'),
	    reklam.loose(body, 'notes'))
	RETURNING id INTO made;
	RETURN reklam.reply(201, 'dealer_added', json_build_object('data',
	    json_build_object('id', made)));
END
$$;

-- Blank and null clear a field, but not the name.
CREATE OR REPLACE FUNCTION reklam.dealer_update(customer_id uuid, id uuid,
    body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM reklam.expect(body, '{name,address,district,city,contact_person,
	    contact_phone,tax_office,tax_number,phone1,
	    phone2,email,website,postal_code,notes}',
	    'no_field_to_change');
	PERFORM reklam.expect_not_blank(body, 'name', 'dealer_name_required');
	UPDATE customer_dealers d
	   SET name = CASE WHEN body ? 'name'
	           THEN reklam.loose(body, 'name') ELSE name END,
	       address = CASE WHEN body ? 'address'
	           THEN reklam.loose(body, 'address') ELSE address END,
	       district = CASE WHEN body ? 'district'
	           THEN reklam.loose(body, 'district') ELSE district END,
	       city = CASE WHEN body ? 'city'
	           THEN reklam.loose(body, 'city') ELSE city END,
	       contact_person = CASE WHEN body ? 'contact_person'
	           THEN reklam.loose(body, 'contact_person') ELSE contact_person END,
	       contact_phone = CASE WHEN body ? 'contact_phone'
	           THEN reklam.loose(body, 'contact_phone') ELSE contact_phone END,
	       tax_office = CASE WHEN body ? 'tax_office'
	           THEN reklam.loose(body, 'tax_office') ELSE tax_office END,
	       tax_number = CASE WHEN body ? 'tax_number'
	           THEN reklam.loose(body, 'tax_number') ELSE tax_number END,
	       phone1 = CASE WHEN body ? 'phone1'
	           THEN reklam.loose(body, 'phone1') ELSE phone1 END,
	       phone2 = CASE WHEN body ? 'phone2'
	           THEN reklam.loose(body, 'phone2') ELSE phone2 END,
	       email = CASE WHEN body ? 'email'
	           THEN reklam.loose(body, 'email') ELSE email END,
	       website = CASE WHEN body ? 'website'
	           THEN reklam.loose(body, 'website') ELSE website END,
	       postal_code = CASE WHEN body ? 'postal_code'
	           THEN reklam.loose(body, 'postal_code') ELSE postal_code END,
	       notes = CASE WHEN body ? 'notes'
	           THEN reklam.loose(body, 'notes') ELSE notes END
	 WHERE d.id = dealer_update.id
	   AND d.customer_id = dealer_update.customer_id;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'dealer_not_found');
	END IF;
	RETURN reklam.reply(200, 'dealer_updated', json_build_object('data',
	    json_build_object('id', id)));
END
$$;

-- The jobs that name it lose it.
CREATE OR REPLACE FUNCTION reklam.dealer_delete(customer_id uuid, id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM customer_dealers d
	 WHERE d.id = dealer_delete.id
	   AND d.customer_id = dealer_delete.customer_id;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'dealer_not_found');
	END IF;
	RETURN reklam.reply(200, 'dealer_deleted', NULL);
END
$$;
