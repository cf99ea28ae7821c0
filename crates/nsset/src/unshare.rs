//! Makes new namespaces, of any kinds, by way of the home thread or of the helper: the calling thread stays where it is.

mod light_unshare;

use std::{
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    time::Duration,
};

use nix::{
    errno::Errno,
    poll::PollTimeout,
    sys::socket::{AddressFamily, SockFlag, SockType, socketpair},
};
use serde::Deserialize;

use self::light_unshare::LightUnshare;
pub use self::light_unshare::is_light;
use crate::{
    cancel::{Cancel, wait_readable},
    children::init::Init,
    error::{Error, Result, SystemError},
    helper::conversation,
    helper::plan,
    helper::program::Program,
    kind::{Kind, Kinds},
    mounts::mount_spec::{self, MountSpec, Propagation, Sysfs},
    namespaces::namespace::Namespace,
    namespaces::set::NamespaceSet,
    plain, proc,
    userns::id_map::{IdMap, MapUser, Maps, Setgroups},
    userns::map_writer,
};

/// Offsets of the clocks in a new time namespace, in nanoseconds from the first time namespace: time_namespaces(7). A clock
/// that is left out keeps the offset of the namespace in which the new one is made.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeOffsets {
    pub monotonic: Option<i128>,
    pub boottime: Option<i128>,
}

/// The state that new namespaces start with. The API passes its options on as they are read here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UnshareOptions {
    pub uid_maps: Vec<IdMap>,
    pub gid_maps: Vec<IdMap>,
    pub setgroups: Option<Setgroups>,
    pub map_user: Option<MapUser>,
    pub time_offsets: Option<TimeOffsets>,
    pub hostname: Option<String>,
    pub loopback: bool,
    pub propagation: Option<Propagation>,
    pub mounts: Vec<MountSpec>,
    #[serde(deserialize_with = "plain::optional_path")]
    pub root: Option<PathBuf>,
    /// Whether /sys shows the network of the result; where nothing is said, it does where that is possible.
    pub sysfs: Option<bool>,
}

impl UnshareOptions {
    fn maps(&self) -> Maps {
        Maps { uid: self.uid_maps.clone(), gid: self.gid_maps.clone(), setgroups: self.setgroups }
    }
}

/// Makes new namespaces of these kinds. With a base, they are made as a process inside it would make them, and the
/// result holds the base's others too.
pub fn unshare(
    base: Option<&NamespaceSet>,
    kinds: Kinds,
    options: &UnshareOptions,
    cancel: Option<&Cancel>,
) -> Result<NamespaceSet> {
    check(kinds, options)?;
    let nothing = NamespaceSet::default();
    let light = LightUnshare::plan(base, kinds, options.hostname.as_deref(), options.loopback)?;
    let base = base.unwrap_or(&nothing);
    retrying(kinds, cancel, || match light.as_ref().map_or(Ok(None), |light| light.run(cancel))? {
        Some(made) => Ok(made.or(base)),
        None => unshare_with_helper(base, kinds, options, cancel),
    })
}

fn retrying(kinds: Kinds, cancel: Option<&Cancel>, make: impl Fn() -> Result<NamespaceSet>) -> Result<NamespaceSet> {
    let mut pauses = PAUSES.into_iter();
    loop {
        match make() {
            Err(error) if is_awaiting_cleanup(&error, kinds) => match pauses.next() {
                Some(pause) => wait(Duration::from_millis(pause), cancel)?,
                None => return Err(error),
            },
            outcome => return outcome,
        }
    }
}

/// How many milliseconds are waited, again and again, for the kernel to clean up: half a second in all.
const PAUSES: [u64; 8] = [2, 4, 8, 16, 32, 64, 128, 256];

/// A network namespace that was let go counts against the limits until the kernel has cleaned up after it, which it does
/// in its own time.
fn is_awaiting_cleanup(error: &Error, kinds: Kinds) -> bool {
    kinds.contains(Kind::Net) && matches!(error, Error::System(system) if system.errno == Errno::ENOSPC)
}

fn wait(pause: Duration, cancel: Option<&Cancel>) -> Result<()> {
    wait_readable(None, cancel, PollTimeout::try_from(pause).unwrap_or(PollTimeout::ZERO)).map(drop)
}

