#!/usr/bin/python3
"""Time made by instructions: the same machine gives the same bytes and the same screens, run after run."""
import gzip
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time

from harness import DEBIAN_GUESTS, MINIVMM, Failure, Vmm, check, read_file, run_cases, wait_for

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


def rig(disturb):
    """What a bare guest that drives the QXL device's rings said, the ticks that it counted with it."""
    image = os.path.join(os.path.dirname(MINIVMM), "guests/qxl-rig.img")
    with Vmm("--memory", "64M", "--disk", image + ",snapshot=on", "--debugcon", "file:{directory}/console", accel=ACCEL) as vmm:
        try:
            while vmm.process.poll() is None:
                disturb(vmm)
                vmm.screen()
        except (Failure, OSError):
            pass  # it has ended meanwhile
        check(vmm.wait_exit(TIMEOUT) == 1, f"exit status {vmm.process.returncode}")
        return read_file(os.path.join(vmm.directory, "console"))


def rig_with_rings():
    said = rig(leave_alone)
    check(said.endswith(b"done\n"), f"the rig did not end: {said[-500:]!r}")
    check(said == rig(pause), "other ticks")


def make_native_initrd(folder):
    """Linux's driver, and a first process that has it show something. Both runs have the same bytes."""
    init = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
modprobe qxl
for i in $(seq 100); do echo line $i of the console; done >/dev/tty1
halt -f
"""
    with open(os.path.join(folder, "init"), "w") as file:
        file.write(init)
    os.chmod(file.name, 0o755)
    own = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, input=b"init\n", stdout=subprocess.PIPE, check=True)
    initrd = os.path.join(folder, "initrd")
    with open(initrd, "wb") as file:
        file.write(read_file(os.path.join(DEBIAN_GUESTS, "qxl.initrd")) + gzip.compress(own.stdout))
    return initrd


def native_kernel(initrd, disturb):
    """The kernel's console in native mode: what was said, the last screen, and what the driver did."""
    with Vmm("--memory", "256M", "--kernel", os.path.join(DEBIAN_GUESTS, "generic/vmlinuz"), "--initrd", initrd, "--append",
             "console=tty0 console=ttyS0 vt.global_cursor_default=0", "--serial", "file:{directory}/serial", accel=ACCEL) as vmm:
        said = os.path.join(vmm.directory, "serial")
        wait_for("the guest to halt", lambda: disturb(vmm) or b"System halted" in read_file(said), TIMEOUT)
        check(", native" in vmm.hmp("info qxl"), f"not in native mode: {read_file(said)[-500:]!r}")
        return read_file(said), vmm.screen(), vmm.hmp("info qxl")


def kernels_console_in_native_mode():
    with tempfile.TemporaryDirectory() as folder:
        initrd = make_native_initrd(folder)
        said, screen, info = native_kernel(initrd, leave_alone)
        said_again, screen_again, info_again = native_kernel(initrd, pause)
    check(said == said_again, "another serial log")
    check(screen == screen_again, "another screen")
    check(info == info_again, f"the driver did something else: {info} {info_again}")


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


CASES = {function.__name__: function for function in (kernel_with_1_cpu, kernel_with_4_cpus, rig_with_rings,
                                               kernels_console_in_native_mode, cd_until_the_firmware_gives_up,
                                               desktop_on_ide, desktop_on_virtio)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
