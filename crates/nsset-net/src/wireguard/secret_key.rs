//! Secret keys: private keys, and preshared keys of two peers.

use std::{fmt, str::FromStr};

use curve25519_dalek::{MontgomeryPoint, scalar::clamp_integer};
use nix::errno::Errno;
use serde::{Serialize, Serializer};
use serde_with::DeserializeFromStr;
use zeroize::Zeroizing;

use super::{base64, public_key::PublicKey};
use crate::error::{Error, NetlinkError, Result};

/// A private or a preshared key.
///
/// Only [`to_base64`](Self::to_base64) and serde reveal it, but not `Debug` or an error. Its memory is overwritten when it is
/// dropped. The copies in requests to the kernel are not overwritten.
///
/// ```
/// use nsset_net::SecretKey;
///
/// let key = SecretKey::generate()?;
/// println!("PrivateKey = {}\nPublicKey = {}", key.to_base64(), key.public());
/// # Ok::<(), nsset_net::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, DeserializeFromStr)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// Generates a private key, like `wg genkey`.
    pub fn generate() -> Result<Self> {
        random().map(|key| Self::from_bytes(clamp_integer(*key.0)))
    }

    /// Generates a preshared key, like `wg genpsk`.
    pub fn generate_preshared() -> Result<Self> {
        random()
    }

    /// Returns the key of all zeros, which removes the private key of a link or the preshared key of a peer.
    pub fn none() -> Self {
        Self::from_bytes([0; 32])
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the key as text.
    pub fn to_base64(&self) -> String {
        base64::encode(&self.0)
    }

    /// Returns the public key of this private key, like `wg pubkey`.
    pub fn public(&self) -> PublicKey {
        PublicKey(MontgomeryPoint::mul_base_clamped(*self.0).to_bytes())
    }

    /// Converts a key from the kernel, which reports all zeros for no key.
    pub(crate) fn from_kernel(bytes: [u8; 32]) -> Option<Self> {
        (bytes != [0; 32]).then(|| Self::from_bytes(bytes))
    }
}

fn random() -> Result<SecretKey> {
    let mut key = SecretKey::none();
    // SAFETY: getrandom(2) writes at most 32 bytes, which is the length of the key.
    let length = Errno::result(unsafe { libc::getrandom(key.0.as_mut_ptr().cast(), key.0.len(), 0) });
    match length {
        // getrandom(2) returns up to 256 bytes completely.
        Ok(32) => Ok(key),
        Ok(_) => Err(NetlinkError::from(Errno::EIO).of("getrandom", "")),
        Err(errno) => Err(NetlinkError::from(errno).of("getrandom", "")),
    }
}

impl FromStr for SecretKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        base64::decode(text).map(Self::from_bytes)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(…)")
    }
}

impl fmt::Display for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl Serialize for SecretKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

#[cfg(test)]
#[allow(clippy::string_slice)]
mod tests {
    use super::*;

    fn bytes(hexadecimal: &str) -> [u8; 32] {
        std::array::from_fn(|place| u8::from_str_radix(&hexadecimal[2 * place..2 * place + 2], 16).unwrap())
    }

    #[test]
    fn the_public_key_is_that_of_rfc_7748() {
        // Section 6.1: Alice's and Bob's.
        for (private, public) in [
            (
                "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
            ),
            (
                "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
            ),
        ] {
            assert_eq!(SecretKey::from_bytes(bytes(private)).public(), PublicKey(bytes(public)));
        }
    }

    #[test]
    fn keys_are_made_by_chance_and_private_ones_are_clamped() {
        let keys = [(); 64].map(|()| SecretKey::generate().unwrap());
        for (place, key) in keys.iter().enumerate() {
            let bytes = key.as_bytes();
            assert_eq!((bytes[0] & 7, bytes[31] & 0xC0), (0, 0x40));
            assert!(!keys[..place].contains(key));
        }
        let preshared = [(); 64].map(|()| SecretKey::generate_preshared().unwrap());
        assert!(preshared.iter().any(|key| key.as_bytes()[0] & 7 != 0));
    }

    #[test]
    fn it_is_shown_to_whom_asks_for_it_only() {
        let key = SecretKey::from_bytes(*b"nsset writes what base64 writes.");
        assert_eq!(format!("{key} {key:?}"), "SecretKey(…) SecretKey(…)");
        assert_eq!(key.to_base64(), "bnNzZXQgd3JpdGVzIHdoYXQgYmFzZTY0IHdyaXRlcy4=");
        assert_eq!(key.to_base64().parse::<SecretKey>().unwrap(), key);
    }
}
