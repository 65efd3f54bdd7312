#!/usr/bin/python3
"""The agent's port and clients' ports and folders, with spice-gtk at one end. At the other a guest with Debian's kernel passes the
bytes of its ports on to sockets of this program, which is the agent."""
import hashlib
import os
import struct
import sys
import tempfile

from guests import TIMEOUT, KernelGuest
from harness import SpiceClient, check, run_cases, wait_for

MOUSE_STATE, MONITORS_CONFIG, REPLY, CLIPBOARD = 1, 2, 3, 4
ANNOUNCE_CAPABILITIES, CLIPBOARD_GRAB, CLIPBOARD_REQUEST, CLIPBOARD_RELEASE = 6, 7, 8, 9
FILE_XFER_START, FILE_XFER_STATUS, FILE_XFER_DATA, CLIENT_DISCONNECTED, DEVICE_INFO = 10, 11, 12, 13, 16
CAPABILITIES = sum(1 << bit for bit in (0, 1, 2, 5, 6, 7, 12, 15))
CAN_SEND, SUCCESS = 0, 3
CAN_MOUSE, CAN_CLIPBOARD, CAN_NOT_TRANSFER = 0, (3, 5, 6), 13  # of capabilities
TEXT = 1
CLIENT_MODE, SERVER_MODE = 2, 1
OPEN = "port={port},addr=127.0.0.1,disable-ticketing=on"
FORBIDDING = OPEN + ",disable-copy-paste=on,disable-agent-file-xfer=on,agent-mouse=off"
SIDE, EXTRA = 6, 7  # buttons
OPENED, CLOSED, BREAK = 0, 1, 2  # events of a port

guest = None


class Agent:
    """What vdagentd is to its port."""

    def __init__(self, peer):
        self.peer, self.received, self.parts, self.messages = peer, b"", {1: b"", 2: b""}, []
        peer.setblocking(False)

    def send(self, kind, body):
        message = struct.pack("<IIQI", 1, kind, 0, len(body)) + body
        self.peer.setblocking(True)
        for at in range(0, len(message), 2048):
            piece = message[at:at + 2048]
            self.peer.sendall(struct.pack("<II", 1, len(piece)) + piece)
        self.peer.setblocking(False)

    def look(self):
        """All messages so far: (port, type, body)."""
        try:
            while True:
                self.received += self.peer.recv(1 << 20)
        except BlockingIOError:
            pass
        while len(self.received) >= 8:
            port, size = struct.unpack_from("<II", self.received)
            if len(self.received) < 8 + size:
                break
            self.parts[port] += self.received[8:8 + size]
            self.received = self.received[8 + size:]
            part = self.parts[port]
            if len(part) >= 20 and len(part) >= 20 + struct.unpack_from("<I", part, 16)[0]:
                kind, size = struct.unpack_from("<I", part, 4)[0], struct.unpack_from("<I", part, 16)[0]
                check(len(part) == 20 + size, "a message does not end with its piece")
                self.messages.append((port, kind, part[20:]))
                self.parts[port] = b""
                if kind == CLIENT_DISCONNECTED:
                    self.parts[1] = b""
        return self.messages

    def wait(self, kind, what, suits=lambda body: True):
        """The next message of a kind, taken away with all before it."""
        def find():
            for at, (_, its, body) in enumerate(self.look()):
                if its == kind and suits(body):
                    del self.messages[:at + 1]
                    return (body,)
            return None
        return wait_for(what, find, TIMEOUT, 0.01)[0]


class AgentClient(SpiceClient):
    """A client with a clipboard."""

    def __init__(self, port):
        super().__init__(port)
        self.wait("the main channel", lambda: (1, 0) in self.channels)
        self.main = self.channels[1, 0]
        self.grabs, self.requests, self.clipboard, self.ended = [], [], None, None
        connect = self.gobject.Object.connect
        connect(self.main, "main-clipboard-selection-grab", lambda _c, selection, types, count: self.grabs.append(selection))
        connect(self.main, "main-clipboard-selection-request", self._request)
        connect(self.main, "main-clipboard-selection", self._clipboard)

    def _request(self, _channel, selection, kind):
        self.requests.append((selection, kind))
        return True

    def _clipboard(self, _channel, selection, kind, data, size):
        import ctypes
        self.clipboard = (selection, kind, ctypes.string_at(data, size))

    def agent(self):
        return self.main.get_property("agent-connected")

    def mode(self):
        return self.main.get_property("mouse-mode")


