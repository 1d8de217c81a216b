// SPDX-License-Identifier: MIT
/*
 * Sealing: what is created is laid out by the rules, opens with its keys, and verifies to its
 * inputs; what fails or is cancelled leaves nothing.
 */
#include <zpv/image.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "digests.h"
#include "hostkey.h"
#include "image.h"
#include "sha.h"
#include "text.h"

#define SLOT DIGESTS_SLOT_BYTES

/* --- Helpers --------------------------------------------------------------------------------- */

/* A specification with the golden keys and the golden kernel; strings live as long as it. */
struct fixture {
	struct unit_path out, part, kernel, ramdisk, parmfile, cck, hdr_key, image_key;
	struct zpv_hostkey *doc;
	const struct zpv_hostkey *docs[96];
	struct zpv_image_spec spec;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct unit_path doc = unit_golden("host1.crt");
	struct zpv_err err;
	void *dir;

	if (!f || unit_dir_setup(&dir) != 0)
		return -1;
	f->out = unit_in(&dir, "image");
	f->part = unit_in(&dir, "image.part");
	f->ramdisk = unit_in(&dir, "ramdisk");
	f->parmfile = unit_in(&dir, "parmfile");
	f->kernel = unit_golden("kernel.bin");
	f->cck = unit_golden("cck.bin");
	f->hdr_key = unit_golden("hdr.key");
	f->image_key = unit_golden("image.key");
	if (zpv_hostkey_read(doc.s, NULL, &f->doc, &err) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(f->docs); i++)
		f->docs[i] = f->doc;
	f->spec = (struct zpv_image_spec){ .kernel = f->kernel.s,
					   .hostkeys = f->docs,
					   .nhostkeys = 1,
					   .cck = f->cck.s,
					   .hdr_key = f->hdr_key.s,
					   .image_key = f->image_key.s,
					   .pcf = ZPV_PCF_DEFAULT,
					   .output = f->out.s,
					   .output_fd = -1 };
	free(dir); /* its path is in f->out */
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char *slash = strrchr(f->out.s, '/');

	*slash = '\0';
	unit_remove_all(f->out.s);
	zpv_hostkey_free(f->doc);
	free(f);
	return 0;
}

#define image_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Verifies the output with the golden header key; everything must be in order. */
static void verify(const char *row, const struct fixture *f, struct zpv_image_report **r)
{
	AUTO(zpv_image) struct zpv_image *img = NULL;
	struct zpv_err err = { 0 };
	char failed[512];

	row_ok(row, zpv_image_open(f->out.s, NULL, &img, &err), err);
	row_true(row, img->has_meta);
	row_ok(row, zpv_image_open_hdr_key(img, f->hdr_key.s, &err), err);
	row_ok(row, zpv_image_verify(img, NULL, r, &err), err);
	image_failed(*r, failed);
	if (failed[0])
		fail_msg("[%s] %s: %s", row, failed, image_text(*r, NULL));
}

static void check_content(const char *row, const struct zpv_image_report *r,
			  enum zpv_image_part_kind kind, const void *data, size_t len)
{
	const struct zpv_image_part *p = image_part(r, kind);
	uint8_t digest[SHA256_BYTES];
	struct zpv_err err;
	char hex[65];

	row_true(row, p != NULL);
	row_int(row, p->content, len);
	row_int(row, p->len, len ? (len + 4095) / 4096 * 4096 : 4096);
	row_ok(row, sha256(data, len, digest, &err), err);
	row_str(row, p->sha256_hex, hex_encode(digest, sizeof(digest), hex));
}

static void check_file(const char *row, const struct zpv_image_report *r,
		       enum zpv_image_part_kind kind, const char *path)
{
	AUTO_BYTES want = unit_read(path);

	check_content(row, r, kind, want.data, want.len);
}

static void make_file(const char *path, size_t len, uint32_t seed)
{
	uint8_t *data = malloc(len + 1);

	assert_non_null(data);
	unit_pattern(data, len, seed);
	unit_write(path, data, len);
	free(data);
}

static bool zeros(const uint8_t *data, size_t from, size_t to)
{
	for (; from < to; from++)
		if (data[from])
			return false;
	return true;
}

