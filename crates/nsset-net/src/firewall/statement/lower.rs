//! Makes expressions of statements.

use std::net::IpAddr;

use super::{Destination, NewValue, Statement, Translation, reject::Reject, translation::octets, written::Selectors};
use crate::{
    error::{Error, Result},
    firewall::{
        expression::{
            Data,
            action::{counter::Counter, dup::Dup, fwd::Fwd, notrack::Notrack, objref::Objref},
            list,
            load::{
                ct::Ct,
                immediate::{self, Immediate},
                meta::Meta,
                payload::{CHECKSUM_INET, NETWORK, Payload, TRANSPORT},
            },
            translation::{
                masq::Masq,
                nat::{self, Nat},
                redir::Redir,
                tproxy::Tproxy,
            },
        },
        family::Family,
        matching::{
            context::Requirement,
            lower::{FIRST, Lowering, one},
            operand::{Operand, Value},
            selector::Selector,
            source::Source,
        },
        object,
    },
};

/// Adds the expressions of a statement. A comment has none.
pub(crate) fn lower(statement: &Statement, rule: &mut Lowering<'_>) -> Result<()> {
    match statement {
        Statement::Match(Selectors(selectors), test) => rule.add_match(selectors, test)?,
        Statement::Verdict(verdict) => rule.push(Immediate { target: immediate::VERDICT, data: verdict.data() }),
        Statement::Comment(_) => {}
        Statement::Counter => rule.push(Counter::default()),
        Statement::NamedCounter(name) => rule.push(reference(object::COUNTER, name)),
        Statement::NamedQuota(name) => rule.push(reference(object::QUOTA, name)),
        Statement::Quota(quota) => rule.push(quota.lower()),
        Statement::Limit(limit) => rule.push(limit.lower()),
        Statement::Log(log) => rule.push(log.lower()),
        Statement::Reject(answer) => reject(rule, answer.as_deref())?,
        Statement::Masquerade(translation) => {
            let [port, last_port] = ports(rule, translation, FIRST)?;
            rule.push(Masq { flags: translation.flags(), port, last_port });
        }
        Statement::Redirect(translation) => {
            let [port, last_port] = ports(rule, translation, FIRST)?;
            rule.push(Redir { port, last_port, flags: translation.flags() });
        }
        Statement::Snat(translation) => translate(rule, nat::SOURCE, translation)?,
        Statement::Dnat(translation) => translate(rule, nat::DESTINATION, translation)?,
        Statement::Tproxy(translation) => tproxy(rule, translation)?,
        Statement::Notrack => rule.push(Notrack::default()),
        Statement::Set(Selectors(selectors), value) => set(rule, selectors, value)?,
        Statement::Duplicate(destination) => {
            let (address, device) = destinations(rule, destination);
            rule.push(Dup { address, device });
        }
        Statement::Forward(destination) => {
            let (address, device) = destinations(rule, destination);
            let family = destination.to.map(family_of);
            let device = device.ok_or_else(|| Error::InvalidArgument("'fwd' needs a device".into()))?;
            rule.push(Fwd { device, address, family });
        }
        Statement::Queue(queue) => rule.push(queue.lower()?),
        Statement::Synproxy(synproxy) => rule.push(synproxy.lower()),
        Statement::Raw(octets) => {
            let read = list::read(&octets.0);
            let read = read.map_err(|_| Error::InvalidArgument("'raw' is not a list of expressions".into()))?;
            rule.expressions.extend(read);
        }
    }
    Ok(())
}

fn reference(kind: u32, name: &str) -> Objref {
    Objref { kind: Some(kind), name: Some(name.to_owned()), source: None }
}

fn reject(rule: &mut Lowering<'_>, answer: Option<&str>) -> Result<()> {
    let family = rule.context.family();
    let reject = match answer {
        None => Reject::default_of(family),
        Some(text) => {
            Reject::parse(text).ok_or_else(|| Error::InvalidArgument(format!("'{text}' is not an answer of reject")))?
        }
    };
    if reject.is_for_tcp() {
        rule.require_one(Requirement::Protocol(6));
    }
    if let Some(is_ipv6) = reject.is_for_ipv6() {
        rule.require_one(if is_ipv6 { Requirement::Ipv6 } else { Requirement::Ipv4 });
    }
    rule.push(reject.lower());
    Ok(())
}

fn translate(rule: &mut Lowering<'_>, kind: u32, translation: &Translation) -> Result<()> {
    let addresses = translation.addresses()?;
    let family = match (addresses, rule.context.family()) {
        (Some((address, _)), _) => family_of(address),
        (None, family) => family.number().into(),
    };
    let mut register = FIRST;
    let mut constant = |rule: &mut Lowering<'_>, value: Vec<u8>| {
        rule.push(Immediate { target: register, data: Data::Value(value) });
        register += 1;
        Some(register - 1)
    };
    let address = addresses.and_then(|(first, _)| constant(rule, octets(first)));
    let last_address = addresses.and_then(|(_, last)| last).and_then(|last| constant(rule, octets(last)));
    let [port, last_port] = ports(rule, translation, register)?;
    rule.push(Nat { kind, family, address, last_address, port, last_port, flags: translation.flags() });
    Ok(())
}