def booted(spice=None):
    """The guest that there is; with these options of SPICE, if they matter."""
    global guest
    if guest is not None and spice not in (None, guest.spice):
        ended()
    if guest is None:
        guest = KernelGuest("--virtio-port", "relay.0=unix:{directory}/agent", "--virtio-port", "relay.1=unix:{directory}/port",
                            "--virtio-port", "relay.2=unix:{directory}/webdav",
                            "--spiceport", "test.port", modules=("virtio_pci", "virtio_console"), spice=spice or OPEN)
        guest.__enter__()
        guest.spice = spice or OPEN
        guest.peers = [guest.connect("agent"), guest.connect("port"), guest.connect("webdav")]
        guest.run("dev() { echo /dev/$(basename $(dirname $(grep -lx $1 /sys/class/virtio-ports/*/name))); }")
        for number in range(3):
            guest.run(f"exec {number + 3}<>$(dev relay.{number})")
        guest.agent = Agent(guest.peers[0])
    return guest


def ended():
    global guest
    if guest is not None:
        guest.__exit__(None, None, None)
        guest = None


def start_agent():
    """The guest opens its agent's port."""
    booted().run("exec 6<>$(dev com.redhat.spice.0); cat <&6 >&3 & agent_out=$!; cat <&3 >&6 & agent_in=$!")
    guest.agent.send(ANNOUNCE_CAPABILITIES, struct.pack("<II", 1, CAPABILITIES))
    return guest.agent


def stop_agent():
    guest.run("kill $agent_out $agent_in; exec 6<&-; wait $agent_out $agent_in")


def connected():
    client = AgentClient(guest.vmm.port)
    client.wait("the agent", client.agent)
    # The client says what it can when it hears of the agent; then both know each other.
    guest.agent.wait(ANNOUNCE_CAPABILITIES, "the client's capabilities")
    guest.agent.send(ANNOUNCE_CAPABILITIES, struct.pack("<II", 0, CAPABILITIES))
    client.wait("the agent's capabilities", lambda: client.spice.MainChannel.agent_test_capability(client.main, 6))
    return client


def the_agent_learns_its_displays():
    agent = start_agent()
    info = agent.wait(DEVICE_INFO, "the displays")
    check(struct.unpack_from("<IIIII", info) == (4, 0, 0, 0, 14), f"displays: {info}")
    check(info[20:34] == b"pci/0000/02.0\0", f"displays: {info}")


def clipboard_both_ways():
    agent, client = guest.agent, connected()
    main = client.spice.MainChannel
    text = bytes(ord("a") + i * 7 % 26 for i in range(1 << 20))
    main.clipboard_selection_grab(client.main, 0, [TEXT])
    agent.wait(CLIPBOARD_GRAB, "a grab", lambda body: body[0] == 0)
    agent.send(CLIPBOARD_REQUEST, struct.pack("<B3xI", 0, TEXT))
    client.wait("the request", lambda: (0, TEXT) in client.requests, TIMEOUT)
    main.clipboard_selection_notify(client.main, 0, TEXT, text)
    check(agent.wait(CLIPBOARD, "1 MiB")[8:] == text, "the guest got another text")
    for selection in (0, 1, 2):
        agent.send(CLIPBOARD_GRAB, struct.pack("<B3xI", selection, TEXT))
        client.wait("the grab", lambda s=selection: s in client.grabs, TIMEOUT)
        main.clipboard_selection_request(client.main, selection, TEXT)
        agent.wait(CLIPBOARD_REQUEST, "the request", lambda body, s=selection: body[0] == s)
        agent.send(CLIPBOARD, struct.pack("<B3xI", selection, TEXT) + text)
        client.wait("1 MiB", lambda s=selection: client.clipboard == (s, TEXT, text), TIMEOUT)
    client.close()
    agent.wait(CLIENT_DISCONNECTED, "the client's end")


