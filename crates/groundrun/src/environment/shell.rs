//! How is a variable set, and a word quoted, in each shell?

use clap::ValueEnum;

/// A shell that `groundrun env` speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Every POSIX shell: sh, bash, zsh, dash.
    Sh,
    /// fish.
    Fish,
    /// PowerShell.
    Powershell,
}

impl Shell {
    /// The shell whose path is `path`, as `$SHELL` holds it.
    pub fn from_path(path: &str) -> Self {
        match path.rsplit(['/', '\\']).next().unwrap_or_default() {
            "fish" => Self::Fish,
            "pwsh" | "pwsh.exe" | "powershell.exe" => Self::Powershell,
            _ => Self::Sh,
        }
    }

    /// The shell of the user.
    pub fn current() -> Self {
        Self::from_path(&std::env::var("SHELL").unwrap_or_default())
    }

    /// The line that sets a variable, for this shell and for what it starts.
    pub fn set(self, name: &str, value: &str) -> String {
        let value = self.quote(value);
        match self {
            Self::Sh => format!("export {name}={value}"),
            Self::Fish => format!("set -gx {name} {value}"),
            Self::Powershell => format!("$Env:{name} = {value}"),
        }
    }

    /// The line that unsets a variable; no complaint if it is not set.
    pub fn unset(self, name: &str) -> String {
        match self {
            Self::Sh => format!("unset {name}"),
            Self::Fish => format!("set -ge {name}"),
            Self::Powershell => format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
        }
    }

    /// `text` as one word that means nothing but itself.
    pub fn quote(self, text: &str) -> String {
        match self {
            Self::Sh if is_plain(text) => text.to_owned(),
            Self::Sh => format!("'{}'", text.replace('\'', r"'\''")),
            Self::Fish if is_plain(text) => text.to_owned(),
            Self::Fish => format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'")),
            Self::Powershell => format!("'{}'", doubled_quotes(text)),
        }
    }

    /// The command with which a user lets this shell run what `groundrun env` prints. `flags` has a
    /// space before each flag.
    pub(super) fn evaluate(self, program: &str, flags: &str, unset: bool) -> String {
        let program = self.quote(program);
        let unset = if unset { " --unset" } else { "" };
        match self {
            Self::Sh => format!("eval \"$({program} env{flags}{unset})\""),
            Self::Fish => format!("{program} env --shell fish{flags}{unset} | source"),
            Self::Powershell => {
                format!("& {program} env --shell powershell{flags}{unset} | Out-String | Invoke-Expression")
            }
        }
    }
}

/// Whether no shell but PowerShell sees anything special in `text`.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,".contains(c);
    !text.is_empty() && text.chars().all(plain)
}

/// PowerShell ends a quoted text at typographic quotes too, and takes two of any for one.
fn doubled_quotes(text: &str) -> String {
    let mut doubled = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            doubled.push(c);
        }
        doubled.push(c);
    }
    doubled
}