/* --- Layout ---------------------------------------------------------------------------------- */

/* The rules of se-image.md section 2, by offsets of their own. */
static void check_layout(const char *row, const uint8_t *d, size_t size, size_t nks, size_t n)
{
	size_t hdr_size = 560 + 80 * nks;
	size_t first = (0x14000 + hdr_size + 4095) / 4096 * 4096, next = first;
	size_t ipib = image_get(d + 0xc014, 8), args;

	row_int(row, image_get(d, 8), 0x0008000180011000);
	row_true(row, zeros(d, 8, 0xc000));
	row_mem(row, d + 0xc000, "SeImgLnx", 8);
	row_int(row, image_get(d + 0xc008, 8), 0x14000);
	row_int(row, image_get(d + 0xc010, 4), 1);
	row_true(row, zeros(d, 0xc01c, 0x10000));
	row_true(row, memcmp(d + 0x10008, "S390EP", 6) != 0);
	for (args = 0x14000 - 24; image_get(d + args, 8) != 0x14000 - args; args--)
		row_true(row, args > 0x11000);
	row_int(row, image_get(d + args + 8, 8), hdr_size);
	row_int(row, image_get(d + args + 16, 8), ipib - args);
	row_true(row, zeros(d, args + 24, 0x14000));
	row_mem(row, d + 0x14000, "IBMSecEx", 8);
	row_int(row, image_get(d + 0x1400c, 4), hdr_size);
	row_int(row, image_get(d + 0x14020, 8), nks);
	row_true(row, zeros(d, 0x14000 + hdr_size, first));
	/* The IPIB: exact size, the last bytes of the file. */
	row_int(row, ipib, size - (136 + 24 * n));
	row_int(row, image_get(d + ipib, 4), 136 + 24 * n);
	row_int(row, image_get(d + ipib + 8, 4), 128 + 24 * n);
	row_int(row, d[ipib + 7], 1);
	row_int(row, d[ipib + 0x6f], 1);
	row_int(row, image_get(d + ipib + 0x74, 4), n);
	row_int(row, image_get(d + ipib + 0x78, 8), 0x14000);
	row_int(row, image_get(d + ipib + 0x80, 8), hdr_size);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *c = d + ipib + 0x88 + 24 * i;

		row_int(row, image_get(c + 8, 8), next);
		next += image_get(c + 16, 8);
	}
	row_int(row, next, ipib);
	row_int(row, image_get(d + 0x14030, 8), (next - first) / 4096);
}

static uint64_t tweak_kind(const uint8_t *d, size_t i)
{
	return image_get(d + image_get(d + 0xc014, 8) + 0x88 + 24 * i, 2);
}

static void test_layout(void **state)
{
	static const struct {
		const char *name;
		bool ramdisk, parmfile;
		size_t nhostkeys, ncomps;
		uint64_t kinds[4];
	} rows[] = {
		{ "kernel only", false, false, 1, 2, { 40, 70 } },
		{ "with ramdisk", true, false, 2, 3, { 40, 50, 70 } },
		{ "with command line", false, true, 3, 3, { 40, 60, 70 } },
		{ "with both", true, true, 1, 4, { 40, 50, 60, 70 } },
		{ "44 keys: header of a page", false, false, 44, 2, { 40, 70 } },
		{ "45 keys: header of two pages", false, false, 45, 2, { 40, 70 } },
		{ "95 keys: the most", true, true, 95, 4, { 40, 50, 60, 70 } },
	};
	struct fixture *f = *state;

	make_file(f->ramdisk.s, 9001, 1);
	unit_write(f->parmfile.s, "root=/dev/vda1", 14);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = rows[i].name;
		struct zpv_image_spec spec = f->spec;
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		struct zpv_err err = { 0 };

		spec.ramdisk = rows[i].ramdisk ? f->ramdisk.s : NULL;
		spec.parmfile = rows[i].parmfile ? f->parmfile.s : NULL;
		spec.nhostkeys = rows[i].nhostkeys;
		spec.overwrite = true;
		row_ok(row, zpv_image_create(&spec, &err), err);
		row_true(row, !unit_exists(f->part.s));
		{
			AUTO_BYTES d = unit_read(f->out.s);

			check_layout(row, d.data, d.len, rows[i].nhostkeys, rows[i].ncomps);
			for (size_t k = 0; k < rows[i].ncomps; k++)
				row_int(row, tweak_kind(d.data, k), rows[i].kinds[k]);
		}
		verify(row, f, &r);
		check_file(row, r, ZPV_PART_KERNEL, f->kernel.s);
		if (rows[i].ramdisk)
			check_file(row, r, ZPV_PART_RAMDISK, f->ramdisk.s);
		if (rows[i].parmfile)
			check_content(row, r, ZPV_PART_CMDLINE, "root=/dev/vda1", 15);
	}
}

