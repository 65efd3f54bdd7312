#!/usr/bin/python3
"""The window on this computer's screen, on an X server of the test's own."""
import glob
import os
import sys
import tempfile

from harness import GUESTS, Vmm, check, differing_cells, read_picture, run_cases, same_screen, wait_for
from pictures_test import spicy_screenshot
from window import Window, XScreen

BOOT_SECTOR = GUESTS + "/boot_sector/hello.img"
BOOT_TIMEOUT = 240
WIDTH, HEIGHT = 720, 400  # of the guest's screen
GRABBED = "minivmm - Ctrl+Alt+G frees keyboard and mouse"


class Booted:
    """The boot sector's guest and its window. Context manager."""

    def __init__(self, *arguments, display="sdl"):
        self.x = XScreen()
        self.arguments = ("--disk", BOOT_SECTOR + ",snapshot=on", "--display", display, *arguments)

    def __enter__(self):
        self.x.__enter__()
        self.vmm = Vmm(*self.arguments)
        self.vmm.wait_screen("hello", BOOT_TIMEOUT)
        self.window = Window()
        return self

    def __exit__(self, *failure):
        self.vmm.__exit__(*failure)
        self.x.__exit__(*failure)


def window_is_a_second_head():
    with Booted() as guest:
        wait_for("the same pixels", lambda: same_screen(guest.window.screen(), guest.vmm.screen()))
        wait_for("the same pixels for a client", lambda: same_screen(guest.window.screen(), spicy_screenshot(guest.vmm.port)))


def keys_reach_the_guest():
    with Booted() as guest:
        before = guest.vmm.screen()
        guest.window.keys("a", "b", "shift+c")
        wait_for("letters", lambda: len(differing_cells(before, guest.vmm.screen())) >= 3)
        wait_for("the same pixels", lambda: same_screen(guest.window.screen(), guest.vmm.screen()))


def key_for_a_picture():
    with tempfile.TemporaryDirectory() as directory:
        before = os.getcwd()
        os.chdir(directory)
        try:
            with Booted() as guest:
                guest.window.keys("ctrl+alt+s")
                (path,) = wait_for("the picture", lambda: glob.glob("minivmm-*.png"))
                check(same_screen(read_picture(path), guest.vmm.screen()), "the picture shows something else")
                wait_for("word of it", lambda: path in guest.vmm.output())
                wait_for("the guest to be spared the key", lambda: same_screen(guest.window.screen(), guest.vmm.screen()))
        finally:
            os.chdir(before)


def picture_fits_the_window():
    with Booted() as guest:
        window = guest.window
        check(window.size() == (WIDTH, HEIGHT), f"the window has {window.size()}")
        window.resize(2 * WIDTH, 3 * HEIGHT)

        def has_bars():
            picture = window.screen()
            row = picture.width * 3
            lines = [any(picture.rgb[y * row:(y + 1) * row]) for y in range(picture.height)]
            bar = HEIGHT // 2
            return (picture.width, picture.height) == (2 * WIDTH, 3 * HEIGHT) and any(lines[bar:bar + 64]) and not any(lines[:bar])
        wait_for("bars above and below", has_bars)
        window.keys("ctrl+alt+u")
        wait_for("the guest's own size", lambda: same_screen(window.screen(), guest.vmm.screen()))


def click_takes_the_mouse():
    with Booted("--usb", "off") as guest:
        check(guest.window.title() == "minivmm", guest.window.title())
        guest.window.click()
        wait_for("the mouse to be the guest's", lambda: guest.window.title() == GRABBED)
        guest.window.keys("ctrl+alt+g")
        wait_for("the mouse to be free", lambda: guest.window.title() == "minivmm")
        guest.window.keys("ctrl+alt+g")
        wait_for("the mouse to be the guest's once more", lambda: guest.window.title() == GRABBED)


def closing_it_ends_the_machine():
    with Booted() as guest:
        guest.window.close()
        check(guest.vmm.wait_exit() == 0, guest.vmm.output())
    with Booted(display="sdl,window-close=off") as guest:
        guest.window.close()
        guest.window.keys("a")
        wait_for("the next key", lambda: len(differing_cells(guest.window.screen(), guest.vmm.screen())) <= 1)
        check(guest.vmm.process.poll() is None, "it has ended")


def each_display_has_a_window():
    with Booted("--qxl", "revision=5", "--qxl", "revision=5") as guest:
        second = Window(r"minivmm \(qxl1\)")
        check(second.id != guest.window.id, "there is one window")


def without_a_screen_it_says_so():
    before = os.environ.pop("DISPLAY", None)
    try:
        vmm = Vmm("--display", "sdl", qmp=False)
        check(vmm.wait_exit() == 1, "it did not end")
        check("--display sdl: there is no screen" in vmm.output(), vmm.output())
    finally:
        if before is not None:
            os.environ["DISPLAY"] = before


CASES = {function.__name__: function for function in (
    window_is_a_second_head, keys_reach_the_guest, key_for_a_picture, picture_fits_the_window, click_takes_the_mouse,
    closing_it_ends_the_machine, each_display_has_a_window, without_a_screen_it_says_so)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
