"""Guests with a shell on their serial port, and how they come from a snapshot."""
import fcntl
import hashlib
import os
import socket

from harness import DEBIAN_GUESTS, MINIVMM, SNAPSHOTS, Failure, SerialShell, Vmm, check, wait_for
from keys import KEYS

TIMEOUT = 600  # of anything a guest does; instrumented builds are slow
# What evtest says when each button of a mouse was pressed once.
CLICKS = [f"(BTN_{name}), value {value}" for name in ("LEFT", "RIGHT", "MIDDLE", "SIDE", "EXTRA") for value in (1, 0)]
DISPLAY_FAULTS = "dmesg | grep -iE 'warning|call trace|bug:|qxl.*(error|fail)|drm.*(error|fail)'"  # as Linux words them


class Guest:
    """A machine with a shell on its serial port; a context manager that ends it. {directory} stands for its own folder."""

    def __init__(self, *arguments, **options):
        self.vmm = Vmm("--serial", "unix:{directory}/serial", *arguments, **options)
        self.shell = SerialShell(self.vmm, self.path("serial"))

    def path(self, name):
        return os.path.join(self.vmm.directory, name)

    def connect(self, name):
        """A Unix socket of the machine."""
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(TIMEOUT)
        peer.connect(self.path(name))
        return peer

    def wait(self, text):
        return self.shell.wait(text, TIMEOUT)

    def wait_shell(self):
        self.wait(self.shell.PROMPT)
        self.run("dmesg -n 1")  # the kernel's words stay out of the answers
        self.run("stty columns 999")  # its echo of a longer line would be broken

    def run(self, line):
        return self.shell.run(line, TIMEOUT)

    def ends(self, command):
        """The command ends the machine."""
        self.shell.send(command)
        check(self.vmm.wait_exit(TIMEOUT) == 0, f"{command!r} ended minivmm with {self.vmm.process.returncode}")

    def __enter__(self):
        self.vmm.__enter__()
        return self

    def __exit__(self, *failure):
        self.vmm.__exit__(*failure)


class KernelGuest(Guest):
    """A kernel with a shell and the modules that its devices need."""
    GENERIC = ("generic/vmlinuz", "devices.initrd")
    I386_INSTALLER = ("installer-i386/linux", "devices-i386.initrd")

    def __init__(self, *arguments, system=GENERIC, append="", modules=(), **options):
        kernel, initrd = (os.path.join(DEBIAN_GUESTS, name) for name in system)
        super().__init__("--kernel", kernel, "--initrd", initrd, "--append", "console=ttyS0 " + append, "--memory", "512M",
                         *arguments, **options)
        if "--restore" in arguments:
            return
        self.wait_shell()
        for module in modules:
            self.run("modprobe " + module)


def desktop(disk, *arguments):
    """Debian on a disk, from its power-on."""
    return Guest("--disk", f"{os.path.join(DEBIAN_GUESTS, 'desktop.img')},if={disk},snapshot=on", "--memory", "512M", *arguments)


def restored(name, boot, prepare):
    """boot(*arguments) is a guest; what comes back is one after prepare(guest), which is done once for each build."""
    os.makedirs(SNAPSHOTS, exist_ok=True)
    image = os.path.join(DEBIAN_GUESTS, "desktop.img")
    age = [str(os.stat(path).st_mtime_ns) for path in (MINIVMM, image)]
    snapshot = os.path.join(SNAPSHOTS, name + "-" + hashlib.sha256(" ".join(age).encode()).hexdigest()[:16])
    with open(os.path.join(SNAPSHOTS, name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(snapshot):
            for other in os.listdir(SNAPSHOTS):
                if other.startswith(name + "-"):
                    os.unlink(os.path.join(SNAPSHOTS, other))
            with boot() as guest:
                prepare(guest)
                check(guest.vmm.hmp("savevm " + snapshot) == "", "savevm failed")
    return boot("--restore", snapshot)


def record_input(guest):
    """evtest writes to /tmp/event* what the devices of those names in /dev/input say. All are open when this returns: what a USB
    device says before that, or while Linux opens it, is lost."""
    guest.run("for e in /dev/input/event*; do evtest $e > /tmp/$(basename $e) 2>&1 & done")
    closed = "for e in /dev/input/event*; do grep -q Testing /tmp/$(basename $e) || echo $e; done"
    wait_for("evtest", lambda: guest.run(closed) == "", TIMEOUT)


def recorded(guest, files, *events):
    """Waits until all these events are in what evtest has written to the files."""
    guest.run(": > /tmp/wanted")
    for at in range(0, len(events), 20):  # the shell takes lines of up to 1 KiB
        guest.run("printf '%s\\n' " + " ".join(f"'{event}'" for event in events[at:at + 20]) + " >> /tmp/wanted")
    missing = f"cat {files} > /tmp/seen; while read -r l; do grep -qF \"$l\" /tmp/seen || echo \"$l\"; done < /tmp/wanted"
    left = []

    def complete():
        left[:] = guest.run(missing).splitlines()
        return not left

    try:
        wait_for("events", complete, TIMEOUT / 10, 0.5)
    except Failure as failure:
        raise Failure(f"{failure}; {files} lack {left}") from None


def press_every_key(guest, files, together):
    """All of KEYS, as many at a time as the keyboard keeps for a slow guest; waits until evtest has them in the files."""
    names = list(KEYS)
    for at in range(0, len(names), together):
        group = names[at:at + together]
        for name in group:
            guest.vmm.hmp(f"sendkey {name} 10")
        recorded(guest, files, *(f"(KEY_{KEYS[name]}), value {value}" for name in group for value in (1, 0)))


def press_every_button(client):
    """As CLICKS has it, and the wheel up and down."""
    for button in (1, 2, 3, 4, 5, 6, 7):  # left, middle, right, wheel up and down, side, extra
        client.spice.InputsChannel.button_press(client.channels[3, 0], button, 0)
        client.pump(0.1)
        client.spice.InputsChannel.button_release(client.channels[3, 0], button, 0)
        client.pump(0.1)
