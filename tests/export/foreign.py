"""Readers of other apps' files, each written by its format's description and none by how vmfa writes it."""

import base64
import csv
import hashlib
import hmac
import io
import json
import urllib.parse
import xml.etree.ElementTree

import nacl.bindings
from argon2.low_level import Type, hash_secret_raw
from canon import FIXED, Entry, unbase32
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

b64 = base64.b64decode


def argon2id(passphrase, salt, kib, passes, lanes):
    return hash_secret_raw(passphrase.encode(), salt, passes, kib, lanes, 32, Type.ID)


def of_uri(text, **more):
    """An entry of a Key URI, by the standard library's own parser."""
    split = urllib.parse.urlsplit(text, allow_fragments=False)
    words = {key: values[0] for key, values in urllib.parse.parse_qs(split.query, keep_blank_values=True).items()}
    label = urllib.parse.unquote(split.path.removeprefix("/"))
    issuer = words.get("issuer", "")
    name = label.removeprefix(f"{issuer}:") if issuer or label.startswith(":") else label
    kind = {"yaotp": "yandex", "": split.scheme}.get(split.netloc, split.netloc)
    if split.scheme == "motp":
        label = urllib.parse.unquote(split.netloc + split.path)
        kind, name, secret = "motp", label.removeprefix(f"{issuer}:"), bytes.fromhex(words["secret"])
    else:
        secret = unbase32(words["secret"])
    if words.get("encoder") == "steam":
        kind = "steam"
    algorithm, digits, period = FIXED.get(kind) or (
        words["algorithm"],
        int(words["digits"]),
        0 if kind == "hotp" else int(words["period"]),
    )
    return Entry(
        issuer=issuer,
        name=name,
        kind=kind,
        secret=secret,
        algorithm=algorithm,
        digits=digits,
        period=period,
        counter=int(words["counter"]) if kind == "hotp" else None,
        pin=unbase32(words["pin"]).decode() if "pin" in words else None,
        **more,
    )


def aegis(data, passphrase=None):
    """https://github.com/beemdevelopment/Aegis/blob/master/docs/vault.md"""
    file = json.loads(data)
    assert file["version"] == 1
    if passphrase is None:
        assert file["header"] == {"slots": None, "params": None}
        db = file["db"]
    else:
        (slot,) = file["header"]["slots"]
        assert (slot["type"], slot["n"], slot["r"], slot["p"]) == (1, 2**15, 8, 1)
        key = hashlib.scrypt(
            passphrase.encode(), salt=bytes.fromhex(slot["salt"]), n=slot["n"], r=8, p=1, maxmem=2**26, dklen=32
        )
        unhex = bytes.fromhex
        master = AESGCM(key).decrypt(
            unhex(slot["key_params"]["nonce"]), unhex(slot["key"]) + unhex(slot["key_params"]["tag"]), None
        )
        params = file["header"]["params"]
        db = json.loads(AESGCM(master).decrypt(unhex(params["nonce"]), b64(file["db"]) + unhex(params["tag"]), None))
    assert db["version"] == 3
    names = {group["uuid"]: group["name"] for group in db["groups"]}
    uuids = [entry["uuid"] for entry in db["entries"]]
    assert len(set(uuids)) == len(uuids) and all(uuid[14] == "4" and uuid[19] in "89ab" for uuid in uuids)
    return [
        Entry(
            issuer=entry["issuer"],
            name=entry["name"],
            kind=entry["type"],
            secret=unbase32(entry["info"]["secret"]),
            algorithm=entry["info"]["algo"],
            digits=entry["info"]["digits"],
            period=entry["info"].get("period", 0),
            counter=entry["info"].get("counter"),
            pin=entry["info"].get("pin"),
            tags=tuple(names[uuid] for uuid in entry["groups"]),
            note=entry["note"],
            favorite=entry["favorite"],
        )
        for entry in db["entries"]
    ]


