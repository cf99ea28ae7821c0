#!/usr/bin/env bash
# iproute2 7.3.0 (Debian sid) cannot remove by `ip route flush`, and cannot restore, what it has added with `nhid`.
#
# The kernel reports the gateway of the next hop beside its id (net.ipv4.nexthop_compat_mode is 1 by default), and refuses a
# request that has both. `flush` and `restore` send back what the kernel has reported. `flush` says "Failed to send flush request"
# and leaves the route; `restore` ends at the first one, so that the routes behind it are missing too. ip-route(8) says that it restores
# "exactly as it was". It also drops the end of an IPv6 route's lifetime, without an error: `expires` becomes for ever.
#
# Output seen, 2026-11-28 (Linux 6.18):
#   flush: Failed to send flush request: Invalid argument
#   left: 10.2.0.0/16 nhid 1 via 10.0.0.9 dev lab0
#   restore: Error: Nexthop specification and nexthop id are mutually exclusive.
#   saved 10.1.0.0/16 10.2.0.0/16 10.3.0.0/16, restored 10.1.0.0/16
#   saved fd09::/64 via fd00::9 dev lab0 metric 5 expires 900sec pref medium
#   restored fd09::/64 via fd00::9 dev lab0 metric 5 pref medium
#   with nexthop_compat_mode 0: restored 10.1.0.0/16 10.2.0.0/16 10.3.0.0/16
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
mkdir -p lists/partial cache/archives/partial
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
echo "deb $site sid main" >sources.list
options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache")
apt-get "${options[@]}" update -qq
apt-get "${options[@]}" download -qq iproute2=7.3.0-1 libc6 libbpf1 libelf1t64 libmnl0 libcap2 libselinux1 libpcre2-8-0 zlib1g \
  libzstd1 libtirpc3t64
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
tool() { echo "$libraries/ld-linux-x86-64.so.2 --library-path $libraries $(ls "$work"/root/{usr/,}{s,}bin/"$1" 2>/dev/null | head -n 1)"; }
export IP=$(tool ip)
$IP -V
cat >inside <<'INSIDE'
set -euo pipefail
$IP link add lab0 type veth peer name lab1
$IP link set lab0 up
$IP link set lab1 up
$IP address add 10.0.0.1/24 dev lab0
$IP address add fd00::1/64 dev lab0 nodad
$IP nexthop add id 1 via 10.0.0.9 dev lab0
fill() {
  $IP route add 10.1.0.0/16 via 10.0.0.9 proto static
  $IP route add 10.2.0.0/16 nhid 1 proto static
  $IP route add 10.3.0.0/16 via 10.0.0.9 proto static
  $IP route save proto static >saved
}
names() { $IP route show proto static | awk '{ print $1 }' | paste -sd ' '; }
routes() { $IP "$1" route show proto static | sed 's/ *$//'; }
clear() { for network in 1 2 3; do $IP route delete 10.$network.0.0/16 2>>errors || true; done; }
fill
before=$(names)
echo "flush: $($IP route flush proto static 2>&1 || true)"
echo "left: $(routes -4)"
clear
echo "restore: $($IP route restore 2>&1 <saved || true)"
echo "saved $before, restored $(names)"
$IP -6 route add fd09::/64 via fd00::9 dev lab0 metric 5 expires 900 proto static
$IP -6 route save proto static >saved6
echo "saved $(routes -6 | sed 's/expires [0-9]*/expires 900/')"
$IP -6 route delete fd09::/64
$IP -6 route restore <saved6
echo "restored $(routes -6)"
clear
echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode
fill
clear
$IP route restore <saved
echo "with nexthop_compat_mode 0: restored $(names)"
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "flush: Failed to send flush request: Invalid argument
left: 10.2.0.0/16 nhid 1 via 10.0.0.9 dev lab0
restore: Error: Nexthop specification and nexthop id are mutually exclusive.
saved 10.1.0.0/16 10.2.0.0/16 10.3.0.0/16, restored 10.1.0.0/16
saved fd09::/64 via fd00::9 dev lab0 metric 5 expires 900sec pref medium
restored fd09::/64 via fd00::9 dev lab0 metric 5 pref medium
with nexthop_compat_mode 0: restored 10.1.0.0/16 10.2.0.0/16 10.3.0.0/16" ] || { echo "CHANGED"; exit 1; }
echo "as described"
