//! What does the message of a request say?

use groundrun_engine::Scope;
use groundrun_model::{Error, Project, Region, Result, ServiceId, ServiceName};
use serde_json::{Map, Value};

use crate::State;

/// The JSON of a request message. The defaults of proto3 are unset: clients send them explicitly.
#[derive(Debug)]
pub(super) struct Asked(Map<String, Value>);

impl Asked {
    pub(super) fn new(request: Value) -> Result<Self> {
        match request {
            Value::Object(fields) => Ok(Self(fields)),
            other => Err(Error::wrong_type("", "a request message", &other)),
        }
    }

    /// A field that holds a message.
    pub(super) fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_default()
    }

    /// A field that holds text; empty is unset.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(other) => Err(Error::wrong_type(&snake(name), "TYPE_STRING", other)),
        }
    }

    /// A field that is true or false, in JSON or in a query.
    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(set)) => Ok(*set),
            Some(Value::String(text)) if text.is_empty() || text == "false" => Ok(false),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(other) => Err(Error::wrong_type(&snake(name), "TYPE_BOOL", other)),
        }
    }

    /// A field that counts, in JSON or in a query; 0 is unset.
    pub(super) fn count(&self, name: &str) -> Result<Option<usize>> {
        let number = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        let number = number.filter(|number| i32::try_from(*number).is_ok()).ok_or_else(|| {
            Error::wrong_type(&snake(name), "TYPE_INT32", self.0.get(name).unwrap_or(&Value::Null))
        })?;
        let count = usize::try_from(number)
            .map_err(|_| Error::field(snake(name), "must be greater than or equal to zero"))?;
        Ok(Some(count).filter(|count| *count > 0))
    }

    /// The parts of a resource name in `field` that match the stars of `pattern`.
    ///
    /// # Errors
    /// 400 if the name is not of this form.
    fn name<const N: usize>(&self, field: &str, pattern: &str) -> Result<[&str; N]> {
        let name = self.text(field)?.unwrap_or_default();
        read_name(name, pattern).ok_or_else(|| {
            Error::field(
                snake(field),
                format!("'{name}' must be of the form {pattern}, with a name for each *"),
            )
        })
    }

    /// The region that `field` names; `-` stands for all of them.
    pub(super) async fn location(&self, state: &State, field: &str) -> Result<Scope> {
        let [project, location] = self.name(field, "projects/*/locations/*")?;
        scope(state, project, location).await
    }

    /// The project that `field` names.
    pub(super) async fn project(&self, state: &State, field: &str) -> Result<Project> {
        let [project] = self.name(field, "projects/*")?;
        state.engine.project(project).await
    }

    /// The service that `field` names.
    ///
    /// # Errors
    /// 404: what cannot be the name of a service names none.
    pub(super) async fn service(&self, state: &State, field: &str) -> Result<ServiceId> {
        let name = self.text(field)?.unwrap_or_default();
        service_id(state, name, field).await
    }

    /// Whose revisions `field` asks for: the region and the service, `-` for all of them.
    pub(super) async fn parent_service(
        &self,
        state: &State,
        field: &str,
    ) -> Result<(Scope, Option<ServiceName>)> {
        let [project, location, service] = self.name(field, "projects/*/locations/*/services/*")?;
        let scope = scope(state, project, location).await?;
        Ok((scope, if service == "-" { None } else { Some(ServiceName::parse(service, &snake(field))?) }))
    }

    /// The revision that `field` names: its region, its service and its short name.
    pub(super) async fn revision(&self, state: &State, field: &str) -> Result<(Scope, String, String)> {
        let [project, location, service, revision] =
            self.name(field, "projects/*/locations/*/services/*/revisions/*")?;
        Ok((scope(state, project, location).await?, service.to_owned(), revision.to_owned()))
    }

    /// The operation that `field` names: its region and its id.
    pub(super) async fn operation(&self, state: &State, field: &str) -> Result<(Scope, String)> {
        let [project, location, operation] = self.name(field, "projects/*/locations/*/operations/*")?;
        Ok((scope(state, project, location).await?, operation.to_owned()))
    }
}

/// The service of this full name.
pub(super) async fn service_id(state: &State, name: &str, field: &str) -> Result<ServiceId> {
    let pattern = "projects/*/locations/*/services/*";
    let [project, location, service] = read_name(name, pattern).ok_or_else(|| {
        Error::field(snake(field), format!("'{name}' must be of the form {pattern}, with a name for each *"))
    })?;
    let Scope { project, region } = scope(state, project, location).await?;
    let region = region.ok_or_else(|| Error::field(snake(field), "must name one location"))?;
    let missing = |_| Error::not_found("SERVICE", service, region.as_str(), project.id.as_str());
    let service = ServiceName::parse(service, field).map_err(missing)?;
    Ok(ServiceId { project, region, name: service })
}

async fn scope(state: &State, project: &str, location: &str) -> Result<Scope> {
    let region = if location == "-" { None } else { Some(Region::parse(location)?) };
    Ok(Scope { project: state.engine.project(project).await?, region })
}

fn read_name<'n, const N: usize>(name: &'n str, pattern: &str) -> Option<[&'n str; N]> {
    let mut stars = Vec::with_capacity(N);
    let mut segments = name.split('/');
    for part in pattern.split('/') {
        let segment = segments.next()?;
        match part {
            "*" if !segment.is_empty() => stars.push(segment),
            _ if part == segment => {}
            _ => return None,
        }
    }
    if segments.next().is_some() {
        return None;
    }
    stars.try_into().ok()
}

/// A name as protocol buffers spell it: errors name fields so.
fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
