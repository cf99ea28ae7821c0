//! Reads a filter. As in tcpdump, `and` and `or` have the same precedence and associate from left to right, and `not` has a higher one.

use super::{
    addresses, bytes,
    expression::{Bytes, End, Expression, Layer, Network, Question, Test},
    primitive::{self, Protocol, Qualifiers, What},
    token::{Kind, Sign, Token, tokens},
};
use crate::syntax_error::SyntaxError;

/// How deep parentheses and `not` may nest.
const DEEPEST: usize = 100;

/// How many tests a filter may have. Programs of the kernel have no room for more.
const MOST_TESTS: usize = 1000;

/// Reads a filter. An empty one takes all packets.
///
/// # Errors
/// What is wrong, and where.
pub fn parse(text: &str) -> Result<Option<Expression>, SyntaxError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, last: None, tests: 0 };
    if parser.peek().kind == Kind::End {
        return Ok(None);
    }
    let expression = parser.expression(0)?;
    match parser.peek().kind {
        Kind::End => Ok(Some(expression)),
        _ => Err(parser.expected("'and', 'or' or the end")),
    }
}

pub struct Parser<'text> {
    tokens: &'text [Token<'text>],
    /// What was asked of the last value. A value alone is asked the same: `port 80 or 443`.
    last: Option<Qualifiers>,
    tests: usize,
}

impl<'text> Parser<'text> {
    fn expression(&mut self, depth: usize) -> Result<Expression, SyntaxError> {
        let mut left = self.term(depth)?;
        loop {
            let join = match self.peek().kind {
                Kind::Sign(Sign::And) => Expression::And,
                Kind::Sign(Sign::Or) => Expression::Or,
                _ => return Ok(left),
            };
            self.advance();
            left = join(Box::new(left), Box::new(self.term(depth)?));
        }
    }

    fn term(&mut self, depth: usize) -> Result<Expression, SyntaxError> {
        let Token { position, kind, .. } = self.peek();
        match kind {
            Kind::Sign(Sign::Not | Sign::Open) if depth == DEEPEST => {
                Err(SyntaxError::new(position, "too many nested parentheses"))
            }
            Kind::Sign(Sign::Not) => {
                self.advance();
                Ok(Expression::Not(Box::new(self.term(depth + 1)?)))
            }
            Kind::Sign(Sign::Open) => {
                self.advance();
                let inner = self.expression(depth + 1)?;
                self.sign(Sign::Close)?;
                Ok(inner)
            }
            _ => self.test(),
        }
    }

    fn test(&mut self) -> Result<Expression, SyntaxError> {
        let position = self.peek().position;
        self.tests += 1;
        if self.tests > MOST_TESTS {
            return Err(SyntaxError::new(position, format!("more than {MOST_TESTS} tests")));
        }
        let question = self.question()?;
        Ok(Expression::Test(Test { position, question }))
    }

    fn question(&mut self) -> Result<Question, SyntaxError> {
        let word = self.word("a test, such as 'tcp port 80'")?;
        match word {
            "vlan" => return self.vlan(),
            "less" => return self.length().map(Question::LengthAtMost),
            "greater" => return self.length().map(Question::LengthAtLeast),
            _ => {}
        }
        let qualifiers = self.qualifiers();
        if let (Some(protocol), Kind::Sign(Sign::OpenBytes)) = (qualifiers.protocol, self.peek().kind) {
            return self.bytes(protocol.layer());
        }
        if let Some(question) = self.without_value(qualifiers)? {
            return Ok(question);
        }
        let is_alone = qualifiers == Qualifiers::default();
        if is_alone && self.last.is_none() {
            return Err(self.expected("a test, such as 'tcp port 80'"));
        }
        let qualifiers = if is_alone { self.last.unwrap_or(qualifiers) } else { qualifiers };
        let question = self.value(qualifiers)?;
        self.last = Some(qualifiers);
        Ok(question)
    }

    fn qualifiers(&mut self) -> Qualifiers {
        let protocol = self.take(Protocol::named);
        let end = self.end();
        let what = self.take(What::named);
        Qualifiers { protocol, end, what }
    }

    /// `src`, `dst`, `src or dst`, `src and dst`.
    fn end(&mut self) -> Option<End> {
        let first = self.take(primitive::end)?;
        let [joint, second] = [0, 1].map(|ahead| self.tokens.get(ahead).map(|token| token.kind));
        let (Some(Kind::Sign(joint)), Some(Kind::Word(second))) = (joint, second) else { return Some(first) };
        let Some(second) = primitive::end(second) else { return Some(first) };
        if second == first {
            return Some(first);
        }
        let both = match joint {
            Sign::And => End::Both,
            Sign::Or => End::Either,
            _ => return Some(first),
        };
        self.advance();
        self.advance();
        Some(both)
    }

    /// The name of a protocol alone, or with `broadcast` or `multicast`.
    fn without_value(
        &mut self,
        Qualifiers { protocol, end, what }: Qualifiers,
    ) -> Result<Option<Question>, SyntaxError> {
        if end.is_some() || what.is_some() {
            return Ok(None);
        }
        let Kind::Word(word) = self.peek().kind else { return self.alone(protocol) };
        let Some(question) = primitive::group(protocol, word) else { return self.alone(protocol) };
        self.advance();
        Ok(Some(question))
    }

    fn alone(&self, protocol: Option<Protocol>) -> Result<Option<Question>, SyntaxError> {
        let Some(protocol) = protocol else { return Ok(None) };
        match protocol.alone() {
            Some(question) => Ok(Some(question)),
            None => Err(self.expected("'host', 'src', 'dst', 'proto', 'broadcast' or 'multicast'")),
        }
    }

