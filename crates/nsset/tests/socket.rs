//! Sockets that are created inside a set: as root in a `net` set, as an ordinary user in a `user` and `net` set.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod again;
mod refusal;

use std::{
    fs::{self, File},
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::PathBuf,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::stat::fstat,
};
use nsset::{Error, Kind, Kinds, MapUser, NamespaceSet, UnshareOptions, open_socket, open_tun, thread, unshare};

const NETLINK_ROUTE: i32 = libc::NETLINK_ROUTE;

/// `SIOCGSKNS` of ioctl_socket(2): the network namespace that a socket belongs to.
const SIOCGSKNS: libc::Ioctl = 0x894C;

/// `TUNSETIFF` of linux/if_tun.h creates a device, and `TUNGETDEVNETNS` returns the network in which it was created.
const TUNSETIFF: libc::Ioctl = 0x4004_54CA;
const TUNGETDEVNETNS: libc::Ioctl = 0x54E3;

fn network(map_user: MapUser) -> NamespaceSet {
    if nix::unistd::geteuid().is_root() && map_user == MapUser::Root {
        return unshare(None, Kinds::NONE.with(Kind::Net), &UnshareOptions::default(), None).unwrap();
    }
    let options = UnshareOptions { map_user: Some(map_user), ..UnshareOptions::default() };
    unshare(None, Kinds::NONE.with(Kind::Net).with(Kind::User), &options, None).unwrap()
}

/// A set that the calling thread can enter: without `user`, or with its own. An ordinary user can have none.
fn reachable() -> Option<NamespaceSet> {
    let set = network(MapUser::Root);
    if set.kinds().contains(Kind::User) {
        println!("skipped: an ordinary user cannot go into a network with a thread");
        return None;
    }
    Some(set)
}

/// A set that needs the helper.
fn beyond_the_thread() -> NamespaceSet {
    network(MapUser::Current)
}

/// For tests that change the thread for good.
fn on_a_thread_of_its_own(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(test).join().unwrap());
}

fn tcp(set: &NamespaceSet) -> nsset::Result<OwnedFd> {
    open_socket(set, Kinds::ALL, libc::AF_INET, libc::SOCK_STREAM, 0)
}

fn inode(set: &NamespaceSet) -> u64 {
    set.get(Kind::Net).unwrap().id().ino
}

fn where_the_thread_is() -> PathBuf {
    fs::read_link("/proc/thread-self/ns/net").unwrap()
}

/// The number of sockets of this process in the network of the set.
fn sockets_in(set: &NamespaceSet) -> usize {
    let fds = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let files = fds.filter_map(|fd| fd.file_name().to_str()?.parse::<i32>().ok());
    files.filter(|fd| is_home(*fd, inode(set))).count()
}

/// The inode of the network namespace of the socket, from the kernel.
fn home(socket: &OwnedFd) -> u64 {
    // SAFETY: it takes no argument, and answers with a new descriptor.
    let fd = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) };
    let fd = Errno::result(fd).expect("the owner of the namespace may ask");
    // SAFETY: the kernel has just made it.
    fstat(unsafe { OwnedFd::from_raw_fd(fd) }).unwrap().st_ino
}

#[test]
fn it_belongs_to_the_sets_network_and_is_close_on_exec() {
    let set = network(MapUser::Root);
    for (domain, kind, protocol) in [
        (libc::AF_NETLINK, libc::SOCK_RAW, NETLINK_ROUTE),
        (libc::AF_INET, libc::SOCK_STREAM, 0),
        (libc::AF_INET6, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, 0),
    ] {
        let socket = open_socket(&set, Kinds::ALL, domain, kind, protocol).unwrap();
        assert_eq!(home(&socket), set.get(Kind::Net).unwrap().id().ino);
        let flags = FdFlag::from_bits_retain(fcntl(&socket, FcntlArg::F_GETFD).unwrap());
        assert!(flags.contains(FdFlag::FD_CLOEXEC));
    }
}

#[test]
fn a_user_that_is_mapped_inside_has_the_capabilities_there() {
    let id = nix::unistd::geteuid().as_raw();
    for map_user in [MapUser::Root, MapUser::Current, MapUser::Id(7 + id)] {
        let set = network(map_user);
        let raw = open_socket(&set, Kinds::ALL, libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP);
        assert_eq!(home(&raw.unwrap()), set.get(Kind::Net).unwrap().id().ino);
    }
}

