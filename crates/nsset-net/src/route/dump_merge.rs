//! Merges several dumps of IPv6 routes, each of which may miss some routes, to one complete list.
//!
//! The kernel lists a table in the order of its tree, one datagram at a time. If the table has changed in between, the kernel
//! starts again at the root and skips as many routes as it has listed (fib6_walk_continue() of net/ipv6/ip6_fib.c). If some of
//! these have been deleted, it skips as many others. So a datagram is complete from its first to its last route, but routes
//! between two datagrams may be missing, if no datagram of another dump covers that gap.

use std::{cmp::Ordering, collections::BTreeMap};

use ipnet::IpNet;

use super::route::Route;
use crate::netlink::conversation::Part;

/// If the last datagram is shorter than others by this much, it had space for more routes, and so is the end of the table.
const ROOM: usize = 2048;

/// The routes of the dumps so far.
#[derive(Debug, Default)]
pub(super) struct DumpMerge {
    tables: BTreeMap<u32, Table>,
}

/// The known routes of a table, and the stretches in which all routes are known.
#[derive(Debug, Default)]
struct Table {
    routes: BTreeMap<Place, Vec<Route>>,
    stretches: Vec<Stretch>,
}

/// A stretch of a table between two positions, which do not belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    after: Bound,
    before: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Start,
    At(Place),
    End,
}

impl Bound {
    const fn excluded(self) -> std::ops::Bound<Place> {
        match self {
            Self::At(place) => std::ops::Bound::Excluded(place),
            Self::Start | Self::End => std::ops::Bound::Unbounded,
        }
    }
}

/// The position of a prefix in the tree: in the order of the bits, longer prefixes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    bits: u128,
    length: u32,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let common = self.length.min(other.length);
        let head = |bits: u128| bits.checked_shr(128 - common).unwrap_or(0);
        head(self.bits).cmp(&head(other.bits)).then(other.length.cmp(&self.length))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Place {
    /// Returns the position of an IPv6 prefix, and `None` for IPv4.
    fn of(cidr: IpNet) -> Option<Self> {
        match cidr {
            IpNet::V4(_) => None,
            IpNet::V6(net) => Some(Self { bits: net.addr().to_bits(), length: net.prefix_len().into() }),
        }
    }
}

impl DumpMerge {
    /// Adds a dump of IPv6 routes. Returns all routes once no table has a gap.
    pub fn add(&mut self, parts: Vec<Part<Route>>) -> Option<Vec<Route>> {
        let full = parts.iter().map(|part| part.length).max().unwrap_or(0);
        let count = parts.len();
        let mut before = None;
        for (number, part) in (1..).zip(parts) {
            let is_end = number == count && part.length + ROOM < full;
            before = self.add_part(part.things, before, is_end).or(before);
        }
        let is_whole = self.tables.values().all(Table::is_whole);
        // Routes with a source prefix are in nested trees, which have another order.
        let mut routes = self.tables.values().flat_map(|table| table.routes.values().flatten());
        if !is_whole || routes.any(|route| route.from.is_some()) {
            return None;
        }
        let tables = std::mem::take(&mut self.tables).into_values();
        Some(tables.flat_map(|table| table.routes.into_values().flatten()).collect())
    }

    /// Adds the routes of a datagram. `before` is the table of the last route before it. Returns the table of its own last route.
    fn add_part(&mut self, routes: Vec<Route>, mut before: Option<u32>, is_end: bool) -> Option<u32> {
        let mut rest = routes.into_iter().peekable();
        while let Some(table) = rest.peek().map(|route| route.table) {
            let mut run = Vec::new();
            while let Some(route) = rest.next_if(|route| route.table == table) {
                run.push(route);
            }
            let starts = before != Some(table);
            let ends = rest.peek().is_some() || is_end;
            self.tables.entry(table).or_default().add(run, starts, ends);
            before = Some(table);
        }
        before
    }
}

impl Table {
    /// Adds consecutive routes of the table. `starts` and `ends` say whether these begin or end the table.
    fn add(&mut self, run: Vec<Route>, starts: bool, ends: bool) {
        let place = |route: Option<&Route>| route.and_then(|route| Place::of(route.destination));
        let (Some(first), Some(last)) = (place(run.first()), place(run.last())) else { return };
        // The first and the last prefix may have more routes, with other metrics.
        let after = if starts { Bound::Start } else { Bound::At(first) };
        let before = if ends { Bound::End } else { Bound::At(last) };
        self.forget(Stretch { after, before });
        for route in run {
            let Some(place) = Place::of(route.destination) else { continue };
            let known = self.routes.entry(place).or_default();
            if !known.iter().any(|known| known.equals_except_expiry(&route)) {
                known.push(route);
            }
        }
        self.know(Stretch { after, before });
    }

