#!/usr/bin/python3
"""Debian's spice-vdagent and spice-webdavd in a guest, restored from a snapshot in which they run, with spice-gtk as their client.
AGENT_MIB is the size of the files that go to and fro."""
import hashlib
import os
import struct
import sys
import tempfile
import zlib

from agent_test import CLIENT_MODE, SERVER_MODE, TEXT, AgentClient
from guests import TIMEOUT, desktop, restored
from harness import SpiceClient, check, run_cases, wait_for

IMAGE_PNG = 2
MIB = int(os.environ.get("AGENT_MIB", "4"))
CLIPBOARD, PRIMARY = 0, 1
SIZES = ((800, 600), (1280, 1024))  # that VESA and X both know

guest = None


def boot(*arguments):
    # With a tablet on USB there would be no way back to server mode.
    return desktop("virtio", "--webdav", "on", "--usb", "off", *arguments)


def start_agent(new):
    new.wait("guest: desktop")
    new.wait_shell()
    new.run("agent")
    wait_for("the agent", lambda: "opening vdagent virtio channel" in new.run("cat /tmp/vdagentd.log"), TIMEOUT)


def restored_guest():
    global guest
    if guest is None:
        guest = restored("agent", boot, start_agent)
        guest.__enter__()
    return guest


class Client(AgentClient):
    """Gives what it offers to a guest that asks for it."""

    def __init__(self):
        self.offers = {}
        super().__init__(restored_guest().vmm.port)
        self.wait("the agent", self.agent, TIMEOUT)
        # The first message of the agent to a client says what it can.
        self.wait("the agent's capabilities", lambda: self.spice.MainChannel.agent_test_capability(self.main, 6), TIMEOUT)

    def offer(self, selection, kind, data):
        self.offers[selection, kind] = data
        self.spice.MainChannel.clipboard_selection_grab(self.main, selection, [kind])

    def _request(self, channel, selection, kind):
        self.spice.MainChannel.clipboard_selection_notify(channel, selection, kind, self.offers[selection, kind])
        return True

    def ask(self, selection, kind):
        """What the guest has in its clipboard, as soon as it says that it has something."""
        self.wait("the guest's clipboard", lambda: selection in self.grabs, TIMEOUT)
        self.grabs.clear()
        self.clipboard = None
        self.spice.MainChannel.clipboard_selection_request(self.main, selection, kind)
        self.wait("what is in it", lambda: self.clipboard, TIMEOUT)
        check(self.clipboard[:2] == (selection, kind), f"another clipboard: {self.clipboard[:2]}")
        return self.clipboard[2]

    def wants(self, width, height):
        """As a window of that size."""
        self.spice.MainChannel.update_display_enabled(self.main, 0, True, False)
        self.spice.MainChannel.update_display(self.main, 0, 0, 0, width, height, True)

    def point(self, x, y):
        """Moves there until the pointer is there: with each size of the screen the guest gets a new tablet, which takes its time."""
        # libinput and X have one step too few between them, and round down.
        places = ((x, y), (max(x - 1, 0), max(y - 1, 0)))

        def there():
            for place in ((x + 1, y + 1), (x, y)):
                self.spice.InputsChannel.position(self.channels[3, 0], *place, 0, 0)
            self.pump(0.1)
            return place_of_the_pointer() in places and place_of_the_tablet() == (x, y)
        wait_for(f"the pointer at {x}, {y}", there, TIMEOUT)


def picture(width=64, height=48):
    """A PNG that does not pack."""
    def part(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + os.urandom(3 * width) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + part(b"IDAT", zlib.compress(rows)) +
            part(b"IEND", b""))


def digest(data):
    return hashlib.sha256(data).hexdigest()


def guests_digest(path):
    return guest.run(f"sha256sum {path}").split()[0]


def clipboard_both_ways():
    client = Client()
    text = "".join(f"Zeile {i}: äöü €\n" for i in range(5000)).encode()
    for kind, target, data in ((TEXT, "UTF8_STRING", text), (IMAGE_PNG, "image/png", picture())):
        for selection, name in ((CLIPBOARD, "clipboard"), (PRIMARY, "primary")):
            client.offer(selection, kind, data)
            wait_for("the offer", lambda: target in guest.run(f"xclip -o -selection {name} -t TARGETS"), TIMEOUT, 0.2)
            guest.run(f"xclip -o -selection {name} -t {target} > /tmp/pasted")
            check(guests_digest("/tmp/pasted") == digest(data), f"the guest got another {target}")
    for kind, target in ((TEXT, "UTF8_STRING"), (IMAGE_PNG, "image/png")):
        for selection, name in ((CLIPBOARD, "clipboard"), (PRIMARY, "primary")):
            guest.run(f"cat /tmp/pasted /tmp/pasted | base64 > /tmp/copied; xclip -i -selection {name} -t {target} /tmp/copied")
            check(digest(client.ask(selection, kind)) == guests_digest("/tmp/copied"), f"the client got another {target}")
    client.close()


