//! The Node-API face of the core: converts values and errors, owns threads and promises, decides nothing.

#[cfg(feature = "bare")]
mod bare;
mod bridge;
mod convert;
mod error_fields;
mod exit_report;
mod failure;
mod give;
mod loading;
mod network;
mod processes;
mod sets;
