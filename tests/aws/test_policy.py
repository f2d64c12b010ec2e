"""`vmfa aws policy`, held against an evaluator of IAM policies of our own and against moto's reader of their grammar.

The evaluator follows the IAM User Guide: an explicit Deny wins, an operator on a key that doesn't exist is false unless it is
negated or ends in IfExists, and Null asks for existence. It knows nothing of how vmfa reads policies.
"""

import fnmatch
import itertools
import json
import re
import subprocess
import urllib.parse
from pathlib import Path

import botocore.session
import pytest
from moto.iam.policy_validation import IAMPolicyDocumentValidator

VECTORS = Path(__file__).resolve().parents[2] / "vectors/aws/policy"

LONG_TERM_KEY = {}
NO_MFA = {"aws:MultiFactorAuthPresent": "false"}
MFA = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "60"}
CALLERS = {"long-term key": LONG_TERM_KEY, "session without MFA": NO_MFA, "session with MFA": MFA}

ENROLMENT = {
    "iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetMFADevice", "iam:GetUser", "iam:ListMFADevices",
    "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken",
}
PASSWORD = {"iam:ChangePassword", "iam:GetAccountPasswordPolicy"}
ADMINISTRATOR = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def many(value):
    return value if isinstance(value, list) else [value]


def like(pattern, text):
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def text_of(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def holds(operator, key, values, context):
    values = [text_of(value) for value in many(values)]
    there = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return ("true" if there is None else "false") in values
    quantifier, _, rest = operator.rpartition(":")
    bare = rest.removesuffix("IfExists")
    negated = "Not" in bare
    if there is None:
        if quantifier == "ForAllValues" or rest != bare:
            return True
        return negated and quantifier != "ForAnyValue"
    if bare.startswith("Numeric"):
        assert bare == "NumericGreaterThan"
        return any(float(there) > float(value) for value in values)
    compare = {"Bool": lambda v: v.lower() == there.lower(), "StringEquals": lambda v: v == there,
               "StringNotEquals": lambda v: v == there, "StringLike": lambda v: like(v, there),
               "StringNotLike": lambda v: like(v, there), "ArnLike": lambda v: like(v, there),
               "ArnNotLike": lambda v: like(v, there)}[bare]
    return any(map(compare, values)) != negated


def fits(statement, action, resource, context):
    def of(name, text, fold):
        patterns = [fold(one) for one in many(statement[name])]
        return any(like(re.sub(r"\$\{aws:username\}", context.get("aws:username", ""), one), fold(text)) for one in patterns)

    actions = of("Action", action, str.lower) if "Action" in statement else not of("NotAction", action, str.lower)
    if not actions or not of("Resource", resource, str):
        return False
    blocks = statement.get("Condition", {}).items()
    return all(holds(op, key, values, context) for op, keys in blocks for key, values in keys.items())


def decide(policies, action, resource, context):
    """Deny, Allow, or None where nothing is said."""
    statements = [one for policy in policies for one in many(policy["Statement"])]
    effects = {one["Effect"] for one in statements if fits(one, action, resource, context)}
    return "Deny" if "Deny" in effects else "Allow" if effects else None


def passes(policies, action, resource="*", mfa=LONG_TERM_KEY, user="alice", **more):
    context = {"aws:username": user, "aws:ViaAWSService": "false", "aws:PrincipalType": "User"} | mfa | more
    return decide(policies, action, resource, context) == "Allow"


def every_action():
    session = botocore.session.Session()
    for service in ("iam", "sts", "ec2", "s3", "kms", "organizations"):
        for operation in session.get_service_model(service).operation_names:
            yield f"{service}:{operation}"


ACTIONS = sorted(every_action())


@pytest.fixture
def run(vmfa, tmp_path):
    def run(*arguments, stdin="", code=0):
        done = subprocess.run([vmfa, "aws", "policy", *arguments], input=stdin, text=True, capture_output=True, timeout=60,
                              env={"HOME": str(tmp_path)})
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout
    return run


@pytest.fixture
def ids(vmfa):
    def ids(policy):
        done = subprocess.run([vmfa, "aws", "policy", "check", "-", "--json"], input=json.dumps(policy), text=True,
                              capture_output=True, timeout=60)
        answer = json.loads(done.stdout)
        assert done.returncode == (6 if answer["errors"] else 0), done
        return {finding["id"] for finding in answer["findings"]}
    return ids


COMBINATIONS = list(itertools.product(
    ["aws", "aws-cn", "aws-us-gov"], [[], ["--allow-password-change"]], [[], ["--device-is-user"]],
    [[], ["--self-service", "keys"], ["--self-service", "keys,passwords,certificates,ssh,git"]]))


def printed(run, partition, *options):
    return json.loads(run("force-mfa", "--partition", partition, *itertools.chain(*options)))


@pytest.mark.parametrize("partition,password,device,service", COMBINATIONS)
def test_a_printed_policy_is_one_and_fits(run, partition, password, device, service):
    policy = printed(run, partition, password, device, service)
    IAMPolicyDocumentValidator(json.dumps(policy)).validate()
    assert len(re.sub(r"\s", "", json.dumps(policy))) <= 5120
    for statement in policy["Statement"]:
        for action in statement.get("Action", statement.get("NotAction")):
            assert action in ACTIONS, f"AWS has no {action}"
        assert all(one == "*" or one.startswith(f"arn:{partition}:iam::*:") for one in many(statement["Resource"]))
    answer = json.loads(run("check", "-", "--json", stdin=json.dumps(policy)))
    assert answer["errors"] == answer["warnings"] == 0


@pytest.mark.parametrize("partition,password,device,service", COMBINATIONS)
def test_without_mfa_only_what_is_listed_passes(run, partition, password, device, service):
    policies = [printed(run, partition, password, device, service), ADMINISTRATOR]
    listed = ENROLMENT | (PASSWORD if password else set())
    for name, caller in CALLERS.items():
        open_to_it = {action for action in ACTIONS if passes(policies, action, mfa=caller)}
        assert open_to_it == (set(ACTIONS) if caller is MFA else listed), name
    # A service that acts for the user, after a call that was held to MFA itself.
    via = {"aws:ViaAWSService": "true"}
    assert all(passes(policies, "s3:GetObject", mfa=caller, **via) for caller in CALLERS.values())


@pytest.mark.parametrize("partition,password,device,service", COMBINATIONS)
def test_a_new_user_can_enrol_with_this_policy_alone(run, partition, password, device, service):
    policies = [printed(run, partition, password, device, service)]
    iam = f"arn:{partition}:iam::123456789012:"
    for caller, path in itertools.product((LONG_TERM_KEY, NO_MFA), ("", "people/tokyo/")):
        assert passes(policies, "iam:CreateVirtualMFADevice", f"{iam}mfa/alice", caller)
        assert passes(policies, "iam:CreateVirtualMFADevice", f"{iam}mfa/alice-laptop", caller) == (not device)
        assert passes(policies, "iam:ListVirtualMFADevices", "*", caller)
        for action in ENROLMENT - {"iam:CreateVirtualMFADevice", "iam:ListVirtualMFADevices", "sts:GetSessionToken"}:
            assert passes(policies, action, f"{iam}user/{path}alice", caller), action
            for other in ("bob", "alice2", "xalice", "alice/bob", "people/bob"):
                assert not passes(policies, action, f"{iam}user/{other}", caller), (action, other)
        assert passes(policies, "iam:ChangePassword", f"{iam}user/alice", caller) == bool(password)
        for action in ("iam:DeactivateMFADevice", "iam:CreateAccessKey", "iam:UploadSSHPublicKey"):
            assert not passes(policies, action, f"{iam}user/alice", caller), action
        assert not passes(policies, "iam:DeleteVirtualMFADevice", f"{iam}mfa/alice", caller)
    assert passes(policies, "iam:DeactivateMFADevice", f"{iam}user/alice", MFA)
    assert passes(policies, "iam:DeleteVirtualMFADevice", f"{iam}mfa/alice", MFA)
    assert not passes(policies, "iam:DeactivateMFADevice", f"{iam}user/bob", MFA)
    assert passes(policies, "iam:CreateAccessKey", f"{iam}user/alice", MFA) == any("keys" in one for one in service)
    wants_all = any("git" in one for one in service)
    for action in ("iam:UploadSigningCertificate", "iam:UploadSSHPublicKey", "iam:CreateServiceSpecificCredential"):
        assert passes(policies, action, f"{iam}user/alice", MFA) == wants_all, action
        assert not passes(policies, action, f"{iam}user/bob", MFA), action


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("password", [[], ["--allow-password-change"]])
def test_the_service_control_policy_is_about_users_alone(run, partition, password):
    account = "123456789012"
    machines = f"arn:{partition}:iam::*:user/machines/*"
    scp = json.loads(run("scp", "--partition", partition, *password))
    left_out = json.loads(run("scp", "--partition", partition, *password, "--except", machines))
    IAMPolicyDocumentValidator(json.dumps(scp)).validate()
    assert len(json.dumps(scp)) <= 5120

    def open_to(policy, arn, caller):
        more = {"aws:PrincipalArn": arn} if arn else {}
        return {action for action in ACTIONS if passes([policy, ADMINISTRATOR], action, mfa=caller, **more)}

    listed = ENROLMENT | (PASSWORD if password else set())
    for user in ("alice", "people/alice", "machines/build"):
        arn = f"arn:{partition}:iam::{account}:user/{user}"
        for caller in (LONG_TERM_KEY, NO_MFA):
            assert open_to(scp, arn, caller) == listed
            assert open_to(left_out, arn, caller) == (set(ACTIONS) if user.startswith("machines/") else listed)
        assert open_to(scp, arn, MFA) == set(ACTIONS)
    roles = [f"arn:{partition}:iam::{account}:role/user/alice", f"arn:{partition}:iam::{account}:root", None]
    for arn, caller in itertools.product(roles, CALLERS.values()):
        assert open_to(scp, arn, caller) == set(ACTIONS), arn


def test_what_the_arguments_may_be(run):
    for arguments in (["force-mfa", "--partition", "azure"], ["force-mfa", "--self-service", "all"],
                      ["scp", "--except", "arn:aws:iam::*:role/x"], ["scp", "--partition", "aws-cn", "--except", "arn:aws:iam::*:user/x"]):
        run(*arguments, code=2)


OPERATORS = ["Bool", "BoolIfExists", "StringEquals", "StringEqualsIfExists", "StringNotEquals", "StringNotEqualsIfExists", "StringLike",
             "StringNotLike", "Null", "ForAllValues:Bool", "ForAnyValue:Bool", "ForAllValues:StringNotEquals", "ForAnyValue:StringEquals"]
WHOM = {"denies-with-mfa", "never-matches", "bool-without-if-exists", "sessions-without-mfa-pass"}


def conditions():
    blocks = [{operator: {"aws:MultiFactorAuthPresent": values}}
              for operator in OPERATORS for values in ("true", "false", ["true", "false"], "no", False)]
    yield from blocks
    for one, other in itertools.combinations(blocks[::3], 2):
        if one.keys() != other.keys():
            yield one | other


def test_whom_a_deny_hits_agrees_with_the_evaluator(ids):
    seen = set()
    for condition in conditions():
        policy = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "NotAction": sorted(ENROLMENT), "Resource": "*", "Condition": condition}]}
        keys, sessions, mfa = (decide([policy], "s3:GetObject", "*", caller) == "Deny" for caller in CALLERS.values())
        expected = ({"denies-with-mfa"} if mfa else {"never-matches"} if not keys and not sessions
                    else {"bool-without-if-exists"} if not keys else {"sessions-without-mfa-pass"} if not sessions else set())
        assert ids(policy) & WHOM == expected, condition
        seen |= expected or {"right"}
    assert seen == WHOM | {"right"}


