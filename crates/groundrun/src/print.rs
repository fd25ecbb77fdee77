//! Where does the program speak to its user?
//!
//! The one place that writes to the standard streams; everything else that is worth a line is logged.

use std::fmt;
use std::io::{self, Write as _};

/// Writes a line to standard output. A reader that went away is no error: `groundrun env | head -1`.
pub fn line(text: impl fmt::Display) {
    let mut out = io::stdout().lock();
    // There is nobody left to tell.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Writes a line to standard error.
pub fn error(text: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
