//! Makes new namespaces of any kinds, by the home thread or by the helper. The calling thread stays where it is.

mod light_unshare;
mod mapped_trees;

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
    control_group::ControlGroup,
    error::{Error, Result, SystemError},
    helper::joining,
    helper::program::Program,
    helper::supervisor,
    id_map::{IdMap, MapUser, Maps, Setgroups},
    kind::{Kind, Kinds},
    mounts::contents,
    mounts::mount_spec::{MappedTree, MountSpec, OwnerMaps, Surroundings, covers},
    mounts::view::{self, Propagation, Root, Sysfs},
    namespaces::namespace::Namespace,
    namespaces::set::NamespaceSet,
    plain, proc,
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

/// The initial state of new namespaces. The API passes its options on in this form.
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
    pub root: Option<Root>,
    /// The control group in which a new cgroup namespace is rooted.
    #[serde(deserialize_with = "plain::optional_path")]
    pub cgroup: Option<PathBuf>,
    /// Whether /sys shows the network of the result. Default: yes, if that is possible.
    pub sysfs: Option<bool>,
}

impl UnshareOptions {
    fn maps(&self) -> Maps {
        Maps { uid: self.uid_maps.clone(), gid: self.gid_maps.clone(), setgroups: self.setgroups }
    }
}

/// Makes new namespaces of these kinds. With a base, they are made as a process inside it would make them, and the
/// result also has the namespaces of the base of other kinds.
pub fn unshare(
    base: Option<&NamespaceSet>,
    kinds: Kinds,
    options: &UnshareOptions,
    cancel: Option<&Cancel>,
) -> Result<NamespaceSet> {
    check(kinds, options)?;
    let nothing = NamespaceSet::default();
    let light = match options.cgroup {
        None => LightUnshare::plan(base, kinds, options.hostname.as_deref(), options.loopback)?,
        // A thread can move to a group only with all threads of its process.
        Some(_) => None,
    };
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

/// The pauses in milliseconds between attempts while the kernel cleans up: half a second in all.
const PAUSES: [u64; 8] = [2, 4, 8, 16, 32, 64, 128, 256];

/// A network namespace that was closed counts against the limits until the kernel has freed it, which it does
/// asynchronously.
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
    let group = options.cgroup.as_deref().map(ControlGroup::open).transpose()?;
    let contents = contents::of(&options.mounts)?;
    let trees =
        mapped_trees::make(&options.mounts, base, &|| Maps::for_caller(options.map_user, options.maps()), &|maps| {
            user_namespace(maps, cancel)
        })?;
    let mut program = Program::new();
    let held = Held {
        line: line.as_ref().map(|(_, theirs)| theirs),
        group: group.as_ref(),
        contents: contents.as_ref(),
        trees: &trees,
    };
    let maps = write_program(&mut program, base, kinds, options, held)?;
    let outcome = supervisor::run(&program, &[], cancel, &mut |pid| maps.write(pid, cancel))?;

    supervisor::dismiss(outcome.helper.process);

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

/// A user namespace with these maps, which nothing is in.
fn user_namespace(maps: Maps, cancel: Option<&Cancel>) -> Result<NamespaceSet> {
    let only_maps = UnshareOptions { uid_maps: maps.uid, gid_maps: maps.gid, ..UnshareOptions::default() };
    unshare_with_helper(&NamespaceSet::default(), Kinds::NONE.with(Kind::User), &only_maps, cancel)
}

/// Our end and the end of PID 1 of the connection that keeps PID 1 alive. It is a socket, because a process inside
/// could open a pipe again through `/proc/1/fd`.
fn line() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|errno| SystemError::new(errno, "socketpair").into())
}

/// What the program of the helper refers to.
#[derive(Clone, Copy)]
struct Held<'fd> {
    /// The end of PID 1 of its line.
    line: Option<&'fd OwnedFd>,
    group: Option<&'fd ControlGroup>,
    /// The contents of files.
    contents: Option<&'fd OwnedFd>,
    /// Bind mounts with mapped owners.
    trees: &'fd [Option<OwnedFd>],
}

