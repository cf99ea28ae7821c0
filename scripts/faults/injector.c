/*
 * Runs a program, and makes one system call of it or of its descendants fail, or kills or stops the calling process.
 *
 *   injector REPORT PROGRAM [ARGUMENT…]
 *
 * A seccomp filter passes the system calls of the table below to this process before the kernel executes them. All
 * other calls run at full speed. strace does the same by ptrace(2), which stops every thread twice for each call, and
 * hides from a parent that its child was stopped.
 *
 * The program gives orders by access(2) of a path that does not exist, which is synchronous and needs no descriptor:
 *
 *   /nsset-faults/begin                            count calls
 *   /nsset-faults/begin/ROLE/CALL/N/error/ERRNO    and refuse the Nth CALL of ROLE
 *   /nsset-faults/begin/ROLE/CALL/N/signal/NUMBER  and send the process that signal
 *   /nsset-faults/mute                             stop counting the main thread's calls
 *   /nsset-faults/end                              stop, and write REPORT
 *
 * A role is `main`, the name of another thread of the program, or `child-N` for the Nth process that was born since
 * `begin`. A process that has executed another program has no role. A line of REPORT is `ROLE CALL N FLAGS TARGET`,
 * or `hit`. A TARGET that ends in `+rights`
 * receives descriptors. FLAGS: an argument of the call that determines its errors, and whether the descriptor is
 * non-blocking.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX "/nsset-faults/"
#define MAX_PID 4194304
#define MAX_COUNTS 4096
#define MAX_CALLS 65536

/* `descriptor`: the argument that is one, or -1. `flags`: the argument that selects what the call does, or -1. */
struct call { const char *name; int number, descriptor, flags; };
#define CALL(name, descriptor, flags) { #name, __NR_##name, descriptor, flags }

/* The system call of orders: libc uses one or the other. */
#ifdef __NR_access
#define ORDER __NR_access
#define ORDER_PATH 0
#else
#define ORDER __NR_faccessat
#define ORDER_PATH 1
#endif

static const struct call CALLS[] = {
  { "access", ORDER, -1, -1 },
#ifdef __x86_64__
  CALL(open, -1, 1), CALL(mkdir, -1, -1), CALL(rmdir, -1, -1), CALL(unlink, -1, -1),
  CALL(readlink, -1, -1), CALL(stat, -1, -1), CALL(lstat, -1, -1), CALL(pipe, -1, -1), CALL(dup2, 0, -1),
  CALL(fork, -1, -1), CALL(vfork, -1, -1), CALL(poll, -1, -1), CALL(epoll_create, -1, -1), CALL(eventfd, -1, -1),
#endif
  CALL(openat, -1, 2), CALL(openat2, -1, -1), CALL(close, 0, -1), CALL(read, 0, -1), CALL(pread64, 0, -1),
  CALL(readv, 0, -1), CALL(write, 0, -1), CALL(writev, 0, -1), CALL(pwrite64, 0, -1), CALL(socket, -1, 0),
  CALL(socketpair, -1, 0), CALL(connect, 0, -1), CALL(bind, 0, -1), CALL(listen, 0, -1), CALL(accept4, 0, -1),
  CALL(sendto, 0, 3), CALL(sendmsg, 0, 2), CALL(sendmmsg, 0, 3), CALL(recvfrom, 0, 3), CALL(recvmsg, 0, 2),
  CALL(setsockopt, 0, 2), CALL(getsockopt, 0, 2), CALL(getsockname, 0, -1), CALL(shutdown, 0, -1), CALL(pipe2, -1, -1),
  CALL(dup, 0, -1), CALL(dup3, 0, -1), CALL(fcntl, 0, 1), CALL(ioctl, 0, 1), CALL(eventfd2, -1, -1),
  CALL(timerfd_create, -1, -1), CALL(memfd_create, -1, -1), CALL(epoll_create1, -1, -1), CALL(epoll_ctl, 2, 1),
  CALL(signalfd4, -1, -1), CALL(clone, -1, 0), CALL(clone3, -1, -1), CALL(execve, -1, -1), CALL(execveat, -1, -1),
  CALL(unshare, -1, 0), CALL(setns, 0, 1), CALL(mount, -1, -1), CALL(umount2, -1, -1), CALL(open_tree, -1, 2),
  CALL(move_mount, -1, -1), CALL(mount_setattr, -1, -1), CALL(fsopen, -1, -1), CALL(fsconfig, 0, 1), CALL(fsmount, 0, -1),
  CALL(pivot_root, -1, -1), CALL(chroot, -1, -1), CALL(chdir, -1, -1), CALL(fchdir, 0, -1), CALL(mkdirat, -1, -1),
  CALL(mknodat, -1, -1), CALL(unlinkat, -1, -1), CALL(symlinkat, -1, -1), CALL(linkat, -1, -1),
  CALL(renameat2, -1, -1), CALL(readlinkat, -1, -1), CALL(newfstatat, -1, -1), CALL(statx, -1, -1), CALL(fstat, 0, -1),
  CALL(statfs, -1, -1), CALL(fstatfs, 0, -1), CALL(name_to_handle_at, -1, -1), CALL(getdents64, 0, -1),
  CALL(ftruncate, 0, -1), CALL(flock, 0, -1), CALL(fchmod, 0, -1), CALL(pidfd_open, -1, -1),
  CALL(pidfd_send_signal, 0, -1), CALL(kill, -1, 1), CALL(wait4, -1, -1), CALL(waitid, -1, -1), CALL(ppoll, -1, -1),
  CALL(prctl, -1, 0), CALL(prlimit64, -1, -1), CALL(setresuid, -1, -1), CALL(setresgid, -1, -1),
  CALL(setuid, -1, -1), CALL(setgid, -1, -1), CALL(setgroups, -1, -1), CALL(capset, -1, -1), CALL(setsid, -1, -1),
  CALL(sethostname, -1, -1), CALL(close_range, -1, -1), CALL(getrandom, -1, -1), CALL(exit_group, -1, -1),
};
#define KINDS ((int)(sizeof CALLS / sizeof *CALLS))

