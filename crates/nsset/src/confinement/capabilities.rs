//! Exactly the capabilities that are named: capabilities(7).

use nsset_helper::syscall;

use crate::{
    error::{Error, Result},
    helper::program::Program,
};

/// The capabilities that a program has, in each of its sets.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    /// The numbers of the kernel, with the names for errors.
    named: Vec<(u32, String)>,
}

impl Capabilities {
    /// The capabilities with these numbers and names.
    pub fn new(named: Vec<(u32, String)>) -> Result<Self> {
        match named.iter().find(|(number, _)| *number >= u64::BITS) {
            Some((number, _)) => Err(Error::InvalidArgument(format!("{number} is not the number of a capability"))),
            None => Ok(Self { named }),
        }
    }

    /// Writes the step that takes them. `is_gain_excluded` says that no later exec can add a capability, so that the
    /// bounding set may stay where the caller may not change it.
    pub fn write(&self, program: &mut Program<'_>, is_gain_excluded: bool) {
        let mask = self.named.iter().fold(0, |mask, (number, _)| mask | 1 << number);
        program.capabilities(mask, !is_gain_excluded, self.lacking());
    }

    /// Which of them the caller does not have. Inside a user namespace that the child joins, it has all.
    fn lacking(&self) -> Option<String> {
        let [low, high] = syscall::capabilities().ok()?.map(|word| u64::from(word.permitted));
        let permitted = high << u32::BITS | low;
        let lacking = self.named.iter().filter(|(number, _)| permitted >> number & 1 == 0);
        let names: Vec<_> = lacking.map(|(_, name)| name.as_str()).collect();
        (!names.is_empty()).then(|| format!("the caller does not have {}", names.join(", ")))
    }
}
