//! What changes without a notification. Other notifications make it probable: then the part is listed again.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use netlink_packet_core::NLM_F_REPLACE;

use super::part::WatchedPart;
use crate::{
    netlink::{answer::Message, attributes::u32_at},
    vlans,
};

/// The kernel reports that a link is down before it deletes the routes: a list may be too early, and is repeated then. Also the
/// shortest time between two lists of other parts.
const LATER: Duration = Duration::from_millis(50);

/// The longest time until a part is listed again.
const LONGEST: Duration = Duration::from_secs(1);

/// Lists of large parts must not take more than this part of the thread's time: one of ten.
const SHARE: u32 = 10;

/// `RTM_DELNEXTHOP` of linux/rtnetlink.h.
const RTM_DELNEXTHOP: u16 = 105;
/// `RTM_DELCHAIN` of linux/rtnetlink.h.
const RTM_DELCHAIN: u16 = 101;

/// fib_table_flush() of net/ipv4/fib_trie.c and nexthop_flush_dev() of net/ipv4/nexthop.c send no notifications.
const ROUTING: [WatchedPart; 2] = [WatchedPart::Routes, WatchedPart::NextHops];

/// Which parts have to be listed, and when.
#[derive(Debug, Default)]
pub(super) struct Unannounced {
    /// The links that are known to be down.
    down: HashSet<u32>,
    /// The links that are known to have no carrier.
    idle: HashSet<u32>,
    has_lost_routes: bool,
    later: BTreeMap<WatchedPart, Instant>,
    /// How long the latest list of a part took.
    took: BTreeMap<WatchedPart, Duration>,
}

impl Unannounced {
    /// Reads a notification.
    pub fn hear(&mut self, message: &Message<'_>) {
        let now = Instant::now();
        if self.is_loss_of_routes(message) {
            self.has_lost_routes = true;
            for part in ROUTING {
                self.later.insert(part, now + LATER);
            }
        }
        for part in suspects(message) {
            let pause = self.took.get(part).map_or(LATER, |took| (*took * SHARE).clamp(LATER, LONGEST));
            self.later.entry(*part).or_insert(now + pause);
        }
    }

    fn is_loss_of_routes(&mut self, message: &Message<'_>) -> bool {
        match message.kind {
            libc::RTM_NEWLINK => self.is_newly_down(message.body),
            libc::RTM_DELLINK => u32_at(message.body, 4).is_ok_and(|index| {
                self.idle.remove(&index);
                !self.down.remove(&index)
            }),
            libc::RTM_DELADDR | RTM_DELNEXTHOP => true,
            _ => false,
        }
    }

    /// Whether a link is down, or has no carrier, that was not known to be so.
    fn is_newly_down(&mut self, body: &[u8]) -> bool {
        let (Ok(index), Ok(flags), Ok(change)) = (u32_at(body, 4), u32_at(body, 8), u32_at(body, 12)) else {
            return false;
        };
        let is_created = change == u32::MAX;
        let is_down = flags & libc::IFF_UP as u32 == 0;
        let is_idle = flags & (libc::IFF_RUNNING | libc::IFF_LOWER_UP) as u32 == 0;
        let is_new = note(&mut self.down, index, is_down) | note(&mut self.idle, index, is_idle);
        is_new && !is_created
    }

    /// Takes the parts that have to be listed now.
    pub fn take_due(&mut self) -> Vec<WatchedPart> {
        let now = Instant::now();
        let mut due: Vec<_> = self.later.iter().filter(|(_, at)| **at <= now).map(|(part, _)| *part).collect();
        self.later.retain(|_, at| *at > now);
        if std::mem::take(&mut self.has_lost_routes) {
            due.extend(ROUTING);
        }
        due
    }

    /// When the next part has to be listed.
    pub fn due(&self) -> Option<Instant> {
        self.later.values().min().copied()
    }

    /// Notes how long a list took.
    pub fn listed(&mut self, part: WatchedPart, took: Duration) {
        self.took.insert(part, took);
    }
}

