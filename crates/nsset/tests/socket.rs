//! Sockets that are born inside a set: as root in a `net` set, as an ordinary user in a `user` and `net` set.

use std::{
    fs::File,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::stat::fstat,
};
use nsset::{Error, Kind, Kinds, MapUser, NamespaceSet, UnshareOptions, open_socket, open_tun, unshare};

const NETLINK_ROUTE: i32 = libc::NETLINK_ROUTE;

/// `SIOCGSKNS` of ioctl_socket(2): the network namespace that a socket belongs to.
const SIOCGSKNS: libc::Ioctl = 0x894C;

/// `TUNSETIFF` of linux/if_tun.h makes a device, and `TUNGETDEVNETNS` tells the network that it came into.
const TUNSETIFF: libc::Ioctl = 0x4004_54CA;
const TUNGETDEVNETNS: libc::Ioctl = 0x54E3;

fn network(map_user: MapUser) -> NamespaceSet {
    if nix::unistd::geteuid().is_root() && map_user == MapUser::Root {
        return unshare(None, Kinds::NONE.with(Kind::Net), &UnshareOptions::default(), None).unwrap();
    }
    let options = UnshareOptions { map_user: Some(map_user), ..UnshareOptions::default() };
    unshare(None, Kinds::NONE.with(Kind::Net).with(Kind::User), &options, None).unwrap()
}

/// The inode of the socket's network namespace, as the kernel tells it.
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
fn whoever_is_mapped_inside_has_the_capabilities_there() {
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
fn what_the_kernel_lacks_is_told() {
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
    // Descriptors that other tests open meanwhile are none of the set's: only sockets in it count.
    let sockets = || {
        let fds = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let files = fds.filter_map(|fd| fd.file_name().to_str()?.parse::<i32>().ok());
        files.filter(|fd| is_home(*fd, set.get(Kind::Net).unwrap().id().ino)).count()
    };
    assert_eq!(sockets(), 0);
    let held: Vec<_> = (0..10).map(|_| open().unwrap()).collect();
    assert_eq!(sockets(), 10);
    drop(held);
    assert_eq!(sockets(), 0);
}

fn is_home(fd: i32, inode: u64) -> bool {
    // SAFETY: a descriptor that is closed or no socket only makes the call fail; the answer is a new descriptor.
    let home = unsafe { libc::ioctl(fd, SIOCGSKNS) };
    // SAFETY: the kernel has just made it.
    home >= 0 && fstat(unsafe { File::from_raw_fd(home) }).unwrap().st_ino == inode
}

#[test]
fn a_tun_device_comes_into_the_sets_network() {
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
