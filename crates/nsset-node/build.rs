//! Links the addon so that Node can load it, and so that nothing unloads it again.

fn main() {
    napi_build::setup();
    // The addon's threads outlive the Worker that loaded it, so its code must stay mapped.
    println!("cargo::rustc-link-arg=-Wl,-z,nodelete");
}
