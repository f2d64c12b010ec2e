"""Broken and hostile files. Each must be refused, or read in part, quickly and with little memory, and say what is wrong."""

import json
import struct

from .accounts import HERE
from .crypto import seeded
from .hostile import archives, labels, structures
from .keepass import AES_KDF, ARGON2ID, kdbx3, kdbx4
from .shelf import Shelf, words

RIGHT = {
    "aegis/encrypted_wrong_password.json": "first slot",
    "2fas/encrypted_wrong_password.2fas": "パスワード2",
    "bitwarden/wrong_password.json": "合い言葉 bw",
    "ente/wrong_password.txt": "ひみつ ente",
    "freeotp/wrong_password.xml": "test",
    "otpauth-ios/wrong_password-1.1.otpauthdb": "アイフォン 1.1",
    "keepass/wrong_password.kdbx": "test",
}


def made(name):
    """A good file of another folder, and its passphrase; the small ones are those that are there for a wrong one."""
    if name in RIGHT:
        return (HERE / name).read_bytes(), RIGHT[name]
    folder, _, file = name.partition("/")
    expected = json.loads((HERE / folder / "expected.json").read_text(encoding="utf-8"))
    return (HERE / name).read_bytes(), expected[file].get("passphrase")


def flip(data, at):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def in_base64(text, at):
    """Another letter, so that the base64 stays good and what it holds doesn't."""
    at %= len(text)
    return text[:at] + ("B" if text[at] != "B" else "C") + text[at + 1 :]


def changed(name, change):
    data, passphrase = made(name)
    value = json.loads(data)
    change(value)
    return words(value).encode(), passphrase


def negative(accounts):
    with Shelf("negative") as shelf:
        refuse = lambda name, data, error, passphrase=None, **facts: shelf.put(
            name, data, None, passphrase, file_error=error, **facts
        )
        nothing(refuse)
        truncated(refuse)
        damaged(refuse)
        expensive(refuse)
        versions(refuse)
        futures(shelf)
        archives(shelf, refuse, accounts)
        structures(shelf, refuse)
        labels(shelf, accounts)


def nothing(refuse):
    refuse("empty.bin", b"", "bad_file")
    refuse("blank.txt", "\ufeff \r\n\t\n", "bad_file")
    refuse("random.bin", seeded("random", 1021), "bad_file", note="could be one of the formats without a mark: say so")
    refuse("login_page.html", "<!doctype html><html><title>Sign in</title></html>\n", "bad_file")
    refuse("prose.txt", "Dear diary,\ntoday nothing happened.\n", "bad_file", **{"or": ["not_a_uri"]})
    refuse(
        "message.asc",
        "-----BEGIN PGP MESSAGE-----\n\nAAAA\n=AAAA\n-----END PGP MESSAGE-----\n",
        "bad_file",
        **{"or": ["need_password"]},
        note="to be decrypted with gpg first",
    )
    refuse("null.json", "null", "bad_file")
    refuse("other.json", '{"hello":"world"}', "bad_file")
    refuse("deep.json", "[" * 10_000, "bad_file", note="no stack overflow")
    refuse(
        "deep_aegis.json",
        '{"version":1,"header":{"slots":null,"params":null},"db":' + '{"entries":[' * 600 + "]}" * 600 + "}",
        "bad_file",
    )


