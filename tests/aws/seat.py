"""A home with a vault, vmfa in it, and AWS's files; the agent's desk, with AWS in reach."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyotp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "agent"))
from desk import CHEAP, Desk  # noqa: E402, F401

# Far beyond what anything here takes; three minutes of AWS's budget are waited out by one test.
PATIENCE = 300
BIN = Path(sys.executable).parent


class Seat(Desk):
    """Its passphrase comes by a file that the environment names, so that helpers started by others find it, too."""

    def __init__(self, vmfa, cloud, uid=None):
        super().__init__(vmfa, uid)
        self.cloud = cloud
        self.env |= {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "VMFA_PASSPHRASE_FILE": str(self.passphrase_file),
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def command(self, arguments, passphrase=True):
        return [self.vmfa, *map(str, arguments)]

    def start(self, *arguments, passphrase=True, env=None, before=(), **more):
        left = {} if passphrase else {"VMFA_PASSPHRASE_FILE": None}
        return self.program([*before, *self.command(arguments)], {**(env or {}), **left}, **more)

    def program(self, words, env=None, **more):
        """Any program in this home."""
        merged = {name: value for name, value in {**self.env, **(env or {})}.items() if value is not None}
        more = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **self.as_user(), **more}
        process = subprocess.Popen(list(map(str, words)), env=merged, cwd=self.root, start_new_session=True, **more)
        self.started.append(process)
        return process

    def finish(self, process, stdin="", timeout=PATIENCE):
        try:
            out, err = process.communicate(stdin.encode(), timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, (out or b"").decode(), (err or b"").decode())

    def run(self, *arguments, stdin="", **more):
        return self.finish(self.start(*arguments, **more), stdin)

    def other(self, *words, stdin="", **more):
        """Any program, to its end."""
        return self.finish(self.program(words, **more), stdin)

    def aws(self, *words, **more):
        return self.other(BIN / "aws", *words, **more)

    def refused(self, *arguments, code, says=(), **more):
        """Exit code and words of a run that must fail, with nothing on standard output."""
        done = self.run(*arguments, **more)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}: {done.stdout}{done.stderr}"
        assert not done.stdout, done.stdout
        for word in [says] if isinstance(says, str) else says:
            assert word in done.stderr, done.stderr
        return done

    # --- AWS's files ---

    @property
    def config(self):
        return self.home / ".aws/config"

    @property
    def credentials_file(self):
        return self.home / ".aws/credentials"

    def write(self, path, text):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)

    def add_config(self, text):
        before = self.config.read_text() if self.config.exists() else ""
        self.write(self.config, before + text)

    def keys_of(self, user, profile="base", region=None):
        """The profile of a long-term key in clear, as `aws configure` writes it."""
        before = self.credentials_file.read_text() if self.credentials_file.exists() else ""
        self.write(self.credentials_file,
                   f"{before}[{profile}]\naws_access_key_id = {user.key}\naws_secret_access_key = {user.secret}\n")
        if region:
            self.add_config(f"[profile {profile}]\nregion = {region}\n")
        return self

    def process_line(self, profile="base", *more):
        return f"credential_process = {self.vmfa} aws credentials --profile {profile}{''.join(' ' + word for word in more)}\n"

    # --- what vmfa does at AWS ---

    def enroll(self, *options, profile="base", **more):
        return json.loads(self.ok("aws", "enroll", "--profile", profile, "--propagation", "0", "--json", *options, **more))

    def credentials(self, profile="base", *options, **more):
        """The answer for `credential_process`, which is all there is on standard output."""
        out = self.ok("aws", "credentials", "--profile", profile, *options, **more)
        assert out.count("\n") == 1, out
        told = json.loads(out)
        assert set(told) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"} and told["Version"] == 1
        return told

    def device_secret(self, serial):
        """What the vault holds for a device, by a reader that shares no code with vmfa; nothing where it holds none."""
        found = [account for account in self.content()["accounts"] if account.get("serial_number") == serial and not account.get("trashed")]
        return found


def right_code(secret, at):
    return pyotp.TOTP(secret).at(int(at))
