#!/usr/bin/env python3
"""Makes a corpus of pictures with QR codes of authenticators in them, the same for the same seed.

    python3 tests/qr/make_corpus.py FOLDER SEED [PER_CLASS]

Writes the pictures and `manifest.tsv`: file, class, the expected texts as a JSON list, and how the picture was made as a JSON object.
Needs PyPI's segno, Pillow, numpy and opencv-contrib-python-headless, and Debian's fonts-dejavu-core and fonts-noto-cjk. All secrets
are drawn from the seed and protect nothing.

Each class draws from a stream of its own, so that one can be changed without moving the others.
"""

import base64
import io
import json
import math
import os
import random
import sys
import urllib.parse

import cv2
import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FOLDER, SEED = sys.argv[1], int(sys.argv[2])
PER_CLASS = int(sys.argv[3]) if len(sys.argv) > 3 else 18
os.makedirs(FOLDER, exist_ok=True)
DICE = random.Random(SEED)
GRAIN = np.random.default_rng(SEED)
FONTS = "/usr/share/fonts/"
SANS = FONTS + "truetype/dejavu/DejaVuSans.ttf"
BOLD = FONTS + "truetype/dejavu/DejaVuSans-Bold.ttf"
MONO = FONTS + "truetype/dejavu/DejaVuSansMono.ttf"
CJK = FONTS + "opentype/noto/NotoSansCJK-Regular.ttc"
_fonts = {}


def font(p, s):
    if (p, s) not in _fonts:
        _fonts[(p, s)] = ImageFont.truetype(p, s)
    return _fonts[(p, s)]


# ---------------------------------------------------------------- payloads
USERS = ["alice", "bob.tanaka", "k-suzuki", "ops-admin", "root-account-mfa-device", "deploy.bot", "yamada_taro", "sre+oncall"]
ALIASES = ["acme-prod", "example-corp-staging", "123456789012", "contoso-dev", "my-sandbox-account", "kaisha-honban"]
JAPANESE = ["株式会社サンプル:山田太郎", "開発環境:admin", "本番アカウント（東京）:佐藤花子@例", "テスト会社:鈴木"]
ISSUERS = ["GitHub", "Google", "Slack", "Dropbox", "Example GmbH", "Microsoft", "会社ＶＰＮ", "Amazon Web Services"]


def base32_text(n):
    return "".join(DICE.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(n))


def random_bytes(n):
    return bytes(DICE.randrange(256) for _ in range(n))


def aws_uri():
    u, a = DICE.choice(USERS), DICE.choice(ALIASES)
    if DICE.random() < 0.7:
        return f"otpauth://totp/Amazon%20Web%20Services:{u}@{a}?secret={base32_text(64)}&issuer=Amazon%20Web%20Services"
    return f"otpauth://totp/{u}@{a}?secret={base32_text(64)}"


def japanese_uri():
    l = urllib.parse.quote(DICE.choice(JAPANESE), safe=":")
    return f'otpauth://totp/{l}?secret={base32_text(DICE.choice([16,32,64]))}&issuer={urllib.parse.quote(DICE.choice(["株式会社サンプル","開発環境"]))}&algorithm=SHA1&digits=6&period=30'


def raw_japanese_uri():
    return f"otpauth://totp/{DICE.choice(JAPANESE)}?secret={base32_text(32)}&issuer=株式会社サンプル"


def varint(n):
    o = b""
    while True:
        b = n & 127
        n >>= 7
        if n:
            o += bytes([b | 128])
        else:
            return o + bytes([b])


def field(i, w, v):
    return varint(i << 3 | w) + (varint(len(v)) + v if w == 2 else varint(v))


def migration_uri(n, slen=None, part=None):
    m = b""
    for _ in range(n):
        iss = DICE.choice(ISSUERS)
        nm = f"{iss}:{DICE.choice(USERS)}@{DICE.choice(ALIASES)}"
        e = (
            field(1, 2, random_bytes(slen or DICE.choice([10, 20, 40])))
            + field(2, 2, nm.encode())
            + field(3, 2, iss.encode())
            + field(4, 0, 1)
            + field(5, 0, 1)
            + field(6, 0, 2)
        )
        m += field(1, 2, e)
    size, idx = part or (1, 0)
    m += field(2, 0, 1) + field(3, 0, size) + field(4, 0, idx) + field(5, 0, DICE.randrange(2**31))
    return "otpauth-migration://offline?data=" + urllib.parse.quote(base64.b64encode(m).decode(), safe="")


def payload(kind=None):
    kind = kind or DICE.choices(["aws", "jp", "mig"], [60, 15, 25])[0]
    if kind == "aws":
        return aws_uri(), DICE.choice("LMMQ"), kind
    if kind == "jp":
        return japanese_uri(), DICE.choice("LMQ"), kind
    if kind == "mig":
        return migration_uri(DICE.choice([2, 3, 4, 6])), DICE.choice("LLM"), kind
    if kind == "migbig":
        return migration_uri(DICE.choice([8, 10, 10, 10]), 40), "L", kind


def matrix(text, ecc, ver=None):
    q = segno.make(text, error=ecc, boost_error=False, micro=False, mode="byte", encoding="utf-8", version=ver)
    return np.array([[1 if c else 0 for c in r] for r in q.matrix], np.uint8), q.version


