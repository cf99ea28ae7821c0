/*
 * Holds up what is started in the set where it runs, root there: for hostile-sets.test.ts.
 *
 *   holdup files         has nothing below /etc answer ever: a FUSE of its own, which reads no request
 *   holdup stop PARENT   stops every child of that process but its own kin, again and again
 *   holdup kill PARENT   kills them
 *
 * Says "ready", begins at the next line of its input, and says "hit" for each child that it has got. Children are looked
 * for by the last pid that the kernel assigned (/proc/loadavg).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define KEPT 64

static void say(const char *line) {
  if (write(1, line, strlen(line)) < 0) exit(1);
}

/* The one request that is answered is the first: the kernel asks nothing else before. */
static int hold_files(void) {
  static char request[65536];
  char options[128];
  int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) return perror("/dev/fuse"), 1;
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
  if (mount("holdup", "/etc", "fuse", MS_NOSUID | MS_NODEV, options) != 0) return perror("mount"), 1;
  if (read(device, request, sizeof request) < (ssize_t)sizeof(struct fuse_in_header)) return perror("read"), 1;
  struct {
    struct fuse_out_header header;
    struct fuse_init_out init;
  } answer = { .init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_readahead = 65536, .max_background = 12,
                         .congestion_threshold = 9, .max_write = 65536, .time_gran = 1 } };
  answer.header.len = sizeof answer;
  answer.header.unique = ((struct fuse_in_header *)request)->unique;
  if (write(device, &answer, sizeof answer) < 0) return perror("write"), 1;
  say("ready\n");
  for (;;) pause();
}

static int parent_of(int pid, char *name) {
  char path[64], text[512], state;
  int parent;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return -1;
  text[length] = 0;
  char *begin = strchr(text, '('), *end = strrchr(text, ')');
  if (!begin || !end || sscanf(end + 2, "%c %d", &state, &parent) != 2 || state == 'Z') return -1;
  snprintf(name, 32, "%.*s", (int)(end - begin - 1), begin + 1);
  return parent;
}

static int last_pid(void) {
  char text[128];
  int file = open("/proc/loadavg", O_RDONLY | O_CLOEXEC), pid = 0;
  ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  if (length <= 0) return 0;
  text[length] = 0;
  char *last = strrchr(text, ' ');
  if (last) pid = atoi(last);
  return pid;
}

static void fall_upon(int parent, int signal, const char *own) {
  int newcomers[KEPT] = { 0 }, is_hit[KEPT] = { 0 }, next = 0, seen;
  char name[32];
  say("ready\n");
  if (read(0, name, 1) < 0) exit(1);
  seen = last_pid();
  for (;;) {
    int last = last_pid();
    /* The numbers begin anew at some time. */
    if (last < seen) seen = 0;
    while (seen < last) is_hit[next % KEPT] = 0, newcomers[next++ % KEPT] = ++seen;
    for (int i = 0; i < KEPT; i++) {
      if (newcomers[i] == 0) continue;
      if (parent_of(newcomers[i], name) != parent || strcmp(name, own) == 0) newcomers[i] = 0;
      else if (kill(newcomers[i], signal) == 0 && !is_hit[i]++) say("hit\n");
    }
  }
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "files") == 0) return hold_files();
  if (argc != 3) return 2;
  int signal = strcmp(argv[1], "kill") == 0 ? SIGKILL : SIGSTOP;
  fall_upon(atoi(argv[2]), signal, "holdup");
  return 0;
}
