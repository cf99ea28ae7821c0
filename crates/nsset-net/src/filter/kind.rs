//! The kinds of filter.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    action::Action,
    flower::{self, Flower, OF_PROGRAMS},
    u32::U32,
};
use crate::{
    netlink::attributes::{Attributes, Malformed, text, u32_at},
    netlink::message::AttributeWriter,
    octets::Octets,
    qdisc::Handle,
};

/// The kind of a filter, with the settings of that kind.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum FilterKind {
    /// Every packet matches.
    Matchall {},
    Flower(Flower),
    U32(U32),
    /// Packets whose mark is the handle match.
    Fw {
        /// The bits of the mark that count.
        mask: Option<u32>,
    },
    /// A BPF program decides.
    #[serde(rename_all = "camelCase")]
    Bpf {
        /// The descriptor of the program in this process, for a new filter.
        #[serde(skip_serializing)]
        fd: Option<u32>,
        name: Option<String>,
        /// Whether the result of the program is a verdict, and not a class.
        #[serde(default)]
        direct_action: bool,
        /// The id of the program, in a list.
        #[serde(skip_deserializing)]
        id: Option<u32>,
    },
    /// A kind of which this crate knows only the name.
    Other {
        #[serde(rename = "type")]
        name: String,
        /// The options in the kernel's format.
        options: Option<Octets>,
    },
}

/// The numbers of the attributes that kinds share.
struct Numbers {
    class: u16,
    actions: u16,
}

const MATCHALL: Numbers = Numbers { class: 1, actions: 2 };
const FLOWER: Numbers = Numbers { class: 1, actions: 3 };
const U32_NUMBERS: Numbers = Numbers { class: 1, actions: 7 };
const FW: Numbers = Numbers { class: 1, actions: 4 };
const BPF: Numbers = Numbers { class: 3, actions: 1 };

const U32_SEL: u16 = 5;
const FW_MASK: u16 = 5;
const BPF_FD: u16 = 6;
const BPF_NAME: u16 = 7;
const BPF_FLAGS: u16 = 8;
const BPF_ID: u16 = 11;

const MATCHALL_FLAGS: u16 = 3;
const MATCHALL_COUNTERS: u16 = 4;
const MATCHALL_PAD: u16 = 5;
const U32_HASH: u16 = 2;
const U32_COUNTERS: u16 = 9;
const U32_FLAGS: u16 = 11;
const U32_PAD: u16 = 12;
const BPF_FLAGS_GENERIC: u16 = 9;
const BPF_TAG: u16 = 10;

/// The table of a u32 filter that exists without being created.
const FIRST_TABLE: u32 = 0x8000_0000;

/// `TCA_BPF_FLAG_ACT_DIRECT`.
const DIRECT_ACTION: u32 = 1;

/// What the options of a filter say.
#[derive(Debug)]
pub(super) struct FilterOptions {
    pub kind: FilterKind,
    pub class: Option<Handle>,
    pub actions: Vec<Action>,
}