/// Adds an index to a set, or removes it. Returns whether it is new there.
fn note(set: &mut HashSet<u32>, index: u32, is_in: bool) -> bool {
    if is_in {
        return set.insert(index);
    }
    set.remove(&index);
    false
}

/// The parts that may have changed without a notification.
fn suspects(message: &Message<'_>) -> &'static [WatchedPart] {
    use WatchedPart::{Classes, Filters, ForwardingEntries, Qdiscs, Vlans};
    match message.kind {
        // A bridge reports changes of its ports in its own family.
        libc::RTM_NEWLINK | libc::RTM_DELLINK if message.body.first() != Some(&0) => &[],
        // dev_activate() of net/sched/sch_generic.c: a link that comes up gets a default queueing discipline. It also joins groups,
        // and gets addresses of links above it.
        libc::RTM_NEWLINK => &[Qdiscs, Classes, ForwardingEntries],
        libc::RTM_DELLINK => &[Qdiscs, Classes, Filters, ForwardingEntries],
        libc::RTM_NEWQDISC if message.flags & NLM_F_REPLACE != 0 => &[Qdiscs, Classes, Filters],
        // qdisc_graft() of net/sched/sch_api.c: what was inside a queueing discipline goes with it, and the default takes its place.
        libc::RTM_DELQDISC | libc::RTM_DELTCLASS => &[Qdiscs, Classes, Filters],
        // Many kinds create their classes themselves, and the class above has a new leaf. A class that gets its first child loses
        // its queueing discipline.
        libc::RTM_NEWQDISC | libc::RTM_NEWTCLASS => &[Qdiscs, Classes],
        // One notification can be about all filters of a priority.
        libc::RTM_DELTFILTER | RTM_DELCHAIN => &[Filters],
        // The previous VLAN of frames without a tag is such a VLAN no more.
        vlans::RTM_NEWVLAN => &[Vlans],
        // mall_change() of net/sched/cls_matchall.c: the notification of a new filter does not describe it.
        libc::RTM_NEWTFILTER if u32_at(message.body, 8) == Ok(0) => &[Filters],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, body: &[u8]) -> Message<'_> {
        Message { kind, flags: 0, sequence: 0, body }
    }

    /// `struct ifinfomsg`.
    fn link(index: u32, flags: i32, change: u32) -> Vec<u8> {
        [0, index, flags as u32, change].into_iter().flat_map(u32::to_ne_bytes).collect()
    }

    const UP: i32 = libc::IFF_UP | libc::IFF_RUNNING | libc::IFF_LOWER_UP;

    #[test]
    fn routes_are_listed_when_a_link_goes_down_or_loses_its_carrier() {
        for flags in [0, libc::IFF_UP] {
            let mut unannounced = Unannounced::default();
            unannounced.hear(&message(libc::RTM_NEWLINK, &link(7, UP, 1)));
            assert!(!unannounced.take_due().contains(&WatchedPart::Routes));
            unannounced.hear(&message(libc::RTM_NEWLINK, &link(7, flags, 1)));
            assert_eq!(unannounced.take_due(), ROUTING);
            assert!(unannounced.due().is_some(), "they are listed once more");
            unannounced.hear(&message(libc::RTM_NEWLINK, &link(7, flags, 1)));
            assert_eq!(unannounced.take_due(), []);
        }
    }

    #[test]
    fn a_new_link_had_no_routes() {
        let mut unannounced = Unannounced::default();
        unannounced.hear(&message(libc::RTM_NEWLINK, &link(7, 0, u32::MAX)));
        unannounced.hear(&message(libc::RTM_DELLINK, &link(7, 0, u32::MAX)));
        assert_eq!(unannounced.take_due(), []);
    }

    #[test]
    fn a_large_part_is_listed_less_often() {
        let mut unannounced = Unannounced::default();
        unannounced.listed(WatchedPart::Filters, Duration::from_millis(90));
        unannounced.hear(&message(RTM_DELCHAIN, &[]));
        let due = unannounced.due().unwrap();
        assert!(due > Instant::now() + Duration::from_millis(500));
        unannounced.hear(&message(RTM_DELCHAIN, &[]));
        assert_eq!(unannounced.due(), Some(due), "it is not put off");
    }
}
