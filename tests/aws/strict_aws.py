#!/usr/bin/env python3
"""Strict local AWS stand-in for integration tests: moto plus real virtual-MFA semantics.

moto stores users, keys, policies and everything else; this WSGI layer in front of it
  * checks SigV4 (IAM and STS) and the request's time, and refuses unknown or expired keys;
  * evaluates identity policies, including aws:MultiFactorAuthPresent / aws:MultiFactorAuthAge;
  * gives each virtual device a 64-character seed and a scannable QR code with AWS's otpauth URI;
  * verifies the two consecutive codes of Enable/ResyncMFADevice and the TokenCode of
    GetSessionToken/AssumeRole (window, single use, attempt budget) with pyotp;
  * runs on a clock that tests move:  POST /_strict/clock {"offset": 95}  (the Date header follows);
  * has the federation endpoint, where a role's session becomes a console sign-in;
  * fails when told to:  POST /_strict/fault {"action": "GetSessionToken", "count": 2, "what": "500"}
    (500, 503, throttle; drop: the request isn't carried out; lose: it is, and its answer is lost; delay, seconds);
  * stops at one request:  POST /_strict/hold {"at": 5, "when": "before"} holds the fifth from now back, "after" carries it
    out and keeps its answer; everything behind it waits, too, until POST /_strict/release {}; with {"drop": true} what was
    held back is never carried out; {"action": "EnableMFADevice"} counts requests of that action alone;
  * gives sessions that end when the test wants:  POST /_strict/expiry {"seconds": 840}, {} for AWS's own rule;
  * POST /_strict/settings {"budget": 9, "propagation": 10}; POST /_strict/reset {} undoes all of these.
GET /_strict/clock, /_strict/log, /_strict/devices and /_strict/held report state. Root credentials: test / test.
One account; no cross-account roles, hardware or FIDO devices. Needs moto[server], pyotp, segno.
"""
import argparse, base64, datetime as dt, hashlib, hmac, io, json, os, pathlib, re, secrets, socket, threading, time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode
from xml.sax.saxutils import escape
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
import pyotp, segno
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.iam import models as iam
from moto.iam.utils import generate_access_key_id_from_account_id as new_key_id
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.utilities.utils import get_partition
from werkzeug.serving import WSGIRequestHandler, make_server
STEP, VERIFY, BEHIND, AHEAD, MAX_DEVICES = 30, 2, 998, 1000, 8   # windows in 30 s steps, as observed on AWS
CFG = argparse.Namespace(offset=0.0, budget=9, propagation=0.0)
LOCK, LOG, SESSIONS, TRIES, SIGNIN = threading.RLock(), [], {}, {}, {}
GATE, FAULTS, EXPIRY = threading.Condition(), [], {}
class Hold:                                 # one order to stop: what it held waits for its own release, whatever is ordered next
    def __init__(self, at=0, when="", action=None):
        self.at, self.when, self.action = at, when, action
        self.seen, self.held, self.dropped = 0, [], False
HOLD = Hold()
FAILURES = {"500": ("InternalFailure", "An internal error has occurred", 500), "503": ("ServiceUnavailable", "Service is unable to handle request.", 503),
            "throttle": ("Throttling", "Rate exceeded", 400)}
UNABLE = ("MultiFactorAuthentication failed, unable to validate MFA code.  "
          "Please verify your MFA serial number is valid and associated with this user.")
SELF = "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user."
BADTOKEN = "The security token included in the request is invalid."
BADSIG = ("The request signature we calculated does not match the signature you provided. Check your AWS Secret "
          "Access Key and signing method. Consult the service documentation for details.")
CALLER_IS_USER = "ListMFADevices DeactivateMFADevice GetUser ListAccessKeys CreateAccessKey DeleteAccessKey UpdateAccessKey".split()

class AwsError(Exception):
    """code, message, HTTP status (403 unless given)"""

