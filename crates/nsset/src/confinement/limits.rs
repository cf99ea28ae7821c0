//! Resource limits: getrlimit(2).

use nix::sys::resource::{Resource, getrlimit};

use crate::{
    error::{Error, Result},
    helper::program::Program,
};

/// The name of a resource in the API, its number, and how an error names the step.
type Row = (&'static str, Resource, &'static str);

const RESOURCES: [Row; 8] = [
    ("openFiles", Resource::RLIMIT_NOFILE, "prlimit(RLIMIT_NOFILE)"),
    ("processes", Resource::RLIMIT_NPROC, "prlimit(RLIMIT_NPROC)"),
    ("fileSize", Resource::RLIMIT_FSIZE, "prlimit(RLIMIT_FSIZE)"),
    ("addressSpace", Resource::RLIMIT_AS, "prlimit(RLIMIT_AS)"),
    ("cpuSeconds", Resource::RLIMIT_CPU, "prlimit(RLIMIT_CPU)"),
    ("coreSize", Resource::RLIMIT_CORE, "prlimit(RLIMIT_CORE)"),
    ("stackSize", Resource::RLIMIT_STACK, "prlimit(RLIMIT_STACK)"),
    ("lockedMemory", Resource::RLIMIT_MEMLOCK, "prlimit(RLIMIT_MEMLOCK)"),
];

/// The limits of one resource. `u64::MAX` is no limit; `None` keeps the limit of the caller.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    resource: Resource,
    syscall: &'static str,
    soft: Option<u64>,
    hard: Option<u64>,
}

impl Limit {
    /// The limits of the resource with this name in the API.
    pub fn of(name: &str, soft: Option<u64>, hard: Option<u64>) -> Result<Self> {
        let (_, resource, syscall) = RESOURCES
            .into_iter()
            .find(|(known, ..)| *known == name)
            .ok_or_else(|| Error::InvalidArgument(format!("'{name}' is not a resource")))?;
        Ok(Self { resource, syscall, soft, hard })
    }

    pub fn write(self, program: &mut Program<'_>) {
        program.limit(self.resource as u32, self.soft, self.hard, self.syscall);
    }

    /// Only the first user namespace allows to raise a hard limit, so this is done before another one is joined. The
    /// soft limits follow later, because the helper needs descriptors and memory until then.
    pub fn raise_hard(self, program: &mut Program<'_>) {
        let own = getrlimit(self.resource).map_or(u64::MAX, |(_, hard)| hard);
        if let Some(hard) = self.hard.filter(|hard| *hard > own) {
            program.limit(self.resource as u32, None, Some(hard), self.syscall);
        }
    }
}
