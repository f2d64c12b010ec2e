#!/usr/bin/env python3
"""Makes the enrolment pictures of this folder, the same on every run: `python3 make.py [FOLDER]`.

Needs PyPI's segno, Pillow and numpy, and Debian's fonts-dejavu-core and fonts-noto-cjk. No secret here protects anything:
each is cut from the SHA-512 of a sentence that stands below.
"""

import base64
import hashlib
import io
import json
import math
import pathlib
import sys
import urllib.parse

import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FOLDER = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent
FONTS = pathlib.Path("/usr/share/fonts")
SANS = FONTS / "truetype/dejavu/DejaVuSans.ttf"
BOLD = FONTS / "truetype/dejavu/DejaVuSans-Bold.ttf"
MONO = FONTS / "truetype/dejavu/DejaVuSansMono.ttf"
CJK = FONTS / "opentype/noto/NotoSansCJK-Regular.ttc"
NOISE = np.random.default_rng(20261122)


def secret(of: str, size: int) -> bytes:
    """A test secret of up to 64 bytes."""
    return hashlib.sha512(f"vmfa test secret, protects nothing: {of}".encode()).digest()[:size]


def aws_uri(device: str, account: str) -> str:
    """The text of the QR code that IAM's console and CreateVirtualMFADevice give: 40 bytes, no algorithm, digits or period."""
    seed = base64.b32encode(secret(f"{device}@{account}", 40)).decode()
    return f"otpauth://totp/Amazon%20Web%20Services:{device}@{account}?secret={seed}&issuer=Amazon%20Web%20Services"


# ---------------------------------------------------------------- Google Authenticator's export (protobuf MigrationPayload)

def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number: int, value) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def migration_uri(accounts) -> str:
    payload = b""
    for account in accounts:
        otp = field(1, base64.b32decode(account["secret"])) + field(2, account["name"].encode()) + field(3, account["issuer"].encode())
        otp += field(4, 1) + field(5, 1)  # SHA-1, six digits
        otp += field(6, 1) + field(7, account["counter"]) if account["type"] == "hotp" else field(6, 2)
        payload += field(1, otp)
    payload += field(2, 1) + field(3, 1) + field(4, 0) + field(5, 1234567)  # version, batch size, batch index, batch id
    return "otpauth-migration://offline?data=" + urllib.parse.quote(base64.b64encode(payload), safe="")


# ---------------------------------------------------------------- pictures

def code(text: str, level: str, module: int) -> Image.Image:
    matrix = segno.make(text, error=level, boost_error=False, micro=False, mode="byte", encoding="utf-8").matrix
    dark = np.pad(np.array(matrix, np.uint8), 4)
    return Image.fromarray(np.kron(255 * (1 - dark), np.ones((module, module), np.uint8)).astype(np.uint8), "L").convert("RGB")


def write(draw, at, text, size, fill=(22, 25, 31), face=CJK, **more):
    draw.text(at, text, font=ImageFont.truetype(str(face), size), fill=fill, **more)


