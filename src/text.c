/*
 * The table of texts: name, English, Turkish.  {1}, {2} … stand for what the
 * caller gives after the name.  The Turkish is the wire contract's, to the
 * letter; SQL returns and raises the names.
 */
#include "text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

const struct text texts[] = {
/* --- of the program itself --- */
	{ "internal_error", { "Something went wrong",
	    "Bir hata oluştu" } },
	{ "bad_request", { "The request is malformed",
	    "İstek hatalı" } },
	{ "uri_too_long", { "The address is too long",
	    "Adres çok uzun" } },
	{ "path_not_found", { "There is nothing at this address",
	    "Bu adreste bir şey yok" } },
	{ "method_not_allowed", { "This address does not take that method",
	    "Bu adres bu yöntemi kabul etmiyor" } },
	{ "body_too_large", { "The body is too large",
	    "Gönderilen veri çok büyük" } },
	{ "content_type_unsupported", { "The body must be application/json",
	    "Gönderilen veri application/json olmalı" } },
	{ "json_malformed", { "The body is not valid JSON",
	    "Gönderilen veri geçerli JSON değil" } },
	{ "json_not_object", { "The body must be a JSON object",
	    "Gönderilen veri bir JSON nesnesi olmalı" } },
	{ "busy", { "Too much to do at the moment, please try again",
	    "Sistem şu anda yoğun, lütfen tekrar deneyin" } },
	{ "database_unavailable", { "The database cannot be reached",
	    "Veritabanına ulaşılamıyor" } },
	{ "not_found", { "Not found", "Kayıt bulunamadı" } },
	{ "field_required", { "{1} is required", "{1} gerekli" } },
	{ "field_invalid", { "{1} is not valid", "{1} geçersiz" } },
	{ "value_required", { "A value is missing", "Eksik değer var" } },
	{ "value_invalid", { "A value is not valid", "Geçersiz değer var" } },
	{ "value_too_long", { "A value is too long", "Çok uzun değer var" } },
	{ "value_out_of_range", { "A value is out of range",
	    "Sınır dışı değer var" } },
	{ "reference_not_found", { "It names something that does not exist",
	    "İlişkili kayıt bulunamadı" } },
	{ "already_exists", { "There is one like it already",
	    "Bu kayıt zaten var" } },

	{ "no_field_to_update", { "Nothing to change was sent",
	    "Güncellenecek alan bulunamadı" } },
	{ "no_field_to_change", { "Nothing to change was sent",
	    "Güncellenecek alan yok" } },

/* --- auth --- */
	{ "token_missing", { "A token is required", "Token bulunamadı" } },
	{ "token_malformed", { "The Authorization header is malformed",
	    "Token formatı hatalı" } },
	{ "token_invalid", { "The token is not valid or has expired",
	    "Token geçersiz veya süresi dolmuş" } },
	{ "forbidden", { "You may not do this",
	    "Bu işlem için yetkiniz yok" } },
	{ "right_missing", { "You lack the right {1}.{2}",
	    "{1} kaynağı için {2} yetkisi yok" } },
	{ "no_role", { "You have no role", "Kullanıcı rolü bulunamadı" } },
	{ "login_done", { "Logged in", "Giriş başarılı" } },
	{ "login_missing", { "A user name and a password are required",
	    "Kullanıcı adı ve şifre gerekli" } },
	{ "login_failed", { "User name or password is wrong",
	    "Kullanıcı adı veya şifre hatalı" } },
	{ "login_too_often", { "Too many attempts, please wait a minute",
	    "Çok fazla deneme yapıldı, lütfen bir dakika bekleyin" } },
	{ "password_missing", { "The current and a new password are required",
	    "Mevcut şifre ve yeni şifre gerekli" } },
	{ "password_wrong", { "The current password is wrong",
	    "Mevcut şifre hatalı" } },
	{ "password_too_short", {
	    "A password needs at least 6 characters",
	    "Şifre en az 6 karakter olmalı" } },
	{ "password_too_long", { "The password is longer than 72 bytes",
	    "Şifre 72 bayttan uzun olamaz" } },
	{ "password_changed", { "Password changed, please log in again",
	    "Şifre değiştirildi, lütfen tekrar giriş yapın" } },
	{ "password_changed_meanwhile", {
	    "The password has changed meanwhile, please log in again",
	    "Şifre bu sırada değişti, lütfen tekrar giriş yapın" } },

/* --- customers and dealers --- */
	{ "customer_not_found", { "Customer not found",
	    "Müşteri bulunamadı" } },
	{ "customer_not_active", { "No such customer, or it is archived already",
	    "Müşteri bulunamadı veya zaten pasif" } },
	{ "customer_name_required", { "A name is required",
	    "name zorunludur" } },
	{ "customer_created", { "Created", "Oluşturuldu" } },
	{ "customer_updated", { "Changed", "Güncellendi" } },
	{ "customer_archived", { "Customer archived", "Müşteri arşivlendi" } },
	{ "dealer_not_found", { "Dealer not found", "Bayi bulunamadı" } },
	{ "dealer_name_required", { "A name of the dealer is required",
	    "Bayi adı zorunludur" } },
	{ "dealer_added", { "Dealer added", "Bayi eklendi" } },
	{ "dealer_updated", { "Dealer changed", "Bayi güncellendi" } },
	{ "dealer_deleted", { "Dealer deleted", "Bayi silindi" } },

/* --- dashboard --- */

/* --- health --- */
	{ "health_alive", { "The API works", "API çalışıyor" } },
	{ "health_ready", { "The database answers", "Veritabanı yanıt veriyor" } },
	{ "pool_high", { "Pool use is {1} % (very high)",
	    "Pool kullanımı %{1} (çok yüksek)" } },
	{ "pool_raised", { "Pool use is {1} %", "Pool kullanımı %{1}" } },
	{ "pool_none_available", { "No connection is available",
	    "Kullanılabilir bağlantı yok" } },
	{ "pool_optimal", { "60-80% in use", "60-80% kullanım" } },
	{ "pool_raise", {
	    "DB_POOL_MAX_CONNECTIONS is {1}; {2} would bring its use to 70 %",
	    "DB_POOL_MAX_CONNECTIONS {1}; {2} ile kullanım %70 olur" } },
	{ "pool_above_server", {
	    "DB_POOL_MAX_CONNECTIONS is {1}, but the server's max_connections is {2} and {3} of them are kept for superusers",
	    "DB_POOL_MAX_CONNECTIONS {1}, ancak sunucunun max_connections değeri {2} ve bunun {3} bağlantısı yöneticilere ayrılmış" } },
	{ "pool_sum", {
	    "{1} here and {2} for superusers, of the server's {3}: {4} are left for others",
	    "Burada {1}, yöneticilere {2}, sunucuda toplam {3}: başkalarına {4} kalır" } },
	{ "hits_low", { "Only {1} % of the answers come from memory (below 50 %)",
	    "Yanıtların yalnızca %{1} kadarı önbellekten geliyor (%50 altında)" } },
	{ "answers_slow", {
	    "One answer in a hundred takes longer than {1} ms (above 100 ms)",
	    "Yüz yanıttan biri {1} ms süresini aşıyor (100 ms üzerinde)" } },
	{ "database_reachable", { "The database answers",
	    "Database bağlantısı başarılı" } },

/* --- jobs, steps, notes, revisions, timeline --- */
	{ "job_not_found", { "Job not found", "İş bulunamadı" } },
	{ "title_required", { "A title is required", "Başlık gerekli" } },
	{ "due_date_invalid", { "due_date is not a date", "due_date geçersiz" } },
	{ "due_time_invalid", { "due_time is not a time", "due_time geçersiz" } },
	{ "step_due_date_invalid", { "The due date of a step is not a date",
	    "Adım termin tarihi geçersiz" } },
	{ "step_due_time_invalid", { "The due time of a step is not a time",
	    "Adım termin saati geçersiz" } },
	{ "planned_start_date_invalid", { "planned_start_date is not a date",
	    "planned_start_date geçersiz" } },
	{ "planned_end_date_invalid", { "planned_end_date is not a date",
	    "planned_end_date geçersiz" } },
	{ "estimated_duration_invalid", {
	    "estimated_duration is not a number of minutes",
	    "estimated_duration geçersiz" } },
	{ "order_index_invalid", { "order_index is not a number from 0",
	    "order_index geçersiz" } },
	{ "required_quantity_invalid", { "required_quantity is not a quantity",
	    "required_quantity geçersiz" } },
	{ "production_quantity_invalid", {
	    "production_quantity is not a quantity",
	    "production_quantity geçersiz" } },
	{ "production_quantity_required", { "A quantity is required",
	    "Üretim miktarı gereklidir" } },
	{ "pause_reason_required", { "A reason for the pause is required",
	    "Durdurma sebebi gerekli" } },
	{ "note_required", { "The note is empty", "Not içeriği gerekli" } },
	{ "process_id_required", { "A process is required",
	    "Süreç ID gerekli" } },
	{ "revision_reason_required", { "A reason for the revision is required",
	    "Revizyon açıklaması gerekli" } },

	{ "job_created", { "Job created", "İş başarıyla oluşturuldu" } },
	{ "job_updated", { "Job changed", "İş başarıyla güncellendi" } },
	{ "job_activated", { "Job activated, its first step is ready",
	    "İş aktif edildi, ilk süreç hazır!" } },
	{ "job_held", { "Job put on hold", "İş donduruldu" } },
	{ "job_resumed", { "Job goes on", "İş devam ettirildi" } },
	{ "job_canceled", { "Job canceled", "İş iptal edildi" } },
	{ "revision_created", { "Revision {1} created",
	    "Revizyon {1} oluşturuldu" } },
	{ "job_cannot_activate", { "No such job, or it is active already",
	    "İş bulunamadı veya zaten aktif" } },
	{ "job_cannot_hold", { "No such job, or it cannot be put on hold",
	    "İş bulunamadı veya dondurulamaz" } },
	{ "job_cannot_resume", { "No such job, or it is not on hold",
	    "İş bulunamadı veya devam ettirilemez" } },
	{ "job_cannot_cancel", { "No such job, or it cannot be canceled",
	    "İş bulunamadı veya iptal edilemez" } },
	{ "job_not_running", { "The job is not active", "İş aktif değil" } },
	{ "job_takes_no_step", {
	    "A completed or canceled job takes no more steps",
	    "Tamamlanan veya iptal edilen işe süreç eklenemez" } },

	{ "step_not_found", { "Step not found", "Adım bulunamadı" } },
	{ "process_step_not_found", { "Step not found",
	    "Süreç adımı bulunamadı" } },
	{ "step_added", { "Step added", "Süreç eklendi" } },
	{ "step_updated", { "Step changed", "Süreç adımı güncellendi" } },
	{ "step_deleted", { "Step deleted", "Süreç silindi" } },
	{ "step_activated", { "Step is ready", "Süreç hazır duruma getirildi" } },
	{ "step_started", { "Step started", "Süreç başlatıldı!" } },
	{ "step_paused", { "Step paused", "Süreç durduruldu" } },
	{ "step_resumed", { "Step goes on", "Süreç devam ettirildi" } },
	{ "production_saved", { "Production recorded", "Üretim kaydedildi!" } },
	{ "step_completed", { "Step completed", "Süreç tamamlandı!" } },
	{ "step_reopened", { "Step reopened, the job has a new revision",
	    "Süreç yeniden açıldı. Yeni revizyon oluşturuldu." } },
	{ "step_reopened_reason", { "The step was reopened",
	    "Süreç yeniden açıldı" } },
	{ "note_added", { "Note added", "Not eklendi" } },
	{ "step_not_pending", { "Only a pending step can be made ready",
	    "Yalnızca beklemedeki süreçler hazır duruma getirilebilir" } },
	{ "step_cannot_start", { "No such step, or it cannot be started",
	    "Adım bulunamadı veya başlatılamaz" } },
	{ "step_not_in_progress", {
	    "Production is recorded only while a step is in progress",
	    "Sadece devam eden süreçlere üretim eklenebilir" } },
	{ "step_already_paused", { "The step is paused already",
	    "Süreç zaten durdurulmuş" } },
	{ "step_pause_finished", {
	    "A completed or canceled step cannot be paused",
	    "Tamamlanan veya iptal edilen süreç durdurulamaz" } },
	{ "step_cannot_pause", {
	    "A step that is pending or on hold cannot be paused",
	    "Beklemedeki veya dondurulmuş süreç durdurulamaz" } },
	{ "step_not_paused", { "The step is not paused",
	    "Süreç durdurulmuş değil" } },
	{ "step_cannot_complete", {
	    "Only a step that can be started or is in progress can be completed",
	    "Yalnızca başlatılabilen veya devam eden süreçler tamamlanabilir" } },
	{ "step_not_completed", { "Only a completed step can be reopened",
	    "Sadece tamamlanan süreçler yeniden açılabilir" } },
	{ "step_cannot_update", {
	    "A completed or canceled step cannot be changed",
	    "Bu süreç adımı güncellenemez" } },
	{ "step_cannot_delete", {
	    "No such step, or it cannot be deleted (in progress or completed)",
	    "Adım bulunamadı veya silinemez (devam ediyor/tamamlanmış)" } },
	{ "step_activate_denied", { "You may not make this step ready",
	    "Bu adımı hazır duruma getirme yetkiniz yok" } },
	{ "step_start_denied", { "You may not start this step",
	    "Bu adımı başlatma yetkiniz yok" } },
	{ "step_pause_denied", { "You may not pause this step",
	    "Bu adımı durdurma yetkiniz yok" } },
	{ "step_resume_denied", { "You may not resume this step",
	    "Bu adımı devam ettirme yetkiniz yok" } },
	{ "step_produce_denied", {
	    "You may not record production of this step",
	    "Bu adıma üretim ekleme yetkiniz yok" } },
	{ "step_complete_denied", { "You may not complete this step",
	    "Bu adımı tamamlama yetkiniz yok" } },
	{ "step_reopen_denied", { "You may not reopen this step",
	    "Bu adımı yeniden açma yetkiniz yok" } },
	{ "step_update_denied", { "You may not do this",
	    "Bu işlem için yetkiniz yok" } },

	{ "notice_task_assigned_title", { "New task", "Yeni Görev Atandı" } },
	{ "notice_task_assigned", {
	    "{1} - {2}: a new task was assigned to you.",
	    "{1} - {2} işi için yeni bir görev atandı." } },
	{ "notice_task_ready_title", { "A task is ready", "Yeni Görev Hazır" } },
	{ "notice_task_ready", { "{1} - {2}: a new task is ready.",
	    "{1} - {2} işi için yeni bir görev hazır." } },
	{ "notice_note_added_title", { "New note", "Yeni Üretim Notu" } },
	{ "notice_note_added", {
	    "{1} - {2}: a note was added to the step {3}. Note: {4}",
	    "{1} - {2} işi için {3} sürecine yeni bir not eklendi. Not: {4}" } },
	{ "notice_job_held_title", { "Job on hold", "İş Donduruldu" } },
	{ "notice_job_held", { "{1} - {2} was put on hold. Reason: {3}",
	    "{1} - {2} işi donduruldu. Sebep: {3}" } },
	{ "notice_job_resumed_title", { "Job goes on", "İş Devam Ediyor" } },
	{ "notice_job_resumed", { "{1} - {2} is active again.",
	    "{1} - {2} işi tekrar aktif edildi." } },
	{ "notice_job_canceled_title", { "Job canceled", "İş İptal Edildi" } },
	{ "notice_job_canceled", { "{1} - {2} was canceled. Reason: {3}",
	    "{1} - {2} işi iptal edildi. Sebep: {3}" } },
	{ "notice_step_updated_title", { "Step changed",
	    "Süreç Güncellendi" } },
	{ "notice_step_updated", { "{1} - {2}: the step {3} was changed ({4}).",
	    "{1} - {2} işi için {3} süreci güncellendi ({4})." } },
	{ "notice_step_taken_title", { "Task changed", "Görev Güncellendi" } },
	{ "notice_step_taken", { "{1} - {2}: your task in the step {3} was "
	    "changed or given to somebody else.",
	    "{1} - {2} işi için {3} sürecindeki göreviniz güncellendi veya "
	    "başka bir kullanıcıya devredildi." } },
	{ "not_stated", { "not stated", "Belirtilmedi" } },
	{ "label_process_id", { "process", "Süreç" } },
	{ "label_assigned_to", { "assignee", "Atanan kişi" } },
	{ "label_machine_id", { "machine", "Makine" } },
	{ "label_is_parallel", { "parallel", "Paralel durum" } },
	{ "label_has_production", { "production", "Üretim takibi" } },
	{ "label_estimated_duration", { "estimated time", "Tahmini süre" } },
	{ "label_due_date", { "due date", "Termin tarihi" } },
	{ "label_due_time", { "due time", "Termin saati" } },
	{ "label_planned_start_date", { "planned start",
	    "Planlanan Başlangıç" } },
	{ "label_planned_end_date", { "planned end", "Planlanan Bitiş" } },
	{ "label_order_index", { "order", "Sıra" } },
	{ "label_requirements", { "requirements", "Şartlar" } },
	{ "label_required_quantity", { "target quantity", "Üretim hedefi" } },
	{ "label_step", { "details", "Süreç bilgileri" } },

/* --- machines --- */
	{ "machine_not_found", { "Machine not found", "Makine bulunamadı" } },
	{ "machine_name_code_required", {
	    "A machine needs a name and a code", "Makine adı ve kodu gerekli" } },
	{ "machine_name_blank", { "A machine needs a name",
	    "Makine adı boş olamaz" } },
	{ "machine_code_exists", { "Another machine has this code",
	    "Bu makine kodu zaten kullanılıyor" } },
	{ "machine_created", { "Machine added",
	    "Makine başarıyla oluşturuldu" } },
	{ "machine_updated", { "Machine changed",
	    "Makine başarıyla güncellendi" } },
	{ "machine_deleted", { "Machine deleted", "Makine başarıyla silindi" } },
	{ "capacity_per_hour_invalid", { "capacity_per_hour is not a quantity",
	    "capacity_per_hour geçersiz" } },

/* --- notifications --- */
	{ "notification_not_found", { "Notification not found",
	    "Bildirim bulunamadı" } },
	{ "notification_was_read", { "Notification marked as read",
	    "Bildirim okundu olarak işaretlendi" } },
	{ "notifications_were_read", { "All notifications marked as read",
	    "Tüm bildirimler okundu olarak işaretlendi" } },
	{ "notification_deleted", { "Notification deleted",
	    "Bildirim silindi" } },
	{ "test_notifications_created", { "6 test notifications created",
	    "6 test notification oluşturuldu" } },
	{ "test_welcome", { "Welcome", "Hoş Geldiniz" } },
	{ "test_welcome_about", { "Welcome to the shop's system.",
	    "Reklam yönetim sistemine hoş geldiniz." } },
	{ "test_done", { "Job completed", "İş Tamamlandı" } },
	{ "test_done_about", { "A job of yours was completed.",
	    "Bir işiniz tamamlandı." } },
	{ "test_attention", { "Attention needed", "Dikkat Gerekli" } },
	{ "test_attention_about", { "A job is about to be late.",
	    "Bir işin termin tarihi yaklaşıyor." } },
	{ "test_failure", { "Something failed", "Hata Oluştu" } },
	{ "test_failure_about", { "A step could not be finished.",
	    "Bir süreç tamamlanamadı." } },
	{ "test_assigned", { "New job assigned", "Yeni İş Atandı" } },
	{ "test_assigned_about", { "A new job was assigned to you.",
	    "Size yeni bir iş atandı." } },
	{ "test_update", { "System update", "Sistem Güncellemesi" } },
	{ "test_update_about", { "The system was updated.",
	    "Sistem güncellendi." } },

/* --- permissions --- */
	{ "resource_required", { "A resource is required",
	    "Resource gerekli" } },

/* --- processes and groups --- */
	{ "process_not_found", { "Process not found", "Süreç bulunamadı" } },
	{ "process_name_code_required", { "A process needs a name and a code",
	    "Süreç adı ve kodu gerekli" } },
	{ "process_name_blank", { "A process needs a name",
	    "Süreç adı boş olamaz" } },
	{ "process_code_blank", { "The code may not be blank",
	    "Dosya ismi boş olamaz" } },
	{ "process_code_exists", { "Another process has this code",
	    "Bu süreç kodu zaten kullanılıyor" } },
	{ "process_folder_exists", {
	    "Another process of the group has this folder",
	    "Bu klasör adı grupta zaten kullanılıyor" } },
	{ "process_created", { "Process added", "Süreç başarıyla oluşturuldu" } },
	{ "process_updated", { "Process changed",
	    "Süreç başarıyla güncellendi" } },
	{ "process_deleted", { "Process archived and taken from its machines",
	    "Süreç arşivlendi ve makine ilişkileri temizlendi" } },
	{ "process_group_not_found", { "Group not found", "Grup bulunamadı" } },
	{ "process_group_name_required", { "A group needs a name",
	    "Grup adı zorunludur" } },
	{ "process_group_name_blank", { "The name may not be blank",
	    "Grup adı boş olamaz" } },
	{ "process_group_exists", { "Another group has this name",
	    "Bu grup adı zaten kullanılıyor" } },
	{ "process_group_created", { "Group added", "Grup oluşturuldu" } },
	{ "process_group_updated", { "Group changed", "Grup güncellendi" } },
	{ "process_group_deleted", { "Group deleted", "Grup silindi" } },

/* --- roles --- */
	{ "role_not_found", { "Role not found", "Rol bulunamadı" } },
	{ "role_name_code_required", { "A role needs a name and a code",
	    "Ad ve kod gerekli" } },
	{ "role_name_blank", { "The name may not be blank",
	    "Rol adı boş olamaz" } },
	{ "role_created", { "Role added", "Rol başarıyla oluşturuldu" } },
	{ "role_updated", { "Role changed", "Rol başarıyla güncellendi" } },
	{ "role_deleted", { "Role deleted", "Rol başarıyla silindi" } },
	{ "role_in_use", { "There are users with this role",
	    "Bu role atanmış kullanıcılar var, silinemez" } },
	{ "role_needed", { "This role cannot be deleted",
	    "Bu rol sistem için gerekli, silinemez" } },
	{ "resource_jobs", { "Jobs", "İşler" } },
	{ "resource_jobs_about", { "Jobs and their steps",
	    "İş talepleri ve yönetimi" } },
	{ "resource_customers", { "Customers", "Müşteriler" } },
	{ "resource_customers_about", { "Customers and their dealers",
	    "Müşteri bilgileri" } },
	{ "resource_processes", { "Processes", "Süreçler" } },
	{ "resource_processes_about", { "Processes and their groups",
	    "İş süreçleri" } },
	{ "resource_machines", { "Machines", "Makineler" } },
	{ "resource_machines_about", { "Machines and what they can do",
	    "Makine yönetimi" } },
	{ "resource_users", { "Users", "Kullanıcılar" } },
	{ "resource_users_about", { "Users and their passwords",
	    "Kullanıcı yönetimi" } },
	{ "resource_files", { "Files", "Dosyalar" } },
	{ "resource_files_about", { "Files of jobs and customers",
	    "Dosya yönetimi" } },
	{ "resource_reports", { "Reports", "Raporlar" } },
	{ "resource_reports_about", { "Reports and analyses",
	    "Raporlar ve analizler" } },
	{ "role_code_exists", { "Another role has this code",
	    "Bu rol kodu zaten kullanılıyor" } },

/* --- tasks --- */
	{ "task_not_found", { "Task not found", "Görev bulunamadı" } },

/* --- user-roles --- */
	{ "role_ids_required", { "At least one role is required",
	    "En az bir rol seçilmeli" } },
	{ "primary_role_invalid", {
	    "The primary role must be one of the roles",
	    "Ana rol seçilen roller arasında olmalı" } },
	{ "roles_assigned", { "Roles assigned", "Roller başarıyla atandı" } },
	{ "role_removed", { "Role removed", "Rol başarıyla kaldırıldı" } },
	{ "primary_role_set", { "Primary role set", "Primary rol ayarlandı" } },
	{ "role_assignment_not_found", { "The user does not have this role",
	    "Rol ataması bulunamadı" } },

/* --- users --- */
	{ "user_fields_required", { "A user needs a name, an e-mail address "
	    "and a password of at least 6 characters",
	    "Kullanıcı adı, email ve şifre gerekli" } },
	{ "email_invalid", { "This is not an e-mail address",
	    "Geçersiz email adresi" } },
	{ "user_created", { "User added",
	    "Kullanıcı başarıyla oluşturuldu" } },
	{ "user_updated", { "User changed",
	    "Kullanıcı başarıyla güncellendi" } },
	{ "user_deleted", { "User deleted", "Kullanıcı başarıyla silindi" } },
	{ "user_is_self", { "Nobody can deactivate himself",
	    "Kendi hesabınızı silemezsiniz" } },
	{ "last_manager", { "At least one active manager must remain",
	    "En az bir aktif yönetici kalmalı" } },
	{ "user_not_found", { "User not found", "Kullanıcı bulunamadı" } },
	{ "user_exists", { "This user name or e-mail is taken",
	    "Bu kullanıcı adı veya email zaten kullanılıyor" } },
};

