//! What does `groundrun.yaml` say, and in which line is it wrong?

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use groundrun_model::{Project, Region};

use super::{Options, balancers};

/// The file that is read if it is there and no other is named.
const DEFAULT_FILE: &str = "groundrun.yaml";

/// How alike two names must be, from 0 to 1, so that one is taken for a slip of the other.
const ALIKE: f64 = 0.75;

/// Where the options are written down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ConfigFile {
    /// File with options, in camelCase (dataDir: /tmp/store) [default: groundrun.yaml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Why the options are not usable.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {cause}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file holds something else than options.
    #[error("{}:{line}: {reason}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// The line at fault; the first is 1.
        line: u64,
        /// What is wrong there.
        reason: String,
    },
    /// A value breaks a rule of Google Cloud.
    #[error("{option}: {reason}")]
    Value {
        /// The name of the option.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl ConfigFile {
    /// The options of the file; none if no file is named and `groundrun.yaml` is not there.
    ///
    /// # Errors
    /// If it cannot be read, or holds an unknown key or a value of another type.
    pub fn read(&self) -> Result<Options, ConfigError> {
        let file = self.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(file) {
            Ok(text) => parse(&text, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.config.is_none() => {
                Ok(Options::default())
            }
            Err(cause) => Err(ConfigError::Unreadable { file: file.to_owned(), cause }),
        }
    }
}

/// Reads the text of a file. A file with nothing but comments sets nothing.
pub(super) fn parse(text: &str, file: &Path) -> Result<Options, ConfigError> {
    let content = |line: u64, reason: String| ConfigError::Content { file: file.to_owned(), line, reason };
    let parsed = serde_saphyr::from_str::<Option<Options>>(text);
    let options = parsed.map(Option::unwrap_or_default).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        content(line, reason(error.without_snippet(), text, line))
    })?;
    // Which project and region entries have that name none is not known before the flags are.
    let entries = options.load_balancers.as_deref().unwrap_or_default();
    if let (Ok(project), Ok(region)) = (Project::parse("any-project"), Region::parse("us-central1")) {
        balancers::read(entries, &project, &region).map_err(|(line, why)| content(line, why))?;
    }
    Ok(options)
}

fn reason(error: &serde_saphyr::Error, text: &str, line: u64) -> String {
    match error {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => match closest(field, expected) {
            Some(name) => format!("unknown key `{field}`; did you mean `{name}`?"),
            None => format!("unknown key `{field}`; known are {}", expected.join(", ")),
        },
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{key}` is there twice")
        }
        // The text may run over several lines, and says the place again.
        other => {
            let told = other.to_string();
            let told = told.lines().next().unwrap_or_default();
            let told = told.split(" at line ").next().unwrap_or(told);
            let at = usize::try_from(line.saturating_sub(1)).ok();
            let content = at.and_then(|at| text.lines().nth(at)).unwrap_or_default().trim();
            format!("{told}, in `{content}`")
        }
    }
}

/// The name that `typed` is probably a slip of. Case and separators do not count: `data-dir` is `dataDir`.
fn closest(typed: &str, names: &[&'static str]) -> Option<&'static str> {
    let plain = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
    names
        .iter()
        .map(|name| (strsim::jaro_winkler(&plain(typed), &plain(name)), *name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
