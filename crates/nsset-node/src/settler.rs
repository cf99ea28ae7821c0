//! Settles promises on the thread of their environment, with one threadsafe function for all promises of an environment. napi-rs
//! uses one for each promise. Each costs an `uv_async_t`, and libuv checks all of these whenever one of them wakes it.

use std::{
    ffi::c_void,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use napi::{Env, Error, JsValue, Result, Status, sys};

/// A function that settles one promise. It is dropped without a call if the environment ends first.
pub type Settlement = Box<dyn FnOnce(Env) + Send>;

/// Settles the promises of one environment. Threads that work for the environment share this, and can outlive the environment.
pub struct Settler {
    /// `None` before the function is created, and after Node.js has finalized it.
    function: RwLock<Option<ThreadsafeFunction>>,
    /// How many promises and children keep the event loop alive. Only the thread of the environment changes it.
    holders: AtomicUsize,
}

struct ThreadsafeFunction(sys::napi_threadsafe_function);

// SAFETY: threads other than that of the environment only call the function, which Node-API allows.
unsafe impl Send for ThreadsafeFunction {}
// SAFETY: the same.
unsafe impl Sync for ThreadsafeFunction {}

impl Settler {
    pub fn new(env: Env) -> Result<Arc<Self>> {
        let settler = Arc::new(Self { function: RwLock::new(None), holders: AtomicUsize::new(0) });
        let name = env.create_string("nsset")?;
        let own = Arc::into_raw(Arc::clone(&settler)).cast_mut().cast();
        let mut function = ptr::null_mut();
        // SAFETY: the environment is the calling thread's. Node.js passes the reference `own` to `finalize` once, and the data of
        // `post` to `settle`.
        let status = unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                ptr::null_mut(),
                ptr::null_mut(),
                name.raw(),
                0,
                1,
                own,
                Some(finalize),
                ptr::null_mut(),
                Some(settle),
                &raw mut function,
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: the function was not created, so `finalize` does not drop the reference.
            drop(unsafe { Arc::from_raw(own.cast::<Self>()) });
            return Err(Error::new(Status::from(status), "the threadsafe function could not be created"));
        }
        // SAFETY: the function was just created. It is unreferenced because only pending promises keep the event loop alive.
        unsafe { sys::napi_unref_threadsafe_function(env.raw(), function) };
        *settler.function.write().unwrap_or_else(PoisonError::into_inner) = Some(ThreadsafeFunction(function));
        Ok(settler)
    }

    /// Runs a settlement on the thread of the environment, or drops it if the environment has ended.
    pub fn post(&self, settlement: Settlement) {
        // The lock is held during the call: Node.js frees the function only after `finalize`, which waits for this lock.
        let function = self.function.read().unwrap_or_else(PoisonError::into_inner);
        let Some(ThreadsafeFunction(function)) = *function else { return };
        let data = Box::into_raw(Box::new(settlement));
        let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
        // SAFETY: the function is not finalized yet. It takes ownership of the box if the call succeeds.
        let status = unsafe { sys::napi_call_threadsafe_function(function, data.cast(), mode) };
        if status != sys::Status::napi_ok {
            // SAFETY: the call failed, so this function still owns the box.
            drop(unsafe { Box::from_raw(data) });
        }
    }

    /// Keeps the event loop alive until `release` is called. Must be called on the thread of the environment.
    pub fn hold(&self, env: Env) {
        let holders = self.holders.load(Ordering::Relaxed);
        self.holders.store(holders + 1, Ordering::Relaxed);
        if holders == 0 {
            self.with_function(|function| {
                // SAFETY: the environment is the calling thread's, and the function is not finalized yet.
                unsafe { sys::napi_ref_threadsafe_function(env.raw(), function) };
            });
        }
    }

    /// Ends one `hold`. Must be called on the thread of the environment.
    pub fn release(&self, env: Env) {
        let Some(left) = self.holders.load(Ordering::Relaxed).checked_sub(1) else { return };
        self.holders.store(left, Ordering::Relaxed);
        if left == 0 {
            self.with_function(|function| {
                // SAFETY: as in `hold`.
                unsafe { sys::napi_unref_threadsafe_function(env.raw(), function) };
            });
        }
    }

    fn with_function(&self, call: impl FnOnce(sys::napi_threadsafe_function)) {
        if let Some(ThreadsafeFunction(function)) = *self.function.read().unwrap_or_else(PoisonError::into_inner) {
            call(function);
        }
    }
}

/// Called by Node.js when the environment ends, before it frees the function.
///
/// # Safety
/// Called once, with the reference that `new` passed as the finalizer's data.
unsafe extern "C" fn finalize(_env: sys::napi_env, own: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `own` is the reference that `new` passed to Node.js, which calls this function once.
    let settler = unsafe { Arc::from_raw(own.cast_const().cast::<Settler>()) };
    *settler.function.write().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Node.js calls this on the thread of the environment for each settlement, with a null environment if it has ended.
///
/// # Safety
/// Called once for each box that `post` passed, on the thread of the environment.
unsafe extern "C" fn settle(
    env: sys::napi_env,
    _function: sys::napi_value,
    _context: *mut c_void,
    settlement: *mut c_void,
) {
    // SAFETY: `settlement` is the box from `post`, which Node.js passes once.
    let settlement = unsafe { Box::from_raw(settlement.cast::<Settlement>()) };
    // A panic must not unwind into C.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if !env.is_null() {
            settlement(Env::from_raw(env));
        }
    }));
}
