// SPDX-License-Identifier: MIT
/*
 * Names of signing keys: recognition, the other locality, the usual order.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#include "ossl_priv.h"
#include "verify_priv.h"

#define IBM "International Business Machines Corporation"

/* "C=US/O=..." to a name; entries are separated by slashes. */
static X509_NAME *name_of(const char *text)
{
	X509_NAME *name = X509_NAME_new();
	char copy[256], *save = NULL;

	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		char *value = strchr(part, '=');

		*value++ = '\0';
		assert_int_equal(X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
							    (const uint8_t *)value, -1, -1, 0),
				 1);
	}
	return name;
}

static const struct {
	const char *what, *name;
	int differences;
	const char *why;
} subjects[] = {
	{ "Poughkeepsie",
	  "C=US/O=" IBM "/OU=Key Signing Service/L=Poughkeepsie/ST=New York/CN=" IBM, 0, "" },
	{ "Armonk, any order",
	  "CN=" IBM "/OU=X Key Signing Service/ST=New York/L=Armonk/O=" IBM "/C=US", 0, "" },
	{ "another country", "C=DE/O=" IBM "/OU=Key Signing Service/L=Armonk/ST=New York/CN=" IBM,
	  1, "its C is not 'US'" },
	{ "another locality", "C=US/O=" IBM "/OU=Key Signing Service/L=Rye/ST=New York/CN=" IBM, 1,
	  "its L is not 'Poughkeepsie' or 'Armonk'" },
	{ "suffix not at the end",
	  "C=US/O=" IBM "/OU=Key Signing Service!/L=Armonk/ST=New York/CN=" IBM, 1,
	  "its OU does not end with 'Key Signing Service'" },
	{ "OU shorter than the suffix", "C=US/O=" IBM "/OU=Service/L=Armonk/ST=New York/CN=" IBM, 1,
	  "its OU does not end with 'Key Signing Service'" },
	{ "value that goes on",
	  "C=US/O=" IBM "/OU=Key Signing Service/L=Armonk/ST=New Yorker/CN=" IBM, 1,
	  "its ST is not 'New York'" },
	{ "an entry more",
	  "C=US/O=" IBM "/OU=Key Signing Service/L=Armonk/ST=New York/CN=" IBM "/CN=more", 1,
	  "its subject has 7 entries, not 6" },
	{ "one missing, another twice",
	  "C=US/O=" IBM "/OU=Key Signing Service/L=Armonk/CN=" IBM "/C=US", 1,
	  "its ST is not 'New York'" },
	{ "empty", "", 7, "its C is not 'US'" },
};

static void test_differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		AUTO_OSSL(X509_NAME) *name = name_of(subjects[i].name);
		char why[NAME_TEXT_SIZE] = "";

		if (subject_differences(name, why, sizeof(why)) != subjects[i].differences ||
		    strcmp(why, subjects[i].why) != 0)
			fail_msg("%s: %d, %s", subjects[i].what, subject_differences(name, NULL, 0),
				 why);
	}
}

static void test_swap_locality(void **state)
{
	AUTO_OSSL(X509_NAME) *armonk = name_of("C=US/L=Armonk/CN=x");
	AUTO_OSSL(X509_NAME) *want = name_of("C=US/L=Poughkeepsie/CN=x");
	AUTO_OSSL(X509_NAME) *none = name_of("C=US/CN=Armonk");
	AUTO_OSSL(X509_NAME) *got = subject_swap_locality(armonk);

	(void)state;
	assert_non_null(got);
	assert_int_equal(X509_NAME_cmp(got, want), 0);
	assert_null(subject_swap_locality(want));
	assert_null(subject_swap_locality(none));
}

static void test_reorder(void **state)
{
	AUTO_OSSL(X509_NAME) *name = name_of("CN=n/ST=s/L=l/OU=first/OU=second/C=US");
	AUTO_OSSL(X509_NAME) *want = name_of("C=US/OU=first/L=l/ST=s/CN=n");
	AUTO_OSSL(X509_NAME) *got = subject_reorder(name);

	(void)state;
	assert_non_null(got);
	assert_int_equal(X509_NAME_cmp(got, want), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_swap_locality),
		cmocka_unit_test(test_reorder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
