//! Generic netlink: the ids of families, and requests to those for which there is no crate.

pub mod family;
mod request;

pub(crate) use request::GenericRequest;
