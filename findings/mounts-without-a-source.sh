#!/usr/bin/env bash
# mount(2) takes an empty source, and the kernel shows it as nothing before a space. getmntent(3) of glibc 2.36 (Debian 12) then takes the
# place of the mount for its source, the type for its place, and so on. So do psutil 7.2.2, which calls it, and the crate proc-mounts 0.3.0.
#
# A program that asks what is mounted at a place does not find the mount, and one that unmounts everything below a folder leaves it. findmnt
# and df, which read /proc/self/mountinfo with parsers of their own, have it right. With the source "none" all of them do.
#
# Output seen, 2026-11-28 (`mount -t tmpfs '' /mnt/lab`: source, place, type):
#   getmntent: "/mnt/lab" "tmpfs" "rw,relatime"
#   psutil: "/mnt/lab" "tmpfs" "rw,relatime"
#   proc-mounts: "/mnt/lab" "tmpfs" "rw,relatime"
#   findmnt: "" "/mnt/lab" "tmpfs"
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check psutil==7.2.2
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "places"
version = "0.0.0"
edition = "2021"

[dependencies]
proc-mounts = "=0.3.0"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    for mount in proc_mounts::MountIter::new().unwrap().flatten() {
        if mount.source.starts_with("/mnt/lab") || mount.dest.starts_with("/mnt/lab") {
            println!("proc-mounts: {:?} {:?} {:?}", mount.source, mount.dest, mount.fstype);
        }
    }
}
RUST
cargo build --quiet
cat >inside.py <<'INSIDE'
import ctypes
import subprocess

import psutil

PLACE = '/mnt/lab'


class Entry(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ('source', 'place', 'kind', 'options')]


libc = ctypes.CDLL('libc.so.6')
libc.setmntent.restype = ctypes.c_void_p
libc.getmntent.argtypes = [ctypes.c_void_p]
libc.getmntent.restype = ctypes.POINTER(Entry)


def show(reader, *words):
    if PLACE in words:
        print(f'{reader}:', *[f'"{word}"' for word in words])


mounts = libc.setmntent(b'/proc/self/mounts', b'r')
while entry := libc.getmntent(mounts):
    show('getmntent', *[word.decode() for word in (entry[0].source, entry[0].place, entry[0].kind)])
for entry in psutil.disk_partitions(all=True):
    show('psutil', entry.device, entry.mountpoint, entry.fstype)
print(subprocess.run(['target/debug/places'], capture_output=True, text=True, check=True).stdout, end='')
shown = subprocess.run(['findmnt', '--pairs', '-o', 'SOURCE,TARGET,FSTYPE', PLACE], capture_output=True, text=True, check=True)
show('findmnt', *shown.stdout.split('"')[1::2])
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --mount bash -euc '
  mount -t tmpfs none /mnt
  mkdir /mnt/lab
  mount -t tmpfs "" /mnt/lab
  venv/bin/python inside.py')
echo "$answer"
[ "$answer" = 'getmntent: "/mnt/lab" "tmpfs" "rw,relatime"
psutil: "/mnt/lab" "tmpfs" "rw,relatime"
proc-mounts: "/mnt/lab" "tmpfs" "rw,relatime"
findmnt: "" "/mnt/lab" "tmpfs"' ] || { echo "CHANGED"; exit 1; }
echo "as described"
