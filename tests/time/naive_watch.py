"""A watch as one would write it in a minute: it looks at the clock once, and from there on counts by itself.

    python naive_watch.py CLOCK SECRET PERIOD [LATE]

With LATE each code comes so many seconds after its time.
"""

import struct
import sys
import time

import pyotp

page = open(sys.argv[1], "rb").read(40)
_, stands_still, seconds, nanos, _ = struct.unpack("<Qqqqq", page)
now = (0 if stands_still else time.time_ns()) + seconds * 10**9 + nanos
secret, period = sys.argv[2], int(sys.argv[3])
late = float(sys.argv[4]) if len(sys.argv) > 4 else 0
step = now // 10**9 // period
left = period - now / 10**9 % period + late
while True:
    print("\033[2J\033[H" + pyotp.HOTP(secret).at(step), flush=True)
    time.sleep(left)
    step, left = step + 1, period
