//! Programs of classic BPF: socket(7), and Documentation/networking/filter.rst of Linux.

mod assembler;
mod condition;
mod instruction;
mod simplify;

pub use assembler::{Assembler, Label};
pub use condition::{Comparison, Condition, Load, Operator, Size, extension};
pub use instruction::{Instruction, MOST_INSTRUCTIONS, read};
pub use simplify::simplify;
