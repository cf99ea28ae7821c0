//! A small `/dev`, as `bwrap --dev` makes it: devices of the outside that any program may use, terminals and shared
//! memory of its own, and the links that programs expect (fd(4), pts(4)).

use core::ffi::CStr;

use crate::{
    arguments::Arguments,
    protocol::About,
    state::State,
    syscall::{self, AT_FDCWD, Errno, FileType, O_DIRECTORY, O_NOFOLLOW, O_PATH},
    view::mounts::attach_held,
    view::new_file_system::{self, NOEXEC, NOSUID},
    view::own_file_systems,
    view::targets::open_or_make,
};

const DEVICES: [&CStr; 6] = [c"null", c"zero", c"full", c"random", c"urandom", c"tty"];

const LINKS: [(&CStr, &CStr); 6] = [
    (c"fd", c"/proc/self/fd"),
    (c"stdin", c"/proc/self/fd/0"),
    (c"stdout", c"/proc/self/fd/1"),
    (c"stderr", c"/proc/self/fd/2"),
    (c"core", c"/proc/kcore"),
    (c"ptmx", c"pts/ptmx"),
];

pub fn mount(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let (target, flags) = (arguments.text()?, arguments.number()?);
    // Opened before the target is covered, which may be the same directory.
    state.report.about = About::Source;
    let outside = syscall::open(AT_FDCWD, c"/dev", O_PATH | O_DIRECTORY)?;
    state.report.about = About::Target;
    let target = open_or_make(target, FileType::Directory, flags, state)?;
    let tree = new_file_system::make(c"tmpfs", &[(c"source", c"tmpfs"), (c"mode", c"0755")], NOSUID)?;
    attach_held(tree, target, state)?;
    own_file_systems::add(tree)?;
    syscall::clear_umask();
    for device in DEVICES {
        state.report.about = About::Source;
        let source = syscall::open_tree_below(outside, device)?;
        state.report.about = About::Target;
        syscall::add_mount_attributes(source, NOSUID, false)?;
        put(source, syscall::create_file(tree, device, 0o666)?)?;
    }
    syscall::close(outside);
    for (name, to) in LINKS {
        syscall::make_symbolic_link(to, tree, name)?;
    }
    syscall::make_directory(tree, c"shm", 0o1777)?;
    syscall::make_directory(tree, c"pts", 0o755)?;
    let options = [(c"source", c"devpts"), (c"ptmxmode", c"0666"), (c"mode", c"0620")];
    let terminals = new_file_system::make(c"devpts", &options, NOSUID | NOEXEC)?;
    put(terminals, syscall::open(tree, c"pts", O_PATH | O_NOFOLLOW)?)?;
    syscall::close(tree);
    Ok(())
}

/// Attaches a detached mount, and closes both descriptors.
fn put(mount: i32, target: i32) -> Result<(), Errno> {
    syscall::move_mount(mount, target)?;
    syscall::close(target);
    syscall::close(mount);
    Ok(())
}