@dataclass
class Who:                                  # the caller; mfa is None for long-term keys
    kind: str; partition: str; secret: str; arn: str = ""; name: str = ""; token: str = ""
    mfa: "bool | None" = None; auth_time: float = 0; expires: float = 0; entity: object = None; chained: bool = False

@dataclass
class Sync:                                 # a device's TOTP state, kept on moto's device object
    adjust: int = 0; last_pair: int = -1; enabled_at: float = 0; used: set = field(default_factory=set)

def now():
    return time.time() + CFG.offset
def iso(t, fmt="%Y-%m-%dT%H:%M:%SZ"):
    return dt.datetime.fromtimestamp(t, dt.timezone.utc).strftime(fmt)
def store(who):
    return iam.iam_backends[ACCOUNT][who.partition]
def many(x):
    return x if isinstance(x, list) else [x]
def like(pattern, value):
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, re.I | re.S) is not None

_init, _list = iam.VirtualMfaDevice.__init__, iam.IAMBackend.list_virtual_mfa_devices
def device_init(self, account_id, region_name, device_name):
    _init(self, account_id, region_name, device_name)
    self.base32_string_seed = base64.b32encode(secrets.token_bytes(40)).decode()      # 64 characters
    owner = (iam.iam_backends[account_id][get_partition(region_name)].account_aliases or [account_id])[0]
    uri = (f"otpauth://totp/Amazon%20Web%20Services:{device_name.rsplit('/', 1)[-1]}@{owner}"
           f"?secret={self.base32_string_seed}&issuer=Amazon%20Web%20Services")
    png = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(png, kind="png", scale=4, border=4)
    self.qr_code_png, self.sync = png.getvalue(), Sync()
def list_devices(self, *args):              # AWS never repeats the seed after creation; moto does
    rows, marker = _list(self, *args)
    return [{"SerialNumber": d.serial_number} | ({"EnableDate": d.enable_date, "User": d.user_attribute}
            if d.enable_date else {}) for d in rows], marker
