"""The bare guest `guest/qxl_bench` on KVM, in minivmm and in QEMU, with the same client attached that only reads.

Parts of what the guest does are named in its output; while it stands still before and after one, the client is asked what
has come, and the server's processor time is read: that of all threads but those that run the guest."""
import functools
import os
import statistics
import subprocess
import tempfile
import time

from harness import MINIVMM, ROOT, free_port, wait_for

GUEST = os.path.join(ROOT, "build/release/guests/qxl_bench.img")
CLIENT = os.path.join(ROOT, "build/release/tests/spice_client")
RECORDINGS = os.path.join(ROOT, "tests/data/replay")
PATIENCE = 900
MEASURED_MEMORY = ("surfaces", "references")  # to look at it takes processor time that others feel
SPICE = "port={port},addr=127.0.0.1,disable-ticketing=on,image-compression=auto_glz,jpeg-wan-compression=never,streaming-video=filter"


def minivmm_command(port, console):
    return [MINIVMM, "--accel", "kvm", "--memory", "64M", "--disk", GUEST + ",snapshot=on", "--spice", SPICE.format(port=port),
            "--debugcon", "file:" + console]


def qemu_command(port, console):
    return ["qemu-system-x86_64", "-name", "bench,debug-threads=on", "-machine", "pc", "-accel", "kvm", "-m", "64", "-vga", "qxl",
            "-nodefaults", "-display", "none", "-drive", f"file={GUEST},format=raw,snapshot=on", "-spice", SPICE.format(port=port),
            "-chardev", f"file,id=console,path={console}", "-device", "isa-debugcon,iobase=0x402,chardev=console",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]