def truncated(refuse):
    """Cut in the middle. Where a tag covers all, a cut can't be told from a wrong password."""
    sealed = [
        "andotp/encrypted_new.json.aes",
        "stratum/strong.authpro",
        "stratum/legacy.authpro",
        "otpclient/v3.enc",
        "totpauthenticator/backup.encrypt",
    ]
    framed = [
        "aegis/encrypted_wrong_password.json",
        "2fas/encrypted_wrong_password.2fas",
        "bitwarden/wrong_password.json",
        "proton/encrypted.json",
        "ente/wrong_password.txt",
        "cotp/db.cotp",
        "raivo/raivo-otp-export.zip",
        "freeotp/wrong_password.xml",
        "keepass/wrong_password.kdbx",
        "keepass/kdbx3.kdbx",
        "1password/export.1pux",
        "otpauth-ios/wrong_password-1.1.otpauthdb",
    ]
    for name in sealed + framed:
        data, passphrase = made(name)
        facts = {"or": ["bad_file"]} if name in sealed else {"or": ["wrong_password"]} if "kdbx3" in name else {}
        error = "wrong_password" if name in sealed else "bad_file"
        refuse(
            "truncated_" + name.replace("/", "_").replace("wrong_password", "file"),
            data[: len(data) // 2],
            error,
            passphrase,
            **facts,
        )
    data, passphrase = made("keepass/wrong_password.kdbx")
    refuse("truncated_header.kdbx", data[:100], "bad_file", passphrase)
    refuse("truncated_plain_aegis.json", made("aegis/plain_v2.json")[0][:3000], "bad_file")
    refuse(
        "truncated_migration.txt",
        made("googleauthenticator/one_raw.txt")[0].strip()[:-60] + b"\n",
        "bad_protobuf",
        **{"or": ["bad_base64"]},
    )
    refuse("truncated.png", made("googleauthenticator/one.png")[0][:600], "bad_file")


def damaged(refuse):
    """The password is right and the content isn't: not a wrong password."""

    def database(value):
        value["db"] = in_base64(value["db"], 100)

    def slot(value):
        for one in value["header"]["slots"]:
            one["key"] = ("1" if one["key"][0] != "1" else "2") + one["key"][1:]

    def services(value):
        value["servicesEncrypted"] = in_base64(value["servicesEncrypted"], 40)

    def vault(value):
        value["data"] = in_base64(value["data"], 200)

    def check(value):
        value["encKeyValidation_DO_NOT_EDIT"] = in_base64(value["encKeyValidation_DO_NOT_EDIT"], 10)

    data, passphrase = changed("aegis/encrypted_wrong_password.json", database)
    refuse("damaged_aegis_database.json", data, "bad_file", passphrase, note="the slot opens, the database doesn't")
    data, passphrase = changed("aegis/encrypted_wrong_password.json", slot)
    refuse(
        "damaged_aegis_slots.json", data, "wrong_password", passphrase, note="no slot opens: can't be told from a wrong password"
    )
    data, passphrase = changed("2fas/encrypted_wrong_password.2fas", services)
    refuse(
        "damaged_2fas_services.2fas",
        data,
        "bad_file",
        passphrase,
        **{"or": ["wrong_password"]},
        note="the reference opens, the services don't",
    )
    data, passphrase = changed("bitwarden/wrong_password.json", vault)
    refuse("damaged_bitwarden_data.json", data, "bad_file", passphrase, note="the check opens, the data doesn't")
    data, passphrase = changed("bitwarden/wrong_password.json", check)
    refuse("damaged_bitwarden_check.json", data, "wrong_password", passphrase)
    data, passphrase = made("keepass/wrong_password.kdbx")
    refuse("damaged_kdbx4_header.kdbx", flip(data, 60), "bad_file", passphrase)
    refuse("damaged_kdbx4_block.kdbx", flip(data, -200), "bad_file", passphrase, note="the header's HMAC proves the password")
    data, passphrase = made("raivo/raivo-otp-export.zip")
    refuse("damaged_raivo.zip", flip(data, 200), "bad_file", passphrase, **{"or": ["wrong_password"]})
    data, passphrase = made("authenticatorplus/authplus.db")
    refuse("damaged_authplus.db", flip(data, 1500), "bad_file", passphrase, **{"or": ["wrong_password"]})
    data, passphrase = made("otpauth-ios/wrong_password-1.1.otpauthdb")
    refuse("damaged_otpauth.otpauthdb", flip(data, 300), "bad_file", passphrase, **{"or": ["wrong_password"]})


def expensive(refuse):
    """Key derivations that would take a machine down. The parameters are refused before anything is computed."""
    out = "kdf_params_out_of_range"

    def scrypt(**parameters):
        def change(value):
            for one in value["header"]["slots"]:
                if one["type"] == 1:
                    one.update(parameters)

        return changed("aegis/encrypted_wrong_password.json", change)

    for name, parameters in (
        ("memory", {"n": 2**30, "r": 8, "p": 1}),
        ("lanes", {"n": 2**14, "r": 8, "p": 2**20}),
        ("zero", {"n": 0}),
        ("no_power_of_two", {"n": 1000}),
    ):
        data, passphrase = scrypt(**parameters)
        refuse(f"expensive_aegis_{name}.json", data, out, passphrase)

    def update(name, **parameters):
        return changed(name, lambda value: value.update(parameters))

    for name, data in {
        "bitwarden_rounds.json": update("bitwarden/wrong_password.json", kdfIterations=2**31 - 1),
        "bitwarden_memory.json": update("bitwarden/protected_argon2id.json", kdfMemory=2**20),
        "bitwarden_zero.json": update("bitwarden/protected_argon2id.json", kdfIterations=0),
        "bitwarden_negative.json": update("bitwarden/protected_argon2id.json", kdfMemory=-1),
    }.items():
        refuse("expensive_" + name, data[0], out, data[1])

    def ente(**parameters):
        return changed("ente/wrong_password.txt", lambda value: value["kdfParams"].update(parameters))

    for name, parameters in (("memory", {"memLimit": 2**42}), ("rounds", {"opsLimit": 2**31}), ("zero", {"memLimit": 0})):
        data, passphrase = ente(**parameters)
        refuse(f"expensive_ente_{name}.txt", data, out, passphrase)
    data, passphrase = made("andotp/encrypted_new.json.aes")
    refuse(
        "expensive_andotp.json.aes",
        b"\xff" * 4 + data[4:],
        out,
        passphrase,
        **{"or": ["wrong_password", "bad_file"]},
        note="without a mark: read as the old kind it is a wrong password",
    )
    data, passphrase = made("otpclient/v3.enc")
    refuse("expensive_otpclient.enc", data[:65] + b"\xff" * 4 + data[69:], out, passphrase)
    document = lambda made, extra="": made.whole([], extra)
    kdbx = lambda stated: kdbx4(document, "test", kdf=ARGON2ID, label="hostile", stated=stated)
    refuse("expensive_kdbx_memory.kdbx", kdbx({"kib": 2**30}), out, "test")
    refuse("expensive_kdbx_rounds.kdbx", kdbx({"rounds": 2**40}), out, "test")
    refuse("expensive_kdbx_lanes.kdbx", kdbx({"lanes": 2**24}), out, "test")
    refuse(
        "expensive_kdbx_aes_kdf.kdbx",
        kdbx4(document, "test", kdf=AES_KDF, rounds=1, label="hostile", stated={"rounds": 2**62}),
        out,
        "test",
    )
    many = kdbx3(document, "test", rounds=1, label="hostile3")
    told = struct.pack("<BH", 6, 8)
    refuse("expensive_kdbx3.kdbx", many.replace(told + struct.pack("<Q", 1), told + struct.pack("<Q", 2**62)), out, "test")
    data, passphrase = made("freeotp/missing_fields.xml")
    refuse(
        "expensive_freeotp.xml",
        data.replace(b'"mIterations":1000', b'"mIterations":9e12'),
        out,
        passphrase,
        **{"or": ["bad_file"]},
    )


def versions(refuse):
    """From the future, or from too far back: not damaged."""
    refuse(
        "version_aegis.json",
        words({"version": 9, "header": {"slots": None, "params": None}, "db": {"version": 3, "entries": []}}),
        "bad_version",
    )
    data, passphrase = changed("bitwarden/wrong_password.json", lambda value: value.update(kdfType=9))
    refuse("version_bitwarden_kdf.json", data, "bad_version", passphrase, **{"or": ["kdf_params_out_of_range", "bad_file"]})
    data, passphrase = made("otpclient/v3.enc")
    refuse("version_otpclient.enc", data[:9] + struct.pack(">I", 9) + data[13:], "bad_version", passphrase)
    data, passphrase = made("keepass/wrong_password.kdbx")
    refuse("version_kdbx5.kdbx", data[:8] + struct.pack("<HH", 0, 5) + data[12:], "bad_version", passphrase)
    refuse("version_kdbx2.kdbx", data[:8] + struct.pack("<HH", 4, 2) + data[12:], "bad_version", passphrase)
    refuse("version_keepass1.kdb", bytes.fromhex("03d9a29a65fb4bb5") + seeded("kdb", 200), "bad_version", "test")


def futures(shelf):
    """An unknown number over a known layout: read with a warning, or refused as such."""
    for name in ("proton/encrypted.json", "ente/encrypted_final.txt"):
        data, passphrase = changed(name, lambda value: value.update(version=9))
        folder, _, file = name.partition("/")
        expected = json.loads((HERE / folder / "expected.json").read_text(encoding="utf-8"))
        shelf.put(
            f"version_{folder}.json",
            data,
            expected[file]["entries"],
            passphrase,
            **{"or": ["bad_version"]},
            note="read with a warning",
        )


MAKERS = [negative]
