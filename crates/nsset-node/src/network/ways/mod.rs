//! Ways between the network of a set and the one outside.

mod forwarding;
mod leg;
mod milliseconds;
mod socket_file;
mod uplink;
mod uplink_reports;
mod uplink_rules;