static void test_opens_with_the_host_key(void **state)
{
	struct unit_path key = unit_golden("host1.key"), other = unit_golden("host2.key");
	struct fixture *f = *state;
	struct zpv_image_spec spec = f->spec;
	AUTO(zpv_image) struct zpv_image *img = NULL;
	AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
	const struct se_hdr_secrets *s;
	struct zpv_err err;

	spec.cck = spec.hdr_key = spec.image_key = NULL; /* random */
	spec.pcf = ZPV_PCF_DEFAULT | ZPV_PCF_DUMP;
	spec.scf = ZPV_SCF_CCK_UPDATE;
	row_ok("create", zpv_image_create(&spec, &err), err);
	row_ok("open", zpv_image_open(f->out.s, NULL, &img, &err), err);
	row_int("other host", zpv_image_open_host_key(img, other.s, &err), -ZPV_ERR_KEY);
	row_int("golden key", zpv_image_open_hdr_key(img, f->hdr_key.s, &err), -ZPV_ERR_KEY);
	row_ok("host", zpv_image_open_host_key(img, key.s, &err), err);
	s = image_secrets(img);
	row_int("pcf", be64_get(img->hdr.head->pcf), 0x200000e0);
	row_int("scf", be64_get(s->scf), 0x2000000000000000);
	row_ok("verify", zpv_image_verify(img, NULL, &r, &err), err);
	row_int("PSW address", be64_get(s->psw_addr), image_part(r, ZPV_PART_STAGE3B)->addr);
	row_has("flags", image_text(r, "control flags"), "accepted by z17");
	assert_true(r->ok);
}

static void test_given_keys_and_psw(void **state)
{
	static const uint64_t psw = 0x12345678;
	struct fixture *f = *state;
	AUTO_BYTES cck = unit_read(f->cck.s);
	AUTO_BYTES key = unit_read(f->image_key.s);
	AUTO(zpv_image) struct zpv_image *img = NULL;
	struct zpv_err err;

	f->spec.psw_addr = &psw;
	row_ok("create", zpv_image_create(&f->spec, &err), err);
	row_ok("open", zpv_image_open(f->out.s, NULL, &img, &err), err);
	row_ok("key", zpv_image_open_hdr_key(img, f->hdr_key.s, &err), err);
	row_mem("CCK", image_secrets(img)->cck, cck.data, 32);
	row_mem("image key", image_secrets(img)->xts_key, key.data, 64);
	row_int("PSW mask", be64_get(image_secrets(img)->psw_mask), 0x180000000);
	row_int("PSW address", be64_get(image_secrets(img)->psw_addr), psw);
}

/* Two images of the same inputs share no random value. */
static void test_fresh_values(void **state)
{
	struct fixture *f = *state;
	struct zpv_err err;

	row_ok("first", zpv_image_create(&f->spec, &err), err);
	{
		AUTO_BYTES a = unit_read(f->out.s);

		f->spec.overwrite = true;
		row_ok("second", zpv_image_create(&f->spec, &err), err);
		{
			AUTO_BYTES b = unit_read(f->out.s);

			assert_int_equal(a.len, b.len);
			assert_memory_not_equal(a.data + 0x14010, b.data + 0x14010, 12);
			assert_memory_not_equal(a.data + 0x14040, b.data + 0x14040, 160);
			assert_memory_not_equal(a.data + 0x15000, b.data + 0x15000, 4096);
		}
	}
}