def twofas(data, passphrase=None):
    """2FAS's backup, schema 4."""
    file = json.loads(data)
    assert file["schemaVersion"] == 4
    services = file["services"]
    if passphrase is not None:
        assert services == []

        def opened(sealed):
            text, salt, nonce = map(b64, sealed.split(":"))
            assert len(salt) == 256 and len(nonce) == 12
            key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, 10_000, 32)
            return AESGCM(key).decrypt(nonce, text, None)

        services = json.loads(opened(file["servicesEncrypted"]))
        # The app opens this one first, and takes the passphrase for wrong if it can't.
        assert hashlib.sha256(opened(file["reference"])).hexdigest().startswith(TWOFAS_REFERENCE)
    names = {group["id"]: group["name"] for group in file["groups"]}
    entries = []
    for place, service in enumerate(services):
        otp = service["otp"]
        assert service["order"]["position"] == place
        kind = otp["tokenType"].lower()
        entries.append(
            Entry(
                issuer=otp.get("issuer", ""),
                name=otp["account"],
                kind=kind,
                secret=unbase32(service["secret"]),
                algorithm=otp["algorithm"],
                digits=otp["digits"],
                period=0 if kind == "hotp" else otp["period"],
                counter=otp.get("counter"),
                tags=(names[service["groupId"]],) if "groupId" in service else (),
            )
        )
        assert service["name"] == (otp.get("issuer") or otp["account"])
    return entries


# The first digits of the SHA-256 of what the app itself seals there.
TWOFAS_REFERENCE = "cef0eb8ede32f858e3c6fbd8753d3f22"


def bitwarden(data, passphrase=None):
    """https://bitwarden.com/help/encrypted-export/"""
    file = json.loads(data)
    if passphrase is not None:
        assert file["encrypted"] is True and file["passwordProtected"] is True and file["kdfType"] == 0
        key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), file["salt"].encode(), file["kdfIterations"], 32)
        # HKDF-Expand of RFC 5869, one block.
        expand = lambda info: hmac.digest(key, info + b"\x01", "sha256")

        def opened(sealed):
            kind, _, rest = sealed.partition(".")
            iv, text, mac = map(b64, rest.split("|"))
            assert kind == "2" and hmac.compare_digest(mac, hmac.digest(expand(b"mac"), iv + text, "sha256"))
            cipher = Cipher(algorithms.AES256(expand(b"enc")), modes.CBC(iv)).decryptor()
            unpadder = padding.PKCS7(128).unpadder()
            return unpadder.update(cipher.update(text) + cipher.finalize()) + unpadder.finalize()

        opened(file["encKeyValidation_DO_NOT_EDIT"])
        file = json.loads(opened(file["data"]))
    assert file["encrypted"] is False
    folders = {folder["id"]: folder["name"] for folder in file["folders"]}
    assert set(folders) == {item["folderId"] for item in file["items"]} - {None}
    entries = []
    for item in file["items"]:
        assert item["type"] == 1
        entries.append(
            of_login(
                item["name"],
                item["login"]["username"] or "",
                item["login"]["totp"],
                tags=(folders[item["folderId"]],) if item["folderId"] else (),
                note=item["notes"] or "",
                favorite=item["favorite"],
            )
        )
    return entries


def of_login(title, username, totp, **more):
    """A password manager's entry: for Steam the issuer stands in the title alone."""
    if totp.startswith("steam://"):
        return Entry(title, username, "steam", unbase32(totp.removeprefix("steam://")), *FIXED["steam"], **more)
    entry = of_uri(totp, **more)
    assert title == (entry.issuer or entry.name) and username == entry.name
    return entry


def bitwarden_csv(data):
    """https://bitwarden.com/help/condition-bitwarden-import/"""
    entries = []
    for row in csv.DictReader(io.StringIO(data.decode(), newline="")):
        assert row["type"] == "login" and row["reprompt"] == "0" and None not in row
        entries.append(
            of_login(
                row["name"],
                row["login_username"],
                row["login_totp"],
                tags=(row["folder"],) if row["folder"] else (),
                note=row["notes"],
                favorite=row["favorite"] == "1",
            )
        )
    return entries


def ente(data, passphrase=None):
    """https://github.com/ente-io/ente/tree/main/mobile/apps/auth"""
    if passphrase is not None:
        file = json.loads(data)
        params = file["kdfParams"]
        key = argon2id(passphrase, b64(params["salt"]), params["memLimit"] // 1024, params["opsLimit"], 1)
        state = nacl.bindings.crypto_secretstream_xchacha20poly1305_state()
        nacl.bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, b64(file["encryptionNonce"]), key)
        data, tag = nacl.bindings.crypto_secretstream_xchacha20poly1305_pull(state, b64(file["encryptedData"]))
        assert tag == nacl.bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
    entries = []
    for line in data.decode().splitlines():
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(line, allow_fragments=False).query)
        display = json.loads(query["codeDisplay"][0])
        entries.append(
            of_uri(
                line,
                tags=tuple(display["tags"]),
                note=display["note"],
                favorite=display["pinned"],
                trashed=display["trashed"],
            )
        )
    return entries


