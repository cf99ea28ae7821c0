#!/usr/bin/env bash
# tc of iproute2 7.3.0 (Debian sid): the JSON of a u32 filter has its values and masks as hexadecimal text without the leading
# zeros, and other numbers of the same filter as decimal numbers or decimal-looking hexadecimal text.
#
# The match of 10.9.0.0/16 at offset 16 is "a090000" with seven digits, so that a reader who decodes it as bytes gets an odd
# number of digits. The text output pads it to eight: 0a090000. "order" is the number 2048 for what the handle calls 800,
# and "key_ht" is the text "800" for the same number.
#
# Output seen, 2026-11-27:
#   JSON: "fh":"800::800","order":2048,"key_ht":"800", ... "match":{"value":"a090000","mask":"ffff0000","offmask":"","off":16}
#   text: match 0a090000/ffff0000 at 16
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
unshare --user --map-root-user --net bash -euo pipefail -c '
  $IP link add lab0 type veth peer name lab1
  $TC qdisc add dev lab0 root handle 1: htb
  $TC class add dev lab0 parent 1: classid 1:10 htb rate 1mbit
  $TC filter add dev lab0 parent 1: protocol ip u32 match ip dst 10.9.0.0/16 flowid 1:10
  json=$($TC -json filter show dev lab0) text=$($TC filter show dev lab0)
  echo "JSON: ${json##*chain}"
  echo "text:$(grep match <<<"$text")"
  [[ $json == *"\"order\":2048,\"key_ht\":\"800\""*"\"value\":\"a090000\",\"mask\":\"ffff0000\""* ]] || { echo "CHANGED: JSON"; exit 1; }
  [[ $text == *"match 0a090000/ffff0000 at 16"* ]] || { echo "CHANGED: text"; exit 1; }'
echo "as described"
