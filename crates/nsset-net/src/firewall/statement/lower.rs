//! Makes expressions of statements.

use std::net::IpAddr;

use super::{
    Copied, Destination, Device, ElementOf, ElementOperation, ElementValue, NewValue, ObjectRef, Own, Port, Queue,
    Statement, Target, Translation,
    reject::Reject,
    translation::{addresses, octets},
};
use crate::{
    error::{Error, Result},
    firewall::{
        expression::{
            Data,
            action::{
                counter::Counter,
                dup::Dup,
                dynset::{self, Dynset},
                flow_offload::FlowOffload,
                fwd::Fwd,
                notrack::Notrack,
                objref::Objref,
            },
            list,
            load::{
                ct::Ct,
                exthdr::{Exthdr, TCP_OPTION},
                immediate::{self, Immediate},
                meta::Meta,
                payload::{CHECKSUM_INET, NETWORK, Payload, TRANSPORT},
            },
            test::{
                bitwise,
                byteorder::{self, Byteorder},
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
            data_type::{self as types, DataType, Format},
            lower::{FIRST, FIRST_SMALL, Lowering, one},
            mapped::{Mapped, Values},
            operand::{Operand, Value, number_bytes},
            selector::Selector,
            selectors::Selectors,
            source::{Header, Source},
        },
        object::ObjectKind,
        set::{element::Element, map_data::MapData},
    },
};

/// Adds the expressions of a statement. A comment has none.
pub(crate) fn lower(statement: &Statement, rule: &mut Lowering<'_, '_>) -> Result<()> {
    match statement {
        Statement::Match(Selectors(selectors), test) => rule.add_match(selectors, test)?,
        Statement::Verdict(verdict) => rule.push(Immediate { target: immediate::VERDICT, data: verdict.data() }),
        Statement::Comment(_) => {}
        Statement::Counter => rule.push(Counter::default()),
        Statement::Object(kind, object) => refer(rule, *kind, object)?,
        Statement::Quota(quota) => rule.push(quota.lower()),
        Statement::Limit(limit) => rule.push(limit.lower()),
        Statement::Connections(count) => rule.push(count.lower()),
        Statement::Reset(option) => reset(rule, option)?,
        Statement::Log(log) => rule.push(log.lower()),
        Statement::Reject(answer) => reject(rule, answer.as_deref())?,
        Statement::Masquerade(translation) => {
            let [port, last_port] = new_ports(rule, translation, FIRST)?;
            rule.push(Masq { flags: translation.flags(), port, last_port });
        }
        Statement::Redirect(translation) => {
            let [port, last_port] = new_ports(rule, translation, FIRST)?;
            rule.push(Redir { port, last_port, flags: translation.flags() });
        }
        Statement::Snat(translation) => translate(rule, nat::SOURCE, translation)?,
        Statement::Dnat(translation) => translate(rule, nat::DESTINATION, translation)?,
        Statement::Tproxy(translation) => tproxy(rule, translation)?,
        Statement::Notrack => rule.push(Notrack::default()),
        Statement::Set(Selectors(selectors), value) => set(rule, selectors, value)?,
        Statement::Element(operation, element) => change_element(rule, *operation, element)?,
        Statement::Duplicate(destination) => {
            let [address, device] = destinations(rule, destination)?;
            rule.push(Dup { address, device });
        }
        Statement::Forward(destination) => {
            let family = destination.to.as_ref().map(|to| family_of_target(rule, to)).transpose()?;
            let [address, device] = destinations(rule, destination)?;
            let device = device.ok_or_else(|| Error::InvalidArgument("'fwd' needs a device".into()))?;
            rule.push(Fwd { device, address, family });
        }
        Statement::Queue(queue) => lower_queue(rule, queue)?,
        Statement::Synproxy(synproxy) => rule.push(synproxy.lower()),
        Statement::AddFlow(table) => rule.push(FlowOffload { table: table.trim_start_matches('@').to_owned() }),
        Statement::Raw(octets) => {
            let read = list::read_raw(&octets.0);
            let read = read.map_err(|_| {
                Error::InvalidArgument("'raw' is not a list of expressions, as `get` returns it".into())
            })?;
            rule.expressions.extend(read);
        }
    }
    Ok(())
}

/// Passes packets to queues, or to the queue with a number that depends on the packet.
fn lower_queue(rule: &mut Lowering<'_, '_>, queue: &Queue) -> Result<()> {
    match &queue.num {
        Some(NewValue::Copy(copied)) if copied.is_changed() => {
            return Err(Error::InvalidArgument("the number of a queue cannot be changed on the way".into()));
        }
        Some(NewValue::Copy(copied)) => {
            let from: Selector = copied.from.parse()?;
            rule.require(&[from]);
            rule.load_whole(from, FIRST);
        }
        Some(NewValue::Mapped(mapped)) => {
            rule.require(&mapped.selectors.0);
            rule.load_mapped(mapped, &MapData::Values(vec![&types::HOST_SHORT]), FIRST)?;
        }
        Some(NewValue::Constant(_)) | None => {
            rule.push(queue.lower()?);
            return Ok(());
        }
    }
    rule.push(queue.lower_from(FIRST));
    Ok(())
}

/// Uses an object of the table.
fn refer(rule: &mut Lowering<'_, '_>, kind: ObjectKind, object: &ObjectRef) -> Result<()> {
    match object {
        ObjectRef::Named(name) => {
            rule.push(Objref { kind: Some(kind.number()), name: Some(name.clone()), ..Objref::default() });
        }
        ObjectRef::Mapped(mapped) => {
            rule.require(&mapped.selectors.0);
            let (set, set_id) = rule.load_key_of_objects(mapped, kind)?;
            rule.push(Objref { source: Some(FIRST_SMALL), set: Some(set), set_id, ..Objref::default() });
        }
    }
    Ok(())
}

/// Removes an option of TCP.
fn reset(rule: &mut Lowering<'_, '_>, option: &str) -> Result<()> {
    let selector: Selector = option.parse()?;
    let Source::Header(Header { operation: TCP_OPTION, kind, is_presence: true, .. }) = selector.source() else {
        return Err(Error::InvalidArgument(format!("'{option}' is not an option of TCP")));
    };
    rule.require_all(&selector);
    rule.push(Exthdr { kind, operation: Some(TCP_OPTION), ..Exthdr::default() });
    Ok(())
}

fn reject(rule: &mut Lowering<'_, '_>, answer: Option<&str>) -> Result<()> {
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

fn translate(rule: &mut Lowering<'_, '_>, kind: u32, translation: &Translation) -> Result<()> {
    let New { family, address, last_address, port, last_port } = new_ends(rule, translation)?;
    let family = family.unwrap_or_else(|| rule.context.family().number().into());
    rule.push(Nat { kind, family, address, last_address, port, last_port, flags: translation.flags() });
    Ok(())
}

fn tproxy(rule: &mut Lowering<'_, '_>, translation: &Translation) -> Result<()> {
    let New { family, address, port, .. } = new_ends(rule, translation)?;
    let family = match (family, rule.context.family()) {
        (Some(family), _) => family,
        (None, Family::Inet) => 0,
        (None, family) => family.number().into(),
    };
    rule.push(Tproxy { family, address, port });
    Ok(())
}

/// The registers of new addresses and ports, and the family of the addresses.
#[derive(Default)]
struct New {
    family: Option<u32>,
    address: Option<u32>,
    last_address: Option<u32>,
    port: Option<u32>,
    last_port: Option<u32>,
}

/// Loads new addresses and ports.
fn new_ends(rule: &mut Lowering<'_, '_>, translation: &Translation) -> Result<New> {
    // The matches that these selectors need use the registers, too.
    for Mapped { selectors, .. } in translation.mapped() {
        rule.require(&selectors.0);
    }
    let mut new = New::default();
    let mut register = FIRST;
    match &translation.to {
        None => {}
        Some(Target::Address(text)) => {
            let (first, last) = addresses(text)?;
            new.family = Some(family_of(first));
            for (address, place) in [(Some(first), &mut new.address), (last, &mut new.last_address)] {
                let Some(address) = address else { continue };
                rule.push(Immediate { target: register, data: Data::Value(octets(address)) });
                *place = Some(register);
                register += 1;
            }
        }
        Some(Target::Mapped(mapped)) => {
            let values = new_addresses(rule, mapped)?;
            rule.load_mapped(mapped, &values.data(), register)?;
            new.address = Some(register);
            new.family = Some(values.family());
            if values.has_port && translation.port.is_some() {
                return Err(Error::InvalidArgument("the map of 'to' has ports already".into()));
            }
            let (words, all) = (values.address.size as u32 / 4, values.words());
            new.port = values.has_port.then_some(FIRST_SMALL + words);
            if values.has_intervals {
                new.last_address = Some(FIRST_SMALL + all);
                new.last_port = values.has_port.then_some(FIRST_SMALL + all + words);
            }
            // What the map has can need all of the first three.
            register += 3;
        }
    }
    if new.port.is_none() {
        [new.port, new.last_port] = new_ports(rule, translation, register)?;
    }
    Ok(new)
}

/// What a map to addresses has.
struct NewAddresses {
    address: &'static DataType,
    has_port: bool,
    has_intervals: bool,
}

impl NewAddresses {
    fn types(&self) -> Vec<&'static DataType> {
        if self.has_port { vec![self.address, &types::PORT] } else { vec![self.address] }
    }

    fn data(&self) -> MapData {
        MapData::of(self.types(), self.has_intervals)
    }

    /// How many registers of 4 bytes an address and its port need.
    fn words(&self) -> u32 {
        self.types().iter().map(|data| data.size.div_ceil(4) as u32).sum()
    }

    fn family(&self) -> u32 {
        let family = if self.address.format == Format::Ipv6 { Family::Ip6 } else { Family::Ip };
        family.number().into()
    }
}

/// Returns what a map to addresses has, or to addresses and ports.
fn new_addresses(rule: &Lowering<'_, '_>, mapped: &Mapped) -> Result<NewAddresses> {
    let wrong = || Error::InvalidArgument("'to' needs a map to addresses, or to addresses and ports".into());
    let list = match &mapped.map {
        Values::Named(name) => {
            let (types, has_intervals) = match rule.sets.named.values(name.trim_start_matches('@'))? {
                MapData::Intervals(types) => (types.as_slice(), true),
                MapData::Values(types) => (types.as_slice(), false),
                MapData::Verdicts | MapData::Objects(_) => return Err(wrong()),
            };
            return match types {
                [address] if is_address(address) => Ok(NewAddresses { address, has_port: false, has_intervals }),
                [address, port] if is_address(address) && **port == types::PORT => {
                    Ok(NewAddresses { address, has_port: true, has_intervals })
                }
                _ => Err(wrong()),
            };
        }
        Values::List(list) => list,
    };
    let (_, value) = list.first().ok_or_else(wrong)?;
    let (address, has_port) = match value {
        Operand::List(parts) => (parts.first(), parts.len() > 1),
        one => (Some(one), false),
    };
    let Some(Operand::Text(address)) = address else { return Err(wrong()) };
    let address = if address.contains(':') { &types::IPV6 } else { &types::IPV4 };
    let one = NewAddresses { address, has_port, has_intervals: false };
    // With one range, each of the values is one.
    let types = one.types();
    for (_, value) in list {
        if Element::of(value, &types, true)?.last.is_some() {
            return Ok(NewAddresses { has_intervals: true, ..one });
        }
    }
    Ok(one)
}

fn is_address(data: &DataType) -> bool {
    matches!(data.format, Format::Ipv4 | Format::Ipv6)
}

/// Adds, renews or deletes an element whose key the packet has.
fn change_element(rule: &mut Lowering<'_, '_>, operation: ElementOperation, element: &ElementOf) -> Result<()> {
    let ElementOf { key: Selectors(key), value, timeout, .. } = element;
    rule.require(key);
    if let Some(ElementValue::Of(Selectors(value))) = value {
        rule.require(value);
    }
    let next = rule.load_all(key, FIRST_SMALL, false);
    match value {
        None => {}
        Some(ElementValue::Of(Selectors(value))) => drop(rule.load_all(value, next, false)),
        Some(ElementValue::Constant(operand)) => {
            let data = rule.sets.named.values(element.set_name())?.value(operand)?.unwrap_or_default();
            rule.push(Immediate { target: next, data });
        }
    }
    let data = value.as_ref().map(|_| next);
    let own: Vec<_> = element.own.iter().map(Own::lower).collect();
    let (one, several) = list::nested(&own);
    rule.push(Dynset {
        set: element.set_name().to_owned(),
        set_id: None,
        operation: operation.number(),
        key: FIRST_SMALL,
        data,
        timeout: *timeout,
        one,
        flags: several.as_ref().map(|_| dynset::SEVERAL),
        several,
    });
    Ok(())
}

fn family_of(address: IpAddr) -> u32 {
    let family = if address.is_ipv6() { Family::Ip6 } else { Family::Ip };
    family.number().into()
}

/// Loads the ports into this register and the one after it.
fn new_ports(rule: &mut Lowering<'_, '_>, translation: &Translation, register: u32) -> Result<[Option<u32>; 2]> {
    let port = match &translation.port {
        None => return Ok([None, None]),
        Some(Port::Given(port)) => port,
        Some(Port::Mapped(mapped)) => {
            rule.require(&mapped.selectors.0);
            rule.load_mapped(mapped, &MapData::Values(vec![&types::PORT]), register)?;
            return Ok([Some(register), None]);
        }
    };
    match port.value(&types::PORT)? {
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

/// Loads the address and the link to which packets are sent.
fn destinations(rule: &mut Lowering<'_, '_>, destination: &Destination) -> Result<[Option<u32>; 2]> {
    let Destination { to, device } = destination;
    // The matches that these selectors need use the registers, too.
    if let Some(Target::Mapped(mapped)) = to {
        rule.require(&mapped.selectors.0);
    }
    if let Some(Device::Mapped(mapped)) = device {
        rule.require(&mapped.selectors.0);
    }
    let mut register = FIRST;
    match to {
        None => {}
        Some(Target::Address(text)) => {
            let (address, _) = addresses(text)?;
            rule.push(Immediate { target: register, data: Data::Value(octets(address)) });
        }
        Some(Target::Mapped(mapped)) => {
            let values = new_addresses(rule, mapped)?;
            rule.load_mapped(mapped, &values.data(), register)?;
        }
    }
    let address = to.as_ref().map(|_| register);
    register += u32::from(to.is_some());
    match device {
        None => {}
        Some(Device::Index(index)) => {
            rule.push(Immediate { target: register, data: Data::Value(index.to_ne_bytes().to_vec()) });
        }
        Some(Device::Mapped(mapped)) => {
            rule.load_mapped(mapped, &MapData::Values(vec![&types::LINK_INDEX]), register)?;
        }
    }
    Ok([address, device.as_ref().map(|_| register)])
}

fn family_of_target(rule: &Lowering<'_, '_>, target: &Target) -> Result<u32> {
    match target {
        Target::Address(text) => addresses(text).map(|(address, _)| family_of(address)),
        Target::Mapped(mapped) => Ok(new_addresses(rule, mapped)?.family()),
    }
}

fn set(rule: &mut Lowering<'_, '_>, selectors: &[Selector], value: &NewValue) -> Result<()> {
    let [selector] = selectors else {
        return Err(Error::InvalidArgument("'set' changes one thing".into()));
    };
    let source = Some(FIRST);
    // What is written has its packet's kind checked before the value is loaded.
    rule.require_all(selector);
    let is_in_pairs = matches!(value, NewValue::Constant(_)) && is_in_pairs(*selector);
    match value {
        NewValue::Constant(operand) => load_constant(rule, *selector, operand)?,
        NewValue::Copy(_) | NewValue::Mapped(_) if selector.bits().is_some() => {
            return Err(Error::InvalidArgument(format!("'{selector}' can only be set to a constant")));
        }
        NewValue::Copy(copied) => copy(rule, copied, *selector)?,
        NewValue::Mapped(mapped) => {
            rule.require(&mapped.selectors.0);
            rule.load_mapped(mapped, &MapData::Values(vec![selector.data()]), FIRST)?;
        }
    }
    match selector.source() {
        Source::Meta(key) => rule.push(Meta { target: None, key, source }),
        Source::Ct(key, direction) => rule.push(Ct { target: None, key, direction, source }),
        Source::Payload(base, offset, length) => {
            let (base, offset, length) = if is_in_pairs { even(base, offset, length) } else { (base, offset, length) };
            rule.push(written(*selector, base, offset, length));
        }
        Source::Header(Header { operation: operation @ TCP_OPTION, kind, offset, length, is_presence: false })
            if selector.bits().is_none() =>
        {
            rule.push(Exthdr {
                kind,
                offset: Some(offset),
                length: Some(length),
                operation: Some(operation),
                source,
                ..Exthdr::default()
            });
        }
        _ => return Err(Error::InvalidArgument(format!("'{selector}' cannot be changed"))),
    }
    Ok(())
}

/// Loads the value of another selector, and changes it on the way.
fn copy(rule: &mut Lowering<'_, '_>, copied: &Copied, target: Selector) -> Result<()> {
    let from: Selector = copied.from.parse()?;
    let data = from.data();
    rule.require(&[from]);
    rule.load_whole(from, FIRST);
    // An option of TCP has the order of the network, and the largest segment of a route that of the host.
    if from.data().order != target.data().order && data.size == 2 && target.data().size == 2 {
        let (operation, size) = (byteorder::TO_NETWORK, 2);
        rule.push(Byteorder { source: FIRST, target: FIRST, operation, length: size, size });
    }
    if !copied.is_changed() {
        return Ok(());
    }
    if data.format != Format::Number || data.size > 8 {
        return Err(Error::InvalidArgument(format!(
            "'{}' is not a number, so its bits cannot be changed",
            copied.from
        )));
    }
    if copied.has_bits() {
        let all = u64::MAX >> (64 - 8 * data.size as u32);
        let (kept, inverted) = copied.bits(all);
        let bytes = |number| {
            number_bytes(number, data)
                .ok_or_else(|| Error::InvalidArgument(format!("{number} has more bits than '{}'", copied.from)))
        };
        rule.mask_and_change(FIRST, bytes(kept)?, bytes(inverted)?);
    }
    for (operation, by) in [(bitwise::LEFT, copied.left), (bitwise::RIGHT, copied.right)] {
        if let Some(by) = by {
            rule.shift(FIRST, operation, by, data.size as u32);
        }
    }
    Ok(())
}

/// The place of some bits within whole pairs of bytes, as the sum of a packet counts them.
fn even(base: u32, offset: u32, length: u32) -> (u32, u32, u32) {
    let start = offset & !1;
    (base, start, (offset + length - start).next_multiple_of(2))
}

fn load_constant(rule: &mut Lowering<'_, '_>, selector: Selector, operand: &Operand) -> Result<()> {
    let mut value = one(operand, selector.data())?;
    let (true, Source::Payload(base, offset, size)) = (is_in_pairs(selector), selector.source()) else {
        rule.push(Immediate { target: FIRST, data: Data::Value(value) });
        return Ok(());
    };
    let (base, start, length) = even(base, offset, size);
    let (mut mask, mut bytes) = (vec![0xff; length as usize], vec![0; length as usize]);
    let at = (offset - start) as usize..(offset - start + size) as usize;
    let changed = match selector.bits() {
        Some(bits) => {
            bits.place(&mut value);
            bits.bytes(size as usize)
        }
        None => vec![0xff; size as usize],
    };
    if let Some(place) = bytes.get_mut(at.clone()) {
        place.copy_from_slice(&value);
    }
    for (kept, changed) in mask.get_mut(at).into_iter().flatten().zip(changed) {
        *kept = !changed;
    }
    rule.load_into(Source::Payload(base, start, length), FIRST);
    rule.mask_and_change(FIRST, mask, bytes);
    Ok(())
}

/// Whether a field is written with the bytes beside it: the sum of a packet counts pairs of bytes.
fn is_in_pairs(selector: Selector) -> bool {
    selector.bits().is_some() || matches!(selector.source(), Source::Payload(_, _, 1))
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
