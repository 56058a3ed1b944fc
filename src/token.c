/*
 * The signature is checked first, with the one algorithm that is configured,
 * so that only text of our own making is ever read as JSON.  What a header
 * says is compared with it afterwards and chooses nothing.
 */
#include "token.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdio.h>
#include <string.h>

#include "base64url.h"
#include "json.h"

#define DIGEST_MAX 64
#define NODES 256		/* values in a header or in claims */

static const struct algorithm {
	const char *name;
	const char *digest;
	size_t size;
} algorithms[] = {
	{ "HS256", "SHA256", 32 },
	{ "HS384", "SHA384", 48 },
	{ "HS512", "SHA512", 64 },
};

static const struct algorithm *algorithm;
static EVP_MAC_CTX *mac;	/* holds the key, ready for the next text */

/* The last header that was accepted, as it was written; at first none. */
static struct {
	char text[64];
	size_t length;
} accepted;

/* A part of a token, decoded and read. */
struct part {
	char text[BASE64URL_DECODED(TOKEN_MAX) + 1];
	struct json_node nodes[NODES];
	struct json json;
};

static const struct algorithm *
find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

bool
token_open(const char *name, const char *secret, size_t length)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	OSSL_PARAM params[2] = { OSSL_PARAM_END, OSSL_PARAM_END };

	EVP_MAC_CTX_free(mac);
	mac = NULL;
	accepted.length = 0;
	algorithm = find(name);
	if (hmac == NULL || algorithm == NULL)
		goto out;
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    (char *)algorithm->digest, 0);
	mac = EVP_MAC_CTX_new(hmac);
	if (mac != NULL && !EVP_MAC_init(mac, (const unsigned char *)secret,
	    length, params)) {
		EVP_MAC_CTX_free(mac);
		mac = NULL;
	}
out:
	EVP_MAC_free(hmac);
	return mac != NULL;
}

static bool
sign(const char *text, size_t length, unsigned char out[DIGEST_MAX])
{
	size_t size;

	return mac != NULL && EVP_MAC_init(mac, NULL, 0, NULL) &&
	    EVP_MAC_update(mac, (const unsigned char *)text, length) &&
	    EVP_MAC_final(mac, out, &size, DIGEST_MAX) &&
	    size == algorithm->size;
}

static bool
is_signed(const char *text, size_t length, const char *signature,
    size_t signature_length)
{
	unsigned char given[DIGEST_MAX], right[DIGEST_MAX];

	if (mac == NULL ||
	    signature_length != BASE64URL_ENCODED(algorithm->size) ||
	    base64url_decode(given, signature, signature_length) == -1)
		return false;
	return sign(text, length, right) &&
	    CRYPTO_memcmp(given, right, algorithm->size) == 0;
}

/* An object without duplicate names, else nothing. */
static bool
read_part(struct part *part, const char *text, size_t length)
{
	ssize_t n = base64url_decode((unsigned char *)part->text, text,
	    length);

	return n > 0 && json_read(&part->json, part->text, (size_t)n,
	    part->nodes, NODES) == JSON_FINE &&
	    part->nodes[0].kind == JSON_OBJECT;
}

/* A member's text; false when it is missing, no string, "", or too long. */
static bool
get_text(const struct part *part, const char *name, char *out, size_t size)
{
	char text[64];
	size_t length = json_member_string(&part->json, 0, name, text,
	    sizeof text);

	if (length == 0 || length >= size || length == sizeof text - 1)
		return false;
	memcpy(out, text, length + 1);
	return true;
}

/*
 * Who issues tokens gives each the same one: what was accepted last is so
 * again.  It has been signed, as everything that is read here.
 */
static bool
is_header(const char *text, size_t length)
{
	struct part part;
	char name[8];

	if (length > 0 && length == accepted.length &&
	    memcmp(text, accepted.text, length) == 0)
		return true;
	if (!read_part(&part, text, length) ||
	    !get_text(&part, "alg", name, sizeof name) ||
	    strcmp(name, algorithm->name) != 0 ||
	    json_member(&part.json, 0, "crit") != -1)
		return false;
	if (length <= sizeof accepted.text) {
		memcpy(accepted.text, text, length);
		accepted.length = length;
	}
	return true;
}

/* A time; one that is not there is `fallback`. */
static bool
get_time(const struct part *part, const char *name, int64_t fallback,
    int64_t *time)
{
	int node = json_member(&part->json, 0, name);

	*time = fallback;
	return node == -1 ||
	    json_integer(&part->json, (uint32_t)node, time);
}

