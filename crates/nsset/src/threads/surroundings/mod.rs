//! What a process inherits from the thread that starts it, as far as this can differ between two threads or two moments.
//!
//! A helper that is started in advance inherits from another thread, and at an earlier moment, than the call that uses
//! it. It is used only if it inherited the same. The working directory, the root directory and the umask are not
//! compared, because such a helper shares them with this process.

mod lasting;
mod rights;

use self::lasting::Lasting;
pub use self::rights::Rights;

/// What the calling thread passes on at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    rights: Rights,
    lasting: Lasting,
}

impl Surroundings {
    /// `None` if the kernel does not tell, for example because there are no more descriptors.
    pub fn here() -> Option<Self> {
        Some(Self { rights: Rights::here()?, lasting: Lasting::here()? })
    }

    /// Whether the calling thread passes on the same. With `is_lasting`, a process remains that the caller sees:
    /// its limits, its priority and its cgroup matter, too.
    pub fn are_here(&self, is_lasting: bool) -> bool {
        Rights::here().as_ref() == Some(&self.rights)
            && (!is_lasting || Lasting::here().as_ref() == Some(&self.lasting))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn they_stay_the_same_while_nothing_changes() {
        let here = Surroundings::here().unwrap();
        assert!(here.are_here(true));
        assert!(thread::spawn(move || here.are_here(true)).join().unwrap());
    }

    #[test]
    fn a_thread_of_another_priority_has_others_for_what_lasts() {
        let here = Surroundings::here().unwrap();
        let changed = thread::spawn(move || {
            // SAFETY: plain numbers; 0 is the calling thread.
            assert_eq!(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) }, 0);
            [here.are_here(false), here.are_here(true)]
        });
        assert_eq!(changed.join().unwrap(), [true, false]);
    }

    #[test]
    fn a_thread_that_gains_no_privileges_has_other_rights() {
        let here = Surroundings::here().unwrap();
        let changed = thread::spawn(move || {
            // SAFETY: plain numbers; this affects the calling thread only.
            assert_eq!(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }, 0);
            here.are_here(false)
        });
        assert!(!changed.join().unwrap());
    }
}
