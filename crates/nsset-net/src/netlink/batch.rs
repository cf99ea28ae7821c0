//! A batch of nfnetlink: messages between a first and a last one that the kernel carries out together, or not at all. A batch is one
//! datagram (nfnetlink_rcv_batch() of net/netfilter/nfnetlink.c).

use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST};

use crate::{
    error::NetlinkError,
    netlink::{attributes::u16_at, writer::Writer},
};

/// `NFNL_MSG_BATCH_BEGIN`, `NFNL_MSG_BATCH_END` and `NFNL_BATCH_GENID` of linux/netfilter/nfnetlink.h.
const BEGIN: u16 = 16;
const END: u16 = 17;
const GENERATION: u16 = 1;

/// `struct nlmsghdr` of netlink(7) and `struct nfgenmsg`. Offsets in errors of the kernel count them.
pub(crate) const HEADERS: usize = 20;

/// Returns `struct nfgenmsg` of linux/netfilter/nfnetlink.h: family, version and resource.
pub(crate) fn nfgenmsg(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

/// The messages of a batch. The first has the number 0 and begins it.
#[derive(Debug)]
pub(crate) struct Batch {
    writer: Writer,
    subsystem: u16,
    /// Where each message starts.
    starts: Vec<usize>,
}

impl Batch {
    /// Begins a batch for a subsystem of nfnetlink. With a generation, the kernel refuses the batch if there is a newer one
    /// (`ERESTART`).
    pub fn begin(subsystem: u16, generation: Option<u32>) -> Self {
        let mut batch = Self { writer: Writer::default(), subsystem, starts: Vec::new() };
        batch.write(BEGIN, 0, nfgenmsg(0, subsystem), |writer| {
            if let Some(generation) = generation {
                writer.put_u32(GENERATION, generation);
            }
        });
        batch
    }

    /// Adds a message. Returns its number.
    pub fn add(&mut self, kind: u16, flags: u16, family: u8, attributes: impl FnOnce(&mut Writer)) -> usize {
        self.write(self.subsystem << 8 | kind, flags, nfgenmsg(family, 0), attributes)
    }

    fn write(&mut self, kind: u16, flags: u16, header: [u8; 4], attributes: impl FnOnce(&mut Writer)) -> usize {
        let start = self.writer.len();
        self.writer.extend(&[0; 4]);
        self.writer.extend(&kind.to_ne_bytes());
        self.writer.extend(&(NLM_F_REQUEST | flags).to_ne_bytes());
        self.writer.extend(&[0; 8]);
        self.writer.extend(&header);
        attributes(&mut self.writer);
        let length = (self.writer.len() - start) as u32;
        self.patch(start, &length.to_ne_bytes());
        self.starts.push(start);
        self.starts.len() - 1
    }

    /// Ends the batch. The kernel acknowledges the last message of it when it has carried out all of them.
    pub fn end(&mut self) {
        if let Some(last) = self.starts.last().copied() {
            self.patch(last + 6, &(self.flags(last) | NLM_F_ACK).to_ne_bytes());
        }
        self.write(END, 0, nfgenmsg(0, self.subsystem), |_| {});
    }

    /// The number of the message that the kernel acknowledges.
    pub fn last(&self) -> usize {
        self.starts.len().saturating_sub(2)
    }

    /// How many messages there are.
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The size in bytes.
    pub fn size(&self) -> usize {
        self.writer.len()
    }

    /// Whether a message has an attribute that is too long for its header.
    pub fn is_too_long(&self) -> bool {
        self.writer.is_too_long()
    }

    /// Sets the sequence numbers, from this one on, and returns the bytes.
    pub fn numbered(&mut self, first: u32) -> &[u8] {
        for number in 0..self.starts.len() {
            let Some(start) = self.starts.get(number) else { break };
            self.patch(start + 8, &first.wrapping_add(number as u32).to_ne_bytes());
        }
        self.writer.bytes()
    }

    /// Returns the attributes of a message.
    pub fn attributes(&self, number: usize) -> &[u8] {
        let bounds = (self.starts.get(number), self.starts.get(number + 1));
        let (Some(start), Some(end)) = bounds else { return &[] };
        self.writer.bytes().get(start + HEADERS..*end).unwrap_or_default()
    }

    fn flags(&self, start: usize) -> u16 {
        u16_at(self.writer.bytes(), start + 6).unwrap_or_default()
    }

    fn patch(&mut self, start: usize, value: &[u8]) {
        if let Some(place) = self.writer.bytes_mut().get_mut(start..start + value.len()) {
            place.copy_from_slice(value);
        }
    }
}

/// A message of a batch that the kernel refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The number of the message; 0 for the batch as a whole.
    pub number: usize,
    /// The offset of the attribute that is wrong, among the attributes of the message.
    pub offset: Option<usize>,
    pub error: NetlinkError,
}

impl<E: Into<NetlinkError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self { number: 0, offset: None, error: error.into() }
    }
}
