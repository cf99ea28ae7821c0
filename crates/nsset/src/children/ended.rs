//! Calls listeners when a process or namespace has ended.

use std::sync::{Arc, Mutex, PoisonError};

type Listener = Box<dyn FnOnce() + Send>;

/// An end that happens once. A listener that is added later is called at once. A clone shares the state.
#[derive(Clone, Default)]
pub(crate) struct Ended(Arc<Mutex<State>>);

enum State {
    Running(Vec<Listener>),
    Ended,
}

impl Default for State {
    fn default() -> Self {
        Self::Running(Vec::new())
    }
}

impl std::fmt::Debug for Ended {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ended").finish_non_exhaustive()
    }
}

impl Ended {
    pub(crate) fn tell(&self) {
        // A listener may add another one, so the lock is not held during the call.
        let before = std::mem::replace(&mut *self.state(), State::Ended);
        if let State::Running(listeners) = before {
            for listener in listeners {
                listener();
            }
        }
    }

    pub(crate) fn listen(&self, listener: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        if let State::Running(listeners) = &mut *state {
            listeners.push(Box::new(listener));
            return;
        }
        drop(state);
        listener();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn each_listener_is_called_once_before_or_after() {
        let (ended, calls) = (Ended::default(), Arc::new(AtomicU32::new(0)));
        let listen = || {
            let calls = Arc::clone(&calls);
            ended.listen(move || {
                calls.fetch_add(1, Ordering::SeqCst);
            });
        };
        listen();
        listen();
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        ended.clone().tell();
        ended.tell();
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        listen();
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }
}
