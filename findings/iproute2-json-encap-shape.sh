#!/usr/bin/env bash
# iproute2 6.1.0 (Debian 12) against 7.3.0 (Debian sid): the JSON of a route with an encapsulation has another shape, and in
# the older one it has two members of the same name.
#
# 6.1.0 writes the members of the encapsulation beside those of the route: "encap" is a string, and "dst" is there twice, first
# the destination of the route and then that of the tunnel. A JSON parser keeps the last one, so that the route seems to
# lead to 10.0.0.3. 7.3.0 puts the encapsulation into an object with "encap_type". A program that reads one shape is wrong
# with the other, and no member distinguishes the versions.
#
# Output seen, 2026-11-27:
#   6.1.0: {"dst":"10.6.0.0/16","encap":"ip","id":5,"src":"0.0.0.0","dst":"10.0.0.3","ttl":0,"tos":0,"dev":"lab0",…}
#   7.3.0: {"dst":"10.6.0.0/16","encap":{"encap_type":"ip","id":5,"src":"0.0.0.0","dst":"10.0.0.3",…},"dev":"lab0",…}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"

# fetch SUITE NAME=VERSION…: unpacks packages of a suite of the machine's own mirror into a folder of that name.
fetch() {
  local suite=$1 options
  shift
  mkdir -p "$suite"/{lists/partial,cache/archives/partial,root}
  echo "deb $(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1) $suite main" >"$suite/sources.list"
  options=(-o "Dir::Etc::sourcelist=$work/$suite/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/$suite/lists"
    -o "Dir::Cache=$work/$suite/cache")
  apt-get "${options[@]}" update -qq
  (cd "$suite" && apt-get "${options[@]}" download -qq "$@" && for deb in *.deb; do dpkg -x "$deb" root; done)
}
fetch bookworm iproute2=6.1.0-3
fetch sid iproute2=7.3.0-1 libc6 libbpf1 libelf1t64 libmnl0 libcap2 libselinux1 libpcre2-8-0 zlib1g libzstd1 libtirpc3t64
libraries=$work/sid/root/usr/lib/x86_64-linux-gnu
export OLD="$work/bookworm/root/sbin/ip" NEW="$libraries/ld-linux-x86-64.so.2 --library-path $libraries $work/sid/root/usr/bin/ip"
[ -e "$work/sid/root/usr/bin/ip" ] || NEW=${NEW/usr\/bin/usr\/sbin}
[ -e "$OLD" ] || OLD="$work/bookworm/root/bin/ip"
$OLD -V
$NEW -V
unshare --user --map-root-user --net bash -euo pipefail -c '
  $OLD link add lab0 type veth peer name lab1
  $OLD link set lab0 up
  $OLD route add 10.6.0.0/16 encap ip id 5 dst 10.0.0.3 dev lab0
  old=$($OLD -json route show) new=$($NEW -json route show)
  printf "6.1.0: %s\n7.3.0: %s\n" "$old" "$new"
  [[ $old == *"\"dst\":\"10.6.0.0/16\",\"encap\":\"ip\",\"id\":5"*"\"dst\":\"10.0.0.3\""* ]] || { echo "CHANGED: 6.1.0"; exit 1; }
  [[ $new == *"\"encap\":{\"encap_type\":\"ip\""*"\"dst\":\"10.0.0.3\""* ]] || { echo "CHANGED: 7.3.0"; exit 1; }'
echo "as described"
