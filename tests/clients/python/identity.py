"""Does google-auth get, verify and use tokens with nothing but the environment of `groundrun exec`?

usage: identity.py CASE

CASE is a JSON file: two private services, of which one lets the accounts of this case in, and the files of
credentials that they have. The steps, their words and their order are those of the clients beside this one.
The first thing that is not as it should be ends the program with a message and status 1.
"""

import json
import sys

import google.auth
import google.auth.impersonated_credentials as impersonation
import google.auth.transport.requests
import requests
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.oauth2 import credentials as user
from google.oauth2 import id_token, service_account

CASE = json.load(open(sys.argv[1]))
BOUND, UNBOUND = CASE["bound"], CASE["unbound"]
REQUEST = google.auth.transport.requests.Request()


def step(name, saw):
    print(json.dumps({"saw": saw, "step": name}))


def call(token, url):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(url, headers=headers, timeout=30).status_code


def calls(mint):
    """What both services answer to a token for each."""
    return [call(mint(BOUND), BOUND), call(mint(UNBOUND), UNBOUND)]


def refused(act, error):
    try:
        found = act()
    except error:
        return "refused"
    raise SystemExit(f"not refused: {found}")


def of_metadata(audience):
    return id_token.fetch_id_token(REQUEST, audience)


def of_key(file):
    def mint(audience):
        key = service_account.IDTokenCredentials.from_service_account_file(file, target_audience=audience)
        key.refresh(REQUEST)
        return key.token

    return mint


def of_impersonation(source):
    def mint(audience):
        target = impersonation.Credentials(source, CASE["invoker"], ["https://www.googleapis.com/auth/cloud-platform"])
        token = impersonation.IDTokenCredentials(target, target_audience=audience, include_email=True)
        token.refresh(REQUEST)
        return token.token

    return mint


def of_user(_audience):
    person = user.Credentials.from_authorized_user_file(CASE["userFile"])
    person.refresh(REQUEST)
    return person.id_token


def main():
    step("no token", call(None, BOUND))
    source, project = google.auth.default(["https://www.googleapis.com/auth/cloud-platform"])
    source.refresh(REQUEST)
    assert project == CASE["project"], project
    step("the account of the workload", source.service_account_email)
    step("an access token in the place of an ID token", call(source.token, BOUND))
    step("a token of the metadata server", calls(of_metadata))
    step("a token for somebody else", call(of_metadata("https://else.example"), BOUND))
    token = of_metadata(BOUND)
    claims = id_token.verify_oauth2_token(token, REQUEST, audience=BOUND)
    step("what the verified token says", [claims["aud"] == BOUND, claims["email"], claims["iss"]])
    certs = "https://www.googleapis.com/oauth2/v1/certs"
    assert id_token.verify_token(token, REQUEST, audience=BOUND, certs_url=certs) == claims
    verify_for_another = lambda: id_token.verify_oauth2_token(token, REQUEST, audience=UNBOUND)
    step("verified for somebody else", refused(verify_for_another, (GoogleAuthError, ValueError)))
    step("a token of a key file", calls(of_key(CASE["keyFile"])))
    step("a key that was deleted", refused(lambda: of_key(CASE["deletedKeyFile"])(BOUND), RefreshError))
    step("a token by impersonation", calls(of_impersonation(source)))
    step("a token of a user", calls(of_user))


main()