const size_t texts_count = sizeof texts / sizeof *texts;

static const struct text *
row(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < texts_count; i++)
		if (strncmp(texts[i].name, name, length) == 0 &&
		    texts[i].name[length] == '\0')
			return &texts[i];
	return NULL;
}

const char *
text_find(const char *name, enum language language)
{
	const struct text *text = row(name, strlen(name));

	return text ? text->in[language] : NULL;
}

/* What stands for {number}: the part of `call` behind its number-th bar. */
static const char *
argument(const char *call, int number, size_t *length)
{
	while (number-- > 0) {
		call += strcspn(call, "|");
		if (*call == '\0')
			break;
		call++;
	}
	*length = strcspn(call, "|");
	return call;
}

static bool
is_mark(const char *p)
{
	return p[0] == '{' && p[1] >= '1' && p[1] <= '9' && p[2] == '}';
}

static size_t
append(char *out, size_t used, size_t size, const char *bytes, size_t n)
{
	if (n > size - used)
		n = size - used;
	memcpy(out + used, bytes, n);
	return used + n;
}

size_t
text_format(char *out, size_t size, const char *call, enum language language)
{
	const struct text *text = row(call, strcspn(call, "|"));
	const char *p, *bytes;
	size_t used = 0, n;

	if (size == 0)
		return 0;
	p = text ? text->in[language] : text_find("internal_error", language);
	while (*p != '\0' && used < size) {
		if (is_mark(p)) {
			bytes = argument(call, p[1] - '0', &n);
			p += 3;
		} else {
			bytes = p;
			n = strcspn(p + 1, "{") + 1;
			p += n;
		}
		used = append(out, used, size, bytes, n);
	}
	if (used == size)
		used = utf8_cut(out, size - 1);
	out[used] = '\0';
	return used;
}

