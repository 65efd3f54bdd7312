"""The way of the pointer in server mode, beside QEMU's: the client's motion goes through the PS/2 mouse to the bare guest
`guest/pointer_bench` on KVM, which moves its pointer by the QXL device's cursor ring, and that comes back as the cursor channel's
MOVE. What is measured is the whole way, the guest's share included."""
import os
import subprocess
import tempfile

from harness import MINIVMM, ROOT, free_port, read_file, wait_for

GUEST = os.path.join(ROOT, "build/release/guests/pointer_bench.img")
CLIENT = os.path.join(ROOT, "build/release/tests/spice_client")
MOTIONS = 300
PATIENCE = 300


def command(side, port, console):
    """Neither has a tablet or an agent: clients stay in server mode."""
    spice = f"port={port},addr=127.0.0.1,disable-ticketing=on"
    if side == "minivmm":
        return [MINIVMM, "--accel", "kvm", "--memory", "64M", "--disk", GUEST + ",snapshot=on", "--spice", spice, "--usb", "off",
                "--agent", "off", "--debugcon", "file:" + console]
    return ["qemu-system-x86_64", "-machine", "pc", "-accel", "kvm", "-m", "64", "-vga", "qxl", "-nodefaults", "-display", "none",
            "-drive", f"file={GUEST},format=raw,snapshot=on", "-spice", spice, "-chardev", f"file,id=console,path={console}",
            "-device", "isa-debugcon,iobase=0x402,chardev=console"]


def ways(side):
    """Milliseconds of each motion, sorted, after some that warm up."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        console = os.path.join(folder, "console")
        process = subprocess.Popen(command(side, port, console), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            wait_for("the guest", lambda: os.path.exists(console) and b"bench: pointer" in read_file(console), PATIENCE, 0.1)
            said = subprocess.run([CLIENT, "moves", str(port), str(MOTIONS)], capture_output=True, text=True, timeout=PATIENCE, check=True)
            return sorted(map(float, said.stdout.split()[MOTIONS // 10:]))
        finally:
            process.kill()
            process.wait()


def percentile(sorted_ways, percent):
    return sorted_ways[len(sorted_ways) * percent // 100]
