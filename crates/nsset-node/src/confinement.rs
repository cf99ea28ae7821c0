//! What a program may do, converted to the types of the crate `nsset`.

use napi::{
    Env, Result,
    bindgen_prelude::{Buffer, Object},
};
use napi_derive::napi;
use nsset::{Capabilities, Confinement, Filter, Landlock, Limit, SystemCallFilter, system_call_names};

use crate::{
    convert::{Text, path},
    failure::guard,
};

/// What a program may do.
#[napi(object, object_to_js = false)]
pub struct NativeConfinement {
    pub limits: Vec<NativeLimit>,
    pub umask: Option<u32>,
    pub nice: Option<i32>,
    pub capabilities: Option<Vec<NativeCapability>>,
    pub no_new_privileges: bool,
    pub landlock: Option<NativeLandlock>,
    /// A filter of system calls, as instructions for the kernel.
    pub filter: Option<Buffer>,
}

/// The files, ports and processes that a program may use.
#[napi(object, object_to_js = false)]
pub struct NativeLandlock {
    pub read: Option<Vec<Text>>,
    pub write: Option<Vec<Text>>,
    pub execute: Option<Vec<Text>>,
    pub connect_unix: Option<Vec<Text>>,
    pub connect_tcp: Option<Vec<u16>>,
    pub bind_tcp: Option<Vec<u16>>,
    pub scoped: bool,
    pub best_effort: bool,
}

/// A capability, by its number and its name.
#[napi(object, object_to_js = false)]
pub struct NativeCapability {
    pub number: u32,
    pub name: String,
}

/// The limits of one resource. `Infinity` is no limit; `null` keeps the limit of the caller.
#[napi(object, object_to_js = false)]
pub struct NativeLimit {
    pub resource: String,
    pub soft: Option<f64>,
    pub hard: Option<f64>,
}

impl NativeConfinement {
    pub fn into_core(self) -> nsset::Result<Confinement> {
        let limits = self.limits.into_iter().map(NativeLimit::into_core).collect::<nsset::Result<_>>()?;
        let capabilities = self.capabilities.map(capabilities_of).transpose()?;
        let Self { umask, nice, no_new_privileges, .. } = self;
        let landlock = self.landlock.map(NativeLandlock::into_core);
        let filter = self.filter.map(|filter| Filter::unchecked(filter.to_vec()));
        Ok(Confinement { limits, umask, nice, capabilities, no_new_privileges, landlock, filter })
    }
}

impl NativeLandlock {
    fn into_core(self) -> Landlock {
        let Self { connect_tcp, bind_tcp, scoped, best_effort, .. } = self;
        let paths = |given: Option<Vec<Text>>| given.map(|paths| paths.into_iter().map(path).collect());
        let [read, write, execute, connect_unix] = [self.read, self.write, self.execute, self.connect_unix].map(paths);
        Landlock { read, write, execute, connect_unix, connect_tcp, bind_tcp, scoped, best_effort }
    }
}

impl NativeLimit {
    fn into_core(self) -> nsset::Result<Limit> {
        Limit::of(&self.resource, self.soft.map(whole), self.hard.map(whole))
    }
}

fn capabilities_of(named: Vec<NativeCapability>) -> nsset::Result<Capabilities> {
    Capabilities::new(named.into_iter().map(|NativeCapability { number, name }| (number, name)).collect())
}

/// The largest number stands for `Infinity`.
fn whole(limit: f64) -> u64 {
    limit as u64
}

/// A filter of system calls, compiled for this architecture.
#[napi]
pub struct NativeSystemCallFilter {
    filter: Filter,
}

#[napi]
impl NativeSystemCallFilter {
    /// The instructions for the kernel, as seccomp(2) takes them.
    #[napi(catch_unwind)]
    pub fn instructions(&self) -> Buffer {
        self.filter.instructions().to_vec().into()
    }
}

impl NativeSystemCallFilter {
    pub fn filter(&self) -> Filter {
        self.filter.clone()
    }
}

#[napi(catch_unwind, ts_args_type = "filter: object")]
pub fn compile_system_call_filter(env: Env, filter: Object<'_>) -> Result<NativeSystemCallFilter> {
    let filter: SystemCallFilter = env.from_js_value(filter)?;
    guard(env, || Ok(NativeSystemCallFilter { filter: filter.compile()? }))
}

/// Whether a system call has this name, on this architecture or on another one.
#[napi(catch_unwind)]
pub fn is_system_call(name: String) -> bool {
    system_call_names::find(&name).is_some()
}

/// The names of the system calls of this architecture.
#[napi(catch_unwind)]
pub fn system_call_names() -> Vec<String> {
    system_call_names::all().into_iter().map(str::to_owned).collect()
}

/// The version of Landlock that the kernel has; 0 without Landlock.
#[napi(catch_unwind)]
pub fn landlock_abi() -> u32 {
    nsset::landlock::abi() as u32
}
