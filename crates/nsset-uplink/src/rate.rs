//! How often something is done.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Allows something a number of times at once, and as many times in each period after that.
#[derive(Debug)]
pub struct Rate {
    most: u32,
    period: Duration,
    left: Cell<u32>,
    since: Cell<Instant>,
}

impl Rate {
    pub fn new(most: u32, period: Duration) -> Self {
        Self { most, period, left: Cell::new(most), since: Cell::new(Instant::now()) }
    }

    /// Whether it may be done now.
    pub fn allows(&self) -> bool {
        if self.since.get().elapsed() >= self.period {
            self.since.set(Instant::now());
            self.left.set(self.most);
        }
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_allowed_again_after_a_period() {
        let rate = Rate::new(2, Duration::from_secs(3600));
        assert_eq!([rate.allows(), rate.allows(), rate.allows()], [true, true, false]);
        let rate = Rate { period: Duration::ZERO, ..rate };
        assert!(rate.allows());
    }
}
