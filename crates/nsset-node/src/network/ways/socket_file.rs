//! The file that bind(2) makes for a unix socket.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::network_thread::{turns::Line, waiting};

/// The file of a unix socket. Dropping this removes it if it is still the same.
pub struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl SocketFile {
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), id: id_of(&fs::symlink_metadata(path)?) })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| id_of(&found) == self.id) {
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
