#!/usr/bin/python3
"""USB as Debian's drivers find it, on the software CPU: a desktop with input devices, a hub and sticks, from a snapshot."""
import hashlib
import os
import re
import sys
import tempfile

from guests import CLICKS, TIMEOUT, desktop, press_every_button, press_every_key, record_input, recorded, restored
from harness import ROOT, SpiceClient, check, read_file, run_cases, wait_for

STICK_BYTES = 12 << 20
CLIENT_MODE, SERVER_MODE = 2, 1
CAPS_LOCK = 4  # of spice-gtk's locks
# What this guest says of the same devices in QEMU 7.2, but for two things: qualifiers say USB 2.0, as [USB 9.6.2] has it, and the
# keyboard's report descriptor has a byte more, since there a logical maximum of 255 takes two.
DEVICES = os.path.join(ROOT, "tests/golden/usb_devices.txt")


class Bench:
    """The desktop with a tablet, a keyboard, a mouse and a stick at the EHCI controller, and a hub with a stick and a mouse of
    USB 1.1 at a companion."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        for name in ("fast", "slow"):
            with open(self.image(name), "wb") as file:
                file.truncate(STICK_BYTES)
        self.guest = restored("usb", self.boot, self.prepare)

    def image(self, name):
        return os.path.join(self.folder.name, name)

    def boot(self, *arguments):
        devices = ("tablet,port=1", "keyboard,port=2", "mouse,port=3", f"storage,file={self.image('fast')},port=4", "hub,port=5",
                   f"storage,file={self.image('slow')},port=5.1", "mouse,port=5.2,usb_version=1")
        return desktop("virtio", *(word for device in devices for word in ("--usb-device", device)), *arguments)

    @staticmethod
    def prepare(guest):
        guest.wait("guest: desktop")
        guest.wait_shell()
        wait_for("two sticks", lambda: guest.run("ls /dev/sda /dev/sdb 2>/dev/null | wc -l") == "2", TIMEOUT)
        record_input(guest)

    def __enter__(self):
        self.guest.__enter__()
        return self.guest

    def __exit__(self, *failure):
        self.guest.__exit__(*failure)
        self.folder.cleanup()


def events_of(guest, product):
    """The file with what evtest has seen of an input device."""
    return guest.run(f"grep -lx '{product}' /sys/class/input/event*/device/name | head -1 | sed 's|.*\\(event[0-9]*\\).*|/tmp/\\1|'")


def normalised(tree, descriptors):
    """lsusb's lines without what differs from boot to boot, numbers of buses and devices, and without strings and their
    numbers: they name the maker."""
    hubs = sorted(re.sub(r"Bus \d+|Dev \d+", lambda number: number[0].split()[0], tree).split("/:  ")[1:])
    text = "".join(hubs).rstrip() + "\n" + descriptors
    text = re.sub(r"^Bus \d+ Device \d+: (ID \w+:\w+).*", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r"^( *i(?:Manufacturer|Product|Serial|Configuration|Interface)) .*", r"\1", text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def tree_and_descriptors_are_those_of_qemu():
    with Bench() as guest:
        tree = guest.run("lsusb -t")
        descriptors = guest.run(
            "cd /sys/bus/usb/devices; for s in 480 12; do for d in *-*; do [ \"$(cat $d/speed 2>/dev/null)\" = $s ] && "
            "lsusb -v -s $(cat $d/busnum):$(cat $d/devnum) 2>/dev/null; done; done; cd /")
        shown, wanted = normalised(tree + "\n", descriptors), read_file(DEVICES).decode().splitlines()
        differences = [f"{ours!r} instead of {theirs!r}" for ours, theirs in zip(shown, wanted) if ours != theirs]
        check(shown == wanted, f"{len(shown)} lines instead of {len(wanted)}: {differences[:10]}")


def every_key_arrives():
    with Bench() as guest:
        press_every_key(guest, "/tmp/event*", 15)
        # The two keyboards are not told the same key.
        seen = guest.run("cat /tmp/event* | grep -cF '(KEY_A), value 1'")
        check(seen == "1", f"the key A was pressed {seen} times")


def mouse_and_tablet_arrive():
    with Bench() as guest:
        guest.vmm.hmp("mouse_move 5 3 1")
        recorded(guest, "/tmp/event*", "(REL_X), value 5", "(REL_Y), value 3", "(REL_WHEEL), value")
        client = SpiceClient(guest.vmm.port)
        client.wait_picture(TIMEOUT)
        main = client.channels[1, 0]
        client.wait("client mode", lambda: main.get_property("mouse-mode") == CLIENT_MODE, TIMEOUT)
        client.wait("the inputs channel", lambda: (3, "opened") in client.events, TIMEOUT)
        inputs, channel = client.spice.InputsChannel, client.channels[3, 0]
        width, height = client.primary[:2]
        inputs.position(channel, width - 1, height - 1, 0, 0)
        press_every_button(client)
        tablet = events_of(guest, ".*USB Tablet")
        recorded(guest, tablet, "(ABS_X), value 32767", "(ABS_Y), value 32767", "(REL_WHEEL), value 1", "(REL_WHEEL), value -1",
                 *CLICKS)
        inputs.position(channel, 0, 0, 0, 0)
        client.pump(0.2)
        recorded(guest, tablet, "(ABS_X), value 0", "(ABS_Y), value 0")
        client.spice.MainChannel.request_mouse_mode(main, SERVER_MODE)
        client.wait("server mode", lambda: main.get_property("mouse-mode") == SERVER_MODE, TIMEOUT)
        press_every_button(client)
        recorded(guest, events_of(guest, ".*USB Mouse"), *CLICKS)
        client.close()


def lock_lights_go_both_ways_and_held_keys_are_released():
    with Bench() as guest:
        client = SpiceClient(guest.vmm.port)
        client.wait("the inputs channel", lambda: (3, "opened") in client.events, TIMEOUT)
        inputs, channel = client.spice.InputsChannel, client.channels[3, 0]
        light = guest.run("for l in /sys/class/leds/*::capslock; do grep -q 'USB Keyboard' $l/device/name && echo $l/brightness; done")
        guest.vmm.hmp("sendkey caps_lock 10")
        client.wait("the guest's light", lambda: channel.get_property("key-modifiers") & CAPS_LOCK, TIMEOUT)
        wait_for("the light", lambda: guest.run(f"cat {light}") == "1", TIMEOUT)
        inputs.set_key_locks(channel, 0)
        client.wait("the light going out", lambda: guest.run(f"cat {light}") == "0", TIMEOUT)
        inputs.key_press(channel, 0x1e)
        client.pump(0.5)
        recorded(guest, "/tmp/event*", "(KEY_A), value 1")
        client.close()
        recorded(guest, "/tmp/event*", "(KEY_A), value 0")


def sticks_keep_a_file_system():
    bench = Bench()
    with bench as guest:
        for name, port in (("fast", "?-4"), ("slow", "?-?.1")):  # which controller Linux finds first differs
            device = "/dev/" + guest.run(f"basename /sys/bus/usb/devices/{port}/*:1.0/host*/target*/*/block/*")
            said = guest.run(f"mkfs.ext4 -q -F {device} && mount {device} /mnt && dd if=/dev/urandom of=/mnt/file bs=64k count=32 "
                             "2>/dev/null; sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum /mnt/file | cut -c1-64")
            check(re.fullmatch("[0-9a-f]{64}", said), f"{name}: {said}")
            check(guest.run(f"umount /mnt && mount -r {device} /mnt && sha256sum /mnt/file | cut -c1-64; umount /mnt") == said,
                  f"{name}: the file is another one after it was mounted again")
            check(guest.run(f"e2fsck -fn {device} > /tmp/check 2>&1; echo $?") == "0", guest.run("cat /tmp/check"))
            shown = guest.run(f"sha256sum {device} | cut -c1-64")
            check(hashlib.sha256(read_file(bench.image(name))).hexdigest() == shown, f"{name}: the image is another one")
        check(guest.run("dmesg | grep -ciE 'usb.*(error|reset|timeout)|i/o error'") == "0", guest.run("dmesg | tail -20"))


CASES = {function.__name__: function for function in (
    tree_and_descriptors_are_those_of_qemu, every_key_arrives, mouse_and_tablet_arrive,
    lock_lights_go_both_ways_and_held_keys_are_released, sticks_keep_a_file_system)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
