// SPDX-License-Identifier: MIT
/*
 * The files of an identity: their names, identity.json, and the list of key hashes.
 *
 * The names are those under which IBM publishes the real documents; uv-keys-all has the form of
 * /sys/firmware/uv/keys/all (Linux, arch/s390/kernel/uv.c).
 */
#define _GNU_SOURCE
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hostkey_priv.h"
#include "identity_priv.h"
#include "text.h"

static const struct {
	const char *label; /* in identity.json */
	const char *name;  /* or what stands before "<type>-<serial>.crt" */
	bool of_machine;
} files[HOST_FILES] = {
	[ZPV_HOST_HKD] = { "host_key_document", "HKD", true },
	[ZPV_HOST_BACKUP_HKD] = { "backup_host_key_document", "backup-HKD", true },
	[ZPV_HOST_SIGNING_CERT] = { "signing_key_certificate", "ibm-z-host-key-signing-gen2.crt",
				    false },
	[ZPV_HOST_INTERMEDIATE_CERT] = { "intermediate_ca_certificate", "DigiCertCA.crt", false },
	[ZPV_HOST_ROOT_CERT] = { "root_ca_certificate", "rootCA.crt", false },
	[ZPV_HOST_HKD_CRL] = { "host_key_crl", "ibm-z-host-key-gen2.crl", false },
	[ZPV_HOST_INTERMEDIATE_CRL] = { "intermediate_ca_crl", "DigiCertCA.crl", false },
	[ZPV_HOST_ROOT_CRL] = { "root_ca_crl", "rootCA.crl", false },
	[ZPV_HOST_KEY_HASHES] = { "key_hashes", "uv-keys-all", false },
	[ZPV_HOST_KEY] = { "host_key", "private/host.key", false },
	[ZPV_HOST_BACKUP_KEY] = { "backup_host_key", "private/backup-host.key", false },
};

char *host_file_name(enum zpv_host_file file, const char *type, const char *serial)
{
	char *name = NULL;

	if (!files[file].of_machine)
		return strdup(files[file].name);
	return asprintf(&name, "%s-%s-%s.crt", files[file].name, type, serial) < 0 ? NULL : name;
}

const char *host_file_label(enum zpv_host_file file)
{
	return files[file].label;
}

