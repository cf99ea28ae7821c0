//! Reads files in the mount namespace of a set.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use nix::{
    errno::Errno,
    sys::{
        inotify::{AddWatchFlags, InitFlags, Inotify},
        stat::Mode,
    },
    unistd::mkfifo,
};
use nsset::{
    Error, Kind, Kinds, MapUser, MountSpec, NamespaceSet, Result, UnshareOptions, find_file, read_file, sees_files_of,
    unshare,
};

/// A set whose `/mnt` is empty except for files of the test, whatever the host has there.
fn with_an_empty_mnt() -> NamespaceSet {
    let tmpfs = MountSpec { kind: "tmpfs".into(), target: "/mnt".into(), ..MountSpec::default() };
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
fn an_error_names_the_file_that_cannot_be_read() {
    let set = with_an_empty_mnt();
    let Err(Error::System(error)) = read_file(&set, Kinds::ALL, Path::new("/mnt/nothing")) else {
        panic!("it is there")
    };
    assert_eq!((error.errno, error.path.as_deref()), (Errno::ENOENT, Some(Path::new("/mnt/nothing"))));
    assert!(matches!(read_file(&set, Kinds::ALL, Path::new("etc/hosts")), Err(Error::InvalidArgument(_))));
    let net = NamespaceSet::default();
    assert!(matches!(read_file(&net, Kinds::ALL, Path::new("/etc/hosts")), Err(Error::NotInSet { .. })));
}

/// A directory with a FIFO, a socket and a file that is too large, and an inotify watch that shows which of them are
/// opened.
struct Traps {
    directory: PathBuf,
    watch: Inotify,
    _socket: UnixListener,
}

impl Traps {
    fn set() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("nsset-traps-{}-{count}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        mkfifo(&directory.join("fifo"), Mode::S_IRWXU).unwrap();
        let socket = UnixListener::bind(directory.join("socket")).unwrap();
        fs::write(directory.join("large"), vec![b'#'; 16 * 1024 * 1024 + 1]).unwrap();
        fs::write(directory.join("small"), "nameserver 127.0.0.1\n").unwrap();
        symlink("/dev/null", directory.join("null")).unwrap();
        let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).unwrap();
        watch.add_watch(&directory, AddWatchFlags::IN_OPEN).unwrap();
        Self { directory, watch, _socket: socket }
    }

    fn opened(&self) -> Vec<String> {
        let events = self.watch.read_events().unwrap_or_default();
        events.into_iter().filter_map(|event| event.name?.into_string().ok()).collect()
    }
}

impl Drop for Traps {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.directory).unwrap();
    }
}

type Read = Box<dyn Fn(&Path) -> Result<Vec<u8>>>;

/// The two ways to read: inside of a set, and on the calling thread.
fn ways() -> [(&'static str, Read); 2] {
    let set = with_an_empty_mnt();
    let inside = move |path: &Path| read_file(&set, Kinds::ALL, path);
    let here = |path: &Path| find_file(path)?.map_or(Ok(Vec::new()), |found| found.read(16 * 1024 * 1024));
    [("inside", Box::new(inside)), ("here", Box::new(here))]
}

#[test]
fn fifos_and_sockets_are_not_opened() {
    for (way, read) in ways() {
        let traps = Traps::set();
        let start = Instant::now();
        for name in ["fifo", "socket"] {
            let Err(Error::System(error)) = read(&traps.directory.join(name)) else { panic!("{name} was read {way}") };
            assert_eq!(error.errno, Errno::EINVAL, "{name} {way}");
        }
        for (path, expected) in [("/dev/zero", Errno::EINVAL), ("/etc", Errno::EISDIR)] {
            let Err(Error::System(error)) = read(Path::new(path)) else { panic!("{path} was read {way}") };
            assert_eq!(error.errno, expected, "{path} {way}");
        }
        assert!(start.elapsed().as_secs() < 5, "{way}");
        assert_eq!(traps.opened(), [""; 0], "{way}");
        // The watch reports that it is opened.
        assert_eq!(read(&traps.directory.join("small")).unwrap(), b"nameserver 127.0.0.1\n", "{way}");
        assert_eq!(traps.opened(), ["small"], "{way}");
    }
}

#[test]
fn the_device_that_hides_files_is_an_empty_one() {
    for (way, read) in ways() {
        let traps = Traps::set();
        for path in [Path::new("/dev/null"), &traps.directory.join("null")] {
            assert_eq!(read(path).unwrap(), b"", "{} {way}", path.display());
        }
    }
}

#[test]
fn a_long_list_is_read_in_parts() {
    for (way, read) in ways() {
        let traps = Traps::set();
        for size in [4_095, 4_096, 65_535, 65_536, 65_537, 3_000_000, 16 * 1024 * 1024] {
            let content: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            let path = traps.directory.join("list");
            fs::write(&path, &content).unwrap();
            assert!(read(&path).unwrap() == content, "{size} bytes {way}");
        }
    }
}

#[test]
fn a_file_is_read_whole_or_not_at_all() {
    for (way, read) in ways() {
        let traps = Traps::set();
        let Err(Error::System(error)) = read(&traps.directory.join("large")) else { panic!("it was read {way}") };
        assert_eq!(error.errno, Errno::EFBIG, "{way}");
    }
}

#[test]
fn a_file_that_is_replaced_while_it_is_held_is_the_one_that_was_found() {
    let traps = Traps::set();
    let path = traps.directory.join("small");
    let found = find_file(&path).unwrap().unwrap();
    let stamp = found.stamp();
    fs::rename(traps.directory.join("fifo"), &path).unwrap();
    assert_eq!(found.read(100).unwrap(), b"nameserver 127.0.0.1\n");
    assert_ne!(find_file(&path).unwrap().unwrap().stamp(), stamp);
    assert!(find_file(&path.join("below")).unwrap().is_none());
    assert!(find_file(&traps.directory.join("nothing")).unwrap().is_none());
}

#[test]
fn a_set_of_other_mounts_or_other_rights_has_files_of_its_own() {
    assert!(!sees_files_of(&with_an_empty_mnt()));
    assert!(sees_files_of(&nsset::current(None).unwrap()));
}