/* --- Sizes ----------------------------------------------------------------------------------- */

static void test_ramdisk_sizes(void **state)
{
	static const size_t sizes[] = { 0,	   1,
					4095,	   4096,
					4097,	   SLOT - 1,
					SLOT,	   SLOT + 1,
					2 * SLOT,  3 * SLOT - 4096,
					20 * SLOT, 20 * SLOT + 1 };
	struct fixture *f = *state;

	f->spec.ramdisk = f->ramdisk.s;
	f->spec.overwrite = true;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		struct zpv_err err = { 0 };
		char row[60];

		snprintf(row, sizeof(row), "ramdisk of %zu bytes", sizes[i]);
		make_file(f->ramdisk.s, sizes[i], (uint32_t)i);
		row_ok(row, zpv_image_create(&f->spec, &err), err);
		verify(row, f, &r);
		check_file(row, r, ZPV_PART_RAMDISK, f->ramdisk.s);
		check_file(row, r, ZPV_PART_KERNEL, f->kernel.s);
	}
}

/* Without the component check a kernel may have any size; stage3b needs 64 KiB. */
static void test_kernel_sizes(void **state)
{
	static const struct {
		size_t size;
		const char *failed;
	} rows[] = {
		{ 0, "kernel" }, { 1, "kernel" }, { 4096, "kernel" }, { 0xffff, "kernel" },
		{ 0x10000, "" }, { 0x10438, "" }, { SLOT, "" },	      { SLOT + 4097, "" },
	};
	struct fixture *f = *state;

	f->spec.kernel = f->ramdisk.s;
	f->spec.no_component_check = true;
	f->spec.overwrite = true;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(zpv_image) struct zpv_image *img = NULL;
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		struct zpv_err err = { 0 };
		char row[60], failed[512];

		snprintf(row, sizeof(row), "kernel of %zu bytes", rows[i].size);
		make_file(f->ramdisk.s, rows[i].size, (uint32_t)i);
		row_ok(row, zpv_image_create(&f->spec, &err), err);
		row_ok(row, zpv_image_open(f->out.s, NULL, &img, &err), err);
		row_ok(row, zpv_image_open_hdr_key(img, f->hdr_key.s, &err), err);
		row_ok(row, zpv_image_verify(img, NULL, &r, &err), err);
		image_failed(r, failed);
		row_str(row, failed, rows[i].failed);
		check_file(row, r, ZPV_PART_KERNEL, f->ramdisk.s);
	}
}

static void test_parmfile(void **state)
{
	static const struct {
		const char *name, *content;
		size_t len, want; /* want: bytes of the component */
	} rows[] = {
		{ "empty", "", 0, 1 },
		{ "a NUL", "\0", 1, 1 },
		{ "text", "quiet", 5, 6 },
		{ "text with NUL", "quiet", 6, 6 },
		{ "text with newline", "quiet\n", 6, 7 },
		{ "two NULs", "a\0", 3, 3 },
	};
	struct fixture *f = *state;

	f->spec.parmfile = f->parmfile.s;
	f->spec.overwrite = true;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		struct zpv_err err = { 0 };
		char want[16] = { 0 };

		unit_write(f->parmfile.s, rows[i].content, rows[i].len);
		memcpy(want, rows[i].content, rows[i].len);
		row_ok(rows[i].name, zpv_image_create(&f->spec, &err), err);
		verify(rows[i].name, f, &r);
		check_content(rows[i].name, r, ZPV_PART_CMDLINE, want, rows[i].want);
	}
}

static void test_plain_components(void **state)
{
	struct fixture *f = *state;
	AUTO_BYTES kernel = unit_read(f->kernel.s);
	AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
	struct zpv_err err;

	make_file(f->ramdisk.s, SLOT + 5, 7);
	f->spec.ramdisk = f->ramdisk.s;
	f->spec.pcf = ZPV_PCF_DEFAULT | ZPV_PCF_NO_ENCRYPTION;
	row_ok("create", zpv_image_create(&f->spec, &err), err);
	{
		AUTO_BYTES d = unit_read(f->out.s);

		assert_memory_equal(d.data + 0x15000, kernel.data, kernel.len);
	}
	verify("plain", f, &r);
	check_file("plain", r, ZPV_PART_RAMDISK, f->ramdisk.s);
}

