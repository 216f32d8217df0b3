/* probe stat FILE | first FILE | random COUNT  - how long one operation on a file takes: seconds, one line each.
 *
 * stat: one stat(2).  first: open, and read the first byte.  random: COUNT reads of 4 KiB at odd places of the open
 * file that is standard input, each far from the one before. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int failed(const char *what)
{
	perror(what);
	return 1;
}

static int one_stat(const char *path)
{
	struct stat st;
	double t = now();

	if (stat(path, &st) < 0)
		return failed(path);
	printf("%.6f\n", now() - t);
	return 0;
}

static int first_byte(const char *path)
{
	char c;
	double t = now();
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &c, 1) != 1)
		return failed(path);
	printf("%.6f\n", now() - t);
	return close(fd) < 0 ? failed(path) : 0;
}

static int random_reads(long count)
{
	static char block[4096];
	struct stat st;

	if (fstat(0, &st) < 0)
		return failed("standard input");
	for (long i = 0; i < count; i++) {
		/* Steps of the golden ratio: spread evenly, never near the last one. */
		double place = 0.618034 * (double)(i + 1);
		off_t at = (off_t)((place - (double)(long)place) * (double)st.st_size / 4096) * 4096;
		double t = now();

		if (pread(0, block, sizeof(block), at) != sizeof(block))
			return failed("standard input");
		printf("%.6f\n", now() - t);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "stat") == 0)
		return one_stat(argv[2]);
	if (argc == 3 && strcmp(argv[1], "first") == 0)
		return first_byte(argv[2]);
	if (argc == 3 && strcmp(argv[1], "random") == 0)
		return random_reads(strtol(argv[2], NULL, 10));
	(void)fputs("usage: probe stat FILE | first FILE | random COUNT\n", stderr);
	return 2;
}
