//! Children inside a set: started at once, and heard of when they end.

use std::{cell::RefCell, os::fd::OwnedFd};

use napi::{
    Env, Result,
    bindgen_prelude::{Either, Object, Unknown},
    sys,
    threadsafe_function::ThreadsafeFunctionCallMode,
};
use napi_derive::napi;
use nsset::{Command, Credentials, NamedView, Spawned, Stdio};

use crate::{
    convert::{Text, kinds_of, os_string, path},
    environment,
    exit_report::ExitReport,
    failure::{self, guard},
    give::give,
    sets::set::NativeSet,
};

/// Options that are left out are `null`.
#[napi(object, object_to_js = false)]
pub struct NativeCommand {
    pub file: Text,
    pub argv: Vec<Text>,
    pub environment: Vec<Text>,
    pub directory: Option<Text>,
    #[napi(ts_type = "Array<'pipe' | 'ignore' | number>")]
    pub stdio: Vec<Either<String, i32>>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub groups: Option<Vec<u32>>,
    pub keep_capabilities: bool,
    pub no_new_privileges: bool,
    pub detached: Option<bool>,
    pub death_signal: Option<i32>,
    /// The name of the network, where the program sees what belongs to it.
    pub netns: Option<String>,
    pub needs_netns_files: bool,
}

/// A child, by a descriptor that only it answers to; or what became of the attempt to start one.
#[napi]
pub struct NativeChild {
    pid: Option<i32>,
    failure: Option<nsset::Error>,
    /// Shared, as all of a child is: what is called while a pipe is given may call the child.
    pipes: RefCell<Vec<Option<OwnedFd>>>,
    signaller: RefCell<Option<nsset::Signaller>>,
}

#[napi]
impl NativeChild {
    /// Nothing when it did not start.
    #[napi(catch_unwind, getter)]
    pub fn pid(&self) -> Option<i32> {
        self.pid
    }

    /// The error, when it did not start.
    #[napi(catch_unwind, ts_return_type = "Error | null")]
    pub fn failure(&self, env: Env) -> Result<Option<Unknown<'static>>> {
        self.failure.as_ref().map(|error| failure::create(env, error)).transpose()
    }

    /// Has a handle of Node's take our end of the pipe at this place of `stdio`, if there is one. Returns what the
    /// handle's `open` returns: 0, or a negative error number.
    #[napi(catch_unwind, ts_args_type = "handle: object, index: number")]
    pub fn give_pipe(&self, handle: Object<'_>, index: u32) -> Result<i32> {
        let pipe = self.pipes.borrow_mut().get_mut(index as usize).and_then(Option::take);
        pipe.map_or(Ok(0), |pipe| give(&handle, pipe))
    }

    #[napi(catch_unwind)]
    pub fn signal(&self, env: Env, signal: i32) -> Result<()> {
        guard(env, || self.signaller.borrow().as_ref().map_or(Ok(()), |signaller| signaller.signal(signal)))
    }

    /// The child has ended: there is nobody to signal any more.
    #[napi(catch_unwind)]
    pub fn release(&self) {
        self.signaller.take();
    }
}

#[napi]
impl NativeSet {
    /// Starts a program inside; `child` names it when its end is reported. Throws for misuse only.
    #[napi(catch_unwind)]
    pub fn spawn(&self, env: Env, kinds: u32, command: NativeCommand, child: u32) -> Result<NativeChild> {
        let line = environment::of(env)?.exit_line.clone();
        guard(env, || {
            let set = self.open()?;
            let Spawned { child: outcome, pipes } = nsset::spawn(&set, kinds_of(&set, kinds)?, &command.into_core()?);
            let pipes = RefCell::new(pipes);
            let running = match outcome {
                Ok(running) => running,
                Err(error @ nsset::Error::System(_)) => {
                    return Ok(NativeChild { pid: None, failure: Some(error), pipes, signaller: RefCell::default() });
                }
                Err(error) => return Err(error),
            };
            let signaller = RefCell::new(Some(running.signaller()));
            let native = NativeChild { pid: Some(running.pid()), failure: None, pipes, signaller };
            running.on_exit(move |exit| {
                line.call(ExitReport::new(child, exit), ThreadsafeFunctionCallMode::NonBlocking);
            });
            Ok(native)
        })
    }
}

/// Whether children and requests under way keep the event loop alive.
#[napi(catch_unwind)]
pub fn keep_alive(env: Env, alive: bool) -> Result<()> {
    let line = environment::of(env)?.exit_line.raw();
    // SAFETY: the line lives as long as the environment, whose thread this is.
    unsafe {
        if alive {
            sys::napi_ref_threadsafe_function(env.raw(), line);
        } else {
            sys::napi_unref_threadsafe_function(env.raw(), line);
        }
    }
    Ok(())
}

impl NativeCommand {
    fn into_core(self) -> nsset::Result<Command> {
        Ok(Command {
            file: os_string(self.file),
            argv: self.argv.into_iter().map(os_string).collect(),
            environment: self.environment.into_iter().map(os_string).collect(),
            directory: self.directory.map(path).transpose()?,
            stdio: self.stdio.into_iter().map(stdio).collect::<nsset::Result<_>>()?,
            credentials: Credentials {
                uid: self.uid,
                gid: self.gid,
                groups: self.groups,
                keep_capabilities: self.keep_capabilities,
                no_new_privileges: self.no_new_privileges,
            },
            detached: self.detached,
            death_signal: self.death_signal,
            named_view: self.netns.map(|name| NamedView { name, is_required: self.needs_netns_files }),
        })
    }
}

fn stdio(word: Either<String, i32>) -> nsset::Result<Stdio> {
    match word {
        Either::B(fd) => Ok(Stdio::Inherit(fd)),
        Either::A(word) => match word.as_str() {
            "pipe" => Ok(Stdio::Pipe),
            "ignore" => Ok(Stdio::Ignore),
            _ => Err(nsset::Error::InvalidArgument(format!("stdio has no value '{word}'"))),
        },
    }
}