def file_arrives_whole():
    agent, client = guest.agent, connected()
    import gi
    from gi.repository import Gio
    with tempfile.NamedTemporaryFile() as file:
        contents = os.urandom(3 << 20)
        file.write(contents)
        file.flush()
        results = []
        client.spice.MainChannel.file_copy_async(client.main, [Gio.File.new_for_path(file.name)], Gio.FileCopyFlags.NONE, None,
                                                 None, None, lambda channel, result, _=None: results.append(result))
        start = agent.wait(FILE_XFER_START, "the file's name")
        number = struct.unpack_from("<I", start)[0]
        check(f"size={len(contents)}".encode() in start, f"start: {start}")
        agent.send(FILE_XFER_STATUS, struct.pack("<II", number, CAN_SEND))
        got = b""
        while len(got) < len(contents):
            got += agent.wait(FILE_XFER_DATA, "the file's data")[12:]
        check(hashlib.sha256(got).digest() == hashlib.sha256(contents).digest(), "another file arrived")
        agent.send(FILE_XFER_STATUS, struct.pack("<II", number, SUCCESS))
        client.wait("the end of the transfer", lambda: results, TIMEOUT)
    client.close()
    agent.wait(CLIENT_DISCONNECTED, "the client's end")


def resize_reaches_the_agent():
    agent, client = guest.agent, connected()
    client.spice.MainChannel.update_display_enabled(client.main, 0, True, False)
    client.spice.MainChannel.update_display(client.main, 0, 0, 0, 1111, 777, True)
    agent.wait(MONITORS_CONFIG, "the size", lambda body: struct.unpack_from("<IIII", body)[2:] == (777, 1111))
    client.close()
    agent.wait(CLIENT_DISCONNECTED, "the client's end")


def mouse_follows_the_agent():
    agent, client = guest.agent, connected()
    client.wait("client mode", lambda: client.mode() == CLIENT_MODE)
    check(guest.vmm.qmp("query-spice")["mouse-mode"] == "client", "query-spice")
    client.wait("the inputs channel", lambda: (3, "opened") in client.events)
    inputs = client.spice.InputsChannel
    inputs.position(client.channels[3, 0], 719, 399, 0, 0)
    agent.wait(MOUSE_STATE, "the corner", lambda body: struct.unpack("<IIIB", body) == (719, 399, 0, 0))
    inputs.button_press(client.channels[3, 0], 1, 1)
    inputs.button_release(client.channels[3, 0], 1, 0)
    agent.wait(MOUSE_STATE, "the button", lambda body: struct.unpack("<IIIB", body) == (719, 399, 2, 0))
    agent.wait(MOUSE_STATE, "its end", lambda body: struct.unpack("<IIIB", body) == (719, 399, 0, 0))
    for button, bit in ((SIDE, 0x40), (EXTRA, 0x80)):
        inputs.button_press(client.channels[3, 0], button, 0)
        agent.wait(MOUSE_STATE, "the button", lambda body, wanted=bit: struct.unpack("<IIIB", body) == (719, 399, wanted, 0))
        inputs.button_release(client.channels[3, 0], button, 0)
    stop_agent()
    client.wait("the agent's end", lambda: not client.agent())
    client.wait("server mode", lambda: client.mode() == SERVER_MODE)
    start_agent()
    client.wait("the agent", client.agent)
    client.wait("client mode", lambda: client.mode() == CLIENT_MODE)
    client.close()
    agent.wait(CLIENT_DISCONNECTED, "the client's end")


def client_that_dies_in_mid_message_harms_nobody():
    agent, first, = guest.agent, connected()
    second = AgentClient(guest.vmm.port)
    second.wait("the second client", lambda: (1, "opened") in second.events)
    check(not second.agent(), "two clients have the agent")
    main = first.spice.MainChannel
    main.clipboard_selection_grab(first.main, 0, [TEXT])
    agent.wait(CLIPBOARD_GRAB, "a grab")
    agent.send(CLIPBOARD_REQUEST, struct.pack("<B3xI", 0, TEXT))
    first.wait("the request", lambda: first.requests, TIMEOUT)
    main.clipboard_selection_notify(first.main, 0, TEXT, bytes(4 << 20))
    wait_for("half of it", lambda: agent.look() or len(agent.parts[1]) > 1 << 20, TIMEOUT, 0.01)
    first.close()
    agent.wait(CLIENT_DISCONNECTED, "the first client's end")
    second.wait("the agent", second.agent, TIMEOUT)
    agent.wait(ANNOUNCE_CAPABILITIES, "the second client's capabilities")
    second.close()
    agent.wait(CLIENT_DISCONNECTED, "the second client's end")


