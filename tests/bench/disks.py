"""The bare guest `guest/device_bench` on KVM, in minivmm and in QEMU: disks and how long doorbell and interrupt take.

It boots from an IDE disk and measures a virtio and a SATA disk, raw images of 256 MiB on /var/tmp that are in the host's page
cache. QEMU has cache=writeback and aio=threads, its defaults; one more run has aio=io_uring where the host allows it. All
disks interrupt by messages."""
import functools
import os
import re
import subprocess
import tempfile

from harness import MINIVMM, ROOT

GUEST = os.path.join(ROOT, "build/release/guests/device_bench.img")
DISK_BYTES = 256 << 20
BLOCK_BYTES = 4096
PATIENCE = 300


def minivmm_command(paths):
    command = [MINIVMM, "--accel", "kvm", "--memory", "256M"]
    for drive in ("{guest},snapshot=on", "{virtio},if=virtio", "{sata},if=ahci"):
        command += ["--disk", drive.format(**paths)]
    return command + ["--debugcon", "file:" + paths["console"]]


def qemu_command(paths, aio="threads"):
    drive = f"if=none,format=raw,cache=writeback,aio={aio}"
    return ["qemu-system-x86_64", "-machine", "pc", "-accel", "kvm", "-m", "256", "-vga", "none", "-nodefaults", "-display", "none",
            "-drive", f"if=none,format=raw,snapshot=on,id=boot,file={paths['guest']}", "-device", "ide-hd,drive=boot,bootindex=0",
            "-drive", f"{drive},id=virtio,file={paths['virtio']}", "-device", "virtio-blk-pci,drive=virtio",
            "-device", "ich9-ahci,id=ahci", "-drive", f"{drive},id=sata,file={paths['sata']}", "-device", "ide-hd,bus=ahci.0,drive=sata",
            "-chardev", f"file,id=console,path={paths['console']}", "-device", "isa-debugcon,iobase=0x402,chardev=console",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]


def make_disk(path):
    """Each block begins with its number, which the guest checks and keeps."""
    filler = bytes(range(1, 256)) * 17
    with open(path, "wb") as file:
        for block in range(DISK_BYTES // BLOCK_BYTES):
            file.write(block.to_bytes(8, "little") + filler[:BLOCK_BYTES - 8])


def run_guest(command, paths):
    """What the guest has said, by name."""
    os.sync()  # what the last run left to be written
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=PATIENCE)
    with open(paths["console"], errors="replace") as console:
        said = console.read()
    if run.returncode != 1:
        raise SystemExit(f"{command[0]} ended with {run.returncode}: {run.stderr.decode().strip()} {said[-200:]}")
    return {name: int(number) for name, number in re.findall(r"^bench: (\w+) (\d+)$", said, re.MULTILINE)}


@functools.cache
def measure(rounds):
    """One boot a side and round: what minivmm's guests said, what QEMU's did, and what one with io_uring did or None."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        paths = {name: os.path.join(folder, name) for name in ("virtio", "sata", "console")}
        paths["guest"] = GUEST
        make_disk(paths["virtio"])
        make_disk(paths["sata"])
        for _ in range(rounds):
            ours.append(run_guest(minivmm_command(paths), paths))
            theirs.append(run_guest(qemu_command(paths), paths))
        try:
            io_uring = run_guest(qemu_command(paths, "io_uring"), paths)
        except SystemExit:
            io_uring = None
    return ours, theirs, io_uring


def rates():
    """Names of the guest's rates, with a title each."""
    for drive, adapter in (("virtio", "virtio"), ("ahci", "AHCI")):
        for pattern, size in (("random", "4 KiB"), ("sequential", "64 KiB")):
            for access in ("read", "write"):
                for depth in (1, 32):
                    yield f"{drive}_{pattern}_{access}_{depth}", f"{adapter} {size} {pattern} {access}s, {depth} deep"


LATENCIES = {
    "virtio_doorbell_ns": "virtio doorbell, until stored",
    "virtio_used_ns": "virtio doorbell to used ring",
    "virtio_interrupt_ns": "virtio doorbell to interrupt handler",
}