def stratum(data, passphrase=None):
    """https://github.com/stratumauth/app/blob/master/doc/BACKUP_FORMAT.md"""
    if passphrase is not None:
        assert data[:16] == b"AUTHENTICATORPRO"
        salt, nonce, text = data[16:32], data[32:44], data[44:]
        data = AESGCM(argon2id(passphrase, salt, 65_536, 3, 4)).decrypt(nonce, text, None)
    file = json.loads(data)
    kinds = {1: "hotp", 2: "totp", 3: "motp", 4: "steam", 5: "yandex"}
    names = {category["Id"]: category["Name"] for category in file["Categories"]}
    secrets = [entry["Secret"] for entry in file["Authenticators"]]
    assert len(set(secrets)) == len(secrets)
    entries = []
    for entry in file["Authenticators"]:
        kind = kinds[entry["Type"]]
        bound = [row for row in file["AuthenticatorCategories"] if row["AuthenticatorSecret"] == entry["Secret"]]
        algorithm, digits, period = FIXED.get(kind) or (
            ["SHA1", "SHA256", "SHA512"][entry["Algorithm"]],
            entry["Digits"],
            0 if kind == "hotp" else entry["Period"],
        )
        entries.append(
            Entry(
                issuer=entry["Issuer"],
                name=entry["Username"],
                kind=kind,
                secret=bytes.fromhex(entry["Secret"]) if kind == "motp" else unbase32(entry["Secret"]),
                algorithm=algorithm,
                digits=digits,
                period=period,
                counter=entry["Counter"] if kind == "hotp" else None,
                pin=entry["Pin"],
                tags=tuple(names[row["CategoryId"]] for row in bound),
            )
        )
    return entries


def proton(data, passphrase=None):
    """Proton Authenticator's export, version 1."""
    file = json.loads(data)
    assert file["version"] == 1
    if passphrase is not None:
        content = b64(file["content"])
        key = argon2id(passphrase, b64(file["salt"]), 19_456, 2, 1)
        file = json.loads(AESGCM(key).decrypt(content[:12], content[12:], b"proton.authenticator.export.v1"))
    entries = []
    for row in file["entries"]:
        content, note = row["content"], row["note"] or ""
        if content["entry_type"] == "Steam":
            secret = unbase32(content["uri"].removeprefix("steam://"))
            entries.append(Entry("", content["name"], "steam", secret, *FIXED["steam"], note=note))
            continue
        entry = of_uri(content["uri"], note=note)
        assert content["entry_type"] == "Totp" and content["name"] == entry.name
        entries.append(entry)
    return entries


def freeotpplus(data):
    """https://github.com/helloworld1/FreeOTPPlus"""
    file = json.loads(data)
    assert file["tokenOrder"] == [f"{token['issuerExt']}:{token['label']}" for token in file["tokens"]]
    return [
        Entry(
            issuer=token["issuerExt"],
            name=token["label"],
            kind=token["type"].lower(),
            secret=bytes(byte & 255 for byte in token["secret"]),
            algorithm=token["algo"],
            digits=token["digits"],
            period=0 if token["type"] == "HOTP" else token["period"],
            counter=token["counter"] if token["type"] == "HOTP" else None,
        )
        for token in file["tokens"]
    ]


def keepass_fields(fields, group):
    """An entry of a KeePass database, by the names that KeePassXC and KeePass give its fields."""
    title, username = fields["Title"] or "", fields["UserName"] or ""
    more = {"tags": (group,) if group else (), "note": fields["Notes"] or ""}
    if "HmacOtp-Secret-Base32" in fields:
        counter = int(fields["HmacOtp-Counter"])
        secret = unbase32(fields["HmacOtp-Secret-Base32"])
        return Entry(title, username, "hotp", secret, period=0, counter=counter, **more)
    return of_login(title, username, fields["otp"], **more)


def keepassxc_xml(text):
    """What `keepassxc-cli export` prints."""
    root = xml.etree.ElementTree.fromstring(text).find("./Root/Group")

    def entries(group, name):
        for entry in group.findall("Entry"):
            fields = {pair.findtext("Key"): pair.findtext("Value") for pair in entry.findall("String")}
            yield keepass_fields(fields, name)
        for inner in group.findall("Group"):
            yield from entries(inner, inner.findtext("Name"))

    return list(entries(root, ""))