def port_carries_bytes_and_turns():
    from gi.repository import Gio, GLib
    booted()
    client = SpiceClient(guest.vmm.port)
    client.wait("the port's channel", lambda: (10, 0) in client.channels)
    channel, got, events = client.channels[10, 0], [], []
    connect = client.gobject.Object.connect
    connect(channel, "port-data", lambda _c, data, size: got.append(__import__("ctypes").string_at(data, size)))
    connect(channel, "port-event", lambda _c, event: events.append(event))
    client.spice.Channel.connect(channel)
    client.wait("the port's name", lambda: channel.get_property("port-name") == "test.port")
    check(not channel.get_property("port-opened"), "the port is open")
    guest.run("exec 8<>$(dev test.port); cat <&8 >&4 & out=$!; cat <&4 >&8 & in=$!")
    client.wait("the guest's opening", lambda: channel.get_property("port-opened"))
    # Of what packs well spice-gtk makes a copy; the other bytes Python would take away too soon.
    parts = [os.urandom(150_000) + bytes(150_000) for _ in range(2)]
    peer, sent = guest.peers[1], b"".join(parts)
    # A virtio port knows no break: the bytes around it arrive as if there were none.
    for part in parts:
        client.spice.PortChannel.write_async(channel, part, None, lambda c, result, _=None: None)
        client.spice.PortChannel.event(channel, BREAK)
    received = b""
    peer.setblocking(False)

    def receive():
        nonlocal received
        try:
            received += peer.recv(1 << 20)
        except BlockingIOError:
            pass
        return len(received) >= len(sent)
    client.wait("what the client sent", receive, TIMEOUT)
    check(received == sent, "other bytes arrived in the guest")
    peer.setblocking(True)
    peer.sendall(sent[:400_000])
    client.wait("what the guest sent", lambda: sum(map(len, got)) >= 400_000, TIMEOUT)
    check(b"".join(got) == sent[:400_000], "other bytes arrived at the client")
    guest.run("kill $out $in; exec 8<&-")
    client.wait("the guest's closing", lambda: not channel.get_property("port-opened"))
    client.wait("the events", lambda: events == [OPENED, CLOSED])
    client.close()


def folder_of_the_client_is_read_over_webdav():
    booted()
    with tempfile.TemporaryDirectory() as folder:
        contents = os.urandom(3 << 20)
        with open(os.path.join(folder, "big"), "wb") as file:
            file.write(contents)
        client = SpiceClient(guest.vmm.port)
        client.session.set_property("shared-dir", folder)
        client.wait("the channel", lambda: (11, 0) in client.channels)
        channel = client.channels[11, 0]
        client.spice.Channel.connect(channel)
        client.wait("its name", lambda: channel.get_property("port-name") == "org.spice-space.webdav.0")
        guest.run("exec 7<>$(dev org.spice-space.webdav.0); cat <&7 >&5 & out=$!; cat <&5 >&7 & in=$!")
        client.wait("the guest's opening", lambda: channel.get_property("port-opened"))
        peer, answer, received = guest.peers[2], b"", b""
        request = b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"
        peer.sendall(struct.pack("<qH", 1, len(request)) + request)  # as spice-webdavd packs its connections
        peer.setblocking(False)

        def whole():
            nonlocal answer, received
            try:
                received += peer.recv(1 << 20)
            except BlockingIOError:
                pass
            while len(received) >= 10 and len(received) >= 10 + struct.unpack_from("<H", received, 8)[0]:
                size = struct.unpack_from("<H", received, 8)[0]
                answer += received[10:10 + size]
                received = received[10 + size:]
            return len(answer.partition(b"\r\n\r\n")[2]) >= len(contents)
        client.wait("the file", whole, TIMEOUT)
        check(answer.startswith(b"HTTP/1.1 200"), f"answer: {answer[:100]}")
        check(answer.partition(b"\r\n\r\n")[2] == contents, "another file arrived in the guest")
        guest.run("kill $out $in; exec 7<&-")
        client.wait("the guest's closing", lambda: not channel.get_property("port-opened"))
        client.close()


