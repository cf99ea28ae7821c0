//! Reads the files that configure name resolution, on a thread where this blocks only work on their own network.

use std::{
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
};

use futures_util::future::{Either, select};
use napi::{Env, Result};
use napi_derive::napi;
use nix::errno::Errno;
use nsset::{Error, Kind, Kinds, NamespaceSet};

use crate::{
    deferred::{Loop, Promise},
    failure::guard,
    network::{
        inside::{Inside, open},
        native_network::NativeNetwork,
    },
    network_thread::{failure::Failure, thread},
};

/// resolv.conf(5) and hosts(5).
const FILES: [&str; 2] = ["resolv.conf", "hosts"];

/// Enough for hosts files that block hundreds of thousands of names.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The content of a file, and a stamp that changes with it.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct NativeResolverFile {
    /// Empty for a file that is read inside.
    pub stamp: String,
    /// Empty if the file does not exist.
    pub text: String,
}

#[napi]
impl NativeNetwork {
    /// Reads resolv.conf and hosts in the set's mount namespace. Without one, reads the files in `/etc/netns/NAME` for a network
    /// of this name, or else those that the calling thread sees. The result has both files in this order, or null for a file
    /// whose stamp is the known one.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NativeResolverFile | null>>")]
    pub fn read_resolver_files(
        &self,
        env: Env,
        name: Option<String>,
        known: Vec<String>,
    ) -> Result<Promise<Vec<Option<NativeResolverFile>>>> {
        let inside = Arc::clone(&self.inside);
        let caller = guard(env, || nsset::current(Some(Kinds::NONE.with(Kind::Mnt))))?;
        thread::promise(env, Loop::Held, move |deferred| async move {
            deferred.settle(read(&inside, caller, name, known).await);
        })
    }
}

async fn read(
    inside: &Inside,
    caller: NamespaceSet,
    name: Option<String>,
    known: Vec<String>,
) -> std::result::Result<Vec<Option<NativeResolverFile>>, Failure> {
    let sockets = open(inside)?;
    let closed = sockets.closed();
    // The network may have been closed before `closed` was created, which does not report that.
    open(inside)?;
    let work = sockets.read_files(move |set| Reader::new(set, caller, name).read(&known));
    match select(pin!(work), pin!(closed)).await {
        Either::Left((answers, _)) => Ok(answers?),
        Either::Right(_) => Err(Error::Closed.into()),
    }
}

/// Reads the files.
struct Reader {
    /// The set whose mount namespace has the files.
    set: NamespaceSet,
    /// In order of precedence.
    directories: Vec<PathBuf>,
}

impl Reader {
    fn new(set: &NamespaceSet, caller: NamespaceSet, name: Option<String>) -> Self {
        let etc = PathBuf::from("/etc");
        if set.find(Kind::Mnt).is_some() {
            return Self { set: set.clone(), directories: vec![etc] };
        }
        let own = name.map(|name| Path::new("/etc/netns").join(name));
        Self { set: caller, directories: own.into_iter().chain([etc]).collect() }
    }

    fn read(&self, known: &[String]) -> nsset::Result<Vec<Option<NativeResolverFile>>> {
        let is_here = nsset::sees_files_of(&self.set);
        let read = |(index, file): (usize, &&str)| {
            if is_here { self.read_here(file, known.get(index)) } else { self.read_inside(file) }
        };
        FILES.iter().enumerate().map(read).collect()
    }

    fn read_here(&self, file: &str, known: Option<&String>) -> nsset::Result<Option<NativeResolverFile>> {
        for directory in &self.directories {
            let path = directory.join(file);
            let Some(found) = nsset::find_file(&path)? else { continue };
            let stamp = found.stamp();
            if known == Some(&stamp) {
                return Ok(None);
            }
            return Ok(Some(NativeResolverFile::new(stamp, &found.read(MOST_BYTES)?)));
        }
        Ok(Some(NativeResolverFile::default()))
    }

    fn read_inside(&self, file: &str) -> nsset::Result<Option<NativeResolverFile>> {
        for directory in &self.directories {
            match nsset::read_file(&self.set, self.set.kinds(), &directory.join(file)) {
                Err(Error::System(error)) if matches!(error.errno, Errno::ENOENT | Errno::ENOTDIR) => {}
                content => return Ok(Some(NativeResolverFile::new(String::new(), &content?))),
            }
        }
        Ok(Some(NativeResolverFile::default()))
    }
}

impl NativeResolverFile {
    fn new(stamp: String, content: &[u8]) -> Self {
        Self { stamp, text: String::from_utf8_lossy(content).into_owned() }
    }
}
