// SPDX-License-Identifier: MIT
/*
 * Metadata, kinds of components, the look at a kernel, and the table of machine generations.
 */
#include "se_img.h"

#include "se_profile.h"
#include "unit.h"

static void test_meta(void **state)
{
	AUTO_BYTES good = unit_hex("5365496d674c6e78 0000000000014000 00000001 00000000000a2000");
	AUTO_BYTES odd = unit_hex("5365496d674c6e78 ffffffffffffffff 80000002 0123456789abcdef");
	AUTO_BYTES magic = unit_hex("5365496d674c6e79 0000000000014000 00000001 00000000000a2000");
	const struct {
		const char *name;
		const struct unit_bytes *bytes;
		size_t len;
		bool ok;
		uint64_t hdr, ipib;
		uint32_t version;
	} rows[] = {
		{ "good", &good, 28, true, 0x14000, 0xa2000, 1 },
		{ "odd values", &odd, 28, true, UINT64_MAX, 0x0123456789abcdef, 0x80000002 },
		{ "another magic", &magic, 28, false, 0, 0, 0 },
		{ "27 bytes", &good, 27, false, 0, 0, 0 },
		{ "nothing", &good, 0, false, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t hdr = 0, ipib = 0;
		uint32_t version = 0;

		row_int(rows[i].name,
			se_img_meta_parse(rows[i].bytes->data, rows[i].len, &hdr, &ipib, &version),
			rows[i].ok);
		row_int(rows[i].name, hdr, rows[i].hdr);
		row_int(rows[i].name, ipib, rows[i].ipib);
		row_int(rows[i].name, version, rows[i].version);
	}
}

static void test_component_kinds(void **state)
{
	static const struct {
		enum se_comp_kind kind;
		uint16_t tweak;
		const char *name;
	} rows[] = {
		{ SE_COMP_KERNEL, 0x28, "kernel" },
		{ SE_COMP_RAMDISK, 0x32, "ramdisk" },
		{ SE_COMP_CMDLINE, 0x3c, "command line" },
		{ SE_COMP_STAGE3B, 0x46, "stage3b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		row_int(rows[i].name, se_comp_tweak_kind(rows[i].kind), rows[i].tweak);
		row_str(rows[i].name, se_comp_name(rows[i].kind), rows[i].name);
	}
}

#define ELF                                                                        \
	"ELF file found, but only raw binary kernels are supported. (Convert it: " \
	"objcopy -O binary vmlinux kernel.bin, or take the bzImage)"
#define SHORT	"No s390x Linux kernel provided (the file is too short)"
#define NO_TEXT "No s390x Linux kernel provided (no text S390EP at 0x10008)"

static void test_kernel_check(void **state)
{
	static const struct {
		const char *name, *at_0, *at_10008;
		size_t len;
		const char *text; /* NULL: a kernel */
	} rows[] = {
		{ "kernel", "abcd", "S390EP", 0x10438, NULL },
		{ "large kernel", "abcd", "S390EP", 0x20000, NULL },
		{ "one byte short", "abcd", "S390EP", 0x10437, SHORT },
		{ "nothing", "", "", 0, SHORT },
		{ "no text", "abcd", "S390EQ", 0x10438, NO_TEXT },
		{ "ELF", "\177ELF", "S390EP", 0x20000, ELF },
		{ "short ELF", "\177ELF", "", 4, ELF },
		{ "three bytes of ELF", "\177EL", "", 3, SHORT },
		{ "almost ELF", "\177ELf", "S390EP", 0x10438, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *buf = calloc(1, 0x20000);
		uint8_t *copy = malloc(rows[i].len + 1);
		struct zpv_err err = { 0 };

		row_true(rows[i].name, buf && copy);
		memcpy(buf, rows[i].at_0, strlen(rows[i].at_0));
		memcpy(buf + 0x10008, rows[i].at_10008, strlen(rows[i].at_10008));
		memcpy(copy, buf, rows[i].len);
		if (rows[i].text)
			row_err(rows[i].name, kernel_check(copy, rows[i].len, &err), err,
				ZPV_ERR_FORMAT, rows[i].text);
		else
			row_ok(rows[i].name, kernel_check(copy, rows[i].len, &err), err);
		free(buf);
		free(copy);
	}
}

static void test_kernel_max_cmdline(void **state)
{
	static const struct {
		const char *name;
		uint64_t value, want;
	} rows[] = {
		{ "not told", 0, 896 },
		{ "4096", 4096, 4096 },
		{ "largest", UINT64_MAX, UINT64_MAX },
	};
	static uint8_t buf[KERNEL_HEAD_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		be64 v;

		be64_set(&v, rows[i].value);
		memcpy(buf + 0x10430, v.b, 8);
		row_int(rows[i].name, kernel_max_cmdline(buf, sizeof(buf)), rows[i].want);
	}
}

static void test_profiles(void **state)
{
	static const struct se_profile want[SE_PROFILES] = {
		{ "z15", "8561", 0x100000e0, 0 },
		{ "z16", "3931", 0x300000e2, 0x4000000000000000 },
		{ "z17", "9175", 0x300000e2, 0x6000000000000000 },
	};

	(void)state;
	for (size_t i = 0; i < SE_PROFILES; i++) {
		row_str(want[i].name, se_profiles[i].name, want[i].name);
		row_str(want[i].name, se_profiles[i].type, want[i].type);
		row_int(want[i].name, se_profiles[i].pcf, want[i].pcf);
		row_int(want[i].name, se_profiles[i].scf, want[i].scf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meta),	     cmocka_unit_test(test_component_kinds),
		cmocka_unit_test(test_kernel_check), cmocka_unit_test(test_kernel_max_cmdline),
		cmocka_unit_test(test_profiles),
	};

	return cmocka_run_group_tests_name("formats/se_img", tests, NULL, NULL);
}
