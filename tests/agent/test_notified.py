"""A label from a vault that somebody else made, in the notification that asks for a yes."""

import html
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
from bus import until  # noqa: E402
from shown import ALL, offences, rewritten, standing  # noqa: E402


def test_a_notification_says_nothing_that_steers(desk, desktop, evidence):
    desk.env["DBUS_SYSTEM_BUS_ADDRESS"] = desktop.system.address
    desk.env["DBUS_SESSION_BUS_ADDRESS"] = desktop.session.address
    desk.ok("edit", "alpha", "--confirm")

    def hostile(_, fields):
        return sorted([(kind, value + ALL.encode() if kind == 2 else value) for kind, value in fields if kind != 1] + [(1, b"alpha " + ALL.encode())])

    desk.vault.write_bytes(rewritten(desk.vault.read_bytes(), desk.passphrase, hostile))
    # Nobody has seen this vault before.
    shutil.rmtree(desk.home / ".local/state", ignore_errors=True)
    server = desktop.notifications("allow")
    desk.unlock()
    until(desktop.logind.held, "the agent listens")
    done = desk.run("code", "alpha", passphrase=False)
    assert done.returncode == 0, done.stderr
    until(lambda: server.shown, "it asks")
    # Its words; what else it tells the server is our own.
    said = [text for shown in server.shown.values() for text in (shown["title"], shown["text"], *shown["actions"])]
    found = [what for text in said for what in offences(text.encode())]
    seen = standing(html.unescape("\n".join(said)).encode())
    evidence("terminal", cases=len(seen), faults=len(seen), losses=len(found))
    assert any("alpha" in text for text in said), said
    assert seen, said
    assert not found, found
    # Markup is read in the text alone, and none of it is the label's.
    assert all("<" not in shown["text"] for shown in server.shown.values()), said
