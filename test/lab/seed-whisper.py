"""Writes a week of the estate's metrics as whisper files, into the folder given as the only argument."""
import math
import os
import random
import sys
import time

import whisper

STEP = 60
WEEK = 7 * 24 * 3600 // STEP
KEPT = 8 * 24 * 3600 // STEP
root = sys.argv[1]
now = int(time.time()) // STEP * STEP
chance = random.Random(2014)


def rhythm(stamp, zone):
    """How busy the school is, 0 to 1: nights are quiet, evenings busy, weekends half as busy."""
    local = stamp + zone * 3600
    hour = local / 3600 % 24
    day = math.exp(-((hour - 19.5) ** 2) / 8) + 0.55 * math.exp(-((hour - 11) ** 2) / 10)
    weekend = 0.5 if int(local / 86400 + 4) % 7 in (0, 6) else 1
    return min(1, 0.04 + day * weekend)


def write(name, value, zone):
    path = os.path.join(root, *name.split(".")) + ".wsp"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    whisper.create(path, [(STEP, KEPT)], xFilesFactor=0, aggregationMethod="average")
    stamps = range(now - (WEEK - 1) * STEP, now + STEP, STEP)
    whisper.update_many(path, [(stamp, round(max(0, value(rhythm(stamp, zone))), 3)) for stamp in stamps])


def noise(size):
    return chance.gauss(0, size)


for server, peak, zone in (("prod-api3-1", 1800, 1), ("dev-api3-2", 60, -8)):
    write(f"stats.counters.{server}.requests.count", lambda busy: round(peak * busy * (1 + noise(0.06))), zone)
    write(f"stats.counters.{server}.logins.count", lambda busy: round(peak / 40 * busy * (1 + noise(0.2))), zone)
    write(f"stats.counters.{server}.errors.count", lambda busy: round(peak / 400 * busy + noise(0.4)), zone)
    write(f"stats.timers.{server}.response.mean", lambda busy: 6.5 + 4 * busy * busy + noise(0.5), zone)
    write(f"stats.timers.{server}.response.upper_90", lambda busy: 9.5 + 14 * busy * busy + abs(noise(2)), zone)
    write(f"servers.{server}.load.1min", lambda busy: 0.1 + 1.6 * busy + noise(0.08), zone)

write("stats.counters.worker.files.count", lambda busy: round(240 * busy * (1 + noise(0.1))), 9)
write("stats.timers.worker.file.mean", lambda busy: 420 + 180 * busy + noise(25), 9)
write("stats.gauges.worker.queue", lambda busy: round(12 * busy * busy + abs(noise(1))), 9)
write("servers.worker.load.1min", lambda busy: 0.2 + 2.2 * busy + noise(0.1), 9)