    /// Removes the routes of a stretch, because a newer dump has it.
    fn forget(&mut self, stretch: Stretch) {
        if stretch.after >= stretch.before {
            return;
        }
        let range = (stretch.after.excluded(), stretch.before.excluded());
        let inside: Vec<Place> = self.routes.range(range).map(|(place, _)| *place).collect();
        for place in inside {
            self.routes.remove(&place);
        }
    }

    /// Adds a stretch, and joins it with those that it overlaps.
    fn know(&mut self, mut stretch: Stretch) {
        self.stretches.retain(|other| {
            let is_apart = other.before <= stretch.after || stretch.before <= other.after;
            if !is_apart {
                stretch = Stretch { after: stretch.after.min(other.after), before: stretch.before.max(other.before) };
            }
            is_apart
        });
        self.stretches.push(stretch);
    }

    fn is_whole(&self) -> bool {
        self.stretches.contains(&Stretch { after: Bound::Start, before: Bound::End })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{route::RouteKind, scope::Scope};

    fn route(place: Place) -> Route {
        let address = std::net::Ipv6Addr::from_bits(place.bits).into();
        Route {
            destination: IpNet::new(address, place.length as u8).unwrap(),
            kind: RouteKind::Unicast,
            from: None,
            tos: None,
            gateway: None,
            dev: Some(1),
            on_link: false,
            next_hops: Vec::new(),
            next_hop_id: None,
            metric: Some(1024),
            table: 254,
            source: None,
            scope: Scope::Global,
            protocol: 3,
            metrics: None,
            realm: None,
            preference: None,
            expires: None,
            encap: None,
        }
    }

    /// Pseudo-random numbers that are the same in every run (xorshift).
    fn random(state: &mut u64, below: u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state % below
    }

    fn place(number: u64) -> Place {
        let length = [64, 48, 56, 128][(number % 4) as usize];
        Place { bits: u128::from(number).reverse_bits() & u128::MAX << (128 - length), length }
    }

    /// Lists a table like the kernel: if a route was added in between, it skips the listed number of routes from the root.
    fn dump(table: &mut BTreeSet<Place>, state: &mut u64, kept: u64) -> Vec<Part<Route>> {
        let mut parts = Vec::new();
        let (mut count, mut cursor, mut is_new) = (0, None, false);
        loop {
            let rest: Vec<Place> = match cursor {
                Some(_) if is_new => table.iter().copied().skip(count).collect(),
                Some(cursor) => table.iter().copied().filter(|place| *place > cursor).collect(),
                None => table.iter().copied().collect(),
            };
            let things: Vec<_> = rest.iter().take(40).copied().collect();
            let (Some(last), is_last) = (things.last().copied(), things.len() == rest.len()) else { break };
            count += things.len();
            cursor = Some(last);
            let length = 30_000 * things.len() / 40;
            parts.push(Part { things: things.into_iter().map(route).collect(), length });
            if is_last {
                break;
            }
            is_new = false;
            for _ in 0..random(state, 4) {
                let touched = place(kept + random(state, kept));
                if random(state, 2) == 0 {
                    is_new |= table.insert(touched);
                } else {
                    table.remove(&touched);
                }
            }
        }
        parts
    }

    #[test]
    fn unchanged_routes_are_listed_once() {
        let mut state = 0x9E37_79B9_7F4A_7C15;
        let (mut holes, mut attempts) = (0, 0);
        for _ in 0..20 {
            let kept = 1000;
            let untouched: BTreeSet<Place> = (0..kept).map(place).collect();
            let mut table = untouched.clone();
            table.extend((kept..kept + kept / 2).map(place));
            let mut merge = DumpMerge::default();
            let whole = (0..32).find_map(|_| {
                attempts += 1;
                let parts = dump(&mut table, &mut state, kept);
                let listed: BTreeSet<_> = parts
                    .iter()
                    .flat_map(|part| &part.things)
                    .map(|route| Place::of(route.destination).unwrap())
                    .collect();
                holes += usize::from(!listed.is_superset(&untouched));
                merge.add(parts)
            });
            let whole: Vec<_> = whole.unwrap().iter().map(|route| Place::of(route.destination).unwrap()).collect();
            let once: BTreeSet<_> = whole.iter().copied().collect();
            assert!(once.is_superset(&untouched));
            assert_eq!(once.len(), whole.len());
        }
        assert!(holes > 10, "the tables were too tame: {holes} of {attempts}");
    }

    #[test]
    fn the_order_is_that_of_the_tree() {
        let places = ["2001:db8::1/128", "2001:db8::/64", "2001:db8:0:1::/64", "2001:db8::/32", "fd00::/8", "::/0"];
        let places = places.map(|text| Place::of(text.parse().unwrap()).unwrap());
        assert!(places.is_sorted());
    }
}
