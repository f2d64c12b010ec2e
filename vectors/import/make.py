#!/usr/bin/env python3
"""Writes every file of this folder from canonical.json: one folder for each app, expected.json beside the files.

python3 make.py              writes all
python3 make.py aegis ente   writes only what the functions of these names make
"""

import importlib
import sys

from make import accounts

FAMILIES = [
    "lists",
    "aegis",
    "backups",
    "bitwarden",
    "clouds",
    "freeotp",
    "keepass",
    "onepassword",
    "managers",
    "steam",
    "winauth",
    "desktop",
    "phones",
    "dumps",
    "negative",
]


def main(wanted):
    ours = accounts.load()
    makers = [maker for family in FAMILIES for maker in importlib.import_module(f"make.{family}").MAKERS]
    unknown = set(wanted) - {maker.__name__ for maker in makers}
    if unknown:
        sys.exit(f"nothing here makes {', '.join(sorted(unknown))}")
    for maker in makers:
        if not wanted or maker.__name__ in wanted:
            maker(ours)


if __name__ == "__main__":
    main(sys.argv[1:])
