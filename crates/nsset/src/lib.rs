//! Sets of Linux namespaces: how they are opened, created and entered, and how programs run in them. Synchronous, and
//! without any part of Node.js.

mod cancel;
mod children;
mod control_group;
mod error;
mod file;
pub mod footprint;
mod helper;
mod kind;
mod mounts;
mod namespaces;
mod network;
pub mod outside;
mod plain;
pub mod proc;
mod processes;
mod retry;
mod threads;
mod unshare;
mod userns;

pub use cancel::{Cancel, TIME_LIMIT};
pub use children::init::{Ending, Stay};
pub use children::reaper;
pub use error::{Error, Result, SystemError};
pub use file::{find_file, read_file, sees_files_of};
pub use helper::inside::takes_helper;
pub use kind::{Kind, Kinds};
pub use mounts::mount::{mount_into_directory, mount_onto_files, unmount};
pub use mounts::mount_spec::{MountSpec, Tmpfs};
pub use mounts::netns;
pub use mounts::view::{Propagation, Root};
pub use namespaces::namespace::{Namespace, NamespaceId};
pub use namespaces::set::NamespaceSet;
pub use namespaces::source::{from_directory, from_fd, from_path, from_pid, from_thread};
pub use network::socket::{open_socket, open_tun};
pub use network::sysctl;
pub use processes::named_view::NamedView;
pub use processes::spawn::{Child, Command, Credentials, Signaller, Spawned, spawn};
pub use processes::stdio::Stdio;
pub use threads::end::await_end;
pub use threads::thread::current;
pub use threads::{admission, home_thread, thread};
pub use unshare::{TimeOffsets, UnshareOptions, is_light, unshare};
pub use userns::id_map::{IdMap, MapUser, Maps, Setgroups};