/* A descendant of the program, by its pid: its number since the last `begin`. */
struct process { unsigned begun; short number; char executed; };
/* How often a role has made a call, and the calls themselves, in order. */
struct count { char role[32]; int call, times; };
struct line { int count, nth, is_nonblocking; unsigned long flags; char target[64]; };

static struct process processes[MAX_PID + 1];
static struct count counts[MAX_COUNTS];
static struct line lines[MAX_CALLS];
static int child_count, count_count, line_count;
static unsigned begun;

static int listener, subject, is_counting, is_muted, is_hit;
static char program[4096];
static const char *report;
static struct { char role[32], call[32]; int nth, is_signal, number; } fault;

static void die(const char *what) {
  perror(what);
  exit(125);
}

static int install(void) {
  struct sock_filter filter[KINDS + 6];
  int length = 0;
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int i = 0; i < KINDS; i++)
    filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALLS[i].number, KINDS - i, 0);
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  struct sock_fprog fprog = { (unsigned short)length, filter };
  if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
  /* After the notification of a call, only SIGKILL ends its wait: no signal turns it into an additional EINTR. */
  return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &fprog);
}

struct start { char **argv; volatile int listener, error; };

/* Shares our memory and descriptors until it execs, so that we get the listener. */
static int begin(void *argument) {
  struct start *start = argument;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int fd = install();
  if (fd < 0) {
    start->error = errno;
    start->listener = -2;
    _exit(125);
  }
  start->listener = fd;
  execvp(start->argv[0], start->argv);
  _exit(126);
}

/* A file of /proc, or its link; -1 if it does not exist or is not accessible. */
static int look(char *into, size_t size, int is_link, const char *format, int pid, int fd) {
  char path[64];
  snprintf(path, sizeof path, format, pid, fd);
  if (is_link) {
    ssize_t length = readlink(path, into, size - 1);
    if (length < 0) return -1;
    into[length] = 0;
    return 0;
  }
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, into, size - 1);
  close(file);
  if (length < 0) return -1;
  into[length] = 0;
  return 0;
}