class Client:
    def __init__(self, port):
        def connected():
            self.process = subprocess.Popen([CLIENT, "draws", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL, text=True)
            try:
                return self.arrived()
            except (BrokenPipeError, ValueError):
                self.process.wait()
                return None
        wait_for("the first link", connected, 60)

    def arrived(self):
        """Since the last call: bytes, messages, pictures of films, TSC at the end, ticks from each stamp."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        numbers = [int(word) for word in self.process.stdout.readline().split()]
        if not numbers:
            raise ValueError("the client has ended")
        return dict(zip(("bytes", "messages", "pictures", "last"), numbers)) | {"ways": numbers[4:]}

    def close(self):
        self.process.kill()
        self.process.wait()


class Run:
    """One boot of the guest, until it begins the part `until`, or to its end."""

    def __init__(self, command, until=None):
        self.figures, self.parts, self.said, self.last_cpu, self.watches_memory = {}, {}, 0, 0, False
        with tempfile.TemporaryDirectory() as folder:
            self.console, port = os.path.join(folder, "console"), free_port()
            self.process = subprocess.Popen(command(port, self.console), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
            try:
                self.client = Client(port)
                self.is_minivmm, self.until = command is minivmm_command, until
                self.follow()
                self.client.close()
            finally:
                self.process.kill()
                self.process.wait()

    def follow(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                if self.process.returncode != 1:
                    raise SystemExit(f"{self.process.args[0]} ended with {self.process.returncode}")
                return
            for line in self.new_lines():
                word, name, *number = (line + "  ").split(" ", 2)
                if word == "expected:":
                    raise SystemExit("the guest says: " + line)
                if word == "bench:":
                    self.figures[name] = int(number[0])
                elif word == "begin:":
                    if name == self.until:
                        return
                    self.begin(name)
                elif word == "end:":
                    self.end(name)
            if self.watches_memory:
                self.most_memory = max(self.most_memory, self.memory())
            time.sleep(0.02)
        raise SystemExit(f"{self.process.args[0]} does not come to an end")

    def new_lines(self):
        if not os.path.exists(self.console):
            return []
        with open(self.console, "rb") as console:
            console.seek(self.said)
            new = console.read()
        new = new[:new.rfind(b"\n") + 1]
        self.said += len(new)
        return new.decode(errors="replace").splitlines()

    def begin(self, name):
        self.client.arrived()
        self.watches_memory = self.is_minivmm and name in MEASURED_MEMORY
        if self.watches_memory:
            self.first_memory = self.most_memory = self.memory()
        self.last_cpu, self.last_time = self.cpu(), time.monotonic()

    def end(self, name):
        seconds = time.monotonic() - self.last_time
        time.sleep(0.4)  # the guest waits, too
        self.parts[name] = self.client.arrived() | {"cpu": self.cpu() - self.last_cpu, "seconds": seconds}
        if self.watches_memory:
            self.parts[name]["memory"] = max(self.most_memory, self.memory()) - self.first_memory
            self.watches_memory = False

    def cpu(self):
        """Seconds."""
        total = 0
        folder = f"/proc/{self.process.pid}/task"
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/comm") as file:
                name = file.read()
            if name.startswith(("vcpu", "CPU ")):
                continue
            with open(f"{folder}/{task}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def memory(self):
        """Resident bytes beside guest memory, which minivmm maps without reserve."""
        total, resident = 0, 0
        with open(f"/proc/{self.process.pid}/smaps") as file:
            for line in file:
                if line.startswith("Rss:"):
                    resident = int(line.split()[1])
                elif line.startswith("VmFlags:"):
                    total += 0 if " nr" in line else resident
        return total * 1024

    # Figures

    def rate(self, name):
        """Commands a second until all are drawn and released."""
        return self.figures[name + "_count"] * self.figures["tsc_khz"] * 1000 / self.figures[name + "_ticks"]

    def shown_rate(self, name):
        """The same, until the client has all of it, too."""
        ticks = max(self.figures[name + "_ticks"], self.parts[name]["last"] - self.figures[name + "_begun"])
        return self.figures[name + "_count"] * self.figures["tsc_khz"] * 1000 / ticks

    def cpu_each(self, name):
        """Microseconds."""
        return self.parts[name]["cpu"] * 1e6 / self.figures[name + "_count"]

    def way(self, name, percent):
        """Microseconds from a drawing until the client has read its last byte."""
        ways = sorted(self.parts[name]["ways"])
        least = {"soon": 270, "later": 90}[name]
        if len(ways) < least or ways[-1] > 1000 * self.figures["tsc_khz"]:
            raise SystemExit(f"{len(ways)} of the stamps have come, or the guest's TSC is not the host's")
        return ways[len(ways) * percent // 100] * 1000 / self.figures["tsc_khz"]


@functools.cache
def measure(rounds):
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(Run(minivmm_command))
        theirs.append(Run(qemu_command, until="references"))  # for which libspice-server would take minutes
    return ours, theirs


def measure_streams(rounds):
    """Only them, in seconds instead of minutes."""
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(Run(minivmm_command, until="ports"))
        theirs.append(Run(qemu_command, until="ports"))
    return ours, theirs


STREAMS = ("fills", "copies", "texts", "scrolls")


def stream_figures():
    """Title, unit, of one run, goal, whether more is better."""
    for name in STREAMS:
        yield f"QXL {name}, until drawn", "/s", lambda run, name=name: run.rate(name), 2.0, True
    for name in STREAMS:
        yield f"QXL {name}, until the client has them", "/s", lambda run, name=name: run.shown_rate(name), 2.0, True
    for name in STREAMS:
        yield f"QXL {name}, server's CPU for each", "us", lambda run, name=name: run.cpu_each(name), 0.7, False


def figures():
    """As above, of all."""
    yield from stream_figures()
    yield "QXL port that does nothing", "us", lambda run: run.figures["ports_plain_ns"] / 1000, 1.0, False
    yield "QXL UPDATE_AREA, CPU blocked beyond that", "us", blocked, 0.5, False
    for name, title in (("soon", "drawn every 0.5 to 8 ms"), ("later", "drawn every 25 to 35 ms")):
        for percent in (50, 90):
            yield (f"QXL ring to client, {title}, p{percent}", "us",
                   lambda run, name=name, percent=percent: run.way(name, percent), 0.5, False)
        yield f"QXL on the wire, {title}", "kB", lambda run, name=name: run.parts[name]["bytes"] / 1000, 1.05, False
    for name in ("photos", "windows"):
        yield f"QXL whole screens, {name}, CPU for each", "ms", lambda run, name=name: run.cpu_each(name) / 1000, 0.7, False
        yield f"QXL whole screens, {name}, on the wire", "kB", lambda run, name=name: run.parts[name]["bytes"] / 1000, 1.05, False
    yield "QXL film of 1080p, CPU for each frame", "ms", lambda run: run.cpu_each("film") / 1000, 0.7, False
    yield "QXL film of 1080p, frames at the client", "/s", lambda run: run.parts["film"]["pictures"] / run.parts["film"]["seconds"], 1.0, True


def blocked(run):
    return max(run.figures["ports_update_ns"] - run.figures["ports_plain_ns"], 0) / 1000


def own_figures(runs):
    """Lines about minivmm alone."""
    def median(figure):
        return statistics.median(figure(run) for run in runs)
    cores = median(lambda run: run.parts["film"]["cpu"] / run.parts["film"]["seconds"])
    yield f"{'QXL film of 1080p, 25 frames/s':41} minivmm {cores:9.2f} cores (goal <= 1)"
    beside = median(lambda run: (run.parts["surfaces"]["memory"] - run.figures["surfaces_bytes"]) / run.figures["surfaces_count"] / 1024)
    yield f"{'QXL surface, memory beside its pixels':41} minivmm {beside:9.2f} KiB (goal <= 4)"
    most = median(lambda run: run.parts["references"]["memory"] / 2**20)
    yield f"{'QXL 1000 commands with one picture of 4 MiB':41} minivmm {most:9.2f} MiB (goal <= 64 and one command)"


def replays(rounds):
    """Drawings a second and core of each recording, without a guest."""
    for name in sorted(os.listdir(RECORDINGS)):
        if not name.endswith(".rec.gz"):
            continue
        rates = []
        for _ in range(rounds):
            said = subprocess.run([MINIVMM, "replay", os.path.join(RECORDINGS, name)], capture_output=True, text=True, check=True).stdout
            line = next(line for line in said.splitlines() if "all drawings" in line)
            rates.append(float(line.split(",")[1].split()[0]))
        yield f"{'replay of ' + name[:-len('.rec.gz')]:41} minivmm {statistics.median(rates):9.0f} drawings/s of one core"
