#!/usr/bin/python3
"""Real SPICE clients against one running guest: pixels, keys, reconnects, tickets, remote-viewer."""
import os
import socket
import struct
import subprocess
import tempfile

from harness import (GUESTS, SpiceClient, Vmm, check, differing_cells, read_picture, read_ppm, run_cases, same_screen,
                     wait_for)

BOOT_SECTOR = GUESTS + "/boot_sector/hello.img"
CYCLES = int(os.environ.get("CYCLES", "1000"))
BOOT_TIMEOUT = 240  # SeaBIOS on an emulated kernel mode, beside other tests

guest = None


def booted():
    """One guest for all cases of this file, at the boot sector's prompt."""
    global guest
    if guest is None:
        guest = Vmm("--disk", BOOT_SECTOR + ",snapshot=on", "--name", "spice test")
        guest.wait_screen("hello", BOOT_TIMEOUT)
    return guest


def client_sees_the_screendump():
    vmm = booted()
    client = SpiceClient(vmm.port)
    client.wait_picture()
    client.wait("the same pixels", lambda: same_screen(client.screen(), vmm.screen()))
    check(differing_cells(client.screen(), vmm.screen()) is not None, "sizes differ")
    client.close()


def spicy_screenshot_sees_the_screendump():
    vmm = booted()
    check(same_screen(screenshot_by(vmm), vmm.screen()), "spicy-screenshot shows other pixels")


def keys_through_spice_change_the_screen():
    vmm = booted()
    client = SpiceClient(vmm.port)
    client.wait_picture()
    client.wait("the inputs channel", lambda: (3, "opened") in client.events)
    before = vmm.screen()
    client.type([0x1e, 0x30, 0x2e])  # a b c
    client.wait("three letters", lambda: len(differing_cells(before, vmm.screen()) or ()) >= 3, 60)
    client.wait("the client to see them", lambda: same_screen(client.screen(), vmm.screen()))
    client.close()


COMPRESSIONS = {"off": 1, "auto_glz": 2, "auto_lz": 3, "quic": 4, "glz": 5, "lz": 6, "lz4": 7}


def each_preferred_compression_shows_the_screendump():
    """Several clients at once, each with another one, while the screen changes."""
    vmm = booted()
    clients = {}
    for name, number in COMPRESSIONS.items():
        clients[name] = SpiceClient(vmm.port)
        clients[name].wait_picture()
        clients[name].prefer_compression(number)
    typist = clients["off"]
    typist.wait("the inputs channel", lambda: (3, "opened") in typist.events)
    for scancode in range(0x10, 0x16):  # q w e r t y
        before = vmm.screen()
        typist.type([scancode] * 2)
        typist.wait("letters", lambda b=before: len(differing_cells(b, vmm.screen()) or ()) >= 2, 60)
        for name, client in clients.items():
            client.wait(f"{name}: the same pixels", lambda c=client: same_screen(c.screen(), vmm.screen()))
    for client in clients.values():
        client.close()


