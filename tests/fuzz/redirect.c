#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

#ifdef __GLIBC__
typedef __CONST_SOCKADDR_ARG connect_arg;
#else
typedef const struct sockaddr *connect_arg;
#endif

uint16_t fuzz_port;

int connect(int fd, connect_arg addr, socklen_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	(void)addr;
	(void)len;
	to.sin_port = htons(fuzz_port);
	return (int)syscall(SYS_connect, fd, &to, sizeof to);
}

int fuzz_listen(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof addr;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	MUST(fd >= 0 && bind(fd, (struct sockaddr *)&addr, len) == 0 && listen(fd, 64) == 0);
	MUST(getsockname(fd, (struct sockaddr *)&addr, &len) == 0);
	fuzz_port = ntohs(addr.sin_port);
	return fd;
}
