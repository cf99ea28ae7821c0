//! Sysctls of links. The kernel names their directories after the links, and knows no alternative names there.

use nix::errno::Errno;
use nsset_net::LinkRef;

use crate::{
    network::{outcome::PromisedResults, sockets::Sockets},
    network_thread::failure::Failure,
};

/// Returns the value of a sysctl as JSON.
pub async fn get(sockets: &Sockets, name: String, last: Option<PromisedResults>) -> Result<String, Failure> {
    let error = match sockets.sysctl(name.clone(), last.clone()).await {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match under_its_name(sockets, &name, &error).await {
        Some(name) => Ok(sockets.sysctl(name, last).await?),
        None => Err(error.into()),
    }
}

/// Sets a sysctl.
pub async fn set(
    sockets: &Sockets,
    name: String,
    value: String,
    last: Option<PromisedResults>,
) -> Result<String, Failure> {
    let error = match sockets.set_sysctl(name.clone(), value.clone(), last.clone()).await {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    match under_its_name(sockets, &name, &error).await {
        Some(name) => Ok(sockets.set_sysctl(name, value, last).await?),
        None => Err(error.into()),
    }
}

/// Returns the sysctl of the link that has the alternative name in `name`, if there is no sysctl of that name.
async fn under_its_name(sockets: &Sockets, name: &str, error: &nsset::Error) -> Option<String> {
    if !matches!(error, nsset::Error::System(system) if system.errno == Errno::ENOENT) {
        return None;
    }
    let sysctl = OfLink::parse(name)?;
    let link = sockets.links().await.ok()?.get(&LinkRef::Name(sysctl.link.clone())).await.ok()?;
    (link.name != sysctl.link).then(|| sysctl.of(&link.name))
}

/// A sysctl of a link: `net.ipv4.conf.eth0.forwarding`.
#[derive(Debug)]
struct OfLink<'a> {
    group: [&'a str; 3],
    link: String,
    last: &'a str,
}

impl<'a> OfLink<'a> {
    /// The first separator decides, as with sysctl(8). In a name with dots, a slash stands for a dot in the name of a link.
    fn parse(name: &'a str) -> Option<Self> {
        let separator = name.chars().find(|letter| matches!(letter, '.' | '/'))?;
        let parts: Vec<&str> = name.split(separator).collect();
        let [net, family, group @ ("conf" | "neigh"), link @ .., last] = parts.as_slice() else { return None };
        let link = if separator == '.' { link.join(".").replace('/', ".") } else { link.join("/") };
        (!link.is_empty()).then_some(Self { group: [net, family, group], link, last })
    }

    fn of(&self, link: &str) -> String {
        format!("{}/{link}/{}", self.group.join("/"), self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_of_a_sysctl_is_found_and_replaced() {
        for name in ["net.ipv4.conf.uplink.0.forwarding", "net/ipv4/conf/uplink.0/forwarding"] {
            let sysctl = OfLink::parse(name).unwrap();
            assert_eq!(sysctl.link, "uplink.0");
            assert_eq!(sysctl.of("eth0"), "net/ipv4/conf/eth0/forwarding");
        }
        for name in ["net.ipv4.ip_forward", "net.ipv4.conf.forwarding", "net"] {
            assert!(OfLink::parse(name).is_none(), "{name}");
        }
    }
}
