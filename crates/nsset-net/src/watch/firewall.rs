//! The objects of the packet filter: tables, and what is in them. The kernel reports what a batch has changed, and then its
//! generation. Only a list says how it is afterwards.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::object::{Key, Object, digest, json};
use crate::{
    firewall::{self, DetailedElement, Existing, Family, SetElement, Statement, TableRef},
    netlink::{
        answer::Message,
        attributes::{Attributes, Malformed, array_at, text},
    },
};

/// `struct nfgenmsg`.
const HEADER: usize = 4;

/// An object as plain data.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum FirewallObject<'a> {
    Table {
        family: Family,
        name: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        dormant: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        comment: Option<&'a String>,
    },
    Chain {
        family: Family,
        table: &'a str,
        name: &'a str,
        chain: serde_json::Value,
    },
    Rule {
        family: Family,
        table: &'a str,
        chain: &'a str,
        handle: u64,
        rule: &'a [Statement],
    },
    Set {
        family: Family,
        table: &'a str,
        name: &'a str,
        set: serde_json::Value,
    },
    Element {
        family: Family,
        table: &'a str,
        set: &'a str,
        element: &'a SetElement,
    },
    Generation {
        id: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        program: Option<String>,
    },
}

/// What a notification says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// The object exists now, or has changed.
    New(Key),
    Removed(Key),
    /// It is not known which object.
    Other,
    /// A batch has been carried out: the text of the event.
    Generation(String),
}

/// Reads a notification.
pub(super) fn notice(message: &Message<'_>) -> Result<Notice, Malformed> {
    use firewall::message::{chain, kind, object, rule, set, table};
    let family = firewall::family(message.body)?;
    let name = |attribute: u16| attribute_text(message.body, attribute);
    let of = |kind: &str, table: u16, name_of: u16| -> Result<Key, Malformed> {
        Ok(key(family, kind, &name(table)?, &name(name_of)?))
    };
    Ok(match message.kind & 0xff {
        kind::NEW_TABLE => Notice::New(of("table", table::NAME, table::NAME)?),
        kind::DELETE_TABLE => Notice::Removed(of("table", table::NAME, table::NAME)?),
        kind::NEW_CHAIN => Notice::New(of("chain", chain::TABLE, chain::NAME)?),
        kind::DELETE_CHAIN => Notice::Removed(of("chain", chain::TABLE, chain::NAME)?),
        number @ (kind::NEW_RULE | kind::DELETE_RULE) => {
            let handle = attribute_value(message.body, rule::HANDLE)?.ok_or(Malformed)?;
            let handle = u64::from_be_bytes(array_at(handle, 0)?);
            let key = key(family, "rule", &name(rule::TABLE)?, &rule_name(&name(rule::CHAIN)?, handle));
            if number == kind::NEW_RULE { Notice::New(key) } else { Notice::Removed(key) }
        }
        // A rule's own set is part of the rule.
        kind::NEW_SET | kind::DELETE_SET if is_anonymous(message.body)? => Notice::Other,
        kind::NEW_SET => Notice::New(of("set", set::TABLE, set::NAME)?),
        kind::DELETE_SET => Notice::Removed(of("set", set::TABLE, set::NAME)?),
        kind::NEW_OBJECT => Notice::New(of("object", object::TABLE, object::NAME)?),
        kind::DELETE_OBJECT => Notice::Removed(of("object", object::TABLE, object::NAME)?),
        kind::NEW_GENERATION => Notice::Generation(generation(message.body)?),
        _ => Notice::Other,
    })
}

fn is_anonymous(body: &[u8]) -> Result<bool, Malformed> {
    use firewall::message::set;
    let flags = attribute_value(body, set::FLAGS)?.map(|value| array_at(value, 0).map(u32::from_be_bytes));
    Ok(flags.transpose()?.unwrap_or(0) & set::ANONYMOUS != 0)
}

/// Reads `NFTA_GEN_*`: the number of the generation, and who has made it.
fn generation(body: &[u8]) -> Result<String, Malformed> {
    let word = |attribute| -> Result<Option<u32>, Malformed> {
        attribute_value(body, attribute)?.map(|value| array_at(value, 0).map(u32::from_be_bytes)).transpose()
    };
    let program = attribute_value(body, 3)?.map(text);
    json(&FirewallObject::Generation { id: word(1)?.unwrap_or(0), pid: word(2)?, program })
}

