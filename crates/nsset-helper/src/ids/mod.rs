//! The identity of the program: user and group ids, capabilities, and a user namespace below the one that was joined.

pub mod capabilities;
pub mod credentials;
pub mod identity;
pub mod nested_user;
