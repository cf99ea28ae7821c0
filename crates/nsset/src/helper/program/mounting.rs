//! The steps that make the view of the file system: mounts, files, and the root directory.

use std::path::Path;

use nsset_helper::protocol::word;

use crate::{
    error::Result,
    helper::program::{Program, decimal},
};

/// Options of a file system; those without a value are flags.
pub type FileSystemOptions = [(String, String)];

/// Where something is mounted, and how.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub target: &'a Path,
    /// `MOUNT_ATTR_*` of mount_setattr(2).
    pub attributes: u64,
    /// Those of [`nsset_helper::protocol::flag`].
    pub flags: usize,
}

/// A part of a passed file.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub fd: i32,
    pub offset: u64,
    pub length: u64,
}

impl Program<'_> {
    pub fn propagation(&mut self, flags: u64) {
        self.step(word::PROPAGATION, "mount(MS_REC)").path = Some("/".into());
        self.operands([decimal(flags)]);
    }

    pub fn root(&mut self, directory: &Path) -> Result<()> {
        self.step(word::ROOT, "mount root").path = Some(directory.into());
        self.operand(directory)
    }

    pub fn root_tmpfs(&mut self, options: &FileSystemOptions) -> Result<()> {
        self.step(word::ROOT_TMPFS, "mount root").path = Some("/".into());
        self.file_system_options(options)
    }

    pub fn root_read_only(&mut self) {
        self.step(word::ROOT_READ_ONLY, "mount_setattr").path = Some("/".into());
    }

    pub fn bind(&mut self, source: &Path, place: Place<'_>) -> Result<()> {
        let label = self.step(word::BIND, "mount bind");
        label.path = Some(place.target.into());
        label.source = Some(source.into());
        self.operand(source)?;
        self.place(place)
    }

    /// Attaches a detached mount that is passed.
    pub fn bind_tree(&mut self, fd: i32, place: Place<'_>) -> Result<()> {
        self.step(word::BIND_TREE, "mount bind").path = Some(place.target.into());
        self.operands([decimal(fd as u64)]);
        self.operand(place.target)?;
        self.operands([decimal(place.flags as u64)]);
        Ok(())
    }

    pub fn mount(
        &mut self,
        file_system: &str,
        source: &Path,
        place: Place<'_>,
        options: &FileSystemOptions,
    ) -> Result<()> {
        let label = self.step(word::MOUNT, "mount");
        label.path = Some(place.target.into());
        label.file_system = Some(file_system.into());
        self.operand(Path::new(file_system))?;
        self.operand(source)?;
        self.place(place)?;
        self.file_system_options(options)
    }

    /// Begins an overlay file system. The steps for its layers follow, from the uppermost lower layer on.
    pub fn overlay(&mut self, target: &Path, options: &FileSystemOptions) -> Result<()> {
        self.step(word::OVERLAY, "mount overlay").path = Some(target.into());
        self.file_system_options(options)
    }

    pub fn overlay_lower(&mut self, directory: &Path) -> Result<()> {
        self.overlay_directory(word::OVERLAY_LOWER, directory)
    }

    pub fn overlay_upper(&mut self, directory: &Path) -> Result<()> {
        self.overlay_directory(word::OVERLAY_UPPER, directory)
    }

    pub fn overlay_work(&mut self, directory: &Path) -> Result<()> {
        self.overlay_directory(word::OVERLAY_WORK, directory)
    }

    fn overlay_directory(&mut self, name: &[u8], directory: &Path) -> Result<()> {
        self.step(name, "mount overlay").path = Some(directory.into());
        self.operand(directory)
    }

    /// Uses a tmpfs below the target for the upper layer.
    pub fn overlay_scratch(&mut self, target: &Path, flags: usize, options: &FileSystemOptions) -> Result<()> {
        self.step(word::OVERLAY_SCRATCH, "mount overlay").path = Some(target.into());
        self.operand(target)?;
        self.operands([decimal(flags as u64)]);
        self.file_system_options(options)
    }

    pub fn overlay_mount(&mut self, place: Place<'_>) -> Result<()> {
        self.step(word::OVERLAY_MOUNT, "mount overlay").path = Some(place.target.into());
        self.place(place)
    }

    pub fn devices(&mut self, target: &Path, flags: usize) -> Result<()> {
        let label = self.step(word::DEVICES, "mount dev");
        label.path = Some(target.into());
        label.source = Some("/dev".into());
        self.operand(target)?;
        self.operands([decimal(flags as u64)]);
        Ok(())
    }

    pub fn file(&mut self, content: Part, mode: u32, place: Place<'_>) -> Result<()> {
        self.step(word::FILE, "mount file").path = Some(place.target.into());
        let Part { fd, offset, length } = content;
        self.operands([fd as u64, offset, length].map(decimal));
        self.operand(place.target)?;
        self.operands([mode.into(), place.attributes, place.flags as u64].map(decimal));
        Ok(())
    }

    pub fn symbolic_link(&mut self, to: &Path, target: &Path) -> Result<()> {
        self.step(word::SYMLINK, "symlink").path = Some(target.into());
        self.operand(to)?;
        self.operand(target)
    }

    pub fn directory(&mut self, target: &Path, mode: u32) -> Result<()> {
        self.step(word::DIRECTORY, "mkdir").path = Some(target.into());
        self.operand(target)?;
        self.operands([decimal(mode.into())]);
        Ok(())
    }

    pub fn mask(&mut self, target: &Path) -> Result<()> {
        let label = self.step(word::MASK, "mount mask");
        label.path = Some(target.into());
        label.source = Some("/dev/null".into());
        self.operand(target)
    }

    pub fn pivot(&mut self, directory: &Path) {
        let label = self.step(word::PIVOT, "pivot_root");
        label.path = Some(directory.into());
        label.hint = Some("pivot_root(2) refuses where the old root directory is the initramfs".into());
    }

    fn place(&mut self, place: Place<'_>) -> Result<()> {
        self.operand(place.target)?;
        self.operands([place.attributes, place.flags as u64].map(decimal));
        Ok(())
    }

    fn file_system_options(&mut self, options: &FileSystemOptions) -> Result<()> {
        self.operands([decimal(options.len() as u64)]);
        for (key, value) in options {
            self.operand(Path::new(key))?;
            self.operand(Path::new(value))?;
        }
        Ok(())
    }
}