def render(m, px, quiet=4, fg=(0, 0, 0), bg=(255, 255, 255)):
    a = np.pad(m, quiet)
    a = np.kron(a, np.ones((px, px), np.uint8))
    img = np.where(a[..., None] == 1, np.array(fg, np.uint8), np.array(bg, np.uint8)).astype(np.uint8)
    return Image.fromarray(img, "RGB")


def make_code(kind=None, px=None, quiet=4, **k):
    t, e, kd = payload(kind)
    m, v = matrix(t, e)
    im = render(m, px or DICE.choice([3, 4, 5, 6]), quiet, **k)
    return im, [t], dict(kind=kd, ver=v, ecc=e)


# ---------------------------------------------------------------- scenery
WORDS = "the account device virtual authenticator security credentials console sign in policy session region Tokyo 多要素 認証 デバイス 仮想 コード を 入力 show QR code cancel assign MFA manage users groups roles storage compute network billing 2026 error warning 0x7f3a fn main let mut Result<()> -> 123456 kubectl get pods -n prod".split()


def line_of_text(n):
    return " ".join(DICE.choice(WORDS) for _ in range(n))


def window(d, x, y, w, h, dark, mono=False):
    bg = (30, 30, 34) if dark else (DICE.randrange(235, 256),) * 3
    fg = (210, 210, 210) if dark else (35, 35, 40)
    bar = (55, 55, 60) if dark else (215, 218, 222)
    d.rectangle([x, y, x + w, y + h], fill=bg, outline=(120, 120, 120))
    d.rectangle([x, y, x + w, y + 34], fill=bar)
    for i, c in enumerate([(255, 95, 86), (255, 189, 46), (39, 201, 63)]):
        d.ellipse([x + 12 + 22 * i, y + 10, x + 26 + 22 * i, y + 24], fill=c)
    d.text((x + 90, y + 8), line_of_text(4), font=font(CJK, 15), fill=fg)
    s = DICE.choice([12, 13, 14, 16])
    yy = y + 46
    while yy < y + h - s - 6:
        if DICE.random() < 0.86:
            f = font(MONO, s) if mono else font(CJK, s)
            t = line_of_text(DICE.randrange(2, 16))
            while f.getlength(t) > w - 30 and len(t) > 4:
                t = t[: int(len(t) * 0.8)]
            d.text(
                (x + 14, yy),
                t,
                font=f,
                fill=fg if DICE.random() < 0.8 else (DICE.randrange(256), DICE.randrange(256), DICE.randrange(256)),
            )
        elif DICE.random() < 0.5:
            d.rounded_rectangle(
                [x + 14, yy, x + 14 + DICE.randrange(60, 160), yy + s + 6],
                5,
                fill=(DICE.randrange(256), DICE.randrange(256), DICE.randrange(256)),
            )
        yy += s + DICE.choice([5, 7, 9])


def wallpaper(w, h):
    k = DICE.random()
    if k < 0.4:
        a = GRAIN.uniform(0, 255, (2, 3))
        t = np.linspace(0, 1, w)[None, :, None] * 0.6 + np.linspace(0, 1, h)[:, None, None] * 0.4
        return Image.fromarray((a[0] * (1 - t) + a[1] * t).astype(np.uint8), "RGB")
    g = GRAIN.uniform(0, 255, (DICE.randrange(4, 14), DICE.randrange(4, 14), 3)).astype(np.uint8)
    b = cv2.resize(g, (w, h), interpolation=cv2.INTER_CUBIC)
    if k > 0.7:
        b = np.clip(b.astype(np.int16) + GRAIN.normal(0, 8, (h, w, 1)), 0, 255).astype(np.uint8)
    return Image.fromarray(b, "RGB")


