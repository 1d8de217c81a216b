// SPDX-License-Identifier: MIT
/*
 * Runs a fuzz target over the files of a folder; one TAP line for each.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "fuzz.h"
#include "io.h"

static int is_input(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int n = argc == 2 ? scandir(argv[1], &names, is_input, alphasort) : -1;

	if (n < 1) {
		fprintf(stderr, "usage: %s FOLDER (with inputs)\n", argv[0]);
		return 2;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		AUTO_BUF file = BUF_INIT;
		char path[4096];
		uint8_t *exact;

		snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
		if (io_read_file(path, FUZZ_IMAGE_MAX, &file, NULL) != 0) {
			printf("Bail out! cannot read %s\n", path);
			return 1;
		}
		exact = malloc(file.len + 1);
		FUZZ_CHECK(exact);
		memcpy(exact, file.data, file.len);
		exact = realloc(exact, file.len ? file.len : 1);
		fuzz_run(exact, file.len);
		free(exact);
		printf("ok %d - %s\n", i + 1, names[i]->d_name);
		fflush(stdout); /* so that a crash names the file behind the last line */
		free(names[i]);
	}
	free(names);
	return 0;
}
