//! The options of unshare, as the face passes them on: checked for their types, in the core's units.

use napi::bindgen_prelude::{BigInt, Either};
use napi_derive::napi;
use nsset::{Error, IdMap, MapUser, Maps, MountKind, MountSpec, Propagation, Result, Setgroups, TimeOffsets};

use crate::convert::{Text, os_string, path};

#[napi(object, object_to_js = false)]
pub struct NativeIdMap {
    pub container_id: u32,
    pub host_id: u32,
    pub size: u32,
}

/// Nanoseconds.
#[napi(object, object_to_js = false)]
pub struct NativeTimeOffsets {
    pub monotonic: Option<BigInt>,
    pub boottime: Option<BigInt>,
}

#[napi(object, object_to_js = false)]
pub struct NativeMount {
    pub kind: String,
    pub source: Option<Text>,
    pub target: Text,
    pub recursive: bool,
    pub read_only: bool,
    pub no_suid: bool,
    pub no_dev: bool,
    pub no_exec: bool,
    pub options: Vec<(String, String)>,
}

#[napi(object, object_to_js = false)]
pub struct NativeUnshareOptions {
    pub uid_maps: Vec<NativeIdMap>,
    pub gid_maps: Vec<NativeIdMap>,
    #[napi(ts_type = "'root' | 'current' | 'auto' | number")]
    pub map_user: Option<Either<String, u32>>,
    #[napi(ts_type = "'allow' | 'deny'")]
    pub setgroups: Option<String>,
    pub time_offsets: Option<NativeTimeOffsets>,
    pub hostname: Option<String>,
    pub loopback: bool,
    #[napi(ts_type = "'private' | 'slave' | 'shared' | 'unchanged'")]
    pub propagation: Option<String>,
    pub mounts: Vec<NativeMount>,
    pub root: Option<Text>,
    pub sysfs: Option<bool>,
}

impl NativeUnshareOptions {
    pub fn into_core(self) -> Result<nsset::UnshareOptions> {
        let maps = Maps {
            uid: self.uid_maps.into_iter().map(IdMap::from).collect(),
            gid: self.gid_maps.into_iter().map(IdMap::from).collect(),
            setgroups: self.setgroups.as_deref().map(setgroups).transpose()?,
        };
        Ok(nsset::UnshareOptions {
            maps,
            map_user: self.map_user.map(map_user).transpose()?,
            time_offsets: self.time_offsets.map(TimeOffsets::from),
            hostname: self.hostname,
            loopback: self.loopback,
            propagation: self.propagation.as_deref().map(propagation).transpose()?,
            mounts: self.mounts.into_iter().map(NativeMount::into_core).collect::<Result<_>>()?,
            root: self.root.map(path).transpose()?,
            sysfs: self.sysfs,
        })
    }
}

impl From<NativeIdMap> for IdMap {
    fn from(map: NativeIdMap) -> Self {
        Self { container_id: map.container_id, host_id: map.host_id, size: map.size }
    }
}

impl From<NativeTimeOffsets> for TimeOffsets {
    fn from(offsets: NativeTimeOffsets) -> Self {
        let nanoseconds = |offset: Option<BigInt>| offset.map(|offset| offset.get_i128().0);
        Self { monotonic: nanoseconds(offsets.monotonic), boottime: nanoseconds(offsets.boottime) }
    }
}

impl NativeMount {
    fn into_core(self) -> Result<MountSpec> {
        let kind = if self.kind == "bind" {
            let source = self.source.ok_or_else(|| Error::InvalidArgument("a bind mount needs a 'source'".into()))?;
            MountKind::Bind { source: path(source)?, recursive: self.recursive }
        } else {
            let source = self.source.map(|source| os_string(source).to_string_lossy().into_owned());
            MountKind::FileSystem { name: self.kind, source, options: self.options }
        };
        Ok(MountSpec {
            kind,
            target: path(self.target)?,
            read_only: self.read_only,
            no_suid: self.no_suid,
            no_dev: self.no_dev,
            no_exec: self.no_exec,
        })
    }
}

fn setgroups(word: &str) -> Result<Setgroups> {
    match word {
        "allow" => Ok(Setgroups::Allow),
        "deny" => Ok(Setgroups::Deny),
        _ => Err(unknown("setgroups", word)),
    }
}

fn map_user(word: Either<String, u32>) -> Result<MapUser> {
    match word {
        Either::A(word) => match word.as_str() {
            "root" => Ok(MapUser::Root),
            "current" => Ok(MapUser::Current),
            "auto" => Ok(MapUser::Auto),
            _ => Err(unknown("mapUser", &word)),
        },
        Either::B(id) => Ok(MapUser::Id(id)),
    }
}

fn propagation(word: &str) -> Result<Propagation> {
    match word {
        "private" => Ok(Propagation::Private),
        "slave" => Ok(Propagation::Slave),
        "shared" => Ok(Propagation::Shared),
        "unchanged" => Ok(Propagation::Unchanged),
        _ => Err(unknown("propagation", word)),
    }
}

fn unknown(option: &str, word: &str) -> Error {
    Error::InvalidArgument(format!("the option '{option}' has no value '{word}'"))
}
