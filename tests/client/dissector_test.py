#!/usr/bin/python3
"""Wireshark's SPICE dissector reads along what real clients are sent, and finds no message malformed."""
import os
import re
import socket
import subprocess
import sys
import tempfile

from harness import GUESTS, SpiceClient, Vmm, check, differing_cells, run_cases, same_screen, wait_for
from pictures_test import SCENES, spicy_screenshot
from shown import Film, Player

BOOT_SECTOR = GUESTS + "/boot_sector/hello.img"
BOOT_TIMEOUT = 240
SKIPPED = 77


class Capture:
    """All that goes over a port of this host while it is open."""

    def __init__(self, port):
        self.port = port

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.directory.name, "capture.pcap")
        self.process = subprocess.Popen(["dumpcap", "-q", "-i", "lo", "-B", "64", "-f", f"tcp port {self.port}", "-w", self.path],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("dumpcap to begin", lambda: os.path.exists(self.path) and os.path.getsize(self.path) > 0)
        return self

    def _tshark(self, *arguments):
        return subprocess.run(["tshark", "-n", "-r", self.path, "-d", f"tcp.port=={self.port},spice", *arguments],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=300).stdout

    def end(self):
        """The messages that were seen, by name."""
        self.process.terminate()
        self.process.wait(20)
        malformed = self._tshark("-Y", "_ws.malformed")
        check(malformed == "", f"malformed for tshark: {malformed[:2000]}")
        summaries = self._tshark("-Y", "spice", "-T", "fields", "-e", "_ws.col.Info")
        names = set(re.split(r", |\n", summaries))
        strange = [name for name in names if "unknown" in name.lower()]
        check(not strange, f"tshark does not know {strange}")
        return names

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()


def a_guests_boot_text_and_keys():
    with Vmm("--disk", BOOT_SECTOR + ",snapshot=on") as vmm, Capture(vmm.port) as capture:
        client = SpiceClient(vmm.port)
        vmm.wait_screen("hello", BOOT_TIMEOUT)
        before = vmm.screen()
        client.type([0x1e, 0x30])
        client.wait("letters", lambda: differing_cells(before, vmm.screen()))
        client.wait("the same pixels", lambda: same_screen(client.screen(), vmm.screen()))
        spicy_screenshot(vmm.port)
        client.close()
        seen = capture.end()
        check({"Server INIT", "Server MARK", "Server DRAW_COPY"} <= seen, f"tshark saw {seen}")


def drawings(*settings):
    def case():
        for scene, calls in SCENES.items():
            player = Player(*settings)
            with Capture(player.port) as capture:
                client = SpiceClient(player.port)
                client.wait_picture()
                player.play(scene, calls)
                client.wait("the picture", lambda c=client, p=player: c.screen() == p.screen())
                spicy_screenshot(player.port)
                player.do("photo")
                client.wait("the photo", lambda c=client, p=player: c.screen() == p.screen())
                client.close()
                seen = capture.end()
                check({"Server DRAW_COPY", "Server DRAW_FILL", "Server COPY_BITS"} <= seen, f"tshark saw {seen}")
            player.close()
    return case


def a_film(codec):
    def case():
        film = Film("filter", codec)
        with Capture(film.port) as capture:
            client = SpiceClient(film.port)
            client.wait_picture()
            film.do("play")
            client.pump(3)
            for line in ("box", "zoom", "copy"):
                film.do(line)
                client.pump(0.5)
            film.do("stop")
            client.wait("the last picture", lambda: client.screen() == film.screen())
            client.pump(1)
            client.close()
            seen = {name.split(" (")[0] for name in capture.end()}
            check({"Server STREAM_CREATE", "Server STREAM_DATA", "Server STREAM_DESTROY"} <= seen, f"tshark saw {seen}")
        film.close()
    return case


cases = {"a_guests_boot_text_and_keys": a_guests_boot_text_and_keys}
cases |= {f"drawings_{name}": drawings(name) for name in ("off", "auto_glz", "auto_lz", "quic", "glz", "lz", "lz4")}
cases |= {"drawings_jpeg_zlib": drawings("auto_glz", "always", "always"),
          "a_film_in_mjpeg": a_film("spice:mjpeg"), "a_film_in_vp8": a_film("gstreamer:vp8"), "a_film_in_vp9": a_film("gstreamer:vp9")}


def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
        return True
    except PermissionError:
        return False


if __name__ == "__main__":
    if not may_capture():
        print("this host lets nobody capture packets")
        sys.exit(SKIPPED)
    run_cases(cases)
