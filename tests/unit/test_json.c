#include "unit.h"

#include "json.h"

static struct json_node nodes[JSON_NODES_MAX];
static struct json json;

/* From memory of exactly that size, so that a sanitizer sees a step beyond. */
static enum json_fault
read_bytes(const char *text, size_t length)
{
	char *copy = malloc(length + 1), *exact = copy + 1;
	enum json_fault fault;

	memcpy(exact, text, length);
	fault = json_read(&json, exact, length, nodes, JSON_NODES_MAX);
	free(copy);
	return fault;
}

static const struct {
	const char *text;
	enum json_fault fault;
} rows[] = {
	/* what is JSON */
	{ "{}", JSON_FINE }, { " [ ] ", JSON_FINE }, { "0", JSON_FINE },
	{ "-0.5e+10", JSON_FINE }, { "\"\"", JSON_FINE },
	{ "true", JSON_FINE }, { "{\"a\":[1,{\"b\":null}]}", JSON_FINE },
	{ "\"\\ud83d\\ude00 \\u00e4 \\n\"", JSON_FINE },
	{ "\"\xf0\x9f\x98\x80 \xc3\xa4 \x7f\"", JSON_FINE },
	{ "{\"\":1,\" \":2}", JSON_FINE },
	/* json-c's lenience, one by one */
	{ "{'a':1}", JSON_SYNTAX }, { "NaN", JSON_SYNTAX },
	{ "[NaN]", JSON_SYNTAX }, { "[Infinity]", JSON_SYNTAX },
	{ "[-Infinity]", JSON_SYNTAX }, { "\"a\tb\"", JSON_SYNTAX },
	{ "\"a\nb\"", JSON_SYNTAX }, { "\"\x1f\"", JSON_SYNTAX },
	{ "\"\xc0\xaf\"", JSON_UTF8 }, { "\"\xed\xa0\x80\"", JSON_UTF8 },
	{ "\"\xf4\x90\x80\x80\"", JSON_UTF8 }, { "\"\xff\"", JSON_UTF8 },
	{ "\"\xe2\x82\"", JSON_UTF8 }, { "\"\x80\"", JSON_UTF8 },
	{ "\"\xf0\x80\x80\x80\"", JSON_UTF8 },
	{ "\"\\ud800\"", JSON_SYNTAX }, { "\"\\ud800x\"", JSON_SYNTAX },
	{ "\"\\udc00\"", JSON_SYNTAX },
	{ "\"\\ud800\\ud800\"", JSON_SYNTAX },
	{ "\"\\ud800\\u0041\"", JSON_SYNTAX },
	{ "\"\\u0000\"", JSON_NUL }, { "{\"a\\u0000b\":1}", JSON_NUL },
	/* duplicates, also after unescaping */
	{ "{\"a\":1,\"a\":2}", JSON_DUPLICATE },
	{ "{\"a\":1,\"\\u0061\":2}", JSON_DUPLICATE },
	{ "[{\"x\":{\"b\":1,\"b\":1}}]", JSON_DUPLICATE },
	{ "{\"\\u00e4\":1,\"\xc3\xa4\":2}", JSON_DUPLICATE },
	{ "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", JSON_DUPLICATE },
	{ "{\"a\":{\"a\":1},\"b\":{\"a\":1}}", JSON_FINE },
	{ "{\"a\":1,\"A\":2,\"aa\":3}", JSON_FINE },
	/* numbers */
	{ "01", JSON_SYNTAX }, { "-", JSON_SYNTAX }, { "+1", JSON_SYNTAX },
	{ ".5", JSON_SYNTAX }, { "1.", JSON_SYNTAX }, { "1e", JSON_SYNTAX },
	{ "1e+", JSON_SYNTAX }, { "0x10", JSON_SYNTAX },
	{ "-01", JSON_SYNTAX }, { "1_000", JSON_SYNTAX },
	/* what does not end, and what goes on */
	{ "", JSON_SYNTAX }, { " ", JSON_SYNTAX }, { "{", JSON_SYNTAX },
	{ "[", JSON_SYNTAX }, { "[1", JSON_SYNTAX }, { "[1,", JSON_SYNTAX },
	{ "[1,]", JSON_SYNTAX }, { "[,1]", JSON_SYNTAX },
	{ "[1 2]", JSON_SYNTAX }, { "{\"a\"", JSON_SYNTAX },
	{ "{\"a\":", JSON_SYNTAX }, { "{\"a\":1,}", JSON_SYNTAX },
	{ "{\"a\" 1}", JSON_SYNTAX }, { "{a:1}", JSON_SYNTAX },
	{ "{1:1}", JSON_SYNTAX }, { "{\"a\":1 \"b\":2}", JSON_SYNTAX },
	{ "{]", JSON_SYNTAX }, { "[}", JSON_SYNTAX }, { "]", JSON_SYNTAX },
	{ "\"a", JSON_SYNTAX }, { "\"\\", JSON_SYNTAX },
	{ "\"\\\"", JSON_SYNTAX }, { "\"\\u12\"", JSON_SYNTAX },
	{ "\"\\x41\"", JSON_SYNTAX }, { "\"\\u00g0\"", JSON_SYNTAX },
	{ "tru", JSON_SYNTAX }, { "truer", JSON_SYNTAX },
	{ "TRUE", JSON_SYNTAX }, { "nul", JSON_SYNTAX },
	{ "{} {}", JSON_SYNTAX }, { "{}x", JSON_SYNTAX },
	{ "1 // one", JSON_SYNTAX }, { "/* */ 1", JSON_SYNTAX },
	{ "\xef\xbb\xbf{}", JSON_SYNTAX }, { "\f{}", JSON_SYNTAX },
	{ "{}\v", JSON_SYNTAX }, { "\xc2\xa0{}", JSON_SYNTAX },
};

