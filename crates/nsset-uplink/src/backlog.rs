//! Packets that wait until their flows are begun.

use std::collections::VecDeque;

use crate::packets::virtio::Offload;

/// How many wait, and how many bytes they have together. Further ones are lost, as on any network.
const MOST: usize = 1024;
const MOST_BYTES: usize = 1 << 20;

#[derive(Debug, Default)]
pub struct Backlog {
    packets: VecDeque<(Vec<u8>, Offload)>,
    bytes: usize,
}

impl Backlog {
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    pub fn add(&mut self, packet: &[u8], offload: Offload) {
        if self.packets.len() >= MOST || self.bytes + packet.len() > MOST_BYTES {
            return;
        }
        self.bytes += packet.len();
        self.packets.push_back((packet.to_vec(), offload));
    }

    /// Takes the one that has waited for the longest time.
    pub fn next(&mut self) -> Option<(Vec<u8>, Offload)> {
        let (packet, offload) = self.packets.pop_front()?;
        self.bytes -= packet.len();
        Some((packet, offload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_a_bound() {
        let mut backlog = Backlog::default();
        for number in 0..100_000_usize {
            backlog.add(&vec![0; number % 3000], Offload::default());
        }
        assert!(backlog.packets.len() <= MOST && backlog.bytes <= MOST_BYTES);
        for number in 0..500 {
            assert_eq!(backlog.next().map(|(packet, _)| packet.len()), Some(number));
        }
        while backlog.next().is_some() {}
        assert_eq!(backlog.bytes, 0);
        for _ in 0..2 * MOST {
            backlog.add(&[1], Offload::default());
        }
        assert_eq!(backlog.packets.len(), MOST);
    }
}