def what_is_forbidden_is_neither_offered_nor_passed_on():
    booted(FORBIDDING)
    agent = start_agent()
    client = AgentClient(guest.vmm.port)
    client.wait("the agent", client.agent, TIMEOUT)
    agent.wait(ANNOUNCE_CAPABILITIES, "the client's capabilities")
    agent.send(ANNOUNCE_CAPABILITIES, struct.pack("<II", 0, CAPABILITIES))
    can = client.spice.MainChannel.agent_test_capability
    client.wait("the agent's capabilities", lambda: can(client.main, CAN_MOUSE))
    check(not any(can(client.main, number) for number in CAN_CLIPBOARD), "copy and paste is offered")
    check(can(client.main, CAN_NOT_TRANSFER), "files are not refused")
    # An agent that does it nevertheless is not heard, and what follows is.
    agent.send(CLIPBOARD_GRAB, struct.pack("<B3xI", 0, TEXT))
    agent.send(ANNOUNCE_CAPABILITIES, struct.pack("<II", 1, CAPABILITIES))
    agent.wait(ANNOUNCE_CAPABILITIES, "the client's answer")
    check(not client.grabs, "the agent's grab reached the client")
    client.close()
    stop_agent()


def pointer_that_the_agent_may_not_have_is_the_tablets():
    booted(FORBIDDING)
    for module in ("ehci-pci", "uhci-hcd", "usbhid", "hid-generic", "evdev"):
        guest.run("modprobe " + module)
    event = wait_for("the tablet", lambda: guest.run("grep -lx '.*USB Tablet' /sys/class/input/event*/device/name"), TIMEOUT).split("/")[4]
    # Linux drops what a USB device says until its opening is done.
    check(guest.run(f"exec 7</dev/input/{event} && echo open") == "open", f"{event} cannot be read")
    guest.run("cat <&7 >&4 & events=$!")
    agent = start_agent()
    client = AgentClient(guest.vmm.port)
    client.wait("the agent", client.agent, TIMEOUT)
    client.wait("client mode", lambda: client.mode() == CLIENT_MODE)
    client.wait("the inputs channel", lambda: (3, "opened") in client.events)
    inputs, channel = client.spice.InputsChannel, client.channels[3, 0]
    inputs.position(channel, 719, 399, 0, 0)
    for button in (SIDE, EXTRA):
        inputs.button_press(channel, button, 0)
        inputs.button_release(channel, button, 0)
    peer, received = guest.peers[1], b""
    wanted = {(3, 0, 32767), (3, 1, 32767), *((1, key, down) for key in (0x113, 0x114) for down in (1, 0))}  # as evdev has them

    peer.setblocking(False)  # spice-gtk sends only while its loop runs

    def seen():
        nonlocal received
        try:
            received += peer.recv(1 << 16)
        except BlockingIOError:
            pass
        return wanted <= {struct.unpack_from("<HHi", received, at + 16) for at in range(0, len(received) - 23, 24)}
    wait_for("the tablet's events", seen, TIMEOUT)
    check(not any(kind == MOUSE_STATE for _, kind, _ in agent.look()), "the agent got the pointer")
    client.close()
    guest.run("kill $events; exec 7<&-")
    stop_agent()


CASES = {function.__name__: function for function in (
    the_agent_learns_its_displays, clipboard_both_ways, file_arrives_whole, resize_reaches_the_agent, mouse_follows_the_agent,
    client_that_dies_in_mid_message_harms_nobody, port_carries_bytes_and_turns,
    folder_of_the_client_is_read_over_webdav, what_is_forbidden_is_neither_offered_nor_passed_on,
    pointer_that_the_agent_may_not_have_is_the_tablets)}

if __name__ == "__main__":
    try:
        sys.exit(run_cases(CASES))
    finally:
        ended()