    fn value(&mut self, Qualifiers { protocol, end, what }: Qualifiers) -> Result<Question, SyntaxError> {
        let position = self.peek().position;
        let wrong = |reason| SyntaxError::new(position, reason);
        let end = end.unwrap_or(End::Either);
        let what = what.unwrap_or(What::Host);
        let text = self.word(what.example(protocol))?;
        match what {
            What::Host if protocol == Some(Protocol::Ether) => {
                let address = addresses::hardware(text).ok_or_else(|| self.expected(what.example(protocol)))?;
                self.advance();
                Ok(Question::Hardware { end, address })
            }
            What::Host | What::Net => {
                let network = self.network(text, what == What::Net)?;
                primitive::address(protocol, end, network).map_err(wrong)
            }
            What::Port | What::PortRange => {
                let (first, last) =
                    primitive::ports(what, text).ok_or_else(|| self.expected(what.example(protocol)))?;
                self.advance();
                let transport = primitive::transport(protocol).map_err(wrong)?;
                Ok(Question::Ports { transport, end, first, last })
            }
            What::Proto => {
                let question = primitive::number_of(protocol, text).map_err(wrong)?;
                self.advance();
                Ok(question)
            }
        }
    }

    fn network(&mut self, text: &str, is_net: bool) -> Result<Network, SyntaxError> {
        let position = self.peek().position;
        let wrong = |reason| SyntaxError::new(position, reason);
        self.advance();
        if !is_net {
            let expected = || format!("expected an IP address, found '{text}' (names are not resolved)");
            return addresses::host(text).ok_or_else(|| wrong(expected()));
        }
        if self.peek().kind != Kind::Word("mask") {
            return addresses::network(text).map_err(wrong);
        }
        self.advance();
        let mask = self.word("a mask, such as 255.0.0.0")?;
        let network = addresses::masked(text, mask).map_err(wrong)?;
        self.advance();
        Ok(network)
    }

    /// `[13] & 2 != 0`, `[2:2] = 80`, after the name of a protocol.
    fn bytes(&mut self, of: Layer) -> Result<Question, SyntaxError> {
        self.advance();
        let example = "an offset, or an offset and a length of 1, 2 or 4, such as 2:2";
        let (offset, size) = bytes::place(self.word(example)?).ok_or_else(|| self.expected(example))?;
        self.advance();
        self.sign(Sign::CloseBytes)?;
        let mask = if self.peek().kind == Kind::Sign(Sign::BitAnd) { self.mask()? } else { u32::MAX };
        let Kind::Sign(Sign::Relation(relation)) = self.peek().kind else {
            return Err(self.expected("'=', '!=', '<', '<=', '>' or '>='"));
        };
        self.advance();
        let value = self.number()?;
        Ok(Question::Bytes(Bytes { of, offset, size, mask, relation, value }))
    }

    /// `& 2`, `& (tcp-syn | tcp-fin)`
    fn mask(&mut self) -> Result<u32, SyntaxError> {
        self.advance();
        if self.peek().kind != Kind::Sign(Sign::Open) {
            return self.number();
        }
        self.advance();
        let mut mask = self.number()?;
        while self.peek().kind == Kind::Sign(Sign::BitOr) {
            self.advance();
            mask |= self.number()?;
        }
        self.sign(Sign::Close)?;
        Ok(mask)
    }

    fn number(&mut self) -> Result<u32, SyntaxError> {
        let number = bytes::number(self.word("a number")?).ok_or_else(|| self.expected("a number"))?;
        self.advance();
        Ok(number)
    }

    fn sign(&mut self, sign: Sign) -> Result<(), SyntaxError> {
        if self.peek().kind != Kind::Sign(sign) {
            return Err(self.expected(&format!("'{}'", sign.text())));
        }
        self.advance();
        Ok(())
    }

    fn vlan(&mut self) -> Result<Question, SyntaxError> {
        self.advance();
        let Token { position, kind, .. } = self.peek();
        let Kind::Word(text) = kind else { return Ok(Question::Vlan(None)) };
        let id = addresses::number(text).ok().filter(|id| *id < 4096);
        let id = id.ok_or_else(|| SyntaxError::new(position, format!("expected the id of a VLAN, found '{text}'")))?;
        self.advance();
        Ok(Question::Vlan(Some(id as u16)))
    }

    fn length(&mut self) -> Result<u32, SyntaxError> {
        self.advance();
        let text = self.word("a length in bytes")?;
        let length = addresses::number(text).map_err(|_| self.expected("a length in bytes"))?;
        self.advance();
        Ok(length)
    }

    /// Takes the next word if it has a meaning.
    fn take<T>(&mut self, meaning: impl Fn(&str) -> Option<T>) -> Option<T> {
        let Kind::Word(word) = self.peek().kind else { return None };
        let meaning = meaning(word)?;
        self.advance();
        Some(meaning)
    }

    fn word(&self, what: &str) -> Result<&'text str, SyntaxError> {
        match self.peek().kind {
            Kind::Word(word) => Ok(word),
            _ => Err(self.expected(what)),
        }
    }

    /// Returns the next token. There always is one, since the end is never taken.
    fn peek(&self) -> Token<'text> {
        self.tokens.first().copied().unwrap_or(Token::END)
    }

    fn advance(&mut self) {
        if let [_, rest @ ..] = self.tokens
            && !rest.is_empty()
        {
            self.tokens = rest;
        }
    }

    fn expected(&self, what: &str) -> SyntaxError {
        let Token { position, text, .. } = self.peek();
        let found = if text.is_empty() { "the end".into() } else { format!("'{text}'") };
        SyntaxError::new(position, format!("expected {what}, found {found}"))
    }
}
