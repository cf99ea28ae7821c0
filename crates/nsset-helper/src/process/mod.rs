//! Changes of the process itself, in the helper and in a child that enters by itself: its groups, its session, its
//! program.

pub mod confinement;
pub mod exec;
pub mod groups;
pub mod steps;
