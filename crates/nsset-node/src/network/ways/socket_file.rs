//! The file that bind(2) makes for a unix socket.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::network_thread::{turns::Line, waiting};

/// The file of a unix socket. Dropping this removes it if it is still the same.
pub struct SocketFile {
    path: PathBuf,
    /// While it is open, no other file has its inode.
    file: File,
}

impl SocketFile {
    pub fn of(path: &Path) -> io::Result<Self> {
        let flags = libc::O_PATH | libc::O_NOFOLLOW;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        Ok(Self { path: path.to_owned(), file })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let (Ok(own), Ok(found)) = (self.file.metadata(), fs::symlink_metadata(&self.path)) else { return };
        if id_of(&found) == id_of(&own) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the file on a thread where a file system that does not answer blocks only this.
pub async fn remove(file: Option<SocketFile>) {
    if let Some(file) = file {
        let _ = waiting::run(Line::new(), move || {
            drop(file);
            Ok(())
        })
        .await;
    }
}

fn id_of(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
