"""A watch as one would write it in a minute: it looks at the clock once, and from there on counts by itself.

    python naive_watch.py CLOCK SECRET PERIOD
"""

import struct
import sys
import time

import pyotp

page = open(sys.argv[1], "rb").read(40)
_, stands_still, seconds, nanos, _ = struct.unpack("<Qqqqq", page)
now = (0 if stands_still else time.time_ns()) + seconds * 10**9 + nanos
secret, period = sys.argv[2], int(sys.argv[3])
step = now // 10**9 // period
left = period - now / 10**9 % period
while True:
    print("\033[2J\033[H" + pyotp.HOTP(secret).at(step), flush=True)
    time.sleep(left)
    step, left = step + 1, period
