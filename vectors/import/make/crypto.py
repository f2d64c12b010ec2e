"""Encryption, deterministic: whatever an app draws at random comes from `seeded` here."""

import base64
import hashlib
import hmac

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305


def seeded(label, length):
    return hashlib.shake_256(b"vmfa import vectors: " + label.encode()).digest(length)


def b64(data):
    return base64.b64encode(data).decode()


def utf8(text):
    return text.encode() if isinstance(text, str) else text


def uuid(label):
    text = seeded("uuid " + label, 16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


def padded(data, block=16):
    count = block - len(data) % block
    return data + bytes([count]) * count


def cbc(key, iv, data, pad=True):
    machine = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return machine.update(padded(data) if pad else data) + machine.finalize()


def gcm(key, nonce, data, aad=b""):
    """Ciphertext and tag apart."""
    machine = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    machine.authenticate_additional_data(aad)
    return machine.update(data) + machine.finalize(), machine.tag


def gcm_joined(key, nonce, data, aad=b""):
    text, tag = gcm(key, nonce, data, aad)
    return text + tag


def pbkdf2(hash_name, password, salt, rounds, length=32):
    return hashlib.pbkdf2_hmac(hash_name, utf8(password), salt, rounds, length)


def argon2id(password, salt, rounds, kib, lanes, length=32, kind=Type.ID):
    return hash_secret_raw(utf8(password), salt, rounds, kib, lanes, length, kind)


def sha256(data):
    return hashlib.sha256(utf8(data)).digest()


def hmac_sha256(key, data):
    return hmac.new(key, data, "sha256").digest()


def chacha20(key, nonce12, data, block=0):
    machine = Cipher(algorithms.ChaCha20(key, block.to_bytes(4, "little") + nonce12), None).encryptor()
    return machine.update(data)


def hchacha20(key, nonce16):
    """The key that XChaCha derives from the first 16 bytes of its nonce (draft-irtf-cfrg-xchacha-03, 2.2)."""
    block = chacha20(key, nonce16[4:], bytes(64), int.from_bytes(nonce16[:4], "little"))
    start = b"expand 32-byte k" + key + nonce16
    # ChaCha20 adds its start to the result, HChaCha20 doesn't: take it away again.
    word = lambda data, i: int.from_bytes(data[4 * i : 4 * i + 4], "little")
    plain = [(word(block, i) - word(start, i)) % 2**32 for i in range(16)]
    return b"".join(value.to_bytes(4, "little") for value in plain[:4] + plain[12:])


def xchacha20poly1305(key, nonce24, data):
    subkey, nonce = hchacha20(key, nonce24[:16]), bytes(4) + nonce24[16:]
    text = chacha20(subkey, nonce, data, 1)
    lengths = (0).to_bytes(8, "little") + len(text).to_bytes(8, "little")
    tag = Poly1305.generate_tag(chacha20(subkey, nonce, bytes(32)), text + bytes(-len(text) % 16) + lengths)
    return text + tag


def secretstream(key, header24, data, tag):
    """One chunk of libsodium's crypto_secretstream_xchacha20poly1305 without additional data."""
    subkey, nonce = hchacha20(key, header24[:16]), (1).to_bytes(4, "little") + header24[16:]
    first = chacha20(subkey, nonce, bytes([tag]) + bytes(63), 1)
    text = chacha20(subkey, nonce, data, 2)
    lengths = (0).to_bytes(8, "little") + (64 + len(text)).to_bytes(8, "little")
    # libsodium pads by (16 - 64 + length) & 15, which isn't the usual padding but is what it does.
    pad = bytes((16 - 64 + len(text)) & 15)
    mac = Poly1305.generate_tag(chacha20(subkey, nonce, bytes(32)), first + text + pad + lengths)
    return first[:1] + text + mac
