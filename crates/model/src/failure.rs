//! Why did an instance give no response to a request that was let through?
//!
//! The statuses and the words of the request log are those of
//! <https://cloud.google.com/run/docs/troubleshooting>; what the client is shown is the proxy's to say.

/// What went wrong between the front end and an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing accepts a connection where the instance should be.
    Unreachable,
    /// The connection broke off before there was a response.
    BrokenOff,
    /// What came is no response.
    Malformed,
    /// No response began within the timeout of the revision.
    TimedOut,
    /// The response announces more than [`MAX_HTTP1_RESPONSE_BYTES`].
    ///
    /// [`MAX_HTTP1_RESPONSE_BYTES`]: crate::request::MAX_HTTP1_RESPONSE_BYTES
    ResponseTooLarge,
    /// No instance was free in time.
    NoInstance {
        /// Whether the service runs as many as it may.
        at_limit: bool,
    },
    /// The instance did not start.
    NotStarted,
}

impl Failure {
    /// The status that the client sees.
    pub const fn status(self) -> u16 {
        match self {
            Self::Unreachable | Self::BrokenOff | Self::Malformed => 503,
            Self::TimedOut => 504,
            Self::NoInstance { at_limit: true } => 429,
            Self::NoInstance { at_limit: false } | Self::NotStarted | Self::ResponseTooLarge => 500,
        }
    }

    /// What the request log says.
    pub const fn log_message(self) -> &'static str {
        match self {
            Self::Unreachable | Self::BrokenOff | Self::Malformed => {
                "The request failed because either the HTTP response was malformed or connection to the \
                 instance had an error."
            }
            Self::TimedOut => {
                "The request has been terminated because it has reached the maximum request timeout."
            }
            Self::ResponseTooLarge => "Response size was too large. Please consider reducing response size.",
            Self::NoInstance { .. } => "The request was aborted because there was no available instance.",
            Self::NotStarted => "The request failed because the instance could not start successfully.",
        }
    }
}
