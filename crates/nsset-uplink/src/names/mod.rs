//! Names: the questions from inside, their answers, and what was answered.

mod answers;
mod memory;
mod question;
mod server;

pub use answers::admissible;
pub use memory::Memory;
pub use question::{LONGEST, Question};
pub use server::ask;
