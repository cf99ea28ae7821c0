//! When the process or the machine has no descriptor or no memory left.

use std::time::Duration;

use nix::errno::Errno;

/// How long to wait before another attempt. Trying again at once would use a whole processor.
pub const PAUSE: Duration = Duration::from_millis(100);

/// Whether an attempt may succeed later, when others have closed descriptors or freed memory.
pub fn is_exhaustion(errno: Errno) -> bool {
    matches!(errno, Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::ENOBUFS)
}
