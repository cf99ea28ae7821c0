//! The Node-API face of the core: converts values and errors, owns threads and promises, decides nothing.

mod answer;
#[cfg(feature = "bare")]
mod bare;
mod convert;
mod copies;
mod environment;
mod error_fields;
mod exit_report;
mod failure;
mod fd_set;
mod give;
mod load;
mod netns;
mod network;
mod options;
mod pool;
mod processes;
mod set;
mod start;
mod trial_threads;
mod unshare;
mod unshare_below;
mod visit;
mod work;
mod worker;