impl FilterKind {
    /// The kernel's name of the kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Matchall {} => "matchall",
            Self::Flower(_) => "flower",
            Self::U32(_) => "u32",
            Self::Fw { .. } => "fw",
            Self::Bpf { .. } => "bpf",
            Self::Other { name, .. } => name,
        }
    }

    fn numbers(&self) -> Option<Numbers> {
        match self {
            Self::Matchall {} => Some(MATCHALL),
            Self::Flower(_) => Some(FLOWER),
            Self::U32(_) => Some(U32_NUMBERS),
            Self::Fw { .. } => Some(FW),
            Self::Bpf { .. } => Some(BPF),
            Self::Other { .. } => None,
        }
    }

    /// Returns the options of a request. `links` has the link of each action.
    pub(super) fn options(&self, protocol: u16, class: Option<Handle>, actions: &[Action], links: &[u32]) -> Vec<u8> {
        let mut options = AttributeWriter::default();
        match self {
            Self::Other { options, .. } => {
                return options.as_ref().map(|options| options.0.clone()).unwrap_or_default();
            }
            Self::Matchall {} => {}
            Self::Flower(flower) => flower.write(protocol, &mut options),
            Self::U32(u32) => options.put(U32_SEL, &u32.selector()),
            Self::Fw { mask } => {
                if let Some(mask) = mask {
                    options.put_u32(FW_MASK, *mask);
                }
            }
            Self::Bpf { fd, name, direct_action, .. } => {
                if let Some(fd) = fd {
                    options.put_u32(BPF_FD, *fd);
                }
                options.put_text(BPF_NAME, name.as_deref().unwrap_or("bpf"));
                options.put_u32(BPF_FLAGS, if *direct_action { DIRECT_ACTION } else { 0 });
            }
        }
        let Some(numbers) = self.numbers() else { return options.into_bytes() };
        if let Some(class) = class {
            options.put_u32(numbers.class, class.to_u32());
        }
        if !actions.is_empty() {
            options.nest(numbers.actions, |list| {
                for ((place, action), link) in (1..).zip(actions).zip(links) {
                    list.nest(place, |inner| action.write(*link, inner));
                }
            });
        }
        options.into_bytes()
    }

    /// Reads the options of a kind. If they cannot be read, the result has only the name.
    pub(super) fn read(name: &str, options: &[u8]) -> FilterOptions {
        let empty = match name {
            "matchall" => Some(Self::Matchall {}),
            "flower" => Some(Self::Flower(Flower::default())),
            "u32" => Some(Self::U32(U32::default())),
            "fw" => Some(Self::Fw { mask: None }),
            "bpf" => Some(Self::Bpf { fd: None, name: None, direct_action: false, id: None }),
            _ => None,
        };
        let known = empty.and_then(|kind| kind.filled(options).ok());
        known.unwrap_or_else(|| {
            let options = Some(Octets(without_state(name, options))).filter(|options| !options.0.is_empty());
            FilterOptions { kind: Self::Other { name: name.into(), options }, class: None, actions: Vec::new() }
        })
    }

    fn filled(mut self, options: &[u8]) -> Result<FilterOptions, Malformed> {
        let numbers = self.numbers().ok_or(Malformed)?;
        let (mut class, mut actions) = (None, Vec::new());
        for attribute in Attributes::within(options) {
            let (kind, value) = attribute?;
            if kind == numbers.class {
                class = Some(Handle::from_u32(u32_at(value, 0)?)).filter(|class| *class != Handle::NONE);
            } else if kind == numbers.actions {
                actions = Action::read_all(value)?;
            } else {
                self.take(kind, value)?;
            }
        }
        Ok(FilterOptions { kind: self, class, actions })
    }

    /// Whether an attribute does not say what a filter matches, but how often, or whether the hardware filters (`*_FLAGS`).
    fn has_no_meaning(&self, number: u16, value: &[u8]) -> bool {
        let flags = || u32_at(value, 0).is_ok_and(|flags| flags & OF_PROGRAMS == 0);
        match self {
            Self::Matchall {} => {
                matches!(number, MATCHALL_COUNTERS | MATCHALL_PAD) || (number == MATCHALL_FLAGS && flags())
            }
            Self::U32(_) => match number {
                U32_COUNTERS | U32_PAD => true,
                U32_HASH => u32_at(value, 0).is_ok_and(|table| table == FIRST_TABLE),
                U32_FLAGS => flags(),
                _ => false,
            },
            Self::Bpf { .. } => matches!(number, BPF_TAG) || (number == BPF_FLAGS_GENERIC && flags()),
            _ => false,
        }
    }

    fn take(&mut self, kind: u16, value: &[u8]) -> Result<(), Malformed> {
        match (self, kind) {
            (Self::Flower(flower), kind) => flower.take(kind, value)?,
            (Self::U32(u32), U32_SEL) => *u32 = U32::read(value)?,
            (Self::Fw { mask }, FW_MASK) => *mask = Some(u32_at(value, 0)?),
            (Self::Bpf { name, .. }, BPF_NAME) => *name = Some(text(value)),
            (Self::Bpf { direct_action, .. }, BPF_FLAGS) => *direct_action = u32_at(value, 0)? & DIRECT_ACTION != 0,
            (Self::Bpf { id, .. }, BPF_ID) => *id = Some(u32_at(value, 0)?),
            (kind, number) if kind.has_no_meaning(number, value) => {}
            // A filter without what this crate does not know would match other packets.
            _ => return Err(Malformed),
        }
        Ok(())
    }
}

/// Returns the options without what the kernel refuses in a request: whether the hardware filters.
fn without_state(name: &str, options: &[u8]) -> Vec<u8> {
    let (flags, count) = match name {
        "matchall" => (MATCHALL_FLAGS, None),
        "flower" => (flower::FLAGS, Some(flower::IN_HARDWARE)),
        "u32" => (U32_FLAGS, None),
        _ => return options.to_vec(),
    };
    let mut kept = AttributeWriter::default();
    for (number, value) in Attributes::within(options).flatten() {
        if number == flags {
            kept.put_u32(number, u32_at(value, 0).unwrap_or(0) & OF_PROGRAMS);
        } else if Some(number) != count {
            kept.put(number, value);
        }
    }
    kept.into_bytes()
}
