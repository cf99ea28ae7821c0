//! Child processes inside a set: started synchronously; their end is reported by a promise.

use std::{cell::RefCell, ffi::CString, os::fd::OwnedFd};

use napi::{
    Env, Result,
    bindgen_prelude::{Either, Object, Unknown},
};
use napi_derive::napi;
use nsset::{Child, Command, Credentials, NamedView, Spawned, Stdio};

use crate::{
    confinement::{NativeConfinement, NativeSystemCallFilter},
    convert::{Text, kinds_of, os_string, path},
    deferred::{Deferred, Loop, Promise},
    exit_report::NativeExit,
    failure::{self, guard},
    give::give,
    sets::set::NativeSet,
};

/// Options that are left out are `null`.
#[napi(object, object_to_js = false)]
pub struct NativeCommand {
    pub file: Text,
    /// The argument vector, joined by NUL bytes: one string crosses faster than many.
    pub argv: String,
    /// The environment, joined likewise.
    pub environment: String,
    pub directory: Option<Text>,
    #[napi(ts_type = "Array<'pipe' | 'ignore' | number>")]
    pub stdio: Vec<Either<String, i32>>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub groups: Option<Vec<u32>>,
    pub keep_capabilities: bool,
    pub detached: Option<bool>,
    pub death_signal: Option<i32>,
    /// The name of the network, if the program gets the files of that name (`/etc/netns/NAME`, ip-netns(8)).
    pub netns: Option<String>,
    pub needs_netns_files: bool,
    pub confinement: Option<NativeConfinement>,
    /// The directory of the control group in which the program is started.
    pub cgroup: Option<Text>,
}

/// A child, referred to by a pidfd, or the error if it could not be started.
#[napi]
pub struct NativeChild {
    pid: Option<i32>,
    failure: Option<nsset::Error>,
    /// In a `RefCell`, like all fields: code that runs while a pipe is passed to a handle may call methods of the child.
    pipes: RefCell<Vec<Option<OwnedFd>>>,
    signaller: RefCell<Option<nsset::Signaller>>,
    /// `None` once `end` has been called.
    running: RefCell<Option<Child>>,
}

impl Drop for NativeChild {
    /// Passes the child to the reaper if nothing waits for its end.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.on_exit(drop);
        }
    }
}

#[napi]
impl NativeChild {
    /// Null if the child did not start.
    #[napi(catch_unwind, getter)]
    pub fn pid(&self) -> Option<i32> {
        self.pid
    }

    /// The error if the child did not start, otherwise null.
    #[napi(catch_unwind, ts_return_type = "Error | null")]
    pub fn failure(&self, env: Env) -> Result<Option<Unknown<'static>>> {
        self.failure.as_ref().map(|error| failure::create(env, error)).transpose()
    }

    /// Resolves when the child ends. Call this once, and only if the child started. The promise does not keep the event loop
    /// alive.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeExit>")]
    pub fn ended(&self, env: Env) -> Result<Promise<NativeExit>> {
        let (deferred, promise) = Deferred::new(env, Loop::Free)?;
        if let Some(running) = self.running.take() {
            running.on_exit(move |exit| deferred.resolve(exit.into()));
        }
        Ok(promise)
    }

    /// Passes the parent's end of the pipe at this index of `stdio`, if there is one, to a handle of Node.js. Returns the value
    /// of the handle's `open`: 0, or a negative error number.
    #[napi(catch_unwind, ts_args_type = "handle: object, index: number")]
    pub fn give_pipe(&self, handle: Object<'_>, index: u32) -> Result<i32> {
        let pipe = self.pipes.borrow_mut().get_mut(index as usize).and_then(Option::take);
        pipe.map_or(Ok(0), |pipe| give(&handle, pipe))
    }

    #[napi(catch_unwind)]
    pub fn signal(&self, env: Env, signal: i32) -> Result<()> {
        guard(env, || self.signaller.borrow().as_ref().map_or(Ok(()), |signaller| signaller.signal(signal)))
    }

    /// To be called when the child has ended. Calls of `signal` do nothing after this.
    #[napi(catch_unwind)]
    pub fn release(&self) {
        self.signaller.take();
    }
}

#[napi]
impl NativeSet {
    /// Starts a program inside. Throws only for invalid arguments or a closed set.
    #[napi(catch_unwind)]
    pub fn spawn(
        &self,
        env: Env,
        kinds: u32,
        command: NativeCommand,
        filter: Option<&NativeSystemCallFilter>,
    ) -> Result<NativeChild> {
        guard(env, || {
            let set = self.open()?;
            let mut command = command.into_core()?;
            if let Some(filter) = filter {
                command.confinement.filter = Some(filter.filter());
            }
            let Spawned { child: outcome, pipes } = nsset::spawn(&set, kinds_of(&set, kinds)?, &command);
            let pipes = RefCell::new(pipes);
            let (running, failure) = match outcome {
                Ok(running) => (Some(running), None),
                Err(error @ nsset::Error::System(_)) => (None, Some(error)),
                Err(error) => return Err(error),
            };
            Ok(NativeChild {
                pid: running.as_ref().map(Child::pid),
                failure,
                pipes,
                signaller: RefCell::new(running.as_ref().map(Child::signaller)),
                running: RefCell::new(running),
            })
        })
    }
}

impl NativeCommand {
    fn into_core(self) -> nsset::Result<Command> {
        Ok(Command {
            file: os_string(self.file),
            argv: parts(&self.argv)?,
            environment: if self.environment.is_empty() { Vec::new() } else { parts(&self.environment)? },
            directory: self.directory.map(path),
            stdio: self.stdio.into_iter().map(stdio).collect::<nsset::Result<_>>()?,
            credentials: Credentials {
                uid: self.uid,
                gid: self.gid,
                groups: self.groups,
                keep_capabilities: self.keep_capabilities,
            },
            confinement: self.confinement.map(NativeConfinement::into_core).transpose()?.unwrap_or_default(),
            detached: self.detached,
            death_signal: self.death_signal,
            control_group: self.cgroup.map(path),
            named_view: self.netns.map(|name| NamedView { name, is_required: self.needs_netns_files }),
        })
    }
}

/// The strings that were joined by NUL bytes.
fn parts(joined: &str) -> nsset::Result<Vec<CString>> {
    let part =
        |part| CString::new(part).map_err(|_| nsset::Error::InvalidArgument("a string contains a NUL byte".into()));
    joined.split('\0').map(part).collect()
}

fn stdio(word: Either<String, i32>) -> nsset::Result<Stdio> {
    match word {
        Either::B(fd) => Ok(Stdio::Inherit(fd)),
        Either::A(word) => match word.as_str() {
            "pipe" => Ok(Stdio::Pipe),
            "ignore" => Ok(Stdio::Ignore),
            _ => Err(nsset::Error::InvalidArgument(format!("'{word}' is not a value of stdio"))),
        },
    }
}
