//! Which requests are answered? The list of all routes.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state, map_request, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use groundrun_model::{Code, Error, door};
use http::{HeaderValue, header};

use crate::emulator::{clock, workloads};
use crate::error::refusal;
use crate::v1::{domain_mappings, locations, operations, revisions, services};
use crate::v2::rest;
use crate::{State, grpc, health, iam_credentials, iam_policy, logging, login, oauth, openapi, overview};
use crate::{account_keys, public_keys, roles, signing_keys};
use crate::{resource_manager, service_accounts, service_usage, shape, sts, token_info, unimplemented, verb};

/// The name of the server, in every answer of the API.
const SERVER: HeaderValue = HeaderValue::from_static(concat!("groundrun/", env!("CARGO_PKG_VERSION")));

macro_rules! routes {
    ($($method:ident $path:literal $name:literal => $handler:path;)+) => {
        /// Every route: method, path and the name of the method in Google's API. A segment that begins
        /// with a colon is a custom verb of the segment before it.
        pub const ROUTES: &[(&str, &str, &str)] = &[$((stringify!($method), $path, $name)),+];

        /// Who answers each of them, such as `services::list_all`.
        pub(crate) const HANDLERS: &[&str] = &[$(stringify!($handler)),+];

        fn table() -> Router<State> {
            let routes: Vec<(&str, MethodRouter<State>)> = vec![$(($path, $method($handler))),+];
            // A custom verb is a literal segment with a colon, which axum 0.7 took for a parameter.
            let router = Router::new().without_v07_checks();
            routes.into_iter().fold(router, |router, (path, handler)| router.route(path, handler))
        }
    };
}

