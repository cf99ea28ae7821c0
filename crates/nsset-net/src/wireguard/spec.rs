//! The changes to a WireGuard link.

use std::{collections::HashMap, time::Duration};

use ipnet::IpNet;
use serde::Deserialize;
use serde_with::serde_as;

use super::{endpoint::Endpoint, public_key::PublicKey, secret_key::SecretKey};
use crate::{
    error::{Error, Result},
    milliseconds::Milliseconds,
};

/// Changes to the keys and peers of a link, like `wg set`: wg(8). Fields that are left out do not change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WireGuardSpec {
    /// The private key. All zeros remove it.
    pub private_key: Option<SecretKey>,
    /// The UDP port, in the network in which the link was created. With 0 the kernel chooses one.
    pub listen_port: Option<u16>,
    /// The mark of outgoing packets; 0 removes it.
    pub fwmark: Option<u32>,
    /// Whether to remove the existing peers before these are added.
    pub replace_peers: bool,
    pub peers: Vec<PeerSpec>,
}

/// Changes to a peer. A peer that does not exist is added.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeerSpec {
    /// The key that identifies the peer. The kernel ignores a peer with the link's own key.
    pub public_key: PublicKey,
    /// The preshared key. All zeros remove it.
    pub preshared_key: Option<SecretKey>,
    /// The address of the peer, until a valid packet comes from another one. A zone must be an index ([`Endpoint::on`]), in the
    /// network in which the WireGuard link was created.
    pub endpoint: Option<Endpoint>,
    /// The keepalive interval, in whole seconds, at most 65535; 0 turns keepalive off.
    #[serde_as(as = "Option<Milliseconds>")]
    pub persistent_keepalive: Option<Duration>,
    /// Addresses to add to those that belong to the peer. If another peer has one of them, it loses that address.
    #[serde(default)]
    pub allowed_ips: Vec<IpNet>,
    /// Whether to remove the existing addresses before these are added.
    #[serde(default)]
    pub replace_allowed_ips: bool,
    /// Whether to remove the peer. All other fields are then ignored.
    #[serde(default)]
    pub remove: bool,
    /// Whether to change only an existing peer, and not to add one.
    #[serde(default)]
    pub update_only: bool,
}

impl WireGuardSpec {
    /// Returns an error for changes that are invalid on every kernel.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_keys()?;
        self.check_addresses()?;
        self.peers.iter().try_for_each(|peer| peer.keepalive_seconds().map(drop))
    }

    /// Returns an error for a peer with the link's own key, which the kernel silently ignores.
    fn check_keys(&self) -> Result<()> {
        let Some(own) = self.private_key.as_ref().map(SecretKey::public) else { return Ok(()) };
        match self.peers.iter().position(|peer| peer.public_key == own && !peer.remove) {
            Some(at) => Err(Error::InvalidArgument(format!("'peers[{at}]' has the public key of the link itself"))),
            None => Ok(()),
        }
    }

    /// Returns an error for two peers with the same address, which the kernel would give to the later one.
    fn check_addresses(&self) -> Result<()> {
        let mut owners = HashMap::new();
        for (at, peer) in self.peers.iter().enumerate().filter(|(_, peer)| !peer.remove) {
            for address in peer.allowed_ips.iter().map(IpNet::trunc) {
                let first = *owners.entry(address).or_insert(at);
                if self.peers.get(first).is_some_and(|first| first.public_key != peer.public_key) {
                    let text = format!(
                        "{address} is of 'peers[{first}]' and of 'peers[{at}]': it can belong to only one peer"
                    );
                    return Err(Error::InvalidArgument(text));
                }
            }
        }
        Ok(())
    }
}

impl PeerSpec {
    /// Returns changes to the peer with this key, without any fields set.
    pub const fn new(public_key: PublicKey) -> Self {
        Self {
            public_key,
            preshared_key: None,
            endpoint: None,
            persistent_keepalive: None,
            allowed_ips: Vec::new(),
            replace_allowed_ips: false,
            remove: false,
            update_only: false,
        }
    }