def desktop(qr: Image.Image) -> Image.Image:
    """A screenshot: wallpaper, a terminal, a browser with a console-like page, and a task bar."""
    width, height = 2560, 1440
    down = np.linspace(0, 1, height)[:, None, None]
    picture = Image.fromarray(np.repeat(np.array([24, 44, 84]) * (1 - down) + np.array([122, 74, 110]) * down, width, 1).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    terminal(draw, 60, 120, 900, 1000)
    browser(picture, draw, 620, 70, 1860, 1270, qr)
    draw.rectangle([0, height - 44, width, height], fill=(28, 30, 36))
    for index, colour in enumerate([(255, 153, 0), (66, 133, 244), (39, 201, 63), (189, 147, 249), (255, 95, 86), (80, 200, 220)]):
        draw.rounded_rectangle([20 + 48 * index, height - 39, 54 + 48 * index, height - 6], 6, fill=colour)
    write(draw, (width - 150, height - 36), "日 11:22", 20, (230, 230, 230))
    return picture


def frame(draw, x, y, w, h, bar, body):
    draw.rectangle([x, y, x + w, y + h], fill=body, outline=(110, 110, 110))
    draw.rectangle([x, y, x + w, y + 40], fill=bar)
    for index, colour in enumerate([(255, 95, 86), (255, 189, 46), (39, 201, 63)]):
        draw.ellipse([x + 14 + 24 * index, y + 13, x + 28 + 24 * index, y + 27], fill=colour)


def terminal(draw, x, y, w, h):
    frame(draw, x, y, w, h, (58, 60, 66), (24, 26, 30))
    lines = [
        "$ aws sts get-caller-identity", "{", '    "UserId": "AIDAEXAMPLEEXAMPLE00",', '    "Account": "123456789012",',
        '    "Arn": "arn:aws:iam::123456789012:user/alice"', "}", "$ kubectl get pods -n prod",
        "NAME                     READY   STATUS    RESTARTS", "web-6d4cf56db6-4x2lq     1/1     Running   0",
        "web-6d4cf56db6-9kq7p     1/1     Running   0", "worker-5b7f9c8d4-zz8mt   1/1     Running   2", "$ ",
    ]
    for index, line in enumerate(lines):
        write(draw, (x + 16, y + 56 + 26 * index), line, 18, (208, 212, 218), MONO)


def browser(picture, draw, x, y, w, h, qr):
    frame(draw, x, y, w, h, (222, 225, 230), (255, 255, 255))
    draw.rounded_rectangle([x + 110, y + 6, x + 470, y + 40], 8, fill=(255, 255, 255))
    write(draw, (x + 126, y + 10), "MFA デバイスを割り当て | IAM", 17)
    draw.rectangle([x, y + 41, x + w, y + 86], fill=(245, 246, 248))
    draw.rounded_rectangle([x + 110, y + 47, x + w - 200, y + 80], 16, fill=(228, 231, 236))
    write(draw, (x + 130, y + 50), "https://console.example.test/iam/home#/users/details/alice/assign-mfa-device", 17, (70, 74, 82))
    draw.rectangle([x, y + 87, x + w, y + 137], fill=(35, 47, 62))
    write(draw, (x + 30, y + 97), "IAM  |  サービス   ユーザー   ロール   ポリシー", 20, (236, 240, 244))
    write(draw, (x + w - 330, y + 97), "alice @ 1234-5678-9012 ▾", 20, (236, 240, 244), SANS)
    write(draw, (x + 60, y + 170), "Set up device", 34, face=BOLD)
    write(draw, (x + 60, y + 222), "仮想 MFA デバイスのセットアップ", 22, (70, 74, 82))
    draw.rounded_rectangle([x + 60, y + 280, x + w - 60, y + 1090], 14, fill=(255, 255, 255), outline=(190, 196, 204), width=2)
    write(draw, (x + 90, y + 304), "Authenticator app", 24, face=BOLD)
    write(draw, (x + 90, y + 344), "A virtual MFA device is an application running on your device that you can configure by scanning a QR code.", 18, (70, 74, 82))
    steps = ["Install a compatible application such as vmfa on your mobile device or computer.",
             "Open your virtual MFA app, choose Show QR code on this page, then use the app to scan the code.",
             "Type two consecutive MFA codes below. 連続する 2 つの MFA コードを入力してください。"]
    for index, (step, top) in enumerate(zip(steps, [410, 480, 850])):
        draw.ellipse([x + 90, y + top, x + 126, y + top + 36], outline=(120, 126, 136), width=2)
        write(draw, (x + 108, y + top + 18), str(index + 1), 20, face=SANS, anchor="mm")
        write(draw, (x + 150, y + top + 3), step, 20)
    picture.paste(qr, (x + 150, y + 540))
    write(draw, (x + 150 + qr.width + 30, y + 640), "Alternatively, you can type the secret key.", 18, (70, 74, 82))
    write(draw, (x + 150 + qr.width + 30, y + 670), "Show secret key", 18, (0, 103, 184), BOLD)
    for index in range(2):
        top = y + 905 + 80 * index
        write(draw, (x + 150, top), f"MFA code {index + 1}", 18)
        draw.rounded_rectangle([x + 150, top + 28, x + 460, top + 64], 6, outline=(140, 146, 156), width=2)
    draw.rounded_rectangle([x + w - 420, y + 1130, x + w - 300, y + 1176], 22, outline=(35, 47, 62), width=2)
    write(draw, (x + w - 360, y + 1153), "Cancel", 20, face=BOLD, anchor="mm")
    draw.rounded_rectangle([x + w - 270, y + 1130, x + w - 60, y + 1176], 22, fill=(255, 153, 0))
    write(draw, (x + w - 165, y + 1153), "Add MFA", 20, face=BOLD, anchor="mm")


def photo(screen: Image.Image) -> Image.Image:
    """A hand-held photograph of part of that screen: sub-pixel moire, perspective, uneven light, defocus, noise, JPEG."""
    width, height = 1920, 1440
    part = screen.crop((640, 480, 1740, 1240)).resize((1900, 1313), Image.BICUBIC)
    light = np.asarray(part).astype(np.float32)
    down, across = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float32)
    for channel in range(3):
        light[..., channel] *= 0.86 + 0.14 * np.sin(2 * math.pi * (across / 2.7 + channel / 3))
    light *= (0.94 + 0.06 * np.sin(2 * math.pi * (across * 0.8 + down * 0.5) / 37))[..., None]
    shown = Image.fromarray(np.clip(light * 1.1, 0, 255).astype(np.uint8))
    corners = [(150, 90), (1790, 210), (1700, 1330), (60, 1190)]
    warp = homography(corners, [(0, 0), (part.width, 0), (part.width, part.height), (0, part.height)])
    seen = np.asarray(shown.transform((width, height), Image.PERSPECTIVE, warp, Image.BICUBIC, fillcolor=(0, 0, 0))).astype(np.float32)
    bezel = Image.new("L", (width, height), 0)
    ImageDraw.Draw(bezel).polygon(corners, fill=255)
    room = np.array([52, 46, 40]) + NOISE.normal(0, 3, (height, width, 1))
    mask = np.asarray(bezel)[..., None] / 255
    lamp = np.asarray(Image.fromarray(NOISE.uniform(120, 255, (3, 3)).astype(np.uint8)).resize((width, height), Image.BICUBIC)) / 255
    mixed = (seen * mask + room * (1 - mask)) * lamp[..., None]
    blurred = Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.1))
    grainy = np.asarray(blurred).astype(np.float32) + NOISE.normal(0, 5, (height, width, 3))
    return Image.fromarray(np.clip(grainy, 0, 255).astype(np.uint8))


