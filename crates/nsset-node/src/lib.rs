//! The Node-API binding of nsset. It converts values and errors, and owns the threads and promises. The logic is in the other
//! crates.

mod confinement;
mod convert;
mod deferred;
mod environment;
mod error_fields;
mod exit_report;
mod failure;
mod give;
mod loading;
mod network;
mod network_thread;
mod processes;
mod sets;
mod settler;
