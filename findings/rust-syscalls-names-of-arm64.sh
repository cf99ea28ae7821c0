#!/usr/bin/env bash
# The crate syscalls 0.8.1 has other names for aarch64 than the kernel. Number 79 is `fstatat`; the headers of Linux, and strace
# and libseccomp with them, call it `newfstatat`. And there are 20 names with `time64`, which a 64-bit kernel does not have.
#
# A seccomp filter that looks up its names there does not find `newfstatat`, by which every C library of arm64 implements stat(3):
# a list of what is allowed then refuses it.
#
# Output seen, 2026-11-28:
#   the crate: Some("fstatat") false 20
#   /usr/include/asm-generic/unistd.h: newfstatat: number 79
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "names"
version = "0.0.0"
edition = "2021"

[dependencies]
syscalls = { version = "=0.8.1", default-features = false, features = ["aarch64"] }
TOML
cat >"$folder/src/main.rs" <<'RUST'
use syscalls::aarch64::Sysno;

fn main() {
    let of_79 = Sysno::new(79).map(|call| call.name());
    let is_known = "newfstatat".parse::<Sysno>().is_ok();
    let names = (0..470).filter_map(Sysno::new).map(|call| call.name());
    println!("{of_79:?} {is_known} {}", names.filter(|name| name.contains("time64")).count());
}
RUST
answer=$(cargo run --quiet --manifest-path "$folder/Cargo.toml")
echo "the crate: $answer"

# The oracle: the headers of the kernel that 64-bit architectures without a table of their own share, arm64 among them.
header=/usr/include/asm-generic/unistd.h
kernel=$(printf '#define __ARCH_WANT_NEW_STAT\n#include <asm-generic/unistd.h>\nnumber __NR_newfstatat\n#ifdef __NR_clock_gettime64\ntime64\n#endif\n' | cc -E -P -x c - | grep -E '^(number|time64)')
echo "$header: newfstatat: $kernel"

[ "$answer" = 'Some("fstatat") false 20' ] || { echo "CHANGED: the crate"; exit 1; }
[ "$kernel" = 'number 79' ] || { echo "CHANGED: the header"; exit 1; }
echo "as described"
