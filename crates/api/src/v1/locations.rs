//! The regions through v1.

use crate::call::{Target, Who};
use crate::reply::{Json, Reply};
use crate::v2::locations;

pub(crate) async fn list_all(_caller: Who, target: Target) -> Reply {
    Ok(Json(locations::all(&target.scope.project)))
}

pub(crate) async fn get(_caller: Who, target: Target) -> Reply {
    Ok(Json(locations::one(&target.scope.project, target.param("location"))?))
}
