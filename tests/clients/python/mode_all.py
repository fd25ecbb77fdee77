"""Does Python reach everything with nothing but its environment? Prints what it saw, a JSON value a line.

Arguments: the service's hosted URL, its local URL, a token for it, the URL of a server of this machine.
"""

import json
import sys
import urllib.request

import google.auth.transport.requests
import requests
from google.cloud import run_v2
from google.oauth2 import id_token

hosted, local, token, neighbour = sys.argv[1:]
headers = {"Authorization": f"Bearer {token}"}


def saw(what, value):
    print(json.dumps([what, value]))


for name, url in (("hosted", hosted), ("local", local)):
    saw(f"requests {name}", requests.get(url, headers=headers, timeout=20).status_code)
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        saw(f"urllib {name}", answer.status)
    saw(f"requests {name} without a token", requests.get(url, timeout=20).status_code)

# The URL of the certificates is built into the library.
claims = id_token.verify_oauth2_token(token, google.auth.transport.requests.Request(), audience=hosted)
saw("verified for the service", claims["aud"] == hosted)

# No endpoint, no credentials, the channel that the library makes by itself: TLS through a tunnel.
for transport in ("grpc", "rest"):
    services = run_v2.ServicesClient(transport=transport)
    listed = services.list_services(parent="projects/demo-project/locations/us-central1", timeout=20)
    saw(f"services by {transport}", [service.name.rpartition("/")[2] for service in listed])

saw("neighbour by requests", requests.get(neighbour, timeout=20).text)
saw("neighbour by urllib", urllib.request.urlopen(neighbour, timeout=20).read().decode())
saw("elsewhere", requests.get("http://example.com/", timeout=20).status_code)
try:
    requests.get("https://example.com/", timeout=20)
except requests.exceptions.ProxyError as error:
    saw("elsewhere over TLS", "does not emulate example.com:443" in str(error))