fn unshare_with_helper(
    base: &NamespaceSet,
    kinds: Kinds,
    options: &UnshareOptions,
    cancel: Option<&Cancel>,
) -> Result<NamespaceSet> {
    let line = kinds.contains(Kind::Pid).then(line).transpose()?;
    let mut program = Program::new();
    let maps = write_program(&mut program, base, kinds, options, line.as_ref().map(|(_, theirs)| theirs))?;
    let outcome = conversation::run(&program, &[], cancel, &mut |pid| maps.write(pid, cancel))?;

    conversation::dismiss(outcome.process);

    let mut set = NamespaceSet::default();
    let init = outcome.init.zip(line).map(|(process, (ours, _))| Init::new(process.pidfd, ours));
    for (kind, fd) in kinds.iter().zip(outcome.namespaces) {
        set.insert(Namespace::new(kind, fd)?);
    }
    if let Some(init) = init {
        set.keep_alive(init);
    }
    Ok(set.or(base))
}

/// Our end of PID 1's line, and its own. A socket, because what is inside could open a pipe again through `/proc/1/fd`.
fn line() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|errno| SystemError::new(errno, "socketpair").into())
}

/// Writes the steps, in the order that user_namespaces(7) and time_namespaces(7) demand. The answer is the maps that
/// are to be written when the helper waits.
fn write_program<'fd>(
    program: &mut Program<'fd>,
    base: &NamespaceSet,
    kinds: Kinds,
    options: &UnshareOptions,
    line: Option<&'fd OwnedFd>,
) -> Result<Maps> {
    program.hold_proc(proc::hold()?);
    let offsets = options.time_offsets.map(TimeOffsets::text).filter(|text| !text.is_empty());
    if offsets.is_some() {
        program.open_offsets();
    }
    let joined = join_base(program, base, kinds, options)?;
    let maps = make_user(program, kinds, options, joined)?;
    if kinds.contains(Kind::Time) {
        program.unshare(Kinds::NONE.with(Kind::Time));
    }
    if let Some(offsets) = offsets {
        // The kernel takes them only before the first process is in the namespace.
        program.offsets(&offsets);
    }
    if joined.contains(Kind::Pid) {
        program.group();
        program.fork();
    }
    let at_once = kinds.without(Kind::User).without(Kind::Time);
    if !at_once.is_empty() {
        program.unshare(at_once);
    }
    set_up(program, kinds, joined, options, line)?;
    program.namespaces(kinds);
    Ok(maps)
}

/// Goes where a process inside the base would be. Its pid namespace counts where PIDs do: for a new one below it, and
/// for mounts, since proc(5) shows the pid namespace of who mounts it.
fn join_base(program: &mut Program<'_>, base: &NamespaceSet, kinds: Kinds, options: &UnshareOptions) -> Result<Kinds> {
    let pid_counts = kinds.contains(Kind::Pid) || !options.mounts.is_empty();
    let wanted = if pid_counts { base.kinds() } else { base.kinds().without(Kind::Pid) };
    let foreign = plan::foreign(base, wanted);
    if foreign.is_empty() {
        return Ok(foreign);
    }
    program.undumpable();
    if foreign.contains(Kind::User) && kinds.contains(Kind::User) {
        plan::join(program, base, foreign.without(Kind::Pid));
        program.mapped_ids();
        // Before the pid namespace: who stands for the new one meanwhile is not to be seen by those inside.
        let [uid_map, gid_map, setgroups] = map_writer::nested_texts(options.map_user, &options.maps())?;
        program.group();
        program.nest_user(&uid_map, &gid_map, &setgroups);
        plan::join(program, base, foreign.only(Kind::Pid));
        program.join_nested_user();
        return Ok(foreign);
    }
    plan::join(program, base, foreign);
    if foreign.contains(Kind::User) {
        program.mapped_ids();
    }
    Ok(foreign)
}

/// Makes the user namespace that owns the others. The answer is the maps for it that are to be written from here.
fn make_user(program: &mut Program<'_>, kinds: Kinds, options: &UnshareOptions, joined: Kinds) -> Result<Maps> {
    let mut maps = Maps::default();
    if kinds.contains(Kind::User) && !joined.contains(Kind::User) {
        maps = Maps::for_caller(options.map_user, options.maps())?;
        program.unshare(Kinds::NONE.with(Kind::User));
        if !maps.is_empty() {
            program.await_parent();
        }
    }
    if joined.is_empty() {
        // Only now: of an undumpable process an ordinary user may not write the maps. Nobody else is in there yet.
        program.undumpable();
    }
    Ok(maps)
}