def homography(seen, flat):
    """The eight numbers Pillow wants: from a point of the photograph to a point of the screen."""
    rows, right = [], []
    for (x, y), (u, v) in zip(seen, flat):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.linalg.solve(np.array(rows, float), np.array(right, float)).tolist()


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    both = Image.new("RGB", (left.width + right.width + 60, max(left.height, right.height) + 40), (244, 245, 247))
    both.paste(left, (20, 20))
    both.paste(right, (left.width + 40, 20))
    return both


def save(name: str, picture: Image.Image, **options):
    held = io.BytesIO()
    picture.save(held, name.rsplit(".", 1)[1].replace("jpg", "jpeg"), **options)
    (FOLDER / name).write_bytes(held.getvalue())
    print(f"{name:18} {picture.width:4} x {picture.height:4} {len(held.getvalue()) / 1000:6.1f} kB")


def main():
    alice = aws_uri("alice", "123456789012")
    root = aws_uri("root-account-mfa-device", "example-corp")
    accounts = [
        {"type": "totp", "issuer": "Amazon Web Services", "name": "Amazon Web Services:alice@123456789012", "secret": base64.b32encode(secret("alice@123456789012", 40)).decode()},
        {"type": "totp", "issuer": "GitHub", "name": "GitHub:alice", "secret": base64.b32encode(secret("GitHub:alice", 20)).decode()},
        {"type": "hotp", "issuer": "Example VPN", "name": "Example VPN:アリス", "secret": base64.b32encode(secret("Example VPN", 20)).decode(), "counter": 7},
    ]
    migration = migration_uri(accounts)
    screen = desktop(code(alice, "M", 5))
    save("clean.png", code(alice, "M", 5), optimize=True)
    save("desktop.png", screen, optimize=True)
    save("photo.jpg", photo(screen), quality=78)
    save("two-accounts.png", beside(code(alice, "M", 4), code(root, "M", 4)), optimize=True)
    save("migration.png", code(migration, "L", 5), optimize=True)
    save("no-code.png", desktop(Image.new("RGB", (285, 285), (240, 241, 243))), optimize=True)
    expected = [
        {"file": "clean.png", "uris": [alice]},
        {"file": "desktop.png", "uris": [alice]},
        {"file": "photo.jpg", "uris": [alice]},
        {"file": "two-accounts.png", "uris": [alice, root]},
        {"file": "migration.png", "uris": [migration], "accounts": accounts},
        {"file": "no-code.png", "uris": []},
    ]
    (FOLDER / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


main()