/* --- Pipes ----------------------------------------------------------------------------------- */

struct feeder {
	char to[512], from[512];
};

static void *feed(void *arg)
{
	const struct feeder *f = arg;
	AUTO_BYTES b = unit_read(f->from);
	int fd = open(f->to, O_WRONLY);

	for (size_t at = 0; at < b.len;) {
		size_t len = b.len - at < 7777 ? b.len - at : 7777;
		ssize_t n = write(fd, b.data + at, len);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	close(fd);
	return NULL;
}

static void test_components_from_pipes(void **state)
{
	static const char *const names[] = { "kernel", "ramdisk", "parmfile" };
	struct fixture *f = *state;
	struct feeder feeders[3];
	pthread_t threads[3];
	AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
	struct zpv_err err = { 0 };

	signal(SIGPIPE, SIG_IGN);
	make_file(f->ramdisk.s, 3 * SLOT + 333, 8);
	unit_write(f->parmfile.s, "from a pipe", 11);
	for (size_t i = 0; i < 3; i++) {
		const char *from[] = { f->kernel.s, f->ramdisk.s, f->parmfile.s };

		snprintf(feeders[i].to, sizeof(feeders[i].to), "%.500s.%s", f->out.s, names[i]);
		strcpy(feeders[i].from, from[i]);
		assert_int_equal(mkfifo(feeders[i].to, 0600), 0);
		assert_int_equal(pthread_create(&threads[i], NULL, feed, &feeders[i]), 0);
	}
	f->spec.kernel = feeders[0].to;
	f->spec.ramdisk = feeders[1].to;
	f->spec.parmfile = feeders[2].to;
	row_ok("create", zpv_image_create(&f->spec, &err), err);
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	verify("pipes", f, &r);
	check_file("kernel", r, ZPV_PART_KERNEL, f->kernel.s);
	check_file("ramdisk", r, ZPV_PART_RAMDISK, f->ramdisk.s);
	check_content("command line", r, ZPV_PART_CMDLINE, "from a pipe", 12);
}

struct drain {
	int fd;
	const char *to;
};

static void *drain(void *arg)
{
	const struct drain *d = arg;
	FILE *f = fopen(d->to, "wb");
	char buf[10000];
	ssize_t n;

	while (f && (n = read(d->fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, f);
	if (f)
		fclose(f);
	return NULL;
}

static void test_output_to_a_descriptor(void **state)
{
	struct fixture *f = *state;
	struct zpv_image_spec spec = f->spec;
	AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
	char dir[512];
	struct drain d = { .to = f->out.s };
	pthread_t thread;
	struct zpv_err err = { 0 };
	int fd[2], rc;

	make_file(f->ramdisk.s, 2 * SLOT, 9);
	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(f->out.s, '/') - f->out.s), f->out.s);
	assert_int_equal(pipe(fd), 0);
	d.fd = fd[0];
	assert_int_equal(pthread_create(&thread, NULL, drain, &d), 0);
	spec.ramdisk = f->ramdisk.s;
	spec.output = NULL;
	spec.output_fd = fd[1];
	spec.temp_dir = dir;
	rc = zpv_image_create(&spec, &err);
	close(fd[1]);
	pthread_join(thread, NULL);
	close(fd[0]);
	row_ok("create", rc, err);
	verify("descriptor", f, &r);
	check_file("descriptor", r, ZPV_PART_RAMDISK, f->ramdisk.s);

	spec.temp_dir = f->parmfile.s; /* does not exist */
	rc = zpv_image_create(&spec, &err);
	row_int("temp_dir", rc, -ZPV_ERR_IO);
	row_has("temp_dir", err.text, "cannot create a temporary file in '");
	spec.temp_dir = dir;
	spec.output_fd = -1;
	row_err("closed", zpv_image_create(&spec, &err), err, ZPV_ERR_IO,
		"cannot write the image to its output: Bad file descriptor");
}

/* --- Other loaders --------------------------------------------------------------------------- */

static void test_loader_dir(void **state)
{
	static const struct {
		const char *name;
		size_t stage3a, stage3b;
		const char *text; /* NULL: an image of them verifies */
	} rows[] = {
		{ "golden sizes", 11224, 6144, NULL },
		{ "odd size of stage3a", 11225, 6145, NULL },
		{ "the smallest", 25, 65, NULL },
		{ "larger than the usual room", 0x6001, 70001, NULL },
		{ "stage3a too small", 24, 65,
		  "Invalid stage3a: '%s/stage3a.bin' has 24 bytes, at least 25" },
		{ "stage3b too small", 25, 64,
		  "Invalid stage3b: '%s/stage3b_reloc.bin' has 64 bytes, at least 65" },
		{ "stage3a too large", 0x100001, 65,
		  "'%s/stage3a.bin' is larger than the 1048576 bytes allowed" },
	};
	struct fixture *f = *state;
	char dir[500], a[512], b[512];

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(f->out.s, '/') - f->out.s), f->out.s);
	snprintf(a, sizeof(a), "%.490s/stage3a.bin", dir);
	snprintf(b, sizeof(b), "%.490s/stage3b_reloc.bin", dir);
	f->spec.loader_dir = dir;
	f->spec.overwrite = true;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		struct zpv_err err = { 0 };
		char want[700];
		int rc;

		make_file(a, rows[i].stage3a, 10);
		make_file(b, rows[i].stage3b, 11);
		rc = zpv_image_create(&f->spec, &err);
		if (rows[i].text) {
			const char *mark = strstr(rows[i].text, "%s");

			snprintf(want, sizeof(want), "%.*s%s%s", (int)(mark - rows[i].text),
				 rows[i].text, dir, mark + 2);
			row_err(rows[i].name, rc, err, ZPV_ERR_FORMAT, want);
			continue;
		}
		row_ok(rows[i].name, rc, err);
		verify(rows[i].name, f, &r);
		row_int(rows[i].name, image_part(r, ZPV_PART_STAGE3A)->len, rows[i].stage3a);
		row_int(rows[i].name, image_part(r, ZPV_PART_STAGE3B)->content, rows[i].stage3b);
	}
}

