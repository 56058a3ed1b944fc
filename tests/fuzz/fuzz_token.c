/*
 * Tokens: the bytes as they are; and, so that what is signed is read too, the
 * first line as header and the rest as claims, with a right signature.
 */
#include "fuzz.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base64url.h"
#include "token.h"

#define SECRET "a key of 32 bytes or more, for tests"
#define NOW INT64_C(1795500000)

static size_t
sign(char *out, const uint8_t *bytes, size_t size)
{
	const uint8_t *newline = memchr(bytes, '\n', size);
	size_t header = newline ? (size_t)(newline - bytes) : size, n;
	size_t claims = newline ? size - header - 1 : 0;
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned length;

	n = base64url_encode(out, bytes, header);
	out[n++] = '.';
	n += base64url_encode(out + n, bytes + size - claims, claims);
	HMAC(EVP_sha256(), SECRET, strlen(SECRET), (unsigned char *)out, n,
	    mac, &length);
	out[n++] = '.';
	return n + base64url_encode(out + n, mac, length);
}

static void
check(const char *text, size_t length)
{
	struct token token;

	if (!token_check(text, length, NOW, &token))
		return;
	MUST(length <= TOKEN_MAX && token.expires > NOW);
	MUST((token.user[0] == '\0') != (token.service[0] == '\0'));
	MUST(strlen(token.user) + strlen(token.service) == 36);
	MUST(token.issued <= NOW);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static char text[20000];
	static bool open;
	char *exact;
	size_t n;

	if (!open)
		MUST(token_open("HS256", SECRET, strlen(SECRET)));
	open = true;
	check((const char *)bytes, size);
	if (size > 5000)
		return 0;
	n = sign(text, bytes, size);
	MUST((exact = malloc(n)) != NULL);
	memcpy(exact, text, n);
	check(exact, n);
	free(exact);
	return 0;
}
