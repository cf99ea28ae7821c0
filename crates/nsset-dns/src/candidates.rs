//! The names that a name may stand for: itself, and itself below each domain of the search list.

use crate::host_name::HostName;

/// In the order in which they are asked for, as resolver(3) and resolv.conf(5) have it: a name with `ndots` dots is
/// first tried as it is, any other last.
pub fn candidates(name: &HostName, search: &[HostName], ndots: usize) -> Vec<HostName> {
    if name.is_absolute() {
        return vec![name.clone()];
    }
    let mut names: Vec<_> = search.iter().filter_map(|domain| name.below(domain)).collect();
    let place = if name.dots() >= ndots { 0 } else { names.len() };
    names.insert(place, name.clone());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, search: &[&str], ndots: usize) -> String {
        let search: Vec<_> = search.iter().map(|domain| HostName::parse(domain).unwrap()).collect();
        let names = candidates(&HostName::parse(name).unwrap(), &search, ndots);
        names.iter().map(HostName::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_search_list_comes_before_or_after_the_name_by_its_dots() {
        let search = ["lab.test", "test"];
        assert_eq!(of("web", &search, 1), "web.lab.test web.test web");
        assert_eq!(of("web.a", &search, 1), "web.a web.a.lab.test web.a.test");
        assert_eq!(of("web.a", &search, 2), "web.a.lab.test web.a.test web.a");
        assert_eq!(of("web", &search, 0), "web web.lab.test web.test");
        assert_eq!(of("web", &[], 1), "web");
    }

    #[test]
    fn a_dot_at_the_end_says_that_the_name_is_whole() {
        assert_eq!(of("web.", &["lab.test"], 5), "web");
    }

    #[test]
    fn a_name_that_gets_too_long_is_left_out() {
        let long = ["a"; 126].join(".");
        assert_eq!(of(&long, &["test"], 1), long);
    }
}
