//! Which values may a setting have by itself? Rules over more than one field are in `validate`.

/// The GPUs of Cloud Run.
const ACCELERATORS: &[&str] = &["nvidia-l4", "nvidia-rtx-pro-6000"];

pub(super) fn at_most_characters(text: &str, most: usize) -> Result<(), String> {
    if text.chars().count() <= most { Ok(()) } else { Err(format!("must be at most {most} characters.")) }
}

/// 0 turns the target off.
pub(super) fn utilization(share: f64, most: f64) -> Result<(), String> {
    if share == 0.0 || (0.1..=most).contains(&share) {
        Ok(())
    } else {
        Err(format!("must be between 0.1 and {most}, or 0 to disable"))
    }
}

pub(super) fn not_negative(count: i64) -> Result<(), String> {
    if count > i64::from(i32::MAX) {
        return Err(format!("must be at most {}", i32::MAX));
    }
    within(count, 0, i64::from(i32::MAX), "must be greater than or equal to zero")
}

pub(super) fn within(value: i64, least: i64, most: i64, words: &str) -> Result<(), String> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(words.to_owned()) }
}

/// The address of a service account; an id alone was completed by the defaults.
pub(super) fn service_account(email: &str) -> Result<(), String> {
    let good = |(id, domain): (&str, &str)| !id.is_empty() && domain.ends_with(".gserviceaccount.com");
    if email.split_once('@').is_some_and(good) {
        Ok(())
    } else {
        Err(format!(
            "Unsupported service account '{email}'. It must be the email address of a service account, or the id \
             of one in the project of the service."
        ))
    }
}

/// Connection names, separated by commas. The project of a domain has a colon of its own:
/// `example.com:demo:us-central1:db`.
pub(super) fn cloudsql_instances(list: &str) -> Result<(), String> {
    let good = |name: &str| {
        let parts: Vec<&str> = name.split(':').collect();
        let domain = parts.len() == 4 && parts.first().is_some_and(|domain| domain.contains('.'));
        (parts.len() == 3 || domain) && parts.iter().all(|part| !part.is_empty() && !part.contains(' '))
    };
    match list.split(',').map(str::trim).find(|name| !name.is_empty() && !good(name)) {
        None => Ok(()),
        Some(name) => {
            Err(format!("Cloud SQL instance '{name}' must have the format project:location:instance."))
        }
    }
}

pub(super) fn accelerator(kind: &str) -> Result<(), String> {
    if ACCELERATORS.contains(&kind) {
        Ok(())
    } else {
        Err(format!("'{kind}' is not a GPU of Cloud Run. Supported are {}.", ACCELERATORS.join(", ")))
    }
}
