"""The bare guest `guest/usb_bench` on KVM, in minivmm and in QEMU: bytes a second of a stick, and how long a key takes.

It boots from an IDE disk and drives the ICH9's EHCI controller with a keyboard and a stick whose image is in the host's page
cache. A key is an event by QMP; it has arrived when the guest, in the handler of its interrupt, has written a byte to the debug
console, so that the way of both through sockets and of that byte out of the guest is part of what is measured."""
import json
import os
import random
import re
import socket
import statistics
import subprocess
import tempfile
import time

from harness import MINIVMM, ROOT

GUEST = os.path.join(ROOT, "build/release/guests/usb_bench.img")
DISK_BYTES = 64 << 20
KEYS = 100
PATIENCE = 300
# Of what run_guest() answers: title, unit, scale, goal, whether more is better.
FIGURES = {
    "bulk_read_bytes_per_ms": ("EHCI stick, 64 KiB reads", "MB/s", 1e-3, 1.2, True),
    "bulk_write_bytes_per_ms": ("EHCI stick, 64 KiB writes", "MB/s", 1e-3, 1.2, True),
    "first_read_us": ("EHCI stick, 64 KiB read after 3 s of rest", "us", 1, 1.0, False),
    "key_us": ("EHCI keyboard, event to interrupt", "us", 1, 0.5, False),
}


def minivmm_command(paths):
    return [MINIVMM, "--accel", "kvm", "--memory", "256M", "--disk", paths["guest"] + ",snapshot=on", "--usb", "on,tablet=off",
            "--usb-device", "keyboard,port=1", "--usb-device", f"storage,file={paths['stick']},port=2",
            "--debugcon", "unix:" + paths["console"], "--qmp", "unix:" + paths["qmp"]]


def qemu_command(paths):
    return ["qemu-system-x86_64", "-machine", "pc", "-accel", "kvm", "-m", "256", "-vga", "none", "-nodefaults", "-display", "none",
            "-drive", f"if=none,format=raw,snapshot=on,id=boot,file={paths['guest']}", "-device", "ide-hd,drive=boot,bootindex=0",
            "-device", "ich9-usb-ehci1,id=usb,addr=1d.7,multifunction=on",
            "-device", "ich9-usb-uhci1,masterbus=usb.0,firstport=0,addr=1d.0,multifunction=on", "-device", "usb-kbd,bus=usb.0,port=1",
            "-drive", f"if=none,format=raw,cache=writeback,id=stick,file={paths['stick']}",
            "-device", "usb-storage,bus=usb.0,port=2,drive=stick",
            "-chardev", f"socket,id=console,path={paths['console']},server=on,wait=off",
            "-device", "isa-debugcon,iobase=0x402,chardev=console", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
            "-qmp", f"unix:{paths['qmp']},server=on,wait=off"]


def connect(path, process):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(path)
            peer.settimeout(PATIENCE)
            return peer
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"{process.args[0]} does not listen at {path}")


def key_event(down):
    event = {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": "a"}}}
    return json.dumps({"execute": "input-send-event", "arguments": {"events": [event]}}).encode() + b"\n"


def key_us(qmp, console):
    """The median of keys that come one by one, whenever."""
    samples = []
    for number in range(KEYS):
        time.sleep(random.uniform(0.05, 0.08))
        begun = time.perf_counter()
        qmp.sendall(key_event(number % 2 == 0))
        while b"k" not in console.recv(64):
            pass
        samples.append(time.perf_counter() - begun)
    return statistics.median(samples) * 1e6


def run_guest(command, paths):
    """What the guest has said, by name, and its keys."""
    os.sync()  # what the last run left to be written
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(paths["console"], process) as console, connect(paths["qmp"], process) as qmp:
            qmp.sendall(b'{"execute": "qmp_capabilities"}\n')
            said = b""
            while b"bench: keys" not in said:
                more = console.recv(4096)
                if not more:
                    raise SystemExit(f"{command[0]} ended: {said[-200:]}")
                said += more
            figures = {name.decode(): int(number) for name, number in re.findall(rb"^bench: (\w+) (\d+)$", said, re.MULTILINE)}
            figures["key_us"] = key_us(qmp, console)
            return figures
    finally:
        process.kill()
        process.wait()
        for name in ("console", "qmp"):
            if os.path.exists(paths[name]):
                os.unlink(paths[name])


def measure(rounds):
    """By turns: what was measured in minivmm, and in QEMU."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        paths = {name: os.path.join(folder, name) for name in ("stick", "console", "qmp")}
        paths["guest"] = GUEST
        with open(paths["stick"], "wb") as file:
            file.write(bytes(range(256)) * (DISK_BYTES // 256))
        for _ in range(rounds):
            ours.append(run_guest(minivmm_command(paths), paths))
            theirs.append(run_guest(qemu_command(paths), paths))
    return ours, theirs