static const char *const tags[LANGUAGES] = { "en", "tr" };

/* A q-value in thousandths; -1 when it is none (RFC 9110, 12.4.2). */
static int
quality(const char *p, size_t length)
{
	static const int weight[] = { 1000, 0, 100, 10, 1 };
	int q = 0;
	size_t i;

	if (length == 0 || length > 5 || (p[0] != '0' && p[0] != '1') ||
	    (length > 1 && p[1] != '.'))
		return -1;
	for (i = 0; i < length; i++) {
		if (i == 1)
			continue;
		if (p[i] < '0' || p[i] > '9')
			return -1;
		q += (p[i] - '0') * weight[i];
	}
	return q <= 1000 ? q : -1;
}

/* The quality that one element, "tr-TR;q=0.9", gives its tag. */
static int
element_quality(const char *tag, size_t tag_length, size_t length)
{
	const char *p = tag + tag_length, *end = tag + length;

	p += strspn(p, " \t");
	if (p >= end)
		return 1000;
	if (*p++ != ';')
		return -1;
	p += strspn(p, " \t");
	if (strncasecmp(p, "q=", 2) != 0)
		return -1;
	p += 2;
	return quality(p, strcspn(p, " \t,"));
}

/* Whether "tr-TR" speaks of "tr". */
static bool
speaks_of(const char *tag, size_t length, const char *language)
{
	size_t n = strlen(language);

	return length >= n && strncasecmp(tag, language, n) == 0 &&
	    (length == n || tag[n] == '-');
}

enum language
text_accepted(const char *header, enum language fallback)
{
	int best[LANGUAGES] = { -1, -1 }, others = -1, q, l;
	enum language first = fallback, other;
	size_t n, tag;

	for (; header != NULL && *header != '\0'; header += n) {
		header += strspn(header, " \t,");
		n = strcspn(header, ",");
		tag = strcspn(header, " \t;,");
		q = element_quality(header, tag, n);
		if (tag == 1 && *header == '*')
			others = q;
		for (l = 0; l < LANGUAGES; l++)
			if (q > best[l] && speaks_of(header, tag, tags[l])) {
				if (best[ENGLISH] == -1 && best[TURKISH] == -1)
					first = (enum language)l;
				best[l] = q;
			}
	}
	for (l = 0; l < LANGUAGES; l++)
		if (best[l] == -1)
			best[l] = others;
	other = first == ENGLISH ? TURKISH : ENGLISH;
	if (best[first] <= 0 && best[other] <= 0)
		return fallback;
	return best[other] > best[first] ? other : first;
}