def screenshot_by(vmm):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "shot.ppm")
        subprocess.run(["spicy-screenshot", "-h", "127.0.0.1", "-p", str(vmm.port), "-o", path], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        return read_ppm(path)


METHODS = {"off": "raw", "auto_glz": "glz", "auto_lz": "lz", "quic": "quic", "glz": "glz", "lz": "lz", "lz4": "lz4"}


def each_compression_set_by_the_monitor_shows_the_screendump():
    """To a client that stays and to new ones; what was used is in the figures."""
    vmm = booted()
    client = SpiceClient(vmm.port)
    client.wait_picture()
    client.wait("the inputs channel", lambda: (3, "opened") in client.events)

    def images_by(method):
        displays = [channel["display"] for one in vmm.qmp("query-spice-stats") for channel in one["channels"] if "display" in channel]
        return sum(of["images"] for display in displays for of in display["methods"] if of["name"] == method)

    for name, method in METHODS.items():
        vmm.qmp("set-spice", **{"image-compression": name})
        check(vmm.qmp("query-spice-settings")["image-compression"] == name, "the setting is another")
        before, images = vmm.screen(), images_by(method)
        client.type([0x1e] * 3)
        client.wait("letters", lambda: len(differing_cells(before, vmm.screen()) or ()) >= 2, 60)
        client.wait(f"{name}: the same pixels", lambda: same_screen(client.screen(), vmm.screen()))
        check(images_by(method) > images, f"{name}: no image went as {method}")
        check(same_screen(screenshot_by(vmm), vmm.screen()), f"{name}: spicy-screenshot shows other pixels")
    vmm.hmp("set_spice image-compression auto_glz")
    client.close()


def slow_line_options_show_the_screendump():
    """A line that is taken for slow: images packed twice and, where that is allowed, with loss."""
    options = "port={port},jpeg-wan-compression=always,zlib-glz-wan-compression=always,addr=127.0.0.1"
    with Vmm("--disk", BOOT_SECTOR + ",snapshot=on", spice=options) as vmm:
        client = SpiceClient(vmm.port)
        vmm.wait_screen("hello", BOOT_TIMEOUT)
        client.wait("the same pixels", lambda: same_screen(client.screen(), vmm.screen()))
        client.close()


def keys_through_qmp_change_the_screen():
    vmm = booted()
    before = vmm.screen()
    vmm.qmp("send-key", keys=[{"type": "qcode", "data": "shift"}, {"type": "qcode", "data": "x"}])
    vmm.hmp("sendkey y")
    wait_for("two letters", lambda: len(differing_cells(before, vmm.screen()) or ()) >= 2)


def text_is_typed_through_the_monitor():
    vmm = booted()
    before = vmm.screen()
    check(vmm.hmp('type "ab y" de') == "", "type failed")
    wait_for("three letters", lambda: len(differing_cells(before, vmm.screen()) or ()) >= 3)


def held_keys_are_released_when_the_client_goes():
    vmm = booted()
    client = SpiceClient(vmm.port)
    client.wait("the inputs channel", lambda: (3, "opened") in client.events)
    client.spice.InputsChannel.key_press(client.channels[3, 0], 0x2a)  # shift
    client.pump(0.3)
    client.close()
    wait_for("the client to be gone", lambda: not vmm.qmp("query-spice")["channels"])
    before = vmm.screen()
    vmm.hmp("sendkey z")
    wait_for("a letter", lambda: differing_cells(before, vmm.screen()))
    other = SpiceClient(vmm.port)
    other.wait_picture()
    other.wait("the picture", lambda: same_screen(other.screen(), vmm.screen()))
    other.close()


def several_clients_at_once():
    vmm = booted()
    clients = [SpiceClient(vmm.port) for _ in range(3)]
    for client in clients:
        client.wait_picture()
    for client in clients:
        client.wait("the same pixels", lambda c=client: same_screen(c.screen(), vmm.screen()))
    ids = {channel["connection-id"] for channel in vmm.qmp("query-spice")["channels"]}
    check(len(ids) == 3, f"{len(ids)} sessions instead of 3")
    for client in clients:
        client.close()


def garbage_and_silence_disturb_nobody():
    vmm = booted()
    client = SpiceClient(vmm.port)
    client.wait_picture()
    silent = [socket.create_connection(("127.0.0.1", vmm.port)) for _ in range(50)]
    for size in (1, 16, 17, 4096):
        with socket.create_connection(("127.0.0.1", vmm.port)) as hostile:
            hostile.sendall(os.urandom(size))
    with socket.create_connection(("127.0.0.1", vmm.port)) as hostile:
        hostile.sendall(struct.pack("<4sIII", b"REDQ", 2, 2, 0xffffffff))
        hostile.settimeout(20)
        check(hostile.recv(4096)[:4] == b"REDQ", "an oversized link gets no refusal")
    before = vmm.screen()
    client.key(0x10)
    client.wait("a letter", lambda: differing_cells(before, vmm.screen()))
    client.close()
    for connection in silent:
        connection.close()


def a_client_that_reads_nothing_does_not_slow_the_guest():
    vmm = booted()
    stuck = SpiceClient(vmm.port)
    stuck.wait_picture()  # and from now on its main loop stands still
    for _ in range(20):
        before = vmm.screen()
        vmm.hmp("sendkey k 10")
        wait_for("a letter", lambda: differing_cells(before, vmm.screen()), 20)
    stuck.close()


def remote_viewer_shows_the_guest():
    vmm = booted()
    with tempfile.TemporaryDirectory() as directory:
        shot = os.path.join(directory, "window.png")
        script = (f"remote-viewer --hotkeys=none spice://127.0.0.1:{vmm.port} & viewer=$!; "
                  "for i in $(seq 120); do id=$(xdotool search --onlyvisible --name 'remote-viewer|Virt Viewer|spice test' 2>/dev/null "
                  f"| tail -1); if [ -n \"$id\" ]; then import -window root {shot}; "
                  f"[ $(convert {shot} -format %k info:) -gt 20 ] && [ -e {directory}/seen ] && break; touch {directory}/seen; fi; "
                  "sleep 0.5; done; kill $viewer; wait $viewer 2>/dev/null; true")
        subprocess.run(["xvfb-run", "-a", "-s", "-screen 0 1024x768x24", "sh", "-c", script], check=True, timeout=180,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        window, screen = read_picture(shot), vmm.screen()
        # Somewhere in the window stand the guest's text rows, pixel by pixel.
        row = 8
        line = screen.rgb[row * screen.width * 3:(row + 1) * screen.width * 3]
        text = next((line[start:start + 120 * 3] for start in range(0, 300, 3) if len(set(line[start:start + 360])) > 1), None)
        check(text is not None, "the guest's first text row is empty")
        check(text in window.rgb, "remote-viewer's window does not show the guest's text")


def connect_and_leave_a_thousand_times():
    vmm = booted()

    def cycle():
        client = SpiceClient(vmm.port)
        client.wait_picture()
        client.close()

    def quiet():
        wait_for("all clients to be gone", lambda: not vmm.qmp("query-spice")["channels"])

    for _ in range(20):
        cycle()
    quiet()
    memory, descriptors = vmm.resident_kib(), vmm.descriptors()
    for done in range(CYCLES):
        cycle()
        if done % 50 == 0:
            quiet()  # also reads the events, which would else pile up until minivmm drops such a QMP client
    quiet()
    wait_for("descriptors to be closed", lambda: vmm.descriptors() <= descriptors)
    grown = vmm.resident_kib() - memory
    check(grown < 4096, f"{CYCLES} connections left {grown} KiB behind")


def passwords():
    with Vmm(spice="port={port},password=secret,addr=127.0.0.1") as vmm:
        right = SpiceClient(vmm.port, "secret")
        right.wait_picture()
        right.close()
        for wrong in ("wrong", "", "secre", "secret1"):
            client = SpiceClient(vmm.port, wrong)
            client.wait("the refusal", lambda c=client: (1, "error-auth") in c.events)
            client.close()
        check(vmm.qmp("query-spice")["auth"] == "spice", "query-spice")
    with Vmm(spice="port={port},password=,addr=127.0.0.1") as vmm:
        for attempt in ("", "x"):
            client = SpiceClient(vmm.port, attempt)
            client.wait("the refusal", lambda c=client: (1, "error-auth") in c.events)
            client.close()


def end():
    if guest is not None:
        guest.close()


cases = {function.__name__: function for function in (
    client_sees_the_screendump, spicy_screenshot_sees_the_screendump, keys_through_spice_change_the_screen,
    each_preferred_compression_shows_the_screendump, each_compression_set_by_the_monitor_shows_the_screendump, slow_line_options_show_the_screendump,
    keys_through_qmp_change_the_screen, text_is_typed_through_the_monitor, held_keys_are_released_when_the_client_goes, several_clients_at_once,
    garbage_and_silence_disturb_nobody, a_client_that_reads_nothing_does_not_slow_the_guest, remote_viewer_shows_the_guest,
    connect_and_leave_a_thousand_times, passwords)}

if __name__ == "__main__":
    try:
        run_cases(cases)
    finally:
        end()
