#include "unit.h"

#include "base64url.h"

static const struct {
	const char *bytes, *text;
} same[] = {	/* RFC 4648, 10, without padding */
	{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "-_-_" },
};

FACT(bytes_have_one_text_and_text_gives_them_back)
{
	unsigned char bytes[16];
	char text[32];
	size_t i, n;

	for (i = 0; i < COUNT(same); i++) {
		n = base64url_encode(text, same[i].bytes,
		    strlen(same[i].bytes));
		assert_int_equal(n, strlen(same[i].text));
		assert_int_equal(n,
		    BASE64URL_ENCODED(strlen(same[i].bytes)));
		assert_memory_equal(text, same[i].text, n);
		assert_int_equal(base64url_decode(bytes, text, n),
		    strlen(same[i].bytes));
		assert_memory_equal(bytes, same[i].bytes,
		    strlen(same[i].bytes));
	}
}

FACT(what_no_bytes_have_is_refused)
{
	static const char *const wrong[] = {
		"Z", "Zm9vY", "Zg==", "Zm8=", "Zm9v ", "Zm+v", "Zm/v",
		"Zm\n9", "\x80m9v", "Zm\xff\xff", "[m9v", "`m9v", "{m9v",
		"Zh", "Zm9", "Zn", "@m9v", "/m9v", ":m9v", "\x7fm9v",
	};
	unsigned char bytes[16];
	size_t i;

	for (i = 0; i < COUNT(wrong); i++)
		ROW_TRUE(base64url_decode(bytes, wrong[i], strlen(wrong[i]))
		    == -1, wrong[i]);
	assert_int_equal(base64url_decode(bytes, "Zm\0v", 4), -1);
}

/* Of all texts of two characters, each byte has exactly one. */
FACT(a_byte_has_one_text_only)
{
	int texts[256] = { 0 }, a, b, i;
	unsigned char byte;

	for (a = 0; a < 256; a++)
		for (b = 0; b < 256; b++) {
			char text[] = { (char)a, (char)b };

			if (base64url_decode(&byte, text, 2) == 1)
				texts[byte]++;
		}
	for (i = 0; i < 256; i++)
		assert_int_equal(texts[i], 1);
}

RUN(T(bytes_have_one_text_and_text_gives_them_back),
    T(what_no_bytes_have_is_refused), T(a_byte_has_one_text_only))
