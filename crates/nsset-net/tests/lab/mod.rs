//! Networks for a test: as root, `net` sets; as an ordinary user, `net` sets that belong to one `user` set. `ip` and `tc` of
//! iproute2 report their real state.
#![allow(dead_code)] // no test uses all of it

use std::{
    os::fd::{AsRawFd, OwnedFd},
    process::{Command, Output},
};

use nsset::{Kind, Kinds, MapUser, NamespaceSet, UnshareOptions, open_socket, unshare};
use nsset_net::{AddressSpec, Network};
use serde_json::{Value, from_value, json};

/// Creates hosts.
pub struct Lab {
    base: Option<NamespaceSet>,
}

/// A network of a test.
pub struct Host {
    pub set: NamespaceSet,
    pub network: Network,
    fds: Vec<(Kind, OwnedFd)>,
    /// `lo`, and the links that some modules add to every network: `gre0`, `tunl0` and the like.
    born_with: Vec<String>,
}

impl Lab {
    pub fn new() -> Self {
        if nix::unistd::geteuid().is_root() {
            return Self { base: None };
        }
        let options = UnshareOptions { map_user: Some(MapUser::Root), ..UnshareOptions::default() };
        Self { base: Some(unshare(None, Kinds::NONE.with(Kind::User), &options, None).unwrap()) }
    }

    pub fn host(&self) -> Host {
        self.host_over(Network::open)
    }

    fn host_over(&self, open: fn(OwnedFd) -> nsset_net::Result<Network>) -> Host {
        let kinds = Kinds::NONE.with(Kind::Net);
        let set = unshare(self.base.as_ref(), kinds, &UnshareOptions::default(), None).unwrap();
        let network = open(rtnetlink_socket(&set)).unwrap();
        let fds = set.fds(set.kinds()).unwrap();
        let mut host = Host { set, network, fds, born_with: Vec::new() };
        host.born_with = host.all_link_names();
        host
    }
}

/// Creates a host, for a test that needs only one.
pub fn host() -> Host {
    Lab::new().host()
}

/// Creates a host for a test without a runtime.
pub fn blocking_host() -> Host {
    Lab::new().host_over(Network::open_blocking)
}

pub fn rtnetlink_socket(set: &NamespaceSet) -> OwnedFd {
    open_socket(set, Kinds::ALL, libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE).unwrap()
}

impl Host {
    /// Runs a program inside, like nsenter(1), for at most a minute.
    pub fn run(&self, command: &[&str]) -> Output {
        let mut nsenter = Command::new("timeout");
        nsenter.args(["60", "nsenter", "--preserve-credentials"]);
        for (kind, fd) in &self.fds {
            nsenter.arg(format!("--{kind}=/proc/{}/fd/{}", std::process::id(), fd.as_raw_fd()));
        }
        nsenter.arg("--").args(command).output().unwrap()
    }

    /// Runs a program, which must succeed.
    pub fn must(&self, command: &str) {
        let output = self.run(&command.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Returns the JSON output of a program of iproute2.
    pub fn json(&self, command: &str) -> Value {
        let output = self.run(&command.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        if output.stdout.is_empty() {
            return Value::Array(Vec::new());
        }
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Returns a link from the output of `ip -json -details`.
    pub fn ip_link(&self, name: &str) -> Value {
        self.json(&format!("ip -json -details link show dev {name}"))[0].take()
    }

    /// Returns the names of the links that the test has created.
    pub fn link_names(&self) -> Vec<String> {
        let mut names = self.all_link_names();
        names.retain(|name| !self.born_with.contains(name));
        names
    }

    pub fn all_link_names(&self) -> Vec<String> {
        let links = self.json("ip -json link");
        links.as_array().unwrap().iter().map(|link| link["ifname"].as_str().unwrap().to_owned()).collect()
    }
}

/// Returns an address without other attributes.
pub fn address(cidr: &str) -> AddressSpec {
    from_value(json!({ "cidr": cidr })).unwrap()
}

/// Returns whether an array of flags has a flag.
pub fn has(flags: &Value, flag: &str) -> bool {
    flags.as_array().unwrap().iter().any(|other| other == flag)
}
