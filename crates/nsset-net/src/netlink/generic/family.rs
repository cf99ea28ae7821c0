//! The id of a generic netlink family on the running kernel.

use netlink_packet_generic::{
    GenlMessage,
    constants::{CTRL_ATTR_FAMILY_ID, GENL_HDRLEN},
    ctrl::{GenlCtrl, GenlCtrlCmd, nlas::GenlCtrlAttrs},
};

use crate::{
    netlink::attributes::{Attributes, Malformed, u16_at},
    netlink::request::Request,
};

/// Returns a request for the id of a family. The kernel loads its module if necessary.
pub(crate) fn request(name: &str) -> Request {
    let nlas = vec![GenlCtrlAttrs::FamilyName(name.into())];
    Request::act(GenlMessage::from_payload(GenlCtrl { cmd: GenlCtrlCmd::GetFamily, nlas }))
}

/// Reads the body of a `CTRL_CMD_NEWFAMILY`.
pub(crate) fn read(message: &[u8]) -> Result<u16, Malformed> {
    for attribute in Attributes::behind(GENL_HDRLEN, message)? {
        if let (CTRL_ATTR_FAMILY_ID, value) = attribute? {
            return u16_at(value, 0);
        }
    }
    Err(Malformed)
}
