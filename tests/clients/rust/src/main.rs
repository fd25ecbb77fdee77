//! Does google-cloud-run-v2 work against the emulator at ADDRESS, and what does it see?
//!
//! usage: groundrun-rust-client scenario ADDRESS
//!        groundrun-rust-client write-back ADDRESS SERVICE
//!        groundrun-rust-client identity CASE
//!
//! The second reads a service, writes it back and prints its name. The third is in identity.rs.
//! The steps, their words and their order are those of ../python/scenario.py. The first thing that is not as
//! it should be ends the program with a message and a status that is not 0.

mod door;
mod identity;

use google_cloud_iam_v1::model::Binding;
use google_cloud_run_v2::{Error, Result};
use serde_json::{Value, json};

use door::{Door, Wanted, seen, short, violations};

const IMAGE: &str = "us-docker.pkg.dev/demo/app/web";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["scenario", address] => scenario(&Door::open(address).await).await.expect("the scenario"),
        ["write-back", address, service] => {
            let name =
                Door::open(address).await.write_back(service).await.expect("the service is written back");
            println!("{}", json!({ "name": name }));
        }
        ["identity", case] => identity::identity(case).await,
        _ => panic!("{arguments:?} is no usage of this program"),
    }
}

async fn scenario(door: &Door) -> Result<()> {
    writing(door).await?;
    listing(door).await?;
    policy(door).await?;
    operations(door).await?;
    revisions(door).await?;
    refusals(door).await?;
    deleting(door).await
}

fn step(name: &str, saw: Value) -> Value {
    println!("{}", json!({ "saw": saw, "step": name }));
    saw
}

/// What a call that must be refused is told.
fn refusal<T: std::fmt::Debug>(answer: Result<T>) -> Error {
    answer.expect_err("the call must be refused")
}

fn short_names(names: &[String]) -> Value {
    names.iter().map(|name| short(name)).collect()
}

async fn writing(door: &Door) -> Result<()> {
    let one =
        Wanted { image: IMAGE, env: &[("MODE", "one")], audiences: &["https://one.example"], timeout: None };
    let created = step("create", door.create("alpha", one).await?);
    assert_eq!(step("read", door.get("alpha").await?), created);
    let changed = step("change one field", door.change_audiences("alpha", &["aud1", "aud2"]).await?);
    assert_eq!(changed["env"], json!({ "MODE": "one" }), "what the mask does not name");
    let image = format!("{IMAGE}:v2");
    let two = Wanted { image: &image, env: &[("MODE", "two")], ..Wanted::default() };
    let replaced = step("replace", door.replace("alpha", two).await?);
    assert_eq!(replaced["audiences"], json!([]), "what a replacement leaves out");
    assert_eq!(step("replace with the same", door.replace("alpha", two).await?), replaced);
    let checked = door.check("ghost", Wanted { image: IMAGE, ..Wanted::default() }).await?;
    assert_eq!(step("validate only", json!(checked)), json!(true));
    Ok(())
}

async fn listing(door: &Door) -> Result<()> {
    for name in ["beta", "gamma"] {
        door.create(name, Wanted { image: IMAGE, ..Wanted::default() }).await?;
    }
    step("list by ones", json!(door.list_pages(1).await?));
    // Without a size the client sends 0: one page for all.
    assert_eq!(door.list_pages(0).await?, [["gamma", "beta", "alpha"]]);
    Ok(())
}

async fn policy(door: &Door) -> Result<()> {
    let before = door.get_policy("alpha").await?;
    assert_eq!(&before.etag[..], [0, 0x20, 1], "the etag of a policy that was never set");
    assert!(before.bindings.is_empty());
    step("policy of a new service", json!({ "bindings": [], "etag": "ACAB" }));
    let everyone = Binding::new().set_role("roles/run.invoker").set_members(["allUsers"]);
    let written = door.set_policy("alpha", &before.etag, vec![everyone]).await?;
    let told: Vec<Value> = written
        .bindings
        .iter()
        .map(|binding| json!({ "members": binding.members, "role": binding.role }))
        .collect();
    step("policy that lets everyone invoke", json!(told));
    assert_ne!(written.etag, before.etag);
    let stale = refusal(door.set_policy("alpha", &before.etag, Vec::new()).await);
    step("policy with a stale etag", seen(&stale));
    assert_eq!(door.get_policy("alpha").await?, written, "the policy after a refusal");
    let asked = ["run.services.get", "run.services.delete", "run.routes.invoke"];
    let mut held = door.test_permissions("alpha", &asked).await?;
    held.sort();
    step("permissions held", json!(held));
    Ok(())
}

async fn operations(door: &Door) -> Result<()> {
    let name = door.operation_of_create("delta", Wanted { image: IMAGE, ..Wanted::default() }).await?;
    let waited = door.wait_operation(&name).await?;
    let read = door.services.get_operation().set_name(&name).send().await?;
    assert_eq!((read.name.as_str(), read.done), (name.as_str(), true));
    step("operation", waited);
    assert!(door.list_operations("done:true").await?.contains(&name));
    assert!(door.list_operations("done:false").await?.is_empty());
    step("delete", door.delete("delta").await?);
    Ok(())
}

async fn revisions(door: &Door) -> Result<()> {
    let names = door.list_revisions("alpha").await?;
    step("revisions", short_names(&names));
    let (latest, oldest) = (&names[0], &names[names.len() - 1]);
    step("one revision", door.get_revision(oldest).await?);
    step("delete the latest revision", seen(&refusal(door.delete_revision(latest).await)));
    door.delete_revision(oldest).await?;
    step("delete a retired revision", short_names(&door.list_revisions("alpha").await?));
    step("read a deleted revision", seen(&refusal(door.get_revision(oldest).await)));
    step("operation that fails", seen(&refusal(door.send_traffic_to("alpha", "alpha-nowhere").await)));
    assert_eq!(door.get("alpha").await?["serving"], json!([["alpha-00003", 100]]));
    Ok(())
}

async fn refusals(door: &Door) -> Result<()> {
    let plain = Wanted { image: IMAGE, ..Wanted::default() };
    step("create what exists", seen(&refusal(door.create("beta", plain).await)));
    step("read what is missing", seen(&refusal(door.get("nothing").await)));
    step("replace what is missing", seen(&refusal(door.replace("nothing", plain).await)));
    let late = refusal(door.create("late", Wanted { timeout: Some(3601), ..plain }).await);
    step("create with a wrong timeout", seen(&late));
    assert_eq!(violations(&late)[0].0, "service.template.timeout");
    let reserved = refusal(door.create("late", Wanted { env: &[("PORT", "1")], ..plain }).await);
    step("create with a reserved variable", seen(&reserved));
    assert_eq!(violations(&reserved)[0].0, "service.template.containers[0].env");
    step("write over a newer one", seen(&refusal(door.delete_stale("beta").await)));
    assert_eq!(door.list_pages(0).await?, [["gamma", "beta", "alpha"]], "what refusals stored");
    Ok(())
}

async fn deleting(door: &Door) -> Result<()> {
    for name in ["alpha", "beta", "gamma"] {
        door.delete(name).await?;
    }
    step("read what was deleted", seen(&refusal(door.get("alpha").await)));
    assert!(door.list_pages(0).await?.iter().all(Vec::is_empty));
    step("delete what was deleted", seen(&refusal(door.delete("alpha").await)));
    Ok(())
}
