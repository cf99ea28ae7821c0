//! How long nsset continues a process that other processes stop.
//!
//! nsset undoes a stop by SIGSTOP within about a millisecond. One or two stops may be accidental, for example by the
//! job control of a shell or by a program that limits CPU usage. A process that is stopped each time it continues will
//! not finish. Only the tracer can undo a stop by a tracer (ptrace(2)).

use std::time::{Duration, Instant};

/// How often a process is continued.
const MOST_STOPS: u32 = 20;

/// How long nsset waits for a process that was stopped less often, or that a tracer keeps stopped.
pub const LIMIT: Duration = Duration::from_millis(700);

/// The stops that one operation has noticed.
#[derive(Debug, Default)]
pub struct Patience {
    stops: u32,
    stopped_since: Option<Instant>,
    traced_since: Option<Instant>,
}

impl Patience {
    /// A process was stopped, and nsset has continued it.
    pub fn note_stop(&mut self) {
        self.stops += 1;
        self.stopped_since.get_or_insert_with(Instant::now);
    }

    /// Whether a tracer keeps a process stopped at this moment.
    pub fn note_trace(&mut self, is_kept: bool) {
        self.traced_since = is_kept.then(|| self.traced_since.unwrap_or_else(Instant::now));
    }

    pub fn is_over(&self) -> bool {
        let mut since = [self.stopped_since, self.traced_since].into_iter().flatten();
        self.stops > MOST_STOPS || since.any(|since| since.elapsed() > LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_stops_are_an_accident_and_many_are_not() {
        let mut patience = Patience::default();
        for _ in 0..MOST_STOPS {
            patience.note_stop();
        }
        assert!(!patience.is_over());
        patience.note_stop();
        assert!(patience.is_over());
    }

    #[test]
    fn the_time_starts_again_when_the_tracer_continues_the_process() {
        let traced_since = Instant::now().checked_sub(2 * LIMIT);
        let mut patience = Patience { traced_since, ..Patience::default() };
        patience.note_trace(true);
        assert!(patience.is_over());
        patience.note_trace(false);
        assert!(!patience.is_over());
        patience.note_trace(true);
        assert!(!patience.is_over());
    }
}