static int group_of(int tid) {
  char text[1024];
  if (look(text, sizeof text, 0, "/proc/%d/status", tid, 0) < 0) return tid;
  char *line = strstr(text, "\nTgid:");
  return line == NULL ? tid : atoi(line + 6);
}

/* Whether it runs another program: one that was executed, and is accessible. */
static int is_foreign(int pid) {
  char exe[4096];
  if (look(exe, sizeof exe, 1, "/proc/%d/exe", pid, 0) < 0) return 0;
  if (strncmp(exe, "/memfd:", 7) == 0) return 0;
  return processes[pid].executed || strcmp(exe, program) != 0;
}

/* The role of the calling thread, or 0 without one. */
static int role_of(int tid, int pid, char role[32]) {
  if (pid == subject) {
    if (tid == subject) return is_muted ? 0 : snprintf(role, 32, "main");
    char name[32];
    if (look(name, 17, 0, "/proc/%d/comm", tid, 0) < 0) return 0;
    name[strcspn(name, "\n")] = 0;
    for (char *at = name; *at; at++)
      if (*at == ' ' || *at == '/') *at = '-';
    return snprintf(role, 32, "%s", name);
  }
  if (pid < 0 || pid > MAX_PID || is_foreign(pid)) return 0;
  struct process *process = &processes[pid];
  if (process->begun != begun) {
    process->begun = begun;
    process->number = ++child_count;
  }
  return snprintf(role, 32, "child-%d", process->number);
}

/* Records that a process runs another program from now on, if the call succeeds. */
static void note_program(int pid, int number) {
  if (pid >= 0 && pid <= MAX_PID && (number == __NR_execve || number == __NR_execveat)) processes[pid].executed = 1;
}

static int count_of(const char *role, int call) {
  for (int i = 0; i < count_count; i++)
    if (counts[i].call == call && strcmp(counts[i].role, role) == 0) return i;
  if (count_count == MAX_COUNTS) return -1;
  counts[count_count].call = call;
  counts[count_count].times = 0;
  strcpy(counts[count_count].role, role);
  return count_count++;
}

static void write_report(void) {
  FILE *file = fopen(report, "we");
  if (file == NULL) die(report);
  if (is_hit) fputs("hit\n", file);
  for (int i = 0; i < line_count; i++) {
    const struct count *count = &counts[lines[i].count];
    fprintf(file, "%s %s %d %lu %d %s\n", count->role, CALLS[count->call].name, lines[i].nth, lines[i].flags,
      lines[i].is_nonblocking, lines[i].target);
  }
  fclose(file);
}

/* Obeys a path; whether it was an order. */
static int obey(int tid, unsigned long address) {
  char path[256] = "";
  struct iovec local = { path, sizeof path - 1 }, remote = { (void *)address, sizeof path - 1 };
  if (process_vm_readv(tid, &local, 1, &remote, 1, 0) < 0) {
    /* The string may end with its page. */
    local.iov_len = remote.iov_len = 4096 - address % 4096 < sizeof path ? 4096 - address % 4096 : sizeof path - 1;
    if (process_vm_readv(tid, &local, 1, &remote, 1, 0) < 0) return 0;
  }
  if (strncmp(path, PREFIX, sizeof PREFIX - 1) != 0) return 0;
  char *order = path + sizeof PREFIX - 1, how[8] = "";
  if (strncmp(order, "begin", 5) == 0) {
    child_count = count_count = line_count = is_hit = is_muted = 0;
    begun++;
    memset(&fault, 0, sizeof fault);
    if (sscanf(order, "begin/%31[^/]/%31[^/]/%d/%7[^/]/%d", fault.role, fault.call, &fault.nth, how, &fault.number) < 5)
      fault.nth = 0;
    fault.is_signal = strcmp(how, "signal") == 0;
    is_counting = 1;
  } else if (strcmp(order, "mute") == 0) {
    is_muted = 1;
  } else if (strcmp(order, "end") == 0) {
    is_counting = 0;
    write_report();
  }
  return 1;
}

