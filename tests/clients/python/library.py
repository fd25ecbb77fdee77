"""How does google-cloud-run speak v2, over REST and gRPC, blocking and not?"""

import asyncio

import grpc
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2
from google.cloud.run_v2.services.revisions import transports as revision_transports
from google.cloud.run_v2.services.services import transports as service_transports
from google.iam.v1 import iam_policy_pb2
from google.longrunning import operations_pb2
from google.protobuf import json_format
from google.rpc import error_details_pb2

from doors import PARENT, Door, Refused, v2_name, v2_seen, v2_seen_revision, v2_spec

# The one code with which an operation of the scenario ends.
STATUS = {13: "INTERNAL"}


def refused(error):
    """What an exception of the client says of a refusal."""
    message = error.message
    if isinstance(error.response, operations_pb2.Operation):
        return Refused(type(error).__name__, 500, STATUS[error.response.error.code], message, [])
    if hasattr(error.response, "json"):
        status = error.response.json()["error"]["status"]
        # The client writes the request before the message.
        message = message.split(": ", 1)[1]
    else:
        status = error.grpc_status_code.name
    fields = []
    for detail in error.details:
        if isinstance(detail, error_details_pb2.BadRequest):
            detail = json_format.MessageToDict(detail)
        if isinstance(detail, dict):
            fields += [(found["field"], found["description"]) for found in detail.get("fieldViolations", [])]
    return Refused(type(error).__name__, error.code, status, message, fields)


def as_json(message):
    """A message in the JSON of v2."""
    return json_format.MessageToDict(type(message).pb(message))


def service(json):
    """A service from the JSON of v2."""
    message = run_v2.Service()
    json_format.ParseDict(json, run_v2.Service.pb(message))
    return message


