//! Rules of Landlock: which files and TCP ports a program may use, whatever its user may do (landlock(7)).

use std::{
    path::{Path, PathBuf},
    ptr,
};

use nix::errno::Errno;
use nsset_helper::syscall::Ruleset;

use crate::{
    error::{Result, SystemError},
    helper::program::Program,
};

/// What a program may use. A list that is left out restricts nothing; paths are those inside.
#[derive(Clone, Debug, Default)]
pub struct Landlock {
    pub read: Option<Vec<PathBuf>>,
    pub write: Option<Vec<PathBuf>>,
    pub execute: Option<Vec<PathBuf>>,
    /// Unix sockets with a path.
    pub connect_unix: Option<Vec<PathBuf>>,
    pub connect_tcp: Option<Vec<u16>>,
    pub bind_tcp: Option<Vec<u16>>,
    /// Whether it reaches no process outside by signals and abstract Unix sockets.
    pub scoped: bool,
    /// Whether the kernel may lack a part of it.
    pub best_effort: bool,
}

/// `LANDLOCK_ACCESS_FS_*` of linux/landlock.h.
mod files {
    pub const EXECUTE: u64 = 1;
    /// `READ_FILE` and `READ_DIR`.
    pub const READ: u64 = 1 << 2 | 1 << 3;
    /// `WRITE_FILE`, `REMOVE_*`, `MAKE_*`, `REFER`, `TRUNCATE` and `IOCTL_DEV`.
    pub const WRITE: u64 = 1 << 1 | 0b1111_1111_1111 << 4;
    /// A link or a rename between directories. A kernel that knows it refuses it wherever files are restricted.
    pub const REFER: u64 = 1 << 13;

    /// The lookup of a Unix socket.
    pub const RESOLVE_UNIX: u64 = 1 << 16;

    /// What the ABI knows: each of these came with the ABI beside it.
    pub fn known(abi: usize) -> u64 {
        let later = [(2, REFER), (3, 1 << 14), (5, 1 << 15), (9, RESOLVE_UNIX)];
        later.into_iter().filter(|(since, _)| abi < *since).fold(u64::MAX, |known, (_, right)| known & !right)
    }
}

/// `LANDLOCK_ACCESS_NET_*`.
mod ports {
    pub const BIND: u64 = 1;
    pub const CONNECT: u64 = 1 << 1;
}

/// `LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET` and `LANDLOCK_SCOPE_SIGNAL`.
const SCOPES: u64 = 0b11;

/// The version of Landlock that the kernel has; 0 without Landlock.
pub fn abi() -> usize {
    const LANDLOCK_CREATE_RULESET_VERSION: u32 = 1;
    let nothing: *const Ruleset = ptr::null();
    // SAFETY: with this flag, the kernel takes no ruleset (landlock_create_ruleset(2)).
    let abi =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, LANDLOCK_CREATE_RULESET_VERSION) };
    usize::try_from(abi).unwrap_or(0)
}

impl Landlock {
    /// Writes the steps that collect the rules. They need descriptors, so they come before the limits. Returns whether
    /// there are rules to put into effect.
    pub fn write_rules(&self, program: &mut Program<'_>) -> Result<bool> {
        let abi = abi();
        if !self.best_effort {
            self.check(abi)?;
        }
        let ruleset = self.ruleset(abi);
        if ruleset.files | ruleset.ports | ruleset.scopes == 0 {
            return Ok(false);
        }
        program.landlock(ruleset.files, ruleset.ports, ruleset.scopes);
        let lists = [
            (&self.read, files::READ),
            (&self.write, files::WRITE | files::READ),
            (&self.execute, files::EXECUTE | files::READ),
            (&self.connect_unix, files::RESOLVE_UNIX),
        ];
        for (paths, rights) in lists {
            for path in paths.iter().flatten() {
                // The kernel refuses a rule without a right.
                if rights & ruleset.files != 0 {
                    program.landlock_path(rights & ruleset.files, path)?;
                }
            }
        }
        if self.write.is_none() && ruleset.files & files::REFER != 0 {
            program.landlock_path(files::REFER, Path::new("/"))?;
        }
        for (list, right) in [(&self.connect_tcp, ports::CONNECT), (&self.bind_tcp, ports::BIND)] {
            for port in list.iter().flatten().filter(|_| ruleset.ports != 0) {
                program.landlock_port(right, *port);
            }
        }
        Ok(true)
    }

