#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "server/hash.h"

/* Known answers: of nothing, of "123456789", of a million times 'a'. */
static const struct {
	const char *name, *nothing, *digits, *million;
} known[] = {
	{ "CRC32", "00000000", "cbf43926", "dc25bfbc" },
	{ "MD5", "d41d8cd98f00b204e9800998ecf8427e", "25f9e794323b453885f5181f1b624d0b",
		"7707d6ae4e027c70eea2a935c2296f21" },
	{ "SHA-1", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
		"34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
	{ "SHA-256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	{ "SHA-512",
		"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
		"47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
		"d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274a"
		"d27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85",
		"e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
		"de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" },
};

/* In pieces of `step` bytes. */
static void assert_sum(const char *name, const char *data, size_t n, size_t step, const char *want)
{
	struct hash *h;
	char hex[HASH_HEX];
	assert_int_equal(hash_new(&h, hash_kind_find(name)), 0);
	for (size_t at = 0; at < n; at += step)
		hash_update(h, data + at, n - at < step ? n - at : step);
	assert_int_equal(hash_final(h, hex), 0);
	assert_string_equal(hex, want);
	hash_free(h);
}

static void test_known(void **state)
{
	static const size_t steps[] = { 1, 3, 7, 8, 9, 4096, 1000000 };
	char *a = malloc(1000000);
	(void)state;
	assert_non_null(a);
	memset(a, 'a', 1000000);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_sum(known[i].name, "", 0, 1, known[i].nothing);
		for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
			assert_sum(known[i].name, "123456789", 9, steps[j], known[i].digits);
			assert_sum(known[i].name, a, 1000000, steps[j], known[i].million);
		}
	}
	free(a);
}

static void test_names(void **state)
{
	static const char *const verbs[][2] = { { "XCRC", "CRC32" }, { "XMD5", "MD5" }, { "XSHA", "SHA-1" },
		{ "XSHA1", "SHA-1" }, { "XSHA256", "SHA-256" }, { "XSHA512", "SHA-512" } };
	(void)state;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		assert_string_equal(hash_kind_of_verb(verbs[i][0])->name, verbs[i][1]);
	assert_int_equal(hash_kind_count(), sizeof(known) / sizeof(known[0]));
	assert_string_equal(hash_kind_at(0)->name, "SHA-256");
	assert_ptr_equal(hash_kind_find("sha-256"), hash_kind_at(0));
	assert_null(hash_kind_find("SHA"));
	assert_null(hash_kind_find(""));
	assert_null(hash_kind_of_verb("RETR"));
	hash_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
