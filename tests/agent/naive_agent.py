#!/usr/bin/env python3
"""An agent as one would write it in an afternoon: the control of the memory scan. It makes codes with the standard library,
then forgets the secret by letting go of it, as ordinary programs do. It says "ready" and waits."""

import base64
import hmac
import sys

secret = base64.b32decode(sys.stdin.readline().strip())
codes = [hmac.digest(secret, step.to_bytes(8, "big"), "sha1") for step in range(100)]
if sys.argv[1] == "forgets":
    del secret
print("ready", flush=True)
sys.stdin.read()