FACT(what_is_no_strict_json_is_refused)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		ROW_TRUE(read_bytes(rows[i].text, strlen(rows[i].text)) ==
		    rows[i].fault, rows[i].text);
}

FACT(a_nul_is_refused_wherever_it_stands)
{
	static const char text[] = "{\"a\": [1, \"b\"]} ";
	char copy[sizeof text];
	size_t i;

	for (i = 0; i < sizeof text - 1; i++) {
		memcpy(copy, text, sizeof text);
		copy[i] = '\0';
		assert_int_not_equal(read_bytes(copy, sizeof text - 1),
		    JSON_FINE);
	}
}

/* Cut anywhere, a text is no JSON, and nothing behind the cut is read. */
FACT(a_cut_text_is_refused)
{
	static const char text[] = "{\"k\\u00e4\\ud83d\\ude00\xc3\xa4\":"
	    "[-1.5e+3,true,false,null,\"\xf0\x9f\x98\x80\"],\"m\":{\"n\":0}}";
	size_t i;

	for (i = 0; i < sizeof text - 1; i++)
		assert_int_not_equal(read_bytes(text, i), JSON_FINE);
	assert_int_equal(read_bytes(text, i), JSON_FINE);
}

static enum json_fault
nested(int depth)
{
	char text[200];

	memset(text, '[', (size_t)depth);
	memset(text + depth, ']', (size_t)depth);
	return read_bytes(text, (size_t)depth * 2);
}

FACT(thirty_two_deep_and_no_deeper)
{
	assert_int_equal(nested(32), JSON_FINE);
	assert_int_equal(nested(33), JSON_DEPTH);
	assert_int_equal(nested(100), JSON_DEPTH);
}

static enum json_fault
list_of(int count)
{
	static char text[30000];
	int i;

	strcpy(text, "[0");
	for (i = 1; i < count; i++)
		memcpy(text + i * 2, ",0", 2);
	text[count * 2] = ']';
	return read_bytes(text, (size_t)count * 2 + 1);
}

FACT(ten_thousand_nodes_and_no_more)
{
	assert_int_equal(list_of(9999), JSON_FINE);
	assert_int_equal(list_of(10000), JSON_NODES);
	assert_int_equal(json_read(&json, "[1,2]", 5, nodes, 2), JSON_NODES);
	assert_int_equal(json_read(&json, "[1,2]", 5, nodes, 3), JSON_FINE);
}

/* Objects with many keys are looked through in another way. */
FACT(a_duplicate_is_found_among_many)
{
	static char text[80000];
	int count, where, n, i;

	for (count = 7; count < 4000; count = count * 3 + 1)
		for (where = -1; where < count - 1; where +=
		    count / 3 + 1) {
			n = sprintf(text, "{");
			for (i = 0; i < count; i++)
				n += sprintf(text + n, "%s\"key%d\":0",
				    i ? "," : "",
				    i == count - 1 && where >= 0 ? where : i);
			n += sprintf(text + n, "}");
			assert_int_equal(read_bytes(text, (size_t)n),
			    where >= 0 ? JSON_DUPLICATE : JSON_FINE);
		}
}

static uint32_t
member(const char *name)
{
	int node = json_member(&json, 0, name);

	assert_true(node > 0);
	return (uint32_t)node;
}

