//! Where is the program that is measured?

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Outcome, report};

/// Builds the program as a user installs it, and says where cargo put it.
///
/// # Errors
/// It does not build.
pub(crate) fn build() -> Outcome<PathBuf> {
    report::note("building groundrun, if it has changed (a few minutes the first time)");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--profile", "dist", "--quiet", "-p", "groundrun", "--bin", "groundrun"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("groundrun does not build".into());
    }
    executable(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| "cargo named no program".into())
}

/// The program in cargo's messages, which are JSON, one a line.
fn executable(messages: &str) -> Option<PathBuf> {
    let program = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    messages.lines().filter_map(program).next_back()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::executable;

    #[test]
    fn the_program_is_the_artifact_that_can_be_run() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
            {"reason":"compiler-artifact","executable":"/t/dist/groundrun"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages).as_deref(), Some(Path::new("/t/dist/groundrun")));
        assert_eq!(executable(r#"{"reason":"build-finished"}"#), None);
    }
}
