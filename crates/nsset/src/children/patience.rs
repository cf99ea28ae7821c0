//! How long a process of ours is given that somebody stops.
//!
//! A stop by SIGSTOP is seen and undone within a millisecond or so. Once or twice it may be an accident, as of a shell's job
//! control or of a program that limits the use of processors; a process that is stopped each time that it goes on will not come
//! to an end. A stop by a tracer (ptrace(2)) is the tracer's to undo.

use std::time::{Duration, Instant};

/// How often a process is set going again.
const MOST_STOPS: u32 = 20;

/// How long a process is waited for that was stopped less often, or that a tracer keeps.
pub const LIMIT: Duration = Duration::from_millis(700);

/// What was seen of the stops of one operation.
#[derive(Debug, Default)]
pub struct Patience {
    stops: u32,
    stopped_since: Option<Instant>,
    traced_since: Option<Instant>,
}

impl Patience {
    /// A process was stopped, and has been set going again.
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
    fn what_a_tracer_has_let_go_begins_anew() {
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
