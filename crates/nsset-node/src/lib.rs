//! The Node-API face of the core: converts values and errors, owns threads and promises, decides nothing.

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
