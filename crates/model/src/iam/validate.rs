//! Which roles, members and versions may a policy have?

use std::collections::BTreeMap;

use super::condition::{LONGEST_DESCRIPTION, LONGEST_TITLE};
use super::member::Member;
use super::{Binding, Condition, Policy, PolicyLevel};
use crate::account::Account;
use crate::error::{Error, Result, Violations};

/// What marks the role of a conditional binding that was read without its condition.
pub(super) const WITH_CONDITION: &str = "_withcond_";

/// The roles that existed before IAM, which as documented cannot be bound with a condition.
const BASIC_ROLES: &[&str] = &["roles/owner", "roles/editor", "roles/viewer"];

/// How often a policy may name members, each in every binding, as documented.
const MOST_MEMBERS: usize = 1500;

/// How many bindings of one role, each with another condition, may name the same member, as documented. It bounds
/// what a request costs: each of these conditions may have to be evaluated for it.
const MOST_CONDITIONS: usize = 20;

/// Checks the version of a policy against its conditions.
pub(super) fn version(policy: &Policy, field: &str) -> Result<()> {
    known_version(policy.version, field)?;
    if policy.version < 3 && policy.has_conditions() {
        return Err(Error::field(field, "a policy with conditions must have version 3."));
    }
    Ok(())
}

/// Checks that there is such a version.
pub(super) fn known_version(version: i32, field: &str) -> Result<()> {
    if matches!(version, 0 | 1 | 3) {
        return Ok(());
    }
    Err(Error::field(field, format!("'{version}' is not a policy version: use 0, 1 or 3.")))
}

/// The bindings of `policy`, checked and normalised: addresses in lower case, no empty member or binding,
/// one binding for each role and condition.
pub(super) fn bindings(policy: &Policy, level: PolicyLevel) -> Result<Vec<Binding>> {
    members(&policy.bindings)?;
    let mut violations = Violations::default();
    let mut merged: Vec<Binding> = Vec::new();
    for (i, given) in policy.bindings.iter().enumerate() {
        let at = format!("policy.bindings[{i}]");
        if let Err(why) = role(&given.role) {
            violations.add(format!("{at}.role"), why);
        }
        if let Some(given_condition) = &given.condition {
            condition(given_condition, &given.role, &at, &mut violations);
        }
        let mut members = Vec::new();
        for (j, given) in given.members.iter().enumerate().filter(|(_, given)| !given.is_empty()) {
            match member(given, level) {
                Ok(member) => members.push(member),
                Err(why) => violations.add(format!("{at}.members[{j}]"), why),
            }
        }
        merge(&mut merged, given, members);
    }
    violations.into_result()?;
    merged.retain(|binding| !binding.members.is_empty());
    conditions(&merged)?;
    Ok(merged)
}

/// Checks how many members a policy has, before anything is done for each.
fn members(bindings: &[Binding]) -> Result<()> {
    let members: usize = bindings.iter().map(|binding| binding.members.len().max(1)).sum();
    if members <= MOST_MEMBERS {
        return Ok(());
    }
    // Google's words.
    Err(Error::in_words(format!(
        "The number of members in the policy ({members}) is larger than the maximum allowed size {MOST_MEMBERS}."
    )))
}

/// Checks how many conditions may have to be evaluated for one member.
fn conditions(bindings: &[Binding]) -> Result<()> {
    let mut counts = BTreeMap::new();
    for binding in bindings.iter().filter(|binding| binding.condition.is_some()) {
        for member in &binding.members {
            let count = counts.entry((&binding.role, member)).or_insert(0_usize);
            *count += 1;
            if *count > MOST_CONDITIONS {
                let role = &binding.role;
                return Err(Error::field(
                    "policy.bindings",
                    format!("{member} has {role} with more than {MOST_CONDITIONS} different conditions."),
                ));
            }
        }
    }
    Ok(())
}