iam.VirtualMfaDevice.__init__, iam.IAMBackend.list_virtual_mfa_devices = device_init, list_devices
def sync_pair(dev, code1, code2):           # consecutive, in order, newer than the last accepted pair
    otp, base = pyotp.TOTP(dev.base32_string_seed), int(now() // STEP) + dev.sync.adjust
    for k in sorted(range(base - BEHIND, base + AHEAD + 1), key=lambda k: abs(k - base)):
        if k - 1 > dev.sync.last_pair and otp.generate_otp(k) == code2 and otp.generate_otp(k - 1) == code1:
            dev.sync.adjust, dev.sync.last_pair = k - int(now() // STEP), k
            return
    raise AwsError("InvalidAuthenticationCode", "Authentication code for device is not valid.")

def verify_code(who, serial, code):
    dev, slot = store(who).virtual_mfa_devices.get(serial), (serial, int(now() // 180))
    TRIES[slot] = TRIES.get(slot, 0) + 1
    if (not dev or not who.entity or dev.user is not who.entity or CFG.propagation and now() < dev.sync.enabled_at + CFG.propagation
            or CFG.budget and TRIES[slot] > CFG.budget):
        raise AwsError("AccessDenied", UNABLE)
    step, otp = int(now() // STEP) + dev.sync.adjust, pyotp.TOTP(dev.base32_string_seed)
    for k in range(step - VERIFY, step + VERIFY + 1):
        if k not in dev.sync.used and otp.generate_otp(k) == code:
            dev.sync.used.add(k)
            return
    raise AwsError("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ")   # AWS has the blank

AUTH = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)")

def find(key, partition):
    if key == "test":
        return Who("root", partition, "test", f"arn:{partition}:iam::{ACCOUNT}:root")
    if key in SESSIONS:
        return SESSIONS[key]
    for user in list(iam.iam_backends[ACCOUNT][partition].users.values()):
        for k in user.access_keys:
            if k.access_key_id == key and k.status == "Active":
                return Who("user", partition, k.secret_access_key, user.arn, user.name, entity=user)
    raise AwsError("InvalidClientTokenId", BADTOKEN)

def authenticate(req):
    env = req.environ
    m = AUTH.match(env.get("HTTP_AUTHORIZATION", ""))
    if not m:
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token")
    req.key, date, region, req.service, signed, signature = m.groups()
    who = find(req.key, get_partition(region))
    if env.get("HTTP_X_AMZ_SECURITY_TOKEN", "") != who.token:
        raise AwsError("InvalidClientTokenId", BADTOKEN)
    if who.expires and now() >= who.expires:
        raise AwsError("ExpiredToken", "The security token included in the request is expired")
    if req.service not in ("iam", "sts"):
        return who
    def header(h):
        plain = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
        return " ".join(env.get(plain.get(h, "HTTP_" + h.upper().replace("-", "_")), "").split())
    query = "&".join(f"{quote(k, '-_.~')}={quote(v, '-_.~')}" for k, v in sorted(parse_qsl(env["QUERY_STRING"], True)))
    payload = env.get("HTTP_X_AMZ_CONTENT_SHA256") or hashlib.sha256(req.body).hexdigest()
    canonical = "\n".join([env["REQUEST_METHOD"], quote(env["PATH_INFO"] or "/"), query,
                           "".join(f"{h}:{header(h)}\n" for h in signed.split(";")), signed, payload])
    stamp, scope, key = header("x-amz-date"), f"{date}/{region}/{req.service}/aws4_request", ("AWS4" + who.secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    if not hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), signature):
        raise AwsError("SignatureDoesNotMatch", BADSIG)
    z, t = "%Y%m%dT%H%M%SZ", dt.datetime.strptime(stamp + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
    if t < now() - 900:
        raise AwsError("SignatureDoesNotMatch", f"Signature expired: {stamp} is now earlier than {iso(now() - 900, z)} ({iso(now(), z)} - 15 min.)")
    if t > now() + 900:
        raise AwsError("SignatureDoesNotMatch", f"Signature not yet current: {stamp} is still later than {iso(now() + 900, z)} ({iso(now(), z)} + 15 min.)")
    return who

def holds(condition, ctx):
    for op, pairs in (condition or {}).items():
        base, if_exists = op.removesuffix("IfExists"), op.endswith("IfExists")
        for key, want in pairs.items():
            have, want = ctx.get(key.lower()), [str(w).lower() for w in many(want)]
            if base == "Null":
                ok = (have is None) == (want[0] == "true")
            elif have is None:
                ok = if_exists
            elif base.startswith("Numeric"):
                d = float(have) - float(want[0])
                ok = {"LessThan": d < 0, "LessThanEquals": d <= 0, "GreaterThan": d > 0, "GreaterThanEquals": d >= 0}[base[7:]]
            else:
                ok = any(like(w, have) for w in want) != ("Not" in base)
            if not ok:
                return False
    return True

def decide(docs, action, resource, ctx, principal=None):
    verdict = "implicit"
    for doc in docs:
        for s in many(json.loads(doc)["Statement"]):
            hit = any(like(a, action) for a in many(s.get("Action", s.get("NotAction")))) == ("Action" in s)
            if "Resource" in s and resource != "*":
                hit = hit and any(like(r.replace("${aws:username}", ctx.get("aws:username", "")), resource) for r in many(s["Resource"]))
            if principal is not None:
                hit = hit and (s["Principal"] == "*" or any(p in principal for p in many(s["Principal"].get("AWS", []))))
            if hit and holds(s.get("Condition"), ctx):
                if s["Effect"] == "Deny":
                    return "explicit"
                verdict = "allow"
    return verdict

def documents(who):                         # inline and managed policies of the caller and its groups
    groups = [] if who.kind == "role" else [g for g in store(who).groups.values() if who.entity in g.users]
    for s in [who.entity, *groups]:
        yield from s.policies.values()
        for p in s.managed_policies.values():
            yield next(v.document for v in p.versions if v.is_default)

def context(who, fresh_mfa=False):
    ctx, mfa = {"aws:username": "" if who.kind == "role" else who.name}, who.mfa or fresh_mfa
    if mfa or who.mfa is not None:          # absent for long-term keys, "false" for sessions without MFA
        ctx["aws:multifactorauthpresent"] = str(mfa).lower()
    return ctx | ({"aws:multifactorauthage": str(int(now() - (who.auth_time or now())))} if mfa else {})

def authorize(who, req):
    action, p, base = f"{req.service}:{req.action}", req.params, f"arn:{who.partition}:iam::{ACCOUNT}:"
    if who.kind == "session" and req.service == "iam" and not who.mfa:
        raise AwsError("InvalidClientTokenId", BADTOKEN)
    if req.service == "sts" and who.kind in ("session", "role") and req.action not in ("AssumeRole", "GetCallerIdentity"):
        raise AwsError("AccessDenied", f"Cannot call {req.action} with session credentials")
    if who.kind == "root" or action in ("sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRole"):
        return                              # policies do not govern the first two; the third is judged with the role's trust policy
    resource = (base + "mfa" + p.get("Path", "/") + p["VirtualMFADeviceName"] if "VirtualMFADeviceName" in p else
                base + "user/" + p["UserName"] if "UserName" in p else
                p["SerialNumber"] if req.service == "iam" and "SerialNumber" in p else "*")
    verdict = decide(documents(who), action, resource, context(who))
    if verdict != "allow":
        why = (" with an explicit deny in an identity-based policy" if verdict == "explicit"
               else f" because no identity-based policy allows the {action} action")
        raise AwsError("AccessDenied", f"User: {who.arn} is not authorized to perform: {action} on resource: {resource}{why}")

def device_call(who, req):
    p, users, devices = req.params, store(who).users, store(who).virtual_mfa_devices
    serial, user, dev = p.get("SerialNumber"), users.get(p.get("UserName")), devices.get(p.get("SerialNumber"))
    if req.action == "DeleteUser" and user and user.mfa_devices:
        raise AwsError("DeleteConflict", "Cannot delete entity, must remove tokens from principal first.", 409)
    if req.action == "DeleteVirtualMFADevice" and dev and dev.user:
        raise AwsError("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.", 409)
    if req.action not in ("EnableMFADevice", "DeactivateMFADevice", "ResyncMFADevice"):
        return None
    if user is None:
        raise AwsError("NoSuchEntity", f"The user with name {p.get('UserName')} cannot be found.", 404)
    if req.action != "ResyncMFADevice" and who.entity is user and not who.mfa and user.mfa_devices:
        raise AwsError("AccessDenied", SELF)
    if req.action == "EnableMFADevice":
        if dev is None:
            raise AwsError("NoSuchEntity", f"VirtualMFADevice with serial number {serial} doesn't exist.", 404)
        if dev.user:
            raise AwsError("EntityAlreadyExists", "MFA Device is already in use." if dev.user is not user
                           else f"MFA Device for user {user.name} already exists.", 409)
        if len(user.mfa_devices) >= MAX_DEVICES:
            raise AwsError("LimitExceeded", f"Cannot exceed quota for MFADevicesPerUser: {MAX_DEVICES}", 409)
    elif dev is None or dev.user is not user:
        raise AwsError("NoSuchEntity", "MFA Device invalid for user.", 404)
    if req.action != "DeactivateMFADevice":
        sync_pair(dev, p["AuthenticationCode1"], p["AuthenticationCode2"])
        dev.sync.enabled_at = now() if req.action == "EnableMFADevice" else dev.sync.enabled_at
    if req.action == "ResyncMFADevice":     # unknown to moto; the others go on to it
        return '<ResyncMFADeviceResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"/>'

def sts_call(who, req):
    p, a, extra = req.params, req.action, ""
    def reply(inner):
        return f'<{a}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{a}Result>{inner}</{a}Result></{a}Response>'
    if a == "GetCallerIdentity":
        uid = who.name if who.kind == "role" else who.entity.id if who.entity else ACCOUNT
        return reply(f"<UserId>{uid}</UserId><Account>{ACCOUNT}</Account><Arn>{who.arn}</Arn>")
    seconds, top = int(p.get("DurationSeconds", 3600 if a == "AssumeRole" else 43200)), 43200 if a == "AssumeRole" else 129600
    if not 900 <= seconds <= top:
        raise AwsError("ValidationError", f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: "
                       f"Member must have value {'greater' if seconds < 900 else 'less'} than or equal to {900 if seconds < 900 else top}", 400)
    mfa = bool(p.get("TokenCode"))
    if mfa != bool(p.get("SerialNumber")):
        raise AwsError("AccessDenied", "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
    if mfa:
        verify_code(who, p["SerialNumber"], p["TokenCode"])
    key, secret, token = new_key_id(ACCOUNT, prefix="ASIA"), secrets.token_urlsafe(30), "FwoGZXIvYXdz" + secrets.token_urlsafe(150)
    if a == "GetSessionToken":
        end = now() + (min(seconds, 3600) if who.kind == "root" else seconds)
        session = Who("session", who.partition, secret, who.arn, who.name, token, mfa, now(), end, who.entity)
    else:
        arn, account = p["RoleArn"], {ACCOUNT, f"arn:{who.partition}:iam::{ACCOUNT}:root"}
        role = next((r for r in store(who).roles.values() if r.arn == arn), None)
        def trusts(names):
            return role and decide([role.assume_role_policy_document], "sts:AssumeRole", "*", context(who, mfa), names) == "allow"
        own = "allow" if who.kind == "root" else decide(documents(who), "sts:AssumeRole", arn, context(who))
        if own == "explicit" or not trusts({who.arn, "*"} | (account if own == "allow" else set())):
            raise AwsError("AccessDenied", f"User: {who.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}")
        if seconds > 3600 and who.kind in ("role", "session"):
            raise AwsError("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.", 400)
        if seconds > int(role.max_session_duration or 3600):
            raise AwsError("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", 400)
        name = f"{role.id}:{p['RoleSessionName']}"
        assumed = f"arn:{who.partition}:sts::{ACCOUNT}:assumed-role/{role.name}/{p['RoleSessionName']}"
        extra = f"<AssumedRoleUser><AssumedRoleId>{name}</AssumedRoleId><Arn>{assumed}</Arn></AssumedRoleUser>"
        session = Who("role", who.partition, secret, assumed, name, token, False, now(), now() + seconds, role)
    SESSIONS[key], session.chained = session, who.kind in ("role", "session")
    if EXPIRY:
        session.expires = now() + EXPIRY["seconds"]
    return reply(f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>"
                 f"{token}</SessionToken><Expiration>{iso(session.expires)}</Expiration></Credentials>{extra}")

MOTO = DomainDispatcherApplication(create_backend_app)
REST = {"GET0": "ListAllMyBuckets", "GET1": "ListBucket", "PUT1": "CreateBucket", "GET2": "GetObject", "PUT2": "PutObject"}
def parse(env):
    body = env["wsgi.input"].read(int(env.get("CONTENT_LENGTH") or 0))
    env["wsgi.input"] = io.BytesIO(body)
    form, depth = "form-urlencoded" in env.get("CONTENT_TYPE", ""), len([s for s in env["PATH_INFO"].split("/") if s])
    params = dict(parse_qsl(body.decode() if form else env["QUERY_STRING"], True))
    action = (params.get("Action") or env.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
              or REST.get(f"{env['REQUEST_METHOD']}{min(depth, 2)}", "Unknown"))
    return argparse.Namespace(environ=env, body=body, params=params, action=action, service="", key="")

def federation(env, start):                 # not signed: the session in the query is what is checked
    p = dict(parse_qsl(env["QUERY_STRING"], True))
    def no(why):
        start("400 Bad Request", [("Content-Type", "text/html")])
        return [why.encode()]
    with LOCK:
        if p.get("Action") == "login":
            who, until = SIGNIN.get(p.get("SigninToken"), (None, 0))
            result = "OK" if who and now() < until and p.get("Destination", "").startswith("https://") else "Refused"
            LOG.append({"t": now(), "service": "signin", "action": "login", "key": "", "who": who.arn if who else "", "result": result})
            if result != "OK":
                return no("no such token, it has ended, or no destination")
            start("302 Found", [("Location", p["Destination"])])
            return [b""]
        try:
            s = json.loads(p["Session"])
            who = SESSIONS.get(s["sessionId"])
            whole = who and who.kind == "role" and (who.secret, who.token) == (s["sessionKey"], s["sessionToken"]) and now() < who.expires
        except (KeyError, ValueError, TypeError):
            who, whole = None, False
        fits = "SessionDuration" not in p or not getattr(who, "chained", True) and 900 <= int(p["SessionDuration"]) <= 43200
        token = secrets.token_urlsafe(60)
        result = "OK" if p.get("Action") == "getSigninToken" and whole and fits else "Refused"
        LOG.append({"t": now(), "service": "signin", "action": "getSigninToken", "key": who.name if who else "", "who": who.arn if who else "", "result": result})
        if result != "OK":
            return no("not a role's session, or a duration for a chained one")
        SIGNIN[token] = who, now() + 900
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"SigninToken": token}).encode()]

def admin(env, start):
    global HOLD
    what, data = env["PATH_INFO"].rpartition("/")[2], env["wsgi.input"].read(int(env.get("CONTENT_LENGTH") or 0))
    if what == "federation":
        return federation(env, start)
    if env["REQUEST_METHOD"] == "POST":
        told = json.loads(data)
        with LOCK, GATE:
            if what == "clock":
                CFG.offset = float(told["offset"])
            elif what == "fault":
                FAULTS.append(told)
            elif what == "expiry":
                EXPIRY.clear(), EXPIRY.update(told)
            elif what == "settings":
                vars(CFG).update(told)
            elif what == "hold":
                HOLD.at, HOLD = 0, Hold(told["at"], told["when"], told.get("action"))
            if what in ("release", "reset"):
                HOLD.at, HOLD.held, HOLD.dropped = 0, [], told.get("drop", False)
            GATE.notify_all()
            if what == "reset":
                FAULTS.clear(), EXPIRY.clear()
                CFG.offset, CFG.budget, CFG.propagation = START
    out = {"clock": {"offset": CFG.offset, "now": now()}, "log": LOG, "held": HOLD.held, "fault": FAULTS, "expiry": EXPIRY,
           "settings": {"budget": CFG.budget, "propagation": CFG.propagation}, "hold": {}, "release": {}, "reset": {}, "devices": [
        {"SerialNumber": d.serial_number, "user": d.user and d.user.name, "adjust": d.sync.adjust, "used": sorted(d.sync.used)}
        for part in iam.iam_backends[ACCOUNT].values() for d in part.virtual_mfa_devices.values()]}.get(what)
    start("200 OK" if out is not None else "404 Not Found", [("Content-Type", "application/json")])
    return [json.dumps(out).encode()]

def fault_for(req):                         # the next one that was ordered for this action
    for f in FAULTS:
        if f["action"] in ("*", req.action) and f.get("count", 1) > 0:
            f["count"] = f.get("count", 1) - 1
            return f
    return None

def stop_here(req, hold, number, when):     # holds one request, and all that come behind it
    with GATE:
        if hold.at and (number > hold.at or number == hold.at and when == hold.when):
            hold.held.append({"number": number, "action": req.action, "when": when})
            GATE.wait_for(lambda: not hold.at, timeout=120)
            if hold.dropped:
                hang_up(req.environ)

def hang_up(env):
    env["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("as ordered")

def failure(req, code, message):
    if "HTTP_X_AMZ_TARGET" in req.environ:
        return json.dumps({"__type": code.replace("AccessDenied", "AccessDeniedException"), "message": message})
    inner = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    if req.service == "ec2":
        return f"<Response><Errors>{inner.replace('AccessDenied', 'UnauthorizedOperation')}</Errors></Response>"
    return inner if req.service == "s3" else f"<ErrorResponse>{inner.replace('<Error>', '<Error><Type>Sender</Type>')}</ErrorResponse>"

def application(env, start):
    if env["PATH_INFO"].startswith("/_strict/"):
        return admin(env, start)
    req = parse(env)
    with GATE:
        hold, counts = HOLD, HOLD.action in (None, req.action)
        hold.seen += counts
        number = hold.seen if counts else 0
    stop_here(req, hold, number, "before")
    with LOCK:
        fault = fault_for(req) or {"what": ""}
    if fault["what"] == "delay":
        time.sleep(fault["seconds"])
    if fault["what"] == "drop":
        LOG.append(entry(req, None, "drop"))
        hang_up(env)
    kept = []
    body = answer(req, lambda status, headers, exc_info=None: kept.append((status, headers)), FAILURES.get(fault["what"]))
    body = b"".join(body)                   # carried out as a whole before anything of it goes back
    stop_here(req, hold, number, "after")
    if fault["what"] == "lose":
        hang_up(env)
    start(*kept[-1])
    return [body]

def entry(req, who, result):
    p = req.params
    return {"t": now(), "service": req.service, "action": req.action, "key": req.key, "who": who.arn if who else "", "result": result,
            "agent": req.environ.get("HTTP_USER_AGENT", ""), "serial": p.get("SerialNumber"), "seconds": p.get("DurationSeconds"),
            "codes": [p[c] for c in ("TokenCode", "AuthenticationCode1", "AuthenticationCode2") if c in p],
            "role": p.get("RoleArn"), "session_name": p.get("RoleSessionName"), "external_id": p.get("ExternalId")}

def answer(req, start, ordered):
    env, status, code, out, who = req.environ, 200, "OK", None, None
    with LOCK:
        try:
            if ordered:
                raise AwsError(*ordered)
            who, p = authenticate(req), req.params
            if who.kind in ("user", "session") and who.name and req.service == "iam" and req.action in CALLER_IS_USER:
                body = urlencode(p | {"UserName": p.setdefault("UserName", who.name)}).encode()
                env["wsgi.input"], env["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
            authorize(who, req)
            if req.service == "iam":
                out = device_call(who, req)
            elif req.service == "sts" and req.action in ("GetCallerIdentity", "GetSessionToken", "AssumeRole"):
                out = sts_call(who, req)
        except AwsError as e:
            code, message, status = (*e.args, 403)[:3]
            out = failure(req, code, message)
        LOG.append(entry(req, who, code))
    if out is None:
        return MOTO(env, start)
    start(f"{status} {code}", [("Content-Type", "application/x-amz-json-1.1" if out[0] == "{" else "text/xml")])
    return [out.encode()]

class Handler(WSGIRequestHandler):
    log_request = lambda *args: None
    def date_time_string(self, timestamp=None):
        return super().date_time_string(now() if timestamp is None else timestamp)

def main():
    ap = argparse.ArgumentParser(description="strict local AWS stand-in")
    ap.add_argument("--port", type=int, default=0, help="0 picks a free port")
    ap.add_argument("--port-file", help="write the chosen port here, once listening")
    ap.add_argument("--offset", type=float, default=0.0, help="initial clock offset, seconds")
    ap.add_argument("--budget", type=int, default=9, help="TokenCode checks per device in three minutes; 0 = unlimited")
    ap.add_argument("--propagation", type=float, default=0.0, help="seconds until STS sees an enabled device (AWS: about 10)")
    args = ap.parse_args(namespace=CFG)
    global START
    START = CFG.offset, CFG.budget, CFG.propagation
    server = make_server("127.0.0.1", args.port, application, threaded=True, request_handler=Handler)
    if args.port_file:
        pathlib.Path(args.port_file + ".tmp").write_text(str(server.port))
        os.replace(args.port_file + ".tmp", args.port_file)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()

if __name__ == "__main__":
    main()
