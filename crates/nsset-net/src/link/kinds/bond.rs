//! A bond: several links, its ports, that work as one.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use crate::{
    link_ref::LinkRef,
    mac::Mac,
    netlink::{
        settings::{settings, words},
        value::WholeMilliseconds,
    },
};

settings! {
    /// A bond: `IFLA_BOND_*` of linux/if_link.h. Its ports are the links that have it as their master.
    pub struct Bond {
        mode: BondMode = 1,
        /// The port that is in use, of those that take turns.
        active_port: LinkRef = 2,
        /// The interval for checking the carrier of the ports. By default the kernel does not check it.
        monitor_interval: WholeMilliseconds = 3,
        /// How long a port waits after its carrier has come back.
        up_delay: WholeMilliseconds = 4,
        /// How long a port stays in use after its carrier is lost.
        down_delay: WholeMilliseconds = 5,
        /// The interval of the ARP requests that check the ports, instead of their carrier.
        arp_interval: WholeMilliseconds = 7,
        arp_ip_targets: Vec<Ipv4Addr> = 8,
        arp_validate: ArpValidate = 9,
        arp_all_targets: ArpAllTargets = 10,
        /// The port that is in use if it works. Index 0: none.
        primary: LinkRef = 11,
        primary_reselect: PrimaryReselect = 12,
        failover_mac: FailoverMac = 13,
        /// What decides which port sends a packet.
        transmit_hash: TransmitHash = 14,
        /// How many IGMP reports follow a failover.
        resend_igmp: u32 = 15,
        /// How many gratuitous ARP replies and neighbour advertisements follow a failover.
        peer_notifications: u8 = 16,
        /// Whether ports that are not active also receive.
        all_ports_active: bool = 17,
        min_links: u32 = 18,
        learning_packet_interval: u32 = 19,
        packets_per_port: u32 = 20,
        lacp_rate: LacpRate = 21,
        lacp_select: LacpSelect = 22,
        lacp_system_priority: u16 = 24,
        lacp_user_key: u16 = 25,
        lacp_system: Mac = 26,
        dynamic_balance: bool = 27,
        peer_notify_delay: WholeMilliseconds = 28,
        lacp_active: bool = 29,
        missed_max: u8 = 30,
        ns_ip6_targets: Vec<Ipv6Addr> = 31,
        coupled_control: bool = 32,
        broadcast_neighbours: bool = 33,
    }
}

impl Bond {
    /// Returns the settings without those defaults of the kernel that it refuses to be given: options of other modes
    /// (`EACCES`), and delays of zero without a monitor interval (`EPERM`; drivers/net/bonding/bond_options.c). So a bond
    /// can be created with everything that was read of another.
    pub(super) fn without_refused_defaults(&self) -> Self {
        let mut bond = self.clone();
        if self.monitor_interval.as_ref().is_some_and(is_zero) {
            for delay in [&mut bond.up_delay, &mut bond.down_delay, &mut bond.peer_notify_delay] {
                leave_out(delay, is_zero);
            }
        }
        let Some(mode) = self.mode else { return bond };
        if mode != BondMode::BalanceRoundRobin {
            leave_out(&mut bond.packets_per_port, |packets| *packets == 1);
        }
        if mode != BondMode::Ieee8023ad {
            leave_out(&mut bond.lacp_rate, |rate| *rate == LacpRate::Slow);
            leave_out(&mut bond.lacp_active, |is_active| *is_active);
            leave_out(&mut bond.coupled_control, |is_coupled| *is_coupled);
            leave_out(&mut bond.broadcast_neighbours, |is_broadcast| !is_broadcast);
        }
        if !matches!(mode, BondMode::BalanceTransmit | BondMode::BalanceAdaptive) {
            leave_out(&mut bond.dynamic_balance, |is_dynamic| *is_dynamic);
        }
        if matches!(mode, BondMode::Ieee8023ad | BondMode::BalanceTransmit | BondMode::BalanceAdaptive) {
            leave_out(&mut bond.arp_interval, is_zero);
            leave_out(&mut bond.arp_validate, |validate| *validate == ArpValidate::None);
            leave_out(&mut bond.missed_max, |most| *most == 2);
        }
        bond
    }
}

impl Bond {
    /// Returns the settings that undo changes. A bond without a primary port is listed without that setting.
    pub(super) fn undoing(&self, changes: &Self) -> Self {
        let primary = changes.primary.as_ref().map(|_| self.primary.clone().unwrap_or(LinkRef::Index(0)));
        Self { primary, ..self.of_those_in(changes) }
    }
}

fn leave_out<T>(setting: &mut Option<T>, is_default: impl FnOnce(&T) -> bool) {
    if setting.as_ref().is_some_and(is_default) {
        *setting = None;
    }
}

fn is_zero(interval: &WholeMilliseconds) -> bool {
    *interval == Duration::ZERO.into()
}

words! {
    /// How the bond chooses the port for a packet.
    pub enum BondMode: u8 {
        /// The kernel's default.
        BalanceRoundRobin = 0 => "balance-rr",
        ActiveBackup = 1 => "active-backup",
        BalanceXor = 2 => "balance-xor",
        Broadcast = 3 => "broadcast",
        /// LACP.
        Ieee8023ad = 4 => "802.3ad",
        BalanceTransmit = 5 => "balance-tlb",
        BalanceAdaptive = 6 => "balance-alb",
    }
}

words! {
    /// Which ports check that an ARP reply came.
    pub enum ArpValidate: u32 {
        None = 0 => "none",
        Active = 1 => "active",
        Backup = 2 => "backup",
        All = 3 => "all",
        Filter = 4 => "filter",
        FilterActive = 5 => "filter_active",
        FilterBackup = 6 => "filter_backup",
    }
}

words! {
    /// How many targets have to answer.
    pub enum ArpAllTargets: u32 {
        Any = 0 => "any",
        All = 1 => "all",
    }
}

words! {
    /// When the primary port becomes the active one again.
    pub enum PrimaryReselect: u8 {
        Always = 0 => "always",
        Better = 1 => "better",
        Failure = 2 => "failure",
    }
}

words! {
    /// Which hardware addresses the ports have.
    pub enum FailoverMac: u8 {
        None = 0 => "none",
        Active = 1 => "active",
        Follow = 2 => "follow",
    }
}

words! {
    /// What decides which port sends a packet.
    pub enum TransmitHash: u8 {
        Layer2 = 0 => "layer2",
        Layer34 = 1 => "layer3+4",
        Layer23 = 2 => "layer2+3",
        Encapsulated23 = 3 => "encap2+3",
        Encapsulated34 = 4 => "encap3+4",
        VlanSourceMac = 5 => "vlan+srcmac",
    }
}

words! {
    /// How often LACP partners send.
    pub enum LacpRate: u8 {
        Slow = 0 => "slow",
        Fast = 1 => "fast",
    }
}

words! {
    /// Which aggregator is chosen.
    pub enum LacpSelect: u8 {
        Stable = 0 => "stable",
        Bandwidth = 1 => "bandwidth",
        Count = 2 => "count",
    }
}