static bool
is_current(const struct part *part, int64_t now, struct token *token)
{
	int64_t not_before;

	return get_time(part, "exp", INT64_MIN, &token->expires) &&
	    get_time(part, "iat", 0, &token->issued) &&
	    get_time(part, "since", 0, &token->since) &&
	    get_time(part, "nbf", INT64_MIN, &not_before) &&
	    now < token->expires && token->issued <= now && not_before <= now;
}

/* A uuid in its canonical form, made lower-case. */
static bool
get_id(const struct part *part, const char *name, char id[37])
{
	int i;

	if (!get_text(part, name, id, 37) || strlen(id) != 36)
		return false;
	for (i = 0; i < 36; i++) {
		if (id[i] >= 'A' && id[i] <= 'F')
			id[i] += 'a' - 'A';
		if (i == 8 || i == 13 || i == 18 || i == 23 ? id[i] != '-' :
		    strchr("0123456789abcdef", id[i]) == NULL)
			return false;
	}
	return true;
}

/* Either a person's or a service's. */
static bool
get_bearer(const struct part *part, struct token *token)
{
	bool person = json_member(&part->json, 0, "user_id") != -1;
	bool service = json_member(&part->json, 0, "service_id") != -1;

	token->user[0] = token->service[0] = '\0';
	if (person == service)
		return false;
	return person ? get_id(part, "user_id", token->user) :
	    get_id(part, "service_id", token->service);
}

bool
token_check(const char *text, size_t length, int64_t now, struct token *token)
{
	const char *first, *second, *end = text + length;
	struct part part;

	if (length > TOKEN_MAX ||
	    (first = memchr(text, '.', length)) == NULL)
		return false;
	second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (second == NULL)
		return false;
	return is_signed(text, (size_t)(second - text), second + 1,
	    (size_t)(end - second - 1)) &&
	    is_header(text, (size_t)(first - text)) &&
	    read_part(&part, first + 1, (size_t)(second - first - 1)) &&
	    is_current(&part, now, token) && get_bearer(&part, token);
}

/* Header, claims and signature; 0 when they do not fit. */
static size_t
issue(char *out, size_t size, const char *claims, size_t length)
{
	unsigned char signature[DIGEST_MAX];
	char header[40];
	size_t n, header_length;

	if (algorithm == NULL)
		return 0;
	header_length = (size_t)snprintf(header, sizeof header,
	    "{\"alg\":\"%s\",\"typ\":\"JWT\"}", algorithm->name);
	n = BASE64URL_ENCODED(header_length) + BASE64URL_ENCODED(length) +
	    BASE64URL_ENCODED(algorithm->size) + 2;
	if (n >= size || n > TOKEN_MAX)
		return 0;
	n = base64url_encode(out, header, header_length);
	out[n++] = '.';
	n += base64url_encode(out + n, claims, length);
	if (!sign(out, n, signature))
		return 0;
	out[n++] = '.';
	n += base64url_encode(out + n, signature, algorithm->size);
	out[n] = '\0';
	return n;
}

/* Of a printf that may not have fitted. */
static bool
fits(int length, size_t size)
{
	return length >= 0 && (size_t)length < size;
}

size_t
token_issue(char *out, size_t size, const char *user, const char *username,
    const char *role, int64_t since, int64_t now, int64_t lifetime)
{
	char name[1600], code[400] = "null", mark[40] = "", claims[2240];
	int n;

	if (json_quote(name, sizeof name, username, strlen(username)) >=
	    sizeof name || (role != NULL && json_quote(code, sizeof code, role,
	    strlen(role)) >= sizeof code))
		return 0;
	if (since / 1000000 >= now)
		snprintf(mark, sizeof mark, ",\"since\":%lld",
		    (long long)since);
	n = snprintf(claims, sizeof claims, "{\"user_id\":\"%s\","
	    "\"username\":%s,\"role\":%s,\"exp\":%lld,\"iat\":%lld%s}", user,
	    name, code, (long long)(now + lifetime), (long long)now, mark);
	return fits(n, sizeof claims) ?
	    issue(out, size, claims, (size_t)n) : 0;
}

size_t
token_issue_service(char *out, size_t size, const char *service,
    const char *name, int64_t now, int64_t lifetime)
{
	char username[600], quoted[1600], claims[2200];
	int n = snprintf(username, sizeof username, "service:%s", name);

	if (!fits(n, sizeof username) || json_quote(quoted, sizeof quoted,
	    username, (size_t)n) >= sizeof quoted)
		return 0;
	n = snprintf(claims, sizeof claims, "{\"service_id\":\"%s\","
	    "\"username\":%s,\"exp\":%lld,\"iat\":%lld}", service, quoted,
	    (long long)(now + lifetime), (long long)now);
	return fits(n, sizeof claims) ?
	    issue(out, size, claims, (size_t)n) : 0;
}
