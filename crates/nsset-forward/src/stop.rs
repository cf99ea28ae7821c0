//! Stops a forwarding, from any thread.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// Returns the two ends of the signal that stops a forwarding.
pub fn stop() -> (Stop, StopReceiver) {
    let (sender, receiver) = watch::channel(None);
    (Stop(sender), StopReceiver(receiver))
}

/// Stops a forwarding. Dropping it stops the forwarding immediately.
#[derive(Debug)]
pub struct Stop(watch::Sender<Option<Instant>>);

impl Stop {
    /// Stops listening. Open connections have this long to end; then they are reset. A second call can only shorten this.
    pub fn after(&self, grace: Duration) {
        let end = Instant::now() + grace;
        self.0.send_if_modified(|current| {
            let is_sooner = current.is_none_or(|current| end < current);
            if is_sooner {
                *current = Some(end);
            }
            is_sooner
        });
    }
}

/// The end of the signal that a forwarding watches.
#[derive(Clone, Debug)]
pub struct StopReceiver(watch::Receiver<Option<Instant>>);

impl StopReceiver {
    /// Ends when the forwarding has to stop listening.
    pub async fn stopped(&mut self) {
        let _ = self.0.wait_for(Option::is_some).await;
    }

    /// Ends when the connections that are open then have to be reset.
    pub(crate) async fn grace_ended(&mut self) {
        loop {
            // Dropping the signal leaves no time.
            let Some(end) = *self.0.borrow_and_update() else { return };
            tokio::select! {
                () = sleep_until(end) => return,
                changed = self.0.changed() => if changed.is_err() { return },
            }
        }
    }
}
