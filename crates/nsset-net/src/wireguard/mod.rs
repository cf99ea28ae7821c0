//! WireGuard: the keys and peers of WireGuard links, with generic netlink. The links are created like all others.

mod base64;
mod device;
mod endpoint;
mod messages;
mod peer;
mod public_key;
mod secret_key;
mod spec;
mod wireguards;

pub use device::WireGuard;
pub use endpoint::Endpoint;
pub use peer::Peer;
pub use public_key::PublicKey;
pub use secret_key::SecretKey;
pub use spec::{PeerSpec, WireGuardSpec};
pub use wireguards::WireGuards;
