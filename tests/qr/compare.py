#!/usr/bin/env python3
"""Reads a corpus with vmfa and with other readers, and prints the share of texts read and the time, class by class.

    python3 tests/qr/make_corpus.py /tmp/corpus 1 8
    cargo build --release --example scan_corpus
    python3 tests/qr/compare.py /tmp/corpus [--scan target/release/examples/scan_corpus] [--readers vmfa,zxing-cpp,zbar,opencv,wechat]

zxing-cpp is PyPI's `zxing-cpp`; zbar is Debian's zbar-tools; opencv and wechat (a neural network, whose model files opencv-contrib-python
brings along from version 5 on) come from PyPI's `opencv-contrib-python-headless`. Times of vmfa, zxing-cpp and OpenCV are those of reading
the file and looking at it, within one process; zbar's include starting its program. Readers other than vmfa get the file as Pillow
or OpenCV decodes it.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import time


def rows(folder):
    for line in (folder / "manifest.tsv").read_text(encoding="utf-8").splitlines():
        file, kind, texts, _ = line.split("\t")
        yield file, kind, json.loads(texts)


def vmfa(folder, scan):
    """{file: (texts, milliseconds)}"""
    out = subprocess.run([scan, str(folder), "--lines"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return {line["file"]: (line["texts"], line["ms"]) for line in map(json.loads, out.splitlines())}


def timed(read, folder):
    outcome = {}
    for file, _, _ in rows(folder):
        start = time.perf_counter()
        try:
            texts = read(folder / file)
        except Exception:  # a file that the library can't open counts as not read
            texts = []
        outcome[file] = (texts, (time.perf_counter() - start) * 1000)
    return outcome


def zxing_cpp(folder, _):
    import zxingcpp
    from PIL import Image, ImageOps

    def read(path):
        picture = ImageOps.exif_transpose(Image.open(path))
        if picture.mode not in ("L", "RGB", "RGBA"):
            picture = picture.convert("RGB")
        return [code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]

    return timed(read, folder)


def zbar(folder, _):
    def read(path):
        command = ["zbarimg", "-q", "--xml", "--nodbus", "-Sdisable", "-Sqrcode.enable", str(path)]
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode(errors="replace")
        import re

        return re.findall(r"<data><!\[CDATA\[(.*?)\]\]></data>", out, re.S)

    return timed(read, folder)


def opencv(folder, _):
    import cv2

    detector = cv2.QRCodeDetector()

    def read(path):
        picture = cv2.imread(str(path))
        _, texts, _, _ = detector.detectAndDecodeMulti(picture)
        return [text for text in texts if text]

    return timed(read, folder)


def wechat(folder, _):
    import cv2

    detector = cv2.wechat_qrcode.WeChatQRCode()
    return timed(lambda path: list(detector.detectAndDecode(cv2.imread(str(path)))[0]), folder)


READERS = {"vmfa": vmfa, "zxing-cpp": zxing_cpp, "zbar": zbar, "opencv": opencv, "wechat": wechat}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=pathlib.Path, nargs="+")
    parser.add_argument("--scan", default="target/release/examples/scan_corpus")
    parser.add_argument("--readers", default="vmfa,zxing-cpp,zbar,opencv")
    parser.add_argument("--show", action="store_true", help="name the pictures that vmfa doesn't read")
    arguments = parser.parse_args()
    names = arguments.readers.split(",")
    read, wanted, false = collections.Counter(), collections.Counter(), collections.Counter()
    spent = collections.defaultdict(list)
    for corpus in arguments.corpus:
        outcomes = {name: READERS[name](corpus, arguments.scan) for name in names}
        for file, kind, expected in rows(corpus):
            wanted[kind] += len(expected)
            if kind != "truncated-file":
                wanted["ALL"] += len(expected)
            for name in names:
                texts, milliseconds = outcomes[name][file]
                good = sum(text in texts for text in expected)
                false[name] += sum(text not in expected for text in texts)
                spent[name, kind].append(milliseconds)
                spent[name, "ALL"].append(milliseconds)
                read[name, kind] += good
                if kind != "truncated-file":
                    read[name, "ALL"] += good
                if arguments.show and name == "vmfa" and good < len(expected) and kind != "truncated-file":
                    print("not read:", corpus / file, file=sys.stderr)
    print("| class | texts | " + " | ".join(f"{name} % | {name} ms" for name in names) + " |")
    print("|" + "---|" * (2 + 2 * len(names)))
    below = []
    for kind in sorted(wanted, key=lambda kind: (kind == "ALL", kind)):
        cells = []
        for name in names:
            times = sorted(spent[name, kind])
            share = f"{100 * read[name, kind] / wanted[kind]:.1f}" if wanted[kind] else "–"
            cells.append(f"{share} | {times[len(times) // 2]:.1f}")
        print(f"| {kind} | {wanted[kind]} | " + " | ".join(cells) + " |")
        if kind != "truncated-file" and any(read[name, kind] > read[names[0], kind] for name in names[1:]):
            below.append(kind)
    print("\ntexts that aren't in the picture:", dict(false))
    print(f"classes in which another reader is better than {names[0]}:", ", ".join(below) or "none")


main()
