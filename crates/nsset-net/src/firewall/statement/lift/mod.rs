//! Makes statements of expressions: carries them out on registers that hold selectors and constants instead of values.

mod comparison;
mod destination;
mod lifting;
mod lookup;
mod register;
mod write;

use std::collections::HashMap;

pub(crate) use self::lifting::Found;
use self::{
    lifting::Lifting,
    register::{Content, word},
};
use super::{ConnectionCount, Limit, Log, Queue, Quota, Statement, Synproxy, Target, Translation, reject::Reject};
use crate::firewall::{
    expression::{
        Data, Expression,
        load::{immediate::VERDICT, payload::Payload},
        translation::nat,
    },
    family::Family,
    matching::{
        context::{Context, Requirement},
        data_type as types,
        source::{Numbers, Source},
        verdict::Verdict,
    },
};

/// Returns the statements of a rule; `None` if one of them has no name here.
pub(crate) fn lift(expressions: &[Expression], family: Family, sets: &Found) -> Option<Vec<Statement>> {
    let mut lifting = Lifting {
        statements: Vec::new(),
        registers: HashMap::new(),
        known: Context::new(family),
        seen: Context::new(family),
        dependencies: Vec::new(),
        latest: None,
        sets,
    };
    for expression in expressions {
        lifting.add(expression)?;
    }
    Some(lifting.statements)
}

impl Lifting<'_> {
    fn add(&mut self, expression: &Expression) -> Option<()> {
        match expression {
            Expression::Payload(Payload { target: Some(target), base, offset, length, .. }) => {
                self.load(*target, Source::Payload(*base, *offset, *length));
            }
            Expression::Meta(meta) => match (meta.target, meta.source) {
                (Some(target), _) => self.load(target, Source::Meta(meta.key)),
                (None, Some(source)) => self.set(source, Source::Meta(meta.key))?,
                (None, None) => return None,
            },
            Expression::Ct(ct) => match (ct.target, ct.source) {
                (Some(target), _) => self.load(target, Source::Ct(ct.key, ct.direction)),
                (None, Some(source)) => self.set(source, Source::Ct(ct.key, ct.direction))?,
                (None, None) => return None,
            },
            Expression::Fib(fib) => self.load(fib.target, Source::Fib(fib.result, fib.flags)),
            Expression::Rt(rt) => self.load(rt.target, Source::Route(rt.key)),
            Expression::Socket(socket) => self.load(socket.target, Source::Socket(socket.key, socket.level)),
            Expression::Osf(osf) => {
                self.load(osf.target, Source::Fingerprint(osf.ttl.unwrap_or(0), osf.flags.unwrap_or(0)));
            }
            Expression::Xfrm(xfrm) => {
                self.load(xfrm.target, Source::Ipsec(xfrm.key, xfrm.direction, xfrm.number.unwrap_or(0)));
            }
            Expression::Numgen(numgen) => {
                let (kind, modulus, offset) = (numgen.kind, numgen.modulus, numgen.offset.unwrap_or(0));
                self.load(numgen.target, Source::Numbers(Numbers { kind, modulus, offset }));
            }
            Expression::Hash(hash) => self.hash(hash)?,
            Expression::Exthdr(exthdr) => self.header(exthdr)?,
            Expression::Immediate(immediate) if immediate.target == VERDICT => {
                let verdict = Verdict::of(&immediate.data)?;
                self.push(Statement::Verdict(verdict));
            }
            Expression::Immediate(immediate) => {
                let Data::Value(value) = &immediate.data else { return None };
                self.registers.insert(word(immediate.target), Content::Constant(value.clone()));
            }
            Expression::Bitwise(bitwise) => self.mask(bitwise)?,
            Expression::Byteorder(byteorder) => {
                let mut loaded = self.loaded(byteorder.source)?;
                loaded.is_swapped = !loaded.is_swapped;
                self.registers.insert(word(byteorder.target), Content::Loaded(loaded));
            }
            Expression::Cmp(cmp) => self.compare(cmp)?,
            Expression::Range(range) => self.range(range)?,
            Expression::Lookup(lookup) => self.look_up(lookup)?,
            Expression::Payload(payload) => self.write(payload)?,
            action => {
                let statement = self.action(action)?;
                self.push(statement);
            }
        }
        Some(())
    }

    fn action(&mut self, expression: &Expression) -> Option<Statement> {
        Some(match expression {
            Expression::Counter(_) => Statement::Counter,
            Expression::Quota(quota) => Statement::Quota(Quota::lift(quota)),
            Expression::Limit(limit) => Statement::Limit(Limit::lift(limit)?),
            Expression::Log(log) => Statement::Log(Log::lift(log)?),
            Expression::Notrack(_) => Statement::Notrack,
            Expression::Queue(queue) => {
                let from = queue.source.and_then(|source| self.new_value(source, &types::HOST_SHORT));
                Statement::Queue(Queue::lift(queue, from)?)
            }
            Expression::Synproxy(synproxy) => Statement::Synproxy(Synproxy::lift(synproxy)),
            Expression::Objref(objref) => self.object(objref)?,
            Expression::Connlimit(limit) => Statement::Connections(ConnectionCount::lift(limit)),
            Expression::Reject(reject) => {
                let is_ipv6 = self.seen.knows(&[Requirement::Ipv6]);
                let reject = Reject::lift(reject, is_ipv6);
                if reject.is_for_tcp() {
                    self.absorb(&[Requirement::Protocol(6)]);
                }
                if let Some(is_ipv6) = reject.is_for_ipv6() {
                    self.absorb(&[if is_ipv6 { Requirement::Ipv6 } else { Requirement::Ipv4 }]);
                }
                let is_default = reject == Reject::default_of(self.known.family());
                Statement::Reject(if is_default { None } else { Some(reject.text()?) })
            }
            Expression::Masq(masq) => {
                let port = self.new_port(masq.port, masq.last_port)?;
                Statement::Masquerade(Translation { port, ..Translation::of_flags(masq.flags)? })
            }
            Expression::Redir(redir) => {
                let port = self.new_port(redir.port, redir.last_port)?;
                Statement::Redirect(Translation { port, ..Translation::of_flags(redir.flags)? })
            }
            Expression::Nat(nat) => {
                let (to, port) = self.new_ends([nat.address, nat.last_address], [nat.port, nat.last_port])?;
                let flags = Translation::of_flags(nat.flags)?;
                let to = match to {
                    Some(Target::Address(_)) if flags.prefix => Some(self.prefix(nat.address?, nat.last_address?)?),
                    to => to,
                };
                let translation = Translation { to, port, ..flags };
                if nat.kind == nat::SOURCE { Statement::Snat(translation) } else { Statement::Dnat(translation) }
            }
            Expression::Tproxy(tproxy) => {
                let (to, port) = self.new_ends([tproxy.address, None], [tproxy.port, None])?;
                Statement::Tproxy(Translation { to, port, ..Translation::default() })
            }
            Expression::Dynset(dynset) => self.element(dynset)?,
            Expression::FlowOffload(flow) => Statement::AddFlow(format!("@{}", flow.table)),
            Expression::Dup(dup) => Statement::Duplicate(self.destination(dup.address, dup.device)?),
            Expression::Fwd(fwd) => Statement::Forward(self.destination(fwd.address, Some(fwd.device))?),
            _ => return None,
        })
    }
}