/* --- Damage that only this layout can have --------------------------------------------------- */

static void test_tampered(void **state)
{
	static const struct {
		const char *name;
		size_t offset; /* from the start, or behind the IPIB's start when negative_base */
		bool in_ipib;
		uint64_t value;
		const char *failed, *text;
	} rows[] = {
		{ "metadata name another IPIB", 0xc014, false, 0x13000, "metadata",
		  "IPIB at 0x13000; stage3a's arguments say " },
		{ "component over the IPIB", 0x88 + 24 + 16, true, 0x100000, "components",
		  " overlaps the IPIB" },
		{ "no header address", 0x78, true, 0, "IPIB",
		  "2 components; header at 0 with 640" },
	};
	struct fixture *f = *state;
	struct zpv_err err;

	row_ok("create", zpv_image_create(&f->spec, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_BYTES d = unit_read(f->out.s);
		AUTO(zpv_image) struct zpv_image *img = NULL;
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		size_t ipib = image_get(d.data + 0xc014, 8);
		uint8_t *longer = calloc(1, d.len + 0x200000);
		char failed[512];

		row_true(rows[i].name, longer != NULL);
		memcpy(longer, d.data, d.len);
		image_put(longer + rows[i].offset + (rows[i].in_ipib ? ipib : 0), 8, rows[i].value);
		row_ok(rows[i].name, image_open_bytes(longer, d.len + 0x200000, &img, &err), err);
		row_ok(rows[i].name, zpv_image_verify(img, NULL, &r, &err), err);
		image_failed(r, failed);
		row_str(rows[i].name, failed, rows[i].failed);
		row_has(rows[i].name, image_text(r, NULL), rows[i].text);
		free(longer);
	}
}

/* --- Refusals -------------------------------------------------------------------------------- */

static void assert_nothing_left(const char *row, const struct fixture *f)
{
	row_true(row, !unit_exists(f->out.s));
	row_true(row, !unit_exists(f->part.s));
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct unit_path none = f->out, elf = f->parmfile, same = f->ramdisk, big = f->kernel;
	struct zpv_image_spec good = f->spec, spec;
	struct zpv_err err = { 0 };
	char want[1100];

	strcat(none.s, ".none");
	snprintf(elf.s, sizeof(elf.s), "%.500s.elf", f->out.s);
	snprintf(same.s, sizeof(same.s), "%.500s.same", f->out.s);
	snprintf(big.s, sizeof(big.s), "%.500s.big", f->out.s);
	unit_write(elf.s, "\177ELF", 4);
	unit_write(same.s, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64);
	make_file(big.s, 5000, 1);

	spec = good;
	spec.kernel = NULL;
	row_err("no kernel", zpv_image_create(&spec, &err), err, ZPV_ERR_USAGE,
		"an image needs a kernel and a host-key document");
	spec = good;
	spec.nhostkeys = 0;
	row_err("no document", zpv_image_create(&spec, &err), err, ZPV_ERR_USAGE,
		"an image needs a kernel and a host-key document");
	spec.nhostkeys = 96;
	row_err("96 documents", zpv_image_create(&spec, &err), err, ZPV_ERR_USAGE,
		"96 host-key documents, but a header has room for 95");
	spec = good;
	spec.kernel = none.s;
	snprintf(want, sizeof(want), "kernel: cannot open '%s': No such file or directory", none.s);
	row_err("missing kernel", zpv_image_create(&spec, &err), err, ZPV_ERR_IO, want);
	spec = good;
	spec.ramdisk = none.s;
	snprintf(want, sizeof(want), "ramdisk: cannot open '%s': No such file or directory",
		 none.s);
	row_err("missing ramdisk", zpv_image_create(&spec, &err), err, ZPV_ERR_IO, want);
	spec = good;
	spec.parmfile = none.s;
	snprintf(want, sizeof(want),
		 "kernel command line: cannot open '%s': No such file or directory", none.s);
	row_err("missing parmfile", zpv_image_create(&spec, &err), err, ZPV_ERR_IO, want);
	spec = good;
	spec.kernel = elf.s;
	row_int("ELF", zpv_image_create(&spec, &err), -ZPV_ERR_FORMAT);
	row_has("ELF", err.text, "Check for Linux kernel component has failed: ELF file found");
	spec = good;
	spec.parmfile = big.s;
	row_int("command line", zpv_image_create(&spec, &err), -ZPV_ERR_FORMAT);
	row_has("command line", err.text,
		"Check for kernel cmdline component has failed: Provided kernel cmdline is too "
		"large: 5001 > ");
	spec = good;
	spec.cck = f->image_key.s;
	row_int("CCK", zpv_image_create(&spec, &err), -ZPV_ERR_KEY);
	row_has("CCK", err.text, "Invalid customer communication key (CCK): ");
	spec = good;
	spec.hdr_key = f->image_key.s;
	row_int("header key", zpv_image_create(&spec, &err), -ZPV_ERR_KEY);
	row_has("header key", err.text, "Invalid Secure Execution header protection key: ");
	spec = good;
	spec.image_key = f->cck.s;
	row_int("image key", zpv_image_create(&spec, &err), -ZPV_ERR_KEY);
	row_has("image key", err.text, "Invalid image encryption key: ");
	spec.image_key = same.s;
	row_err("equal halves", zpv_image_create(&spec, &err), err, ZPV_ERR_KEY,
		"both halves of the AES-256-XTS key are the same");
	spec = good;
	spec.loader_dir = none.s;
	row_int("loaders", zpv_image_create(&spec, &err), -ZPV_ERR_IO);
	assert_nothing_left("refused", f);

	unit_write(f->out.s, "old", 3);
	snprintf(want, sizeof(want), "'%s' exists already", f->out.s);
	row_err("exists", zpv_image_create(&good, &err), err, ZPV_ERR_EXISTS, want);
	assert_false(unit_exists(f->part.s));
	assert_int_equal(unlink(f->out.s), 0);
}

/* --- Warnings -------------------------------------------------------------------------------- */

struct heard {
	size_t warnings;
	char text[4096];
};

static void hear(void *ctx, enum zpv_log_level level, const char *text)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	if (level != ZPV_LOG_WARN)
		return;
	h->warnings++;
	snprintf(h->text + used, sizeof(h->text) - used, "%s\n", text);
}

