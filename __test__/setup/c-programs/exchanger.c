// Exchanges names in a directory of its user's, over and over, until its standard input ends; prints how often.
// exchanger UID NAME OTHER...: NAME with each OTHER in turn.
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  uid_t uid = (uid_t)atoi(argv[1]);
  if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)) return perror("setresuid"), 1;
  unsigned long count = 0;
  struct pollfd input = {.fd = 0, .events = POLLIN};
  puts("ready");
  fflush(stdout);
  do {
    for (int round = 0; round < 64; round++)
      for (int other = 3; other < argc; other++)
        if (renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[other], RENAME_EXCHANGE) == 0) count++;
  } while (poll(&input, 1, 0) == 0);
  printf("%lu\n", count);
  return 0;
}
