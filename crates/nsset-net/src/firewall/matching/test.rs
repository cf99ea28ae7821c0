//! How a match compares its selector, as plain data.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{
    operand::{Operand, OperandVisitor},
    verdict::Verdict,
};

/// What the value of a selector must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "Written")]
pub enum Test {
    /// Equal to a value, in a range, one of a list, or in a set (`@name`). For flags: at least one of these is set.
    Is(Operand),
    /// A comparison, after some bits were masked.
    Compare(Option<Operand>, Operator, Operand),
    /// One of a list of flags.
    In(Vec<Operand>),
    NotIn(Vec<Operand>),
    /// What happens depends on the value.
    Verdicts(Verdicts),
}

impl Test {
    /// Whether it compares with numbers.
    pub(crate) fn has_numbers(&self) -> bool {
        let is_number = |operand: &Operand| matches!(operand, Operand::Number(_));
        let has_number = |operand: &Operand| match operand {
            Operand::List(list) => list.iter().any(is_number),
            one => is_number(one),
        };
        match self {
            Self::Is(operand) | Self::Compare(_, _, operand) => has_number(operand),
            Self::In(list) | Self::NotIn(list) => list.iter().any(is_number),
            Self::Verdicts(Verdicts::List(list)) => list.iter().any(|(operand, _)| is_number(operand)),
            Self::Verdicts(Verdicts::Named(_)) => false,
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    /// None of these flags is set.
    None,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A map from values to verdicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Verdicts {
    /// `@name`.
    Named(String),
    List(Vec<(Operand, Verdict)>),
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Written {
    Is(Operand),
    Fields(Box<Fields>),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Fields {
    #[serde(rename = "&", skip_serializing_if = "Option::is_none")]
    mask: Option<Operand>,
    #[serde(rename = "==", skip_serializing_if = "Option::is_none")]
    equal: Option<Operand>,
    #[serde(rename = "!=", skip_serializing_if = "Option::is_none")]
    not_equal: Option<Operand>,
    #[serde(rename = "!", skip_serializing_if = "Option::is_none")]
    none: Option<Operand>,
    #[serde(rename = "<", skip_serializing_if = "Option::is_none")]
    less: Option<Operand>,
    #[serde(rename = "<=", skip_serializing_if = "Option::is_none")]
    less_or_equal: Option<Operand>,
    #[serde(rename = ">", skip_serializing_if = "Option::is_none")]
    greater: Option<Operand>,
    #[serde(rename = ">=", skip_serializing_if = "Option::is_none")]
    greater_or_equal: Option<Operand>,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    is_in: Option<Vec<Operand>>,
    #[serde(rename = "not in", skip_serializing_if = "Option::is_none")]
    is_not_in: Option<Vec<Operand>>,
    #[serde(rename = "vmap", skip_serializing_if = "Option::is_none")]
    verdicts: Option<Verdicts>,
}

struct TestVisitor;

impl<'de> Visitor<'de> for TestVisitor {
    type Value = Test;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value or a comparison")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Test, E> {
        OperandVisitor.visit_u64(number).map(Test::Is)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Test, E> {
        OperandVisitor.visit_str(text).map(Test::Is)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<Test, A::Error> {
        OperandVisitor.visit_seq(parts).map(Test::Is)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Test, A::Error> {
        Fields::deserialize(MapAccessDeserializer::new(map)).map(Test::from)
    }
}

impl<'de> Deserialize<'de> for Test {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TestVisitor)
    }
}

impl From<Fields> for Test {
    fn from(fields: Fields) -> Self {
        if let Some(list) = fields.is_in {
            return Self::In(list);
        }
        if let Some(list) = fields.is_not_in {
            return Self::NotIn(list);
        }
        if let Some(verdicts) = fields.verdicts {
            return Self::Verdicts(verdicts);
        }
        let comparisons = [
            (Operator::Equal, fields.equal),
            (Operator::NotEqual, fields.not_equal),
            (Operator::None, fields.none),
            (Operator::Less, fields.less),
            (Operator::LessOrEqual, fields.less_or_equal),
            (Operator::Greater, fields.greater),
            (Operator::GreaterOrEqual, fields.greater_or_equal),
        ];
        let given = comparisons.into_iter().find_map(|(operator, operand)| Some((operator, operand?)));
        // The TypeScript API requires a comparison.
        let (operator, operand) = given.unwrap_or((Operator::Equal, Operand::Number(0)));
        Self::Compare(fields.mask, operator, operand)
    }
}

impl From<Test> for Written {
    fn from(test: Test) -> Self {
        let mut fields = Fields::default();
        match test {
            Test::Is(operand) => return Self::Is(operand),
            Test::In(list) => fields.is_in = Some(list),
            Test::NotIn(list) => fields.is_not_in = Some(list),
            Test::Verdicts(verdicts) => fields.verdicts = Some(verdicts),
            Test::Compare(mask, operator, operand) => {
                fields.mask = mask;
                let field = match operator {
                    Operator::Equal => &mut fields.equal,
                    Operator::NotEqual => &mut fields.not_equal,
                    Operator::None => &mut fields.none,
                    Operator::Less => &mut fields.less,
                    Operator::LessOrEqual => &mut fields.less_or_equal,
                    Operator::Greater => &mut fields.greater,
                    Operator::GreaterOrEqual => &mut fields.greater_or_equal,
                };
                *field = Some(operand);
            }
        }
        Self::Fields(Box::new(fields))
    }
}
