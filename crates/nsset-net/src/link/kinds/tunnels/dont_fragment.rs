//! Whether routers must not divide the outer packets of a tunnel.

use crate::netlink::settings::words;

words! {
    /// The bit of the IPv4 header: `VXLAN_DF_*` and `GENEVE_DF_*` of linux/if_link.h.
    pub enum DontFragment: u8 {
        /// The kernel's default.
        Unset = 0 => "unset",
        Set = 1 => "set",
        /// That of the inner packet.
        Inherit = 2 => "inherit",
    }
}