/// Writes the steps that give the new namespaces the state they start with; with a pid namespace PID 1 does the mounts.
fn set_up<'fd>(
    program: &mut Program<'fd>,
    kinds: Kinds,
    joined: Kinds,
    options: &UnshareOptions,
    line: Option<&'fd OwnedFd>,
) -> Result<()> {
    if let Some(hostname) = &options.hostname {
        program.hostname(hostname)?;
    }
    if options.loopback {
        program.loopback();
    }
    let mut mounts = Program::new();
    if kinds.contains(Kind::Mnt) {
        mount_spec::propagate(program, options.propagation.unwrap_or_default());
        let has_network = kinds.contains(Kind::Net) || joined.contains(Kind::Net);
        mount_spec::set_up(&mut mounts, options.root.as_deref(), &options.mounts, sysfs(has_network, options))?;
    }
    match line {
        Some(line) => {
            program.group();
            program.init(line.as_fd(), mounts);
        }
        None => program.append(mounts),
    }
    Ok(())
}

/// Whether a new mount namespace gets a sysfs of its network: one that is not the caller's, unless what the caller asks for
/// already is about /sys, or what is mounted would appear outside.
fn sysfs(has_network: bool, options: &UnshareOptions) -> Option<Sysfs> {
    match options.sysfs {
        Some(true) => Some(Sysfs::Required),
        Some(false) => None,
        None => {
            let is_private = matches!(options.propagation, None | Some(Propagation::Private | Propagation::Slave));
            let is_wanted = has_network && is_private && !mount_spec::covers(&options.mounts, "/sys");
            is_wanted.then_some(Sysfs::Possible)
        }
    }
}

impl TimeOffsets {
    /// As `timens_offsets` takes it: whole seconds, which may be negative, and nanoseconds, which may not. The kernel changes
    /// the clocks that are named, and no other.
    fn text(self) -> String {
        const BILLION: i128 = 1_000_000_000;
        let line = |(clock, offset): (&str, Option<i128>)| {
            offset.map(|offset| format!("{clock} {} {}\n", offset.div_euclid(BILLION), offset.rem_euclid(BILLION)))
        };
        [("monotonic", self.monotonic), ("boottime", self.boottime)].into_iter().filter_map(line).collect()
    }
}

/// Refuses what no kernel needs to see to know that it is wrong.
fn check(kinds: Kinds, options: &UnshareOptions) -> Result<()> {
    if kinds.is_empty() {
        return Err(Error::InvalidArgument("no kind of namespace was named".into()));
    }
    let given = [
        ("uidMaps", Kind::User, !options.uid_maps.is_empty()),
        ("gidMaps", Kind::User, !options.gid_maps.is_empty()),
        ("setgroups", Kind::User, options.setgroups.is_some()),
        ("mapUser", Kind::User, options.map_user.is_some()),
        ("timeOffsets", Kind::Time, options.time_offsets.is_some()),
        ("hostname", Kind::Uts, options.hostname.is_some()),
        ("loopback", Kind::Net, options.loopback),
        ("propagation", Kind::Mnt, options.propagation.is_some()),
        ("mounts", Kind::Mnt, !options.mounts.is_empty()),
        ("root", Kind::Mnt, options.root.is_some()),
        ("sysfs", Kind::Mnt, options.sysfs == Some(true)),
    ];
    for (option, kind, is_given) in given {
        if is_given && !kinds.contains(kind) {
            return Err(Error::InvalidArgument(format!(
                "the option '{option}' needs a new {kind} namespace; the kinds are {kinds}"
            )));
        }
    }
    if options.map_user.is_some() && !(options.uid_maps.is_empty() && options.gid_maps.is_empty()) {
        return Err(Error::InvalidArgument("give either 'mapUser' or 'uidMaps' and 'gidMaps'".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_offsets_borrow_from_the_seconds() {
        let offsets = TimeOffsets { monotonic: Some(-1_500_000_000), boottime: Some(2_250_000_000) };
        assert_eq!(offsets.text(), "monotonic -2 500000000\nboottime 2 250000000\n");
    }

    #[test]
    fn a_clock_that_is_left_out_is_not_written() {
        let offsets = TimeOffsets { monotonic: None, boottime: Some(0) };
        assert_eq!(offsets.text(), "boottime 0 0\n");
        assert_eq!(TimeOffsets::default().text(), "");
    }

    #[test]
    fn an_option_without_its_kind_is_refused() {
        let options = UnshareOptions { loopback: true, ..UnshareOptions::default() };
        let error = check(Kinds::NONE.with(Kind::Uts), &options).unwrap_err();
        assert_eq!(error.to_string(), "the option 'loopback' needs a new net namespace; the kinds are uts");
    }
}
