//! The Node-API face of the core: converts values and errors, owns threads and promises, decides nothing.

mod answer;
#[cfg(feature = "bare")]
mod bare;
mod convert;
mod environment;
mod error_fields;
mod exit_report;
mod failure;
mod fd_set;
mod file;
mod give;
mod load;
mod netns;
mod network;
mod options;
mod processes;
mod set;
mod unshare;
mod visit;
mod worker;
