//! The kernel's message about an error, from the attributes after an answer (`NLMSGERR_ATTR_*` of linux/netlink.h). The kernel
//! sends them because `NETLINK_EXT_ACK` is set on the socket.

use crate::netlink::attributes::{Attributes, text, u32_at};

const NLMSGERR_ATTR_MSG: u16 = 1;
const NLMSGERR_ATTR_OFFS: u16 = 2;

/// Returns the text among these attributes.
pub(crate) fn words(attributes: &[u8]) -> Option<String> {
    let mut attributes = Attributes::within(attributes).map_while(Result::ok);
    let (_, value) = attributes.find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)?;
    Some(text(value)).filter(|words| !words.is_empty())
}

/// Returns the offset of the attribute that is wrong, from the start of the request.
pub(crate) fn offset(attributes: &[u8]) -> Option<usize> {
    let mut attributes = Attributes::within(attributes).map_while(Result::ok);
    let (_, value) = attributes.find(|(kind, _)| *kind == NLMSGERR_ATTR_OFFS)?;
    u32_at(value, 0).ok().map(|offset| offset as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_found_among_others() {
        let bytes = [8, 0, 2, 0, 0, 0, 0, 0, 7, 0, 1, 0, b'n', b'o', 0, 0];
        assert_eq!(words(&bytes).as_deref(), Some("no"));
        assert_eq!(words(&bytes[..8]), None);
        assert_eq!(words(&bytes[..10]), None);
    }
}
