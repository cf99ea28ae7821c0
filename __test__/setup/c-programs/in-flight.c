/* Has many descriptors in flight, sent over sockets from which nothing is received (unix(7)), and stays. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The limit is looked at before a message is counted, so that two are twice as many as may be. */
enum { PER_MESSAGE = 250, MESSAGES = 2 };

int main(void) {
  int null = open("/dev/null", O_RDONLY);
  for (int sent = 0; sent < MESSAGES; sent++) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0) return perror("socketpair"), 1;
    char byte = 0, control[CMSG_SPACE(PER_MESSAGE * sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(PER_MESSAGE * sizeof(int));
    for (int i = 0; i < PER_MESSAGE; i++) memcpy(CMSG_DATA(rights) + i * sizeof null, &null, sizeof null);
    if (sendmsg(ends[0], &message, 0) < 0) return perror("sendmsg"), 1;
  }
  puts("ready");
  fflush(stdout);
  pause();
}
