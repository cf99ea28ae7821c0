//! Network emulation: delays, loses, duplicates, corrupts or reorders packets (tc-netem(8)).

mod loss_model;
#[allow(clippy::module_inception)]
mod netem;
mod share;
mod slots;

pub use loss_model::LossModel;
pub use netem::Netem;
pub use slots::Slots;
