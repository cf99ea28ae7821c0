#!/usr/bin/env bash
# crun 1.28 (Debian sid): the option `rrelatime` of a mount makes it refuse to follow symbolic links, and `rdirsync` turns off the access
# times of its directories. The container starts; ln -s and ls work, and what is behind a link is ELOOP.
#
# For options that hold for the mounts below too, crun calls mount_setattr(2), with the numbers that mount(2) has for them. MS_RELATIME
# is MOUNT_ATTR_NOSYMFOLLOW there, MS_DIRSYNC is MOUNT_ATTR_NODIRATIME, and the other numbers mean nothing: `rnoatime`, `rnodiratime` and
# `rstrictatime` end in EINVAL. `crun features` lists all of these. Only those whose numbers are equal do what they say: rro, rnosuid,
# rnodev, rnoexec. Version 1.29 of crun translates the numbers.
#
# Output seen, 2026-11-28 (the options of the mount inside, and a look through a link of it):
#   rbind: rw,relatime; followed
#   rbind,rrelatime: rw,relatime,nosymfollow; Too many levels of symbolic links
#   rbind,rdirsync: rw,nodiratime,relatime; followed
#   rbind,rnoatime: mount_setattr `/data`: Invalid argument
#   rbind,rnodiratime: mount_setattr `/data`: Invalid argument
#   rbind,rro: ro,relatime; followed
#   listed by `crun features`: rdirsync rnoatime rnodiratime rrelatime rro
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
mkdir -p lists/partial cache/archives/partial bundle/rootfs/{bin,data,dev,proc} data
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
echo "deb $site sid main" >sources.list
options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache")
apt-get "${options[@]}" update -qq
apt-get "${options[@]}" download -qq crun=1.28-1 busybox-static libc6 libblake3-0 libcap2 libjson-c5 libseccomp2 libsystemd0
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
export CRUN="$libraries/ld-linux-x86-64.so.2 --library-path $libraries $work/root/usr/bin/crun"
$CRUN --version | head -n 1
cp root/usr/bin/busybox bundle/rootfs/bin/
cat >config.py <<'PYTHON'
import json
import sys

look = 'while read -r line; do case $line in *" /data "*) set -- $line; echo "$6";; esac; done </proc/self/mountinfo; cd /data/link && echo followed'
namespaces = ['pid', 'mount', 'ipc', 'uts', 'user']
inside = [{'containerID': 0, 'hostID': 0, 'size': 1}]
json.dump({
    'ociVersion': '1.0.2',
    'process': {'user': {'uid': 0, 'gid': 0}, 'args': ['/bin/busybox', 'sh', '-c', look], 'cwd': '/'},
    'root': {'path': 'rootfs'},
    'mounts': [
        {'destination': '/proc', 'type': 'proc', 'source': 'proc'},
        {'destination': '/data', 'type': 'bind', 'source': sys.argv[1], 'options': sys.argv[2].split(',')},
    ],
    'linux': {'namespaces': [{'type': name} for name in namespaces], 'uidMappings': inside, 'gidMappings': inside},
}, open('bundle/config.json', 'w'))
PYTHON
cat >inside <<'INSIDE'
set -euo pipefail
# crun takes no mixture of both versions of control groups.
if [ -d /sys/fs/cgroup/unified ]; then mount --rbind /sys/fs/cgroup/unified /sys/fs/cgroup; fi
mount -t tmpfs none data
mkdir data/folder
ln -s folder data/link
for options in rbind rbind,rrelatime rbind,rdirsync rbind,rnoatime rbind,rnodiratime rbind,rro; do
  python3 config.py "$PWD/data" "$options"
  said=$($CRUN --cgroup-manager=disabled --root="$PWD/state" run --bundle bundle lab 2>&1 | tr -d '\r' | sed 's/.*t cd to [^:]*: //' | paste -s -d ';' | sed 's/;/; /g') || true
  echo "$options: $said"
done
echo "listed by \`crun features\`: $($CRUN features | tr -d ' ",' | grep -xE 'r(ro|relatime|dirsync|noatime|nodiratime)' | sort | paste -s -d ' ')"
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --mount --pid --fork --kill-child --mount-proc bash inside)
echo "$answer"
[ "$answer" = 'rbind: rw,relatime; followed
rbind,rrelatime: rw,relatime,nosymfollow; Too many levels of symbolic links
rbind,rdirsync: rw,nodiratime,relatime; followed
rbind,rnoatime: mount_setattr `/data`: Invalid argument
rbind,rnodiratime: mount_setattr `/data`: Invalid argument
rbind,rro: ro,relatime; followed
listed by `crun features`: rdirsync rnoatime rnodiratime rrelatime rro' ] || { echo "CHANGED"; exit 1; }
echo "as described"
