#!/usr/bin/env bash
# nftables 1.1.7 (Debian sid): `meta hour` is an hour of the local time zone, and `meta day` beside it is a day of UTC.
#
# nft moves hours (and `meta time`) by the offset of the time zone when it loads a rule and when it lists it; days go to the
# kernel as they are, which takes UTC. "Monday" and "00:10"-"00:50" in one rule is thus early on Tuesday in Berlin. nft(8) names
# no time zone for either. The listing shows what was written.
#
# Output seen, 2026-11-28 (in a time zone where it is another day than in UTC; packets of one datagram that each rule counted):
#   local day: 0
#   UTC day: 1
#   local hour: 1
#   UTC hour: 0
#   local hour and local day: 0
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
apt-get "${options[@]}" download -qq nftables=1.1.7-3 libnftables1=1.1.7-3 libc6 libjansson4 libgmp10 libnftnl11 libmnl0 \
  libxtables12 libedit2 libtinfo6 libbsd0 libmd0
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
export NFT="$libraries/ld-linux-x86-64.so.2 --library-path $libraries $work/root/usr/sbin/nft"
$NFT --version
export LC_ALL=C
# It is the next day already 14 hours east of UTC, or still the day before 12 hours west of it.
if [ "$((10#$(date -u +%H)))" -ge 10 ]; then export TZ=LAB-14; else export TZ=LAB+12; fi
answer=$(timeout 30 unshare --user --map-root-user --net bash -euo pipefail -c '
  ip link set lo up
  local_hours=$(date -d "-5 minutes" +\"%H:%M\")-$(date -d "+5 minutes" +\"%H:%M\")
  utc_hours=$(date -u -d "-5 minutes" +\"%H:%M\")-$(date -u -d "+5 minutes" +\"%H:%M\")
  $NFT -f - <<NFT
table ip lab {
  chain in {
    type filter hook input priority 0
    udp dport 9 meta day "$(date +%A)" counter comment "local day"
    udp dport 9 meta day "$(date -u +%A)" counter comment "UTC day"
    udp dport 9 meta hour $local_hours counter comment "local hour"
    udp dport 9 meta hour $utc_hours counter comment "UTC hour"
    udp dport 9 meta hour $local_hours meta day "$(date +%A)" counter comment "local hour and local day"
  }
}
NFT
  echo lab >/dev/udp/127.0.0.1/9
  $NFT list ruleset | sed -n "s/.*counter packets \([0-9]*\) .*comment \"\(.*\)\"/\2: \1/p"')
echo "$answer"
[ "$answer" = "local day: 0
UTC day: 1
local hour: 1
UTC hour: 0
local hour and local day: 0" ] || { echo "CHANGED"; exit 1; }
echo "as described"
