#!/usr/bin/env bash
# iproute2 7.3.0 (Debian sid): `ip -json mptcp limits` prints text, and `ip -json mptcp endpoint` prints JSON.
#
# The option is accepted, the exit code is 0, and what is printed is the same line as without the option.
#
# Output seen, 2026-11-27:
#   endpoint: [{"address":"10.0.0.1","id":1,"signal":true,"dev":"lo"}]
#   limits:   add_addr_accepted 0 subflows 2
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
unshare --user --map-root-user --net bash -euo pipefail -c '
  $IP link set lo up
  $IP mptcp endpoint add 10.0.0.1 dev lo id 1 signal
  endpoint=$($IP -json mptcp endpoint show) limits=$($IP -json mptcp limits show) text=$($IP mptcp limits show)
  printf "endpoint: %s\nlimits:   %s\n" "$endpoint" "$limits"
  [[ $endpoint == "[{"*"\"address\":\"10.0.0.1\""* ]] || { echo "CHANGED: endpoint"; exit 1; }
  [[ $limits == "$text" && $limits == "add_addr_accepted "* ]] || { echo "CHANGED: limits"; exit 1; }'
echo "as described"
