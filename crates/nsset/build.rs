//! Compiles the helper, a freestanding program, for the target, so that `image.rs` can embed it.
//!
//! The linker of Rust links it: there is no library to find, so no cross toolchain is needed.
#![expect(clippy::expect_used, clippy::panic, reason = "a build that cannot go on ends")]

use std::{env, path::PathBuf, process::Command};

const SOURCE: &str = "../nsset-helper/src";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    let variable = |name| env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name}"));
    let program = PathBuf::from(variable("OUT_DIR")).join("nsset-helper");
    let status = Command::new(variable("RUSTC"))
        .args(["--edition=2024", "--crate-name=nsset_helper", "--crate-type=bin", "--target"])
        .arg(variable("TARGET"))
        .args(["-Copt-level=s", "-Ccodegen-units=1", "-Cpanic=abort", "-Cforce-unwind-tables=no"])
        .args(["-Cstrip=symbols", "-Crelocation-model=static"])
        .args(["-Clinker=rust-lld", "-Clinker-flavor=ld.lld"])
        .args(without_musl())
        .args(
            ["-static", "--gc-sections", "--build-id=none", "--no-eh-frame-hdr", "--no-rosegment", "-znorelro"]
                .map(link_arg),
        )
        .arg(link_arg(largest_page()))
        .arg("-o")
        .arg(&program)
        .arg(PathBuf::from(SOURCE).join("main.rs"))
        .status()
        .expect("rustc starts");
    assert!(status.success(), "the helper does not compile");
}

/// Rust adds the start files of musl to every program for its targets; other targets do not accept the flag.
fn without_musl() -> Option<&'static str> {
    (target("ENV") == "musl").then_some("-Clink-self-contained=no")
}

/// The kernel loads no program whose segments share a page, and a kernel for aarch64 may have pages of 64 KiB.
fn largest_page() -> &'static str {
    if target("ARCH") == "x86_64" { "-zmax-page-size=4096" } else { "-zmax-page-size=65536" }
}

fn target(what: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{what}")).expect("cargo sets it")
}

fn link_arg(argument: &str) -> String {
    format!("-Clink-arg={argument}")
}