/// Writes the steps in the order that user_namespaces(7) and time_namespaces(7) require. Returns the maps to write when
/// the helper waits.
fn write_program<'fd>(
    program: &mut Program<'fd>,
    base: &NamespaceSet,
    kinds: Kinds,
    options: &UnshareOptions,
    held: Held<'fd>,
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
        // The kernel accepts offsets only before the first process is in the namespace.
        program.offsets(&offsets);
    }
    if joined.contains(Kind::Pid) || held.group.is_some() {
        program.group();
        program.fork(held.group);
    }
    let makes_network_last = joined.is_empty() && makes_network_beside_mounts(kinds, options);
    let at_once = kinds.without(Kind::User).without(Kind::Time);
    let at_once = if makes_network_last { at_once.without(Kind::Net) } else { at_once };
    if !at_once.is_empty() {
        program.unshare(at_once);
    }
    if makes_network_last {
        program.network_pair();
    } else if options.loopback {
        program.loopback();
    }
    set_up(program, kinds, joined, options, &maps, held, makes_network_last)?;
    if makes_network_last {
        program.unshare(Kinds::NONE.with(Kind::Net));
        program.send_network();
        if options.loopback {
            program.loopback();
        }
    }
    program.namespaces(kinds);
    Ok(maps)
}

/// Joins the namespaces that a process inside the base is in. The pid namespace of the base is joined only if it
/// matters: for a new one below it, and for mounts, since a procfs shows the pid namespace of the process that mounts
/// it (proc(5)).
fn join_base(program: &mut Program<'_>, base: &NamespaceSet, kinds: Kinds, options: &UnshareOptions) -> Result<Kinds> {
    let pid_counts = kinds.contains(Kind::Pid) || !options.mounts.is_empty();
    let wanted = if pid_counts { base.kinds() } else { base.kinds().without(Kind::Pid) };
    let foreign = joining::foreign(base, wanted);
    if foreign.is_empty() {
        return Ok(foreign);
    }
    program.undumpable();
    if foreign.contains(Kind::User) && kinds.contains(Kind::User) {
        joining::join(program, base, foreign.without(Kind::Pid));
        program.mapped_ids();
        // This is done before joining the pid namespace, so that processes inside do not see the placeholder.
        let [uid_map, gid_map, setgroups] = map_writer::nested_texts(options.map_user, &options.maps())?;
        program.group();
        program.nest_user(&uid_map, &gid_map, &setgroups);
        joining::join(program, base, foreign.only(Kind::Pid));
        program.join_nested_user();
        return Ok(foreign);
    }
    joining::join(program, base, foreign);
    if foreign.contains(Kind::User) {
        program.mapped_ids();
    }
    Ok(foreign)
}

/// Makes the user namespace that owns the others. Returns the maps for it that this process has to write.
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
        // This has to come after the maps, because an ordinary user may not write the maps of an undumpable process. No
        // other process is in the namespace yet.
        program.undumpable();
    }
    Ok(maps)
}

/// With fewer mounts, the network is made before them: two processes that take turns are no faster than one.
const MANY_MOUNTS: usize = 8;

/// Whether the helper makes the network while PID 1 mounts. Both take the kernel about half a millisecond.
fn makes_network_beside_mounts(kinds: Kinds, options: &UnshareOptions) -> bool {
    [Kind::Net, Kind::Mnt, Kind::Pid].into_iter().all(|kind| kinds.contains(kind))
        && options.mounts.len() >= MANY_MOUNTS
        && options.mounts.iter().all(MountSpec::knows_no_network)
}

