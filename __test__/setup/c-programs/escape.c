// Tries to leave a box, in ways that change nothing where they succeed. Prints a line for each: its name, and `refused` with
// the error number, or `GOT` with what it got.
// escape MARKER ABSTRACT PID: a file of the host that is not in the box, an abstract socket and a process of the host.
// escape MARKER ABSTRACT PID look: only looks, so that it can run outside of a box, too.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *name, long result) {
  if (result < 0) printf("%s: refused %d\n", name, errno);
  else printf("%s: GOT %ld\n", name, result);
  fflush(stdout);
}

static void tell_open(const char *name, const char *path, int flags) { tell(name, open(path, flags | O_CLOEXEC)); }

static void climb(const char *marker) {
  char path[8192] = "";
  for (int i = 0; i < 64; i++) strcat(path, "/..");
  strncat(path, marker, 4096);
  tell_open("dot-dot", path, O_RDONLY);
  int root = open("/", O_PATH | O_DIRECTORY);
  tell("dot-dot of a descriptor", openat(root, path + 1, O_RDONLY));
}

// Opens a directory, puts the root directory below it, and climbs from there.
static void break_chroot(const char *marker) {
  int here = open(".", O_RDONLY | O_DIRECTORY);
  mkdir("below", 0755);
  if (chroot("below") != 0) { tell("chroot", -1); return; }
  fchdir(here);
  for (int i = 0; i < 64; i++) chdir("..");
  chroot(".");
  tell_open("chroot", marker, O_RDONLY);
}

static void roots_of_others(const char *marker) {
  DIR *proc = opendir("/proc");
  struct dirent *entry;
  int got = -1;
  errno = ENOENT;
  while (proc != NULL && (entry = readdir(proc)) != NULL) {
    char path[8192];
    if (atoi(entry->d_name) == 0) continue;
    snprintf(path, sizeof path, "/proc/%s/root%s", entry->d_name, marker);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) got = fd;
    snprintf(path, sizeof path, "/proc/%s/cwd%s", entry->d_name, marker);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) got = fd;
  }
  tell("root and cwd of other processes", got);
}

static void connect_abstract(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
  tell("abstract socket", connect(fd, (struct sockaddr *)&address, length));
}

static void descriptors(void) {
  int got = -1;
  errno = EBADF;
  for (int fd = 3; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0) got = fd;
  tell("inherited descriptors", got);
}

static void trace(pid_t pid) {
  tell("ptrace of a process of the host", ptrace(PTRACE_SEIZE, pid, 0, 0));
  tell("ptrace of PID 1", ptrace(PTRACE_SEIZE, 1, 0, 0));
  char byte;
  struct iovec local = {&byte, 1}, remote = {&trace, 1};
  tell("memory of PID 1", process_vm_readv(1, &local, 1, &remote, 1, 0));
  tell_open("memory of PID 1 in /proc", "/proc/1/mem", O_RDONLY);
  tell_open("descriptors of PID 1", "/proc/1/fd/0", O_RDONLY);
}

// A child that has all capabilities of a user namespace of its own, where one can be made.
static void user_namespace(void) {
  tell("unshare of a user namespace", unshare(CLONE_NEWUSER));
  tell("clone with a user namespace", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
  struct { unsigned long flags, rest[10]; } arguments = {CLONE_NEWUSER, {0}};
  arguments.rest[3] = SIGCHLD;
  long child = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child == 0) _exit(0);
  tell("clone3 with a user namespace", child);
  int own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
  tell("setns", setns(own, 0));
  if (own >= 0) close(own);
}

static void devices(void) {
  tell("mknod of a disk", mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0)));
  for (const char **path = (const char *[]){"/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse", NULL}; *path; path++)
    tell_open(*path, *path, O_RDONLY);
}

static void write_to_the_kernel(void) {
  tell_open("/proc/sys", "/proc/sys/kernel/core_pattern", O_WRONLY);
  tell_open("/proc/sysrq-trigger", "/proc/sysrq-trigger", O_WRONLY);
  tell_open("/sys", "/sys/kernel/uevent_helper", O_WRONLY);
  tell_open("/sys/fs/cgroup", "/sys/fs/cgroup/cgroup.procs", O_WRONLY);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  pid_t pid = atoi(argv[3]);
  chdir("/tmp");
  descriptors();
  tell_open("the marker", argv[1], O_RDONLY);
  climb(argv[1]);
  roots_of_others(argv[1]);
  tell("kill of a process of the host", kill(pid, 0));
  connect_abstract(argv[2]);
  if (argc > 4) return 0;
  break_chroot(argv[1]);
  tell_open("own program for writing", "/proc/self/exe", O_WRONLY);
  trace(pid);
  tell("keyring of the session", syscall(SYS_keyctl, 0, -3, 0));
  tell("new key", syscall(SYS_add_key, "user", "nsset-escape", "x", 1, -2));
  char letter = 0;
  tell("TIOCSTI", ioctl(0, TIOCSTI, &letter));
  user_namespace();
  tell("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
  tell("remount of /", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
  tell("umount of /proc", umount2("/proc", MNT_DETACH));
  tell("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp"));
  struct { struct file_handle head; unsigned char bytes[16]; } handle = {{16, 1}, {2}};
  tell("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY));
  tell("setuid to root", geteuid() == 0 ? (errno = EPERM, -1) : setuid(0));
  tell("packet socket", socket(AF_PACKET, SOCK_RAW, 0));
  tell("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
  tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
  tell("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
  tell("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
  tell("userfaultfd", syscall(SYS_userfaultfd, 0));
  tell("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
  devices();
  write_to_the_kernel();
  return 0;
}
