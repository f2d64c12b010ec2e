"""otpauth:// texts, written the way the apps write them."""

from urllib.parse import quote


def enc(text):
    return quote(text, safe="")


def otpauth(one, host=None, label=None, secret=None, issuer=True, everything=True, extra=""):
    """The common form. `everything` writes algorithm, digits and period even when they are the defaults."""
    host = host or {"yandex": "yaotp"}.get(one.type, one.type)
    if label is None:
        label = f"{enc(one.issuer)}:{enc(one.name)}" if one.issuer else enc(one.name)
    out = f"otpauth://{host}/{label}?secret={secret or one.base32}"
    if issuer and one.issuer:
        out += "&issuer=" + enc(one.issuer)
    if everything or one.algorithm != "SHA1":
        out += f"&algorithm={one.algorithm}"
    if everything or one.digits != 6:
        out += f"&digits={one.digits}"
    if one.type == "hotp":
        out += f"&counter={one.counter}"
    elif everything or one.period != 30:
        out += f"&period={one.period}"
    return out + extra


def motp(one):
    return f"motp://{enc(one.issuer)}:{enc(one.name)}?secret={one.secret.hex()}"
