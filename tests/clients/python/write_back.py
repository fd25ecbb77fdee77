"""Does a service stay as it is when a client reads it and writes it back?

usage: write_back.py DOOR ADDRESS SERVICE

Prints what was read, in the JSON of the API.
"""

import json
import sys

from doors import open_door


def main():
    name, address, service = sys.argv[1:]
    print(json.dumps(open_door(name, address).write_back(service), sort_keys=True))


if __name__ == "__main__":
    main()
