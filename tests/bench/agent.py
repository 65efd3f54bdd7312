"""The agent's port and a plain one, beside QEMU's: the bare guest `guest/port_bench` on KVM at one end, the SPICE client
`port_client` at the other, both through virtio-serial."""
import os
import subprocess

from harness import MINIVMM, ROOT, free_port, wait_for

GUEST = os.path.join(ROOT, "build/release/guests/port_bench.img")
CLIENT = os.path.join(ROOT, "build/release/tests/port_client")
MIB = 64
PATIENCE = 300
TITLES = {
    "agent_to_client": "agent's port, guest to client",
    "agent_from_client": "agent's port, client to guest",
    "port_to_client": "plain port, guest to client",
    "port_from_client": "plain port, client to guest",
}


def command(side, port):
    """In both, port 1 is the agent's and port 2 the plain one."""
    spice = f"port={port},addr=127.0.0.1,disable-ticketing=on"
    if side == "minivmm":
        return [MINIVMM, "--accel", "kvm", "--memory", "256M", "--disk", GUEST + ",snapshot=on", "--spice", spice,
                "--spiceport", "bench.port", "--webdav", "off"]
    return ["qemu-system-x86_64", "-machine", "pc", "-accel", "kvm", "-m", "256", "-vga", "qxl", "-nodefaults", "-display", "none",
            "-drive", f"file={GUEST},format=raw,snapshot=on", "-spice", spice, "-device", "virtio-serial-pci",
            "-chardev", "spicevmc,id=agent,name=vdagent", "-device", "virtserialport,chardev=agent,nr=1,name=com.redhat.spice.0",
            "-chardev", "spiceport,id=plain,name=bench.port", "-device", "virtserialport,chardev=plain,nr=2,name=bench.port"]


def client(port, mib):
    """MB/s by name, None while the guest is not up."""
    said = subprocess.run([CLIENT, str(port), str(mib)], capture_output=True, text=True, timeout=PATIENCE)
    return {name: float(rate) for name, rate in map(str.split, said.stdout.splitlines())} if said.returncode == 0 else None


def rates(side):
    """MB/s by name, after a short turn that warms up."""
    port = free_port()
    process = subprocess.Popen(command(side, port), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("the guest", lambda: client(port, 1), PATIENCE, 0.5)
        return wait_for("the rates", lambda: client(port, MIB), PATIENCE, 0.5)
    finally:
        process.kill()
        process.wait()
