"""An X server without a screen, and a window of minivmm's on it."""
import ctypes
import os
import subprocess
import tempfile

from harness import check, read_ppm, wait_for


class XScreen:
    """Xvfb with a display of its own; programs that are started meanwhile open their windows on it."""

    def __init__(self, width=1600, height=1200):
        reading, writing = os.pipe()
        self.process = subprocess.Popen(["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
                                        pass_fds=(writing,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as number:
            self.display = ":" + number.readline().strip()
        check(self.display != ":", "Xvfb did not start")

    def __enter__(self):
        self.before = os.environ.get("DISPLAY")
        os.environ["DISPLAY"] = self.display
        return self

    def __exit__(self, *_):
        if self.before is None:
            del os.environ["DISPLAY"]
        else:
            os.environ["DISPLAY"] = self.before
        self.process.terminate()
        self.process.wait(20)


def xdotool(*arguments):
    return subprocess.run(["xdotool", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60).stdout


class ClientMessage(ctypes.Structure):
    """[Xlib.h] XClientMessageEvent"""
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int), ("display", ctypes.c_void_p),
                ("window", ctypes.c_ulong), ("message_type", ctypes.c_ulong), ("format", ctypes.c_int), ("data", ctypes.c_long * 5),
                ("room_of_the_largest_event", ctypes.c_long * 24)]
    TYPE = 33


class Window:
    def __init__(self, name="minivmm"):
        self.id = wait_for("the window", lambda: xdotool("search", "--onlyvisible", "--name", name).split())[0]
        xdotool("windowfocus", "--sync", self.id)

    def screen(self):
        with tempfile.NamedTemporaryFile(suffix=".ppm") as file:
            subprocess.run(["import", "-window", self.id, "-depth", "8", file.name], check=True, timeout=60)
            return read_ppm(file.name)

    def size(self):
        lines = dict(line.split("=") for line in xdotool("getwindowgeometry", "--shell", self.id).split())
        return int(lines["WIDTH"]), int(lines["HEIGHT"])

    def resize(self, width, height):
        xdotool("windowmove", self.id, 0, 0)  # all of it is to be seen
        xdotool("windowsize", self.id, width, height)

    def title(self):
        return xdotool("getwindowname", self.id).strip()

    def keys(self, *keys):
        for key in keys:
            xdotool("key", key)

    def move(self, x, y):
        xdotool("mousemove", "--window", self.id, x, y)

    def click(self):
        self.move(10, 10)
        xdotool("click", 1)

    def close(self):
        """As a window manager asks for it."""
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x11.XOpenDisplay(None))
        message = ClientMessage(type=ClientMessage.TYPE, window=int(self.id), format=32,
                                message_type=x11.XInternAtom(display, b"WM_PROTOCOLS", False))
        message.data[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", False)
        x11.XSendEvent(display, ctypes.c_ulong(int(self.id)), False, ctypes.c_long(0), ctypes.byref(message))
        x11.XCloseDisplay(display)
