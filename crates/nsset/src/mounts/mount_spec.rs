//! One mount of a new mount namespace, and what else can be in the list: files, symbolic links and directories.

use std::path::{Component, Path, PathBuf};

use nsset_helper::protocol::flag;
use serde::Deserialize;

use crate::{
    error::{Error, Result},
    helper::program::Program,
    helper::program::mounting::{Part, Place},
    id_map::IdMap,
    plain,
};

/// A tmpfs for what is written to an overlay file system, or for the root directory.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Tmpfs {
    /// In bytes; the kernel's default value is half of the memory.
    pub size: Option<u64>,
    pub mode: Option<u32>,
    /// Whether it is read-only once the mounts are made.
    pub read_only: bool,
}

impl Tmpfs {
    /// Its options for the kernel.
    pub fn options(&self) -> Vec<(String, String)> {
        let mode = self.mode.unwrap_or(0o755);
        let size = self.size.map(|size| ("size".to_owned(), size.to_string()));
        let all = [("source".to_owned(), "tmpfs".to_owned()), ("mode".to_owned(), format!("{mode:o}"))];
        all.into_iter().chain(size).collect()
    }
}

/// How a bind mount shows the owners of files: the ids on the disk are the ids inside of these maps. Without maps, they are
/// those of the set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnerMaps {
    pub uid_maps: Vec<IdMap>,
    pub gid_maps: Vec<IdMap>,
}

impl OwnerMaps {
    pub const fn are_those_of_set(&self) -> bool {
        self.uid_maps.is_empty() && self.gid_maps.is_empty()
    }
}

/// A bind mount with mapped owners.
#[derive(Clone, Copy, Debug)]
pub enum MappedTree {
    /// The number of its detached mount in the helper.
    Passed(i32),
    /// Its source is missing, and it is optional.
    Missing,
}

/// One mount of the list. Each type has some of the fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct MountSpec {
    /// `bind`, `overlay`, `dev`, `file`, `symlink`, `directory`, `mask`, or the type of a new file system.
    #[serde(rename = "type")]
    pub kind: String,
    /// The file or directory of a bind mount; the device name of a new file system, by default its type.
    #[serde(deserialize_with = "plain::optional_path")]
    pub source: Option<PathBuf>,
    #[serde(deserialize_with = "plain::path")]
    pub target: PathBuf,
    /// Whether a bind mount includes the mounts below its source. Default: yes.
    pub recursive: Option<bool>,
    /// Whether a bind mount is skipped if its source is missing.
    pub optional: bool,
    /// The owners of the files of a bind mount. Default: those on the disk.
    pub id_map: Option<OwnerMaps>,
    /// Whether a missing target is made. Default: yes.
    pub create: Option<bool>,
    pub read_only: bool,
    pub no_suid: bool,
    pub no_dev: bool,
    pub no_exec: bool,
    pub no_symfollow: bool,
    /// The options of a new file system; those without a value are flags.
    pub options: Vec<(String, String)>,
    /// The lower layers of an overlay file system, the uppermost first.
    #[serde(deserialize_with = "plain::paths")]
    pub lower: Vec<PathBuf>,
    #[serde(deserialize_with = "plain::optional_path")]
    pub upper: Option<PathBuf>,
    #[serde(deserialize_with = "plain::optional_path")]
    pub work: Option<PathBuf>,
    /// The upper layer in memory, instead of the two above.
    pub scratch: Option<Tmpfs>,
    /// The content of a file.
    #[serde(deserialize_with = "plain::bytes")]
    pub content: Vec<u8>,
    /// The mode of a file or directory.
    pub mode: Option<u32>,
    /// Where a symbolic link leads.
    #[serde(deserialize_with = "plain::optional_path")]
    pub to: Option<PathBuf>,
}

/// What a mount of the list has to know about the others and the namespace.
#[derive(Debug)]
pub struct Surroundings {
    /// The contents of all files, one after the other, as the helper has them.
    pub contents: Option<i32>,
    /// The bind mounts with mapped owners, in the order of the list.
    pub mapped_trees: Vec<MappedTree>,
    /// Whether no mount propagates to another mount namespace.
    pub is_private: bool,
    /// Whether the network is made while the steps run.
    pub awaits_network: bool,
    /// Whether the user namespace is not the first one.
    pub has_user: bool,
    /// Whether it has the ids of the caller.
    pub is_caller_mapped: bool,
}

impl MountSpec {
    /// `MOUNT_ATTR_*` of mount_setattr(2).
    pub const fn attributes(&self) -> u64 {
        (self.read_only as u64)
            | (self.no_suid as u64) << 1
            | (self.no_dev as u64) << 2
            | (self.no_exec as u64) << 3
            | (self.no_symfollow as u64) << 21
    }

    /// Whether it makes files itself, besides a missing target.
    pub fn makes_files(&self) -> bool {
        matches!(self.kind.as_str(), "dev" | "file" | "symlink" | "directory") || self.scratch.is_some()
    }

