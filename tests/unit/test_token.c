#include "unit.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base64url.h"
#include "token.h"

#define SECRET "a key of 32 bytes or more, for tests"
#define NOW INT64_C(1795500000)
#define USER "0f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d11"

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS "\"user_id\":\"" USER "\",\"iat\":1795499990"
#define GOOD "{" CLAIMS ",\"exp\":1795500001}"

static char text[200000];

/* Any header and claims, signed as we would. */
static size_t
sign(const EVP_MD *digest, const char *header, const char *claims)
{
	unsigned char mac[64];
	unsigned size;
	size_t n = base64url_encode(text, header, strlen(header));

	text[n++] = '.';
	n += base64url_encode(text + n, claims, strlen(claims));
	HMAC(digest, SECRET, strlen(SECRET), (unsigned char *)text, n, mac,
	    &size);
	text[n++] = '.';
	return n + base64url_encode(text + n, mac, size);
}

static int
opened(void **state)
{
	(void)state;
	return token_open("HS256", SECRET, strlen(SECRET)) ? 0 : -1;
}

/* From memory of exactly that size. */
static bool
check(size_t length, struct token *token)
{
	char *exact = malloc(length + 1);
	bool right;

	memcpy(exact + 1, text, length);
	right = token_check(exact + 1, length, NOW, token);
	free(exact);
	return right;
}

static const struct {
	const char *what, *header, *claims;
	bool right;
} rows[] = {
	{ "the good one", HEADER, GOOD, true },
	{ "typ is not asked for", "{\"alg\":\"HS256\"}", GOOD, true },
	{ "no iat", HEADER, "{\"user_id\":\"" USER "\",\"exp\":1795500001}",
	    true },
	{ "capitals in the id", HEADER, "{\"user_id\":"
	    "\"0F6C1A52-33F0-4B43-9D4B-6F0F3F7A1D11\",\"exp\":1795500001}",
	    true },
	{ "more claims", HEADER, "{" CLAIMS ",\"exp\":1795500001,"
	    "\"username\":\"\\u00e4\",\"role\":null,\"x\":{\"y\":[1]}}",
	    true },
	{ "nbf is over", HEADER, "{" CLAIMS ",\"exp\":1795500001,"
	    "\"nbf\":1795500000}", true },

	{ "alg none", "{\"alg\":\"none\"}", GOOD, false },
	{ "alg None", "{\"alg\":\"None\"}", GOOD, false },
	{ "alg empty", "{\"alg\":\"\"}", GOOD, false },
	{ "alg in small letters", "{\"alg\":\"hs256\"}", GOOD, false },
	{ "another alg", "{\"alg\":\"HS512\"}", GOOD, false },
	{ "alg of public keys", "{\"alg\":\"RS256\"}", GOOD, false },
	{ "alg longer", "{\"alg\":\"HS256 \"}", GOOD, false },
	{ "alg a number", "{\"alg\":256}", GOOD, false },
	{ "alg null", "{\"alg\":null}", GOOD, false },
	{ "no alg", "{\"typ\":\"JWT\"}", GOOD, false },
	{ "alg twice", "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", GOOD, false },
	{ "alg twice, escaped", "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}",
	    GOOD, false },
	{ "crit", "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", GOOD, false },
	{ "crit, empty", "{\"alg\":\"HS256\",\"crit\":[]}", GOOD, false },
	{ "header a list", "[\"HS256\"]", GOOD, false },
	{ "header no JSON", "{\"alg\":\"HS256\"", GOOD, false },
	{ "header empty", "", GOOD, false },

	{ "over", HEADER, "{" CLAIMS ",\"exp\":1795500000}", false },
	{ "long over", HEADER, "{" CLAIMS ",\"exp\":1}", false },
	{ "exp negative", HEADER, "{" CLAIMS ",\"exp\":-1}", false },
	{ "no exp", HEADER, "{" CLAIMS "}", false },
	{ "exp a text", HEADER, "{" CLAIMS ",\"exp\":\"1795500001\"}",
	    false },
	{ "exp a fraction", HEADER, "{" CLAIMS ",\"exp\":1795500001.5}",
	    false },
	{ "exp with exponent", HEADER, "{" CLAIMS ",\"exp\":2e9}", false },
	{ "exp null", HEADER, "{" CLAIMS ",\"exp\":null}", false },
	{ "exp true", HEADER, "{" CLAIMS ",\"exp\":true}", false },
	{ "exp too large", HEADER, "{" CLAIMS
	    ",\"exp\":99999999999999999999}", false },
	{ "exp twice", HEADER, "{" CLAIMS
	    ",\"exp\":1795500001,\"exp\":1795500001}", false },
	{ "iat to come", HEADER, "{\"user_id\":\"" USER
	    "\",\"iat\":1795500001,\"exp\":1795500009}", false },
	{ "iat a text", HEADER, "{\"user_id\":\"" USER
	    "\",\"iat\":\"1\",\"exp\":1795500009}", false },
	{ "nbf to come", HEADER, "{" CLAIMS ",\"exp\":1795500009,"
	    "\"nbf\":1795500001}", false },
	{ "nbf a text", HEADER, "{" CLAIMS ",\"exp\":1795500009,"
	    "\"nbf\":\"1\"}", false },

	{ "no user", HEADER, "{\"exp\":1795500001}", false },
	{ "user a number", HEADER, "{\"user_id\":1,\"exp\":1795500001}",
	    false },
	{ "user null", HEADER, "{\"user_id\":null,\"exp\":1795500001}",
	    false },
	{ "user no uuid", HEADER, "{\"user_id\":\"admin\","
	    "\"exp\":1795500001}", false },
	{ "user too long", HEADER, "{\"user_id\":\"" USER "0\","
	    "\"exp\":1795500001}", false },
	{ "user with braces", HEADER, "{\"user_id\":"
	    "\"{f6c1a52-33f0-4b43-9d4b-6f0f3f7a1d1}\",\"exp\":1795500001}",
	    false },
	{ "user and service", HEADER, "{\"user_id\":\"" USER
	    "\",\"service_id\":\"" USER "\",\"exp\":1795500001}", false },
	{ "user twice", HEADER, "{\"user_id\":\"" USER "\",\"user_id\":\""
	    USER "\",\"exp\":1795500001}", false },
	{ "claims a list", HEADER, "[" GOOD "]", false },
	{ "claims no JSON", HEADER, "{" CLAIMS ",\"exp\":1795500001", false },
	{ "claims not UTF-8", HEADER, "{" CLAIMS ",\"exp\":1795500001,"
	    "\"x\":\"\xff\"}", false },
	{ "claims with a NUL", HEADER, "{" CLAIMS ",\"exp\":1795500001,"
	    "\"x\":\"\\u0000\"}", false },
	{ "claims empty", HEADER, "", false },
	{ "claims and more", HEADER, GOOD "{}", false },
};

