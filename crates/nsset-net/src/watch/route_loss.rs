//! Detects that IPv4 routes may be lost. The kernel deletes those through a link that goes down, with a source address that is
//! deleted, and through a next-hop object that is deleted, without a notification: fib_table_flush() of net/ipv4/fib_trie.c.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use crate::netlink::{answer::Message, attributes::u32_at};

/// The kernel reports that a link is down before it deletes the routes: the list may be too early, and is repeated then.
const AGAIN: Duration = Duration::from_millis(50);

/// `RTM_DELNEXTHOP` of linux/rtnetlink.h.
const RTM_DELNEXTHOP: u16 = 105;

/// When routes have to be listed.
#[derive(Debug, Default)]
pub(super) struct RouteLoss {
    /// The links that are known to be down.
    down: HashSet<u32>,
    is_suspected: bool,
    again: Option<Instant>,
}

impl RouteLoss {
    /// Reads a notification.
    pub fn hear(&mut self, message: &Message<'_>) {
        let is_loss = match message.kind {
            libc::RTM_NEWLINK => self.is_newly_down(message.body),
            libc::RTM_DELLINK => u32_at(message.body, 4).is_ok_and(|index| !self.down.remove(&index)),
            libc::RTM_DELADDR | RTM_DELNEXTHOP => true,
            _ => false,
        };
        if is_loss {
            self.is_suspected = true;
            self.again = Some(Instant::now() + AGAIN);
        }
    }

    /// Whether a link that was not known to be down is down.
    fn is_newly_down(&mut self, body: &[u8]) -> bool {
        let (Ok(index), Ok(flags), Ok(change)) = (u32_at(body, 4), u32_at(body, 8), u32_at(body, 12)) else {
            return false;
        };
        if flags & libc::IFF_UP as u32 != 0 {
            self.down.remove(&index);
            return false;
        }
        let is_created = change == u32::MAX;
        self.down.insert(index) && !is_created
    }

    /// Whether routes have to be listed now.
    pub fn is_due(&mut self) -> bool {
        let is_again = self.again.is_some_and(|again| again <= Instant::now());
        if is_again {
            self.again = None;
        }
        std::mem::take(&mut self.is_suspected) || is_again
    }

    /// When they have to be listed again.
    pub const fn due(&self) -> Option<Instant> {
        self.again
    }
}
