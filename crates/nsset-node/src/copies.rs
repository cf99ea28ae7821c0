//! Other copies of this addon in the same process: another version, another installation. They share the threads of
//! JavaScript, and so tell each other when they have moved one.

use std::{ffi::CStr, ptr};

use napi::{Env, sys};
use nsset::footprint::{self, Footprint};

/// Where on the global object it is, for every copy of every version.
const NAME: &CStr = c"nsset.footprint";

/// What a [`Footprint`] is known by.
static TAG: sys::napi_type_tag = sys::napi_type_tag { lower: 0x6e73_7365_7466_6f6f, upper: 0x7470_7269_6e74_0001 };

/// Shares the footprint of the environment's thread. Where the runtime can tag no values, each copy has its own.
pub fn meet(env: Env) {
    let env = env.raw();
    // SAFETY: the environment is the calling thread's; values are used in the scope that `load` is called in.
    unsafe {
        let Some((global, key)) = place(env) else { return };
        match find(env, global, key) {
            Some(theirs) => footprint::share(theirs),
            None => leave(env, global, key),
        }
        // A failure here is nobody's.
        let mut pending = false;
        if sys::napi_is_exception_pending(env, &raw mut pending) == sys::Status::napi_ok && pending {
            let mut exception = ptr::null_mut();
            sys::napi_get_and_clear_last_exception(env, &raw mut exception);
        }
    }
}

/// The global object, and `Symbol.for(NAME)`.
unsafe fn place(env: sys::napi_env) -> Option<(sys::napi_value, sys::napi_value)> {
    let (mut global, mut key) = (ptr::null_mut(), ptr::null_mut());
    let length = NAME.to_bytes().len() as isize;
    // SAFETY: as of `meet`; a string with its length.
    let status = unsafe {
        sys::napi_get_global(env, &raw mut global);
        sys::node_api_symbol_for(env, NAME.as_ptr(), length, &raw mut key)
    };
    (status == sys::Status::napi_ok && !global.is_null()).then_some((global, key))
}

/// What another copy has left there.
unsafe fn find(env: sys::napi_env, global: sys::napi_value, key: sys::napi_value) -> Option<*const Footprint> {
    let (mut value, mut kind) = (ptr::null_mut(), 0);
    let (mut is_ours, mut pointer) = (false, ptr::null_mut());
    // SAFETY: as of `meet`. The tag says that a copy of ours has made it, on this thread, which owns the environment.
    unsafe {
        if sys::napi_get_property(env, global, key, &raw mut value) != sys::Status::napi_ok
            || sys::napi_typeof(env, value, &raw mut kind) != sys::Status::napi_ok
            || kind != sys::ValueType::napi_external
            || sys::napi_check_object_type_tag(env, value, &raw const TAG, &raw mut is_ours) != sys::Status::napi_ok
            || !is_ours
            || sys::napi_get_value_external(env, value, &raw mut pointer) != sys::Status::napi_ok
        {
            return None;
        }
    }
    (!pointer.is_null()).then_some(pointer.cast_const().cast())
}

/// Leaves this copy's own for others.
unsafe fn leave(env: sys::napi_env, global: sys::napi_value, key: sys::napi_value) {
    let own = footprint::own().cast_mut().cast();
    let mut value = ptr::null_mut();
    // SAFETY: as of `meet`. The footprint ends with the thread, and so after the environment; nothing is to be freed.
    unsafe {
        if sys::napi_create_external(env, own, None, ptr::null_mut(), &raw mut value) != sys::Status::napi_ok
            || sys::napi_type_tag_object(env, value, &raw const TAG) != sys::Status::napi_ok
        {
            return;
        }
        let property = sys::napi_property_descriptor {
            utf8name: ptr::null(),
            name: key,
            method: None,
            getter: None,
            setter: None,
            value,
            attributes: sys::PropertyAttributes::default,
            data: ptr::null_mut(),
        };
        sys::napi_define_properties(env, global, 1, &raw const property);
    }
}