def file_arrives_whole():
    from gi.repository import Gio
    client = Client()
    with tempfile.NamedTemporaryFile(prefix="sent-") as file:
        contents = os.urandom(1 << 20) * MIB
        file.write(contents)
        file.flush()
        results = []
        client.spice.MainChannel.file_copy_async(client.main, [Gio.File.new_for_path(file.name)], Gio.FileCopyFlags.NONE, None,
                                                 None, None, lambda channel, result, _=None: results.append(result))
        client.wait("the end of the transfer", lambda: results, TIMEOUT)
        client.spice.MainChannel.file_copy_finish(client.main, results[0])
        received = "/tmp/received/" + os.path.basename(file.name)
        check(guests_digest(received) == digest(contents), "another file arrived")
        guest.run("rm " + received)
    client.close()


def place_of_the_tablet():
    """As the kernel has it: EVIOCGABS of both axes, whose first word is the value."""
    tablet = guest.run("grep -lx 'spice vdagent tablet' /sys/class/input/event*/device/name").split("/")
    if len(tablet) != 7:
        return None
    said = guest.run("python3 -c 'import fcntl; tablet = open(\"/dev/input/%s\", \"rb\"); "
                     "print(*(int.from_bytes(fcntl.ioctl(tablet, 0x80184540 + axis, bytes(24))[:4], \"little\") for axis in (0, 1)))'" % tablet[4])
    return tuple(map(int, said.split())) if said.replace(" ", "").isdigit() else None


def place_of_the_pointer():
    words = dict(word.split(":") for word in guest.run("xdotool getmouselocation").split())
    return int(words["x"]), int(words["y"])


def screen_follows_the_window_and_the_pointer_hits_its_corners():
    client = Client()
    client.wait("client mode", lambda: client.mode() == CLIENT_MODE, TIMEOUT)
    client.wait("the inputs channel", lambda: (3, "opened") in client.events)
    for width, height in SIZES:
        client.wants(width, height)
        client.wait(f"a screen of {width}x{height}", lambda: client.primary and client.primary[:2] == (width, height), TIMEOUT)
        check(f"current {width} x {height}," in guest.run("xrandr 2>/dev/null"), "X has another size")
        for x, y in ((width - 1, height - 1), (0, 0), (width // 2, height // 3)):
            client.point(x, y)
    client.close()


def agent_that_ends_comes_back():
    client = Client()
    client.wait("client mode", lambda: client.mode() == CLIENT_MODE, TIMEOUT)
    guest.run("killall -9 spice-vdagentd spice-vdagent")
    client.wait("the agent's end", lambda: not client.agent(), TIMEOUT)
    client.wait("server mode", lambda: client.mode() == SERVER_MODE, TIMEOUT)
    guest.run("agent-daemons")
    client.wait("the agent", client.agent, TIMEOUT)
    client.wait("client mode", lambda: client.mode() == CLIENT_MODE, TIMEOUT)
    client.close()


def folder_of_the_client_is_mounted():
    restored_guest()
    with tempfile.TemporaryDirectory() as folder:
        contents = os.urandom(1 << 20) * MIB
        with open(os.path.join(folder, "from-client"), "wb") as file:
            file.write(contents)
        client = SpiceClient(guest.vmm.port)
        client.session.set_property("shared-dir", folder)
        client.wait("the channel", lambda: (11, 0) in client.channels)
        channel = client.channels[11, 0]
        client.spice.Channel.connect(channel)
        client.wait("spice-webdavd", lambda: channel.get_property("port-opened"), TIMEOUT)
        # It begins anew when a client has left, which takes it a second.
        wait_for("the folder", lambda: guest.run("mount.davfs http://127.0.0.1:9843/ /mnt/client && echo mounted").endswith("mounted"),
                 TIMEOUT, 1)
        check("from-client" in guest.run("ls /mnt/client"), "the folder does not show its file")
        check(guests_digest("/mnt/client/from-client") == digest(contents), "another file arrived in the guest")
        guest.run("cp /mnt/client/from-client /mnt/client/from-guest; umount /mnt/client")
        with open(os.path.join(folder, "from-guest"), "rb") as file:
            check(digest(file.read()) == digest(contents), "another file arrived at the client")
        client.close()


def logs_are_free_of_errors():
    restored_guest()
    check(guest.run("grep -c 'pci/0000/02.0' /tmp/vdagent.log") != "0", "the agent does not know which device its display is")
    for log in ("vdagentd", "webdavd"):
        # Without systemd vdagentd has no sessions to ask about.
        said = guest.run(f"grep -iE 'error|invalid|fail|critical|AIIEEE' /tmp/{log}.log | grep -v session_info_session_is_locked")
        check(not said, f"{log}: {said}")


CASES = {function.__name__: function for function in (
    clipboard_both_ways, file_arrives_whole, screen_follows_the_window_and_the_pointer_hits_its_corners,
    folder_of_the_client_is_mounted, logs_are_free_of_errors, agent_that_ends_comes_back)}

if __name__ == "__main__":
    try:
        sys.exit(run_cases(CASES))
    finally:
        if guest is not None:
            guest.__exit__(None, None, None)
