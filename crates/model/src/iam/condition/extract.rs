//! What does `extract` take out of a text?

use cel::Env;
use cel::common::types::CelString;

/// Declares `text.extract(template)`.
pub(super) fn declare(env: &mut Env) {
    // It fails only where the function is declared already, which a test would see.
    let _declared =
        cel::add_member_overload!(env, fn extract: (CelString, CelString) -> CelString, name = "extract");
}

fn extract(text: &CelString<'_>, template: &CelString<'_>) -> CelString<'static> {
    extracted(text.inner(), template.inner()).to_owned().into()
}

/// What stands in `text` at the place of `{…}` in `template`: behind the first occurrence of what precedes
/// it there, up to the first occurrence of what follows it. As documented it is empty where the template
/// does not match.
pub(super) fn extracted<'t>(text: &'t str, template: &str) -> &'t str {
    let parts = || {
        let (before, rest) = template.split_once('{')?;
        let (_, after) = rest.split_once('}')?;
        let from = text.find(before)? + before.len();
        let found = text.get(from..)?;
        if after.is_empty() { Some(found) } else { found.get(..found.find(after)?) }
    };
    parts().unwrap_or_default()
}
