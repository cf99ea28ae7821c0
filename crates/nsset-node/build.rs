//! Links the addon so that Node can load it, and so that nothing unloads it again.

fn main() {
    napi_build::setup();
    // Our threads outlive the Worker that loaded us; unmapped, they would run into nothing.
    println!("cargo::rustc-link-arg=-Wl,-z,nodelete");
}
