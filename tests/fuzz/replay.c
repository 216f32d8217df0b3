/* replay TARGET-FILE...  - gives each file to the target once. */
#include <string.h>

#include "fuzz.h"

static char *take(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	char *data;
	long n;

	if (!f || fseek(f, 0, SEEK_END) < 0 || (n = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) < 0) {
		perror(path);
		exit(1);
	}
	/* Exactly as large, so that a sanitizer sees a byte too far. */
	data = malloc((size_t)n + (n == 0));
	*size = fread(data, 1, (size_t)n, f);
	fclose(f);
	return data;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t size;
		char *data = take(argv[i], &size);

		LLVMFuzzerTestOneInput((const uint8_t *)data, size);
		free(data);
	}
	printf("%d inputs\n", argc - 1);
	return argc < 2;
}
