"""Save and restore of a whole machine: a Debian desktop of 512 MiB on the CPU in software, minivmm's snapshots beside QEMU's
migration to a file without limits of bandwidth.

Each side boots once. In each round the machine is saved and ended, and another process goes on from the file until the shell
on the guest's serial port answers; that one is saved in the next round."""
import json
import os
import socket
import subprocess
import tempfile
import time

from harness import DEBIAN_GUESTS, MINIVMM, wait_for

BOOT_PATIENCE = 900
PATIENCE = 120
POLL_SECONDS = 0.005


class Minivmm:
    name = "minivmm"

    def command(self, folder, snapshot):
        command = [MINIVMM, "--accel", "soft", "--memory", "512M", "--disk", f"{folder}/disk", "--serial", f"unix:{folder}/serial",
                   "--qmp", f"unix:{folder}/qmp"]
        return command + (["--restore", snapshot] if snapshot else [])

    def save(self, qmp, snapshot):
        said = qmp("human-monitor-command", **{"command-line": "savevm " + snapshot})
        if said:
            raise SystemExit("savevm: " + said)


class Qemu:
    name = "QEMU"

    def command(self, folder, snapshot):
        command = ["qemu-system-x86_64", "-accel", "tcg", "-machine", "pc", "-m", "512", "-vga", "qxl", "-display", "none", "-nodefaults",
                   "-drive", f"file={folder}/disk,format=raw", "-serial", f"unix:{folder}/serial,server=on,wait=off",
                   "-qmp", f"unix:{folder}/qmp,server=on,wait=off"]
        return command + (["-incoming", f"exec:cat {snapshot}"] if snapshot else [])

    def save(self, qmp, snapshot):
        qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        qmp("migrate", uri=f"exec:cat > {snapshot}")
        status = "setup"
        while status != "completed":
            time.sleep(POLL_SECONDS)
            status = qmp("query-migrate").get("status")
            if status == "failed":
                raise SystemExit("QEMU's migration failed")


def connect(path):
    """The other end of a Unix socket as soon as somebody listens."""
    def attempt():
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            return connection
        except OSError:
            connection.close()
            return None
    return wait_for(path, attempt, PATIENCE, POLL_SECONDS)


class Machine:
    """One side's guest, which lives in one process after the other."""

    def __init__(self, side, folder):
        self.side, self.folder = side, os.path.join(folder, side.name)
        os.mkdir(self.folder)
        self.snapshot = os.path.join(self.folder, "snapshot")
        subprocess.run(["cp", "--sparse=always", os.path.join(DEBIAN_GUESTS, "desktop.img"), f"{self.folder}/disk"], check=True)
        self.process = None

    def start(self, snapshot=None):
        for name in ("serial", "qmp"):
            if os.path.exists(f"{self.folder}/{name}"):
                os.unlink(f"{self.folder}/{name}")
        self.process = subprocess.Popen(self.side.command(self.folder, snapshot), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.serial = connect(f"{self.folder}/serial")
        self.serial.setblocking(False)

    def boot(self):
        self.start()
        self.wait_serial("guest: desktop", BOOT_PATIENCE)
        self.answer()

    def wait_serial(self, text, patience):
        said = ""

        def heard():
            nonlocal said
            try:
                said += self.serial.recv(65536).decode(errors="replace")
            except BlockingIOError:
                pass
            return text in said
        wait_for(f"{text!r} from {self.side.name}'s guest", heard, patience, POLL_SECONDS)

    def answer(self):
        """Until the shell does a sum."""
        self.serial.sendall(b"echo sum $((40 + 2))\n")
        self.wait_serial("sum 42", PATIENCE)

    def qmp(self):
        connection = connect(f"{self.folder}/qmp")
        lines = connection.makefile("r")
        lines.readline()

        def execute(command, **arguments):
            connection.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            while True:
                answer = json.loads(lines.readline())
                if "error" in answer:
                    raise SystemExit(f"{self.side.name}: {command}: {answer['error']['desc']}")
                if "return" in answer:
                    return answer["return"]
        execute("qmp_capabilities")
        return execute

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def round(self):
        """Seconds to save, MiB of the file, seconds to restore."""
        qmp = self.qmp()
        begun = time.perf_counter()
        self.side.save(qmp, self.snapshot)
        saved = time.perf_counter() - begun
        self.end()
        size = os.path.getsize(self.snapshot) / 2**20
        os.sync()
        begun = time.perf_counter()
        self.start(self.snapshot)
        qmp = self.qmp()
        wait_for(f"{self.side.name} to run", lambda: qmp("query-status")["running"], PATIENCE, POLL_SECONDS)
        self.answer()
        return saved, size, time.perf_counter() - begun


def measure(rounds):
    """For each round what round() says, of minivmm and of QEMU."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        machines = [Machine(side, folder) for side in (Minivmm(), Qemu())]
        try:
            for machine in machines:
                machine.boot()
            results = [[], []]
            for _ in range(rounds):
                for machine, result in zip(machines, results):
                    result.append(machine.round())
            return results
        finally:
            for machine in machines:
                machine.end()
