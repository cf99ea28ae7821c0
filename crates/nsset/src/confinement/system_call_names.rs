//! The names of system calls, and their numbers on the architecture that nsset is built for.

use std::{collections::HashMap, sync::LazyLock};

use syscalls::{Sysno, x86_64};

/// The largest number with a name.
pub const LAST: u32 = Sysno::last().id() as u32;

/// A name of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It has this number here.
    Here(u32),
    /// Only another architecture has it.
    Elsewhere,
}

static HERE: LazyLock<HashMap<&str, u32>> = LazyLock::new(|| {
    let calls = (0..=LAST).filter_map(|number| Sysno::new(number as usize));
    let mut numbers: HashMap<_, _> = calls.map(|call| (call.name(), call.id() as u32)).collect();
    // The table for aarch64 has it by the name that the kernel derives it from: __NR3264_fstatat of asm-generic/unistd.h.
    if let Some(number) = numbers.remove("fstatat") {
        numbers.insert("newfstatat", number);
    }
    numbers
});

/// What the name means; `None` if there is no system call of this name. x86-64 has all that the other architectures of
/// nsset have.
pub fn find(name: &str) -> Option<Known> {
    if let Some(number) = HERE.get(name) {
        return Some(Known::Here(*number));
    }
    let is_elsewhere = cfg!(not(target_arch = "x86_64")) && name.parse::<x86_64::Sysno>().is_ok();
    is_elsewhere.then_some(Known::Elsewhere)
}

/// All names of this architecture, for suggestions.
pub fn all() -> Vec<&'static str> {
    HERE.keys().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_libc() {
        for (name, number) in [
            ("execve", libc::SYS_execve),
            ("ptrace", libc::SYS_ptrace),
            ("newfstatat", libc::SYS_newfstatat),
            ("io_uring_setup", libc::SYS_io_uring_setup),
            ("landlock_restrict_self", libc::SYS_landlock_restrict_self),
        ] {
            assert_eq!(find(name), Some(Known::Here(number as u32)), "{name}");
        }
        assert_eq!(find("no_such_call"), None);
        assert!(all().contains(&"execve"));
    }

    #[test]
    fn a_name_that_only_x86_64_has_is_known_everywhere() {
        let known = find("fork");
        assert_eq!(known.is_some_and(|known| known == Known::Elsewhere), cfg!(not(target_arch = "x86_64")));
        assert!(known.is_some());
    }
}
