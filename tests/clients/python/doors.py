"""Which clients are there, and in which words do all of them tell what they saw?"""

import re

PROJECT = "demo-project"
REGION = "us-central1"
PARENT = f"projects/{PROJECT}/locations/{REGION}"
NAMES = ("discovery-v1", "discovery-v2", "library-rest", "library-grpc", "library-grpc-async")
HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "INTERNAL": 500,
}


class Refused(Exception):
    """A call that the emulator refused, as a client told it."""

    def __init__(self, kind, code, status, message, violations):
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.status = status
        self.message = message
        self.violations = violations


class Door:
    """What the doors have in common: how they tell of a refusal."""

    TIMEOUT = "service.template.timeout"
    ENV = "service.template.containers[0].env"
    # The exception of the client for each refusal; a discovery client has one for all.
    KINDS = {}

    def seen(self, refused, expected=None):
        """A refusal without what differs between the APIs: the path of a field, and its prefix in the message."""
        if refused.code != HTTP[refused.status]:
            raise AssertionError(f"{refused.status} arrived as {refused.code}")
        if expected and self.KINDS and refused.kind != self.KINDS[expected]:
            raise AssertionError(f"'{expected}' arrived as {refused.kind}, not {self.KINDS[expected]}")
        message = refused.message
        for field, description in refused.violations:
            if not message.endswith(f"{field}: {description}"):
                raise AssertionError(f"{message!r} does not end with the violation {field}: {description}")
            message = description
        # v1 names the versions of a conflict, v2 the etags.
        message = re.sub(r"(version|etag) (is )?'[^']*'", r"version \2'?'", message)
        return {"status": refused.status, "message": re.sub(r"(-\d{5})-[a-z0-9]{3}'", r"\1'", message)}

    @staticmethod
    def short(name):
        """The name of a revision without its random end: service and number."""
        return re.sub(r"(-\d{5})-[a-z0-9]{3}$", r"\1", name.rsplit("/", 1)[-1])

    @staticmethod
    def host(url):
        """The host of a URL: the port is another in every run."""
        return url.removeprefix("http://").split(":")[0]


def v2_name(service):
    """The full name of a service."""
    return f"{PARENT}/services/{service}"


def v2_spec(image, env=None, audiences=None, timeout=None):
    """A service as v2 spells it in JSON."""
    container = {"image": image}
    if env:
        container["env"] = [{"name": name, "value": value} for name, value in env.items()]
    template = {"containers": [container]}
    if timeout:
        template["timeout"] = f"{timeout}s"
    return {"template": template, "customAudiences": audiences or []}


def v2_seen(service):
    """What is seen of a service in v2."""
    template = service["template"]
    container = template["containers"][0]
    short = Door.short
    return {
        "name": service["name"].rsplit("/", 1)[-1],
        "generation": int(service["generation"]),
        "settled": service["generation"] == service["observedGeneration"],
        "ready": service["terminalCondition"]["state"] == "CONDITION_SUCCEEDED",
        "created": short(service["latestCreatedRevision"]),
        "served": short(service["latestReadyRevision"]),
        "image": container["image"],
        "env": {entry["name"]: entry["value"] for entry in container.get("env", [])},
        "limits": container["resources"]["limits"],
        "port": container["ports"][0],
        "startup": container["startupProbe"]["tcpSocket"]["port"],
        "timeout": int(template["timeout"].removesuffix("s")),
        "concurrency": template["maxInstanceRequestConcurrency"],
        "account": template["serviceAccount"],
        "audiences": service.get("customAudiences", []),
        "ingress": service["ingress"].removeprefix("INGRESS_TRAFFIC_").lower(),
        "traffic": [[entry.get("revision", "LATEST"), entry.get("percent", 0)] for entry in service["traffic"]],
        "serving": [
            [short(entry.get("revision") or service["latestReadyRevision"]), entry.get("percent", 0)]
            for entry in service["trafficStatuses"]
        ],
        "host": Door.host(service["uri"]),
    }


def v2_seen_revision(revision):
    """What is seen of a revision in v2."""
    states = {condition["type"]: condition for condition in revision["conditions"]}
    return {
        "name": Door.short(revision["name"]),
        "of": revision["service"].rsplit("/", 1)[-1],
        "generation": int(revision["generation"]),
        "image": revision["containers"][0]["image"],
        "retired": states["Active"].get("revisionReason") == "RETIRED",
        "ready": states["Ready"]["state"] == "CONDITION_SUCCEEDED",
    }


def open_door(name, address):
    """The client of this name, pointed at the emulator. A client is imported only where it is used."""
    if name not in NAMES:
        raise SystemExit(f"{name} is none of {NAMES}")
    if name == "discovery-v1":
        import discovery_v1

        return discovery_v1.V1(address)
    if name == "discovery-v2":
        import discovery

        return discovery.V2(address)
    import library

    return library.Library(name, address)
