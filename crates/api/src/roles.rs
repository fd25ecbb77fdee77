//! Roles, predefined and custom, as the IAM API shows them.

use axum::extract::State as FromState;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use groundrun_model::iam::custom_role::{RoleSpec, Stage};
use groundrun_model::iam::roles::{ROLES, Role, grantable_roles, predefined_role, testable_permissions};
use groundrun_model::{Code, Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::State;
use crate::call::{Body, Query, Target, Who};
use crate::reply::{Json, Reply};

/// How many items a page of a list has unless the caller asks for another number.
const PAGE: usize = 300;

/// The most that a page has.
const LARGEST_PAGE: usize = 1000;

/// The message `Role`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RoleMessage {
    title: String,
    description: String,
    included_permissions: Vec<String>,
    stage: Stage,
    etag: String,
    /// Output only, and ignored.
    #[serde(rename = "name")]
    _name: String,
    /// Output only, and ignored.
    #[serde(rename = "deleted")]
    _deleted: bool,
}

impl RoleMessage {
    fn into_spec(self) -> RoleSpec {
        let Self { title, description, included_permissions, stage, .. } = self;
        RoleSpec { title, description, included_permissions, stage }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateRole {
    role_id: String,
    #[serde(default)]
    role: RoleMessage,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UndeleteRole {
    etag: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct QueryRoles {
    full_resource_name: String,
    view: Option<String>,
    page_size: i64,
    page_token: String,
}

pub(crate) async fn list_predefined(_caller: Who, query: Query) -> Reply {
    if query.get("parent").is_some() {
        return Err(
            Error::field("parent", "must be empty: list the roles of a project under the project.").into()
        );
    }
    let page = Page::read(&query)?;
    let view = is_full(query.get("view"))?;
    let (shown, next) = page.of(ROLES, |role| role.id)?;
    Ok(list("roles", shown.iter().map(|role| role.to_json(view)).collect(), next))
}

pub(crate) async fn get_predefined(
    _caller: Who,
    axum::extract::Path(role): axum::extract::Path<String>,
) -> Reply {
    let name = format!("roles/{role}");
    let missing = || Error::new(Code::NotFound, format!("The role named {name} was not found."));
    Ok(Json(predefined_role(&name).ok_or_else(missing)?.to_json(true)))
}

pub(crate) async fn query_grantable(_caller: Who, body: Body) -> Reply {
    let asked: QueryRoles = body.read()?;
    let roles = grantable_roles(&asked.full_resource_name)?;
    let view = is_full(asked.view.as_deref())?;
    let (shown, next) = Page::new(asked.page_size, asked.page_token)?.of(&roles, |role| role.id)?;
    let render = |role: &&Role| role.to_json(view);
    Ok(list("roles", shown.iter().map(render).collect(), next))
}

pub(crate) async fn query_testable(_caller: Who, body: Body) -> Reply {
    let asked: QueryRoles = body.read()?;
    let permissions = testable_permissions(&asked.full_resource_name)?;
    let (shown, next) = Page::new(asked.page_size, asked.page_token)?.of(&permissions, |name| name)?;
    let render = |name: &&str| json!({ "name": name, "stage": "GA" });
    Ok(list("permissions", shown.iter().map(render).collect(), next))
}

pub(crate) async fn list_all(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let show_deleted = query.get("showDeleted") == Some("true");
    let page = Page::read(&query)?;
    let view = is_full(query.get("view"))?;
    let roles = state.engine.list_roles(&caller, &target.scope.project, show_deleted).await?;
    let (shown, next) = page.of(&roles, |role| &role.id)?;
    Ok(list("roles", shown.iter().map(|role| role.to_json(view)).collect(), next))
}

pub(crate) async fn create(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    body: Body,
) -> Reply {
    let asked: CreateRole = body.read()?;
    let project = &target.scope.project;
    let role = state.engine.create_role(&caller, project, &asked.role_id, asked.role.into_spec()).await?;
    Ok(Json(role.to_json(true)))
}

pub(crate) async fn get(FromState(state): FromState<State>, Who(caller): Who, target: Target) -> Reply {
    let role = state.engine.get_role(&caller, &target.scope.project, target.param("role")).await?;
    Ok(Json(role.to_json(true)))
}

pub(crate) async fn update(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
    body: Body,
) -> Reply {
    let given: RoleMessage = body.read()?;
    let (mask, etag) = (query.get("updateMask").unwrap_or_default(), given.etag.clone());
    let which = (&target.scope.project, target.param("role"));
    let role = state.engine.update_role(&caller, which, given.into_spec(), mask, &etag).await?;
    Ok(Json(role.to_json(true)))
}

pub(crate) async fn delete(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let which = (&target.scope.project, target.param("role"));
    let etag = query.get("etag").unwrap_or_default();
    Ok(Json(state.engine.set_role_deleted(&caller, which, true, etag).await?.to_json(true)))
}

pub(crate) async fn undelete(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    body: Body,
) -> Reply {
    let asked: UndeleteRole = body.read()?;
    let which = (&target.scope.project, target.param("role"));
    Ok(Json(state.engine.set_role_deleted(&caller, which, false, &asked.etag).await?.to_json(true)))
}

/// Whether the permissions are asked for.
fn is_full(view: Option<&str>) -> Result<bool> {
    match view {
        None | Some("" | "BASIC") => Ok(false),
        Some("FULL") => Ok(true),
        Some(other) => Err(Error::field("view", format!("'{other}' is not a view: use BASIC or FULL."))),
    }
}

fn list(key: &str, items: Vec<Value>, next: Option<String>) -> Json {
    let mut answer = Map::new();
    if !items.is_empty() {
        answer.insert(key.to_owned(), Value::Array(items));
    }
    answer.extend(next.map(|token| ("nextPageToken".to_owned(), Value::String(token))));
    Json(Value::Object(answer))
}

/// Which part of a list is asked for. The token is the name of the last item of the page before.
struct Page {
    size: usize,
    token: String,
}

impl Page {
    fn read(query: &Query) -> Result<Self> {
        let size = query.get("pageSize").map_or(Ok(0), |text| {
            text.parse().map_err(|_| Error::field("pageSize", format!("must be a number, not '{text}'")))
        })?;
        Self::new(size, query.get("pageToken").unwrap_or_default().to_owned())
    }

    fn new(size: i64, token: String) -> Result<Self> {
        match usize::try_from(size) {
            Ok(0) => Ok(Self { size: PAGE, token }),
            Ok(size) => Ok(Self { size: size.min(LARGEST_PAGE), token }),
            Err(_) => Err(Error::field("pageSize", "must not be negative")),
        }
    }

    /// The page of `items`, which are sorted by `name`, and the token of the next.
    fn of<'i, T>(&self, items: &'i [T], name: impl Fn(&T) -> &str) -> Result<(&'i [T], Option<String>)> {
        let after = URL_SAFE_NO_PAD.decode(&self.token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let after =
            after.ok_or_else(|| Error::field("pageToken", "is not a token of a page of this list"))?;
        let start = items.partition_point(|item| !after.is_empty() && name(item) <= after.as_str());
        let rest = items.get(start..).unwrap_or_default();
        let (shown, left) = rest.split_at(rest.len().min(self.size));
        let next = shown.last().filter(|_| !left.is_empty()).map(|last| URL_SAFE_NO_PAD.encode(name(last)));
        Ok((shown, next))
    }
}
