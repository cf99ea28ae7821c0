//! `synproxy`: answers the handshakes of TCP instead of a server.

use serde::{Deserialize, Serialize};

use super::counter::is_false;
use crate::firewall::expression::action::synproxy::Synproxy as Expression;

/// Options of `synproxy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Synproxy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mss: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wscale: Option<u8>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub timestamp: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub sack_perm: bool,
}

/// `NF_SYNPROXY_OPT_*` of linux/netfilter/nf_synproxy.h.
const MSS: u32 = 1;
const WSCALE: u32 = 2;
const SACK_PERM: u32 = 4;
const TIMESTAMP: u32 = 8;

impl Synproxy {
    pub(crate) fn lower(&self) -> Expression {
        let flags = [
            (MSS, self.mss.is_some()),
            (WSCALE, self.wscale.is_some()),
            (SACK_PERM, self.sack_perm),
            (TIMESTAMP, self.timestamp),
        ];
        Expression {
            mss: self.mss,
            wscale: self.wscale,
            flags: Some(flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag).sum()),
        }
    }

    pub(crate) fn lift(synproxy: &Expression) -> Self {
        let flags = synproxy.flags.unwrap_or(0);
        Self {
            mss: synproxy.mss.filter(|_| flags & MSS != 0),
            wscale: synproxy.wscale.filter(|_| flags & WSCALE != 0),
            timestamp: flags & TIMESTAMP != 0,
            sack_perm: flags & SACK_PERM != 0,
        }
    }
}
