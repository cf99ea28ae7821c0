//! MACsec (IEEE 802.1AE): frames that are authenticated and encrypted on their way to the next device.

use crate::{
    error::{Error, Result},
    netlink::{
        settings::{settings, words},
        value::NetworkOrder,
    },
    octets::Octets,
};

settings! {
    /// A MACsec link: `IFLA_MACSEC_*` of linux/if_link.h. Its keys are not set by rtnetlink.
    pub struct Macsec {
        /// The identifier of the channel that it sends: a hardware address and a port.
        sci: Octets = 1,
        /// The port of that identifier. The hardware address is that of the link then.
        port: NetworkOrder<u16> = 2,
        /// The length of the check value of each frame, in bytes.
        icv_length: u8 = 3,
        cipher: MacsecCipher = 4,
        /// By how many packets a frame may be late.
        window: u32 = 5,
        /// The secure association that encrypts.
        encoding_association: u8 = 6,
        encrypt: bool = 7,
        protect: bool = 8,
        send_sci: bool = 9,
        end_station: bool = 10,
        single_copy_broadcast: bool = 11,
        replay_protect: bool = 12,
        validation: MacsecValidation = 13,
        offload: MacsecOffload = 15,
    }
}

words! {
    /// The cipher suite.
    pub enum MacsecCipher: u64 {
        /// The kernel's default, by the number that it had first: the kernel reports it by this one.
        GcmAes128 = 0x0080_0200_0100_0001 => "gcm-aes-128",
        GcmAes256 = 0x0080_C200_0100_0002 => "gcm-aes-256",
        GcmAesXpn128 = 0x0080_C200_0100_0003 => "gcm-aes-xpn-128",
        GcmAesXpn256 = 0x0080_C200_0100_0004 => "gcm-aes-xpn-256",
    }
}

words! {
    /// What happens to frames that are not authentic.
    pub enum MacsecValidation: u8 {
        Disabled = 0 => "disabled",
        Check = 1 => "check",
        /// The kernel's default.
        Strict = 2 => "strict",
    }
}

words! {
    /// Which part of the hardware encrypts.
    pub enum MacsecOffload: u8 {
        Off = 0 => "off",
        Phy = 1 => "phy",
        Mac = 2 => "mac",
    }
}

/// The number of bytes of the hardware address in the identifier.
const ADDRESS: usize = 6;

impl Macsec {
    pub(super) fn check(&self) -> Result<()> {
        match (self.port, self.port_of_sci()) {
            (Some(port), Some(of_sci)) if port != of_sci => {
                Err(Error::InvalidArgument("the last two bytes of 'sci' are another port than 'port'".into()))
            }
            _ => Ok(()),
        }
    }

    /// What the kernel takes of it: it refuses an identifier that is not sent (macsec_newlink() of drivers/net/macsec.c), and makes one of
    /// the address of the link and the port.
    pub(super) fn taken(&self) -> Self {
        let is_sent = self.send_sci != Some(false);
        let (sci, port) = (self.sci.clone().filter(|_| is_sent), self.port.or_else(|| self.port_of_sci()));
        Self { sci, port, ..self.clone() }
    }

    /// Reads a link. The kernel reports the port only within the identifier.
    pub(super) fn read_with_port(data: &[u8]) -> Self {
        let link = Self::read(data);
        Self { port: link.port_of_sci(), ..link }
    }

    fn port_of_sci(&self) -> Option<NetworkOrder<u16>> {
        let bytes = self.sci.as_ref()?.0.get(ADDRESS..)?.first_chunk()?;
        Some(NetworkOrder(u16::from_be_bytes(*bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_that_of_the_identifier() {
        let link = Macsec { sci: Some("0200000000010007".parse().unwrap()), ..Macsec::default() };
        let read = Macsec::read_with_port(&link.bytes());
        assert_eq!((read.port, read.check().is_ok()), (Some(NetworkOrder(7)), true));
        assert!(Macsec { port: Some(NetworkOrder(8)), ..read }.check().is_err());
        assert!(Macsec { port: Some(NetworkOrder(8)), ..Macsec::default() }.check().is_ok());
    }

    #[test]
    fn an_identifier_that_is_not_sent_is_left_out_for_its_port() {
        let link = Macsec { sci: Some("0200000000010007".parse().unwrap()), ..Macsec::default() };
        assert_eq!(link.taken().sci, link.sci);
        let silent = Macsec { send_sci: Some(false), ..link }.taken();
        assert_eq!((silent.sci, silent.port), (None, Some(NetworkOrder(7))));
    }
}