fn attribute_value(body: &[u8], wanted: u16) -> Result<Option<&[u8]>, Malformed> {
    for attribute in Attributes::behind(HEADER, body)? {
        let (kind, value) = attribute?;
        if kind == wanted {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn attribute_text(body: &[u8], wanted: u16) -> Result<String, Malformed> {
    attribute_value(body, wanted)?.map(text).ok_or(Malformed)
}

fn key(family: Option<Family>, kind: &str, table: &str, name: &str) -> Key {
    let mut hasher = DefaultHasher::new();
    (family, kind, table, name).hash(&mut hasher);
    Key::Firewall(hasher.finish())
}

fn rule_name(chain: &str, handle: u64) -> String {
    format!("{handle} {chain}")
}

/// Returns the objects of tables.
pub(super) fn objects(tables: &[Existing]) -> Result<Vec<Object>, Malformed> {
    let mut all = Vec::new();
    for existing in tables {
        add_table(existing, &mut all)?;
    }
    Ok(all)
}

fn add_table(existing: &Existing, all: &mut Vec<Object>) -> Result<(), Malformed> {
    let of = &existing.table;
    let TableRef { family, name: table } = &of.reference();
    let family = *family;
    let key_of = |kind: &str, name: &str| key(Some(family), kind, table, name);
    let whole = FirewallObject::Table { family, name: table, dormant: of.dormant, comment: of.comment.as_ref() };
    all.push(object(key_of("table", table), &whole)?);
    for (name, definition) in of.objects() {
        let kind = definition.kind().name();
        let fields = serde_json::json!({
            "kind": kind, "family": family, "table": table, "name": name, kind: definition.to_json()?,
        });
        let text = json(&fields)?;
        let digest = digest(&text);
        all.push(Object::new(key_of("object", name), text, digest));
    }
    for (number, (name, chain)) in of.chains.iter().enumerate() {
        let chain = without(chain, "rules")?;
        all.push(object(key_of("chain", name), &FirewallObject::Chain { family, table, name, chain })?);
        for (handle, rule) in existing.rules(number) {
            let described = FirewallObject::Rule { family, table, chain: name, handle, rule };
            all.push(object(key_of("rule", &rule_name(name, handle)), &described)?);
        }
    }
    for (name, set) in &of.sets {
        let described = FirewallObject::Set { family, table, name, set: without(set, "elements")? };
        all.push(object(key_of("set", name), &described)?);
        for element in &set.elements {
            let described = FirewallObject::Element { family, table, set: name, element };
            let lasting = without_time(element);
            let lasting = json(&FirewallObject::Element { family, table, set: name, element: &lasting })?;
            let key = key_of("element", &format!("{name} {}", json(key_of_element(element))?));
            all.push(Object::new(key, json(&described)?, digest(&lasting)));
        }
    }
    Ok(())
}

fn key_of_element(element: &SetElement) -> &firewall::Operand {
    match element {
        SetElement::Key(key) => key,
        SetElement::Detailed(detailed) => &detailed.key,
    }
}

/// How long an element still stays changes without a notification.
fn without_time(element: &SetElement) -> SetElement {
    match element {
        SetElement::Detailed(detailed) => {
            SetElement::Detailed(Box::new(DetailedElement { expires: None, ..detailed.as_ref().clone() }))
        }
        SetElement::Key(key) => SetElement::Key(key.clone()),
    }
}

/// Returns plain data without what is reported by itself.
fn without(whole: &impl Serialize, part: &str) -> Result<serde_json::Value, Malformed> {
    let mut value = serde_json::to_value(whole).map_err(|_| Malformed)?;
    if let Some(fields) = value.as_object_mut() {
        fields.remove(part);
    }
    Ok(value)
}

fn object(key: Key, described: &FirewallObject<'_>) -> Result<Object, Malformed> {
    let text = json(described)?;
    let digest = digest(&text);
    Ok(Object::new(key, text, digest))
}