/// Checks a condition of a binding of `role`; `at` is the field of the binding.
fn condition(condition: &Condition, role: &str, at: &str, violations: &mut Violations) {
    let at = format!("{at}.condition");
    if BASIC_ROLES.contains(&role) {
        violations.add(&at, format!("a binding of the basic role {role} cannot have a condition."));
    }
    let title = condition.title.chars().count();
    violations.check(title > 0, format!("{at}.title"), "a condition must have a title.");
    let too_long = |most| format!("must have at most {most} characters.");
    violations.check(title <= LONGEST_TITLE, format!("{at}.title"), too_long(LONGEST_TITLE));
    violations.check(
        condition.description.chars().count() <= LONGEST_DESCRIPTION,
        format!("{at}.description"),
        too_long(LONGEST_DESCRIPTION),
    );
    if condition.expression.is_empty() {
        violations.add(format!("{at}.expression"), "a condition must have an expression.");
    } else if let Err(problem) = condition.compile() {
        violations.add(format!("{at}.expression"), problem.to_string());
    }
}

fn merge(merged: &mut Vec<Binding>, given: &Binding, members: Vec<String>) {
    let at = merged.iter().position(|known| known.role == given.role && known.condition == given.condition);
    let at = at.unwrap_or_else(|| {
        merged.push(Binding { members: Vec::new(), ..given.clone() });
        merged.len() - 1
    });
    let known = &mut merged[at].members;
    for member in members {
        if !known.contains(&member) {
            known.push(member);
        }
    }
}

fn role(role: &str) -> Result<(), String> {
    if role.contains(WITH_CONDITION) {
        return Err(format!(
            "'{role}' is the name of a binding whose condition was left out: read the policy with \
             requestedPolicyVersion 3."
        ));
    }
    let parts: Vec<&str> = role.split('/').collect();
    let id = match parts.as_slice() {
        ["roles", id] => id,
        ["projects" | "organizations", parent, "roles", id] if !parent.is_empty() => id,
        _ => "",
    };
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !id.is_empty() && id.bytes().all(good) {
        return Ok(());
    }
    Err(format!(
        "'{role}' is not a role: use roles/NAME, projects/PROJECT/roles/NAME or organizations/ORGANIZATION/roles/NAME."
    ))
}

/// The member in its normal form, or what is wrong with it.
fn member(text: &str, level: PolicyLevel) -> Result<String, String> {
    if matches!(Member::parse(text), Member::AllUsers | Member::AllAuthenticatedUsers) {
        return if level == PolicyLevel::Project {
            Err(format!("{text} cannot be a member on a project: bind it on each service."))
        } else {
            Ok(text.to_owned())
        };
    }
    let unknown =
        || format!("The member {text} is of an unknown type. Please set a valid type prefix for the member.");
    let (kind, value) = text.split_once(':').ok_or_else(unknown)?;
    match kind {
        "user" | "serviceAccount" => account(kind, value),
        "group" => email(value).map(|email| format!("group:{email}")),
        "domain" if is_domain(value) => Ok(format!("domain:{}", value.to_ascii_lowercase())),
        "domain" => Err(format!("'{value}' is not a domain.")),
        "principal" | "principalSet" if value.len() > 2 && value.starts_with("//") => Ok(text.to_owned()),
        "deleted" if value.split_once(':').is_some_and(|(_, rest)| !rest.is_empty()) => Ok(text.to_owned()),
        _ => Err(unknown()),
    }
}

fn account(kind: &str, value: &str) -> Result<String, String> {
    // The identity of a workload of GKE: `PROJECT.svc.id.goog[NAMESPACE/NAME]`.
    if kind == "serviceAccount" && value.ends_with(']') && value.contains(".svc.id.goog[") {
        return Ok(format!("{kind}:{value}"));
    }
    let account = Account::new(&email(value)?);
    match (kind, account.is_service_account()) {
        ("serviceAccount", false) => Err(format!("Service account {value} does not exist.")),
        ("user", true) => Err(format!(
            "Account {value} is of type \"serviceAccount\". The principal should appear as \"serviceAccount:{value}\"."
        )),
        _ => Ok(account.member()),
    }
}

/// The address in lower case.
pub(super) fn email(value: &str) -> Result<String, String> {
    let good = |byte: u8| byte.is_ascii_graphic() && !b"\"(),:;<>[]\\@".contains(&byte);
    let is_email = value
        .rsplit_once('@')
        .is_some_and(|(name, domain)| !name.is_empty() && name.bytes().all(good) && is_domain(domain));
    if is_email { Ok(value.to_ascii_lowercase()) } else { Err(format!("'{value}' is not an email address.")) }
}

pub(super) fn is_domain(value: &str) -> bool {
    let label = |label: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(good) && !label.starts_with('-') && !label.ends_with('-')
    };
    value.contains('.') && value.len() <= 253 && value.split('.').all(label)
}
