#!/usr/bin/env python3
"""Reads every file pair of this folder with botocore and writes what it saw: `python3 make.py [FOLDER TO WRITE TO]`.

Needs botocore as pinned in tests/requirements.txt. Nothing here calls anybody: the client that would is replaced.
Every key is test data.
"""

import json
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE

# botocore reads the environment and the home directory: neither is anybody's here.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["HOME"] = tempfile.mkdtemp()

import botocore.configloader  # noqa: E402
import botocore.configprovider  # noqa: E402
import botocore.credentials  # noqa: E402
import botocore.exceptions  # noqa: E402
import botocore.session  # noqa: E402


class Stopped(Exception):
    """A program was about to be run."""


def session_of(case, folder, profile=None):
    paths = {}
    for kind in ("config", "credentials"):
        path = folder / kind
        if case.get(kind) is not None:
            path.write_bytes(case[kind].encode())
        paths[kind] = str(path)
    session = botocore.session.Session(profile=profile)
    session.set_config_variable("config_file", paths["config"])
    session.set_config_variable("credentials_file", paths["credentials"])
    return session


def chain(case, folder, name):
    """The profiles that botocore goes through, and the kind of credentials at the end; or that it refuses."""
    session = session_of(case, folder, name)
    ends = []

    def stop(*_args, **_kwargs):
        raise Stopped

    class Builder(botocore.credentials.ProfileProviderBuilder):
        def _create_process_provider(self, profile_name):
            return botocore.credentials.ProcessProvider(
                profile_name=profile_name, load_config=lambda: session.full_config, popen=stop
            )

    builder = Builder(session)
    role = botocore.credentials.AssumeRoleProvider(
        load_config=lambda: session.full_config,
        client_creator=stop,
        cache={},
        profile_name=name,
        credential_sourcer=Sourcer(ends),
        profile_provider_builder=builder,
    )
    providers = [role, *builder.providers(profile_name=name, disable_env_vars=True)]
    # A role's credentials say nothing of where they come from: note it as they are asked for.
    for kind in (
        botocore.credentials.SharedCredentialProvider,
        botocore.credentials.ConfigProvider,
        botocore.credentials.SSOProvider,
        botocore.credentials.AssumeRoleWithWebIdentityProvider,
    ):
        note(kind, ends)
    try:
        found = botocore.credentials.CredentialResolver(providers).load_credentials()
    except Stopped:
        return {"chain": list(role._visited_profiles), "end": "custom-process"}
    except (botocore.exceptions.BotoCoreError, KeyError) as error:
        return {"refused": type(error).__name__}
    end = ends[-1] if ends else {"method": None}
    assert (found is None) == (end["method"] is None), (case["name"], name, found, ends)
    outcome = {"chain": list(role._visited_profiles), "end": end["method"]}
    if "key" in end:
        outcome["key"] = end["key"]
    return outcome


class Sourcer(botocore.credentials.CanonicalNameCredentialSourcer):
    def __init__(self, ends):
        super().__init__(
            [
                botocore.credentials.EnvProvider(environ={}),
                botocore.credentials.ContainerProvider(environ={}),
                botocore.credentials.InstanceMetadataProvider(iam_role_fetcher=None),
            ]
        )
        self._ends = ends

    def source_credentials(self, source_name):
        self._ends.append({"method": f"credential_source {source_name}"})
        return botocore.credentials.Credentials("AKIA", "x")


ORIGINAL = {}


def note(kind, ends):
    original = ORIGINAL.setdefault(kind, kind.load)

    def load(self):
        found = original(self)
        if found is not None:
            end = {"method": self.METHOD}
            if type(found) is botocore.credentials.Credentials:
                end["key"] = [found.access_key, found.secret_key, found.token]
            ends.append(end)
        return found

    kind.load = load


def endpoint(session, profile, service):
    try:
        full = session.full_config
        provider = botocore.configprovider.ConfiguredEndpointProvider(
            full_config=full, scoped_config=full["profiles"][profile], client_name=service, environ={}
        )
        return provider.provide()
    except botocore.exceptions.BotoCoreError as error:
        return {"refused": type(error).__name__}


def seen(case):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        session = session_of(case, folder)
        try:
            full = session.full_config
        except botocore.exceptions.ConfigParseError:
            return {"refused": True}
        profiles = {}
        for name, values in full["profiles"].items():
            profiles[name] = {
                "values": values,
                "endpoints": {service: endpoint(session, name, service) for service in ("sts", "iam")},
                **chain(case, folder, name),
            }
        return {"profiles": profiles}


def main():
    cases = json.loads((HERE / "cases.json").read_text())
    expected = {case["name"]: seen(case) for case in cases}
    text = json.dumps(expected, indent=1, ensure_ascii=True, sort_keys=True) + "\n"
    (OUT / "expected.json").write_text(text)


main()