static void test_warnings(void **state)
{
	struct fixture *f = *state;
	struct heard h = { 0 };
	const struct zpv_log log = { hear, &h };
	struct zpv_err err;

	f->spec.log = &log;
	row_ok("create", zpv_image_create(&f->spec, &err), err);
	assert_int_equal(h.warnings, 1);
	row_has("simulated", h.text, "is the key of a SIMULATED machine");
	memset(&h, 0, sizeof(h));
	f->spec.overwrite = true;
	f->spec.nhostkeys = 2;
	f->spec.no_component_check = true;
	f->spec.pcf |= ZPV_PCF_NO_ENCRYPTION;
	row_ok("create", zpv_image_create(&f->spec, &err), err);
	assert_int_equal(h.warnings, 5); /* each document is a simulated machine's */
	row_has("check", h.text, "The component check is turned off!");
	row_has("plain", h.text, "The components are not encrypted");
	row_has("twice", h.text, "are for the same host key.");
}

/* --- Cancelling ------------------------------------------------------------------------------ */

struct stop {
	int calls, at;
	uint64_t done, total;
};

static int stop_at(void *ctx, uint64_t done, uint64_t total)
{
	struct stop *s = ctx;

	s->done = done;
	s->total = total;
	return ++s->calls == s->at;
}

