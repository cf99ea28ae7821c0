//! A file as the set's mount namespace has it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

use std::{fs, path::Path};

use nix::errno::Errno;
use nsset::{Error, Kind, Kinds, MapUser, MountKind, MountSpec, NamespaceSet, UnshareOptions, read_file, unshare};

/// A set whose `/mnt` is empty but for what is made there, wherever the host has something.
fn with_an_empty_mnt() -> NamespaceSet {
    let tmpfs = MountSpec {
        kind: MountKind::FileSystem { name: "tmpfs".into(), source: None, options: Vec::new() },
        target: "/mnt".into(),
        read_only: false,
        no_suid: false,
        no_dev: false,
        no_exec: false,
    };
    let options = UnshareOptions { map_user: Some(MapUser::Root), mounts: vec![tmpfs], ..UnshareOptions::default() };
    unshare(None, Kinds::NONE.with(Kind::User).with(Kind::Mnt), &options, None).unwrap()
}

#[test]
fn it_is_read_where_the_set_is() {
    let set = with_an_empty_mnt();
    let outside = fs::read("/etc/passwd").unwrap();
    assert_eq!(read_file(&set, Kinds::ALL, Path::new("/etc/passwd")).unwrap(), outside);
    let mounts =
        String::from_utf8(read_file(&set, Kinds::ALL, Path::new("/proc/thread-self/mounts")).unwrap()).unwrap();
    assert!(mounts.lines().any(|line| line.contains(" /mnt tmpfs ")), "{mounts}");
    assert!(!fs::read_to_string("/proc/thread-self/mounts").unwrap().contains(" /mnt tmpfs "));
}

#[test]
fn what_cannot_be_read_is_named() {
    let set = with_an_empty_mnt();
    let Err(Error::System(error)) = read_file(&set, Kinds::ALL, Path::new("/mnt/nothing")) else {
        panic!("it is there")
    };
    assert_eq!((error.errno, error.path.as_deref()), (Errno::ENOENT, Some(Path::new("/mnt/nothing"))));
    assert!(matches!(read_file(&set, Kinds::ALL, Path::new("etc/hosts")), Err(Error::InvalidArgument(_))));
    let net = NamespaceSet::default();
    assert!(matches!(read_file(&net, Kinds::ALL, Path::new("/etc/hosts")), Err(Error::NotInSet { .. })));
}

#[test]
fn what_can_be_waited_for_is_not_read() {
    let set = with_an_empty_mnt();
    for (path, expected) in [("/dev/zero", Errno::EINVAL), ("/etc", Errno::EISDIR)] {
        let Err(Error::System(error)) = read_file(&set, Kinds::ALL, Path::new(path)) else { panic!("{path} was read") };
        assert_eq!(error.errno, expected, "{path}");
    }
    let directory = std::env::temp_dir().join(format!("nsset-fifo-{}", std::process::id()));
    fs::create_dir(&directory).unwrap();
    let fifo = directory.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let start = std::time::Instant::now();
    let outcome = read_file(&set, Kinds::ALL, &fifo);
    fs::remove_dir_all(&directory).unwrap();
    let Err(Error::System(error)) = outcome else { panic!("a FIFO was read") };
    assert_eq!(error.errno, Errno::EINVAL);
    assert!(start.elapsed().as_secs() < 5);
}
