#!/usr/bin/python3
"""Time made by instructions: the same machine gives the same bytes and the same screens, run after run."""
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time

from harness import DEBIAN_GUESTS, Vmm, check, read_file, run_cases, wait_for

TIMEOUT = 600  # an instrumented build is slow
ACCEL = "soft,icount=3,sleep=off"


def kernel(cpus, disturb):
    """What a kernel said on its serial port, with its times, and its last screen."""
    with Vmm("--memory", "256M", "--cpus", str(cpus), "--kernel", os.path.join(DEBIAN_GUESTS, "cloud/vmlinuz"), "--initrd",
             os.path.join(DEBIAN_GUESTS, "shell.initrd"), "--append",
             "console=tty0 console=ttyS0 vt.global_cursor_default=0 guest=halt", "--serial", "file:{directory}/serial",
             accel=ACCEL) as vmm:
        said = os.path.join(vmm.directory, "serial")
        wait_for("the guest to halt", lambda: disturb(vmm) or b"System halted" in read_file(said), TIMEOUT)
        return read_file(said), vmm.screen()


def leave_alone(_vmm):
    pass


def pause(vmm):
    vmm.qmp("stop")
    time.sleep(random.random() * 0.02)
    vmm.qmp("cont")


def kernel_twice(cpus):
    said, screen = kernel(cpus, leave_alone)
    check(b"] " in said and b"guest: init" in said, f"no boot with times: {said[-500:]!r}")
    said_again, screen_again = kernel(cpus, pause)
    check(said == said_again, "another serial log")
    check(screen == screen_again, "another screen")


def kernel_with_1_cpu():
    kernel_twice(1)


def kernel_with_4_cpus():
    kernel_twice(4)


def cd_until_the_firmware_gives_up():
    """SeaBIOS, ISOLINUX and iPXE with a CD's interrupts and timers; then the screen stands for a minute."""
    def boot():
        with Vmm("--cdrom", os.path.join(DEBIAN_GUESTS, "ipxe.iso"), "--boot", "d", "--memory", "256M", "--debugcon",
                 "file:{directory}/bios", accel="soft,icount=3") as vmm:
            vmm.wait_screen("ipxe", TIMEOUT)
            return read_file(os.path.join(vmm.directory, "bios"))
    check(boot() == boot(), "another log of the BIOS")


def make_desktop(folder):
    """The desktop's disk, made to halt when all is there."""
    image, menu = os.path.join(folder, "desktop"), os.path.join(folder, "syslinux.cfg")
    subprocess.run(["cp", "--sparse=always", os.path.join(DEBIAN_GUESTS, "desktop.img"), image], check=True)
    with open(menu, "w") as file:
        file.write("DEFAULT linux\nLABEL linux\nKERNEL vmlinuz\nINITRD initrd\n"
                   "APPEND vga=791 console=tty0 console=ttyS0 guest=halt\n")
    subprocess.run(["mcopy", "-o", "-i", image + "@@1M", menu, "::syslinux.cfg"], check=True)
    return image


def desktop(original, disk, disturb):
    """Debian from its disk to its desktop: what it said, its last screen and what became of the disk."""
    image = original + ".run"
    subprocess.run(["cp", "--sparse=always", original, image], check=True)
    with Vmm("--memory", "512M", "--disk", f"{image},if={disk}", "--serial", "file:{directory}/serial", accel=ACCEL) as vmm:
        said = os.path.join(vmm.directory, "serial")
        wait_for("the guest to halt", lambda: disturb(vmm) or b"System halted" in read_file(said), TIMEOUT)
        words, screen = read_file(said), vmm.screen()
    return words, screen, hashlib.sha256(read_file(image)).hexdigest()


def desktop_twice(disk):
    with tempfile.TemporaryDirectory() as folder:
        original = make_desktop(folder)
        said, screen, digest = desktop(original, disk, leave_alone)
        check(b"guest: desktop" in said, f"no desktop: {said[-500:]!r}")
        said_again, screen_again, digest_again = desktop(original, disk, pause)
    check(said == said_again, "another serial log")
    check(screen == screen_again, "another screen")
    check(digest == digest_again, "another disk")


def desktop_on_ide():
    desktop_twice("ide")


def desktop_on_virtio():
    desktop_twice("virtio")


CASES = {function.__name__: function for function in (kernel_with_1_cpu, kernel_with_4_cpus, cd_until_the_firmware_gives_up,
                                               desktop_on_ide, desktop_on_virtio)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
