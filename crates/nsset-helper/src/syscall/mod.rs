//! System calls without a libc: one thin function for each call that the helper makes.

mod confinement;
mod descriptor_name;
mod descriptors;
mod errno;
mod files;
mod flags;
mod mount_status;
mod mounts;
mod namespaces;
mod number;
mod privileges;
mod processes;
mod sockets;
mod trap;

pub use self::{
    confinement::*, descriptor_name::*, descriptors::*, errno::*, files::*, flags::*, mount_status::*, mounts::*,
    namespaces::*, privileges::*, processes::*, sockets::*,
};
