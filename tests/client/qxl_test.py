#!/usr/bin/python3
"""Linux's driver on the QXL device, in native mode: Debian's qxl.ko on the software CPU."""
import sys
import tempfile

from guests import DISPLAY_FAULTS, TIMEOUT, KernelGuest
from harness import SpiceClient, check, run_cases, same_screen, wait_for



BOOKWORM = ("generic/vmlinuz", "qxl.initrd")
TRIXIE = ("trixie/vmlinuz", "qxl-trixie.initrd")


def guest_with(*options, system=BOOKWORM):
    return KernelGuest("--qxl", ",".join(options), system=system)


def is_native(guest):
    return ", native" in guest.vmm.hmp("info qxl")


def driver_binds():
    """The console moves into native mode; clients see what a screenshot shows."""
    for system, revision in ((BOOKWORM, 4), (BOOKWORM, 5), (TRIXIE, 5)):
        with guest_with(f"revision={revision}", system=system) as guest:
            guest.run("modprobe qxl")
            wait_for("native mode", lambda: is_native(guest), TIMEOUT)
            check(guest.run(DISPLAY_FAULTS) == "", guest.run("dmesg | tail -20"))
            check("commands that made no sense: 0" in guest.vmm.hmp("info qxl"), guest.vmm.hmp("info qxl"))
            guest.run("for i in $(seq 60); do echo line $i of the console; done > /dev/tty1")
            client = SpiceClient(guest.vmm.port)
            client.wait_picture()
            guest.run("for i in $(seq 60); do echo another line, $i; done > /dev/tty1")
            client.wait("the client to see the console", lambda: same_screen(client.screen(), guest.vmm.screen()))
            client.close()
            guest.ends("poweroff -f")


def memories_and_first_monitor_have_the_wished_sizes():
    with guest_with("revision=5", "vram64_size_mb=128", "xres=1600", "yres=900") as guest:
        guest.run("modprobe qxl")
        wait_for("native mode", lambda: is_native(guest), TIMEOUT)
        said = guest.run("dmesg | grep -i qxl")
        check("128M of Surface memory" in said, said)
        bars = guest.run("dmesg | grep -A6 1b36:0100")
        check("64bit pref" in bars, bars)
        screen = guest.vmm.screen()
        check((screen.width, screen.height) == (1600, 900), f"the screen is {screen.width} x {screen.height}")
        guest.ends("poweroff -f")


def comes_and_goes(guest):
    guest.run("modprobe qxl")
    wait_for("native mode", lambda: is_native(guest), TIMEOUT)
    guest.run("for console in /sys/class/vtconsole/*; do grep -q frame $console/name && echo 0 > $console/bind; done")
    check(guest.run("rmmod qxl; echo $?") == "0", "the driver cannot leave")
    check("no primary surface" in guest.vmm.hmp("info qxl"), "its surface is still there")


def driver_comes_and_goes():
    """Once with Linux 6.1, which leaves its interrupt handler behind and panics when the driver comes back, in QEMU, too."""
    for system, times in ((BOOKWORM, 1), (TRIXIE, 20)):
        with guest_with("revision=5", system=system) as guest:
            for _ in range(times):
                comes_and_goes(guest)
            check(guest.run(DISPLAY_FAULTS) == "", guest.run("dmesg | tail -20"))
            guest.ends("poweroff -f")


def old_revision_is_refused():
    with guest_with("revision=3") as guest:
        guest.run("modprobe qxl")
        check("too old" in guest.run("dmesg | grep -i qxl"), guest.run("dmesg | tail -5"))
        check("VGA" in guest.vmm.hmp("info qxl"), "it is not in VGA mode any more")
        guest.ends("poweroff -f")


def screens_survive_a_snapshot():
    with tempfile.TemporaryDirectory() as folder:
        snapshot = folder + "/snapshot"
        with guest_with("revision=5") as guest:
            guest.run("modprobe qxl")
            wait_for("native mode", lambda: is_native(guest), TIMEOUT)
            guest.run("ls -la / > /dev/tty1; echo 0 > /sys/class/graphics/fbcon/cursor_blink")
            check(guest.vmm.hmp("savevm " + snapshot) == "", "savevm failed")
            before = guest.vmm.screen()
        with KernelGuest("--qxl", "revision=5", "--restore", snapshot, system=("generic/vmlinuz", "qxl.initrd")) as guest:
            check(same_screen(before, guest.vmm.screen()), "another screen after --restore")
            guest.run("echo and it goes on > /dev/tty1")
            wait_for("it to go on", lambda: not same_screen(before, guest.vmm.screen()), TIMEOUT)


CASES = {function.__name__: function for function in (driver_binds, memories_and_first_monitor_have_the_wished_sizes, driver_comes_and_goes, old_revision_is_refused,
                                                       screens_survive_a_snapshot)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
