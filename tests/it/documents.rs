//! Do the documents that follow from the tables say what the tables say?

use std::fmt::Write as _;

use groundrun_api::{NOT_EMULATED, ROUTES, grpc_methods};
use groundrun_model::field::{Emulation, Place, Row};
use groundrun_model::service::{ServiceSettings, TemplateSettings, documented, v2};
use groundrun_tests::golden;

const NOTE: &str =
    "<!-- Written by tests/it/documents.rs from the tables of the program; see CONTRIBUTING.md. -->\n";

#[test]
fn the_fields_are_the_rows_of_the_table() {
    let mut text = format!(
        "# Settings\n\n{NOTE}\nEvery scalar setting of a service. *Acted on*: it changes what groundrun does. *Stored*: it is kept and\n\
         shown. A change of any of them cuts a revision under `--revision-policy=every-change`, except where the table\n\
         says *remark*; under `template` a change of the second table does.\n"
    );
    table(&mut text, "Of the service: in force at once", ServiceSettings::ROWS);
    table(&mut text, "Of the template: frozen in each revision", TemplateSettings::ROWS);
    let _ = write!(
        text,
        "\n# Messages\n\nContainers, volumes, probes and traffic, which each API spells in its own way. *Refused*: a request that\n\
         sets it is answered 400.\n"
    );
    messages(&mut text, "v1", &documented::messages());
    messages(&mut text, "v2", &v2::messages());
    golden::check("docs/fields.md", &text, "documents");
}

fn messages(text: &mut String, api: &str, messages: &[documented::Message]) {
    let _ = write!(text, "\n## In {api}\n\n| message | field | says | here |\n|---|---|---|---|\n");
    for message in messages {
        for (field, doc, here) in &message.fields {
            let _ = writeln!(text, "| {} | `{field}` | {doc} | {here} |", message.name);
        }
    }
}

fn table(text: &mut String, title: &str, rows: &[Row]) {
    let _ = write!(
        text,
        "\n## {title}\n\n| setting | in v1 | in v2 | type | default | here |\n|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let v1 = match row.v1 {
            Place::Annotation(key) => format!("annotation `{key}`"),
            Place::Spec(key) => format!("`spec.template.spec.{key}`"),
            Place::NodeSelector(key) => format!("node selector `{key}`"),
        };
        let here = match (row.emulation, row.change) {
            (_, groundrun_model::field::Change::Remark) => "stored, remark",
            (Emulation::ActedOn, _) => "acted on",
            (Emulation::Stored, _) => "stored",
        };
        let Row { doc, v2, kind, default, .. } = row;
        let _ = writeln!(text, "| {doc} | {v1} | `{v2}` | {kind} | {default} | {here} |");
    }
}

#[test]
fn what_is_emulated_is_the_list_of_routes() {
    let mut text = format!(
        "# What is emulated\n\n{NOTE}\nEvery request that the API answers, by the name of its method in Google's API. `:verb` is a custom verb of\n\
         the segment before it.\n\n| method | request |\n|---|---|\n"
    );
    for (verb, path, name) in ROUTES {
        let _ = writeln!(text, "| {name} | `{} {}` |", verb.to_uppercase(), path.replace("/:", ":"));
    }
    text.push_str("\n## By gRPC\n\nIn plain text (h2c) on the same port, with the standard health service `grpc.health.v1.Health`.\n\n");
    for method in grpc_methods() {
        let _ = writeln!(text, "- `{method}`");
    }
    text.push_str("\n## Known, and not emulated\n\nAnswered with UNIMPLEMENTED and the name, never with an empty success; gRPC is, too.\n\n| request | what it is |\n|---|---|\n");
    for (pattern, name) in NOT_EMULATED {
        let _ = writeln!(text, "| `{pattern}` | {name} |");
    }
    golden::check("docs/emulated.md", &text, "documents");
}
