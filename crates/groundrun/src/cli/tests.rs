//! Does the command line hold together, and does every option have its variable?

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    command().try_get_matches_from(line.split(' ')).and_then(|found| Cli::from_arg_matches(&found))
}

#[test]
fn the_command_line_is_well_formed() {
    command().debug_assert();
}

#[test]
fn without_a_command_it_serves() {
    let cli = parse("groundrun --project p --ephemeral").unwrap();
    assert_eq!(cli.command, None);
    assert_eq!(cli.serve.options.project.as_deref(), Some("p"));
    let Some(Command::Serve(serve)) = parse("groundrun serve --project p --ephemeral").unwrap().command
    else {
        panic!("it is the command serve");
    };
    assert_eq!(serve, cli.serve);
}

#[test]
fn a_switch_can_say_no() {
    let cli = parse("groundrun --ephemeral=false --explain").unwrap();
    assert_eq!((cli.serve.options.ephemeral, cli.serve.options.explain), (Some(false), Some(true)));
}

#[test]
fn every_option_has_a_variable_wherever_it_is_taken() {
    let mut found = Vec::new();
    let mut seen = |command: &clap::Command| {
        for arg in command.get_arguments() {
            if let (Some(long), Some(variable)) = (arg.get_long(), arg.get_env()) {
                let expected = format!("GROUNDRUN_{}", long.replace('-', "_").to_uppercase());
                assert_eq!(variable.to_str(), Some(expected.as_str()));
                found.push(format!("{} {long}", command.get_name()));
            }
        }
    };
    let command = command();
    seen(&command);
    command.get_subcommands().for_each(&mut seen);
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn the_help_shows_flags_defaults_and_variables() {
    let help = command().term_width(110).render_long_help().to_string();
    insta::assert_snapshot!(help);
}

#[test]
fn a_command_takes_only_options_that_it_needs() {
    assert!(parse("groundrun env --ephemeral").is_err());
    assert!(parse("groundrun --project p env").is_err());
    assert!(parse("groundrun exec --data-dir x -- true").is_ok());
    assert!(parse("groundrun exec").is_err());
    assert!(parse("groundrun --revision-policy sometimes").is_err());
}
