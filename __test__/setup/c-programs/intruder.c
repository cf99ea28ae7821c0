/*
 * The attacker of attacker.test.ts: a process inside a set, root there with every capability, that falls upon each
 * newcomer and tries to get at its memory, its descriptors, its namespaces, and to trace and stop it.
 *
 *   intruder attack PARENT EVERY   PARENT: attacks only children and grandchildren of that process, and that process
 *                                  itself; 0: all processes in /proc. Stops each EVERYth newcomer; 0: stops all, again and
 *                                  again. Begins to stop when it has had its way with a first program of the user's,
 *                                  and says so. Ends with its input, and then reports on its output, as JSON.
 *   intruder prey                  waits to be attacked, as any program of the set's user may be
 *   intruder target                ends at once
 *
 * What it gets of a process that is named as itself is fair game. So is the memory of a placeholder, a child of the
 * helper's that has nothing but the user namespace below this one. Anything else it gets is a breach. Whom it has
 * stopped, and who has not been set going again after 12 s, more than nsset gives a helper, hangs; it is let go then,
 * and no process is stopped any more.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PID 4194304
#define MAX_FD 16
/* A helper is tried for as long as it is one; PID 1 of a set, which stays, not for ever. */
#define MAX_ROUNDS 1000
#define INIT "nsset-init"
/* Where static programs are, this one too. */
#define IMAGE 0x400000
#define MAX_STOPPED 64
#define PATIENCE 12

enum { VM_READ, VM_WRITE, MEM, ENVIRON, MAPS, FD, FD_LINK, GETFD, NAMESPACE, ROOT, EXE, ATTACH, SEIZE, TECHNIQUES };
static const char *const NAMES[TECHNIQUES] = { "process_vm_readv", "process_vm_writev", "mem", "environ", "maps",
  "fd", "fd link", "pidfd_getfd", "ns", "root", "exe", "PTRACE_ATTACH", "PTRACE_SEIZE" };

static char own_name[32];
static int may_stop;
static unsigned fair[TECHNIQUES], attempts, newcomers, helpers, elders, stopped, hung, breaches;
static char breach[16][160];
static unsigned char done[MAX_PID];

static struct { int pid, pidfd; time_t since; } patients[MAX_STOPPED];

struct process {
  int pid, parent, pidfd, is_placeholder;
  unsigned flags;
  char state;
  char name[32];
};

static int look(int pid, struct process *process) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return -1;
  text[length] = 0;
  char *begin = strchr(text, '('), *end = strrchr(text, ')');
  if (!begin || !end) return -1;
  process->pid = pid;
  snprintf(process->name, sizeof process->name, "%.*s", (int)(end - begin - 1), begin + 1);
  return sscanf(end + 2, "%c %d %*d %*d %*d %*d %u", &process->state, &process->parent, &process->flags) == 3 ? 0 : -1;
}

static int is_own(const struct process *process) {
  return strcmp(process->name, own_name) == 0;
}

/* PF_EXITING of the kernel; once gone, it has ended, too. */
static int is_ending(int pid) {
  struct process now;
  return look(pid, &now) < 0 || (now.flags & 4) != 0;
}

/* It was got: of whom, is asked afterwards. A newcomer can turn from helper to program, and never back. */
static void got(int technique, const struct process *process, const char *detail) {
  struct process now;
  if (look(process->pid, &now) < 0) return;
  if (is_own(&now)) {
    fair[technique]++;
    return;
  }
  if (process->is_placeholder) {
    int is_pipe = strncmp(detail, "pipe:", 5) == 0 || strcmp(detail, "fd/0") == 0;
    if (!((technique == FD_LINK || technique == GETFD) && !is_pipe) && technique != ENVIRON) return;
  }
  if (breaches < sizeof breach / sizeof *breach)
    snprintf(breach[breaches], sizeof *breach, "%s of %s: %s", NAMES[technique], now.name, detail);
  breaches++;
}

static int open_of(const struct process *process, const char *name, int flags, char *path, size_t size) {
  snprintf(path, size, "/proc/%d/%s", process->pid, name);
  attempts++;
  return open(path, flags | O_CLOEXEC | O_NONBLOCK);
}

static void try_open(int technique, const struct process *process, const char *name) {
  char path[64];
  int file = open_of(process, name, O_RDONLY, path, sizeof path);
  if (file < 0) return;
  got(technique, process, path);
  close(file);
}

