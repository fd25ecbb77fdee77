"""How does google-api-python-client speak v1, whose objects are those of Knative?"""

import json

from discovery import Shared, client, send
from doors import PARENT, PROJECT, Refused

AUDIENCES = "run.googleapis.com/custom-audiences"


class V1(Shared):
    """The Admin API v1."""

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

    def write_back(self, name):
        """Writes what was read."""
        read = send(self.services.get(name=self.name(name)))
        self.finished(send(self.services.replaceService(name=self.name(name), body=read)))
        return read

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