def desktop(w=2560, h=1440, dark=False, nwin=5):
    im = wallpaper(w, h)
    d = ImageDraw.Draw(im)
    for _ in range(nwin):
        ww, hh = DICE.randrange(w // 5, w // 2), DICE.randrange(h // 4, int(h / 1.6))
        window(
            d,
            DICE.randrange(-50, w - ww // 2),
            DICE.randrange(20, h - hh // 2),
            ww,
            hh,
            dark or DICE.random() < 0.3,
            DICE.random() < 0.4,
        )
    d.rectangle([0, h - 44, w, h], fill=(28, 28, 32) if dark else (235, 235, 238))
    for i in range(16):
        d.rounded_rectangle(
            [20 + 48 * i, h - 39, 54 + 48 * i, h - 6], 6, fill=(DICE.randrange(256), DICE.randrange(256), DICE.randrange(256))
        )
    return im


def on_desktop(q, w=2560, h=1440, dark=False, panel=True, pcol=None):
    im = desktop(w, h, dark)
    d = ImageDraw.Draw(im)
    pw, ph = q.width + DICE.randrange(60, 300), q.height + DICE.randrange(90, 260)
    pw, ph = min(pw, w - 20), min(ph, h - 60)
    x, y = DICE.randrange(10, w - pw - 5), DICE.randrange(10, h - ph - 46)
    if panel:
        col = pcol or ((32, 33, 36) if dark else (255, 255, 255))
        d.rectangle([x, y, x + pw, y + ph], fill=col, outline=(150, 150, 150))
        tc = (230, 230, 230) if sum(col) < 380 else (20, 20, 20)
        d.text((x + 16, y + 10), "Set up virtual MFA device", font=font(BOLD, 20), fill=tc)
        d.text((x + 16, y + 40), "仮想 MFA デバイスの設定  " + line_of_text(4), font=font(CJK, 14), fill=tc)
    qx, qy = x + (pw - q.width) // 2, y + 70 + max(0, (ph - 80 - q.height) // 3)
    qy = min(qy, h - q.height - 50)
    im.paste(q, (qx, qy))
    return im


def sized(q, side, resample=Image.BICUBIC):
    return q.resize((side, side), resample)


def photo_bg(w, h):
    g = GRAIN.uniform(20, 235, (DICE.randrange(5, 30), DICE.randrange(5, 30), 3)).astype(np.uint8)
    b = cv2.resize(g, (w, h), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    n = cv2.resize(GRAIN.normal(0, 14, (h // 2, w // 2)).astype(np.float32), (w, h))
    b += n[..., None]
    im = Image.fromarray(np.clip(b, 0, 255).astype(np.uint8), "RGB")
    d = ImageDraw.Draw(im)
    for _ in range(DICE.randrange(10, 40)):
        x, y = DICE.randrange(w), DICE.randrange(h)
        c = tuple(DICE.randrange(256) for _ in range(3))
        if DICE.random() < 0.5:
            d.text((x, y), line_of_text(4), font=font(CJK, DICE.randrange(14, 60)), fill=c)
        else:
            d.rectangle([x, y, x + DICE.randrange(10, 300), y + DICE.randrange(5, 200)], outline=c, width=DICE.randrange(1, 6))
    return im


def blur(im, s):
    return im.filter(ImageFilter.GaussianBlur(s))


def noise(im, s):
    a = np.asarray(im).astype(np.float32)
    return Image.fromarray(np.clip(a + GRAIN.normal(0, s, a.shape), 0, 255).astype(np.uint8))


def salt_and_pepper(im, p):
    a = np.asarray(im).copy()
    r = GRAIN.random(a.shape[:2])
    a[r < p / 2] = 0
    a[r > 1 - p / 2] = 255
    return Image.fromarray(a)


def as_jpeg(im, q):
    b = io.BytesIO()
    im.convert("RGB").save(b, "JPEG", quality=q)
    b.seek(0)
    return Image.open(b).convert("RGB")


def rotated_by(im, deg, bg=(255, 255, 255)):
    return im.rotate(deg, Image.BICUBIC, expand=True, fillcolor=bg)


def in_perspective(im, bg, s=0.25, W=None, H=None, frac=None, tilt=True):
    """paste im onto bg under a random homography; frac = qr side / min(W,H)"""
    W, H = bg.size
    w, h = im.size
    side = frac * min(W, H)
    ang = DICE.uniform(-0.6, 0.6) if tilt else 0
    pts = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * side
    pts[:, 1] *= h / w
    pts += GRAIN.uniform(-s / 2, s / 2, (4, 2)) * side
    c, sn = math.cos(ang), math.sin(ang)
    pts = pts @ np.array([[c, sn], [-sn, c]])
    m = side * 0.85
    cx = DICE.uniform(min(m, W / 2), max(W - m, W / 2))
    cy = DICE.uniform(min(m, H / 2), max(H - m, H / 2))
    pts += [cx, cy]
    M = cv2.getPerspectiveTransform(np.float32([[0, 0], [w, 0], [w, h], [0, h]]), np.float32(pts))
    src = np.asarray(im.convert("RGB"))
    sc = side / w
    if sc < 0.7:
        src = cv2.GaussianBlur(src, (0, 0), 0.4 / sc)
    out = cv2.warpPerspective(src, M, (W, H), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full((h, w), 255, np.uint8), M, (W, H), flags=cv2.INTER_LINEAR)[..., None] / 255.0
    return Image.fromarray((out * mask + np.asarray(bg) * (1 - mask)).astype(np.uint8))


def uneven_light(im, lo=0.35, hi=1.15):
    a = np.asarray(im).astype(np.float32)
    h, w = a.shape[:2]
    g = cv2.resize(GRAIN.uniform(lo, hi, (3, 3)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    return Image.fromarray(np.clip(a * g[..., None], 0, 255).astype(np.uint8))


def moire(im, strength=0.25):
    a = np.asarray(im).astype(np.float32)
    h, w = a.shape[:2]
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    p = DICE.uniform(2.1, 3.6)
    th = DICE.uniform(-0.08, 0.08)
    u = xx * math.cos(th) + yy * math.sin(th)
    v = -xx * math.sin(th) + yy * math.cos(th)
    # sub-pixel stripes (RGB phase-shifted) x scan lines, then beat
    for c in range(3):
        a[..., c] *= 1 - strength + strength * np.sin(2 * np.pi * (u / p + c / 3))
    a *= (1 - strength * 0.6 + strength * 0.6 * np.sin(2 * np.pi * v / (p * 1.03)))[..., None]
    q = DICE.uniform(14, 60)
    a *= (1 + 0.12 * np.sin(2 * np.pi * (u * 0.8 + v * 0.5) / q))[..., None]
    return Image.fromarray(np.clip(a * 1.15, 0, 255).astype(np.uint8))


def glare(im):
    a = np.asarray(im).astype(np.float32)
    h, w = a.shape[:2]
    yy, xx = np.mgrid[0:h, 0:w]
    cx, cy, r = DICE.uniform(0.2, 0.8) * w, DICE.uniform(0.2, 0.8) * h, DICE.uniform(0.12, 0.28) * min(w, h)
    g = np.exp(-(((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * r * r)))
    a = a + 190 * g[..., None]
    return Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))


def motion(im, L):
    k = np.zeros((L * 2 + 1, L * 2 + 1), np.float32)
    a = DICE.uniform(0, math.pi)
    cv2.line(
        k,
        (int(L - L / 2 * math.cos(a)), int(L - L / 2 * math.sin(a))),
        (int(L + L / 2 * math.cos(a)), int(L + L / 2 * math.sin(a))),
        1,
    )
    k /= k.sum()
    return Image.fromarray(cv2.filter2D(np.asarray(im), -1, k, borderType=cv2.BORDER_REPLICATE))


def padded(im, p, c=(255, 255, 255)):
    o = Image.new("RGB", (im.width + 2 * p, im.height + 2 * p), c)
    o.paste(im, (p, p))
    return o


rows = []


def save(cls, i, im, texts, info, ext="png", **kw):
    fn = f"{cls}-{i:03d}.{ext}"
    im.save(os.path.join(FOLDER, fn), **kw)
    rows.append((fn, cls, texts, info))


def make_class(fn):
    global DICE, GRAIN
    name = fn.__name__.replace("_", "-")
    h = sum(ord(c) * 131**k for k, c in enumerate(name)) % (2**31)  # each class has its own stream
    DICE = random.Random(SEED * 1000003 + h)
    GRAIN = np.random.default_rng(SEED * 1000003 + h)
    n0 = len(rows)
    fn(name)
    print(f"{name:18s} {len(rows)-n0}", flush=True)


def clean(n):
    for i in range(PER_CLASS):
        px = [1, 2, 3, 4, 6, 8][i % 6]
        im, t, f = make_code(px=px)
        f["px"] = px
        save(n, i, im, t, f)


def utf8_raw(n):
    for i in range(PER_CLASS):
        t = raw_japanese_uri()
        k = i % 3
        if k == 0:
            q = segno.make(t, error="m", micro=False, mode="byte", encoding="utf-8", eci=False)
        elif k == 1:
            q = segno.make(t, error="m", micro=False, mode="byte", encoding="utf-8", eci=True)
        else:
            q = segno.make(t, error="m", micro=False, mode="byte", encoding="shift_jis")
        m = np.array([[1 if c else 0 for c in r] for r in q.matrix], np.uint8)
        save(n, i, render(m, 5), [t], dict(enc=["utf8", "utf8-eci", "sjis"][k]))


def desktop_light(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=8)
        s = DICE.randrange(200, 401)
        q = sized(q, s)
        f["side"] = s
        save(n, i, on_desktop(q), t, f)


def desktop_dark(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=8, quiet=DICE.choice([1, 2, 4]))
        q = sized(q, DICE.randrange(200, 401))
        save(n, i, on_desktop(q, dark=True), t, f)


def desktop_inverted(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=8, fg=(235, 235, 235), bg=(32, 33, 36))
        q = sized(q, DICE.randrange(220, 401))
        save(n, i, on_desktop(q, dark=True), t, f)


def desktop_4k_hidpi(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=8)
        q = sized(q, DICE.randrange(300, 800))
        save(n, i, on_desktop(q, 3840, 2160), t, f)


def inverted(n):
    for i in range(PER_CLASS):
        fg, bg = DICE.choice(
            [
                ((255,) * 3, (0,) * 3),
                ((220, 220, 220), (40, 42, 54)),
                ((131, 148, 150), (0, 43, 54)),
                ((248, 248, 242), (39, 40, 34)),
            ]
        )
        im, t, f = make_code(fg=fg, bg=bg, quiet=DICE.choice([1, 2, 4]))
        save(n, i, im, t, f)


def low_contrast(n):
    for i in range(PER_CLASS):
        b = DICE.randrange(90, 220)
        d = DICE.choice([12, 20, 30, 45])
        im, t, f = make_code(fg=(b - d,) * 3, bg=(b,) * 3)
        f["delta"] = d
        save(n, i, padded(im, 40, (b,) * 3) if i % 2 else padded(im, 60, (255, 255, 255)), t, f)


def frac_scale(n):
    rs = [Image.NEAREST, Image.BILINEAR, Image.BICUBIC, Image.LANCZOS]
    for i in range(PER_CLASS):
        px = DICE.choice([2, 3, 4])
        im, t, f = make_code(px=px)
        s = DICE.choice([0.5, 0.66, 0.75, 0.8, 1.1, 1.25, 1.33, 1.5, 1.75])
        if px * s < 1.4:
            s = 1.25
        f["px"] = px * s
        im = im.resize((round(im.width * s), round(im.height * s)), DICE.choice(rs))
        save(n, i, im, t, f)


def tiny(n):
    for i in range(PER_CLASS):
        im, t, f = make_code(px=8)
        s = DICE.choice([1.0, 1.2, 1.4, 1.5, 1.6, 1.8]) / 8
        f["px"] = s * 8
        save(
            n,
            i,
            padded(
                im.resize((round(im.width * s), round(im.height * s)), DICE.choice([Image.BILINEAR, Image.BICUBIC, Image.BOX])),
                30,
            ),
            t,
            f,
        )


def jpeg_q30(n):
    for i in range(PER_CLASS):
        im, t, f = make_code(px=DICE.choice([2, 3, 4]))
        q = DICE.choice([10, 20, 30, 30])
        f["q"] = q
        save(n, i, padded(im, 20), t, f, "jpg", quality=q)


def blurred(n):
    for i in range(PER_CLASS):
        px = DICE.choice([3, 4, 5])
        im, t, f = make_code(px=px)
        s = DICE.uniform(1, 2.5)
        f.update(px=px, sigma=round(s, 2))
        save(n, i, blur(padded(im, 20), s), t, f)


def motion_blur(n):
    for i in range(PER_CLASS):
        px = DICE.choice([5, 6, 8])
        im, t, f = make_code(px=px)
        L = DICE.randrange(4, int(px * 1.5))
        f.update(px=px, L=L)
        save(n, i, motion(padded(im, 20), L), t, f)


def noisy(n):
    for i in range(PER_CLASS):
        im, t, f = make_code(px=DICE.choice([3, 4, 5]))
        im = padded(im, 20)
        im = noise(im, DICE.uniform(25, 90)) if i % 2 else salt_and_pepper(im, DICE.uniform(0.03, 0.2))
        save(n, i, im, t, f)


def rotated(n):
    for i in range(PER_CLASS):
        im, t, f = make_code()
        a = (i * 360 / PER_CLASS + DICE.uniform(0, 20)) % 360
        f["deg"] = round(a, 1)
        save(n, i, rotated_by(im, a, DICE.choice([(255,) * 3, (128,) * 3, (20, 20, 20)])), t, f)


def mirrored(n):
    for i in range(PER_CLASS):
        im, t, f = make_code()
        im = im.transpose(Image.FLIP_LEFT_RIGHT)
        save(n, i, rotated_by(im, DICE.uniform(0, 360)) if i % 2 else im, t, f)


def perspective(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=10)
        save(n, i, in_perspective(q, photo_bg(1280, 960), DICE.uniform(0.1, 0.5), frac=DICE.uniform(0.35, 0.65)), t, f)


def photo_screen(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=10)
        d = on_desktop(sized(q, 560), 1400, 1000, dark=DICE.random() < 0.3)
        im = in_perspective(
            moire(d, DICE.uniform(0.05, 0.3)), photo_bg(1920, 1440), DICE.uniform(0.05, 0.2), frac=DICE.uniform(0.95, 1.05)
        )
        im = uneven_light(im, 0.5, 1.15)
        im = as_jpeg(noise(blur(im, DICE.uniform(0.3, 1.1)), DICE.uniform(3, 12)), DICE.choice([60, 75, 85]))
        save(n, i, im, t, f, "jpg", quality=85)


def photo_4k(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=12)
        im = in_perspective(q, photo_bg(3840, 2160), DICE.uniform(0.05, 0.35), frac=DICE.uniform(0.22, 0.7))
        im = uneven_light(im, 0.45, 1.15)
        im = noise(blur(im, DICE.uniform(0.5, 1.8)), DICE.uniform(3, 12))
        save(n, i, im, t, f, "jpg", quality=80)


def photo_glare(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=10)
        im = in_perspective(q, photo_bg(1600, 1200), 0.2, frac=DICE.uniform(0.4, 0.7))
        save(n, i, as_jpeg(glare(uneven_light(im, 0.35, 1.0)), 75), t, f, "jpg", quality=85)


def photo_shadow(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=10)
        im = in_perspective(q, photo_bg(1600, 1200), 0.15, frac=DICE.uniform(0.4, 0.7))
        a = np.asarray(im).astype(np.float32)
        h, w = a.shape[:2]
        m = Image.new("L", (w, h), 255)
        d = ImageDraw.Draw(m)
        d.polygon([(DICE.uniform(0, w), DICE.uniform(0, h)) for _ in range(4)], fill=DICE.randrange(40, 110))
        g = np.asarray(blur(m, 6)).astype(np.float32) / 255
        save(n, i, as_jpeg(Image.fromarray((a * g[..., None]).astype(np.uint8)), 80), t, f, "jpg", quality=85)


def quiet_0_2(n):
    for i in range(PER_CLASS):
        z = i % 3
        im, t, f = make_code(quiet=z)
        f["quiet"] = z
        c = DICE.choice([(0, 0, 0), (60, 60, 70), (255, 255, 255), None, (255, 120, 0), (24, 26, 27)])
        save(n, i, padded(im, DICE.choice([12, 40]), c) if c else im, t, f)


def logo(n):
    for i in range(PER_CLASS):
        t, e, k = payload(DICE.choice(["aws", "aws", "jp"]))
        e = DICE.choice("QH")
        m, v = matrix(t, e)
        px = DICE.choice([4, 5, 6])
        im = render(m, px)
        d = ImageDraw.Draw(im)
        s = im.width
        r = s * DICE.uniform(0.07, 0.12 if e == "H" else 0.095)
        d.rounded_rectangle([s / 2 - r - 3, s / 2 - r - 3, s / 2 + r + 3, s / 2 + r + 3], 4, fill=(255, 255, 255))
        d.rounded_rectangle(
            [s / 2 - r, s / 2 - r, s / 2 + r, s / 2 + r], 4, fill=DICE.choice([(255, 153, 0), (35, 47, 62), (66, 133, 244)])
        )
        d.text((s / 2 - r * 0.7, s / 2 - r * 0.5), "aws", font=font(BOLD, max(8, int(r * 0.8))), fill=(255, 255, 255))
        save(n, i, im, [t], dict(kind=k, ver=v, ecc=e))


def styled(n):
    for i in range(PER_CLASS):
        t, e, k = payload(DICE.choice(["aws", "aws", "jp", "mig"]))
        m, v = matrix(t, e)
        px = 10
        N = m.shape[0]
        S = (N + 8) * px
        im = Image.new("RGB", (S, S), (255, 255, 255))
        d = ImageDraw.Draw(im)
        fg = DICE.choice([(0, 0, 0), (20, 40, 120), (120, 20, 60)])
        rr = DICE.uniform(0.36, 0.5) * px
        for y in range(N):
            for x in range(N):
                if not m[y, x]:
                    continue
                cx, cy = (x + 4.5) * px, (y + 4.5) * px
                fin = (x < 7 and y < 7) or (x > N - 8 and y < 7) or (x < 7 and y > N - 8)
                if fin and i % 2:
                    d.rectangle([cx - px / 2, cy - px / 2, cx + px / 2 - 1, cy + px / 2 - 1], fill=fg)
                else:
                    d.ellipse([cx - rr, cy - rr, cx + rr, cy + rr], fill=fg)
        im = im.resize((int(S * DICE.uniform(0.4, 0.8)),) * 2, Image.LANCZOS)
        save(n, i, im, [t], dict(kind=k, ver=v, ecc=e, squarefinder=bool(i % 2)))


def coloured(n):
    C = [
        ((200, 0, 0), (255, 255, 255)),
        ((0, 0, 160), (255, 255, 0)),
        ((255, 140, 0), (255, 255, 255)),
        ((0, 120, 60), (230, 255, 230)),
        ((35, 47, 62), (255, 153, 0)),
        ((90, 0, 140), (210, 200, 255)),
        ((220, 30, 30), (40, 200, 60)),
        ((30, 60, 255), (255, 60, 30)),
    ]
    for i in range(PER_CLASS):
        fg, bg = C[i % len(C)]
        im, t, f = make_code(fg=fg, bg=bg)
        f["fg"] = fg
        f["bg"] = bg
        save(n, i, im, t, f)


def gradient(n):
    for i in range(PER_CLASS):
        im, t, f = make_code(px=6)
        save(n, i, uneven_light(padded(im, 30), 0.12, 1.0), t, f)


def multi_2_4(n):
    for i in range(PER_CLASS):
        k = DICE.choice([2, 2, 3, 4])
        ims = []
        ts = []
        for j in range(k):
            q, t, _ = make_code(px=DICE.choice([3, 4, 5]))
            ims.append(q)
            ts += t
        gap = DICE.choice([0, 8, 30])
        per = 2
        W = max(sum(q.width + gap for q in ims[a : a + per]) for a in range(0, k, per)) + 40
        H = sum(max(q.height for q in ims[a : a + per]) + gap for a in range(0, k, per)) + 40
        im = Image.new("RGB", (W, H), (255, 255, 255))
        y = 20
        for a in range(0, k, per):
            x = 20
            for q in ims[a : a + per]:
                im.paste(q, (x, y))
                x += q.width + gap
            y += max(q.height for q in ims[a : a + per]) + gap
        save(n, i, im, ts, dict(n=k))


def multi_migration_desktop(n):
    for i in range(PER_CLASS):
        k = 2
        ts = [migration_uri(DICE.choice([4, 6, 10]), DICE.choice([20, 40]), (k, j)) for j in range(k)]
        im = desktop(2560, 1440)
        x = DICE.randrange(40, 200)
        for t in ts:
            m, v = matrix(t, "L")
            q = render(m, 8)
            q = sized(q, DICE.randrange(500, 760))
            im.paste(q, (x, DICE.randrange(20, 1440 - q.height - 60)))
            x += q.width + DICE.randrange(20, 300)
        save(n, i, im, ts, dict(n=k))


def dense_migration(n):
    for i in range(PER_CLASS):
        t = migration_uri([6, 8, 10, 10, 12, 14][i % 6], 40)
        m, v = matrix(t, "L" if i % 3 else "M")
        s = DICE.choice([2, 2.4, 3, 3.5, 4, 5])
        q = render(m, 8)
        side = round((m.shape[0] + 8) * s)
        q = sized(q, side, DICE.choice([Image.BICUBIC, Image.BILINEAR]))
        save(n, i, padded(q, 20), [t], dict(ver=v, px=s))


def dense_migration_photo(n):
    for i in range(PER_CLASS):
        t = migration_uri([4, 6, 8, 10, 10, 12][i % 6], 40)
        m, v = matrix(t, "L")
        q = render(m, 8)
        im = in_perspective(q, photo_bg(1920, 1440), DICE.uniform(0.03, 0.16), frac=DICE.uniform(0.55, 0.8))
        im = uneven_light(im, 0.5, 1.1)
        im = noise(blur(im, DICE.uniform(0.3, 1.0)), DICE.uniform(2, 8))
        save(n, i, im, [t], dict(ver=v), "jpg", quality=85)


def version_40(n):
    for i in range(max(6, PER_CLASS // 3)):
        v = [30, 34, 36, 38, 40, 40][i % 6]
        k = 8
        last = None
        while True:
            t = migration_uri(k, 40)
            try:
                m, v2 = matrix(t, "L", v)
            except Exception:
                if last:
                    break
                k -= 1
                continue
            last = (t, m, v2)
            k += 1
        t, m, v2 = last
        save(n, i, render(m, DICE.choice([2, 3, 4])), [t], dict(ver=v2))


def occluded(n):
    for i in range(PER_CLASS):
        t, e, k = payload(DICE.choice(["aws", "jp"]))
        e = DICE.choice("MQ")
        m, v = matrix(t, e)
        px = 5
        im = render(m, px)
        d = ImageDraw.Draw(im)
        S = im.width
        w = S * DICE.uniform(0.12, 0.24)
        h = S * DICE.uniform(0.1, 0.17)
        x = DICE.uniform(S * 0.45, S - w)
        y = DICE.uniform(S * 0.45, S - h)
        if e == "M":
            w *= 0.7
            h *= 0.7
        d.rectangle([x, y, x + w, y + h], fill=DICE.choice([(255, 255, 255), (30, 30, 30), (0, 120, 215)]))
        save(n, i, im, [t], dict(ecc=e, ver=v))


def alpha_png(n):
    for i in range(PER_CLASS):
        t, e, k = payload()
        m, v = matrix(t, e)
        px = 5
        q = 4
        a = np.kron(np.pad(m, q), np.ones((px, px), np.uint8))
        h, w = a.shape
        o = np.zeros((h, w, 4), np.uint8)
        mode = i % 6
        if mode == 0:
            o[..., 3] = a * 255  # black opaque on transparent black
        elif mode == 1:
            o[..., :3] = 255
            o[a == 1] = (0, 0, 0, 255)  # black on transparent white
        elif mode == 2:
            o[a == 0] = (255, 255, 255, 255)  # white drawn, black = transparent black
        elif mode == 3:
            o[a == 1] = (255, 255, 255, 255)  # white-on-transparent (for dark pages): inverted symbol
        elif mode == 4:
            o[..., :3] = 128
            o[..., 3] = a * 255
            o[a == 1, :3] = 128  # grey carrier, information only in alpha
        else:
            o[..., 3] = 230
            o[..., :3] = np.where(a[..., None] == 1, 0, 255)  # semi-opaque
        save(
            n,
            i,
            Image.fromarray(o, "RGBA"),
            [t],
            dict(mode=["blk/tr0", "blk/tr255", "wht/tr0", "wht-sym/tr0", "alpha-only", "semi"][mode]),
        )


def png_depths(n):
    for i in range(PER_CLASS):
        im, t, f = make_code()
        k = i % 6
        f["mode"] = ["1", "P2", "P256", "I;16", "LA", "P-trns"][k]
        if k == 0:
            im = im.convert("1")
        elif k == 1:
            im = im.convert("P", palette=Image.ADAPTIVE, colors=2)
        elif k == 2:
            im = im.convert("P")
        elif k == 3:
            im = Image.fromarray((np.asarray(im.convert("L")).astype(np.uint16) * 257))
        elif k == 4:
            im = im.convert("LA")
        else:
            im = im.convert("L").point(lambda v: 1 if v > 127 else 0).convert("P")
            im.putpalette([0, 0, 0, 0, 0, 0] + [0] * 762)
            save(n, i, im, t, f, transparency=1)
            continue
        save(n, i, im, t, f)


def formats(n):
    for i in range(PER_CLASS):
        im, t, f = make_code(px=DICE.choice([3, 4]))
        k = i % 9
        ext, kw = [
            ("webp", dict(lossless=True)),
            ("webp", dict(quality=40)),
            ("gif", {}),
            ("bmp", {}),
            ("tiff", {}),
            ("tiff", dict(compression="tiff_lzw")),
            ("jpg", dict(quality=80, progressive=True)),
            ("jpg", dict(quality=70)),
            ("png", dict()),
        ][k]
        if k == 7:
            im = im.convert("CMYK")
        save(n, i, im, t, f, ext, **kw)


def exif_rotated(n):
    for i in range(PER_CLASS):
        o = 1 + i % 8
        q, t, f = make_code(px=10)
        im = in_perspective(q, photo_bg(1280, 960), 0.12, frac=DICE.uniform(0.4, 0.6))
        f["orient"] = o
        inv = {
            1: None,
            2: Image.FLIP_LEFT_RIGHT,
            3: Image.ROTATE_180,
            4: Image.FLIP_TOP_BOTTOM,
            5: Image.TRANSPOSE,
            6: Image.ROTATE_90,
            7: Image.TRANSVERSE,
            8: Image.ROTATE_270,
        }[o]
        if inv is not None:
            im = im.transpose(inv)
        ex = Image.Exif()
        ex[0x112] = o
        save(n, i, im, t, f, "jpg", quality=85, exif=ex)


def huge_modules(n):
    for i in range(PER_CLASS):
        im, t, f = make_code(px=DICE.choice([24, 32, 48]), kind=DICE.choice(["aws", "jp"]))
        save(n, i, im, t, f)


def terminal_shot(n):
    """half-block / full-block terminal QR as a screenshot: cell aspect, line gaps, dark theme"""
    for i in range(PER_CLASS):
        t, e, k = payload(DICE.choice(["aws", "aws", "jp"]))
        e = "L"
        m, v = matrix(t, e)
        q = DICE.choice([1, 2, 4])
        a = np.pad(m, q)
        cw, ch = DICE.choice([(8, 16), (8, 17), (9, 18), (7, 15), (10, 22), (9, 21)])
        gap = DICE.choice([0, 0, 1, 2]) if i % 3 == 0 else 0
        inv = i % 4 == 3
        fgc, bgc = ((255, 255, 255), (12, 12, 12))
        half = i % 2 == 0
        H = (a.shape[0] + 1) // 2 if half else a.shape[0]
        mx, my = 20, 20
        W_, H_ = a.shape[1] * (cw if half else 2 * cw) + 2 * mx, H * ch + 2 * my
        im = Image.new("RGB", (W_, H_), bgc if not inv else (250, 250, 250))
        d = ImageDraw.Draw(im)
        light_c, dark_c = (fgc, bgc) if not inv else ((250, 250, 250), (10, 10, 10))
        for y in range(a.shape[0]):
            for x in range(a.shape[1]):
                c = dark_c if a[y, x] else light_c
                if half:
                    cy = my + (y // 2) * ch
                    y0, y1 = (cy, cy + ch // 2) if y % 2 == 0 else (cy + ch // 2, cy + ch - gap)
                    d.rectangle([mx + x * cw, y0, mx + (x + 1) * cw - 1, y1 - 1], fill=c)
                else:
                    d.rectangle([mx + x * 2 * cw, my + y * ch, mx + (x + 1) * 2 * cw - 1, my + (y + 1) * ch - 1 - gap], fill=c)
        d.text((4, 2), "user@host:~$ vmfa show --qr", font=font(MONO, 12), fill=(180, 180, 180))
        save(n, i, im, [t], dict(half=half, cell=[cw, ch], gap=gap, inv=inv, quiet=q))


def curved(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=10)
        im = padded(q, 30)
        a = np.asarray(im)
        h, w = a.shape[:2]
        k = DICE.uniform(0.25, 0.6)
        x = (np.arange(w) - w / 2) / (w / 2)
        sx = np.sin(x * k * math.pi / 2) / math.sin(k * math.pi / 2)
        inv = np.interp(x, sx, x)
        mx = np.tile(((inv + 1) * w / 2).astype(np.float32), (h, 1))
        bow = DICE.uniform(0, 0.06) * h
        my = (np.arange(h)[:, None] + bow * (1 - x**2)[None, :]).astype(np.float32)
        save(n, i, blur(Image.fromarray(cv2.remap(a, mx, my, cv2.INTER_LINEAR, borderValue=(255, 255, 255))), 0.6), t, f)


def negative(n):
    for i in range(PER_CLASS):
        im = desktop(1920, 1080, i % 2 == 0) if i % 3 else photo_bg(1920, 1080)
        save(n, i, im, [], {})


def truncated_file(n):
    for i in range(PER_CLASS):
        q, t, f = make_code(px=6)
        ext = ["png", "jpg", "webp", "gif", "bmp", "tiff"][i % 6]
        b = io.BytesIO()
        q.save(b, {"jpg": "JPEG", "tiff": "TIFF"}.get(ext, ext.upper()))
        d = b.getvalue()
        cut = DICE.uniform(0.2, 0.97)
        fn = f"{n}-{i:03d}.{ext}"
        open(os.path.join(FOLDER, fn), "wb").write(d[: int(len(d) * cut)])
        rows.append((fn, n, t, dict(cut=round(cut, 2), optional=True)))


for f in [
    clean,
    utf8_raw,
    desktop_light,
    desktop_dark,
    desktop_inverted,
    desktop_4k_hidpi,
    inverted,
    low_contrast,
    frac_scale,
    tiny,
    jpeg_q30,
    blurred,
    motion_blur,
    noisy,
    rotated,
    mirrored,
    perspective,
    photo_screen,
    photo_4k,
    photo_glare,
    photo_shadow,
    quiet_0_2,
    logo,
    styled,
    coloured,
    gradient,
    multi_2_4,
    multi_migration_desktop,
    dense_migration,
    dense_migration_photo,
    version_40,
    occluded,
    alpha_png,
    png_depths,
    formats,
    exif_rotated,
    huge_modules,
    terminal_shot,
    curved,
    negative,
    truncated_file,
]:
    make_class(f)
with open(os.path.join(FOLDER, "manifest.tsv"), "w", encoding="utf-8") as w:
    for fn, c, t, i in rows:
        w.write(f"{fn}\t{c}\t{json.dumps(t, ensure_ascii=False)}\t{json.dumps(i, ensure_ascii=False)}\n")
print(len(rows), "images")
