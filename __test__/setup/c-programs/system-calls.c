/*
 * Makes each system call of its arguments, NUMBER[,ARGUMENT…], and prints the error number of each, or 0. A call that starts
 * another process ends that at once. `i386` makes getpid(2) by the system calls of that architecture.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(const char *words) {
  unsigned long given[7] = {0};
  char *end = NULL;
  for (int index = 0; index < 7; index += 1) {
    given[index] = strtoul(words, &end, 0);
    if (*end != ',') break;
    words = end + 1;
  }
  pid_t self = getpid();
  errno = 0;
  long result = syscall((long)given[0], given[1], given[2], given[3], given[4], given[5], given[6]);
  int error = result == -1 ? errno : 0;
  if (getpid() != self) _exit(0);
  return error;
}

static int call_as_i386(void) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
  return result < 0 ? (int)-result : 0;
#else
  return ENOSYS;
#endif
}

int main(int count, char **words) {
  for (int index = 1; index < count; index += 1) {
    int error = strcmp(words[index], "i386") == 0 ? call_as_i386() : call(words[index]);
    printf("%d\n", error);
    fflush(stdout);
  }
  return 0;
}
