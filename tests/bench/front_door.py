"""The SPICE server's front door beside QEMU's: links with a ticket, bulk over TLS, and what more clients cost."""
import os
import statistics
import subprocess
import tempfile

from harness import GUESTS, MINIVMM, ROOT, free_port, wait_for

CLIENT = os.path.join(ROOT, "build/release/tests/spice_client")
BOOT_SECTORS = os.path.join(GUESTS, "boot_sector")
PASSWORD = "secret"
LINKS = 40
PICTURES = 20
WATCH_SECONDS = 8


def command(side, image, spice, accel):
    path = os.path.join(BOOT_SECTORS, image)
    if side == "minivmm":
        return [MINIVMM, "--memory", "64M", "--accel", accel, "--disk", path + ",snapshot=on", "--spice", spice]
    return ["qemu-system-x86_64", "-name", "bench,debug-threads=on", "-machine", "pc", "-accel", "tcg" if accel == "soft" else accel, "-m", "64", "-vga", "qxl",
            "-nodefaults", "-display", "none", "-drive", f"file={path},format=raw,snapshot=on", "-spice", spice]


class Server:
    """One side's process, with a boot sector as its guest."""

    def __init__(self, side, image, spice, accel="kvm"):
        # libspice lets a second client in only if it is told so.
        self.process = subprocess.Popen(command(side, image, spice, accel), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={**os.environ, "SPICE_DEBUG_ALLOW_MC": "1"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def server_ticks(self):
        """CPU time of all threads but those that run the guest."""
        total = 0
        folder = f"/proc/{self.process.pid}/task"
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/stat") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            if not name.startswith("vcpu") and not name.startswith("CPU "):
                total += sum(map(int, rest.split()[11:13]))
        return total


def client(*arguments):
    said = subprocess.run([CLIENT, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    return [line.split() for line in said.stdout.splitlines()] if said.returncode == 0 else None


def link(side):
    """Median ms from connecting to INIT, with a ticket."""
    port = free_port()
    with Server(side, "hello.img", f"port={port},addr=127.0.0.1,password={PASSWORD}"):
        wait_for("the first link", lambda: client("link", port, PASSWORD, 1), 60)
        return statistics.median(float(words[0]) for words in client("link", port, PASSWORD, LINKS))


def tls(side):
    """Median MB/s of whole pictures of 16 MB over TLS."""
    with tempfile.TemporaryDirectory() as folder:
        pki = os.path.join(folder, "pki")
        subprocess.run([MINIVMM, "--spice", "gen-certs=" + pki], check=True, stdout=subprocess.DEVNULL)
        port = free_port()
        spice = f"tls-port={port},addr=127.0.0.1,x509-dir={pki},disable-ticketing=on,image-compression=off"
        with Server(side, "still.img", spice):
            least = 2560 * 1600 * 4
            wait_for("the large mode", lambda: (got := client("picture", f"tls:{port}", 1)) and int(got[0][0]) > least, 120)
            return statistics.median(int(size) / 1000 / float(ms) for size, ms in client("picture", f"tls:{port}", PICTURES))


def watched(side, clients):
    """CPU ms of the server for each MB that a client gets, while `clients` see a screen of which all changes 18 times a
    second: pictures that some client is too slow for cost nothing, and count for nothing."""
    port = free_port()
    with Server(side, "moving.img", f"port={port},addr=127.0.0.1,disable-ticketing=on", "soft") as server:
        wait_for("a moving picture", lambda: (got := client("watch", port, 2, 1)) and int(got[0][0]) > 1_000_000, 60)
        before = server.server_ticks()
        got = client("watch", port, WATCH_SECONDS, clients)
        used = server.server_ticks() - before
        megabytes = statistics.mean(int(size) for (size,) in got) / 1e6
        return used * 1000 / os.sysconf("SC_CLK_TCK") / megabytes