/* Whether a message carries descriptors; false if the memory of the process is not accessible. */
static int carries_rights(const struct seccomp_data *data, int tid) {
  struct msghdr message;
  struct cmsghdr control;
  struct iovec local = { &message, sizeof message }, remote = { (void *)data->args[1], sizeof message };
  if (process_vm_readv(tid, &local, 1, &remote, 1, 0) != sizeof message) return 0;
  if (message.msg_control == NULL || message.msg_controllen < sizeof control) return 0;
  local = (struct iovec){ &control, sizeof control };
  remote = (struct iovec){ message.msg_control, sizeof control };
  if (process_vm_readv(tid, &local, 1, &remote, 1, 0) != sizeof control) return 0;
  return control.cmsg_level == SOL_SOCKET && control.cmsg_type == SCM_RIGHTS;
}

static void describe(struct line *line, const struct call *call, const struct seccomp_data *data, int tid) {
  line->flags = call->flags < 0 ? 0 : (unsigned long)data->args[call->flags];
  line->is_nonblocking = 0;
  strcpy(line->target, "?");
  if (call->descriptor < 0) return;
  int fd = (int)data->args[call->descriptor];
  if (look(line->target, sizeof line->target, 1, "/proc/%d/fd/%d", tid, fd) < 0) strcpy(line->target, "?");
  for (char *at = line->target; *at; at++)
    if (*at == ' ' || *at == '\n') *at = '_';
  if (data->nr == __NR_sendmsg && carries_rights(data, tid)) strncat(line->target, "+rights", sizeof line->target - strlen(line->target) - 1);
  char text[512], *flags;
  if (look(text, sizeof text, 0, "/proc/%d/fdinfo/%d", tid, fd) == 0 && (flags = strstr(text, "flags:")) != NULL)
    line->is_nonblocking = (strtoul(flags + 6, NULL, 8) & O_NONBLOCK) != 0;
}

/* Fills in the response to a call of the program. */
static void answer(const struct seccomp_notif *asked, struct seccomp_notif_resp *answer) {
  int kind = 0, tid = (int)asked->pid;
  while (kind < KINDS && CALLS[kind].number != asked->data.nr) kind++;
  answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  if (kind == KINDS) return;
  const struct call *call = &CALLS[kind];
  if (asked->data.nr == ORDER && obey(tid, asked->data.args[ORDER_PATH])) {
    answer->flags = 0;
    return;
  }
  char role[32];
  int pid = group_of(tid), has_role = is_counting && role_of(tid, pid, role) > 0;
  note_program(pid, asked->data.nr);
  if (!has_role || line_count == MAX_CALLS) return;
  struct line *line = &lines[line_count];
  describe(line, call, &asked->data, tid);
  /* Wake-ups of an event loop depend on timing, and libuv aborts when they fail. */
  if (strstr(line->target, "[eventfd]") != NULL) return;
  int count = count_of(role, kind);
  if (count < 0) return;
  line->count = count;
  line->nth = ++counts[count].times;
  line_count++;
  if (is_hit || line->nth != fault.nth || strcmp(call->name, fault.call) != 0 || strcmp(role, fault.role) != 0) return;
  is_hit = 1;
  if (fault.is_signal) {
    kill(pid, fault.number);
    return;
  }
  answer->flags = 0;
  answer->error = -fault.number;
}

int main(int argc, char **argv) {
  if (argc < 3) return 125;
  report = argv[1];
  struct start start = { argv + 2, -1, 0 };
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  char *stack = malloc(65536);
  subject = clone(begin, stack + 65536, CLONE_VM | CLONE_FILES | SIGCHLD, &start);
  if (subject < 0) die("clone");
  while (start.listener == -1) usleep(100);
  if (start.listener == -2) {
    errno = start.error;
    die("seccomp");
  }
  listener = start.listener;
  if (realpath(argv[2], program) == NULL) die(argv[2]);
  for (;;) {
    struct pollfd ready = { listener, POLLIN, 0 };
    if (poll(&ready, 1, 20) < 0 && errno != EINTR) die("poll");
    int status, pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
      if (pid == subject) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (!(ready.revents & POLLIN)) continue;
    struct seccomp_notif asked;
    struct seccomp_notif_resp reply;
    memset(&asked, 0, sizeof asked);
    memset(&reply, 0, sizeof reply);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0) continue;
    reply.id = asked.id;
    answer(&asked, &reply);
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
  }
}
