//! The directory in which ip-netns(8) has its names.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The directories of iproute2: the first is that of the Debian package, the second the default. They are the same
/// directory if /var/run is a link to /run.
const DIRECTORIES: [&str; 2] = ["/run/netns", "/var/run/netns"];

/// The directory of the names. If /var/run is not a link, it is the one that exists, and the second of [`DIRECTORIES`]
/// if both or neither exist.
pub fn directory() -> &'static Path {
    let [run, var_run] = DIRECTORIES.map(Path::new);
    let is_one = match (identify("/run"), identify("/var/run")) {
        (_, None) => true,
        (of_run, of_var_run) => of_run == of_var_run,
    };
    if is_one || (run.is_dir() && !var_run.is_dir()) { run } else { var_run }
}

fn identify(path: &str) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Whether it is one of the directories of iproute2.
pub(crate) fn is_standard(directory: &Path) -> bool {
    DIRECTORIES.iter().any(|known| directory == Path::new(known))
}

/// The same name in the other directory, if the path is in one of iproute2.
pub(crate) fn namesake(path: &Path) -> Option<PathBuf> {
    let directory = path.parent()?;
    let index = DIRECTORIES.iter().position(|known| directory == Path::new(known))?;
    let other = DIRECTORIES.get(1 - index)?;
    Some(Path::new(other).join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_in_both_directories_of_iproute2() {
        assert_eq!(namesake(Path::new("/run/netns/blue")).unwrap(), Path::new("/var/run/netns/blue"));
        assert_eq!(namesake(Path::new("/var/run/netns/blue")).unwrap(), Path::new("/run/netns/blue"));
        assert_eq!(namesake(Path::new("/tmp/netns/blue")), None);
    }
}
