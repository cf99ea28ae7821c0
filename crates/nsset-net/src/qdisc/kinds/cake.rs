//! Common applications kept enhanced: shaping, fairness between hosts and flows, and priorities in one (tc-cake(8)).

use serde::Serialize;

use crate::netlink::{
    attributes::Attributes,
    settings::{settings, words},
    value::{ByteRate, Microseconds, Specified, WideBool},
};

settings! {
    /// Common applications kept enhanced: `TCA_CAKE_*` of linux/pkt_sched.h. Fields that are left out have the kernel's default
    /// values.
    pub struct Cake {
        /// The rate of the link. Without it, there is no shaping.
        rate: Specified<ByteRate> = 2,
        diffserv: Diffserv = 3,
        link_layer: CakeLinkLayer = 4,
        isolation: FlowIsolation = 5,
        /// How many bytes the link adds to each packet. Without it, the size of packets is that which the kernel knows.
        overhead: i32 = 6,
        /// The round-trip time.
        rtt: Microseconds = 7,
        /// The acceptable delay in a queue.
        target: Microseconds = 8,
        /// Whether the rate is estimated from what arrives.
        autorate: WideBool = 9,
        memory_limit: u32 = 10,
        /// Whether hosts are those before a translation of addresses.
        nat: WideBool = 11,
        #[serde(skip)]
        raw: u32 = 12,
        /// Whether the priority in the header of packets is cleared.
        wash: WideBool = 13,
        /// The smallest size of a packet on the link.
        mpu: u32 = 14,
        /// Whether packets that it drops count for the rate.
        ingress: WideBool = 15,
        ack_filter: AckFilter = 16,
        /// Whether large packets are divided.
        split_gso: WideBool = 17,
        /// Which bits of a packet's mark choose its priority.
        mark_mask: u32 = 18,
    }
}

words! {
    /// How many priorities there are.
    pub enum Diffserv: u32 {
        /// The kernel's default.
        Three = 0 => "diffserv3",
        Four = 1 => "diffserv4",
        Eight = 2 => "diffserv8",
        BestEffort = 3 => "besteffort",
        Precedence = 4 => "precedence",
    }
}

words! {
    /// Between what the link is shared fairly.
    pub enum FlowIsolation: u32 {
        None = 0 => "flowblind",
        Source = 1 => "srchost",
        Destination = 2 => "dsthost",
        Hosts = 3 => "hosts",
        Flows = 4 => "flows",
        DualSource = 5 => "dual-srchost",
        DualDestination = 6 => "dual-dsthost",
        /// The kernel's default.
        Triple = 7 => "triple-isolate",
    }
}

words! {
    /// Which cells the link sends packets in.
    pub enum CakeLinkLayer: u32 {
        None = 0 => "noatm",
        Atm = 1 => "atm",
        Ptm = 2 => "ptm",
    }
}

words! {
    /// Which acknowledgements of TCP are dropped where later ones wait.
    pub enum AckFilter: u32 {
        None = 0 => "off",
        Filter = 1 => "on",
        Aggressive = 2 => "aggressive",
    }
}

impl Cake {
    /// Reads the options. The kernel reports an overhead of zero, and `raw`, if there is none.
    pub(crate) fn read_overhead(options: &[u8]) -> Self {
        let cake = Self::read(options);
        let overhead = cake.overhead.filter(|_| cake.raw.is_none());
        Self { overhead, raw: None, ..cake }
    }
}

/// The counters of it all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CakeStatistics {
    #[serde(flatten)]
    pub counters: CakeCounters,
    /// Those of each priority, from the lowest.
    pub tins: Vec<CakeTin>,
}

settings! {
    /// Those that are not of one priority: `TCA_CAKE_STATS_*` of linux/pkt_sched.h.
    pub struct CakeCounters {
        /// What `autorate` estimates.
        capacity_estimate: ByteRate = 2,
        memory_limit: u32 = 3,
        memory_used: u32 = 4,
        average_header: u32 = 5,
        min_packet: u32 = 6,
        max_packet: u32 = 7,
    }
}

settings! {
    /// The counters of one priority: `TCA_CAKE_TIN_STATS_*` of linux/pkt_sched.h.
    pub struct CakeTin {
        packets: u32 = 2,
        bytes: u64 = 3,
        dropped: u32 = 4,
        dropped_bytes: u64 = 5,
        dropped_acks: u32 = 6,
        ecn_marks: u32 = 8,
        queued: u32 = 10,
        backlog: u32 = 11,
        /// Above which it is no longer preferred.
        threshold_rate: ByteRate = 12,
        target: Microseconds = 13,
        interval: Microseconds = 14,
        peak_delay: Microseconds = 18,
        average_delay: Microseconds = 19,
        base_delay: Microseconds = 20,
        sparse_flows: u32 = 21,
        bulk_flows: u32 = 22,
        unresponsive_flows: u32 = 23,
        max_packet: u32 = 24,
        quantum: u32 = 25,
    }
}

/// `TCA_CAKE_STATS_TIN_STATS`.
const TINS: u16 = 10;

impl CakeStatistics {
    pub(crate) fn read(value: &[u8]) -> Self {
        let tins = Attributes::within(value).flatten().filter(|(number, _)| *number == TINS);
        let tins = tins.flat_map(|(_, tins)| Attributes::within(tins).flatten()).map(|(_, tin)| CakeTin::read(tin));
        Self { counters: CakeCounters::read(value), tins: tins.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overhead_comes_back_only_if_there_is_one() {
        let given = Cake { rate: Some(Specified(ByteRate(8000))), overhead: Some(-4), ..Cake::default() };
        assert_eq!(Cake::read_overhead(&given.bytes()), given);
        let raw = Cake { raw: Some(0), overhead: Some(0), ..given.clone() };
        assert_eq!(Cake::read_overhead(&raw.bytes()), Cake { overhead: None, ..given });
        let unlimited = Cake { rate: Some(Specified(ByteRate(0))), ..Cake::default() };
        assert_eq!(Cake::read(&unlimited.bytes()), Cake::default());
    }
}