    /// Whether it shows the same whatever the network of the process that makes it.
    pub fn knows_no_network(&self) -> bool {
        self.makes_files() || matches!(self.kind.as_str(), "bind" | "mask" | "overlay" | "proc" | "tmpfs")
    }

    /// Writes its steps. `offset` is where its content begins, and `tree` its mount with mapped owners.
    pub fn write(
        &self,
        offset: u64,
        tree: Option<MappedTree>,
        around: &Surroundings,
        program: &mut Program<'_>,
    ) -> Result<()> {
        match self.kind.as_str() {
            "bind" => self.write_bind(tree, program),
            "overlay" => self.write_overlay(around.has_user, program),
            "dev" => program.devices(&self.target, self.create()),
            "file" => self.write_file(offset, around, program),
            "symlink" => program.symbolic_link(self.link_target()?, &self.target),
            "directory" => program.directory(&self.target, self.mode.unwrap_or(0o755)),
            "mask" => program.mask(&self.target),
            kind => {
                let source = self.source.as_deref().unwrap_or(Path::new(kind));
                // Each mount of these is a file system of its own; of the others, some show what is outside.
                let own = if matches!(kind, "tmpfs" | "ramfs") { flag::OWN } else { 0 };
                program.mount(kind, source, self.place(self.create() | own), &self.options)
            }
        }
    }

    fn write_bind(&self, tree: Option<MappedTree>, program: &mut Program<'_>) -> Result<()> {
        match tree {
            None => program.bind(self.source()?, self.place(self.bind_flags())),
            Some(MappedTree::Passed(fd)) => program.bind_tree(fd, self.place(self.create())),
            Some(MappedTree::Missing) => Ok(()),
        }
    }

    fn write_overlay(&self, has_user: bool, program: &mut Program<'_>) -> Result<()> {
        let mut options = self.options.clone();
        if has_user && options.iter().all(|(key, _)| key != "userxattr") {
            // A user namespace has no trusted.* attributes (xattr(7)), in which the layers are described otherwise.
            options.push(("userxattr".into(), String::new()));
        }
        program.overlay(&self.target, &options)?;
        for lower in &self.lower {
            program.overlay_lower(lower)?;
        }
        if let Some(upper) = &self.upper {
            program.overlay_upper(upper)?;
        }
        if let Some(work) = &self.work {
            program.overlay_work(work)?;
        }
        let mut own = 0;
        if let Some(scratch) = &self.scratch {
            own = flag::OWN;
            program.overlay_scratch(&self.target, self.create(), &scratch.options())?;
        }
        program.overlay_mount(self.place(self.create() | own))
    }

    fn write_file(&self, offset: u64, around: &Surroundings, program: &mut Program<'_>) -> Result<()> {
        let fd = around.contents.ok_or_else(|| Error::InvalidArgument("the contents of files are missing".into()))?;
        let private = if around.is_private { flag::PRIVATE } else { 0 };
        let content = Part { fd, offset, length: self.content.len() as u64 };
        program.file(content, self.mode.unwrap_or(0o644), self.place(self.create() | private))
    }

    fn place(&self, flags: usize) -> Place<'_> {
        Place { target: &self.target, attributes: self.attributes(), flags }
    }

    fn create(&self) -> usize {
        if self.create.unwrap_or(true) { flag::CREATE } else { 0 }
    }

    fn bind_flags(&self) -> usize {
        let recursive = if self.recursive.unwrap_or(true) { flag::RECURSIVE } else { 0 };
        let optional = if self.optional { flag::OPTIONAL } else { 0 };
        self.create() | recursive | optional
    }

    pub fn source(&self) -> Result<&Path> {
        self.source.as_deref().ok_or_else(|| Error::InvalidArgument("a bind mount needs a source".into()))
    }

    fn link_target(&self) -> Result<&Path> {
        self.to.as_deref().ok_or_else(|| Error::InvalidArgument("a symbolic link needs a target".into()))
    }
}

/// Whether one of the mounts has this directory as its target, as the path is written.
pub fn covers(mounts: &[MountSpec], directory: &str) -> bool {
    mounts.iter().any(|mount| without_detours(&mount.target) == Path::new(directory))
}

/// The path without `.`, `..` and double slashes.
fn without_detours(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::from("/"), |mut shortened, component| {
        match component {
            Component::Normal(name) => shortened.push(name),
            Component::ParentDir => drop(shortened.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
        shortened
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_covered_however_its_path_is_written() {
        let on = |target: &str| MountSpec { kind: "bind".into(), target: target.into(), ..MountSpec::default() };
        for target in ["/sys", "//sys/", "/./sys/.", "/usr/../sys", "sys"] {
            assert!(covers(&[on("/tmp"), on(target)], "/sys"), "{target}");
        }
        assert!(!covers(&[on("/"), on("/sys/kernel"), on("/system"), on("/tmp/sys")], "/sys"));
    }
}
