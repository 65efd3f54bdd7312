#!/usr/bin/python3
"""Debian's X on the QXL device, on the software CPU: with qxl.ko and X's own or the device's driver, and without it, where X's
driver sets modes and drives the rings by itself."""
import os
import re
import struct
import subprocess
import sys

from guests import DEBIAN_GUESTS, DISPLAY_FAULTS, TIMEOUT, Guest, restored
from harness import GOLDEN, MINIVMM, Failure, Picture, SpiceClient, check, read_picture, read_ppm, run_cases, wait_for
from window import Window, XScreen

KERNEL_DRIVERS = ("modesetting", "qxl")
USER_DRIVER = "qxl-user"
MONITORS_CONFIG = 1  # of the agent's capabilities
SURFACES = "qxl-surfaces"  # the same with surfaces beside the screen's and the driver's caches, which Debian's has turned off
TWO_HEADS = "qxl-heads"  # the same with a second monitor to be had
XWD_HEADER = struct.Struct(">25I")
# What desktops do when the kernel says that monitors have changed: each in its wished size, side by side.
FOLLOW_CLIENTS = """
udevadm monitor --udev --subsystem-match=drm | while read -r event; do
  case "$event" in UDEV*change*) xrandr --output Virtual-1 --auto --output Virtual-2 --auto --right-of Virtual-1 ;; esac
done
"""