/// Writes the steps that set up the new namespaces. With a pid namespace, PID 1 mounts.
fn set_up<'fd>(
    program: &mut Program<'fd>,
    kinds: Kinds,
    joined: Kinds,
    options: &UnshareOptions,
    maps: &Maps,
    held: Held<'fd>,
    awaits_network: bool,
) -> Result<()> {
    if let Some(hostname) = &options.hostname {
        program.hostname(hostname)?;
    }
    let mut mounts = Program::new();
    if kinds.contains(Kind::Mnt) {
        let propagation = options.propagation.unwrap_or_default();
        view::propagate(program, propagation);
        let around = Surroundings {
            contents: held.contents.map(|contents| program.pass(contents.as_fd())),
            is_caller_mapped: maps.is_empty() || maps.has_caller(),
            mapped_trees: held.trees.iter().map(|tree| passed_tree(tree.as_ref(), program)).collect(),
            is_private: propagation.is_private(),
            awaits_network,
            has_user: kinds.contains(Kind::User) || joined.contains(Kind::User) || !proc::sees_all_users(),
        };
        let has_network = kinds.contains(Kind::Net) || joined.contains(Kind::Net);
        view::set_up(&mut mounts, options.root.as_ref(), &options.mounts, &around, sysfs(has_network, options))?;
    }
    match held.line {
        Some(line) => {
            program.group();
            program.init(line.as_fd(), mounts);
        }
        None => program.append(mounts),
    }
    Ok(())
}

fn passed_tree<'fd>(tree: Option<&'fd OwnedFd>, program: &mut Program<'fd>) -> MappedTree {
    tree.map_or(MappedTree::Missing, |tree| MappedTree::Passed(program.pass(tree.as_fd())))
}

/// Whether a new mount namespace gets a sysfs of its network. By default it does if the network is not that of the
/// caller, unless one of the mounts covers /sys already, or the mount would propagate to the outside.
fn sysfs(has_network: bool, options: &UnshareOptions) -> Option<Sysfs> {
    match options.sysfs {
        Some(true) => Some(Sysfs::Required),
        Some(false) => None,
        None => {
            let is_private = options.propagation.unwrap_or_default().is_private();
            let is_wanted = has_network && is_private && !covers(&options.mounts, "/sys");
            is_wanted.then_some(Sysfs::Possible)
        }
    }
}

impl TimeOffsets {
    /// The text for `timens_offsets`: whole seconds, which may be negative, and nanoseconds, which may not. The kernel
    /// changes only the clocks that are named.
    fn text(self) -> String {
        const BILLION: i128 = 1_000_000_000;
        let line = |(clock, offset): (&str, Option<i128>)| {
            offset.map(|offset| format!("{clock} {} {}\n", offset.div_euclid(BILLION), offset.rem_euclid(BILLION)))
        };
        [("monotonic", self.monotonic), ("boottime", self.boottime)].into_iter().filter_map(line).collect()
    }
}

/// Refuses options that are wrong for every kernel.
fn check(kinds: Kinds, options: &UnshareOptions) -> Result<()> {
    if kinds.is_empty() {
        return Err(Error::InvalidArgument("at least one kind of namespace is required".into()));
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
        ("cgroup", Kind::Cgroup, options.cgroup.is_some()),
    ];
    for (option, kind, is_given) in given {
        if is_given && !kinds.contains(kind) {
            return Err(Error::InvalidArgument(format!(
                "the option '{option}' needs a new {kind} namespace; the kinds are {kinds}"
            )));
        }
    }
    let has_root_tmpfs = options.root.as_ref().is_some_and(|root| root.tmpfs.is_some());
    if has_root_tmpfs && !options.propagation.unwrap_or_default().is_private() {
        // It would cover the root directory of other mount namespaces.
        return Err(Error::InvalidArgument("a tmpfs as 'root' needs the propagation 'private' or 'slave'".into()));
    }
    let has_maps = kinds.contains(Kind::User);
    let mut owners = options.mounts.iter().filter_map(|mount| mount.id_map.as_ref());
    if !has_maps && owners.any(OwnerMaps::are_those_of_set) {
        return Err(Error::InvalidArgument("'idMap: \'set\'' of a bind mount needs a new user namespace".into()));
    }
    if options.map_user.is_some() && !(options.uid_maps.is_empty() && options.gid_maps.is_empty()) {
        return Err(Error::InvalidArgument("use either 'mapUser' or 'uidMaps' and 'gidMaps'".into()));
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
