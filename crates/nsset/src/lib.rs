//! Sets of Linux namespaces: where they come from, what they are, and how to make and enter them and run programs in
//! them. Synchronous, and free of anything that belongs to Node.

pub mod admission;
mod cancel;
mod capability;
mod conversation;
mod error;
mod explain;
mod id_map;
mod image;
mod init;
mod ioctl;
mod kind;
mod launch;
mod map_writer;
mod mount;
mod mount_spec;
mod mount_tree;
mod namespace;
mod ns_link;
mod pidfd;
mod plan;
pub mod proc;
mod program;
pub mod reaper;
mod rights;
mod set;
mod source;
mod spawn;
mod stdio;
mod stopped;
mod subordinate_ids;
pub mod thread;
mod unshare;

pub use cancel::Cancel;
pub use error::{Error, Result, SystemError};
pub use id_map::{IdMap, MapUser, Maps, Setgroups};
pub use kind::{Kind, Kinds};
pub use mount::{mount_into_directory, mount_onto_files, unmount};
pub use mount_spec::{MountKind, MountSpec, Propagation};
pub use namespace::{Namespace, NamespaceId};
pub use set::NamespaceSet;
pub use source::{from_directory, from_fd, from_path, from_pid, from_thread};
pub use spawn::{Child, Command, Credentials, Signaller, Spawned, spawn};
pub use stdio::Stdio;
pub use thread::current;
pub use unshare::{TimeOffsets, UnshareOptions, unshare};