    /// What the rules restrict, as far as this ABI knows it.
    fn ruleset(&self, abi: usize) -> Ruleset {
        let given = |is_given: bool, rights: u64| if is_given { rights } else { 0 };
        let mut restricted = given(self.read.is_some(), files::READ)
            | given(self.write.is_some(), files::WRITE)
            | given(self.execute.is_some(), files::EXECUTE)
            | given(self.connect_unix.is_some(), files::RESOLVE_UNIX);
        restricted &= files::known(abi);
        if restricted != 0 {
            restricted |= files::REFER;
        }
        let ports = given(self.connect_tcp.is_some(), ports::CONNECT) | given(self.bind_tcp.is_some(), ports::BIND);
        Ruleset {
            files: given(abi >= 1, restricted & files::known(abi)),
            ports: given(abi >= 4, ports),
            scopes: given(abi >= 6 && self.scoped, SCOPES),
        }
    }

    /// An error if the kernel cannot restrict all of it.
    fn check(&self, abi: usize) -> Result<()> {
        let needs = [
            (self.read.is_some() || self.execute.is_some(), 1, "5.13"),
            // Before, a file could be truncated without the right to write to it.
            (self.write.is_some(), 3, "6.2"),
            (self.connect_tcp.is_some() || self.bind_tcp.is_some(), 4, "6.7"),
            (self.scoped, 6, "6.12"),
            (self.connect_unix.is_some(), 9, "7.1"),
        ];
        let Some((_, least, linux)) = needs.into_iter().rfind(|(is_needed, least, _)| *is_needed && abi < *least)
        else {
            return Ok(());
        };
        let has = match abi {
            0 => "this kernel has no Landlock, or does not enable it (the boot parameter lsm=)".to_owned(),
            abi => format!("Landlock of this kernel has ABI {abi}"),
        };
        let hint =
            format!("{has}, and these rules need ABI {least} (Linux {linux}); bestEffort leaves out what is missing");
        Err(SystemError::new(Errno::EOPNOTSUPP, "landlock_create_ruleset").hint(hint).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_kernel_is_not_asked_for_what_it_does_not_know() {
        let all = Landlock {
            read: Some(vec![]),
            write: Some(vec![]),
            execute: Some(vec![]),
            connect_unix: Some(vec![]),
            connect_tcp: Some(vec![]),
            bind_tcp: Some(vec![]),
            scoped: true,
            best_effort: true,
        };
        let of = |abi| {
            let Ruleset { files, ports, scopes } = all.ruleset(abi);
            (files, ports, scopes)
        };
        assert_eq!(of(0), (0, 0, 0));
        assert_eq!(of(1), (0x1fff, 0, 0));
        assert_eq!(of(2), (0x3fff, 0, 0));
        assert_eq!(of(3), (0x7fff, 0, 0));
        assert_eq!(of(4), (0x7fff, 3, 0));
        assert_eq!(of(5), (0xffff, 3, 0));
        assert_eq!(of(6), (0xffff, 3, 3));
        assert_eq!(of(9), (0x1_ffff, 3, 3));
    }

    #[test]
    fn a_list_that_is_left_out_restricts_nothing() {
        let ruleset = |landlock: Landlock| landlock.ruleset(7).files;
        assert_eq!(ruleset(Landlock { connect_unix: Some(vec![]), ..Landlock::default() }), 0);
        assert_eq!(ruleset(Landlock { scoped: true, ..Landlock::default() }), 0);
        assert_eq!(ruleset(Landlock { read: Some(vec![]), ..Landlock::default() }), files::READ | files::REFER);
        assert_eq!(ruleset(Landlock { write: Some(vec![]), ..Landlock::default() }), files::WRITE);
    }

    #[test]
    fn what_the_kernel_lacks_is_an_error() {
        let ports = Landlock { connect_tcp: Some(vec![443]), ..Landlock::default() };
        assert!(ports.check(4).is_ok());
        let message = ports.check(3).unwrap_err().to_string();
        assert!(message.starts_with("EOPNOTSUPP") && message.contains("ABI 3") && message.contains("6.7"), "{message}");
        assert!(ports.check(0).unwrap_err().to_string().contains("no Landlock"));
    }
}