fn tproxy(rule: &mut Lowering<'_>, translation: &Translation) -> Result<()> {
    let mut family = rule.context.family().number().into();
    let mut register = FIRST;
    let mut address = None;
    if let Some((to, _)) = translation.addresses()? {
        family = family_of(to);
        rule.push(Immediate { target: register, data: Data::Value(octets(to)) });
        address = Some(register);
        register += 1;
    } else if rule.context.family() == Family::Inet {
        family = 0;
    }
    let [port, _] = ports(rule, translation, register)?;
    rule.push(Tproxy { family, address, port });
    Ok(())
}

fn family_of(address: IpAddr) -> u32 {
    let family = if address.is_ipv6() { Family::Ip6 } else { Family::Ip };
    family.number().into()
}

/// Loads the ports into this register and the one after it.
fn ports(rule: &mut Lowering<'_>, translation: &Translation, register: u32) -> Result<[Option<u32>; 2]> {
    let Some(port) = &translation.port else { return Ok([None, None]) };
    match port.value(&crate::firewall::matching::data_type::PORT)? {
        Value::Range(first, last) => {
            rule.push(Immediate { target: register, data: Data::Value(first) });
            rule.push(Immediate { target: register + 1, data: Data::Value(last) });
            Ok([Some(register), Some(register + 1)])
        }
        Value::One(port) => {
            rule.push(Immediate { target: register, data: Data::Value(port) });
            Ok([Some(register), None])
        }
        _ => Err(Error::InvalidArgument("a port is a number or a range".into())),
    }
}

fn destinations(rule: &mut Lowering<'_>, destination: &Destination) -> (Option<u32>, Option<u32>) {
    let mut register = FIRST;
    let mut constant = |rule: &mut Lowering<'_>, value: Vec<u8>| {
        rule.push(Immediate { target: register, data: Data::Value(value) });
        register += 1;
        register - 1
    };
    let address = destination.to.map(|address| constant(rule, octets(address)));
    let device = destination.device.map(|index| constant(rule, index.to_ne_bytes().to_vec()));
    (address, device)
}

fn set(rule: &mut Lowering<'_>, selectors: &[Selector], value: &NewValue) -> Result<()> {
    let [selector] = selectors else {
        return Err(Error::InvalidArgument("'set' changes one thing".into()));
    };
    let source = Some(FIRST);
    // What is written has its packet's kind checked before the value is loaded.
    rule.require_all(selector);
    match value {
        NewValue::Copy { from } => rule.load(from.parse()?),
        NewValue::Constant(operand) => load_constant(rule, *selector, operand)?,
    }
    match selector.source() {
        Source::Meta(key) => rule.push(Meta { target: None, key, source }),
        Source::Ct(key, direction) => rule.push(Ct { target: None, key, direction, source }),
        Source::Payload(base, offset, length) => {
            let (base, offset, length) =
                if selector.bits().is_some() { even(base, offset) } else { (base, offset, length) };
            rule.push(written(*selector, base, offset, length));
        }
        Source::Fib(..) => return Err(Error::InvalidArgument(format!("'{selector}' cannot be changed"))),
    }
    Ok(())
}

/// Two bytes at an even offset, as the sum of a packet counts them.
fn even(base: u32, offset: u32) -> (u32, u32, u32) {
    (base, offset & !1, 2)
}

fn load_constant(rule: &mut Lowering<'_>, selector: Selector, operand: &Operand) -> Result<()> {
    let mut value = one(operand, selector.data())?;
    let (Some(bits), Source::Payload(base, offset, _)) = (selector.bits(), selector.source()) else {
        rule.push(Immediate { target: FIRST, data: Data::Value(value) });
        return Ok(());
    };
    // The bits are changed within two bytes.
    let (base, start, length) = even(base, offset);
    let (mut mask, mut bytes) = (vec![0xff; 2], vec![0; 2]);
    let at = (offset - start) as usize;
    if let (Some(mask), Some(byte), Some(value)) = (mask.get_mut(at), bytes.get_mut(at), value.first_mut()) {
        *mask = !bits.mask;
        *byte = *value << bits.shift;
    }
    rule.load_into(Source::Payload(base, start, length), FIRST);
    rule.push(crate::firewall::expression::test::bitwise::Bitwise {
        source: FIRST,
        target: FIRST,
        length,
        mask: Some(mask),
        xor: Some(bytes),
        operation: None,
    });
    Ok(())
}

/// Writes to a packet and corrects its sums, as nft(8) does.
fn written(selector: Selector, base: u32, offset: u32, length: u32) -> Payload {
    let name = selector.to_string();
    let checksum = match (base, name.split(' ').next()) {
        (NETWORK, Some("ip")) => Some(10),
        (TRANSPORT, Some("tcp")) => Some(16),
        (TRANSPORT, Some("udp" | "udplite")) => Some(6),
        (TRANSPORT, Some("icmp" | "icmpv6")) => Some(2),
        _ => None,
    };
    // An address is part of the sums of the protocols above it.
    let is_address = name.ends_with("addr");
    Payload {
        target: None,
        base,
        offset,
        length,
        source: Some(FIRST),
        checksum_type: Some(checksum.map_or(0, |_| CHECKSUM_INET)),
        checksum_offset: Some(checksum.unwrap_or(0)),
        checksum_flags: Some(u32::from(is_address && base == NETWORK)),
    }
}
