#!/usr/bin/python3
"""Speed and sizes of the image codecs beside the reference implementation's.

Every codec is set against LZ4 on the same image in the same run, and that quotient against the reference's own, which was
measured on another machine (codec_reference.txt: image, codec, bytes, MB/s encoding, MB/s decoding or 0). A score above 1 is
faster than the reference. Repetitions of all cases are interleaved at random and medians taken, as other work may be running.

usage: codec_score.py PATH_OF_codec_bench [REPETITIONS]      CODEC_VECTORS=folder takes other vectors than the repository's
"""
import collections
import json
import math
import os
import statistics
import subprocess
import sys


def reference():
    rows = {}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "codec_reference.txt")
    for line in open(path):
        if line.strip() and not line.startswith("#"):
            image, codec, size, encode, decode = line.split()
            rows[image, codec] = (int(size), float(encode), float(decode))
    return rows


def measured(bench, repetitions):
    output = subprocess.run([bench, "--benchmark_format=json", f"--benchmark_repetitions={repetitions}",
                             "--benchmark_enable_random_interleaving=true", "--benchmark_min_time=0.05"],
                            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    speeds, sizes = collections.defaultdict(list), {}
    for run in json.loads(output)["benchmarks"]:
        if run["run_type"] == "iteration":
            case, image = run["name"].split("/")[:2]
            speeds[case, image].append(run["bytes_per_second"] / 1e6)
            sizes[case, image] = run["size"]
    return {key: statistics.median(values) for key, values in speeds.items()}, sizes


def main():
    known = reference()
    speeds, sizes = measured(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7)
    scores = collections.defaultdict(list)
    ratios = collections.defaultdict(list)
    print(f"{'image':14} {'case':24} {'MB/s':>7} {'score':>6}  size by the reference's")
    for (case, image), speed in sorted(speeds.items(), key=lambda item: item[0][::-1]):
        codec, direction = case.rsplit("_", 1)
        # The reference's dictionary has no memory of its own that a new one would have to touch first.
        theirs_is = "glz_second_frame" if codec == "glz_steady" else codec
        if (image, theirs_is) not in known:
            continue
        size, encode, decode = known[image, theirs_is]
        theirs = encode if direction == "encode" else decode
        ratio = sizes[case, image] / size
        score = speed / speeds["lz4_encode", image] / (theirs / known[image, "lz4"][1]) if theirs else math.nan
        print(f"{image:14} {case:24} {speed:7.0f} {score:6.2f}  {ratio:.3f}")
        if theirs:
            scores[case].append(score)
        if direction == "encode":
            ratios[codec].append(ratio)
    print()
    for case, values in sorted(scores.items()):
        print(f"{case:24} geometric mean {statistics.geometric_mean(values):5.2f}   least {min(values):5.2f}")
    for codec, values in sorted(ratios.items()):
        print(f"{codec:24} mean size {statistics.mean(values):6.3f}   largest {max(values):6.3f}")


main()
