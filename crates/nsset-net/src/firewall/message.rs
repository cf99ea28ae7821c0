//! Messages of nf_tables: a kind, a family, and attributes.

use super::family::Family;
use crate::netlink::nfnetlink::{message::NetfilterMessage, writer::Writer};

/// `NFNL_SUBSYS_NFTABLES` of linux/netfilter/nfnetlink.h.
pub(crate) const SUBSYSTEM: u16 = 10;

/// `struct nfgenmsg`.
pub(crate) const HEADER: usize = 4;

/// `NFT_MSG_*` of linux/netfilter/nf_tables.h.
pub(crate) mod kind {
    pub const NEW_TABLE: u16 = 0;
    pub const GET_TABLE: u16 = 1;
    pub const DELETE_TABLE: u16 = 2;
    pub const NEW_CHAIN: u16 = 3;
    pub const GET_CHAIN: u16 = 4;
    pub const DELETE_CHAIN: u16 = 5;
    pub const NEW_RULE: u16 = 6;
    pub const GET_RULE: u16 = 7;
    pub const DELETE_RULE: u16 = 8;
    pub const NEW_SET: u16 = 9;
    pub const GET_SET: u16 = 10;
    pub const DELETE_SET: u16 = 11;
    pub const NEW_ELEMENTS: u16 = 12;
    pub const GET_ELEMENTS: u16 = 13;
    pub const DELETE_ELEMENTS: u16 = 14;
    pub const GET_GENERATION: u16 = 16;
    pub const NEW_GENERATION: u16 = 15;
    pub const NEW_OBJECT: u16 = 18;
    pub const GET_OBJECT: u16 = 19;
    pub const DELETE_OBJECT: u16 = 20;
    pub const NEW_FLOW_TABLE: u16 = 22;
    pub const GET_FLOW_TABLE: u16 = 23;
}

/// `NFTA_TABLE_*`.
pub(crate) mod table {
    pub const NAME: u16 = 1;
    pub const FLAGS: u16 = 2;
    pub const USERDATA: u16 = 6;
    /// `NFT_TABLE_F_*`.
    pub const DORMANT: u32 = 1;
}

/// `NFTA_CHAIN_*` and `NFTA_HOOK_*`.
pub(crate) mod chain {
    pub const TABLE: u16 = 1;
    pub const NAME: u16 = 3;
    pub const HOOK: u16 = 4;
    pub const POLICY: u16 = 5;
    pub const TYPE: u16 = 7;
    pub const USERDATA: u16 = 12;
    pub const HOOK_NUMBER: u16 = 1;
    pub const HOOK_PRIORITY: u16 = 2;
    pub const HOOK_DEVICE: u16 = 3;
    pub const HOOK_DEVICES: u16 = 4;
    pub const DEVICE_NAME: u16 = 1;
}

/// `NFTA_RULE_*`.
pub(crate) mod rule {
    pub const TABLE: u16 = 1;
    pub const CHAIN: u16 = 2;
    pub const HANDLE: u16 = 3;
    pub const EXPRESSIONS: u16 = 4;
    pub const POSITION: u16 = 6;
    pub const USERDATA: u16 = 7;
}

/// `NFTA_SET_*`, `NFTA_SET_DESC_*`, `NFT_SET_*`, and the user data of nft(8).
pub(crate) mod set {
    pub const TABLE: u16 = 1;
    pub const NAME: u16 = 2;
    pub const FLAGS: u16 = 3;
    pub const KEY_TYPE: u16 = 4;
    pub const KEY_LENGTH: u16 = 5;
    pub const DATA_TYPE: u16 = 6;
    pub const DATA_LENGTH: u16 = 7;
    pub const DESCRIPTION: u16 = 9;
    pub const ID: u16 = 10;
    pub const TIMEOUT: u16 = 11;
    pub const USERDATA: u16 = 13;
    pub const OBJECT_TYPE: u16 = 15;
    pub const EXPRESSION: u16 = 17;
    pub const EXPRESSIONS: u16 = 18;
    pub const SIZE: u16 = 1;
    pub const CONCAT: u16 = 2;
    pub const FIELD_LENGTH: u16 = 1;
    pub const ANONYMOUS: u32 = 1;
    pub const CONSTANT: u32 = 2;
    pub const INTERVAL: u32 = 4;
    pub const MAP: u32 = 8;
    pub const WITH_TIMEOUT: u32 = 16;
    pub const DYNAMIC: u32 = 32;
    pub const OBJECTS: u32 = 64;
    pub const CONCATENATED: u32 = 128;
    /// `NFT_DATA_VERDICT`.
    pub const VERDICTS: u32 = 0xffff_ff00;
    pub const KEY_BYTE_ORDER: u8 = 0;
    pub const DATA_BYTE_ORDER: u8 = 1;
    pub const DATA_INTERVAL: u8 = 6;
    pub const COMMENT: u8 = 7;
}

/// `NFTA_SET_ELEM_LIST_*`.
pub(crate) mod elements {
    pub const TABLE: u16 = 1;
    pub const SET: u16 = 2;
    pub const ELEMENTS: u16 = 3;
    pub const SET_ID: u16 = 4;
}

/// `NFTA_FLOWTABLE_*` and `NFTA_FLOWTABLE_HOOK_*`.
pub(crate) mod flow_table {
    pub const TABLE: u16 = 1;
    pub const NAME: u16 = 2;
    pub const HOOK: u16 = 3;
    pub const FLAGS: u16 = 7;
    pub const HOOK_NUMBER: u16 = 1;
    pub const PRIORITY: u16 = 2;
    pub const DEVICES: u16 = 3;
    /// `NFT_FLOWTABLE_*`.
    pub const OFFLOAD: u32 = 1;
    pub const COUNTER: u32 = 2;
}

/// `NFTA_OBJ_*`.
pub(crate) mod object {
    pub const TABLE: u16 = 1;
    pub const NAME: u16 = 2;
    pub const KIND: u16 = 3;
    pub const DATA: u16 = 4;
    pub const USERDATA: u16 = 8;
}

/// `NFTA_GEN_ID`.
pub(crate) const GENERATION: u16 = 1;

/// Returns a request about tables of any family.
pub(crate) fn about_all(kind: u16) -> NetfilterMessage {
    NetfilterMessage::new(SUBSYSTEM, kind, 0, |_| {})
}

/// Returns a request about tables of a family.
pub(crate) fn about(kind: u16, family: Family, attributes: impl FnOnce(&mut Writer)) -> NetfilterMessage {
    NetfilterMessage::new(SUBSYSTEM, kind, family.number(), attributes)
}
