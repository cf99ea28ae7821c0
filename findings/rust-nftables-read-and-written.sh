#!/usr/bin/env bash
# The crate nftables 0.6.3: a ruleset of nft 1.1.7 that it reads and writes again is another ruleset, without an error.
#
# The types of the crate have no place for some members of the JSON, and it skips those. What is left is valid: a dormant table is in
# force, a limit of bytes is one of packets, a rule for the packets inside a tunnel matches those that are in none, and a rule that
# drops the packets above a limit drops all. The stateful parts of a set (counter, limit) get lost likewise. For other listings,
# of `meta hour` or of a set by `typeof`, it has an error.
#
# Output seen, 2026-11-28 (lines of `nft list ruleset` that differ, before and after):
#   < add @seen { ip saddr limit rate over 5/second burst 5 packets } drop
#   < flags dormant
#   < gre ip daddr 10.0.0.1 drop
#   < rate 5 kbytes/second
#   > add @seen { ip saddr } drop
#   > ip daddr 10.0.0.1 drop
#   > rate 5/second
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
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "again"
version = "0.0.0"
edition = "2021"

[dependencies]
nftables = { version = "=0.6.3", default-features = false }
serde_json = "1"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    let ruleset: nftables::schema::Nftables = serde_json::from_reader(std::fs::File::open("json").unwrap()).unwrap();
    println!("{}", serde_json::to_string(&ruleset).unwrap());
}
RUST
cargo build --quiet
program=${CARGO_TARGET_DIR:-$PWD/target}/debug/again
export program
answer=$(timeout 30 unshare --user --map-root-user --net bash -euo pipefail -c '
  listed() { $NFT list ruleset | sed "s/^[[:space:]]*//"; }
  $NFT -f - <<NFT
table ip lab {
  flags dormant
  limit slow {
    rate 5 kbytes/second
  }
  set seen {
    type ipv4_addr
    size 100
    flags dynamic
  }
  chain in {
    type filter hook input priority 0
    tcp dport 80 drop
    gre ip daddr 10.0.0.1 drop
    add @seen { ip saddr limit rate over 5/second } drop
  }
}
NFT
  listed >before
  $NFT -j list ruleset >json
  "$program" >again.json
  $NFT flush ruleset
  $NFT -j -f json
  listed | diff before - || { echo "CHANGED: JSON of nft itself"; exit 1; }
  $NFT flush ruleset
  $NFT -j -f again.json
  (listed | diff before - || true) | grep "^[<>] ." | sort')
echo "$answer"
[ "$answer" = "< add @seen { ip saddr limit rate over 5/second burst 5 packets } drop
< flags dormant
< gre ip daddr 10.0.0.1 drop
< rate 5 kbytes/second
> add @seen { ip saddr } drop
> ip daddr 10.0.0.1 drop
> rate 5/second" ] || { echo "CHANGED"; exit 1; }
echo "as described"
