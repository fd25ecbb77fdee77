//! Which variable stands for which flag, and which default does its help show?
//!
//! Both follow from the table of options, so that no row says its name twice.

use std::any::TypeId;
use std::collections::BTreeMap;

use clap::builder::BoolishValueParser;
use clap::{Arg, Args as _, Command, CommandFactory as _};
use serde_json::Value;

use super::Cli;
use crate::config::{ConfigFile, Options, Settings};

/// What every variable begins with.
const PREFIX: &str = "GROUNDRUN_";

/// The command line as clap reads it.
pub fn command() -> Command {
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    let table = ConfigFile::augment_args(Options::augment_args(Command::new("options")));
    let rows = table
        .get_arguments()
        .map(|arg| {
            let id = arg.get_id().as_str();
            (id.to_owned(), defaults.get(id).and_then(Value::as_str).map(str::to_owned))
        })
        .collect();
    dressed(Cli::command(), &rows)
}

fn dressed(command: Command, rows: &BTreeMap<String, Option<String>>) -> Command {
    let dress = |arg: Arg| match rows.get(arg.get_id().as_str()) {
        None => arg,
        Some(default) => {
            let variable = format!("{PREFIX}{}", arg.get_id().as_str().to_ascii_uppercase());
            switch(with_default(arg, default.as_deref())).env(variable).hide_env_values(true)
        }
    };
    command.mut_args(dress).mut_subcommands(|sub| dressed(sub, rows))
}

/// The default is shown and not given to clap, which would let it win over the file.
fn with_default(arg: Arg, default: Option<&str>) -> Arg {
    match (default, arg.get_help()) {
        (Some(default), Some(help)) if !default.is_empty() => {
            let help = format!("{help} [default: {default}]");
            arg.help(help)
        }
        _ => arg,
    }
}

/// A flag that is yes or no: `--explain` is yes, and `--explain=false` overrules a file that says yes.
fn switch(arg: Arg) -> Arg {
    if arg.get_value_parser().type_id() != TypeId::of::<bool>() {
        return arg;
    }
    arg.num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_name("BOOL")
        .value_parser(BoolishValueParser::new())
        .hide_possible_values(true)
}
