//! Time, as hickory asks for it.

use std::{future::Future, io, time::Duration};

use async_trait::async_trait;
use hickory_net::runtime::Time;

/// That of the tokio runtime.
pub struct Timer;

#[async_trait]
impl Time for Timer {
    async fn delay_for(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn timeout<F: 'static + Future + Send>(duration: Duration, future: F) -> Result<F::Output, io::Error> {
        Ok(tokio::time::timeout(duration, future).await?)
    }
}
