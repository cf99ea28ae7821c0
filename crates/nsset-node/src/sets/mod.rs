//! Sets of namespaces, as the API holds, makes and enters them.

pub mod fd_set;
pub mod netns;
pub mod options;
pub mod pending;
pub mod set;
pub mod unshare;
pub mod unshare_below;
pub mod visit;
pub mod work;
pub mod worker;
