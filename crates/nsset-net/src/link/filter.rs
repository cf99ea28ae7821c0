//! The filter of requests for links.

use std::sync::OnceLock;

use netlink_packet_route::link::LinkExtentMask;

use super::link::{HEADER, Link};
use crate::netlink::attributes::{Attributes, Malformed};

/// Whether the kernel sends the counters of a link (`IFLA_STATS64`) together with [`LinkExtentMask::SkipStats`], as far as an answer
/// has shown.
static SENDS_COUNTERS: OnceLock<bool> = OnceLock::new();

/// Returns the filter of a request. It has one, because without one the kernel does not compute the length of the longest
/// description, and silently ends a dump before a link with a long one: rtnl_calcit() of net/core/rtnetlink.c.
///
/// Before Linux 7, `SkipStats` leaves out only the counters of IPv6, which the kernel sums up over all CPUs for each link:
/// inet6_fill_ifla6_attrs() of net/ipv6/addrconf.c. Linux 7.2 and 7.3 leave out those of the link, too, so that another filter takes
/// its place: `Mst` is for bridges, and for requests of their own family.
pub(super) fn filter() -> LinkExtentMask {
    if SENDS_COUNTERS.get() == Some(&false) { LinkExtentMask::Mst } else { LinkExtentMask::SkipStats }
}

/// Reads the answer to a request with a filter. After the first one, [`filter`] may return another filter: then the request has to be
/// repeated.
pub(super) fn read(message: &[u8]) -> Result<Link, Malformed> {
    if SENDS_COUNTERS.get().is_none() {
        let _ = SENDS_COUNTERS.set(has_counters(message)?);
    }
    Link::read(message)
}

fn has_counters(message: &[u8]) -> Result<bool, Malformed> {
    for attribute in Attributes::behind(HEADER, message)? {
        if attribute?.0 == libc::IFLA_STATS64 {
            return Ok(true);
        }
    }
    Ok(false)
}
