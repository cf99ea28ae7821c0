//! Host names.

use hickory_proto::rr::Name;

/// The largest length of a name as text, without the last dot: RFC 1035, section 2.3.4.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A host name as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    text: String,
    /// Whether the text ends with a dot: the search list does not apply.
    absolute: bool,
}

impl HostName {
    /// Parses a host name. `None` if the text is not one. Underscores are allowed, as in other resolvers.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, absolute) = match text.strip_suffix('.') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let is_name = name.len() <= LONGEST_NAME && !name.starts_with('-') && name.split('.').all(is_label);
        is_name.then(|| Self { text: name.to_owned(), absolute })
    }

    /// Returns the text without a dot at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn is_absolute(&self) -> bool {
        self.absolute
    }

    pub fn dots(&self) -> usize {
        self.text.matches('.').count()
    }

    /// Whether the name is `localhost` or below it: RFC 6761, section 6.3.
    pub fn is_localhost(&self) -> bool {
        let (_, last) = self.text.rsplit_once('.').unwrap_or(("", &self.text));
        last.eq_ignore_ascii_case("localhost")
    }

    /// Returns the name in a domain for a query, or `None` if it is too long. A domain may have any name. The root domain is
    /// empty.
    pub fn below(&self, domain: &str) -> Option<Name> {
        let domain = domain.strip_prefix('.').unwrap_or(domain);
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let domain = (!domain.is_empty()).then(|| domain.split('.')).into_iter().flatten();
        name(self.text.split('.').chain(domain))
    }

    /// Returns the name for a query.
    pub fn question(&self) -> Option<Name> {
        name(self.text.split('.'))
    }
}

/// Builds a name from labels. It does not parse the text, where a label must not start with a hyphen, and a backslash is an
/// escape.
fn name<'a>(labels: impl Iterator<Item = &'a str>) -> Option<Name> {
    let labels: Vec<_> = labels.map(str::as_bytes).collect();
    Name::from_labels(labels).ok()
}

fn is_label(label: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST_LABEL).contains(&label.len()) && label.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_names_are_parsed() {
        let longest =
            [&"a".repeat(63), &"b".repeat(63), &"c".repeat(63), &"d".repeat(61)].map(String::as_str).join(".");
        for text in ["a", "A.b", "a.b.", "a.-b", "a-", "1.2.3.4.5", "_srv.x", "xn--bcher-kva.example", &longest] {
            assert!(HostName::parse(text).is_some_and(|name| name.question().is_some()), "{text}");
        }
        let long_label = "a".repeat(64);
        let too_long = format!("{longest}e");
        let bad = ["", ".", "..", "a..b", ".a", "a b", "a\\b", "-a", "a\0", "fe80::1%eth0", "bücher", "a\n", "*"];
        for text in bad.into_iter().chain([long_label.as_str(), &too_long]) {
            assert_eq!(HostName::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_name_keeps_its_text_in_a_domain() {
        let below = |name: &str, domain| HostName::parse(name).unwrap().below(domain).map(|name| name.to_string());
        assert_eq!(below("Web", "Lab.test").as_deref(), Some("Web.Lab.test."));
        assert_eq!(below("web", ".lab.test.").as_deref(), Some("web.lab.test."));
        assert_eq!(below("web", ".").as_deref(), Some("web."));
        assert!(below("web", "no_such!").is_some());
        assert_eq!(below("web", "a..b"), None);
        assert_eq!(below(&["a"; 126].join("."), "test"), None);
    }

    #[test]
    fn localhost_is_a_top_level_domain() {
        let is_localhost = |text| HostName::parse(text).unwrap().is_localhost();
        assert!(is_localhost("localhost") && is_localhost("LOCALHOST.") && is_localhost("a.b.localhost"));
        assert!(!is_localhost("notlocalhost") && !is_localhost("localhost.lab") && !is_localhost("a.notlocalhost"));
    }
}
