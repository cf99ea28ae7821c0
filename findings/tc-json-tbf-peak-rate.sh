#!/usr/bin/env bash
# tc of iproute2 7.3.0 (Debian sid), and 6.1.0: `tc -json -d qdisc show` does not say the peak rate of a tbf, and writes "mpu" twice in
# one object.
#
# The text output has both: "mpu 0b peakrate 16Mbit mtu 1539b/1 mpu 0b". The JSON has "mtu" and the second "mpu" of the peak rate, but
# not the rate itself, so that a program which reads it and adds the qdisc again makes another one. Parsers keep one of two equal names.
#
# Output seen, 2026-11-28:
#   [{"kind":"tbf",…,"options":{"rate":1000000,"burst":"10000b/1","mpu":0,"mtu":"1539b/1","mpu":0,"lat":90000,"linklayer":"ethernet"}}]
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
$TC qdisc add dev lab0 root tbf rate 8mbit burst 10000 limit 100000 peakrate 16mbit minburst 1540
text=$($TC -d qdisc show dev lab0)
json=$($TC -json -d qdisc show dev lab0)
echo "$json"
[[ $text == *"peakrate 16Mbit"* ]] || { echo "CHANGED: the text has no peak rate"; exit 1; }
[[ $json != *peakrate* ]] || { echo "CHANGED: the JSON has the peak rate"; exit 1; }
[[ $json == *\"mpu\"*\"mpu\"* ]] || { echo "CHANGED: mpu is there once"; exit 1; }
INSIDE
unshare --user --map-root-user --net bash inside
echo "as described"
