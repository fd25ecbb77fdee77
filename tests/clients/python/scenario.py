"""Does a client of Google's work against the emulator at ADDRESS, and what does it see?

usage: scenario.py DOOR ADDRESS

DOOR is a client and its transport. Each step prints one line of JSON in words that no API has for its own,
so that the lines of all doors can be compared. What differs between the APIs is checked here. The first
thing that is not as it should be ends the program with a message and status 1.
"""

import json
import sys

from doors import Refused, open_door

IMAGE = "us-docker.pkg.dev/demo/app/web"
INVOKER = "roles/run.invoker"


def step(name, saw):
    """Prints what was seen in a step."""
    print(json.dumps({"step": name, "saw": saw}, sort_keys=True), flush=True)
    return saw


def same(found, wanted, what):
    """Ends the program unless both are the same."""
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} is not {wanted!r}")


def refusal(call, *args, **kwargs):
    """What a call that must be refused is told."""
    try:
        found = call(*args, **kwargs)
    except Refused as refused:
        return refused
    raise AssertionError(f"{call.__name__}{args} was not refused: {found}")


def writing(door):
    """Create, read, change with a mask, replace without one."""
    one = {"image": IMAGE, "env": {"MODE": "one"}, "audiences": ["https://one.example"]}
    created = step("create", door.create("alpha", **one))
    same(created["audiences"], ["https://one.example"], "the audiences of the new service")
    same(step("read", door.get("alpha")), created, "what is read after it was created")
    changed = step("change one field", door.change_audiences("alpha", ["aud1", "aud2"]))
    same(changed["audiences"], ["aud1", "aud2"], "the audiences after the change")
    same(changed["env"], {"MODE": "one"}, "what the mask does not name")
    two = {"image": f"{IMAGE}:v2", "env": {"MODE": "two"}}
    replaced = step("replace", door.replace("alpha", **two))
    same(replaced["audiences"], [], "what a replacement leaves out")
    same(replaced["env"], {"MODE": "two"}, "what a replacement says")
    again = step("replace with the same", door.replace("alpha", **two))
    same(again, replaced, "a replacement by the same")
    checked = step("validate only", door.create("ghost", image=IMAGE, validate_only=True))
    same(checked, True, "whether a check is answered with the defaults")


def listing(door):
    """Three services, one a page."""
    for name in ("beta", "gamma"):
        door.create(name, image=IMAGE)
    pages = step("list by ones", door.list_pages(size=1))
    same([len(page) for page in pages if page], [1, 1, 1], "the sizes of the pages")
    same(sorted(name for page in pages for name in page), ["alpha", "beta", "gamma"], "the services of all pages")
    same(door.list_pages(size=0), [["gamma", "beta", "alpha"]], "one page for all")


def policy(door):
    """Everyone may invoke; a policy that is based on an old one is refused."""
    before = door.get_policy("alpha")
    step("policy of a new service", {"bindings": before.get("bindings", []), "etag": before["etag"]})
    public = {"etag": before["etag"], "bindings": [{"role": INVOKER, "members": ["allUsers"]}]}
    written = door.set_policy("alpha", public)
    step("policy that lets everyone invoke", written["bindings"])
    assert written["etag"] != before["etag"], "a new policy has a new etag"
    same(door.get_policy("alpha"), written, "the policy that was written")
    stale = refusal(door.set_policy, "alpha", {"etag": before["etag"], "bindings": []})
    step("policy with a stale etag", door.seen(stale, "aborted"))
    same(door.get_policy("alpha"), written, "the policy after a refusal")
    asked = ["run.services.get", "run.services.delete", "run.routes.invoke"]
    step("permissions held", sorted(door.test_permissions("alpha", asked)))


def revisions(door):
    """What was made stays, unless it is deleted."""
    names = door.revisions("alpha")
    step("revisions", [door.short(name) for name in names])
    latest, oldest = names[0], names[-1]
    step("one revision", door.get_revision("alpha", oldest))
    step("delete the latest revision", door.seen(refusal(door.delete_revision, "alpha", latest), "precondition"))
    door.delete_revision("alpha", oldest)
    step("delete a retired revision", [door.short(name) for name in door.revisions("alpha")])
    step("read a deleted revision", door.seen(refusal(door.get_revision, "alpha", oldest), "not found"))
    failed = refusal(door.send_traffic_to, "alpha", "alpha-nowhere")
    step("operation that fails", door.seen(failed))
    same(door.get("alpha")["serving"], [["alpha-00003", 100]], "what serves after a write that failed")


def operations(door):
    """What a write returned can be asked for later.

    Before any revision is deleted: the messages of google-cloud-run 0.16.2 have no containerStatuses, and by
    REST it cannot read a list of operations with a field that it does not know.
    """
    name = door.operation_of_create("delta", image=IMAGE)
    same(door.wait_operation(name), {"name": name, "done": True, "of": "delta"}, "the operation that was waited for")
    step("operation", {key: value for key, value in door.get_operation(name).items() if key != "name"})
    listed = door.list_operations(done=True)
    assert name in listed, f"{name} is not among the finished operations {listed}"
    same(len(listed), len(set(listed)), "operations listed, and how many there are")
    same(door.list_operations(done=False), [], "the operations under way")
    step("delete", door.delete("delta"))


def refusals(door):
    """Each refusal arrives as the error of the client that stands for it."""
    step("create what exists", door.seen(refusal(door.create, "beta", image=IMAGE), "already exists"))
    step("read what is missing", door.seen(refusal(door.get, "nothing"), "not found"))
    step("replace what is missing", door.seen(refusal(door.replace, "nothing", image=IMAGE), "not found"))
    late = refusal(door.create, "late", image=IMAGE, timeout=3601)
    step("create with a wrong timeout", door.seen(late, "invalid"))
    same([field for field, _ in late.violations], [door.TIMEOUT], "the field that is refused")
    reserved = refusal(door.create, "late", image=IMAGE, env={"PORT": "1"})
    step("create with a reserved variable", door.seen(reserved, "invalid"))
    same([field for field, _ in reserved.violations], [door.ENV], "the field that is refused")
    step("write over a newer one", door.seen(refusal(door.write_stale, "beta"), "aborted"))
    same(door.list_pages(size=0), [["gamma", "beta", "alpha"]], "what refusals stored")


def deleting(door):
    """What is deleted is gone."""
    for name in ("alpha", "beta", "gamma"):
        door.delete(name)
    step("read what was deleted", door.seen(refusal(door.get, "alpha"), "not found"))
    same([page for page in door.list_pages(size=0) if page], [], "what is left")
    step("delete what was deleted", door.seen(refusal(door.delete, "alpha"), "not found"))


def main():
    name, address = sys.argv[1:]
    door = open_door(name, address)
    for part in (writing, listing, policy, operations, revisions, refusals, deleting):
        part(door)


if __name__ == "__main__":
    main()
