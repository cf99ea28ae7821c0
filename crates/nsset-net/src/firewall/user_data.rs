//! What nft(8) stores beside objects for itself: comments, and the order of bytes of a set. Each part is a type, a length and a value.

use crate::netlink::attributes::text;

/// `NFTNL_UDATA_RULE_COMMENT`, `NFTNL_UDATA_TABLE_COMMENT`, `NFTNL_UDATA_CHAIN_COMMENT`, `NFTNL_UDATA_OBJ_COMMENT`.
pub(crate) const COMMENT: u8 = 0;

/// Returns a text as user data. The TypeScript API limits its length.
pub(crate) fn of_text(kind: u8, text: &str) -> Vec<u8> {
    let mut value = text.as_bytes().to_vec();
    value.push(0);
    of(kind, &value)
}

/// Returns bytes as user data.
pub(crate) fn of(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut data = vec![kind, value.len() as u8];
    data.extend_from_slice(value);
    data
}

/// Returns the text of a kind in user data.
pub(crate) fn read_text(data: &[u8], kind: u8) -> Option<String> {
    read(data, kind).map(text)
}

/// Returns the value of a kind in user data.
pub(crate) fn read(mut data: &[u8], wanted: u8) -> Option<&[u8]> {
    while let [kind, length, rest @ ..] = data {
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        if *kind == wanted {
            return Some(value);
        }
        data = rest;
    }
    None
}
