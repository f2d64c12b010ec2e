"""ZIP archives by hand, as nothing else writes encrypted ones without drawing at random."""

import hashlib
import hmac
import struct
import zlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .crypto import seeded, utf8

DATE = (44 << 9 | 1 << 5 | 1) << 16


def archive(members, password=None, how="plain", deflate=False, salt="zip"):
    """`members` are (name, data); `how` is plain, crypto (the old cipher) or aes (WinZip's AE-2, 256 bits)."""
    body = directory = b""
    for place, (name, data) in enumerate(members):
        data, name = utf8(data), utf8(name)
        checksum, size = zlib.crc32(data), len(data)
        method = 8 if deflate else 0
        if deflate:
            machine = zlib.compressobj(9, zlib.DEFLATED, -15)
            data = machine.compress(data) + machine.flush()
        flags, extra = (0 if name.isascii() else 0x800), b""
        label = f"{salt} {place}"
        if how == "crypto":
            data, flags = zipcrypto(data, utf8(password), checksum, label), flags | 1
        elif how == "aes":
            data, flags = winzip_aes(data, utf8(password), label), flags | 1
            extra = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, method)
            method, checksum = 99, 0
        common = struct.pack(
            "<HHHIIIIHH", 51 if how == "aes" else 20, flags, method, DATE, checksum, len(data), size, len(name), len(extra)
        )
        directory += b"PK\1\2" + struct.pack("<H", 51) + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name + extra
        body += b"PK\3\4" + common + name + extra + data
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


def winzip_aes(data, password, label):
    salt = seeded(label, 16)
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 66)
    # Counter mode, but the counter begins at 1 and its lowest byte comes first.
    blocks = b"".join(n.to_bytes(16, "little") for n in range(1, len(data) // 16 + 2))
    stream = Cipher(algorithms.AES(keys[:32]), modes.ECB()).encryptor().update(blocks)
    text = bytes(a ^ b for a, b in zip(data, stream))
    return salt + keys[64:] + text + hmac.new(keys[32:64], text, "sha1").digest()[:10]


def zipcrypto(data, password, checksum, label):
    table = [crc_of(n) for n in range(256)]
    keys = [0x12345678, 0x23456789, 0x34567890]
    step = lambda crc, byte: crc >> 8 ^ table[(crc ^ byte) & 255]

    def update(byte):
        keys[0] = step(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = step(keys[2], keys[1] >> 24)

    for byte in password:
        update(byte)
    out = bytearray()
    for byte in seeded(label, 11) + bytes([checksum >> 24]) + data:
        mask = keys[2] | 2
        out.append(byte ^ mask * (mask ^ 1) >> 8 & 255)
        update(byte)
    return bytes(out)


def crc_of(value):
    for _ in range(8):
        value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
    return value
