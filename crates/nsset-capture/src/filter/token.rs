//! The words and signs of a filter.

use super::expression::Relation;
use crate::syntax_error::SyntaxError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Open,
    Close,
    And,
    Or,
    Not,
    OpenBytes,
    CloseBytes,
    BitAnd,
    BitOr,
    Relation(Relation),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'text> {
    Word(&'text str),
    Sign(Sign),
    End,
}

/// A word or a sign, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Token<'text> {
    pub position: usize,
    pub kind: Kind<'text>,
    /// As it is written; nothing for the end.
    pub text: &'text str,
}

/// Words that stand for signs.
const NAMED: [(&str, Sign); 3] = [("and", Sign::And), ("or", Sign::Or), ("not", Sign::Not)];
/// A sign comes before those that it begins with.
const WRITTEN: [(&str, Sign); 16] = [
    ("(", Sign::Open),
    (")", Sign::Close),
    ("[", Sign::OpenBytes),
    ("]", Sign::CloseBytes),
    ("&&", Sign::And),
    ("&", Sign::BitAnd),
    ("||", Sign::Or),
    ("|", Sign::BitOr),
    ("==", Sign::Relation(Relation::Equal)),
    ("=", Sign::Relation(Relation::Equal)),
    ("!=", Sign::Relation(Relation::NotEqual)),
    ("<=", Sign::Relation(Relation::AtMost)),
    ("<", Sign::Relation(Relation::Less)),
    (">=", Sign::Relation(Relation::AtLeast)),
    (">", Sign::Relation(Relation::Greater)),
    ("!", Sign::Not),
];

impl Sign {
    /// How the sign is written.
    pub fn text(self) -> &'static str {
        WRITTEN.iter().find(|(_, sign)| *sign == self).map_or("", |(text, _)| text)
    }
}

/// Splits a text. The last token is the end.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    let position_of = |rest: &str| text.chars().count() - rest.chars().count();
    while let Some(first) = rest.chars().next() {
        let position = position_of(rest);
        let unexpected = || SyntaxError::new(position, format!("unexpected '{first}'"));
        let (kind, behind) = next(rest).ok_or_else(unexpected)?;
        let text = rest.strip_suffix(behind).unwrap_or_default();
        found.push(Token { position, kind, text });
        rest = behind.trim_start();
    }
    found.push(Token { position: text.trim_end().chars().count(), ..Token::END });
    Ok(found)
}

impl Token<'_> {
    pub const END: Self = Self { position: 0, kind: Kind::End, text: "" };
}

fn next(rest: &str) -> Option<(Kind<'_>, &str)> {
    if let Some((sign, rest)) = WRITTEN.iter().find_map(|(text, sign)| Some((sign, rest.strip_prefix(text)?))) {
        return Some((Kind::Sign(*sign), rest));
    }
    let (word, rest) = rest.split_at(rest.find(|letter| !is_of_word(letter)).unwrap_or(rest.len()));
    if word.is_empty() {
        return None;
    }
    let sign = NAMED.iter().find(|(name, _)| *name == word);
    Some((sign.map_or(Kind::Word(word), |(_, sign)| Kind::Sign(*sign)), rest))
}

/// A backslash before a name of a protocol means, in tcpdump, that it is a value.
const fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | ':' | '/' | '-' | '_' | '\\' | '%')
}
