//! Uses a named counter, quota or limit: by its name, or by what a map has for a register.

use crate::firewall::expression::field::expression;

expression! {
    /// `kind` is `NFT_OBJECT_*`.
    Objref = "objref" {
        1 => kind: Option<u32>,
        2 => name: Option<String>,
        3 => source: Option<u32>,
        4 => set: Option<String>,
        5 => set_id: Option<u32>,
    }
}
