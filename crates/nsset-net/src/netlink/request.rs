//! Requests to the kernel.

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_DUMP, NLM_F_ECHO, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST,
    NetlinkHeader, NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};

/// The bytes of a request. It gets its sequence number when it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// A request to change or to read one object.
    pub fn act(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_ACK)
    }

    /// A request to create an object that must not exist yet.
    pub fn create(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Like `create`, and asks the kernel to return the new object (`NLM_F_ECHO`). Not every kernel does this.
    pub fn create_and_echo(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO)
    }

    /// A request to create an object, or to replace the existing one.
    pub fn replace(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// A request to create an object, or to add to the existing one.
    pub fn append(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND)
    }

    /// A request to list all objects.
    pub fn dump(message: impl NetlinkSerializable) -> Self {
        Self::new(message, NLM_F_DUMP)
    }

    /// A request for one object without an acknowledgement, so that its answer never ends.
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

    /// Sets the sequence number in the header and returns the bytes.
    pub fn numbered(&mut self, sequence: u32) -> &[u8] {
        if let Some(place) = self.0.get_mut(8..12) {
            place.copy_from_slice(&sequence.to_ne_bytes());
        }
        &self.0
    }
}
