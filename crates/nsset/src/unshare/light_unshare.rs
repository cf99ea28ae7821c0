//! Makes new namespaces on the home thread, without another process, if a thread can have all of these kinds for
//! itself.

use std::ffi::CString;

use nix::errno::Errno;
use nsset_helper::{loopback, protocol::About, syscall};

use crate::{
    cancel::Cancel,
    error::{Error, Result},
    helper::joining,
    helper::program::{Label, c_string},
    helper::step_error,
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    threads::{home_thread, thread},
};

/// The work for the home thread.
#[derive(Clone, Debug)]
pub(crate) struct LightUnshare {
    kinds: Kinds,
    /// The namespaces that the thread enters first, in which the new ones are made.
    from: NamespaceSet,
    hostname: Option<CString>,
    has_loopback: bool,
}

/// Whether a thread can make these kinds. unshare(2) refuses `user` in a process with threads, applies `pid` and `time`
/// only to children, and with `mnt` separates the root and working directory of the thread from those of the process. A
/// thread does not enter these kinds of a base either.
pub fn is_light(base: Option<&NamespaceSet>, kinds: Kinds) -> bool {
    let others = |base: &NamespaceSet| {
        let others = base.kinds().iter().filter(|kind| *kind != Kind::Pid && !Kinds::OF_THREADS.contains(*kind));
        joining::foreign(base, others.collect())
    };
    kinds.is_within(Kinds::OF_THREADS) && base.is_none_or(|base| others(base).is_empty())
}

impl LightUnshare {
    /// `None` if the helper is needed.
    pub(crate) fn plan(
        base: Option<&NamespaceSet>,
        kinds: Kinds,
        hostname: Option<&str>,
        has_loopback: bool,
    ) -> Result<Option<Self>> {
        if !is_light(base, kinds) {
            return Ok(None);
        }
        let hostname = hostname.map(|name| c_string(name.as_bytes())).transpose()?;
        let from = base.map_or_else(NamespaceSet::default, |base| base.only(Kinds::OF_THREADS));
        // A thread of JavaScript may be in other namespaces than the home thread. A thread of libuv never is, and has
        // no state to read.
        let from = from.or(&thread::known(Kinds::OF_THREADS)?);
        Ok(Some(Self { kinds, from, hostname, has_loopback }))
    }

    /// `None` if the home thread cannot do it, for example because it could not return.
    pub(crate) fn run(&self, cancel: Option<&Cancel>) -> Result<Option<NamespaceSet>> {
        let asked = self.clone();
        Ok(home_thread::run(move || asked.make(), cancel)?.flatten())
    }

    fn make(&self) -> Result<Option<NamespaceSet>> {
        let foreign = joining::foreign(&self.from, self.from.kinds());
        // setns(2) fails without the privilege, and for any reason under a filter of system calls.
        if thread::check_way_back(foreign.and(self.kinds)).is_err() {
            return Ok(None);
        }
        // If the thread may not enter, the helper reports an error that describes the set.
        let Ok(visit) = thread::visit(&self.from, foreign) else { return Ok(None) };
        let made = self.make_here();
        // If the thread cannot return, it ends, and the new namespaces are valid nevertheless.
        let _ = visit.leave();
        made.map(Some)
    }

    fn make_here(&self) -> Result<NamespaceSet> {
        let visit = thread::unshare(self.kinds).map_err(|errno| step_error::from_unshare(self.kinds, errno))?;
        let made = self.set_up().and_then(|()| thread::open_here(self.kinds));
        let _ = visit.leave();
        made
    }

    fn set_up(&self) -> Result<()> {
        if let Some(name) = &self.hostname {
            syscall::sethostname(name.to_bytes()).map_err(|errno| failed(Label::hostname(), errno))?;
        }
        if self.has_loopback {
            loopback::bring_up().map_err(|errno| failed(Label::loopback(), errno))?;
        }
        Ok(())
    }
}

fn failed(label: Label, errno: i32) -> Error {
    step_error::from_step(label, Errno::from_raw(errno), About::Target)
}