static void test_cancel_at_each_step(void **state)
{
	struct fixture *f = *state;
	int rc = -1, at;

	make_file(f->ramdisk.s, 3 * SLOT + 1, 12);
	unit_write(f->parmfile.s, "quiet", 5);
	f->spec.ramdisk = f->ramdisk.s;
	f->spec.parmfile = f->parmfile.s;
	for (at = 1; rc != 0; at++) {
		struct stop stop = { .at = at };
		const struct zpv_progress progress = { stop_at, &stop };
		struct zpv_err err = { 0 };
		char row[40];

		snprintf(row, sizeof(row), "stop at call %d", at);
		f->spec.progress = &progress;
		rc = zpv_image_create(&f->spec, &err);
		if (rc == 0) {
			row_true(row, stop.done >= stop.total && stop.total > 3 * SLOT);
			break;
		}
		row_err(row, rc, err, ZPV_ERR_CANCELLED, "stopped on request");
		assert_nothing_left(row, f);
	}
	assert_true(at > 7);
	assert_true(unit_exists(f->out.s));
}

/* The copy to a descriptor asks too, and replacing leaves the old file. */
static void test_cancel_keeps_the_old(void **state)
{
	struct stop stop = { .at = 2 };
	const struct zpv_progress progress = { stop_at, &stop };
	struct fixture *f = *state;
	struct zpv_err err;

	unit_write(f->out.s, "old", 3);
	f->spec.overwrite = true;
	f->spec.progress = &progress;
	assert_int_equal(zpv_image_create(&f->spec, &err), -ZPV_ERR_CANCELLED);
	{
		AUTO_BYTES old = unit_read(f->out.s);

		assert_int_equal(old.len, 3);
	}
	assert_false(unit_exists(f->part.s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		image_test(test_layout),
		image_test(test_opens_with_the_host_key),
		image_test(test_given_keys_and_psw),
		image_test(test_fresh_values),
		image_test(test_ramdisk_sizes),
		image_test(test_kernel_sizes),
		image_test(test_parmfile),
		image_test(test_plain_components),
		image_test(test_components_from_pipes),
		image_test(test_output_to_a_descriptor),
		image_test(test_loader_dir),
		image_test(test_tampered),
		image_test(test_refused),
		image_test(test_warnings),
		image_test(test_cancel_at_each_step),
		image_test(test_cancel_keeps_the_old),
	};

	return cmocka_run_group_tests_name("image/create", tests, NULL, NULL);
}
