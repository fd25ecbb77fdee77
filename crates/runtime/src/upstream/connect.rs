//! How is a connection to an instance opened?

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::backend::RespondError;

/// The first wait between two attempts. An instance that is about to listen is seldom later than a few of
/// these.
const FIRST_WAIT: Duration = Duration::from_micros(100);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// A connection to `authority`, host and port. While it is refused it is tried again, for `patience`: none
/// for a server that somebody else runs, more for an instance that was just started.
///
/// # Errors
/// [`RespondError::Unreachable`] with what the system said last.
pub(super) async fn open(authority: &str, patience: Duration) -> Result<TcpStream, RespondError> {
    let until = Instant::now() + patience;
    let mut wait = FIRST_WAIT;
    loop {
        let opened = TcpStream::connect(authority).await;
        match opened.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok(stream),
            Err(problem) if problem.kind() != io::ErrorKind::ConnectionRefused || Instant::now() >= until => {
                return Err(RespondError::Unreachable { authority: authority.to_owned(), problem });
            }
            Err(_) => {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}
