//! All rules of an uplink.

use std::net::IpAddr;

use crate::rules::{Closed, Protocol, Rule, closed};

/// Where a flow goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    pub protocol: Protocol,
    pub address: IpAddr,
    /// 0 for a protocol without ports.
    pub port: u16,
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A rule denies it.
    Denied,
    /// No rule allows it.
    NotAllowed,
    /// The address is closed, and no rule names it.
    Closed(Closed),
    /// `decide` has answered no.
    Decided,
    /// `decide` has not answered in time.
    Undecided,
    /// The bytes of the flow name a host that no rule allows.
    OtherName,
    /// The first bytes could not be read as what they begin like.
    Unreadable,
    /// There are too many flows.
    Limit,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotAllowed => "not-allowed",
            Self::Closed(_) => "closed",
            Self::Decided => "decided",
            Self::Undecided => "undecided",
            Self::OtherName => "other-name",
            Self::Unreadable => "unreadable",
            Self::Limit => "limit",
        }
    }
}

/// What the rules say about a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A rule about addresses allows it.
    Allowed,
    /// Only the name allows it: a name in its bytes has to be allowed, too.
    AllowedByName,
    /// No rule settles it.
    Ask,
    Refused(Reason),
}

/// The rules of an uplink. A rule that denies comes before those that allow.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    pub allow: Vec<Rule>,
    pub deny: Vec<Rule>,
    /// Whether what no rule names is allowed, if it is not closed.
    pub is_open: bool,
    /// Whether what no rule names is asked.
    pub asks: bool,
}

impl RuleSet {
    /// Judges a flow by its address and the names for which this address was the answer.
    pub fn judge(&self, to: Destination, names: &[String], is_own: bool) -> Verdict {
        let of_address = |rule: &&Rule| rule.fits(to.protocol, to.port) && rule.has_address(to.address);
        let of_name = |rule: &&Rule| rule.fits(to.protocol, to.port) && names.iter().any(|name| rule.has_name(name));
        let of_all = |rule: &&Rule| rule.fits(to.protocol, to.port) && rule.has_every_address();
        if self.deny.iter().any(|rule| of_address(&rule) || of_name(&rule) || of_all(&rule)) {
            return Verdict::Refused(Reason::Denied);
        }
        if let Some(why) = self.closed(to, is_own) {
            return Verdict::Refused(Reason::Closed(why));
        }
        if self.is_open || self.allow.iter().any(|rule| of_address(&rule) || of_all(&rule)) {
            return Verdict::Allowed;
        }
        if self.allow.iter().any(|rule| of_name(&rule)) {
            return Verdict::AllowedByName;
        }
        if self.asks { Verdict::Ask } else { Verdict::Refused(Reason::NotAllowed) }
    }

    /// Whether a name may be looked up: it could be allowed for some port. Every name may, if flows are asked or are open.
    pub fn judge_name(&self, name: &str) -> Result<(), Reason> {
        let denies = |rule: &Rule| rule.ports.is_none() && rule.protocol.is_none() && rule.has_name(name);
        if self.deny.iter().any(denies) {
            return Err(Reason::Denied);
        }
        let allows = |rule: &Rule| rule.has_name(name) || rule.has_every_address();
        if self.is_open || self.asks || self.allow.iter().any(allows) { Ok(()) } else { Err(Reason::NotAllowed) }
    }

    /// Judges a name that the bytes of a flow contain, for a flow that only its name allows.
    pub fn judge_name_inside(&self, name: &str, to: Destination, by_name: bool) -> Result<(), Reason> {
        let of_name = |rule: &&Rule| rule.fits(to.protocol, to.port) && rule.has_name(name);
        if self.deny.iter().any(|rule| of_name(&rule)) {
            return Err(Reason::Denied);
        }
        if !by_name || self.allow.iter().any(|rule| of_name(&rule)) { Ok(()) } else { Err(Reason::OtherName) }
    }

    /// Whether an address may be in an answer to a name: one that leads inward may not, if no rule names it.
    pub fn may_answer(&self, address: IpAddr) -> bool {
        let Some((range, why)) = closed(address) else { return true };
        !why.is_final() && self.allow.iter().any(|rule| rule.has_address(address) && rule.opens(range))
    }

    /// Whether names matter: then answers that would hide them are withheld.
    pub fn has_names(&self) -> bool {
        self.allow.iter().chain(&self.deny).any(|rule| rule.name.is_some())
    }

    /// Whether a name in the bytes of a flow can deny it.
    pub fn denies_names(&self) -> bool {
        self.deny.iter().any(|rule| rule.name.is_some())
    }