    /// Returns the interval in the kernel's format.
    pub(crate) fn keepalive_seconds(&self) -> Result<Option<u16>> {
        let Some(interval) = self.persistent_keepalive else { return Ok(None) };
        match u16::try_from(interval.as_secs()) {
            Ok(seconds) if interval.subsec_nanos() == 0 => Ok(Some(seconds)),
            _ => Err(Error::OutOfRange(format!(
                "the interval of a persistent keepalive must be 0 to 65535 whole seconds, not {interval:?}"
            ))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::string_slice)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    const KEY: &str = "bnNzZXQgd3JpdGVzIHdoYXQgYmFzZTY0IHdyaXRlcy4=";

    #[test]
    fn it_is_data_as_javascript_writes_it() {
        let data = json!({
            "privateKey": KEY,
            "listenPort": 51820,
            "fwmark": 7,
            "replacePeers": true,
            "peers": [{
                "publicKey": KEY,
                "presharedKey": KEY,
                "endpoint": "[2001:db8::1]:51820",
                "persistentKeepalive": 25000.0,
                "allowedIps": ["10.0.0.0/24", "fd00::/64"],
                "replaceAllowedIps": true,
                "remove": false,
                "updateOnly": true,
            }],
        });
        let spec: WireGuardSpec = from_value(data).unwrap();
        assert_eq!(spec.peers[0].persistent_keepalive, Some(Duration::from_secs(25)));
        assert_eq!(spec.peers[0].endpoint, Some("[2001:db8::1]:51820".parse().unwrap()));
        assert_eq!((spec.listen_port, spec.fwmark, spec.replace_peers), (Some(51820), Some(7), true));
    }

    #[test]
    fn fields_that_are_left_out_are_not_sent() {
        let spec: WireGuardSpec = from_value(json!({ "peers": [{ "publicKey": KEY }] })).unwrap();
        let peers = vec![PeerSpec::new(KEY.parse().unwrap())];
        assert_eq!(spec, WireGuardSpec { peers, ..WireGuardSpec::default() });
    }

    #[test]
    fn invalid_data_is_rejected_without_quoting_keys() {
        let almost = &KEY[1..];
        let wrong = [
            (
                json!({ "privateKey": almost }),
                "not a WireGuard key: a key has 44 characters of base64, which are 32 bytes",
            ),
            (json!({ "privateKey": [1] }), "invalid type: sequence, expected "),
            (json!({ "peers": [{ "publicKey": almost }] }), "not a WireGuard key: "),
            (json!({ "peers": [{ "publicKey": KEY, "presharedKey": almost }] }), "not a WireGuard key: "),
            (json!({ "peers": [{}] }), "missing field `publicKey`"),
            (json!({ "listenPort": 65536 }), "invalid value: integer `65536`, expected u16"),
            (json!({ "mtu": 1420 }), "unknown field `mtu`"),
            (json!({ "peers": [{ "publicKey": KEY, "endpoint": "host:1" }] }), "invalid socket address syntax"),
            (json!({ "peers": [{ "publicKey": KEY, "allowedIps": ["10/8"] }] }), "invalid IP address syntax"),
            (
                json!({ "peers": [{ "publicKey": KEY, "persistentKeepalive": -1 }] }),
                "cannot convert float seconds to Duration: value is negative",
            ),
        ];
        for (data, expected) in wrong {
            let error = from_value::<WireGuardSpec>(data).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains(&almost[..20]), "{error}");
        }
    }

    #[test]
    fn changes_that_the_kernel_would_ignore_are_rejected() {
        let key = |number| PublicKey([number; 32]);
        let peer = |number, addresses: &[&str]| PeerSpec {
            allowed_ips: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            ..PeerSpec::new(key(number))
        };
        let check = |peers| WireGuardSpec { peers, ..WireGuardSpec::default() }.check();
        check(vec![peer(1, &["10.0.0.0/8"]), peer(2, &["10.0.0.0/16"]), peer(1, &["10.0.0.0/8"])]).unwrap();
        let shared = check(vec![peer(1, &["10.0.0.0/8"]), peer(2, &["10.1.0.0/8"])]).unwrap_err();
        assert!(shared.to_string().contains("10.0.0.0/8 is of 'peers[0]' and of 'peers[1]'"), "{shared}");
        check(vec![peer(1, &["10.0.0.0/8"]), PeerSpec { remove: true, ..peer(2, &["10.0.0.0/8"]) }]).unwrap();
        let own: SecretKey = KEY.parse().unwrap();
        let peers = vec![PeerSpec::new(own.public())];
        let mirrored = WireGuardSpec { private_key: Some(own), peers, ..WireGuardSpec::default() }.check().unwrap_err();
        assert!(mirrored.to_string().contains("'peers[0]' has the public key of the link itself"), "{mirrored}");
    }

    #[test]
    fn an_interval_is_whole_seconds() {
        let check = |interval| {
            let peer = PeerSpec { persistent_keepalive: Some(interval), ..PeerSpec::new(KEY.parse().unwrap()) };
            WireGuardSpec { peers: vec![peer], ..WireGuardSpec::default() }.check()
        };
        for seconds in [0, 1, 65535] {
            check(Duration::from_secs(seconds)).unwrap();
        }
        for interval in [Duration::from_millis(1500), Duration::from_secs(65536), Duration::MAX] {
            assert!(matches!(check(interval), Err(Error::OutOfRange(_))), "{interval:?}");
        }
    }
}
