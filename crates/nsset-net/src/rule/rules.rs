//! The operations on rules.

use nix::errno::Errno;

use super::rule::Rule;
use crate::{
    error::{Error, NetlinkError, Result},
    family::Family,
    netlink::message::Message,
    netlink::request::Request,
    netlink::socket::Group,
    network::Network,
};

/// The rules of a network.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn rules(&self) -> Rules<'_> {
        Rules { network: self }
    }
}

/// `struct fib_rule_hdr` of linux/fib_rules.h.
const HEADER: usize = 12;

impl Rules<'_> {
    /// Lists the rules of a family, or of both, in the order in which they are tried. Fails with `EAGAIN` if they keep changing
    /// while they are listed.
    pub async fn list(&self, family: Option<Family>) -> Result<Vec<Rule>> {
        let mut header = [0; HEADER];
        header[0] = family.map_or(0, Family::number);
        let request = Request::dump(Message::new(libc::RTM_GETRULE, header));
        let groups = [Group::Ipv4Rule, Group::Ipv6Rule];
        let rules = self.network.dump_unchanged(request, &Rule::read, &groups).await;
        rules.map_err(|error| error.of("RTM_GETRULE", ""))
    }

    /// Adds a rule.
    pub async fn add(&self, rule: &Rule) -> Result<()> {
        rule.check()?;
        let outcome = self.network.conversation().act(Request::create(rule.addition())).await;
        outcome.map_err(|error| error.of("RTM_NEWRULE", rule))
    }

    /// Deletes the rule that has exactly these fields, or the first that has at least these.
    pub async fn delete(&self, rule: &Rule) -> Result<()> {
        let rules = self.list(Some(rule.family)).await?;
        let found =
            rules.iter().find(|found| *found == rule).or_else(|| rules.iter().find(|found| rule.matches(found)));
        let Some(found) = found else { return Err(NetlinkError::from(Errno::ENOENT).of("RTM_DELRULE", rule)) };
        match rules.iter().find(|other| found.matches_in_kernel(other)) {
            Some(first) if first != found => {
                let reason =
                    format!("the kernel would delete another rule, {first}, which it finds first: delete that first");
                return Err(Error::InvalidArgument(reason));
            }
            _ => {}
        }
        let outcome = self.network.conversation().act(Request::act(found.deletion())).await;
        outcome.map_err(|error| error.of("RTM_DELRULE", rule))
    }
}

impl Rule {
    fn check(&self) -> Result<()> {
        let nets = [self.from, self.to].into_iter().flatten();
        match nets.into_iter().find(|net| net.trunc() != *net) {
            Some(net) => {
                let reason = format!("{net} is not a network: bits behind the prefix are set; {} is", net.trunc());
                Err(Error::InvalidArgument(reason))
            }
            None => Ok(()),
        }
    }
}
