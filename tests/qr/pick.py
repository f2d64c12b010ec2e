#!/usr/bin/env python3
"""Takes a few small pictures of each class from a corpus for `vectors/qr`: `pick.py CORPUS FOLDER [PER_CLASS]`.

What is larger than 60 kB is written again as JPEG at quality 45, and of such a class only the smallest is taken; truncated files
are left out.
"""

import io
import json
import pathlib
import sys
from collections import defaultdict

from PIL import Image

SMALL, MOST = 60_000, 230_000


def main():
    corpus, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    per_class = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    folder.mkdir(parents=True, exist_ok=True)
    classes = defaultdict(list)
    for line in (corpus / "manifest.tsv").read_text(encoding="utf-8").splitlines():
        file, kind, texts, _ = line.split("\t")
        if kind != "truncated-file":
            classes[kind].append((file, json.loads(texts)))
    lines, total = [], 0
    for kind, pictures in sorted(classes.items()):
        ready = []
        for file, texts in pictures:
            data = (corpus / file).read_bytes()
            if len(data) > SMALL:
                held = io.BytesIO()
                picture = Image.open(corpus / file)
                picture.convert("RGB").save(held, "JPEG", quality=45, exif=picture.info.get("exif", b""))
                if len(held.getvalue()) < len(data):
                    file, data = str(pathlib.Path(file).with_suffix(".jpg")), held.getvalue()
            ready.append((len(data), file, data, texts))
        ready.sort()
        small = [one for one in ready if one[0] <= SMALL][:per_class]
        for size, file, data, texts in small or [one for one in ready[:1] if one[0] <= MOST]:
            (folder / file).write_bytes(data)
            lines.append(f"{file}\t{kind}\t{json.dumps(texts, ensure_ascii=False)}\n")
            total += size
        if not ready[0][0] <= MOST:
            print(f"{kind}: the smallest has {ready[0][0]} bytes, none taken")
    (folder / "manifest.tsv").write_text("".join(lines), encoding="utf-8")
    print(len(lines), "pictures,", total, "bytes")


main()
