//! Patterns of host names.

/// A host name, or all names below a domain (`*.example.org`), or all names (`*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    Any,
    /// The domain with its leading dot. The domain itself does not match.
    Below(String),
    Exactly(String),
}

impl NamePattern {
    /// Reads a pattern. Letters are compared without case, and a dot at the end is ignored.
    pub fn new(text: &str) -> Self {
        let text = normalized(text);
        match text.strip_prefix('*') {
            Some("") => Self::Any,
            Some(domain) => Self::Below(domain.to_owned()),
            None => Self::Exactly(text),
        }
    }

    /// Whether a name matches that [`normalized`] has returned.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            // The domain begins with a dot, so a label in front of it is not empty.
            Self::Below(domain) => name.len() > domain.len() && name.ends_with(domain),
            Self::Exactly(own) => own == name,
        }
    }
}

/// Returns a name in lower case, without a dot at its end.
pub fn normalized(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_at_least_one_label() {
        let pattern = NamePattern::new("*.Example.org");
        assert!(pattern.matches("a.example.org") && pattern.matches("a.b.example.org"));
        assert!(
            !pattern.matches("example.org") && !pattern.matches("badexample.org") && !pattern.matches(".example.org")
        );
    }

    #[test]
    fn a_name_matches_itself_alone() {
        let pattern = NamePattern::new("example.org.");
        assert!(pattern.matches("example.org"));
        assert!(!pattern.matches("www.example.org") && !pattern.matches("example.org.evil.test"));
    }
}