/* Who has ended and waits to be reaped has files that open, and nothing in them. */
static void try_read(int technique, const struct process *process, const char *name, int flags, off_t offset) {
  char path[64], byte;
  int file = open_of(process, name, flags, path, sizeof path);
  if (file < 0) return;
  if (pread(file, &byte, 1, offset) > 0) got(technique, process, path);
  close(file);
}

static void try_link(int technique, const struct process *process, const char *name) {
  char path[64], target[100];
  snprintf(path, sizeof path, "/proc/%d/%s", process->pid, name);
  ssize_t length = readlink(path, target, sizeof target - 1);
  attempts++;
  if (length < 0) return;
  target[length] = 0;
  got(technique, process, target);
}

static void try_memory(const struct process *process) {
  char bytes[8] = "intruder";
  struct iovec here = { bytes, sizeof bytes }, there = { (void *)IMAGE, sizeof bytes };
  /* EFAULT says that there is nothing at the address, and so that looking was allowed. */
  if (process_vm_readv(process->pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT) got(VM_READ, process, "");
  there.iov_base = (void *)8;
  if (process_vm_writev(process->pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT) got(VM_WRITE, process, "");
  attempts += 2;
}

static void try_descriptors(const struct process *process) {
  char name[16];
  for (int fd = 0; fd < MAX_FD; fd++) {
    snprintf(name, sizeof name, "fd/%d", fd);
    try_open(FD, process, name);
    try_link(FD_LINK, process, name);
    int copy = syscall(SYS_pidfd_getfd, process->pidfd, fd, 0);
    attempts++;
    /* EBADF says that it has no such descriptor, and so that asking was allowed: of a helper that ends, whose memory is
       gone and with it the mark that forbids it, any process may ask, and there is nothing to read. */
    if (copy >= 0 || (errno == EBADF && !process->is_placeholder && !is_ending(process->pid))) got(GETFD, process, name);
    if (copy >= 0) close(copy);
  }
}

static void try_trace(const struct process *process) {
  int status;
  attempts += 2;
  if (ptrace(PTRACE_SEIZE, process->pid, 0, 0) == 0) {
    got(SEIZE, process, "");
    ptrace(PTRACE_INTERRUPT, process->pid, 0, 0);
  } else if (ptrace(PTRACE_ATTACH, process->pid, 0, 0) == 0) {
    got(ATTACH, process, "");
  } else {
    return;
  }
  /* Killed between its stop and our letting go, it is ours to wait for, or its parent would not hear of its end. */
  while (waitpid(process->pid, &status, __WALL) == process->pid && WIFSTOPPED(status))
    if (ptrace(PTRACE_DETACH, process->pid, 0, 0) == 0) break;
}

static void try_all(const struct process *process, int may_trace) {
  try_memory(process);
  try_read(MEM, process, "mem", O_RDWR, IMAGE);
  try_read(ENVIRON, process, "environ", O_RDONLY, 0);
  try_read(MAPS, process, "maps", O_RDONLY, 0);
  try_open(NAMESPACE, process, "ns/net");
  try_open(ROOT, process, "root");
  try_link(EXE, process, "exe");
  try_descriptors(process);
  if (may_trace) try_trace(process);
}

static int is_ours_to_attack(struct process *process, int parent) {
  struct process above;
  process->is_placeholder = 0;
  if (parent == 0 || process->parent == parent) return 1;
  return process->is_placeholder =
    process->parent > 1 && look(process->parent, &above) == 0 && above.parent == parent && !is_own(&above);
}

static void stop(const struct process *process) {
  for (int index = 0; index < MAX_STOPPED; index++) {
    if (patients[index].pid) continue;
    int copy = fcntl(process->pidfd, F_DUPFD_CLOEXEC, 0);
    patients[index].pid = process->pid, patients[index].pidfd = copy, patients[index].since = time(NULL);
    stopped += syscall(SYS_pidfd_send_signal, copy, SIGSTOP, NULL, 0) == 0;
    return;
  }
}

/* Forgets those who go on, or are gone; a signal just sent may take its time. */
static void visit_patients(void) {
  struct process now;
  for (int index = 0; index < MAX_STOPPED; index++) {
    if (!patients[index].pid) continue;
    time_t age = time(NULL) - patients[index].since;
    int is_over = look(patients[index].pid, &now) < 0 || is_own(&now) || (now.state != 'T' && age > 1);
    if (!is_over && (now.state != 'T' || age < PATIENCE)) continue;
    if (!is_over) {
      hung++, may_stop = 0;
      syscall(SYS_pidfd_send_signal, patients[index].pidfd, SIGCONT, NULL, 0);
    }
    close(patients[index].pidfd);
    patients[index].pid = 0;
  }
}

static void attack(int pid, int parent, unsigned every) {
  struct process process;
  int pidfd = syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) return;
  /* Looked at after its descriptor was opened: a pid that belongs to another process by now gets no signal. */
  if (look(pid, &process) == 0 && is_ours_to_attack(&process, parent)) {
    process.pidfd = pidfd;
    newcomers++;
    if (!is_own(&process)) helpers++;
    if ((!every || newcomers % every == 0) && !is_own(&process) && may_stop) stop(&process);
    for (unsigned round = 0; round < MAX_ROUNDS || strcmp(process.name, INIT) != 0; round++) {
      int was_own = is_own(&process);
      if (!every && !was_own && may_stop && round < MAX_ROUNDS)
        stopped += syscall(SYS_pidfd_send_signal, pidfd, SIGSTOP, NULL, 0) == 0;
      try_all(&process, 1);
      if (was_own || look(pid, &process) < 0 || process.state == 'Z') break;
      if (round % 64 == 0) visit_patients();
    }
  }
  close(pidfd);
}

/* The first look is to know who was there before. */
static void attack_newcomers(int parent, unsigned every) {
  static unsigned char turn;
  static int is_first = 1;
  static char entries[32768] __attribute__((aligned(8)));
  int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  long length;
  turn = turn % 250 + 1;
  unsigned char last = turn == 1 ? 250 : turn - 1;
  while ((length = syscall(SYS_getdents64, proc, entries, sizeof entries)) > 0) {
    for (long offset = 0; offset < length;) {
      struct { ino64_t ino; off64_t next; unsigned short length; unsigned char type; char name[]; } *entry =
        (void *)(entries + offset);
      offset += entry->length;
      int pid = atoi(entry->name);
      if (pid <= 0 || pid >= MAX_PID || pid == getpid()) continue;
      /* Known if it was there the last time; a pid that comes again is another process. */
      int is_known = done[pid] == last || done[pid] == turn;
      done[pid] = turn;
      if (!is_known && !is_first && pid != parent) attack(pid, parent, every);
    }
  }
  close(proc);
  is_first = 0;
}

/* Node itself where it can be seen, or else PID 1. Neither is traced: that must not succeed, and would do harm. */
static void attack_elder(int parent) {
  struct process process;
  if (look(parent == 0 ? 1 : parent, &process) < 0 || is_own(&process)) return;
  process.pidfd = syscall(SYS_pidfd_open, process.pid, 0);
  process.is_placeholder = 0;
  try_all(&process, 0);
  close(process.pidfd);
  elders++;
}

static void report(void) {
  printf("{\"newcomers\":%u,\"helpers\":%u,\"elders\":%u,\"stopped\":%u,\"hung\":%u,\"attempts\":%u,\"fair\":[",
    newcomers, helpers, elders, stopped, hung, attempts);
  for (int technique = 0, count = 0; technique < TECHNIQUES; technique++)
    if (fair[technique]) printf("%s\"%s\"", count++ ? "," : "", NAMES[technique]);
  printf("],\"breaches\":[");
  for (unsigned index = 0; index < breaches && index < sizeof breach / sizeof *breach; index++)
    printf("%s\"%s\"", index ? "," : "", breach[index]);
  printf("]}\n");
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  if (strcmp(mode, "target") == 0) return 0;
  if (strcmp(mode, "prey") == 0) for (;;) pause();
  if (strcmp(mode, "attack") != 0 || argc != 4) return 2;
  int parent = atoi(argv[2]), every = atoi(argv[3]), is_told = 0;
  FILE *name = fopen("/proc/self/comm", "r");
  if (!name || fscanf(name, "%31s", own_name) != 1) return 3;
  fclose(name);
  /* Should Node be gone, so is this. */
  alarm(120);
  attack_elder(parent);
  for (unsigned turn = 0;; turn++) {
    attack_newcomers(parent, every);
    visit_patients();
    if (turn % 64 == 0) attack_elder(parent);
    if (turn == 0) puts("ready");
    if (!is_told && fair[SEIZE] + fair[ATTACH]) is_told = may_stop = puts("taken");
    fflush(stdout);
    struct pollfd input = { .fd = 0, .events = POLLIN };
    if (turn % 16 == 0 && poll(&input, 1, 0) > 0) break;
  }
  report();
  return 0;
}
