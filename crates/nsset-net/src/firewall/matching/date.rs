//! Points in time, as ISO 8601 writes them in UTC: `2026-01-31T23:59:59Z`. The kernel has nanoseconds since 1970.

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400;

/// Parses a point in time.
pub(super) fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let seconds = 3600 * parts.next()?? + 60 * parts.next()?? + parts.next()??;
    let days = u64::try_from(days_before(year, month) + day - 1).ok()?;
    (days * DAY + seconds).checked_mul(SECOND)?.checked_add(nanoseconds(fraction)?)
}

fn nanoseconds(fraction: &str) -> Option<u64> {
    if fraction.len() > 9 { None } else { format!("{fraction:0<9}").parse().ok() }
}

/// Writes a point in time.
pub(super) fn write(nanoseconds: u64) -> String {
    let (seconds, fraction) = (nanoseconds / SECOND, nanoseconds % SECOND);
    let (mut day, time) = ((seconds / DAY).cast_signed(), seconds % DAY);
    let mut year = 1970 + day / 366;
    while days_before(year + 1, 1) <= day {
        year += 1;
    }
    let month = (2..=12).take_while(|month| days_before(year, *month) <= day).last().unwrap_or(1);
    day -= days_before(year, month);
    let (hours, minutes, seconds) = (time / 3600, time / 60 % 60, time % 60);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:09}") };
    let fraction = fraction.trim_end_matches('0');
    format!("{year:04}-{month:02}-{:02}T{hours:02}:{minutes:02}:{seconds:02}{fraction}Z", day + 1)
}

/// Returns the number of days from 1970 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    const DAYS: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = year - 1;
    let leaps = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let of_month = usize::try_from(month - 1).ok().and_then(|month| DAYS.get(month)).copied().unwrap_or(0);
    365 * (year - 1970) + leaps + of_month + i64::from(is_leap && month > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_it_was_written() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1972-02-29T12:00:00Z", 68_212_800),
            ("2000-03-01T00:00:01Z", 951_868_801),
            ("2026-12-31T23:59:59Z", 1_798_761_599),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(parse(text), Some(seconds * SECOND), "{text}");
            assert_eq!(write(seconds * SECOND), text);
        }
        assert_eq!(parse("2026-01-01T00:00:00.25Z").map(write).as_deref(), Some("2026-01-01T00:00:00.25Z"));
    }
}
