//! Opens sets that actions refer to by a name, a path or a process.

use std::path::PathBuf;

use napi::{Env, Result};
use napi_derive::napi;
use nsset::{Kind, Kinds, NamespaceSet, netns};

use crate::{
    convert::{Text, optional_kinds, path},
    deferred::Promise,
    error_fields::ErrorFields,
    failure::guard,
    sets::set::NativeSet,
    sets::work,
};

/// A reference to a set: by one of `name`, `path` and `pid`.
#[napi(object, object_to_js = false)]
pub struct NativeReference {
    /// The name of a network.
    pub name: Option<String>,
    /// The directory of the name. Default: that of ip-netns(8).
    pub directory: Option<Text>,
    /// The path of a network namespace.
    pub path: Option<Text>,
    pub pid: Option<i32>,
    /// A thread of the process.
    pub tid: Option<i32>,
    /// The kinds to open of the process.
    pub kinds: Option<u32>,
}

/// The sets that references mean, up to the first that could not be opened.
#[napi(object, object_from_js = false)]
pub struct NativeOpened {
    pub sets: Vec<NativeSet>,
    /// Why the next one could not be opened.
    pub failure: Option<ErrorFields>,
}

/// Opens sets in order, up to the first that fails. Other threads do this, since a file system may take long to answer.
#[napi(catch_unwind, ts_return_type = "Promise<NativeOpened>")]
pub fn open_references(env: Env, references: Vec<NativeReference>) -> Result<Promise<NativeOpened>> {
    let references = sources_of(env, references)?;
    work::run_on_files(env, move || Ok(open_all(&references)))
}

/// Like `openReferences`, on the calling thread.
#[napi(catch_unwind)]
pub fn open_references_sync(env: Env, references: Vec<NativeReference>) -> Result<NativeOpened> {
    let references = sources_of(env, references)?;
    guard(env, || Ok(open_all(&references)))
}

/// What a reference refers to.
enum Source {
    Path(PathBuf),
    Name(Option<PathBuf>, String),
    Process { pid: i32, tid: Option<i32>, kinds: Option<Kinds> },
}

/// Converts references on the thread of JavaScript, which alone may read its buffers.
fn sources_of(env: Env, references: Vec<NativeReference>) -> Result<Vec<Source>> {
    guard(env, || references.into_iter().map(Source::try_from).collect())
}

impl TryFrom<NativeReference> for Source {
    type Error = nsset::Error;

    fn try_from(reference: NativeReference) -> nsset::Result<Self> {
        let NativeReference { name, directory, path: file, pid, tid, kinds } = reference;
        Ok(match (name, file, pid) {
            (Some(name), ..) => Self::Name(directory.map(path), name),
            (_, Some(file), _) => Self::Path(path(file)),
            (.., Some(pid)) => Self::Process { pid, tid, kinds: optional_kinds(kinds.unwrap_or(0))? },
            _ => return Err(nsset::Error::InvalidArgument("a reference has neither a name, a path nor a pid".into())),
        })
    }
}

fn open_all(sources: &[Source]) -> NativeOpened {
    let mut sets = Vec::with_capacity(sources.len());
    for source in sources {
        match source.open() {
            Ok(set) => sets.push(set.into()),
            Err(error) => return NativeOpened { sets, failure: Some((&error).into()) },
        }
    }
    NativeOpened { sets, failure: None }
}

impl Source {
    fn open(&self) -> nsset::Result<NamespaceSet> {
        match self {
            Self::Path(file) => nsset::from_path(file, Some(Kind::Net)),
            Self::Name(directory, name) => {
                let directory = directory.as_deref().unwrap_or_else(|| netns::directory());
                nsset::from_path(&directory.join(name), Some(Kind::Net))
            }
            Self::Process { pid, tid: Some(tid), kinds } => nsset::from_thread(*pid, *tid, *kinds),
            Self::Process { pid, tid: None, kinds } => nsset::from_pid(*pid, *kinds),
        }
    }
}
