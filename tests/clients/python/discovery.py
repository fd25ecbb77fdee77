"""How does google-api-python-client speak v2, and what do its v1 and v2 have in common?"""

import json

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from doors import PARENT, Door, Refused, v2_name, v2_seen, v2_seen_revision, v2_spec


def refused(error):
    """What the body of an answer says of a refusal."""
    body = json.loads(error.content)["error"]
    fields = [
        (violation["field"], violation["description"])
        for detail in body.get("details", [])
        for violation in detail.get("fieldViolations", [])
    ]
    return Refused("HttpError", error.resp.status, body["status"], body["message"], fields)


def send(request):
    """The answer to a request."""
    try:
        return request.execute()
    except HttpError as error:
        raise refused(error) from error


def client(address, version):
    """The client of this version."""
    options = {"api_endpoint": f"http://{address}"}
    return build("run", version, credentials=Credentials("token"), client_options=options, static_discovery=True)


class Shared(Door):
    """What both versions do alike: policies and operations."""

    def get_policy(self, name):
        return send(self.located.getIamPolicy(resource=v2_name(name)))

    def set_policy(self, name, policy):
        return send(self.located.setIamPolicy(resource=v2_name(name), body={"policy": policy}))

    def test_permissions(self, name, permissions):
        answer = send(self.located.testIamPermissions(resource=v2_name(name), body={"permissions": permissions}))
        return answer.get("permissions", [])

    def get_operation(self, name):
        return self.operation_seen(send(self.operations.get(name=name)))

    def wait_operation(self, name):
        return self.operation_seen(send(self.operations.wait(name=name, body={"timeout": "30s"})))

    def list_operations(self, done):
        found, token = [], None
        while True:
            text = f"done:{str(done).lower()}"
            page = send(self.operations.list(name=PARENT, filter=text, pageSize=2, pageToken=token))
            found += [operation["name"] for operation in page.get("operations", [])]
            token = page.get("nextPageToken")
            if not token:
                return found


class V2(Shared):
    """The Admin API v2."""

    def __init__(self, address):
        locations = client(address, "v2").projects().locations()
        self.located = self.services = locations.services()
        self.operations = locations.operations()

    def finished(self, operation):
        """The service that an operation makes, as soon as it has."""
        while not operation.get("done"):
            operation = send(self.operations.wait(name=operation["name"], body={"timeout": "10s"}))
        if "error" in operation:
            error = operation["error"]
            raise Refused("operation", 500, {13: "INTERNAL"}[error["code"]], error["message"], [])
        return operation["response"]

    def operation_seen(self, operation):
        of = operation["metadata"]["name"].rsplit("/", 1)[-1]
        return {"name": operation["name"], "done": operation.get("done", False), "of": of}

    def started(self, name, validate_only=None, **spec):
        body = v2_spec(**spec)
        return send(self.services.create(parent=PARENT, serviceId=name, validateOnly=validate_only, body=body))

    def create(self, name, **how):
        operation = self.started(name, **how)
        return "metadata" in operation if how.get("validate_only") else v2_seen(self.finished(operation))

    def operation_of_create(self, name, **spec):
        return self.started(name, **spec)["name"]

    def get(self, name):
        return v2_seen(send(self.services.get(name=v2_name(name))))

    def patch(self, name, body, mask=None):
        return v2_seen(self.finished(send(self.services.patch(name=v2_name(name), updateMask=mask, body=body))))

    def change_audiences(self, name, audiences):
        return self.patch(name, {"customAudiences": audiences}, "customAudiences")

    def replace(self, name, **spec):
        return self.patch(name, v2_spec(**spec))

    def write_back(self, name):
        """Writes what was read, without a mask."""
        read = send(self.services.get(name=v2_name(name)))
        self.finished(send(self.services.patch(name=v2_name(name), body=read)))
        return read

    def send_traffic_to(self, name, revision):
        target = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": revision, "percent": 100}
        return self.patch(name, {"traffic": [target]}, "traffic")

    def write_stale(self, name):
        stale = send(self.services.get(name=v2_name(name)))["etag"]
        self.patch(name, {"description": "newer"}, "description")
        return send(self.services.delete(name=v2_name(name), etag=stale))

    def list_pages(self, size):
        pages, request = [], self.services.list(parent=PARENT, pageSize=size)
        while request:
            page = send(request)
            pages.append([service["name"].rsplit("/", 1)[-1] for service in page.get("services", [])])
            request = self.services.list_next(request, page)
        return pages

    def delete(self, name):
        gone = self.finished(send(self.services.delete(name=v2_name(name))))
        return {"name": gone["name"].rsplit("/", 1)[-1], "deleted": "deleteTime" in gone}

    def revisions(self, name):
        page = send(self.services.revisions().list(parent=v2_name(name)))
        return [revision["name"] for revision in page["revisions"]]

    def get_revision(self, _service, name):
        return v2_seen_revision(send(self.services.revisions().get(name=name)))

    def delete_revision(self, _service, name):
        return self.finished(send(self.services.revisions().delete(name=name)))
