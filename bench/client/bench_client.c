/* bench_client - what the client library does in a second.
 *
 * bench_client CASE [URL [N]]  - prints "RATE CPU": how much a second of wall clock, and a second of this process's CPU
 * (throttle-cost: percent, and MB a second of CPU).
 * Without a URL: cases that need no server (parse-*). N: how often, or how many megabytes. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <aftp/aftp.h>

enum { BLOCK = 256 << 10, LINE_MAX_BYTES = 4096 };

struct bench {
	uv_loop_t loop;
	struct aftp_session *s;
	struct aftp_data *d;
	char *buf;
	unsigned long want, done; /* in the case's own unit */
	unsigned long asked;
	uint64_t bytes;
	int status;
	bool over;
};

static double cpu_seconds(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static void die(const char *what, int status)
{
	fprintf(stderr, "bench_client: %s: %s\n", what, aftp_strerror(status));
	exit(1);
}

static void must(const char *what, int rc)
{
	if (rc < 0)
		die(what, rc);
}

static void run(struct bench *b, const char *what)
{
	b->over = false;
	while (!b->over)
		uv_run(&b->loop, UV_RUN_ONCE);
	must(what, b->status);
}

static void over(struct bench *b, int status)
{
	b->status = status;
	b->over = true;
}

static void on_op(void *arg, int status)
{
	over(arg, status);
}

/* --- parsing --------------------------------------------------------------------------------------- */

static int count_entry(void *arg, const struct aftp_entry *e)
{
	((struct bench *)arg)->done += e->name_len > 0;
	return 0;
}

/* One line of a listing, for the i-th file. */
typedef int line_writer(char *out, size_t size, unsigned i);

static int unix_line(char *out, size_t size, unsigned i)
{
	return snprintf(out, size, "-rw-r--r--   1 owner    group    %9u Feb %2u 12:34 a file named %05u.txt\r\n",
		i * 37, i % 28 + 1, i);
}

static int dos_line(char *out, size_t size, unsigned i)
{
	return snprintf(out, size, "02-%02u-20  12:34PM %20u a file named %05u.txt\r\n", i % 28 + 1, i * 37, i);
}

static int mlsd_line(char *out, size_t size, unsigned i)
{
	return snprintf(out, size,
		"modify=202002%02u123456;perm=adfrw;size=%u;type=file;unique=802U%x;UNIX.mode=0644; a file named "
		"%05u.txt\r\n",
		i % 28 + 1, i * 37, i, i);
}

static void parse(struct bench *b, enum aftp_listing_kind kind, line_writer *write_line)
{
	enum { LINES = 10000, LINE_ROOM = 200 };
	char *text = malloc((size_t)LINES * LINE_ROOM);
	size_t len = 0;

	for (unsigned i = 0; i < LINES; i++)
		len += (size_t)write_line(text + len, LINE_ROOM, i);
	while (b->done < b->want) {
		struct aftp_listing l;

		aftp_listing_init(&l, kind, (int64_t)time(NULL), count_entry, b);
		for (size_t at = 0; at < len; at += 65536)
			must("feed", aftp_listing_feed(&l, text + at, len - at < 65536 ? len - at : 65536));
		must("end", aftp_listing_end(&l));
		if (l.unknown > 0)
			die("parse", AFTP_EPROTO);
		aftp_listing_finish(&l);
	}
	free(text);
}

static void parse_unix(struct bench *b)
{
	parse(b, AFTP_LISTING_LIST, unix_line);
}

static void parse_dos(struct bench *b)
{
	parse(b, AFTP_LISTING_LIST, dos_line);
}

static void parse_mlsd(struct bench *b)
{
	parse(b, AFTP_LISTING_MLSD, mlsd_line);
}

/* --- streams --------------------------------------------------------------------------------------- */

static enum aftp_next on_line(void *arg, ssize_t n, const char *line)
{
	struct bench *b = arg;

	(void)line;
	if (n < 0) {
		over(b, n == AFTP_EOF ? 0 : (int)n);
		return AFTP_STOP;
	}
	b->done++;
	b->bytes += (uint64_t)n + 1;
	return AFTP_GO_ON;
}

static enum aftp_next on_block(void *arg, ssize_t n, const char *data)
{
	struct bench *b = arg;

	(void)data;
	if (n < 0) {
		over(b, n == AFTP_EOF ? 0 : (int)n);
		return AFTP_STOP;
	}
	b->bytes += (uint64_t)n;
	return AFTP_GO_ON;
}

static void set_over(void *arg)
{
	((struct bench *)arg)->over = true;
}

static void close_data(struct bench *b)
{
	b->over = false;
	aftp_data_close(&b->d, set_over, b);
	while (!b->over)
		uv_run(&b->loop, UV_RUN_ONCE);
}

static void lines(struct bench *b)
{
	must("stream", aftp_download_stream(b->s, &b->d, "/lines", 0));
	must("lines", aftp_data_each_line(b->d, LINE_MAX_BYTES, on_line, b));
	run(b, "lines");
	close_data(b);
}

static void blocks(struct bench *b)
{
	must("stream", aftp_download_stream(b->s, &b->d, "/lines", 0));
	must("blocks", aftp_data_each_block(b->d, BLOCK, on_block, b));
	run(b, "blocks");
	close_data(b);
}

static void add_throttles(struct bench *b)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	for (unsigned i = 0; i < 4; i++) {
		struct aftp_stream_throttle pair;

		must("throttle", aftp_stream_throttle_from_limits(&pair, &b->loop, 20000000000, 20000000000));
		must("throttle", aftp_data_add_throttle(b->d, names[i], &pair));
		aftp_stream_throttle_unref(&pair);
	}
}

