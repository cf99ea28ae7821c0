//! The files by which names are resolved. They are read where only their own network waits for them.

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
use serde::Serialize;

use crate::{environment, failure::guard};
use crate::{
    network::{
        inside::{Inside, open},
        native_network::NativeNetwork,
    },
    network_thread::{failure::Failure, reply::Reply, thread},
};

/// resolv.conf(5) and hosts(5).
const FILES: [&str; 2] = ["resolv.conf", "hosts"];

/// Lists of hundreds of thousands of names that are not to be found fit into it.
const MOST_BYTES: usize = 16 * 1024 * 1024;

#[napi]
impl NativeNetwork {
    /// Reads resolv.conf and hosts of the set's mount namespace; without one, those that iproute2 has for a network of this
    /// name, and else those that the calling thread sees. The answer to `id` has, for each file in this order, its stamp and its
    /// text, which is empty where there is no such file; or null where the stamp is the known one. Files inside have no stamp.
    #[napi(catch_unwind)]
    pub fn read_resolver_files(&self, env: Env, id: u32, name: Option<String>, known: Vec<String>) -> Result<()> {
        let reply = Reply::new(id, Arc::clone(&environment::of(env)?.answer_line));
        let inside = Arc::clone(&self.inside);
        guard(env, || {
            let caller = nsset::current(Some(Kinds::NONE.with(Kind::Mnt)))?;
            thread::run(move || answer(inside, caller, name, known, reply))
        })
    }
}

async fn answer(inside: Inside, caller: NamespaceSet, name: Option<String>, known: Vec<String>, mut reply: Reply) {
    let outcome = read(&inside, caller, name, known).await.map(|answers| {
        for answer in answers {
            reply.push(&answer);
        }
    });
    reply.end(outcome);
}

async fn read(
    inside: &Inside,
    caller: NamespaceSet,
    name: Option<String>,
    known: Vec<String>,
) -> std::result::Result<Vec<String>, Failure> {
    let sockets = open(inside)?;
    let closed = sockets.closed();
    // It may have been closed before there was anybody to tell.
    open(inside)?;
    let work = sockets.read_files(move |set| Reader::new(set, caller, name).read(&known));
    match select(pin!(work), pin!(closed)).await {
        Either::Left((answers, _)) => Ok(answers?),
        Either::Right(_) => Err(Error::Closed.into()),
    }
}

/// Where the files are.
struct Reader {
    /// Has the mount namespace.
    set: NamespaceSet,
    /// In order of precedence.
    directories: Vec<PathBuf>,
}

/// What is reported of a file.
#[derive(Serialize)]
struct Told<'a> {
    stamp: &'a str,
    text: &'a str,
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

    fn read(&self, known: &[String]) -> nsset::Result<Vec<String>> {
        let is_here = nsset::sees_files_of(&self.set);
        let read = |(index, file): (usize, &&str)| {
            if is_here { self.read_here(file, known.get(index)) } else { self.read_inside(file) }
        };
        FILES.iter().enumerate().map(read).collect()
    }

    fn read_here(&self, file: &str, known: Option<&String>) -> nsset::Result<String> {
        for directory in &self.directories {
            let path = directory.join(file);
            let Some(found) = nsset::find_file(&path)? else { continue };
            let stamp = found.stamp();
            if known == Some(&stamp) {
                return Ok("null".into());
            }
            return tell(&stamp, &found.read(MOST_BYTES)?);
        }
        tell("", b"")
    }

    fn read_inside(&self, file: &str) -> nsset::Result<String> {
        for directory in &self.directories {
            match nsset::read_file(&self.set, self.set.kinds(), &directory.join(file)) {
                Err(Error::System(error)) if matches!(error.errno, Errno::ENOENT | Errno::ENOTDIR) => {}
                content => return tell("", &content?),
            }
        }
        tell("", b"")
    }
}

fn tell(stamp: &str, content: &[u8]) -> nsset::Result<String> {
    let text = String::from_utf8_lossy(content);
    serde_json::to_string(&Told { stamp, text: &text }).map_err(|error| Error::InvalidArgument(error.to_string()))
}
