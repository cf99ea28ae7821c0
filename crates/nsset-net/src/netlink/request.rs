//! A request, as it goes to the kernel.

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_ECHO, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};

/// The bytes of a request. Its sequence number is given to it when it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// Asks for something to be done, or for one thing.
    pub fn act(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_ACK)
    }

    /// Asks for something to be made that is not there yet.
    pub fn create(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)
    }

    /// The same, and to be told what was made. Not every kernel tells.
    pub fn create_and_tell(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO)
    }

    /// Asks for something to be made, or put in the place of what is there.
    pub fn replace(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// Asks for everything.
    pub fn dump(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_DUMP)
    }

    /// Asks for one thing in such a way that the answer never ends.
    #[cfg(test)]
    pub fn endless(message: impl NetlinkSerializable) -> Self {
        Self::new(message, 0)
    }

    fn new(message: impl NetlinkSerializable, flags: u16) -> Self {
        let mut message = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::InnerMessage(message));
        message.header.flags = NLM_F_REQUEST | flags;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        Self(bytes)
    }

    /// The bytes, with this sequence number in the header.
    pub fn numbered(&mut self, sequence: u32) -> &[u8] {
        if let Some(place) = self.0.get_mut(8..12) {
            place.copy_from_slice(&sequence.to_ne_bytes());
        }
        &self.0
    }
}
