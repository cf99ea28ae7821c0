//! The words and signs of a filter.

use super::syntax_error::SyntaxError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Open,
    Close,
    And,
    Or,
    Not,
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
}

/// Words that stand for signs.
const NAMED: [(&str, Sign); 3] = [("and", Sign::And), ("or", Sign::Or), ("not", Sign::Not)];
const WRITTEN: [(&str, Sign); 5] =
    [("(", Sign::Open), (")", Sign::Close), ("&&", Sign::And), ("||", Sign::Or), ("!", Sign::Not)];

impl Sign {
    /// How the sign is written.
    pub fn text(self) -> &'static str {
        NAMED.iter().chain(&WRITTEN).find(|(_, sign)| *sign == self).map_or("", |(text, _)| text)
    }
}

/// Splits a text. The last token is the end.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    let position_of = |rest: &str| text.chars().count() - rest.chars().count();
    while let Some(first) = rest.chars().next() {
        let position = position_of(rest);
        let kind;
        (kind, rest) = next(rest).ok_or_else(|| SyntaxError::new(position, format!("unexpected '{first}'")))?;
        found.push(Token { position, kind });
        rest = rest.trim_start();
    }
    found.push(Token { position: text.trim_end().chars().count(), kind: Kind::End });
    Ok(found)
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
