//! Operations on a network: what they are, and how the operations of a request are run.

mod caller;
mod ids;
mod links;
mod lists;
mod monitoring;
mod operation;
mod other_networks;
mod result;
mod run;

pub use run::{run, run_blocking};
