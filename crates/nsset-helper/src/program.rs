//! Runs the program in the environment vector.

mod receive;

use crate::{
    arguments::Arguments,
    files, fork,
    ids::capabilities,
    ids::credentials,
    ids::identity,
    ids::nested_user,
    init, loopback, namespaces, network, network_of_init,
    process::steps::{self, Process},
    protocol::{About, CONTROL_FD, FIRST_PASSED_FD, MessageKind, word},
    report,
    state::State,
    syscall::{self, Errno, O_WRONLY},
    view::content,
    view::devices,
    view::mask,
    view::mounts,
    view::overlay,
    view::own_mounts,
    view::sysfs,
};

/// Runs all steps. A step that fails is reported and ends the process.
pub fn run(mut arguments: Arguments, environment: *const *const u8) -> ! {
    let mut state = State::new(environment);
    while let Some(word) = arguments.word() {
        if let Err(errno) = step(word.to_bytes(), &mut arguments, &mut state) {
            state.report.fail(errno);
        }
        state.report.step += 1;
        state.report.about = About::Target;
        state.report.file_system = None;
    }
    report::leave(0)
}

fn step(word: &[u8], arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    match word {
        word::KEEP => keep_only(arguments.fd()?),
        word::RECEIVE => receive::receive(arguments, state),
        word::UNDUMPABLE => syscall::set_undumpable().map(drop),
        word::PROC => {
            state.proc = arguments.fd()?;
            Ok(())
        }
        word::OPEN_OFFSETS => {
            state.offsets = syscall::open(state.proc, c"self/timens_offsets", O_WRONLY)?;
            Ok(())
        }
        word::SETNS => namespaces::join(arguments.fd()?, arguments.number()?, state),
        word::GROUP => syscall::lead_group().map(drop),
        word::FORK => fork::fork(arguments, state),
        word::UNSHARE => syscall::unshare(arguments.number()?).map(drop),
        word::AWAIT => {
            state.report.send(MessageKind::Waiting, 0, &[])?;
            state.report.wait_for_reply()
        }
        word::NEST_USER => nested_user::make(arguments, state),
        word::JOIN_NESTED_USER => nested_user::join(state),
        word::INIT => start_init(arguments, state),
        word::PROPAGATION => syscall::propagate(arguments.number()?).map(drop),
        word::ROOT => mounts::root(arguments.text()?, state),
        word::ROOT_TMPFS => mounts::root_tmpfs(arguments, state),
        word::ROOT_READ_ONLY => mounts::make_root_read_only(state),
        word::BIND => mounts::bind(arguments, state),
        word::BIND_TREE => mounts::bind_tree(arguments, state),
        word::MOUNT => mounts::mount(arguments, state),
        word::DEVICES => devices::mount(arguments, state),
        word::FILE => content::file(arguments, state),
        word::SYMLINK => content::symbolic_link(arguments, state),
        word::DIRECTORY => content::directory(arguments, state),
        word::MASK => mask::mount(arguments, state),
        word::SYSFS => sysfs::mount(arguments, state),
        word::OWN_MOUNTS => own_mounts::make(arguments, state),
        word::COVER => own_mounts::cover(arguments, state),
        word::PIVOT => mounts::pivot(state),
        word::HOSTNAME => syscall::sethostname(arguments.text()?.to_bytes()).map(drop),
        word::NETWORK_PAIR => network_of_init::make_pair(state),
        word::SEND_NETWORK => network_of_init::send(state),
        word::TAKE_NETWORK => network_of_init::take(state),
        word::LOOPBACK => loopback::bring_up(),
        word::OFFSETS => syscall::write(state.offsets, arguments.text()?.to_bytes()).map(drop),
        word::NAMESPACES => namespaces::send(arguments, state),
        word::TUN => network::send_tun(state.report),
        word::UNIX_SOCKET => network::send_unix_socket(arguments, state.report),
        word::HOLD => network::send_directory(arguments, state.report),
        word::SOCKET => network::send_socket(arguments, state.report),
        word::READ_FILE => files::read(arguments, state),
        word::WRITE_FILE => files::write(arguments, state),
        word::MAPPED_GROUP => identity::become_mapped_group(state),
        word::MAPPED_USER => identity::become_mapped_user(state),
        word::GROUPS => credentials::set_groups(arguments),
        word::DROP_GROUPS => credentials::drop_groups(),
        word::GID => credentials::set_gid(arguments.number()?),
        word::UID => credentials::set_uid(arguments.number()?),
        word::KEEP_CAPABILITIES => syscall::keep_capabilities().map(drop),
        word::AMBIENT_CAPABILITIES => capabilities::make_ambient(),
        word::DEATH_SIGNAL => syscall::set_death_signal(arguments.number()?).map(drop),
        _ if overlay::is_step(word) => overlay::step(word, arguments, state),
        _ => {
            let State { report, proc, ruleset, environment, .. } = state;
            let kept = [&mut report.control, proc];
            steps::take(word, arguments, Process { kept, ruleset, environment: *environment })
        }
    }
}

/// Closes every descriptor except the control socket and those that were passed, and makes these close-on-exec.
fn keep_only(count: i32) -> Result<(), Errno> {
    syscall::close_range(0, CONTROL_FD as u32 - 1)?;
    syscall::close_range((FIRST_PASSED_FD + count) as u32, u32::MAX)?;
    syscall::close_on_exec_from(0).map(drop)
}

/// Starts PID 1 of the new pid namespace. The steps that follow are for PID 1, and the helper skips them.
fn start_init(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let line = arguments.fd()?;
    let steps = arguments.number()?;
    let words = arguments.number()?;
    if init::fork(state.report)? {
        for _ in 0..steps {
            state.report.step += 1;
            let outcome = arguments.text().and_then(|word| step(word.to_bytes(), arguments, state));
            if let Err(errno) = outcome {
                state.report.fail(errno);
            }
            state.report.file_system = None;
        }
        init::serve(line, arguments, state.report);
    }
    syscall::close(line);
    for _ in 0..words {
        arguments.text()?;
    }
    state.report.step += steps as u32;
    Ok(())
}
