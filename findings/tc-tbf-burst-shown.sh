#!/usr/bin/env bash
# tc of iproute2 7.3.0 (Debian sid): the burst of a token bucket is shown smaller than it was given, by up to a tick of the rate.
#
# The kernel keeps the burst as a time, in nanoseconds, and reports it in ticks of 64 ns. tc turns whole ticks into bytes: at
# 25 Gbit/s a tick is 200 bytes. A script that compares what it set with what `tc -json` says finds a difference at each
# rate above about 10 Gbit/s, and one that writes the shown value back makes the bucket smaller.
#
# Output seen, 2026-11-27:
#   10gbit burst 3000: 2960
#   25gbit burst 3000: 2800
#   100gbit burst 9000: 8800
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
export IP=$(tool ip) TC=$(tool tc)
$TC -V
cat >inside <<'INSIDE'
set -euo pipefail
$IP link add lab0 type veth peer name lab1
check() {
  $TC qdisc replace dev lab0 root handle 1: tbf rate "$1" burst "$2" latency 50ms
  local json shown
  json=$($TC -json qdisc show dev lab0)
  shown=${json#*\"burst\":} shown=${shown%%[,\}]*}
  echo "$1 burst $2: $shown"
  [ "$shown" = "$3" ] || { echo 'CHANGED'; exit 1; }
}
check 1gbit 3000 3000
check 10gbit 3000 2960
check 25gbit 3000 2800
check 100gbit 9000 8800
INSIDE
unshare --user --map-root-user --net bash inside
echo "as described"
