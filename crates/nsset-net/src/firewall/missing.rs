//! What exists instead of a table or a set that does not, for errors.

/// More names are omitted from a message.
const MOST_LISTED: usize = 10;

/// Returns the names that exist, and which of them was probably meant.
pub(super) fn hint(what: &str, wanted: &str, known: &[String]) -> String {
    if known.is_empty() {
        return format!("there is no {what} at all");
    }
    let meant = nearest(wanted, known).map_or_else(String::new, |name| format!(" did you mean '{name}'?"));
    let quoted: Vec<_> = known.iter().take(MOST_LISTED).map(|name| format!("'{name}'")).collect();
    let more =
        if known.len() > MOST_LISTED { format!(" and {} more", known.len() - MOST_LISTED) } else { String::new() };
    format!("no such {what};{meant} there are {}{more}", quoted.join(", "))
}

/// Returns the name that differs least, as the checks of arguments do: in at most a third of its letters.
fn nearest<'a>(wanted: &str, known: &'a [String]) -> Option<&'a String> {
    let name = |text: &str| text.rsplit(' ').next().unwrap_or_default().to_lowercase();
    let wanted = name(wanted);
    let most = (wanted.chars().count() / 3).min(3);
    let distance = |other: &String| strsim::osa_distance(&wanted, &name(other));
    known
        .iter()
        .map(|other| (distance(other), other))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, known: &[&str], expected: &str) {
        let known: Vec<_> = known.iter().map(ToString::to_string).collect();
        assert_eq!(hint("table", wanted, &known), expected);
    }

    #[test]
    fn a_similar_name_is_suggested() {
        check("inet filter", &[], "there is no table at all");
        check(
            "inet fliter",
            &["inet filter", "ip nat"],
            "no such table; did you mean 'inet filter'? there are 'inet filter', 'ip nat'",
        );
        check(
            "inet nat",
            &["inet filter", "ip nat"],
            "no such table; did you mean 'ip nat'? there are 'inet filter', 'ip nat'",
        );
        check("inet x", &["ip nat"], "no such table; there are 'ip nat'");
    }

    #[test]
    fn a_long_list_is_cut() {
        let many: Vec<_> = (0..12).map(|number| format!("ip t{number}")).collect();
        let text = hint("table", "ip none", &many);
        assert!(text.ends_with("'ip t9' and 2 more"), "{text}");
    }
}