FACT(of_many_tokens_only_the_right_ones_pass)
{
	struct token token;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		ROW_TRUE(check(sign(EVP_sha256(), rows[i].header,
		    rows[i].claims), &token) == rows[i].right, rows[i].what);
}

/* As the first of a process, and after itself, which was accepted or not. */
FACT(nor_does_it_matter_what_came_before)
{
	struct token token;
	size_t i, n, length;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(opened(NULL), 0);
		length = sign(EVP_sha256(), rows[i].header, rows[i].claims);
		for (n = 0; n < 2; n++)
			ROW_TRUE(check(length, &token) == rows[i].right,
			    rows[i].what);
	}
}

FACT(it_says_who_since_when_and_until_when)
{
	struct token token;

	assert_true(check(sign(EVP_sha256(), HEADER, GOOD), &token));
	assert_string_equal(token.user, USER);
	assert_string_equal(token.service, "");
	assert_int_equal(token.issued, 1795499990);
	assert_int_equal(token.expires, 1795500001);
	assert_true(check(sign(EVP_sha256(), HEADER, "{\"service_id\":\""
	    USER "\",\"exp\":1795500001}"), &token));
	assert_string_equal(token.user, "");
	assert_string_equal(token.service, USER);
	assert_int_equal(token.issued, 0);
}

/* Every other byte at every place, and every cut. */
FACT(a_changed_token_is_none)
{
	size_t length = sign(EVP_sha256(), HEADER, GOOD), i;
	struct token token;
	char was;
	int c;

	for (i = 0; i < length; i++) {
		was = text[i];
		for (c = 0; c < 256; c++) {
			text[i] = (char)c;
			if ((char)c != was)
				assert_false(check(length, &token));
		}
		text[i] = was;
		assert_false(check(i, &token));
	}
	text[length] = 'A';
	assert_false(check(length + 1, &token));
	text[length] = '=';
	assert_false(check(length + 1, &token));
	text[length] = '.';
	assert_false(check(length + 1, &token));
}

FACT(a_signature_of_another_kind_is_none)
{
	struct token token;
	size_t length = sign(EVP_sha256(), HEADER, GOOD), cut;

	assert_false(check(sign(EVP_sha512(), HEADER, GOOD), &token));
	assert_false(check(sign(EVP_sha1(), HEADER, GOOD), &token));
	length = sign(EVP_sha256(), HEADER, GOOD);
	cut = length - 43;
	assert_false(check(cut, &token));
	memset(text + cut, 'A', 43);
	assert_false(check(length, &token));
	assert_true(token_open("HS256", "another key", 11));
	sign(EVP_sha256(), HEADER, GOOD);
	assert_false(check(length, &token));
	opened(NULL);
	assert_true(check(length, &token));
}

