#!/usr/bin/env bash
# After unshare(CLONE_NEWPID) and before the next fork, nothing in /proc shows the new pid namespace: the link pid_for_children is
# there, and readlink(2) of it fails with ENOENT (pid_namespaces(7)), so that lsns(8) does not list it. The descriptor of the process
# opens it all the same (PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE, Linux 6.11). A search of /proc for namespaces that keep a limit of
# user.max_pid_namespaces in use misses these.
#
# Linux 6.18 and 7.3, util-linux 2.38 and 2.42, with Python 3.11 for the calls. Output seen, 2026-11-28:
#   /proc: ENOENT
#   pidfd: another pid namespace
#   lsns: not listed
set -euo pipefail

uname -sr
answer=$(timeout 20 unshare --user --map-root-user python3 - <<'PYTHON'
import ctypes
import errno
import fcntl
import os
import subprocess

CLONE_NEWPID = 0x20000000
PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE = 0xFF06

libc = ctypes.CDLL(None, use_errno=True)
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    assert libc.unshare(CLONE_NEWPID) == 0
    os.write(ready[1], b".")
    os.read(go[0], 1)
    os._exit(0)
os.read(ready[0], 1)
try:
    print("/proc:", os.readlink(f"/proc/{child}/ns/pid_for_children"))
except OSError as error:
    print("/proc:", errno.errorcode[error.errno])
namespace = os.fstat(fcntl.ioctl(os.pidfd_open(child), PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE)).st_ino
own = os.stat("/proc/self/ns/pid").st_ino
print("pidfd:", "the same pid namespace" if namespace == own else "another pid namespace")
listed = subprocess.run(["lsns", "--noheadings", "--output", "NS"], capture_output=True, text=True, check=True).stdout.split()
print("lsns:", "listed" if str(namespace) in listed else "not listed")
os.write(go[1], b".")
os.waitpid(child, 0)
PYTHON
)
echo "$answer"
[ "$answer" = "/proc: ENOENT
pidfd: another pid namespace
lsns: not listed" ] || { echo "CHANGED"; exit 1; }
echo "as described"
