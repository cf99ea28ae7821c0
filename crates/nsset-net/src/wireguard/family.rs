//! The number that a family of generic netlink has with the running kernel.

use netlink_packet_generic::{
    GenlMessage,
    constants::{CTRL_ATTR_FAMILY_ID, GENL_HDRLEN},
    ctrl::{GenlCtrl, GenlCtrlCmd, nlas::GenlCtrlAttrs},
};

use crate::{
    netlink::attributes::{Attributes, Malformed, u16_at},
    netlink::request::Request,
};

/// Asks for the number of the family of this name. The kernel loads the module that brings it, where there is one.
pub(super) fn request(name: &str) -> Request {
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
