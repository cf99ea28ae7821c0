//! An XFRM interface: a link for the packets that IPsec policies and states with its id encrypt.

use crate::netlink::settings::settings;

settings! {
    /// An XFRM interface: `IFLA_XFRM_*` of linux/if_link.h.
    pub struct Xfrm {
        interface_id: u32 = 2,
    }
}