FACT(members_are_found_with_their_values)
{
	static const char text[] = "{\"a\":[1,[2,3]],\"\\u0062\":\"\\\"x\\n\","
	    "\"c\":{\"d\":true},\"e\":null}";
	char out[16];
	int64_t n;

	assert_int_equal(json_read(&json, text, sizeof text - 1, nodes, 100),
	    JSON_FINE);
	assert_int_equal(json.count, 15);
	assert_int_equal(nodes[0].count, 4);
	assert_int_equal(nodes[0].next, json.count);
	assert_int_equal(nodes[member("a")].count, 2);
	assert_int_equal(nodes[member("c")].kind, JSON_OBJECT);
	assert_int_equal(nodes[member("e")].kind, JSON_NULL);
	assert_int_equal(json_string(&json, member("b"), out, sizeof out), 3);
	assert_string_equal(out, "\"x\n");
	assert_int_equal(json_string(&json, member("b"), out, 3), 2);
	assert_string_equal(out, "\"x");
	assert_int_equal(json_member(&json, 0, "d"), -1);
	assert_int_equal(json_member(&json, 0, "A"), -1);
	assert_int_equal(json_member(&json, member("a"), "a"), -1);
	assert_false(json_integer(&json, member("b"), &n));
}

FACT(a_member_is_what_it_should_be_or_nothing)
{
	static const char text[] = "{\"a\":\"\\u00e7a\",\"n\":-7,"
	    "\"t\":true,\"l\":[1],\"f\":1.5}";
	char out[8] = "x", *copy;

	assert_int_equal(json_read(&json, text, sizeof text - 1, nodes, 100),
	    JSON_FINE);
	assert_int_equal(json_member_of(&json, 0, "t", JSON_TRUE),
	    json_member(&json, 0, "t"));
	assert_int_equal(json_member_of(&json, 0, "t", JSON_FALSE), -1);
	assert_int_equal(json_member_of(&json, 0, "none", JSON_TRUE), -1);
	assert_int_equal(json_member_integer(&json, 0, "n"), -7);
	assert_int_equal(json_member_integer(&json, 0, "f"), 0);
	assert_int_equal(json_member_integer(&json, 0, "a"), 0);
	assert_int_equal(json_member_integer(&json, 0, "none"), 0);
	assert_int_equal(json_member_string(&json, 0, "a", out, sizeof out),
	    3);
	assert_string_equal(out, "\xc3\xa7" "a");
	assert_int_equal(json_member_string(&json, 0, "n", out, sizeof out),
	    0);
	assert_string_equal(out, "");
	copy = json_member_copy(&json, 0, "a");
	assert_string_equal(copy, "\xc3\xa7" "a");
	free(copy);
	assert_null(json_member_copy(&json, 0, "l"));
	assert_null(json_member_copy(&json, 0, "none"));
	json = (struct json){ .count = 0 };
	assert_int_equal(json_member(&json, 0, "a"), -1);
}

FACT(an_integer_is_exact_or_none)
{
	static const struct {
		const char *text;
		bool is;
		int64_t value;
	} numbers[] = {
		{ "0", true, 0 }, { "-0", true, 0 }, { "42", true, 42 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "3.9", false, 0 }, { "3.0", false, 0 }, { "1e3", false, 0 },
	};
	int64_t value;
	size_t i;

	for (i = 0; i < COUNT(numbers); i++) {
		assert_int_equal(json_read(&json, numbers[i].text,
		    strlen(numbers[i].text), nodes, 1), JSON_FINE);
		value = 0;
		ROW_TRUE(json_integer(&json, 0, &value) == numbers[i].is &&
		    value == numbers[i].value, numbers[i].text);
	}
}

FACT(what_is_quoted_is_read_again)
{
	char bytes[127], quoted[1000], again[1000];
	size_t n, i;

	for (i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i + 1);
	n = json_quote(quoted, sizeof quoted, bytes, sizeof bytes);
	assert_int_equal(n, strlen(quoted));
	assert_int_equal(json_read(&json, quoted, n, nodes, 1), JSON_FINE);
	assert_int_equal(json_string(&json, 0, again, sizeof again),
	    sizeof bytes);
	assert_memory_equal(again, bytes, sizeof bytes);
}

FACT(quoting_tells_what_it_needs_and_stays_inside)
{
	static const char wanted[] = "\"a\\u0001\\\"\\n\"";
	char out[32];
	size_t size, i;

	for (size = 0; size <= sizeof wanted; size++) {
		memset(out, '#', sizeof out);
		assert_int_equal(json_quote(out, size, "a\1\"\n", 4),
		    sizeof wanted - 1);
		for (i = size; i < sizeof out; i++)
			assert_int_equal(out[i], '#');
		if (size > 0)
			assert_int_equal(strlen(out), size - 1);
	}
	assert_string_equal(out, wanted);
}

RUN(T(what_is_no_strict_json_is_refused),
    T(a_nul_is_refused_wherever_it_stands), T(a_cut_text_is_refused),
    T(thirty_two_deep_and_no_deeper), T(ten_thousand_nodes_and_no_more),
    T(a_duplicate_is_found_among_many),
    T(members_are_found_with_their_values),
    T(a_member_is_what_it_should_be_or_nothing),
    T(an_integer_is_exact_or_none),
    T(what_is_quoted_is_read_again),
    T(quoting_tells_what_it_needs_and_stays_inside))
