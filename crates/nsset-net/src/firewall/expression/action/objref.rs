//! Uses a named counter or quota.

use crate::firewall::expression::field::expression;

expression! {
    /// `kind` is `NFT_OBJECT_*`.
    Objref = "objref" { 1 => kind: Option<u32>, 2 => name: Option<String>, 3 => source: Option<u32> }
}
