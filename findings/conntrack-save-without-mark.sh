#!/usr/bin/env bash
# conntrack 1.4.9 (Debian sid): a connection that is saved by `-o save` and loaded by `--load-file` has lost its mark.
#
# conntrack(8) shows the pair as the way to copy entries to another zone. The other parts of an entry come back: state, timeout,
# addresses, zone. The line has no `--mark`, although `-o extended` and `-o xml` show the mark and `-I` takes it. Where
# the mark of a connection picks its route, or the rules for it, the loaded connections take another one.
#
# Output seen, 2026-11-28 (before, the line that was saved, after):
#   ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=5 dport=6 src=10.0.0.2 dst=10.0.0.1 sport=6 dport=5 [ASSURED] mark=5 zone=9
#   -A -t T -u SEEN_REPLY,ASSURED -w 9 -s 10.0.0.1 -d 10.0.0.2 -r 10.0.0.2 -q 10.0.0.1 -p tcp --sport 5 --dport 6 …
#   ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=5 dport=6 src=10.0.0.2 dst=10.0.0.1 sport=6 dport=5 [ASSURED] mark=0 zone=9
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
apt-get "${options[@]}" download -qq conntrack=1:1.4.9-1 libc6 libnetfilter-conntrack3 libnfnetlink0 libmnl0
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
export CONNTRACK="$libraries/ld-linux-x86-64.so.2 --library-path $libraries $work/root/usr/sbin/conntrack"
$CONNTRACK --version
timeout 30 unshare --user --map-root-user --net bash -euo pipefail -c '
  ip link set lo up
  listed() { $CONNTRACK -L 2>/dev/null | grep -o "ESTABLISHED .* zone=9"; }
  $CONNTRACK -I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 5 --dport 6 --state ESTABLISHED -t 100 -m 5 -w 9 -u SEEN_REPLY,ASSURED 2>/dev/null
  before=$(listed)
  $CONNTRACK -L -o save >saved 2>/dev/null
  $CONNTRACK -F 2>/dev/null
  [ -z "$($CONNTRACK -L 2>/dev/null)" ] || { echo "CHANGED: the entry is not gone"; exit 1; }
  $CONNTRACK --load-file saved 2>/dev/null
  after=$(listed)
  printf "%s\n" "$before" "$(sed "s/-t [0-9]*/-t T/" saved)" "$after"
  entry="ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=5 dport=6 src=10.0.0.2 dst=10.0.0.1 sport=6 dport=5 [ASSURED]"
  [ "$before" = "$entry mark=5 zone=9" ] || { echo "CHANGED: before"; exit 1; }
  [ "$after" = "$entry mark=0 zone=9" ] || { echo "CHANGED: after"; exit 1; }'
echo "as described"
