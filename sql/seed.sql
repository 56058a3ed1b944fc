-- The roles of an empty shop and what each of them may do.  `reklamctl user
-- add` runs this before the first user; roles that are there stay as they are.

INSERT INTO public.roles (code, name, description) VALUES
('yonetici', 'Yönetici', 'Tam yetki - sistem yönetimi ve tüm işlemler'),
('musteri_temsilcisi', 'Müşteri Temsilcisi',
    'Müşteri yönetimi, teklif ve iş oluşturma'),
('tasarimci', 'Tasarımcı', 'Tasarım süreçleri ve dosya yönetimi'),
('kesifci', 'Keşifçi', 'Keşif ve ölçüm işlemleri'),
('operator', 'Operatör', 'Üretim makinesi operasyonları'),
('lamineci', 'Lamineci', 'Laminasyon ve kaplama işlemleri'),
('depocu', 'Depocu', 'Malzeme ve stok yönetimi'),
('satinalma', 'Satın Alma', 'Tedarik ve satın alma işlemleri')
    ON CONFLICT (code) DO NOTHING;

-- v, c, u, d: view, create, update, delete
WITH matrix (code, resource, may) AS (
	SELECT 'yonetici', resource, 'vcud'
	  FROM unnest(ARRAY['jobs', 'customers', 'files', 'machines',
	           'processes', 'users', 'reports', 'roles', 'dashboard',
	           'audit_logs', 'notifications']) resource
	UNION ALL
	VALUES ('musteri_temsilcisi', 'jobs', 'vcu'),
	       ('musteri_temsilcisi', 'customers', 'vcu'),
	       ('musteri_temsilcisi', 'files', 'vcu'),
	       ('musteri_temsilcisi', 'dashboard', 'v'),
	       ('musteri_temsilcisi', 'reports', 'v'),
	       ('tasarimci', 'jobs', 'vu'),
	       ('tasarimci', 'files', 'vcud'),
	       ('tasarimci', 'customers', 'v'),
	       ('tasarimci', 'dashboard', 'v'),
	       ('kesifci', 'jobs', 'vu'),
	       ('kesifci', 'customers', 'v'),
	       ('kesifci', 'files', 'vc'),
	       ('kesifci', 'reports', 'vc'),
	       ('kesifci', 'dashboard', 'v'),
	       ('operator', 'jobs', 'vu'),
	       ('operator', 'machines', 'v'),
	       ('operator', 'dashboard', 'v'),
	       ('lamineci', 'jobs', 'vu'),
	       ('lamineci', 'machines', 'v'),
	       ('lamineci', 'dashboard', 'v'),
	       ('depocu', 'jobs', 'v'),
	       ('depocu', 'files', 'vc'),
	       ('depocu', 'dashboard', 'v'),
	       ('satinalma', 'jobs', 'v'),
	       ('satinalma', 'customers', 'v'),
	       ('satinalma', 'reports', 'v'),
	       ('satinalma', 'dashboard', 'v'))
INSERT INTO public.role_permissions (role_id, resource, can_view, can_create,
    can_update, can_delete)
SELECT r.id, m.resource, strpos(m.may, 'v') > 0, strpos(m.may, 'c') > 0,
       strpos(m.may, 'u') > 0, strpos(m.may, 'd') > 0
  FROM matrix m
  JOIN public.roles r ON r.code = m.code
    ON CONFLICT (role_id, resource) DO NOTHING;