def test_the_published_policies(run):
    rows = (VECTORS / "expected.tsv").read_text().splitlines()[1:]
    for name, expected in (row.split("\t") for row in rows):
        code = 6 if "error:" in expected else 0
        answer = json.loads(run("check", str(VECTORS / name), "--json", code=code))
        assert sorted(f"{one['severity']}:{one['id']}" for one in answer["findings"]) == sorted(expected.split()), name
        assert answer["characters"] == len(re.sub(r"\s", "", json.dumps(document(json.loads((VECTORS / name).read_text()))))), name
        shown = run("check", str(VECTORS / name), code=code)
        assert all(f"[{one['id']}]" in shown for one in answer["findings"])


def document(answer):
    """The document in what the AWS command line prints."""
    if "Policy" in answer:
        return json.loads(answer["Policy"]["Content"])
    if "PolicyVersion" in answer:
        return answer["PolicyVersion"]["Document"]
    if "PolicyDocument" in answer:
        return json.loads(urllib.parse.unquote(answer["PolicyDocument"]))
    return answer


def test_what_is_no_policy(run, tmp_path):
    for text in ("", "{}", "[]", "null", '{"Statement": 1}', '{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Effect":"Allow"}}',
                 "[" * 5000, " " * (257 << 10)):
        run("check", "-", stdin=text, code=2)
    run("check", str(tmp_path), code=2)
    run("check", str(tmp_path / "nothing"), code=3)
    (tmp_path / "latin").write_bytes(b"\xff{}")
    run("check", str(tmp_path / "latin"), code=2)
    hostile = {"Version": "2012-10-17", "Statement": {"Sid": "\x1b[31m\u202ex", "Effect": "Allow", "Action": "*", "Resource": "*"}}
    for options in ([], ["--json"]):
        shown = run("check", "-", *options, stdin=json.dumps(hostile), code=6)
        assert "\x1b" not in shown and "\u202e" not in shown
