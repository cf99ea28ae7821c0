/*
 * Breaks one system call of one process that a Node's thread starts: kills or stops it there, or lets the call fail.
 *
 * strace(1) counts and injects for Node as for its children; this one follows the children alone. It seizes one thread of
 * Node, and everything that is born of it. Each line of its standard input arms one fault:
 *
 *     PROCESS CALL NUMBER ERRNO       -1 for ERRNO kills, -2 stops, -3 stops again and again, -4 keeps it in a ptrace stop
 *
 * PROCESS counts births from 1, and 0 is the thread itself; CALL is the number of a system call, or -1 for any; NUMBER
 * counts those of the process from 1. "ready" is the answer, and "hit CALL" follows when it happens. An empty line
 * disarms: "births COUNT". A program that is executed in the end is let go.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <linux/ptrace.h>
#include <unistd.h>

#define MANY 4096
enum { KILL = -1, STOP = -2, HOLD = -3, KEEP = -4 };

static struct { pid_t pid; int index, count, failing, is_helper, is_held; } known[MANY];
static int births;
static struct { int armed, process, call, number, error; } fault;
static pid_t seized;

static int find(pid_t pid) {
  for (int i = 0; i < MANY; i++) if (known[i].pid == pid) return i;
  for (int i = 0; i < MANY; i++) if (known[i].pid == 0) {
    known[i].pid = pid;
    known[i].index = pid == seized ? 0 : ++births;
    known[i].count = known[i].failing = known[i].is_held = 0;
    /* The first becomes the helper by its first execve; the others are born of it. */
    known[i].is_helper = known[i].index > 1;
    return i;
  }
  abort();
}

static void say_hit(int call) { printf("hit %d\n", call); fflush(stdout); }

/* At the entry of a call, and at the exit of one that is to fail. Whether the process may go on. */
static int at_call(pid_t pid) {
  int i = find(pid);
  struct ptrace_syscall_info info;
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0) return 1;
  if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    if (known[i].failing == 0) return 1;
    ptrace(PTRACE_GETREGS, pid, 0, &registers);
    registers.rax = -known[i].failing;
    ptrace(PTRACE_SETREGS, pid, 0, &registers);
    known[i].failing = 0;
    return 1;
  }
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return 1;
  if (!fault.armed || known[i].index != fault.process) return 1;
  if (fault.call >= 0 && (int)info.entry.nr != fault.call) return 1;
  if (++known[i].count != fault.number) return 1;
  fault.armed = 0;
  say_hit((int)info.entry.nr);
  if (fault.error == KEEP) return 0;
  if (fault.error == KILL) kill(pid, SIGKILL);
  else if (fault.error == STOP || fault.error == HOLD) {
    known[i].is_held = fault.error == HOLD;
    kill(pid, SIGSTOP);
  }
  else {
    ptrace(PTRACE_GETREGS, pid, 0, &registers);
    registers.orig_rax = -1;
    ptrace(PTRACE_SETREGS, pid, 0, &registers);
    known[i].failing = fault.error;
  }
  return 1;
}

static void go_on(pid_t pid, int signal) {
  /* The thread of Node is traced only while one of its own calls has to fail. */
  int follows = pid != seized || (fault.armed && fault.process == 0) || known[find(pid)].failing;
  ptrace(follows ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, signal);
}

static int wait_for_all(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (pid == seized) return 0;
      known[find(pid)].pid = 0;
      continue;
    }
    int signal = WSTOPSIG(status), event = status >> 16;
    int i = find(pid);
    if (signal == (SIGTRAP | 0x80)) { if (at_call(pid)) go_on(pid, 0); }
    else if (event == PTRACE_EVENT_STOP && (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU))
      ptrace(PTRACE_LISTEN, pid, 0, 0);
    else if (event == PTRACE_EVENT_EXEC && known[i].is_helper) {
      /* A program of the user's, from here on, whose stops are not nsset's to undo. */
      kill(pid, SIGCONT);
      known[i].pid = 0;
      ptrace(PTRACE_DETACH, pid, 0, 0);
    }
    else {
      known[i].is_helper |= event == PTRACE_EVENT_EXEC;
      if (event == PTRACE_EVENT_STOP && known[i].is_held) kill(pid, SIGSTOP);
      go_on(pid, event == 0 ? signal : 0);
    }
  }
  return 1;
}

int main(int argc, char **argv) {
  long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
  sigset_t set;
  char line[256];
  if (argc != 2) return 2;
  seized = atoi(argv[1]);
  sigemptyset(&set); sigaddset(&set, SIGCHLD); sigprocmask(SIG_BLOCK, &set, 0);
  int ended = signalfd(-1, &set, SFD_NONBLOCK);
  if (ptrace(PTRACE_SEIZE, seized, 0, options) < 0) { perror("PTRACE_SEIZE"); return 1; }
  find(seized);
  for (;;) {
    struct pollfd fds[2] = {{ 0, POLLIN, 0 }, { ended, POLLIN, 0 }};
    poll(fds, 2, -1);
    if (fds[1].revents) {
      struct signalfd_siginfo info;
      while (read(ended, &info, sizeof info) > 0) {}
    }
    if (!wait_for_all()) return 0;
    if (!fds[0].revents) continue;
    ssize_t length = read(0, line, sizeof line - 1);
    if (length <= 0) return 0;
    line[length] = 0;
    fault.armed = sscanf(line, "%d %d %d %d", &fault.process, &fault.call, &fault.number, &fault.error) == 4;
    if (fault.armed) {
      births = 0;
      for (int i = 0; i < MANY; i++) known[i].count = 0;
      if (fault.process == 0) ptrace(PTRACE_INTERRUPT, seized, 0, 0);
      printf("ready\n");
    } else printf("births %d\n", births);
    fflush(stdout);
  }
}
