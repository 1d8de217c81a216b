// SPDX-License-Identifier: MIT
/*
 * Makes and reads identities of software machines through the library, for the tests of this
 * folder.
 *
 *	identity_tool create DIR PROFILE [SERIAL [CRL-URL]]
 *	identity_tool show DIR
 *
 * An empty SERIAL stands for none. Prints "ERR <code> <text>" on failure.
 */
#include <stdio.h>
#include <string.h>

#include <zpv/hostkey.h>

static int failed(const struct zpv_err *err)
{
	printf("ERR %d %s\n", err->code, err->text);
	return 1;
}

static int create(int argc, char **argv)
{
	struct zpv_host_spec spec = { .dir = argv[2] };
	struct zpv_err err;

	if (argc < 4 || !zpv_profile_from_name(argv[3], &spec.profile))
		return 2;
	if (argc > 4 && argv[4][0])
		spec.serial = argv[4];
	if (argc > 5)
		spec.crl_url = argv[5];
	return zpv_host_create(&spec, &err) ? failed(&err) : 0;
}

static void print_hash(const char *name, const uint8_t *hash)
{
	printf("%s ", name);
	for (int i = 0; i < ZPV_PHKH_BYTES; i++)
		printf("%02x", hash[i]);
	printf("\n");
}

static int show(const char *dir)
{
	static const char *const names[] = {
		"hkd",	      "backup_hkd", "signing",		"intermediate",
		"root",	      "hkd_crl",    "intermediate_crl", "root_crl",
		"key_hashes", "key",	    "backup_key"
	};
	struct zpv_host *h = NULL;
	struct zpv_err err;

	if (zpv_host_open(dir, &h, &err) != 0)
		return failed(&err);
	printf("profile %s\ntype %s\nserial %s\ncreated %s\nexpires %s\n",
	       zpv_profile_name(zpv_host_profile(h)), zpv_host_type(h), zpv_host_serial(h),
	       zpv_host_created(h), zpv_host_expires(h));
	print_hash("hash", zpv_host_hash(h));
	print_hash("backup_hash", zpv_host_backup_hash(h));
	for (int i = 0; i <= ZPV_HOST_BACKUP_KEY; i++)
		printf("%s %s\n", names[i], zpv_host_path(h, (enum zpv_host_file)i));
	zpv_host_free(h);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "create") == 0)
		return create(argc, argv);
	if (argc == 3 && strcmp(argv[1], "show") == 0)
		return show(argv[2]);
	return 2;
}