class Session:
    """A guest that has booted to its shell, in which X may be started. A context manager that ends it."""

    def __init__(self, *options, name="xorg"):
        self.options, self.client = options, None
        self.guest = restored(name, self.boot, wait_shell)

    def boot(self, *arguments):
        files = {name: os.path.join(DEBIAN_GUESTS, name) for name in ("generic/vmlinuz", "desktop.initrd", "desktop.img")}
        return Guest("--kernel", files["generic/vmlinuz"], "--initrd", files["desktop.initrd"],
                     "--append", "console=ttyS0 guest=shell", "--disk", files["desktop.img"] + ",if=virtio,snapshot=on",
                     "--memory", "512M", "--virtio-port", "picture=unix:{directory}/picture", *self.options, *arguments)

    def start_x(self, driver):
        """X with nothing but a background; `driver` names a file of tests/guest/debian/desktop."""
        if driver in KERNEL_DRIVERS:
            self.run("modprobe qxl && udevadm settle")
        if driver == SURFACES:
            options = "".join(rf'Option "{name}" "true"\n' for name in ("EnableSurfaces", "EnableImageCache", "EnableFallbackCache"))
            self.run(f"sed '/NumHeads/s/^/{options}/' /etc/X11/{USER_DRIVER}.conf >/etc/X11/{SURFACES}.conf")
        if driver == TWO_HEADS:
            self.run(f"sed '/NumHeads/s/1/2/' /etc/X11/{USER_DRIVER}.conf >/etc/X11/{TWO_HEADS}.conf")
        said = self.run(f"x {driver} && workout background && echo started")
        check(said == "started", f"X with {driver}: {said}")
        self.peer = self.guest.connect("picture")
        self.run("port=/dev/$(basename $(dirname $(grep -lx picture /sys/class/virtio-ports/*/name)))")
        self.client = SpiceClient(self.guest.vmm.port)
        self.client.wait_picture()

    def run(self, line):
        return self.guest.run(line)

    def screen(self, device=None):
        if device is None:
            return self.guest.vmm.screen()
        path = self.guest.path(device + ".ppm")
        self.guest.vmm.qmp("screendump", filename=path, device=device)
        return read_ppm(path)

    def own_picture(self):
        """What the guest's X server says that its screen shows."""
        self.guest.shell.send("xwd -root -silent >$port")
        header = XWD_HEADER.unpack(self.receive(XWD_HEADER.size))
        size, width, height, bits, stride, colors = (header[index] for index in (0, 4, 5, 11, 12, 19))
        check(bits == 32, f"{bits} bits per pixel")
        self.receive(size - XWD_HEADER.size + 12 * colors)
        raw = self.receive(stride * height)
        self.guest.wait("\n")
        self.guest.wait(self.guest.shell.PROMPT)
        rows = raw if stride == width * 4 else b"".join(raw[y * stride:y * stride + width * 4] for y in range(height))
        rgb = bytearray(width * height * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = rows[2::4], rows[1::4], rows[0::4]
        return Picture(width, height, bytes(rgb))

    def receive(self, count):
        data = bytearray()
        while len(data) < count:
            piece = self.peer.recv(count - len(data))
            check(piece, "the guest's port was closed")
            data += piece
        return bytes(data)

    def replayed(self):
        """What the recording up to now plays to."""
        path = self.guest.path("replayed.ppm")
        subprocess.run([MINIVMM, "replay", self.guest.path("recording"), "--screendump", path], check=True, stdout=subprocess.DEVNULL,
                       timeout=TIMEOUT)
        return read_ppm(path)

    def work(self, step):
        said = self.run(f"workout {step}")
        check(said == "", f"{step}: {said}")

    def shows(self, what, wanted):
        """The X server, screenshots, the client and one that has just come agree on what is to be seen."""
        path = self.guest.path("client.ppm")

        def late_client():
            subprocess.run(["spicy-screenshot", "-h", "127.0.0.1", "-p", str(self.guest.vmm.port), "-o", path], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT)
            return read_ppm(path)

        for name, picture in (("X", self.own_picture), ("a screenshot", self.screen), ("the client", self.client.screen),
                              ("a late client", late_client)):
            wait_for(f"{name} to show {what}", lambda picture=picture: picture() == wanted, TIMEOUT, 0.2)

    def settled_picture(self):
        """Of X, when it does not change any more."""
        pictures = [None]

        def same_again():
            pictures.append(self.own_picture())
            return pictures[-1] == pictures[-2]

        wait_for("X to come to rest", same_again, TIMEOUT, 0.5)
        return pictures[-1]

    def follow_clients(self):
        """Clients tell sizes only where somebody has opened the agent's port; the device takes them nevertheless."""
        self.run("exec 6<>/dev/$(basename $(dirname $(grep -lx com.redhat.spice.0 /sys/class/virtio-ports/*/name)))")
        for line in FOLLOW_CLIENTS.strip().splitlines():
            self.run(f"echo '{line}' >>/tmp/follow")
        self.run("cat <&6 >/dev/null & sh /tmp/follow >/tmp/followed 2>&1 &")

    def size(self, head=None):
        """Of the screen, or of what one of its monitors shows; nothing if there is no such monitor."""
        path = self.guest.path("head.ppm")
        try:
            self.guest.vmm.qmp("screendump", filename=path, device="qxl0", **({} if head is None else {"head": head}))
        except Failure:
            return None
        picture = read_ppm(path)
        return picture.width, picture.height

    def place_of_the_pointer(self):
        words = dict(word.split(":") for word in self.run("xdotool getmouselocation").split())
        return int(words["x"]), int(words["y"])

    def layout(self):
        """The outputs of X that are on: their sizes and places."""
        return dict(re.findall(r"^(\S+) connected (?:primary )?(\d+x\d+\+\d+\+\d+)", self.run("xrandr"), re.MULTILINE))

    def first_output(self):
        return self.run("xrandr | sed -n 's/ connected.*//p' | head -1")

    def info(self):
        return self.guest.vmm.hmp("info qxl")

    def check_no_faults(self):
        check(self.run(DISPLAY_FAULTS) == "", self.run("dmesg | tail -20"))
        errors = self.run("grep '(EE)' /tmp/Xorg.log | grep -vE 'error, .NI. not|dbus-core|systemd-logind|GLX|glamor'")
        check(errors == "", f"X complains: {errors}")
        info = self.info()
        check("commands that made no sense: 0" in info and "guest bug" not in info, info)

    def __enter__(self):
        self.guest.__enter__()
        return self

    def __exit__(self, *failure):
        if self.client:
            self.client.close()
        self.guest.__exit__(*failure)


def wait_shell(guest):
    guest.wait_shell()
    guest.run("dmesg -n 1")  # the kernel's words stay out of the answers


def works_with(driver):
    """The same pictures whoever draws them: the CPU, the device, or the one where the other cannot."""
    with Session("--qxl", "record={directory}/recording") as session:
        session.start_x(driver)
        for step in ("background", "text", "render", "drag"):
            session.work(step)
            session.shows(step, read_picture(os.path.join(GOLDEN, f"xorg-{step}.png")))
            check(session.replayed() == session.screen(), f"the recording does not show {step}")
        session.check_no_faults()


def modesetting_on_the_kernels_driver():
    works_with("modesetting")


def device_driver_on_the_kernels_driver():
    works_with("qxl")


def device_driver_alone():
    works_with(USER_DRIVER)


def device_driver_alone_with_surfaces():
    works_with(SURFACES)


def surfaces_survive_a_snapshot():
    """What lies beside the screen is back, and the driver draws on with it."""
    with Session() as session:
        session.start_x(SURFACES)
        for step in ("background", "text", "render"):
            session.work(step)
        before = session.settled_picture()
        snapshot = session.guest.path("snapshot")
        check(session.guest.vmm.hmp("savevm " + snapshot) == "", "savevm failed")
        session.work("drag")
        check(session.guest.vmm.hmp("loadvm " + snapshot) == "", "loadvm failed")
        session.guest.shell.said = ""
        session.guest.shell.send("")
        session.guest.wait(session.guest.shell.PROMPT)
        session.shows("what it did before", before)
        session.work("drag")
        session.shows("drag", read_picture(os.path.join(GOLDEN, "xorg-drag.png")))
        session.check_no_faults()


def rendercheck(session, tests, formats):
    """Compares what Render drew with what it says that it draws."""
    said = session.run(f"workout rendercheck -t {tests} -f {formats}")
    passed = re.search(r"(\d+) tests passed of (\d+) total", said)
    check(passed and passed[1] == passed[2] and passed[2] != "0", f"rendercheck: {said}")


def device_driver_alone_renders():
    with Session() as session:
        session.start_x(SURFACES)
        said = session.run("workout x11perf -rect100 -line10 -scroll100 -copywinwin100 -copypixwin100 -copypixpix100 -putimage100 "
                           "-shmput100 -getimage100 -ftext -aatrapezoid10")
        check(said == "x11perf: 0, 11 tests", f"{said}: {session.run('tail /tmp/x11perf')}")
        # Without "tmcoords": the driver gives a mask the transformation of its source.
        rendercheck(session, "fill,dcoords,scoords,mcoords,tscoords", "a8r8g8b8,x8r8g8b8,a8")
        surfaces = int(re.search(r"(\d+) for surfaces", session.info())[1])
        check(surfaces > 10, f"no surfaces: {session.info()}")
        session.check_no_faults()


def set_mode(session, output, width, height):
    """Any size, in a mode of our own timing."""
    total = (width + 32) * (height + 8)
    name = f"test-{width}x{height}"
    lines = f"{width} {width + 8} {width + 16} {width + 32} {height} {height + 1} {height + 4} {height + 8}"
    said = session.run(f"xrandr --newmode {name} {total * 60 / 1e6:.3f} {lines} && xrandr --addmode {output} {name} && "
                       f"xrandr --output {output} --mode {name}")
    check(said == "", f"xrandr to {width} x {height}: {said}")


def modes_from_small_to_large():
    with Session() as session:
        session.start_x("modesetting")
        output = session.first_output()
        for size in ((640, 480), (800, 600), (1366, 768), (1920, 1080), (1024, 768)):
            set_mode(session, output, *size)
            shown = session.settled_picture()
            check((shown.width, shown.height) == size, f"{shown.width} x {shown.height} instead of {size}")
            session.shows("%d x %d" % size, shown)
        session.check_no_faults()


def largest_mode_with(driver):
    with Session("--qxl", "vgamem_mb=64", name="xorg-large") as session:
        session.start_x(driver)
        set_mode(session, session.first_output(), 3840, 2160)
        session.work("text")
        shown = session.settled_picture()
        check((shown.width, shown.height) == (3840, 2160), f"{shown.width} x {shown.height}")
        session.shows("3840 x 2160", shown)
        session.check_no_faults()


def largest_mode_with_modesetting():
    largest_mode_with("modesetting")


def largest_mode_with_the_devices_driver():
    largest_mode_with("qxl")


def part_of(picture, left, width):
    rows = (picture.rgb[(y * picture.width + left) * 3:(y * picture.width + left + width) * 3] for y in range(picture.height))
    return Picture(width, picture.height, b"".join(rows))


def two_devices_with(driver):
    """Side by side, as one screen of the X server."""
    lines = []
    for name, slot in (("left", 2), ("right", 16)):
        lines += ['Section "Device"', f'Identifier "{name}"', f'Driver "{driver}"', f'BusID "PCI:0:{slot}:0"', "EndSection",
                  'Section "Screen"', f'Identifier "{name}"', f'Device "{name}"', "DefaultDepth 24", "EndSection"]
    lines += ['Section "ServerLayout"', 'Identifier "both"', 'Screen "left"', 'Screen "right" RightOf "left"', 'Option "Xinerama" "on"',
              "EndSection"]
    with Session("--qxl", "revision=5", "--qxl", "revision=5", name="xorg-two") as session:
        session.run("modprobe qxl && udevadm settle")
        for line in lines:
            session.run(f"echo '{line}' >>/etc/X11/two.conf")
        session.start_x("two")
        for step in ("text", "render", "drag", "across"):
            if step == "across":  # a window that both show
                session.run("xdotool windowmove $(xdotool search --onlyvisible --name terminal | tail -1) 800 100")
            else:
                session.work(step)
            both = session.settled_picture()
            halves = [part_of(both, left, both.width // 2) for left in (0, both.width // 2)]
            check(halves[0] != halves[1], "the same picture on both")
            for display, half in enumerate(halves):
                wait_for(f"a screenshot of display {display} after {step}",
                         lambda display=display, half=half: session.screen(f"qxl{display}") == half, TIMEOUT, 0.2)
                session.client.wait(f"the client's display {display} after {step}",
                                    lambda display=display, half=half: session.client.screen(display) == half, TIMEOUT)
        session.check_no_faults()


def two_devices_with_modesetting():
    two_devices_with("modesetting")


def two_devices_with_the_devices_driver():
    two_devices_with("qxl")


def clients_choose_sizes_and_heads():
    """Without the agent's program: the device tells the driver, and the driver the desktop."""
    with Session() as session:
        session.start_x("modesetting")
        session.follow_clients()
        client, spice = session.client, session.client.spice.MainChannel
        main = client.channels[1, 0]
        client.wait("the agent's port", lambda: main.get_property("agent-connected"), TIMEOUT)
        spice.update_display_enabled(main, 0, True, False)
        for width, height in ((1000, 700), (1280, 720)):
            spice.update_display(main, 0, 0, 0, width, height, True)
            client.wait(f"{width} x {height}", lambda size=(width, height): session.size() == size, TIMEOUT)
        spice.update_display_enabled(main, 1, True, False)
        spice.update_display(main, 1, 1280, 0, 800, 600, True)
        client.wait("two heads", lambda: (session.size(0), session.size(1)) == ((1280, 720), (800, 600)), TIMEOUT)
        spice.update_display_enabled(main, 1, False, True)
        client.wait("one head", lambda: session.size(1) is None, TIMEOUT)
        session.check_no_faults()


def agent_enables_a_second_head():
    """X's driver alone does not hear of clients' wishes: they are the agent's, who changes X's screen. It places the heads, too, and
    the first may be the one that is off."""
    with Session() as session:
        session.start_x(TWO_HEADS)
        session.run("modprobe uinput; ip link set lo up; mkdir -p /run/dbus; dbus-daemon --system --fork; agent-daemons")
        client, spice = session.client, session.client.spice.MainChannel
        main = client.channels[1, 0]
        client.wait("the agent", lambda: main.get_property("agent-connected"), TIMEOUT)
        client.wait("what it can", lambda: spice.agent_test_capability(main, MONITORS_CONFIG), TIMEOUT)
        spice.update_display_enabled(main, 0, True, False)
        spice.update_display_enabled(main, 1, True, False)
        spice.update_display(main, 0, 0, 0, 1024, 768, False)
        spice.update_display(main, 1, 1024, 0, 800, 600, True)
        client.wait("two heads", lambda: (session.size(0), session.size(1)) == ((1024, 768), (800, 600)), TIMEOUT)
        spice.update_display_enabled(main, 0, False, True)
        client.wait("the second alone", lambda: (session.size(0), session.size(1)) == ((800, 600), None), TIMEOUT)
        client.wait("its place", lambda: session.layout() == {"qxl-1": "800x600+0+0"}, TIMEOUT)
        spice.update_display_enabled(main, 0, True, False)
        spice.update_display(main, 0, 800, 0, 1024, 768, False)
        spice.update_display(main, 1, 0, 0, 800, 600, True)
        client.wait("both again", lambda: (session.size(0), session.size(1)) == ((1024, 768), (800, 600)), TIMEOUT)
        client.wait("their places", lambda: session.layout() == {"qxl-0": "1024x768+800+0", "qxl-1": "800x600+0+0"}, TIMEOUT)
        spice.update_display_enabled(main, 1, False, True)
        client.wait("one head", lambda: session.size(1) is None, TIMEOUT)
        session.check_no_faults()


def screen_follows_the_window_of_remote_viewer():
    with Session() as session:
        session.start_x("modesetting")
        session.follow_clients()
        session.client.close()
        session.client = None
        script = (f"remote-viewer spice://127.0.0.1:{session.guest.vmm.port} & viewer=$!; "
                  "while read width height; do xdotool search --onlyvisible --class remote-viewer windowsize $width $height; done; "
                  "kill $viewer")
        viewer = subprocess.Popen(["xvfb-run", "-a", "-s", "-screen 0 1600x1200x24", "sh", "-c", script], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for("remote-viewer", lambda: len(session.guest.vmm.qmp("query-spice")["channels"]) >= 4, TIMEOUT)
            borders = set()
            for width, height in ((1100, 900), (1400, 1000)):
                before = session.size()
                viewer.stdin.write(f"{width} {height}\n".encode())
                viewer.stdin.flush()
                wait_for(f"the screen for a window of {width} x {height}", lambda before=before: session.size() != before, TIMEOUT)
                shown = session.size()
                borders.add((width - shown[0], height - shown[1]))
            check(len(borders) == 1 and min(borders.pop()) >= 0, "the screen differs from windows by other than their frame")
        finally:
            viewer.communicate(timeout=60)
        session.check_no_faults()


def local_window_is_a_second_head():
    """It shows what X says and what clients see, its size becomes the guest's, and the guest's pointer is where the mouse is."""
    with XScreen(), Session("--display", "sdl") as session:
        session.start_x("modesetting")
        window = Window()
        session.work("text")
        session.shows("text", read_picture(os.path.join(GOLDEN, "xorg-text.png")))
        wait_for("the window to show text", lambda: window.screen() == session.own_picture(), TIMEOUT)
        session.follow_clients()
        window.resize(1100, 900)
        wait_for("the screen to have the window's size", lambda: session.size() == (1100, 900) == window.size(), TIMEOUT)
        wait_for("the window to show all of it", lambda: window.screen() == session.own_picture(), TIMEOUT)

        def moves_to(place):
            for step in ((500, 500), place):
                window.move(*step)
            return session.place_of_the_pointer() == place
        for place in ((0, 0), (1099, 899), (123, 456)):
            wait_for(f"the pointer at {place}", lambda place=place: moves_to(place), TIMEOUT)
        session.check_no_faults()


CASES = {function.__name__: function for function in (
    modesetting_on_the_kernels_driver, device_driver_on_the_kernels_driver, device_driver_alone,
    device_driver_alone_with_surfaces, surfaces_survive_a_snapshot, device_driver_alone_renders, modes_from_small_to_large,
    clients_choose_sizes_and_heads, agent_enables_a_second_head, screen_follows_the_window_of_remote_viewer,
    local_window_is_a_second_head, largest_mode_with_modesetting, largest_mode_with_the_devices_driver, two_devices_with_modesetting,
    two_devices_with_the_devices_driver)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
