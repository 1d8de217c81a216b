// SPDX-License-Identifier: MIT
/*
 * From a software machine's identity to an image that it opens. Slow: it makes RSA keys.
 */
#include "hostkey.h"
#include "image.h"

/* The machine's folder, its backup key and the file of its hashes all fit the image. */
static void test_round_trip(void **state)
{
	struct unit_path kernel = unit_golden("kernel.bin");
	struct unit_path dir = unit_in(state, "host"), out = unit_in(state, "image");
	const struct zpv_host_spec host_spec = { .dir = dir.s, .profile = ZPV_PROFILE_Z16 };
	AUTO(zpv_host) struct zpv_host *host = NULL;
	AUTO(zpv_hostkey) struct zpv_hostkey *hkd = NULL;
	AUTO(zpv_hostkey) struct zpv_hostkey *backup = NULL;
	const struct zpv_hostkey *docs[2];
	struct zpv_image_spec spec = { .kernel = kernel.s,
				       .hostkeys = docs,
				       .nhostkeys = 2,
				       .output = out.s,
				       .output_fd = -1 };
	AUTO(zpv_image) struct zpv_image *img = NULL;
	AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
	uint8_t hashes[ZPV_KEY_HASHES][ZPV_PHKH_BYTES];
	struct zpv_err err = { 0 };

	row_ok("identity", zpv_host_create(&host_spec, &err), err);
	row_ok("identity", zpv_host_open(dir.s, &host, &err), err);
	row_ok("document", zpv_hostkey_read(zpv_host_path(host, ZPV_HOST_HKD), NULL, &hkd, &err),
	       err);
	row_ok("backup",
	       zpv_hostkey_read(zpv_host_path(host, ZPV_HOST_BACKUP_HKD), NULL, &backup, &err),
	       err);
	docs[0] = hkd;
	docs[1] = backup;
	row_ok("create", zpv_image_create(&spec, &err), err);
	row_ok("open", zpv_image_open(out.s, NULL, &img, &err), err);
	row_ok("backup key",
	       zpv_image_open_host_key(img, zpv_host_path(host, ZPV_HOST_BACKUP_KEY), &err), err);
	row_ok("folder", zpv_image_open_host_key(img, dir.s, &err), err);
	row_ok("verify", zpv_image_verify(img, NULL, &r, &err), err);
	assert_true(r->ok);
	row_ok("hashes",
	       zpv_key_hashes_read(zpv_host_path(host, ZPV_HOST_KEY_HASHES), hashes, &err), err);
	assert_true(zpv_image_has_hash(img, hashes[0]));
	assert_true(zpv_image_has_hash(img, hashes[1]));
	assert_false(zpv_image_has_hash(img, hashes[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_dir(test_round_trip),
	};

	return cmocka_run_group_tests_name("image/host", tests, NULL, NULL);
}
