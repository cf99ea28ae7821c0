//! Capabilities that an ordinary user keeps over an exec (capabilities(7), "Ambient").

use crate::{
    ids::credentials,
    syscall::{self, Errno},
};

/// Makes all permitted capabilities effective, inheritable and ambient.
pub fn make_ambient() -> Result<(), Errno> {
    let mut words = syscall::capabilities()?;
    for word in &mut words {
        word.effective = word.permitted;
        word.inheritable = word.permitted;
    }
    syscall::set_capabilities(&words)?;
    for (index, word) in words.iter().enumerate() {
        for bit in (0..32).filter(|bit| word.permitted >> bit & 1 != 0) {
            syscall::raise_ambient(32 * index + bit)?;
        }
    }
    credentials::stay_undumpable()
}
