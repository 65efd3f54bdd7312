#!/usr/bin/python3
"""Runs a spice-vectors command over reference vectors and compares what it makes.

usage: check.py --tool COMMAND [--dir FOLDER]

FOLDER has codec/index.json, whose "about" describes it; the repository's own tests/data otherwise. Lossless images must decode
to the exact pixels, JPEGs to ones that are no worse than the reference's; QUIC must encode to the reference's bytes, what the
other encoders make is decoded again. Prints a line per failure and a count per check.
"""
import argparse
import collections
import gzip
import hashlib
import json
import math
import os
import struct
import subprocess
import sys
import tempfile

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data")
RGB_FORMATS = ("16", "24", "32", "rgba")
PSNR_SLACK = 0.3  # decibels; colour conversions round differently


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def wide(pixel):
    """The eight-bit components B, G, R of a pixel of five bits each."""
    return [c << 3 | c >> 2 for c in (pixel & 31, pixel >> 5 & 31, pixel >> 10 & 31)]


def colours(image, raw):
    """B, G, R of every pixel in a row, top row first."""
    width, stride, step = image["width"], image["stride"], {"16": 2, "24": 3}.get(image["format"], 4)
    result = bytearray()
    for y in range(image["height"]):
        at = stride * (y if image["top_down"] else image["height"] - 1 - y)
        row = raw[at:at + width * step]
        if image["format"] == "16":
            for (pixel,) in struct.iter_unpack("<H", row):
                result += bytes(wide(pixel))
        else:
            part = bytearray(3 * width)
            for component in range(3):
                part[component::3] = row[component::step]
            result += part
    return result


def without_fourth(pixels):
    return b"".join(pixels[i:i + 3] for i in range(0, len(pixels), 4))


def psnr(one, other):
    if len(one) != len(other):
        return 0
    error = sum((a - b) ** 2 for a, b in zip(one, other))
    return 10 * math.log10(255 * 255 * len(one) / error) if error else math.inf


class Check:
    def __init__(self, tool, folder):
        self.tool, self.folder = tool, os.path.join(folder, "codec")
        self.index = json.loads(read(os.path.join(self.folder, "index.json")))
        self.counts = collections.Counter()
        self.failures = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def raw(self, image):
        return gzip.decompress(read(self.path(image["raw"])))

    def run(self, work, verb, given, out, meta):
        """The exit code."""
        with open(os.path.join(work, "meta.json"), "w") as file:
            json.dump(meta, file)
        return subprocess.run([self.tool, verb, given, out, os.path.join(work, "meta.json")], timeout=120).returncode

    def note(self, what, name, problem=None):
        self.counts[what + (" failed" if problem else "")] += 1
        if problem:
            self.failures += 1
            print(f"{what} {name}: {problem}")

    def judge(self, image, encoding, pixels):
        """What is wrong with decoded pixels, or None."""
        codec = encoding["codec"]
        if codec.startswith("jpeg"):
            quality = psnr(without_fourth(pixels), colours(image, self.raw(image)))
            if quality < encoding["psnr_vs_source"] - PSNR_SLACK:
                return f"PSNR {quality:.2f}, the reference's {encoding['psnr_vs_source']:.2f}"
            if codec.startswith("jpeg_alpha") and sha256(pixels[3::4]) != encoding["decoded_alpha_sha256"]:
                return "other alpha"
            return None
        if codec.startswith("lz4") and image["format"] == "32":  # the unused byte travels along
            pixels = bytearray(pixels)
            pixels[3::4] = bytes(len(pixels) // 4)
        return None if sha256(pixels) == image["decoded_sha256"] else "other pixels"

    def decode(self, work, what, image, encoding, payload):
        out = os.path.join(work, "pixels")
        meta = dict(image, encoding=encoding)
        code = self.run(work, "decode", payload, out, meta)
        problem = f"exit code {code}" if code else self.judge(image, encoding, read(out))
        self.note(what, f"{image['name']} {encoding['codec']}", problem)

    def encode(self, work, image, encoding):
        codec = encoding["codec"]
        what = "encode " + codec.split("_")[0]
        source, out = os.path.join(work, "raw"), os.path.join(work, "payload")
        with open(source, "wb") as file:
            file.write(self.raw(image))
        code = self.run(work, "encode", source, out, dict(image, encoding=encoding))
        if code:
            self.note(what, image["name"], f"exit code {code}")
        elif codec == "quic":
            same = sha256(read(out)) == encoding["sha256"]
            self.note(what, image["name"], None if same else "other bytes than the reference's")
        else:
            self.decode(work, what + ", decoded again", image, encoding, out)
            self.counts[what + " bytes"] += os.path.getsize(out)
            self.counts[what + " bytes of the reference"] += encoding["size"]

    def images(self, work):
        for image in self.index["images"]:
            for encoding in image["encodings"]:
                codec = encoding.get("codec", "")
                if encoding.get("file"):
                    self.decode(work, "decode " + codec.split("_")[0], image, encoding, self.path(encoding["file"]))
                if codec in ("quic", "lz", "lz4", "jpeg_q85"):
                    self.encode(work, image, encoding)

    def glz(self, work):
        for sequence in self.index["glz_sequences"]:
            folder = os.path.join(work, sequence["name"])
            os.makedirs(folder)
            code = self.run(work, "glzseq", self.path(sequence["payloads"]), folder, sequence)
            for image in sequence["images"]:
                path = os.path.join(folder, f"{image['seq']}.raw")
                good = os.path.exists(path) and sha256(read(path)) == image["decoded_sha256"]
                self.note("glz", f"{sequence['name']} {image['seq']}", None if good else f"exit code {code}, other pixels")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--dir", default=DATA)
    arguments = parser.parse_args()
    check = Check(arguments.tool, arguments.dir)
    with tempfile.TemporaryDirectory() as work:
        check.images(work)
        check.glz(work)
    for what, count in sorted(check.counts.items()):
        print(f"{what:40} {count}")
    nothing = sum(check.counts.values()) == 0
    return 1 if check.failures or nothing else 0


sys.exit(main())
