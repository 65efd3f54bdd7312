"""Drives minivmm as a user does: a process, its QMP socket, its SPICE port, real SPICE clients.

Waits are for events and pictures, never for time to pass; every wait has a limit and says what it waited for. Run with
/usr/bin/python3, which sees Debian's python3-gi."""
import collections
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ACCEL = os.environ.get("ACCEL", "soft")
MINIVMM = os.environ.get("MINIVMM", os.path.join(ROOT, "build/release/minivmm"))
GUESTS = os.environ.get("GUESTS", os.path.join(ROOT, "build/release/tests/guest"))
DEBIAN_GUESTS = os.environ.get("DEBIAN_GUESTS", os.path.join(ROOT, "build/guests"))
SNAPSHOTS = os.environ.get("SNAPSHOTS", os.path.join(ROOT, "build/release/tests/snapshots"))
GOLDEN = os.path.join(ROOT, "tests/golden")
UUID = "01234567-89ab-cdef-0123-456789abcdef"

Picture = collections.namedtuple("Picture", "width height rgb")


class Failure(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failure(message)


def wait_for(what, probe, timeout=60, pause=0.05):
    """Polls probe() until it answers something true; its answer is returned. SPICE clients live on meanwhile."""
    end = time.monotonic() + timeout
    while True:
        for client in list(SpiceClient.connected):
            client.pump()
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"waited {timeout} s in vain for {what}")
        time.sleep(pause)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def read_ppm(path):
    data = read_file(path)
    fields, at = [], 0
    while len(fields) < 4:
        end = at
        while data[end:end + 1] not in (b" ", b"\n"):
            end += 1
        if data[at:at + 1] == b"#":
            end = data.index(b"\n", at)
        elif end > at:
            fields.append(data[at:end])
        at = end + 1
    return Picture(int(fields[1]), int(fields[2]), data[at:])


def read_picture(path):
    """Any format ImageMagick reads."""
    ppm = subprocess.run(["convert", path, "-depth", "8", "ppm:-"], check=True, stdout=subprocess.PIPE).stdout
    with tempfile.NamedTemporaryFile(suffix=".ppm") as file:
        file.write(ppm)
        file.flush()
        return read_ppm(file.name)


def differing_cells(a, b, cell=(9, 16)):
    """The character cells in which two pictures differ; None if their sizes do, or one is nothing."""
    if a is None or b is None or (a.width, a.height) != (b.width, b.height):
        return None
    cells = set()
    stride = a.width * 3
    for y in range(a.height):
        row_a, row_b = a.rgb[y * stride:(y + 1) * stride], b.rgb[y * stride:(y + 1) * stride]
        if row_a != row_b:
            cells.update((x // 3 // cell[0], y // cell[1]) for x in range(0, stride, 3) if row_a[x:x + 3] != row_b[x:x + 3])
    return cells


def same_screen(a, b, lines=None):
    """Equal but for one character cell: the blinking cursor. With `lines`, a range, only these lines of text count."""
    cells = differing_cells(a, b)
    return cells is not None and len([cell for cell in cells if lines is None or cell[1] in lines]) <= 1


class Vmm:
    """A running minivmm with QMP; a context manager that ends it."""

    def __init__(self, *arguments, spice=True, qmp=True, uuid=True, accel=ACCEL, pass_fds=()):
        self.directory = tempfile.mkdtemp(prefix="minivmm-test-")
        self.port = free_port() if spice else None
        self.tls_port = free_port() if spice else None
        self.qmp_path = os.path.join(self.directory, "qmp")
        command = [MINIVMM, "--accel", accel, *(argument.replace("{directory}", self.directory) for argument in arguments)]
        if spice is True:
            command += ["--spice", str(self.port)]
        elif spice:
            command += ["--spice", spice.format(port=self.port, tls_port=self.tls_port, directory=self.directory)]
        if qmp:
            command += ["--qmp", "unix:" + self.qmp_path]
        if uuid:
            command += ["--uuid", UUID]
        self.log = open(os.path.join(self.directory, "log"), "w+")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        pass_fds=pass_fds)
        self.events = []
        self.socket = None
        if qmp:
            self._connect_qmp()

    def _connect_qmp(self):
        def connect():
            if self.process.poll() is not None:
                raise Failure(f"minivmm ended with {self.process.returncode}: {self.output()}")
            try:
                attempt = socket.socket(socket.AF_UNIX)
                attempt.connect(self.qmp_path)
                return attempt
            except OSError:
                return None
        self.socket = wait_for("the QMP socket", connect, 60)
        self.socket.settimeout(120)
        self.lines = self.socket.makefile("r")
        self.greeting = json.loads(self.lines.readline())
        self.qmp("qmp_capabilities")

    def qmp(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            line = self.lines.readline()
            check(line, f"QMP ended during {command}: {self.output()}")
            answer = json.loads(line)
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise Failure(f"{command}: {answer['error']['desc']}")
            else:
                return answer["return"]

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line})

    def screen(self):
        path = os.path.join(self.directory, "screen.ppm")
        self.qmp("screendump", filename=path)
        return read_ppm(path)

    def wait_screen(self, golden, timeout, lines=None):
        """Until the screen shows tests/golden/NAME.png; on failure the last screen is kept beside the logs."""
        wanted = read_picture(os.path.join(GOLDEN, golden + ".png"))
        try:
            return wait_for(f"the screen {golden}", lambda: same_screen(self.screen(), wanted, lines), timeout, 0.5)
        except Failure as failure:
            kept = os.path.join(tempfile.gettempdir(), f"minivmm-{golden}-failed.png")
            self.qmp("screendump", filename=kept, format="png")
            raise Failure(f"{failure}; the last screen is {kept}") from None

    def output(self):
        self.log.flush()
        with open(self.log.name) as file:
            return file.read()

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_exit(self, timeout=30):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"minivmm did not end within {timeout} s") from None

    def kill(self):
        """As a power cut for the process."""
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                status = self.process.wait(20)
                check(status == 0, f"SIGTERM ended minivmm with {status}: {self.output()}")
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Failure("SIGTERM did not end minivmm") from None
        if self.socket:
            self.socket.close()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print(f"--- minivmm's log:\n{self.output()}", file=sys.stderr)
        self.close()