FACT(a_large_one_is_refused)
{
	static char claims[150000];
	struct token token;
	size_t size;

	for (size = 2000; size < sizeof claims - 200; size *= 2) {
		sprintf(claims, "{" CLAIMS ",\"exp\":1795500001,\"x\":\"%0*d\"}",
		    (int)size, 0);
		assert_int_equal(check(sign(EVP_sha256(), HEADER, claims),
		    &token), size == 2000);
	}
	assert_false(token_check("", 0, NOW, &token));
	assert_false(token_check("..", 2, NOW, &token));
}

FACT(each_algorithm_takes_its_own_tokens_only)
{
	static const char *const names[] = { "HS256", "HS384", "HS512" };
	struct token token;
	size_t i, j, n;

	for (i = 0; i < COUNT(names); i++) {
		assert_true(token_open(names[i], SECRET, strlen(SECRET)));
		n = token_issue(text, sizeof text, USER, "a", NULL, 0, NOW, 60);
		assert_true(n > 0);
		for (j = 0; j < COUNT(names); j++) {
			assert_true(token_open(names[j], SECRET,
			    strlen(SECRET)));
			assert_int_equal(check(n, &token), i == j);
		}
	}
	assert_false(token_open("none", SECRET, strlen(SECRET)));
	assert_false(check(n, &token));
	assert_int_equal(token_issue(text, sizeof text, USER, "a", NULL, 0, NOW,
	    60), 0);
	opened(NULL);
}

FACT(what_is_issued_is_taken_until_it_ends)
{
	struct token token;
	size_t n = token_issue(text, sizeof text, USER, "j\"\xc3\xb6rg\n",
	    "yonetici", 0, NOW - 10, 20);

	assert_int_equal(n, strlen(text));
	assert_true(token_check(text, n, NOW, &token));
	assert_true(token_check(text, n, NOW + 9, &token));
	assert_false(token_check(text, n, NOW + 10, &token));
	assert_false(token_check(text, n, NOW - 11, &token));
	assert_string_equal(token.user, USER);
	n = token_issue_service(text, sizeof text, USER, "cron", NOW, 5);
	assert_true(token_check(text, n, NOW, &token));
	assert_string_equal(token.service, USER);
}

FACT(the_end_of_older_ones_is_in_what_may_not_be_later)
{
	static const struct { int64_t since, said; } cases[] = {
		{ 0, 0 },
		{ NOW * 1000000 - 1, 0 },
		{ NOW * 1000000, NOW * 1000000 },
		{ NOW * 1000000 + 999999, NOW * 1000000 + 999999 },
		{ (NOW + 5) * 1000000, (NOW + 5) * 1000000 },
	};
	struct token token;
	size_t n;

	for (size_t i = 0; i < COUNT(cases); i++) {
		n = token_issue(text, sizeof text, USER, "a", NULL,
		    cases[i].since, NOW, 60);
		assert_true(token_check(text, n, NOW, &token));
		assert_int_equal(token.since, cases[i].said);
	}
}

FACT(what_does_not_fit_is_not_issued)
{
	static char name[3000];
	size_t n = token_issue(text, sizeof text, USER, "a", NULL, 0, NOW, 60);
	char small[400];

	assert_int_equal(token_issue(small, n, USER, "a", NULL, 0, NOW, 60), 0);
	assert_int_equal(token_issue(small, n + 1, USER, "a", NULL, 0, NOW, 60),
	    n);
	memset(name, 'a', sizeof name - 1);
	assert_int_equal(token_issue(text, sizeof text, USER, name, NULL, 0,
	    NOW, 60), 0);
	assert_int_equal(token_issue(text, sizeof text, USER, "a", name, 0, NOW,
	    60), 0);
	assert_int_equal(token_issue_service(text, sizeof text, USER, name,
	    NOW, 60), 0);
}

int
main(void)
{
	const struct CMUnitTest facts[] = {
		T(of_many_tokens_only_the_right_ones_pass),
		T(nor_does_it_matter_what_came_before),
		T(it_says_who_since_when_and_until_when),
		T(a_changed_token_is_none),
		T(a_signature_of_another_kind_is_none),
		T(a_large_one_is_refused),
		T(each_algorithm_takes_its_own_tokens_only),
		T(what_is_issued_is_taken_until_it_ends),
		T(the_end_of_older_ones_is_in_what_may_not_be_later),
		T(what_does_not_fit_is_not_issued),
	};

	return cmocka_run_group_tests(facts, opened, NULL);
}
