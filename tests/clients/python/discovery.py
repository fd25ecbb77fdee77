"""How does google-api-python-client speak v1 and v2?"""

import json

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from doors import PARENT, PROJECT, Door, Refused, v2_name, v2_seen, v2_seen_revision, v2_spec

AUDIENCES = "run.googleapis.com/custom-audiences"


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


class V1(Shared):
    """The Admin API v1, whose objects are those of Knative."""

    TIMEOUT = "spec.template.spec.timeoutSeconds"
    ENV = "spec.template.spec.containers[0].env"

    def __init__(self, address):
        v1 = client(address, "v1")
        self.services = v1.namespaces().services()
        self.revision_objects = v1.namespaces().revisions()
        self.located = v1.projects().locations().services()
        self.operations = v1.projects().locations().operations()

    def name(self, service):
        return f"namespaces/{PROJECT}/services/{service}"

    def spec(self, service, image, env=None, audiences=None, timeout=None):
        container = {"image": image, "env": [{"name": key, "value": value} for key, value in (env or {}).items()]}
        template = {"spec": {"containers": [container], "timeoutSeconds": timeout}}
        metadata = {"name": service, "namespace": PROJECT}
        if audiences:
            metadata["annotations"] = {AUDIENCES: json.dumps(audiences)}
        spec = {"template": template}
        return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata, "spec": spec}

    def finished(self, service):
        """The service as it is when the operation that its last write started is over."""
        name = self.operation_name(service)
        while not send(self.operations.wait(name=name, body={"timeout": "10s"})).get("done"):
            pass
        service = send(self.services.get(name=self.name(service["metadata"]["name"])))
        ready = service["status"]["conditions"][0]
        if ready["status"] == "False":
            raise Refused("condition", 500, "INTERNAL", ready["message"], [])
        return service

    def operation_name(self, service):
        return f"{PARENT}/operations/{service['metadata']['annotations']['run.googleapis.com/operation-id']}"

    def operation_seen(self, operation):
        of = operation["response"]["metadata"]["name"]
        return {"name": operation["name"], "done": operation.get("done", False), "of": of}

    def started(self, name, validate_only=None, **spec):
        how = "all" if validate_only else None
        parent = f"namespaces/{PROJECT}"
        return send(self.services.create(parent=parent, dryRun=how, body=self.spec(name, **spec)))

    def create(self, name, **how):
        service = self.started(name, **how)
        if how.get("validate_only"):
            return service["spec"]["template"]["spec"]["containerConcurrency"] == 80
        return self.seen_service(self.finished(service))

    def operation_of_create(self, name, **spec):
        return self.operation_name(self.started(name, **spec))

    def get(self, name):
        return self.seen_service(send(self.services.get(name=self.name(name))))

    def put(self, body):
        name = self.name(body["metadata"]["name"])
        return self.seen_service(self.finished(send(self.services.replaceService(name=name, body=body))))

    def changed(self, name, change):
        """v1 has no mask: the client reads, changes and writes the whole."""
        service = send(self.services.get(name=self.name(name)))
        change(service)
        return self.put(service)

    def change_audiences(self, name, audiences):
        return self.changed(name, lambda it: it["metadata"]["annotations"].update({AUDIENCES: json.dumps(audiences)}))

    def replace(self, name, **spec):
        return self.put(self.spec(name, **spec))

    def send_traffic_to(self, name, revision):
        return self.changed(name, lambda it: it["spec"].update(traffic=[{"revisionName": revision, "percent": 100}]))

    def write_stale(self, name):
        stale = send(self.services.get(name=self.name(name)))
        annotations = stale["metadata"]["annotations"]
        self.put({**stale, "metadata": {**stale["metadata"], "annotations": {**annotations, "note": "newer"}}})
        return self.put(stale)

    def list_pages(self, size):
        pages, more = [], ""
        while more is not None:
            page = send(self.services.list(parent=f"namespaces/{PROJECT}", limit=size, **{"continue": more}))
            pages.append([service["metadata"]["name"] for service in page.get("items", [])])
            more = page["metadata"].get("continue")
        return pages

    def delete(self, name):
        gone = send(self.services.delete(name=self.name(name)))
        return {"name": name, "deleted": gone["status"] == "Success"}

    def revisions(self, name):
        selector = f"serving.knative.dev/service={name}"
        page = send(self.revision_objects.list(parent=f"namespaces/{PROJECT}", labelSelector=selector))
        return [revision["metadata"]["name"] for revision in page["items"]]

    def get_revision(self, _service, name):
        revision = send(self.revision_objects.get(name=f"namespaces/{PROJECT}/revisions/{name}"))
        states = {condition["type"]: condition for condition in revision["status"]["conditions"]}
        return {
            "name": self.short(name),
            "of": revision["metadata"]["labels"]["serving.knative.dev/service"],
            "generation": revision["metadata"]["generation"],
            "image": revision["spec"]["containers"][0]["image"],
            "retired": states["Active"].get("reason") == "Retired",
            "ready": states["Ready"]["status"] == "True",
        }

    def delete_revision(self, _service, name):
        return send(self.revision_objects.delete(name=f"namespaces/{PROJECT}/revisions/{name}"))

    def seen_service(self, service):
        metadata, spec, status = service["metadata"], service["spec"], service["status"]
        template = spec["template"]["spec"]
        container = template["containers"][0]
        annotations = metadata["annotations"]
        return {
            "name": metadata["name"],
            "generation": metadata["generation"],
            "settled": metadata["generation"] == status["observedGeneration"],
            "ready": status["conditions"][0]["status"] == "True",
            "created": self.short(status["latestCreatedRevisionName"]),
            "served": self.short(status["latestReadyRevisionName"]),
            "image": container["image"],
            "env": {entry["name"]: entry["value"] for entry in container.get("env", [])},
            "limits": container["resources"]["limits"],
            "port": container["ports"][0],
            "startup": container["startupProbe"]["tcpSocket"]["port"],
            "timeout": template["timeoutSeconds"],
            "concurrency": template["containerConcurrency"],
            "account": template["serviceAccountName"],
            "audiences": json.loads(annotations.get(AUDIENCES, "[]")),
            "ingress": annotations["run.googleapis.com/ingress"],
            "traffic": [[entry.get("revisionName", "LATEST"), entry.get("percent", 0)] for entry in spec["traffic"]],
            "serving": [[self.short(entry["revisionName"]), entry.get("percent", 0)] for entry in status["traffic"]],
            "host": self.host(status["url"]),
        }