class SerialShell:
    """A guest's serial port on a Unix socket, with a shell behind it."""
    PROMPT = "/ # "

    def __init__(self, vmm, path):
        self.vmm, self.said = vmm, ""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)

    def _receive(self):
        try:
            self.said += self.socket.recv(65536).decode(errors="replace")
        except BlockingIOError:
            pass
        return self.said

    def wait(self, text, timeout):
        """What the guest said up to `text`, which is taken away with it."""
        try:
            wait_for(f"{text!r} from the guest", lambda: text in self._receive(), timeout)
        except Failure as failure:
            raise Failure(f"{failure}; its last words: {self.said[-500:]!r}") from None
        before, _, self.said = self.said.partition(text)
        return before

    def send(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def run(self, line, timeout=60):
        """What a command printed."""
        self.send(line)
        self.wait("\n", timeout)  # the echo
        return self.wait(self.PROMPT, timeout).replace("\r", "").strip()


class SpiceClient:
    """spice-gtk through its GObject bindings, driven from one main context."""
    connected = set()

    def __init__(self, port, password=None, host="127.0.0.1", **properties):
        """`properties` are those of SpiceSession, with _ for -: tls_port, ca_file, unix_path, username."""
        import gi
        gi.require_version("SpiceClientGLib", "2.0")
        from gi.repository import GLib, GObject, SpiceClientGLib
        self.spice, self.glib, self.gobject = SpiceClientGLib, GLib, GObject
        self.context = GLib.MainContext.default()
        self.session = SpiceClientGLib.Session()
        if host is not None:
            self.session.set_property("host", host)
        if port is not None:
            self.session.set_property("port", str(port))
        for name, value in properties.items():
            self.session.set_property(name.replace("_", "-"), value)
        if password is not None:
            self.session.set_property("password", password)
        self.channels, self.events, self.primaries, self.marked = {}, [], {}, 0
        self.invalidations = 0
        GObject.Object.connect(self.session, "channel-new", self._channel_new)
        SpiceClientGLib.Session.connect(self.session)
        SpiceClient.connected.add(self)

    def _channel_new(self, _session, channel):
        kind = channel.get_property("channel-type")
        self.channels[kind, channel.get_property("channel-id")] = channel
        connect = self.gobject.Object.connect
        connect(channel, "channel-event", lambda c, event: self.events.append((kind, event.value_nick)))
        if kind == 2:
            connect(channel, "display-primary-create", self._primary)
            connect(channel, "display-mark", self._mark)
            connect(channel, "display-invalidate", self._invalidate)
        if kind <= 4:
            self.spice.Channel.connect(channel)

    def _primary(self, channel, _format, width, height, stride, _shm, data):
        self.primaries[channel.get_property("channel-id")] = (width, height, stride, data)

    @property
    def primary(self):
        """Of the first display."""
        return self.primaries.get(0)

    def _mark(self, *_):
        self.marked += 1

    def _invalidate(self, *_):
        self.invalidations += 1

    def pump(self, seconds=0.0):
        """Runs what is pending, waiting at most `seconds` for something."""
        end = time.monotonic() + seconds
        while self.context.iteration(False) or time.monotonic() < end:
            if not self.context.pending():
                time.sleep(0.005)

    def wait(self, what, probe, timeout=30):
        return wait_for(what, probe, timeout, 0.01)

    def wait_picture(self, timeout=30):
        self.wait("a first picture", lambda: self.primary and self.marked, timeout)

    def screen(self, display=0):
        """Nothing while the guest changes its mode and there is no surface."""
        if self.primaries.get(display) is None:
            return None
        width, height, stride, data = self.primaries[display]
        raw = ctypes.string_at(data, stride * height)
        rgb = bytearray(width * height * 3)
        for y in range(height):
            row = raw[y * stride:y * stride + width * 4]
            out = bytearray(width * 3)
            out[0::3], out[1::3], out[2::3] = row[2::4], row[1::4], row[0::4]
            rgb[y * width * 3:(y + 1) * width * 3] = out
        return Picture(width, height, bytes(rgb))

    def key(self, scancode):
        # Before that spice-gtk drops keys without a word.
        self.wait("the inputs channel", lambda: (3, "opened") in self.events)
        self.spice.InputsChannel.key_press_and_release(self.channels[3, 0], scancode)

    def type(self, scancodes):
        for scancode in scancodes:
            self.key(scancode)
            self.pump(0.05)

    def prefer_compression(self, number):
        """1 off, 2 auto_glz, 3 auto_lz, 4 quic, 5 glz, 6 lz, 7 lz4."""
        self.spice.DisplayChannel.display_change_preferred_compression(self.channels[2, 0], number)
        self.pump(0.05)

    def close(self):
        SpiceClient.connected.discard(self)
        self.spice.Session.disconnect(self.session)
        self.pump(0.05)


def run_cases(cases):
    """Runs named cases, or those named on the command line; one line each, exit status for CTest."""
    wanted = sys.argv[1:] or list(cases)
    failed = 0
    for name in wanted:
        start = time.monotonic()
        try:
            cases[name]()
            print(f"ok   {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except (Failure, OSError, subprocess.SubprocessError) as failure:
            failed += 1
            print(f"FAIL {name}: {failure}", flush=True)
    sys.exit(1 if failed else 0)
