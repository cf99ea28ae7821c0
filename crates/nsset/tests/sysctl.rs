//! The sysctls of the network of a set: as root in a `net` set, by the calling thread; in a `user` and `net` set by the
//! helper.
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
    fs,
    os::fd::AsRawFd,
    path::PathBuf,
    process::{Command, id},
};

use nix::errno::Errno;
use nsset::{Error, Kind, Kinds, MapUser, NamespaceSet, UnshareOptions, sysctl, unshare};

const IP_FORWARD: &str = "net.ipv4.ip_forward";

/// A set for each way in: of `net` alone, if the caller may create one, and of `user` and `net`.
fn networks() -> Vec<NamespaceSet> {
    let own_user = UnshareOptions { map_user: Some(MapUser::Root), ..UnshareOptions::default() };
    let beyond = unshare(None, Kinds::NONE.with(Kind::Net).with(Kind::User), &own_user, None).unwrap();
    if !nix::unistd::geteuid().is_root() {
        println!("skipped in part: an ordinary user cannot make a network alone");
        return vec![beyond];
    }
    vec![unshare(None, Kinds::NONE.with(Kind::Net), &UnshareOptions::default(), None).unwrap(), beyond]
}

fn get(set: &NamespaceSet, name: &str) -> nsset::Result<String> {
    sysctl::get(set, Kinds::ALL, name)
}

fn set(set: &NamespaceSet, name: &str, value: &str) -> nsset::Result<()> {
    sysctl::set(set, Kinds::ALL, name, value)
}

/// Runs a program inside, as nsenter(1) does, for 20 seconds at most, and returns its output.
fn run(set: &NamespaceSet, command: &[&str]) -> String {
    let fds = set.fds(set.kinds()).unwrap();
    let mut nsenter = Command::new("timeout");
    nsenter.args(["20", "nsenter", "--preserve-credentials"]);
    for (kind, fd) in &fds {
        nsenter.arg(format!("--{kind}=/proc/{}/fd/{}", id(), fd.as_raw_fd()));
    }
    let output = nsenter.arg("--").args(command).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// For tests that change the thread for good.
fn on_a_thread_of_its_own(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(test).join().unwrap());
}

fn where_the_thread_is() -> PathBuf {
    fs::read_link("/proc/thread-self/ns/net").unwrap()
}

/// The message of a failing system call.
fn message(error: &Error) -> String {
    assert!(matches!(error, Error::System(_)), "{error:?}");
    error.to_string()
}

#[test]
fn a_value_set_inside_is_seen_inside_and_leaves_the_hosts_alone() {
    let host = || fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap();
    let (before, home) = (host(), where_the_thread_is());
    for network in networks() {
        for value in ["1", "0", "1"] {
            set(&network, IP_FORWARD, value).unwrap();
            assert_eq!(run(&network, &["cat", "/proc/sys/net/ipv4/ip_forward"]), format!("{value}\n"));
            assert_eq!(get(&network, IP_FORWARD).unwrap(), value);
        }
        assert_eq!(host(), before);
        assert_eq!(where_the_thread_is(), home);
    }
}

#[test]
fn a_value_that_another_process_sets_inside_is_read() {
    for network in networks() {
        run(&network, &["sh", "-c", "echo 10000 20000 >/proc/sys/net/ipv4/ip_local_port_range"]);
        assert_eq!(get(&network, "net.ipv4.ip_local_port_range").unwrap(), "10000\t20000");
    }
}