    fn closed(&self, to: Destination, is_own: bool) -> Option<Closed> {
        let named = |rule: &&Rule| rule.fits(to.protocol, to.port) && rule.has_address(to.address);
        if let Some((range, why)) = closed(to.address)
            && (why.is_final() || !self.allow.iter().filter(named).any(|rule| rule.opens(range)))
        {
            return Some(why);
        }
        let is_named = || self.allow.iter().filter(named).any(Rule::is_one_address);
        (is_own && !is_named()).then_some(Closed::Own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::NamePattern;

    fn rule(text: &str) -> Rule {
        let (place, port) = match text.rsplit_once(" :") {
            Some((place, port)) => (place, Some(port.parse().unwrap())),
            None => (text, None),
        };
        let range = place.parse().ok();
        let name = if range.is_none() { Some(NamePattern::new(place)) } else { None };
        Rule { name, range, ports: port.map(|port| port..=port), protocol: None }
    }

    fn rules(allow: &[&str], deny: &[&str]) -> RuleSet {
        let all = |texts: &[&str]| texts.iter().map(|text| rule(text)).collect();
        RuleSet { allow: all(allow), deny: all(deny), ..RuleSet::default() }
    }

    fn to(address: &str, port: u16) -> Destination {
        Destination { protocol: Protocol::Tcp, address: address.parse().unwrap(), port }
    }

    #[test]
    fn a_name_opens_its_port_and_no_closed_address() {
        let rules = rules(&["*.example.org :443"], &[]);
        let names = ["a.example.org".to_owned()];
        assert_eq!(rules.judge(to("1.2.3.4", 443), &names, false), Verdict::AllowedByName);
        assert_eq!(rules.judge(to("1.2.3.4", 80), &names, false), Verdict::Refused(Reason::NotAllowed));
        assert_eq!(rules.judge(to("1.2.3.4", 443), &[], false), Verdict::Refused(Reason::NotAllowed));
        let closed = Verdict::Refused(Reason::Closed(Closed::Private));
        assert_eq!(rules.judge(to("10.0.0.1", 443), &names, false), closed);
    }

    #[test]
    fn a_wide_range_opens_no_closed_one() {
        let wide = rules(&["0.0.0.0/0"], &[]);
        assert_eq!(wide.judge(to("1.2.3.4", 1), &[], false), Verdict::Allowed);
        assert_eq!(wide.judge(to("192.168.1.1", 1), &[], false), Verdict::Refused(Reason::Closed(Closed::Private)));
        let narrow = rules(&["192.168.1.0/24"], &[]);
        assert_eq!(narrow.judge(to("192.168.1.1", 1), &[], false), Verdict::Allowed);
        assert_eq!(narrow.judge(to("192.168.2.1", 1), &[], false), Verdict::Refused(Reason::Closed(Closed::Private)));
    }

    #[test]
    fn own_addresses_need_a_rule_of_their_own() {
        let own = Verdict::Refused(Reason::Closed(Closed::Own));
        assert_eq!(rules(&["10.0.0.0/8"], &[]).judge(to("10.0.0.1", 1), &[], true), own);
        assert_eq!(rules(&["10.0.0.1/32"], &[]).judge(to("10.0.0.1", 1), &[], true), Verdict::Allowed);
        let open = RuleSet { is_open: true, ..RuleSet::default() };
        assert_eq!(open.judge(to("1.2.3.4", 1), &[], true), own);
    }

    #[test]
    fn loopback_is_never_opened() {
        let rules = rules(&["127.0.0.0/8"], &[]);
        assert_eq!(rules.judge(to("127.0.0.1", 1), &[], false), Verdict::Refused(Reason::Closed(Closed::Loopback)));
    }

    #[test]
    fn a_rule_that_denies_comes_first() {
        let rules = rules(&["*.example.org"], &["bad.example.org"]);
        assert_eq!(rules.judge_name("bad.example.org"), Err(Reason::Denied));
        assert_eq!(rules.judge_name("good.example.org"), Ok(()));
        let names = ["good.example.org".to_owned(), "bad.example.org".to_owned()];
        assert_eq!(rules.judge(to("1.2.3.4", 443), &names, false), Verdict::Refused(Reason::Denied));
    }

    #[test]
    fn a_name_in_the_bytes_has_to_be_allowed_for_the_port() {
        let rules = rules(&["a.test :443"], &[]);
        assert_eq!(rules.judge_name_inside("a.test", to("1.2.3.4", 443), true), Ok(()));
        assert_eq!(rules.judge_name_inside("a.test", to("1.2.3.4", 80), true), Err(Reason::OtherName));
        assert_eq!(rules.judge_name_inside("b.test", to("1.2.3.4", 443), true), Err(Reason::OtherName));
        assert_eq!(rules.judge_name_inside("b.test", to("1.2.3.4", 443), false), Ok(()));
    }

    #[test]
    fn answers_that_lead_inward_are_withheld() {
        assert!(!rules(&["a.test"], &[]).may_answer("192.168.0.1".parse().unwrap()));
        assert!(rules(&["a.test", "192.168.0.0/24"], &[]).may_answer("192.168.0.1".parse().unwrap()));
    }
}