/* CPU seconds for a gigabyte. */
static double block_cost(struct bench *b, bool throttled, uint64_t offset)
{
	double cpu = cpu_seconds();

	b->bytes = 0;
	must("stream", aftp_download_stream(b->s, &b->d, "/lines", offset));
	if (throttled)
		add_throttles(b);
	must("blocks", aftp_data_each_block(b->d, BLOCK, on_block, b));
	run(b, "blocks");
	close_data(b);
	return (cpu_seconds() - cpu) / ((double)b->bytes / 1e9);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* What four throttles cost that do not bind. Pairs of short reads, one with and one without, now this first and now that:
 * the median of their ratios is hardly moved by what else the machine does. */
static void throttle_cost(struct bench *b)
{
	enum { PIECE = 32 << 20 };
	double *ratios = calloc(b->want, sizeof *ratios), *costs = calloc(b->want, sizeof *costs);
	uint64_t offset;

	if (!ratios || !costs)
		die("memory", AFTP_ENOMEM);
	(void)block_cost(b, false, 0);
	offset = b->bytes > PIECE ? b->bytes - PIECE : 0;
	for (unsigned long i = 0; i < b->want; i++) {
		double cost[2];

		for (unsigned turn = 0; turn < 2; turn++) {
			bool throttled = (i ^ turn) & 1;

			cost[throttled] = block_cost(b, throttled, offset);
		}
		ratios[i] = cost[1] / cost[0];
		costs[i] = cost[1];
	}
	qsort(ratios, b->want, sizeof *ratios, by_value);
	qsort(costs, b->want, sizeof *costs, by_value);
	printf("%.1f %.1f\n", (ratios[b->want / 2] - 1) * 100, 1000 / costs[b->want / 2]);
	free(ratios);
	free(costs);
}

/* --- many small things ------------------------------------------------------------------------------ */

static int on_entry(void *arg, const char *path, const struct aftp_entry *e)
{
	(void)path;
	return count_entry(arg, e);
}

static void on_listed(void *arg, int status, const struct aftp_walk_result *result)
{
	(void)result;
	over(arg, status);
}

static void list_by(struct bench *b, unsigned flags)
{
	while (b->done < b->want) {
		must("list", aftp_session_list(b->s, NULL, "/many", flags, on_entry, on_listed, b));
		run(b, "list");
	}
}

static void list(struct bench *b)
{
	list_by(b, 0);
}

static void list_plain(struct bench *b)
{
	list_by(b, AFTP_PLAIN_LIST);
}

static void on_stat(void *arg, int status, const struct aftp_entry *e)
{
	struct bench *b = arg;

	(void)e;
	must("stat", status);
	b->done++;
	b->over = b->done == b->asked;
}

static void name_of(char *path, size_t size, unsigned long i)
{
	snprintf(path, size, "/many/file %05lu.txt", i % 10000);
}

/* As many at once as `depth` says. */
static void stats(struct bench *b, unsigned depth)
{
	char path[64];

	while (b->done < b->want) {
		for (unsigned i = 0; i < depth; i++) {
			name_of(path, sizeof path, b->asked++);
			must("stat", aftp_session_stat(b->s, NULL, path, on_stat, b));
		}
		run(b, "stat");
	}
}

static void stat_one(struct bench *b)
{
	stats(b, 1);
}

static void stat_many(struct bench *b)
{
	stats(b, 50);
}

static void on_read(void *arg, ssize_t n, const char *data)
{
	struct bench *b = arg;

	(void)data;
	if (n < 0)
		over(b, n == AFTP_EOF ? 0 : (int)n);
	else
		must("read", aftp_data_read(b->d, b->buf, BLOCK, on_read, b));
}

/* Whole files, one after the other. */
static void small(struct bench *b)
{
	char path[64];

	for (; b->done < b->want; b->done++) {
		name_of(path, sizeof path, b->done);
		must("stream", aftp_download_stream(b->s, &b->d, path, 0));
		must("read", aftp_data_read(b->d, b->buf, BLOCK, on_read, b));
		run(b, "read");
		close_data(b);
	}
}

/* --- all of it -------------------------------------------------------------------------------------- */

struct bench_case {
	const char *name;
	void (*run)(struct bench *b);
	unsigned long want;
	bool server, bytes; /* the rate is in MB/s */
};

static const struct bench_case cases[] = {
	{ "parse-unix", parse_unix, 5000000, false, false },
	{ "parse-dos", parse_dos, 5000000, false, false },
	{ "parse-mlsd", parse_mlsd, 5000000, false, false },
	{ "lines", lines, 0, true, true },
	{ "blocks", blocks, 0, true, true },
	{ "throttle-cost", throttle_cost, 300, true, true },
	{ "list", list, 100000, true, false },
	{ "list-plain", list_plain, 100000, true, false },
	{ "stat", stat_one, 5000, true, false },
	{ "stat-pipelined", stat_many, 20000, true, false },
	{ "small", small, 3000, true, false },
};

static void connect_to(struct bench *b, const char *text)
{
	struct aftp_url url;
	const char *why;
	struct aftp_client_options o = { 0 };

	if (aftp_url_parse(&url, text, &why) < 0) {
		fprintf(stderr, "bench_client: %s: %s\n", text, why);
		exit(2);
	}
	o.host = url.host;
	o.port = url.port;
	o.user = url.user;
	o.password = url.password;
	must("session", aftp_session_new(&b->s, &b->loop, &o));
	must("connect", aftp_session_connect(b->s, on_op, b));
	run(b, "connect");
	aftp_url_clear(&url);
}

static const struct bench_case *find(const char *name)
{
	for (size_t i = 0; name && i < sizeof cases / sizeof *cases; i++)
		if (strcmp(cases[i].name, name) == 0)
			return &cases[i];
	fprintf(stderr, "usage: bench_client CASE [URL [N]]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static struct bench b;
	const struct bench_case *c = find(argc > 1 ? argv[1] : NULL);
	uint64_t start;
	double cpu, seconds, amount;

	signal(SIGPIPE, SIG_IGN);
	b.buf = malloc(BLOCK);
	b.want = argc > 3 ? strtoul(argv[3], NULL, 10) : c->want;
	if (!b.buf || uv_loop_init(&b.loop) < 0)
		die("loop", AFTP_ENOMEM);
	if (c->server)
		connect_to(&b, argc > 2 ? argv[2] : "");
	cpu = cpu_seconds();
	start = uv_hrtime();
	c->run(&b);
	seconds = (double)(uv_hrtime() - start) / 1e9;
	cpu = cpu_seconds() - cpu;
	amount = c->bytes ? (double)b.bytes / 1e6 : (double)b.done;
	if (c->run != throttle_cost)
		printf("%.1f %.1f\n", amount / seconds, amount / cpu);
	if (b.s)
		aftp_session_quit(&b.s, NULL, NULL);
	uv_run(&b.loop, UV_RUN_DEFAULT);
	free(b.buf);
	return uv_loop_close(&b.loop) < 0;
}