routes! {
    // Cloud Run v1, at regional hosts by namespace.
    get "/apis/serving.knative.dev/v1/namespaces/{namespace}/services" "run.namespaces.services.list" => services::list_all;
    post "/apis/serving.knative.dev/v1/namespaces/{namespace}/services" "run.namespaces.services.create" => services::create;
    get "/apis/serving.knative.dev/v1/namespaces/{namespace}/services/{service}" "run.namespaces.services.get" => services::get;
    put "/apis/serving.knative.dev/v1/namespaces/{namespace}/services/{service}" "run.namespaces.services.replaceService" => services::replace;
    delete "/apis/serving.knative.dev/v1/namespaces/{namespace}/services/{service}" "run.namespaces.services.delete" => services::delete;
    get "/apis/serving.knative.dev/v1/namespaces/{namespace}/revisions" "run.namespaces.revisions.list" => revisions::list_all;
    get "/apis/serving.knative.dev/v1/namespaces/{namespace}/revisions/{revision}" "run.namespaces.revisions.get" => revisions::get;
    delete "/apis/serving.knative.dev/v1/namespaces/{namespace}/revisions/{revision}" "run.namespaces.revisions.delete" => revisions::delete;
    get "/apis/serving.knative.dev/v1/namespaces/{namespace}/configurations" "run.namespaces.configurations.list" => services::list_configurations;
    get "/apis/serving.knative.dev/v1/namespaces/{namespace}/configurations/{service}" "run.namespaces.configurations.get" => services::get_configuration;
    get "/apis/serving.knative.dev/v1/namespaces/{namespace}/routes" "run.namespaces.routes.list" => services::list_routes;
    get "/apis/serving.knative.dev/v1/namespaces/{namespace}/routes/{service}" "run.namespaces.routes.get" => services::get_route;

    // The same by location.
    get "/v1/projects/{project}/locations" "run.projects.locations.list" => locations::list_all;
    get "/v1/projects/{project}/locations/{location}/services" "run.projects.locations.services.list" => services::list_all;
    post "/v1/projects/{project}/locations/{location}/services" "run.projects.locations.services.create" => services::create;
    get "/v1/projects/{project}/locations/{location}/services/{service}" "run.projects.locations.services.get" => services::get;
    put "/v1/projects/{project}/locations/{location}/services/{service}" "run.projects.locations.services.replaceService" => services::replace;
    delete "/v1/projects/{project}/locations/{location}/services/{service}" "run.projects.locations.services.delete" => services::delete;
    get "/v1/projects/{project}/locations/{location}/services/{service}/:getIamPolicy" "run.projects.locations.services.getIamPolicy" => iam_policy::get_of_service;
    post "/v1/projects/{project}/locations/{location}/services/{service}/:setIamPolicy" "run.projects.locations.services.setIamPolicy" => iam_policy::set_of_service;
    post "/v1/projects/{project}/locations/{location}/services/{service}/:testIamPermissions" "run.projects.locations.services.testIamPermissions" => iam_policy::test_of_service;
    get "/v1/projects/{project}/locations/{location}/revisions" "run.projects.locations.revisions.list" => revisions::list_all;
    get "/v1/projects/{project}/locations/{location}/revisions/{revision}" "run.projects.locations.revisions.get" => revisions::get;
    delete "/v1/projects/{project}/locations/{location}/revisions/{revision}" "run.projects.locations.revisions.delete" => revisions::delete;
    get "/v1/projects/{project}/locations/{location}/configurations" "run.projects.locations.configurations.list" => services::list_configurations;
    get "/v1/projects/{project}/locations/{location}/configurations/{service}" "run.projects.locations.configurations.get" => services::get_configuration;
    get "/v1/projects/{project}/locations/{location}/routes" "run.projects.locations.routes.list" => services::list_routes;
    get "/v1/projects/{project}/locations/{location}/routes/{service}" "run.projects.locations.routes.get" => services::get_route;

    get "/v1/projects/{project}/locations/{location}" "run.projects.locations.get" => locations::get;
    get "/v1/projects/{project}/locations/{location}/operations" "run.projects.locations.operations.list" => operations::list_all;
    get "/v1/projects/{project}/locations/{location}/operations/{operation}" "run.projects.locations.operations.get" => operations::get;
    delete "/v1/projects/{project}/locations/{location}/operations/{operation}" "run.projects.locations.operations.delete" => operations::delete;
    post "/v1/projects/{project}/locations/{location}/operations/{operation}/:wait" "run.projects.locations.operations.wait" => operations::wait;

    // Cloud Run v2.
    get "/v2/projects/{project}/locations" "run.projects.locations.list" => rest::list_locations;
    get "/v2/projects/{project}/locations/{location}" "run.projects.locations.get" => rest::get_location;
    post "/v2/projects/{project}/locations/{location}/services" "run.projects.locations.services.create" => rest::create_service;
    get "/v2/projects/{project}/locations/{location}/services" "run.projects.locations.services.list" => rest::list_services;
    get "/v2/projects/{project}/locations/{location}/services/{service}" "run.projects.locations.services.get" => rest::get_service;
    patch "/v2/projects/{project}/locations/{location}/services/{service}" "run.projects.locations.services.patch" => rest::update_service;
    delete "/v2/projects/{project}/locations/{location}/services/{service}" "run.projects.locations.services.delete" => rest::delete_service;
    get "/v2/projects/{project}/locations/{location}/services/{service}/:getIamPolicy" "run.projects.locations.services.getIamPolicy" => rest::get_iam_policy;
    post "/v2/projects/{project}/locations/{location}/services/{service}/:setIamPolicy" "run.projects.locations.services.setIamPolicy" => rest::set_iam_policy;
    post "/v2/projects/{project}/locations/{location}/services/{service}/:testIamPermissions" "run.projects.locations.services.testIamPermissions" => rest::test_iam_permissions;
    get "/v2/projects/{project}/locations/{location}/services/{service}/revisions" "run.projects.locations.services.revisions.list" => rest::list_revisions;
    get "/v2/projects/{project}/locations/{location}/services/{service}/revisions/{revision}" "run.projects.locations.services.revisions.get" => rest::get_revision;
    delete "/v2/projects/{project}/locations/{location}/services/{service}/revisions/{revision}" "run.projects.locations.services.revisions.delete" => rest::delete_revision;
    get "/v2/projects/{project}/locations/{location}/operations" "run.projects.locations.operations.list" => rest::list_operations;
    get "/v2/projects/{project}/locations/{location}/operations/{operation}" "run.projects.locations.operations.get" => rest::get_operation;
    delete "/v2/projects/{project}/locations/{location}/operations/{operation}" "run.projects.locations.operations.delete" => rest::delete_operation;
    post "/v2/projects/{project}/locations/{location}/operations/{operation}/:wait" "run.projects.locations.operations.wait" => rest::wait_operation;

    // Domain mappings.
    get "/apis/domains.cloudrun.com/v1/namespaces/{namespace}/domainmappings" "run.namespaces.domainmappings.list" => domain_mappings::list_all;
    post "/apis/domains.cloudrun.com/v1/namespaces/{namespace}/domainmappings" "run.namespaces.domainmappings.create" => domain_mappings::create;
    get "/apis/domains.cloudrun.com/v1/namespaces/{namespace}/domainmappings/{domain}" "run.namespaces.domainmappings.get" => domain_mappings::get;
    delete "/apis/domains.cloudrun.com/v1/namespaces/{namespace}/domainmappings/{domain}" "run.namespaces.domainmappings.delete" => domain_mappings::delete;
    get "/apis/domains.cloudrun.com/v1/namespaces/{namespace}/authorizeddomains" "run.namespaces.authorizeddomains.list" => domain_mappings::list_authorized;
    get "/v1/projects/{project}/locations/{location}/domainmappings" "run.projects.locations.domainmappings.list" => domain_mappings::list_all;
    post "/v1/projects/{project}/locations/{location}/domainmappings" "run.projects.locations.domainmappings.create" => domain_mappings::create;
    get "/v1/projects/{project}/locations/{location}/domainmappings/{domain}" "run.projects.locations.domainmappings.get" => domain_mappings::get;
    delete "/v1/projects/{project}/locations/{location}/domainmappings/{domain}" "run.projects.locations.domainmappings.delete" => domain_mappings::delete;
    get "/v1/projects/{project}/locations/{location}/authorizeddomains" "run.projects.locations.authorizeddomains.list" => domain_mappings::list_authorized;
    get "/v1/projects/{project}/authorizeddomains" "run.projects.authorizeddomains.list" => domain_mappings::list_authorized;

    // What services and their instances have left in the log.
    post "/v2/entries/:list" "logging.entries.list" => logging::list_entries;

    // What gcloud asks of other APIs on the way.
    get "/v1/projects/{project}/services/{api}" "serviceusage.services.get" => service_usage::get;
    post "/v1/projects/{project}/services/:batchEnable" "serviceusage.services.batchEnable" => service_usage::batch_enable;
    get "/v1/projects" "cloudresourcemanager.projects.list" => resource_manager::list_all;
    get "/v1/projects/{project}" "cloudresourcemanager.projects.get" => resource_manager::get;
    post "/v1/projects/{project}/:getIamPolicy" "cloudresourcemanager.projects.getIamPolicy" => iam_policy::get_of_project;
    post "/v1/projects/{project}/:setIamPolicy" "cloudresourcemanager.projects.setIamPolicy" => iam_policy::set_of_project;
    post "/v1/projects/{project}/:testIamPermissions" "cloudresourcemanager.projects.testIamPermissions" => iam_policy::test_of_project;
    get "/v3/projects/:search" "cloudresourcemanager.projects.search" => resource_manager::search;
    get "/v3/projects/{project}" "cloudresourcemanager.projects.get" => resource_manager::get_v3;
    post "/v3/projects/{project}/:getIamPolicy" "cloudresourcemanager.projects.getIamPolicy" => iam_policy::get_of_project;
    post "/v3/projects/{project}/:setIamPolicy" "cloudresourcemanager.projects.setIamPolicy" => iam_policy::set_of_project;
    post "/v3/projects/{project}/:testIamPermissions" "cloudresourcemanager.projects.testIamPermissions" => iam_policy::test_of_project;
    get "/v1/projects/{project}/serviceAccounts" "iam.projects.serviceAccounts.list" => service_accounts::list_all;
    post "/v1/projects/{project}/serviceAccounts" "iam.projects.serviceAccounts.create" => service_accounts::create;
    get "/v1/projects/{project}/serviceAccounts/{account}" "iam.projects.serviceAccounts.get" => service_accounts::get;
    patch "/v1/projects/{project}/serviceAccounts/{account}" "iam.projects.serviceAccounts.patch" => service_accounts::patch;
    put "/v1/projects/{project}/serviceAccounts/{account}" "iam.projects.serviceAccounts.update" => service_accounts::update;
    post "/v1/projects/{project}/serviceAccounts/{account}/:disable" "iam.projects.serviceAccounts.disable" => service_accounts::disable;
    post "/v1/projects/{project}/serviceAccounts/{account}/:enable" "iam.projects.serviceAccounts.enable" => service_accounts::enable;
    delete "/v1/projects/{project}/serviceAccounts/{account}" "iam.projects.serviceAccounts.delete" => service_accounts::delete;
    post "/v1/projects/{project}/serviceAccounts/{account}/:undelete" "iam.projects.serviceAccounts.undelete" => service_accounts::undelete;
    post "/v1/projects/{project}/serviceAccounts/{account}/:getIamPolicy" "iam.projects.serviceAccounts.getIamPolicy" => service_accounts::get_policy;
    post "/v1/projects/{project}/serviceAccounts/{account}/:setIamPolicy" "iam.projects.serviceAccounts.setIamPolicy" => service_accounts::set_policy;
    post "/v1/projects/{project}/serviceAccounts/{account}/:testIamPermissions" "iam.projects.serviceAccounts.testIamPermissions" => service_accounts::test_permissions;
    get "/v1/projects/{project}/serviceAccounts/{account}/allowedLocations" "iamcredentials.projects.serviceAccounts.getAllowedLocations" => iam_credentials::allowed_locations;
    post "/v1/projects/{project}/serviceAccounts/{account}/:generateIdToken" "iamcredentials.projects.serviceAccounts.generateIdToken" => iam_credentials::generate_id_token;
    post "/v1/projects/{project}/serviceAccounts/{account}/:generateAccessToken" "iamcredentials.projects.serviceAccounts.generateAccessToken" => iam_credentials::generate_access_token;
    post "/v1/projects/{project}/serviceAccounts/{account}/:signBlob" "iamcredentials.projects.serviceAccounts.signBlob" => iam_credentials::sign_blob;
    post "/v1/projects/{project}/serviceAccounts/{account}/:signJwt" "iamcredentials.projects.serviceAccounts.signJwt" => iam_credentials::sign_jwt;
    get "/v1/projects/{project}/serviceAccounts/{account}/keys" "iam.projects.serviceAccounts.keys.list" => account_keys::list_all;
    post "/v1/projects/{project}/serviceAccounts/{account}/keys" "iam.projects.serviceAccounts.keys.create" => account_keys::create;
    post "/v1/projects/{project}/serviceAccounts/{account}/keys/:upload" "iam.projects.serviceAccounts.keys.upload" => account_keys::upload;
    get "/v1/projects/{project}/serviceAccounts/{account}/keys/{key}" "iam.projects.serviceAccounts.keys.get" => account_keys::get;
    post "/v1/projects/{project}/serviceAccounts/{account}/keys/{key}/:disable" "iam.projects.serviceAccounts.keys.disable" => account_keys::disable;
    post "/v1/projects/{project}/serviceAccounts/{account}/keys/{key}/:enable" "iam.projects.serviceAccounts.keys.enable" => account_keys::enable;
    delete "/v1/projects/{project}/serviceAccounts/{account}/keys/{key}" "iam.projects.serviceAccounts.keys.delete" => account_keys::delete;

    // Roles.
    get "/v1/roles" "iam.roles.list" => roles::list_predefined;
    get "/v1/roles/{role}" "iam.roles.get" => roles::get_predefined;
    post "/v1/roles/:queryGrantableRoles" "iam.roles.queryGrantableRoles" => roles::query_grantable;
    post "/v1/permissions/:queryTestablePermissions" "iam.permissions.queryTestablePermissions" => roles::query_testable;
    get "/v1/projects/{project}/roles" "iam.projects.roles.list" => roles::list_all;
    post "/v1/projects/{project}/roles" "iam.projects.roles.create" => roles::create;
    get "/v1/projects/{project}/roles/{role}" "iam.projects.roles.get" => roles::get;
    patch "/v1/projects/{project}/roles/{role}" "iam.projects.roles.patch" => roles::update;
    delete "/v1/projects/{project}/roles/{role}" "iam.projects.roles.delete" => roles::delete;
    post "/v1/projects/{project}/roles/{role}/:undelete" "iam.projects.roles.undelete" => roles::undelete;

    // Tokens and public keys.
    post "/token" "oauth2.token" => oauth::token;
    post "/oauth2/v4/token" "oauth2.token" => oauth::token;
    post "/o/oauth2/token" "oauth2.token" => oauth::token;
    post "/v1/token" "sts.exchange" => sts::token;
    get "/tokeninfo" "oauth2.tokeninfo" => token_info::token_info;
    post "/tokeninfo" "oauth2.tokeninfo" => token_info::token_info;
    get "/oauth2/v3/tokeninfo" "oauth2.tokeninfo" => token_info::token_info;
    post "/oauth2/v3/tokeninfo" "oauth2.tokeninfo" => token_info::token_info;
    get "/oauth2/v1/tokeninfo" "oauth2.tokeninfo" => token_info::older_token_info;
    post "/oauth2/v1/tokeninfo" "oauth2.tokeninfo" => token_info::older_token_info;
    get "/oauth2/v2/tokeninfo" "oauth2.tokeninfo" => token_info::older_token_info;
    post "/oauth2/v2/tokeninfo" "oauth2.tokeninfo" => token_info::older_token_info;
    get "/v1/userinfo" "openidconnect.userinfo" => token_info::user_info;
    get "/oauth2/v3/userinfo" "oauth2.userinfo.get" => token_info::user_info;
    get "/oauth2/v1/userinfo" "oauth2.userinfo.get" => token_info::older_user_info;
    get "/oauth2/v2/userinfo" "oauth2.userinfo.get" => token_info::older_user_info;
    get "/userinfo/v2/me" "oauth2.userinfo.v2.me.get" => token_info::older_user_info;
    get "/oauth2/v1/certs" "oauth2.certs" => public_keys::certificates;
    get "/oauth2/v3/certs" "oauth2.jwks" => public_keys::jwks;
    get "/service_accounts/v1/metadata/x509/{account}" "serviceAccounts.x509" => public_keys::account_certificates;
    get "/robot/v1/metadata/x509/{account}" "serviceAccounts.x509" => public_keys::account_certificates;
    get "/service_accounts/v1/metadata/raw/{account}" "serviceAccounts.raw" => public_keys::account_raw_keys;
    get "/service_accounts/v1/metadata/jwk/{account}" "serviceAccounts.jwk" => public_keys::account_jwks;
    get "/service_accounts/v1/jwk/{account}" "serviceAccounts.jwk" => public_keys::account_jwks;
    get "/.well-known/openid-configuration" "openid.discovery" => public_keys::discovery;

    // The emulator itself.
    post "/emulator/login" "groundrun.login" => login::login;
    get "/" "groundrun.overview" => overview::page;
    get "/emulator/keys" "groundrun.keys.list" => signing_keys::list_all;
    post "/emulator/keys" "groundrun.keys.import" => signing_keys::import;
    post "/emulator/keys/:rotate" "groundrun.keys.rotate" => signing_keys::rotate;
    get "/healthz" "groundrun.healthz" => health::healthz;
    get "/readyz" "groundrun.readyz" => health::readyz;
    get "/emulator/workloads" "groundrun.workloads.list" => workloads::list_all;
    post "/emulator/workloads" "groundrun.workloads.open" => workloads::open;
    delete "/emulator/workloads/{workload}" "groundrun.workloads.close" => workloads::close;
    get "/emulator/clock" "groundrun.clock.get" => clock::get;
    post "/emulator/clock" "groundrun.clock.change" => clock::change;
    get "/openapi.json" "groundrun.openapi" => openapi::document;
}