#[test]
fn the_own_network_is_a_set_too() {
    let set = nsset::current(Some(Kinds::NONE.with(Kind::Net))).unwrap();
    let socket = open_socket(&set, Kinds::ALL, libc::AF_INET, libc::SOCK_DGRAM, 0).unwrap();
    let path = format!("/proc/self/fd/{}", socket.as_raw_fd());
    assert!(std::fs::read_link(path).unwrap().to_string_lossy().starts_with("socket:"));
}

#[test]
fn a_socket_that_the_kernel_does_not_support_is_an_error_with_a_hint() {
    let set = network(MapUser::Root);
    let error = open_socket(&set, Kinds::ALL, 200, libc::SOCK_RAW, 0).unwrap_err();
    assert!(error.to_string().starts_with("EAFNOSUPPORT: "), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("socket net: the kernel has no socket of this domain, type and protocol (socket(2))")
    );
}

#[test]
fn a_set_without_a_network_and_negative_numbers_are_refused() {
    let uts = nsset::current(Some(Kinds::NONE.with(Kind::Uts))).unwrap();
    let error = open_socket(&uts, Kinds::ALL, libc::AF_INET, libc::SOCK_STREAM, 0).unwrap_err();
    assert!(matches!(error, Error::NotInSet { kind: Kind::Net, .. }));

    let error = open_socket(&network(MapUser::Root), Kinds::ALL, libc::AF_INET, -1, 0).unwrap_err();
    assert_eq!(error.to_string(), "the socket's type is negative: -1");
}

#[test]
fn nothing_is_left_open() {
    let set = network(MapUser::Root);
    let open = || open_socket(&set, Kinds::ALL, libc::AF_INET, libc::SOCK_STREAM, 0);
    drop(open().unwrap());
    // Other tests open descriptors meanwhile, so only sockets in the set count.
    assert_eq!(sockets_in(&set), 0);
    let held: Vec<_> = (0..10).map(|_| open().unwrap()).collect();
    assert_eq!(sockets_in(&set), 10);
    drop(held);
    assert_eq!(sockets_in(&set), 0);
}

fn is_home(fd: i32, inode: u64) -> bool {
    // SAFETY: a descriptor that is closed or no socket only makes the call fail; the answer is a new descriptor.
    let home = unsafe { libc::ioctl(fd, SIOCGSKNS) };
    // SAFETY: the kernel has just made it.
    home >= 0 && fstat(unsafe { File::from_raw_fd(home) }).unwrap().st_ino == inode
}

#[test]
fn a_tun_device_is_created_in_the_network_of_the_set() {
    let set = network(MapUser::Root);
    let device = match open_tun(&set, Kinds::ALL) {
        Ok(device) => device,
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(", open net '/dev/net/tun': the device needs the module tun"), "{text}");
            let is_allowed = File::options().read(true).write(true).open("/dev/net/tun").is_ok();
            assert!(!is_allowed, "{text}");
            return;
        }
    };
    let mut request = [0u8; 40];
    request[16..18].copy_from_slice(&(libc::IFF_TUN as u16).to_ne_bytes());
    // SAFETY: it takes a `struct ifreq`, 40 bytes.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), TUNSETIFF, request.as_mut_ptr()) }).unwrap();
    // SAFETY: it takes no argument, and answers with a new descriptor.
    let home = Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), TUNGETDEVNETNS) }).unwrap();
    // SAFETY: the kernel has just made it.
    let home = fstat(unsafe { OwnedFd::from_raw_fd(home) }).unwrap().st_ino;
    assert_eq!(home, set.get(Kind::Net).unwrap().id().ino);
}

#[test]
fn the_thread_is_outside_after_either_way_in() {
    let home = where_the_thread_is();
    for set in [network(MapUser::Root), beyond_the_thread()] {
        assert_eq!(self::home(&tcp(&set).unwrap()), inode(&set));
        assert_eq!(where_the_thread_is(), home);
        open_socket(&set, Kinds::ALL, 200, libc::SOCK_RAW, 0).unwrap_err();
        assert_eq!(where_the_thread_is(), home);
        let _ = open_tun(&set, Kinds::ALL);
        assert_eq!(where_the_thread_is(), home);
    }
}

#[test]
fn the_helper_starts_only_for_a_foreign_user_namespace() {
    on_a_thread_of_its_own(|| {
        let (near, far) = (reachable(), beyond_the_thread());
        refusal::refuse(libc::SYS_execveat, Errno::EACCES);
        assert!(tcp(&far).unwrap_err().to_string().starts_with("EACCES: permission denied, execveat"));
        let Some(near) = near else { return };
        assert_eq!(home(&tcp(&near).unwrap()), inode(&near));
    });
}

