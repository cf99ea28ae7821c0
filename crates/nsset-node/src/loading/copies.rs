//! Other copies of this addon in the same process, of another version or from another installation. All copies use the same
//! threads of JavaScript, so they share one count of a thread's namespace changes. A copy finds the others by an exported symbol,
//! which JavaScript cannot see.

use std::{ffi::CStr, mem, ptr};

use nsset::footprint::{self, Footprint, Provider};

/// The symbol that every copy of every version exports.
const NAME: &CStr = c"nsset_footprint_1";

/// Returns this copy's count of the namespace changes of the calling thread.
#[unsafe(no_mangle)]
pub extern "C" fn nsset_footprint_1() -> *const Footprint {
    footprint::own()
}

/// Makes this copy use the count of the first copy. If the dynamic linker does not find the first copy, this copy keeps its own
/// count.
pub fn share_count() {
    let own: Provider = nsset_footprint_1;
    if !export_symbols(own) {
        return;
    }
    // SAFETY: the name ends with a NUL. The lookup covers all global objects and returns the first match.
    let first = unsafe { libc::dlsym(libc::RTLD_DEFAULT, NAME.as_ptr()) };
    if first.is_null() {
        return;
    }
    // SAFETY: the symbol is a function of this type, in an object that is never unmapped (`build.rs`).
    unsafe { footprint::share(mem::transmute::<*mut libc::c_void, Provider>(first)) };
}

/// Makes the symbols of this copy global, because Node.js loads addons with `RTLD_LOCAL`. The addon exports only the symbol above
/// and those that Node.js needs.
fn export_symbols(own: Provider) -> bool {
    let mut here = libc::Dl_info {
        dli_fname: ptr::null(),
        dli_fbase: ptr::null_mut(),
        dli_sname: ptr::null(),
        dli_saddr: ptr::null_mut(),
    };
    // SAFETY: dladdr(3) looks up the object of our own function, which stays loaded. The file name belongs to the linker.
    unsafe {
        libc::dladdr(own as *const libc::c_void, &raw mut here) != 0
            && !here.dli_fname.is_null()
            && !libc::dlopen(here.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_GLOBAL).is_null()
    }
}