#[test]
fn a_part_of_a_name_may_have_a_dot_in_it() {
    for network in networks() {
        run(&network, &["ip", "link", "add", "eth0.100", "type", "bridge"]);
        set(&network, "net/ipv4/conf/eth0.100/forwarding", "1").unwrap();
        assert_eq!(run(&network, &["cat", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"]), "1\n");
        set(&network, "net.ipv4.conf.eth0/100.forwarding", "0").unwrap();
        assert_eq!(run(&network, &["sysctl", "-n", "net.ipv4.conf.eth0/100.forwarding"]), "0\n");
    }
}

#[test]
fn an_empty_value_empties_a_list() {
    for network in networks() {
        set(&network, "net.ipv4.ip_local_reserved_ports", "8080,9000-9010\n").unwrap();
        assert_eq!(get(&network, "net.ipv4.ip_local_reserved_ports").unwrap(), "8080,9000-9010");
        set(&network, "net.ipv4.ip_local_reserved_ports", "").unwrap();
        assert_eq!(run(&network, &["cat", "/proc/sys/net/ipv4/ip_local_reserved_ports"]), "\n");
        assert_eq!(get(&network, "net.ipv4.ip_local_reserved_ports").unwrap(), "");
    }
}

#[test]
fn a_value_of_many_pages_is_read_whole_and_one_past_64_kib_not_at_all() {
    // The kernel accepts one page per write, and appends further writes to the same open file.
    let reserve = |network: &NamespaceSet, thousands: &str| {
        let lines = format!("for n in $(seq {thousands}); do echo $(seq -s, ${{n}}001 2 ${{n}}999); done");
        run(network, &["sh", "-c", &format!("{lines} >/proc/sys/net/ipv4/ip_local_reserved_ports")]);
    };
    for network in networks() {
        reserve(&network, "10 14");
        let value = get(&network, "net.ipv4.ip_local_reserved_ports").unwrap();
        let wanted = (10_001..15_000).step_by(2).map(|port| port.to_string()).collect::<Vec<_>>().join(",");
        assert!(value == wanted, "{} bytes instead of {}", value.len(), wanted.len());
        reserve(&network, "10 34");
        let error = get(&network, "net.ipv4.ip_local_reserved_ports").unwrap_err();
        assert!(message(&error).starts_with("EOVERFLOW: "), "{error}");
    }
}

#[test]
fn a_name_without_a_sysctl_is_an_error_that_says_so() {
    for network in networks() {
        for (name, wanted) in [
            (
                "net.ipv4.nothing",
                "ENOENT: no such file or directory, open net '/proc/sys/net/ipv4/nothing': the network has",
            ),
            (
                "net.ipv4.ip_forward.x",
                "ENOTDIR: not a directory, open net '/proc/sys/net/ipv4/ip_forward/x': what comes",
            ),
        ] {
            for error in [get(&network, name).unwrap_err(), set(&network, name, "1").unwrap_err()] {
                assert!(message(&error).starts_with(wanted), "{error}");
            }
        }
        let wanted =
            "EISDIR: is a directory, read net '/proc/sys/net/ipv4': it is a directory of sysctls; name one of them";
        assert_eq!(message(&get(&network, "net.ipv4").unwrap_err()), wanted);
        assert_eq!(message(&set(&network, "net.ipv4", "1").unwrap_err()), wanted.replace("read", "open"));
    }
}

#[test]
fn a_value_that_the_kernel_does_not_take_is_an_error_that_says_so() {
    for network in networks() {
        let before = get(&network, "net.ipv4.ip_default_ttl").unwrap();
        for value in ["", "many", "256"] {
            let error = set(&network, "net.ipv4.ip_default_ttl", value).unwrap_err();
            assert_eq!(
                message(&error),
                "EINVAL: invalid argument, write net '/proc/sys/net/ipv4/ip_default_ttl': the kernel does not take \
                 this value"
            );
        }
        assert_eq!(get(&network, "net.ipv4.ip_default_ttl").unwrap(), before);
    }
}

#[test]
fn a_read_only_sysctl_is_not_written() {
    let name = "net.ipv4.tcp_available_congestion_control";
    for network in networks() {
        assert!(get(&network, name).unwrap().contains("reno"));
        let error = set(&network, name, "reno").unwrap_err();
        assert!(
            message(&error).starts_with("EACCES: permission denied, open net '/proc/sys/net/ipv4/tcp_avail"),
            "{error}"
        );
        assert!(message(&error).ends_with("some sysctls can only be read, or only be written"), "{error}");
    }
}

#[test]
fn only_the_owner_of_the_network_reads_protected_values_and_changes_any() {
    // The change of user makes the whole process undumpable.
    if !again::runs_again(&[], "only_the_owner_of_the_network_reads_protected_values_and_changes_any") {
        return;
    }
    for network in networks() {
        assert_eq!(get(&network, "net.ipv4.tcp_fastopen_key").unwrap().len(), 35);
    }
    // SAFETY: plain numbers; unlike the C library's function, the call changes the calling thread only.
    Errno::result(unsafe { libc::syscall(libc::SYS_setresuid, 1234, 1234, 1234) }).unwrap();
    let host = nsset::current(Some(Kinds::NONE.with(Kind::Net))).unwrap();
    let before = get(&host, IP_FORWARD).unwrap();
    for error in [set(&host, IP_FORWARD, &before).unwrap_err(), get(&host, "net.ipv4.tcp_fastopen_key").unwrap_err()] {
        assert!(message(&error).starts_with("EACCES: permission denied, open net '/proc/sys/net/ipv4/"), "{error}");
        assert!(message(&error).contains("it takes CAP_NET_ADMIN in the user namespace that owns"), "{error}");
    }
    assert_eq!(get(&host, IP_FORWARD).unwrap(), before);
}

#[test]
fn invalid_names_invalid_values_and_sets_without_a_network_are_refused() {
    let network = networks().pop().unwrap();
    for error in [
        get(&network, "kernel.hostname").unwrap_err(),
        set(&network, "net/../kernel/hostname", "x").unwrap_err(),
        set(&network, IP_FORWARD, "1\n1").unwrap_err(),
        set(&network, IP_FORWARD, &"1".repeat(4095)).unwrap_err(),
    ] {
        assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
    }
    let uts = nsset::current(Some(Kinds::NONE.with(Kind::Uts))).unwrap();
    assert!(matches!(get(&uts, IP_FORWARD).unwrap_err(), Error::NotInSet { kind: Kind::Net, .. }));
}

#[test]
fn a_read_only_proc_sys_is_an_error_that_says_what_to_do() {
    let name = "a_read_only_proc_sys_is_an_error_that_says_what_to_do";
    let read_only = "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec \"$@\"";
    if !again::runs_again(&["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", read_only, "sh"], name) {
        return;
    }
    for network in networks() {
        let before = get(&network, IP_FORWARD).unwrap();
        let error = set(&network, IP_FORWARD, "1").unwrap_err();
        assert!(
            message(&error).starts_with("EROFS: read-only file system, open net '/proc/sys/net/ipv4/ip_forward': ")
        );
        assert!(message(&error).contains("--sysctl"), "{error}");
        assert_eq!(get(&network, IP_FORWARD).unwrap(), before);
    }
}

#[test]
fn the_helper_starts_only_for_a_foreign_user_namespace() {
    on_a_thread_of_its_own(|| {
        let mut networks = networks();
        let far = networks.pop().unwrap();
        refusal::refuse(libc::SYS_execveat, Errno::EACCES);
        for error in [get(&far, IP_FORWARD).unwrap_err(), set(&far, IP_FORWARD, "1").unwrap_err()] {
            assert!(message(&error).starts_with("EACCES: permission denied, execveat"), "{error}");
        }
        for near in networks {
            set(&near, IP_FORWARD, "1").unwrap();
            assert_eq!(get(&near, IP_FORWARD).unwrap(), "1");
        }
    });
}

#[test]
fn no_call_leaves_a_descriptor_or_a_process_behind() {
    if !again::runs_again(&[], "no_call_leaves_a_descriptor_or_a_process_behind") {
        return;
    }
    for network in networks() {
        let call = || {
            get(&network, IP_FORWARD).unwrap();
            get(&network, "net.ipv4").unwrap_err();
            get(&network, "net.ipv4.nothing").unwrap_err();
            set(&network, IP_FORWARD, "1").unwrap();
            set(&network, IP_FORWARD, "many").unwrap_err();
            set(&network, "net.ipv4.nothing", "1").unwrap_err();
            set(&network, "net", "1\n1").unwrap_err();
        };
        call();
        let before = again::possessions();
        (0..20).for_each(|_| call());
        again::expect_possessions(&before);
    }
}