class Library(Door):
    """One of the transports of google-cloud-run."""

    def __init__(self, name, address):
        loop = asyncio.new_event_loop()
        # Everything waits on this loop, or on nothing.
        self.wait = loop.run_until_complete
        self.is_async = name == "library-grpc-async"
        if name == "library-rest":
            options = ClientOptions(api_endpoint=f"http://{address}")
            how = {"transport": "rest", "credentials": AnonymousCredentials(), "client_options": options}
            self.services, self.revision_client = run_v2.ServicesClient(**how), run_v2.RevisionsClient(**how)
            # By REST the client looks at nothing but the HTTP status.
            self.KINDS = {
                "already exists": "Conflict",
                "not found": "NotFound",
                "invalid": "BadRequest",
                "precondition": "BadRequest",
                "aborted": "Conflict",
            }
            return
        self.KINDS = {
            "already exists": "AlreadyExists",
            "not found": "NotFound",
            "invalid": "InvalidArgument",
            "precondition": "FailedPrecondition",
            "aborted": "Aborted",
        }
        if self.is_async:
            self.wait(self.open_async(address))
            return
        channel = grpc.insecure_channel(address)
        services = service_transports.ServicesGrpcTransport(channel=channel)
        revisions = revision_transports.RevisionsGrpcTransport(channel=channel)
        self.services = run_v2.ServicesClient(transport=services)
        self.revision_client = run_v2.RevisionsClient(transport=revisions)

    async def open_async(self, address):
        """A channel belongs to the loop that it was made in."""
        channel = grpc.aio.insecure_channel(address)
        services = service_transports.ServicesGrpcAsyncIOTransport(channel=channel)
        revisions = revision_transports.RevisionsGrpcAsyncIOTransport(channel=channel)
        self.services = run_v2.ServicesAsyncClient(transport=services)
        self.revision_client = run_v2.RevisionsAsyncClient(transport=revisions)

    def settled(self, what):
        """A value, or what a coroutine returns."""
        return self.wait(what) if asyncio.iscoroutine(what) else what

    def send(self, method, *request, **how):
        """The answer to a call."""
        try:
            return self.settled(method(*request, **how))
        except GoogleAPICallError as error:
            raise refused(error) from error

    def finished(self, operation):
        """What an operation makes, as soon as it has."""
        return self.send(operation.result, timeout=30)

    def started(self, name, validate_only=None, **spec):
        body = service(v2_spec(**spec))
        where = {"parent": PARENT, "service_id": name, "validate_only": bool(validate_only)}
        request = run_v2.CreateServiceRequest(service=body, **where)
        return self.send(self.services.create_service, request)

    def create(self, name, **how):
        operation = self.started(name, **how)
        if how.get("validate_only"):
            return operation.metadata.template.max_instance_request_concurrency == 80
        return v2_seen(as_json(self.finished(operation)))

    def operation_of_create(self, name, **spec):
        return self.started(name, **spec).operation.name

    def get(self, name):
        return v2_seen(self.read(name))

    def read(self, name):
        """A service in the JSON of v2."""
        return as_json(self.send(self.services.get_service, {"name": v2_name(name)}))

    def patch(self, name, json, mask=None):
        request = {"service": service({"name": v2_name(name), **json})}
        if mask:
            request["update_mask"] = {"paths": [mask]}
        return v2_seen(as_json(self.finished(self.send(self.services.update_service, request))))

    def change_audiences(self, name, audiences):
        return self.patch(name, {"customAudiences": audiences}, "custom_audiences")

    def replace(self, name, **spec):
        return self.patch(name, v2_spec(**spec))

    def write_back(self, name):
        """Writes what was read, without a mask."""
        read = self.send(self.services.get_service, {"name": v2_name(name)})
        self.finished(self.send(self.services.update_service, {"service": read}))
        return as_json(read)

    def send_traffic_to(self, name, revision):
        target = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": revision, "percent": 100}
        return self.patch(name, {"traffic": [target]}, "traffic")

    def write_stale(self, name):
        stale = self.read(name)["etag"]
        self.patch(name, {"description": "newer"}, "description")
        return self.send(self.services.delete_service, {"name": v2_name(name), "etag": stale})

    def pages(self, method, request):
        """The pages of a list, as the pager of the client walks them."""
        pager = self.send(method, request)
        if not self.is_async:
            return list(pager.pages)

        async def walk():
            return [page async for page in pager.pages]

        return self.wait(walk())

    def list_pages(self, size):
        pages = self.pages(self.services.list_services, {"parent": PARENT, "page_size": size})
        return [[service.name.rsplit("/", 1)[-1] for service in page.services] for page in pages]

    def delete(self, name):
        gone = as_json(self.finished(self.send(self.services.delete_service, {"name": v2_name(name)})))
        return {"name": gone["name"].rsplit("/", 1)[-1], "deleted": "deleteTime" in gone}

    def revisions(self, name):
        pages = self.pages(self.revision_client.list_revisions, {"parent": v2_name(name)})
        return [revision.name for page in pages for revision in page.revisions]

    def get_revision(self, _service, name):
        return v2_seen_revision(as_json(self.send(self.revision_client.get_revision, {"name": name})))

    def delete_revision(self, _service, name):
        return self.finished(self.send(self.revision_client.delete_revision, {"name": name}))

    def get_policy(self, name):
        request = iam_policy_pb2.GetIamPolicyRequest(resource=v2_name(name))
        return json_format.MessageToDict(self.send(self.services.get_iam_policy, request))

    def set_policy(self, name, policy):
        request = iam_policy_pb2.SetIamPolicyRequest(resource=v2_name(name))
        json_format.ParseDict(policy, request.policy)
        return json_format.MessageToDict(self.send(self.services.set_iam_policy, request))

    def test_permissions(self, name, permissions):
        request = iam_policy_pb2.TestIamPermissionsRequest(resource=v2_name(name), permissions=permissions)
        return list(self.send(self.services.test_iam_permissions, request).permissions)

    def get_operation(self, name):
        request = operations_pb2.GetOperationRequest(name=name)
        return self.operation_seen(self.send(self.services.get_operation, request))

    def wait_operation(self, name):
        request = operations_pb2.WaitOperationRequest(name=name)
        request.timeout.seconds = 30
        answer = self.send(self.services.wait_operation, request)
        if isinstance(answer, bytes):
            # Over gRPC this client forgets to decode the answer.
            answer = operations_pb2.Operation.FromString(answer)
        return self.operation_seen(answer)

    def operation_seen(self, operation):
        made = run_v2.Service.pb(run_v2.Service())
        if not operation.metadata.Unpack(made):
            raise AssertionError(f"the metadata is a {operation.metadata.type_url}")
        return {"name": operation.name, "done": operation.done, "of": made.name.rsplit("/", 1)[-1]}

    def list_operations(self, done):
        found, token = [], ""
        while True:
            text = f"done:{str(done).lower()}"
            request = operations_pb2.ListOperationsRequest(name=PARENT, filter=text, page_size=2, page_token=token)
            page = self.send(self.services.list_operations, request)
            found += [operation.name for operation in page.operations]
            token = page.next_page_token
            if not token:
                return found