/// All routes as one service.
pub(crate) fn router(state: State) -> Router {
    let grpc = from_fn_with_state(state.clone(), grpc::door::<State>);
    let routed = table().fallback(fallback).method_not_allowed_fallback(wrong_method).with_state(state);
    // Routing happens inside, so that a verb is split off before a route is looked for.
    Router::new()
        .fallback_service(routed)
        .layer(map_request(|request: Request| async { verb::split_verb(request) }))
        .layer(from_fn(shape::shape))
        .layer(grpc)
        .layer(from_fn(own_pages_only))
        .layer(map_response(|mut response: Response| async {
            response.headers_mut().insert(header::SERVER, SERVER);
            response
        }))
}

/// Refuses what a page of a foreign site sends from the developer's browser.
async fn own_pages_only(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    match origin.filter(|origin| !door::is_own_origin(origin)) {
        None => next.run(request).await,
        Some(origin) => {
            let message = format!("Pages of '{origin}' may not use the APIs of groundrun.");
            refusal(&Error::new(Code::PermissionDenied, message))
        }
    }
}

async fn fallback(request: Request) -> Response {
    let path = request.uri().path().replace("/:", ":");
    unimplemented::not_emulated(request.method(), &path)
}

async fn wrong_method(request: Request) -> Response {
    let path = request.uri().path().replace("/:", ":");
    unimplemented::not_allowed(request.method(), &path)
}