static bool add_value(struct json_object *to, const char *key, struct json_object *value)
{
	if (value && json_object_object_add(to, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool add_text(struct json_object *to, const char *key, const char *text)
{
	return add_value(to, key, text ? json_object_new_string(text) : NULL);
}

static bool add_hash(struct json_object *to, const char *key, const uint8_t hash[ZPV_PHKH_BYTES])
{
	char hex[HEX_SIZE(ZPV_PHKH_BYTES)];

	return add_text(to, key, hex_encode(hash, ZPV_PHKH_BYTES, hex));
}

static bool add_files(struct json_object *to, const struct identity *id)
{
	for (int i = 0; i < HOST_FILES; i++) {
		char *name = host_file_name((enum zpv_host_file)i, profile_type(id->profile),
					    id->serial);
		bool ok = add_text(to, files[i].label, name);

		free(name);
		if (!ok)
			return false;
	}
	return true;
}

static bool fill_json(struct json_object *root, const struct identity *id)
{
	struct json_object *list;

	return add_value(root, "version", json_object_new_int(IDENTITY_VERSION)) &&
	       add_value(root, "simulated", json_object_new_boolean(1)) &&
	       add_text(root, "profile", zpv_profile_name(id->profile)) &&
	       add_text(root, "type", profile_type(id->profile)) &&
	       add_text(root, "serial", id->serial) && add_text(root, "created", id->created) &&
	       add_hash(root, "host_key_hash", id->hash) &&
	       add_hash(root, "backup_host_key_hash", id->backup_hash) &&
	       add_value(root, "files", list = json_object_new_object()) && add_files(list, id);
}

char *identity_to_json(const struct identity *id)
{
	int form = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
		   JSON_C_TO_STRING_NOSLASHESCAPE;
	struct json_object *root = json_object_new_object();
	char *text = NULL;

	if (root && fill_json(root, id) &&
	    asprintf(&text, "%s\n", json_object_to_json_string_ext(root, form)) < 0)
		text = NULL;
	json_object_put(root);
	return text;
}

/* A string member without NULs inside; else NULL. */
static const char *get_text(const struct json_object *from, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(from, key, &value) ||
	    !json_object_is_type(value, json_type_string) ||
	    strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return NULL;
	return json_object_get_string(value);
}

static bool get_hash(const struct json_object *from, const char *key, uint8_t hash[ZPV_PHKH_BYTES])
{
	const char *text = get_text(from, key);

	return text && hex_decode(text, strlen(text), hash, ZPV_PHKH_BYTES);
}

static bool created_valid(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";

	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

/* Returns the member that is missing or wrong, or NULL. */
static const char *read_members(const struct json_object *root, struct identity *id)
{
	const char *profile = get_text(root, "profile"), *type = get_text(root, "type");
	const char *serial = get_text(root, "serial"), *created = get_text(root, "created");

	if (!profile || !zpv_profile_from_name(profile, &id->profile))
		return "profile";
	if (!type || strcmp(type, profile_type(id->profile)) != 0)
		return "type";
	if (!serial || !serial_valid(serial))
		return "serial";
	if (!created || !created_valid(created))
		return "created";
	if (!get_hash(root, "host_key_hash", id->hash))
		return "host_key_hash";
	if (!get_hash(root, "backup_host_key_hash", id->backup_hash))
		return "backup_host_key_hash";
	memcpy(id->serial, serial, strlen(serial) + 1);
	memcpy(id->created, created, strlen(created) + 1);
	return NULL;
}

/* Returns the label of a file whose name is not the one that type and serial number ask for. */
static const char *wrong_file(const struct json_object *root, const struct identity *id)
{
	struct json_object *list;

	if (!json_object_object_get_ex(root, "files", &list))
		return "files";
	for (int i = 0; i < HOST_FILES; i++) {
		const char *text = get_text(list, files[i].label);
		char *name = host_file_name((enum zpv_host_file)i, profile_type(id->profile),
					    id->serial);
		bool same = text && name && strcmp(text, name) == 0;

		free(name);
		if (!same)
			return files[i].label;
	}
	return NULL;
}

static int read_root(const struct json_object *root, struct identity *id, struct zpv_err *err)
{
	struct json_object *version;
	const char *wrong;

	if (!json_object_object_get_ex(root, "version", &version) ||
	    !json_object_is_type(version, json_type_int))
		return err_set(err, ZPV_ERR_FORMAT, "there is no version number");
	if (json_object_get_int(version) != IDENTITY_VERSION)
		return err_set(err, ZPV_ERR_FORMAT, "version %d, not %d",
			       json_object_get_int(version), IDENTITY_VERSION);
	wrong = read_members(root, id);
	if (!wrong)
		wrong = wrong_file(root, id);
	if (wrong)
		return err_set(err, ZPV_ERR_FORMAT, "'%s' is missing or wrong", wrong);
	return 0;
}

int identity_from_json(const char *text, size_t len, struct identity *id, struct zpv_err *err)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root;
	int rc;

	if (!tokener)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	root = len <= INT32_MAX ? json_tokener_parse_ex(tokener, text, (int)len) : NULL;
	if (!json_object_is_type(root, json_type_object))
		rc = err_set(err, ZPV_ERR_FORMAT, "not a JSON object");
	else
		rc = read_root(root, id, err);
	json_object_put(root);
	json_tokener_free(tokener);
	return rc;
}

char *key_hashes_to_text(const uint8_t hash[ZPV_PHKH_BYTES],
			 const uint8_t backup_hash[ZPV_PHKH_BYTES])
{
	static const uint8_t none[ZPV_PHKH_BYTES];
	size_t line = HEX_SIZE(ZPV_PHKH_BYTES); /* the newline takes the place of the NUL */
	char *text = malloc(KEY_HASH_LINES * line + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < KEY_HASH_LINES; i++) {
		hex_encode(i == 0 ? hash :
			   i == 1 ? backup_hash :
				    none,
			   ZPV_PHKH_BYTES, text + i * line);
		text[(i + 1) * line - 1] = '\n';
	}
	text[KEY_HASH_LINES * line] = '\0';
	return text;
}
