"""Where the files go: a shelf is the folder of one app with its expected.json."""

import csv
import io
import json

from .accounts import HERE


def words(value, indent=None):
    """JSON as the apps write it: not escaped, no spaces unless indented."""
    separators = None if indent else (",", ":")
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)


def table(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def listing(expected):
    """JSON with a line for each account, so that a difference is seen in a diff."""
    files = []
    for name, row in expected.items():
        facts = []
        for key, value in row.items():
            lines = isinstance(value, list) and value
            text = "[\n  " + ",\n  ".join(map(line, value)) + "\n ]" if lines else line(value)
            facts.append(f" {line(key)}: {text}")
        files.append(f"{line(name)}: {{\n" + ",\n".join(facts) + "\n}")
    return "{\n" + ",\n".join(files) + "\n}\n"


def line(value):
    return json.dumps(value, ensure_ascii=False)


class Shelf:
    def __init__(self, app):
        self.folder = HERE / app
        self.expected = {}

    def __enter__(self):
        self.folder.mkdir(exist_ok=True)
        for old in sorted(self.folder.rglob("*"), reverse=True):
            old.rmdir() if old.is_dir() else old.unlink()
        return self

    def __exit__(self, *failure):
        if not any(failure):
            self.raw("expected.json", listing(self.expected))

    def raw(self, name, data):
        """A file that is no export by itself (a manifest, a log beside a database)."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)

    def put(self, name, data, entries=None, passphrase=None, **facts):
        """A file and what it holds; `facts` are errors, file_error, skipped, note and the like."""
        self.raw(name, data)
        self.state(name, entries, passphrase, **facts)

    def state(self, name, entries=None, passphrase=None, **facts):
        row = {} if entries is None else {"entries": entries}
        if passphrase is not None:
            row["passphrase"] = passphrase
        self.expected[name] = {**row, **facts}
