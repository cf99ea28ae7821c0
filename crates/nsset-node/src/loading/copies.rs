//! Other copies of this addon in the same process: another version, another installation. They share the threads of
//! JavaScript, and so tell each other when they have moved one. They find each other by a symbol, not by anything that
//! JavaScript can see.

use std::{ffi::CStr, mem, ptr};

use nsset::footprint::{self, Footprint, Provider};

/// The name that every copy of every version exports.
const NAME: &CStr = c"nsset_footprint_1";

/// Where a copy counts the moves of the calling thread.
#[unsafe(no_mangle)]
pub extern "C" fn nsset_footprint_1() -> *const Footprint {
    footprint::own()
}

/// From now on this copy counts where the first of them does. Where the dynamic linker cannot tell which, by itself.
pub fn meet() {
    let own: Provider = nsset_footprint_1;
    if !be_found(own) {
        return;
    }
    // SAFETY: a string, and the scope of all global objects, the first of which answers.
    let first = unsafe { libc::dlsym(libc::RTLD_DEFAULT, NAME.as_ptr()) };
    if first.is_null() {
        return;
    }
    // SAFETY: what has this name is a function of this type, in an object that is never unmapped (`build.rs`).
    unsafe { footprint::share(mem::transmute::<*mut libc::c_void, Provider>(first)) };
}

/// Lets others find this copy, which Node has loaded for itself alone. It exports nothing else but what Node asks it for.
fn be_found(own: Provider) -> bool {
    let mut here = libc::Dl_info {
        dli_fname: ptr::null(),
        dli_fbase: ptr::null_mut(),
        dli_sname: ptr::null(),
        dli_saddr: ptr::null_mut(),
    };
    // SAFETY: asks for the object of a function of ours, which is loaded and stays so; its name is the linker's own.
    unsafe {
        libc::dladdr(own as *const libc::c_void, &raw mut here) != 0
            && !here.dli_fname.is_null()
            && !libc::dlopen(here.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_GLOBAL).is_null()
    }
}