#[test]
fn a_thread_in_another_network_returns_to_that_network() {
    let (Some(outer), Some(inner)) = (reachable(), reachable()) else { return };
    let visit = thread::visit(&outer, Kinds::NONE.with(Kind::Net)).unwrap();
    let socket = tcp(&inner);
    let between = where_the_thread_is();
    visit.leave().unwrap();
    assert_eq!(home(&socket.unwrap()), inode(&inner));
    assert_eq!(between, PathBuf::from(format!("net:[{}]", inode(&outer))));
}

#[test]
fn a_failed_way_back_closes_the_socket_and_taints_the_thread() {
    on_a_thread_of_its_own(|| {
        let Some(set) = reachable() else { return };
        thread::remember().unwrap();
        let home = where_the_thread_is();
        let ways_home = fs::read_dir("/proc/self/fd")
            .unwrap()
            .flatten()
            .filter(|fd| fs::read_link(fd.path()).is_ok_and(|link| link == home));
        let ways_home: Vec<i32> = ways_home.map(|fd| fd.file_name().to_str().unwrap().parse().unwrap()).collect();
        refusal::refuse_for(libc::SYS_setns, &ways_home, Errno::EPERM);

        let failure = tcp(&set).unwrap_err();
        assert!(matches!(failure, Error::Restore { kind: Kind::Net, errno: Errno::EPERM }), "{failure}");
        assert_eq!(sockets_in(&set), 0);
        for _ in 0..2 {
            let failure = tcp(&set).unwrap_err();
            assert!(matches!(failure, Error::Tainted { kind: Kind::Net, errno: Errno::EPERM }), "{failure}");
        }
        assert_eq!(sockets_in(&set), 0);
    });
}

#[test]
fn an_error_without_the_privilege_to_enter_names_the_privilege() {
    // The change of user makes the whole process undumpable.
    if !again::runs_again(&[], "an_error_without_the_privilege_to_enter_names_the_privilege") {
        return;
    }
    // If run as root, the thread is an ordinary user from here on. The network belongs to a user namespace that is not
    // in the set.
    let net = network(MapUser::Root).narrow(Kinds::NONE.with(Kind::Net)).unwrap();
    let home = where_the_thread_is();
    // SAFETY: plain numbers; unlike the C library's function, the call changes the calling thread only.
    Errno::result(unsafe { libc::syscall(libc::SYS_setresuid, 1234, 1234, 1234) }).unwrap();
    for failure in [tcp(&net).map(drop), open_tun(&net, Kinds::ALL).map(drop)] {
        assert_eq!(
            failure.unwrap_err().to_string(),
            "EPERM: operation not permitted, setns net: entering it needs CAP_SYS_ADMIN in the user namespace that \
             owns it, which an ordinary user has where that is in the set as well"
        );
        assert_eq!(where_the_thread_is(), home);
    }
}

#[test]
fn the_helper_is_used_where_the_thread_could_not_return() {
    let name = "the_helper_is_used_where_the_thread_could_not_return";
    if !again::runs_again(&["unshare", "--user", "--map-root-user"], name) {
        return;
    }
    let set = unshare(None, Kinds::NONE.with(Kind::Net), &UnshareOptions::default(), None).unwrap();
    let refusal = thread::visit(&set, set.kinds()).unwrap_err();
    assert!(matches!(refusal, Error::NotEnterable { kind: Kind::Net, .. }), "{refusal}");
    assert_eq!(home(&tcp(&set).unwrap()), inode(&set));
}

#[test]
fn no_call_leaves_a_descriptor_or_a_process_behind() {
    if !again::runs_again(&[], "no_call_leaves_a_descriptor_or_a_process_behind") {
        return;
    }
    for set in [network(MapUser::Root), beyond_the_thread()] {
        let call = || {
            tcp(&set).unwrap();
            open_socket(&set, Kinds::ALL, 200, libc::SOCK_RAW, 0).unwrap_err();
            open_socket(&set, Kinds::ALL, libc::AF_INET, -1, 0).unwrap_err();
            let _ = open_tun(&set, Kinds::ALL);
        };
        call();
        let before = again::possessions();
        (0..20).for_each(|_| call());
        again::expect_possessions(&before);
    }
}
