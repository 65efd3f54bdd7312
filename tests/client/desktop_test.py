#!/usr/bin/python3
"""Debian on a disk, on the software CPU: from power-on on every kind of disk, and all else from a snapshot of it."""
import hashlib
import os
import random
import re
import sys
import tempfile
import time

from guests import CLICKS, TIMEOUT, desktop, press_every_button, press_every_key, record_input, recorded, restored
from harness import SpiceClient, check, read_file, run_cases, wait_for

KINDS = ("virtio", "ahci", "ide")
SCRATCH_BYTES = 32 << 20
RECORD_BYTES = 4096
CLIENT_MODE, SERVER_MODE = 2, 1
BATCH = 16  # records between two flushes (tests/guest/debian/desktop/recorder)


def wait_desktop(guest):
    guest.wait("guest: desktop")
    guest.wait_shell()
    guest.vmm.wait_screen("desktop", TIMEOUT)


def boots_to_its_desktop(disk, cpus):
    with desktop(disk, "--cpus", str(cpus)) as guest:
        wait_desktop(guest)
        check(guest.run("nproc") == str(cpus), f"not {cpus} processors online")
        check(guest.run("echo kept > /root/file && sync && cat /root/file") == "kept", "no file")
        guest.ends("poweroff -f")


def boots_from_ide():
    boots_to_its_desktop("ide", 1)


def boots_from_ahci():
    boots_to_its_desktop("ahci", 4)


class Workbench:
    """The desktop on virtio with 2 CPUs and a scratch disk of each kind, from a snapshot. Scratch disks are new each time."""

    def __init__(self, recording=False):
        self.folder = tempfile.TemporaryDirectory()
        for kind in KINDS:
            with open(self.image(kind), "wb") as file:
                file.truncate(SCRATCH_BYTES)
        self.guest = restored("recording", self.boot_desktop, start_recorders) if recording else self.boot_desktop()

    def boot(self, *arguments):
        scratch = [word for kind in KINDS for word in ("--disk", f"{self.image(kind)},if={kind}")]
        ports = [word for kind in KINDS for word in ("--virtio-port", f"recorder.{kind}=unix:{{directory}}/{kind}")]
        return desktop("virtio", *scratch, *ports, "--cpus", "2", "--rng", "on", "--balloon", "on", *arguments)

    def boot_desktop(self, *arguments):
        return self.boot(*arguments) if arguments else restored("desktop", self.boot, wait_desktop)

    def image(self, kind):
        return os.path.join(self.folder.name, kind)

    def __enter__(self):
        self.guest.__enter__()
        return self.guest

    def __exit__(self, *failure):
        self.guest.__exit__(*failure)
        self.folder.cleanup()


def scratch_device(guest, kind):
    if kind == "virtio":
        return "/dev/vdb"
    driver = {"ahci": "ahci", "ide": "ata_piix"}[kind]
    return guest.run(f"echo /dev/$(basename /sys/bus/pci/drivers/{driver}/0*/ata*/host*/target*/*/block/sd*)")


# What Debian's kernel says on every machine with this chipset, and of a PIT beside a busy host.
HARMLESS = ("fail to add MMCONFIG information", "Unable to calibrate against PIT", "Lost [0-9]+ RTC interrupts")


def restored_guest_has_its_desktop():
    with Workbench() as guest:
        guest.vmm.wait_screen("desktop", TIMEOUT)
        check(guest.run("nproc") == "2", "not two processors online")
        complaints = guest.run("/usr/bin/dmesg --color=never --level=emerg,alert,crit,err,warn")
        unexpected = [line for line in complaints.splitlines() if not re.search("|".join(HARMLESS), line)]
        check(not unexpected, "the kernel complains: " + "\n".join(unexpected))


def fio_verifies_every_disk():
    with Workbench() as guest:
        for kind in KINDS:
            device = scratch_device(guest, kind)
            said = guest.run(f"fio --name={kind} --filename={device} --rw=randrw --bsrange=4k-64k --size=8M --direct=1 --iodepth=16 "
                             "--ioengine=libaio --verify=crc32c --do_verify=1 --fsync=32 --randseed=1 2>&1")
            check("err= 0" in said, f"{kind}: {said}")
        check(guest.run("dmesg | grep -ciE 'i/o error|timeout|reset failed|exception'") == "0", guest.run("dmesg | tail -20"))


def trim_gives_blocks_back():
    bench = Workbench()
    with bench as guest:
        for kind in ("virtio", "ahci"):
            device = scratch_device(guest, kind)
            guest.run(f"dd if=/dev/urandom of={device} bs=1M count=8 oflag=direct 2>/dev/null")
            before = os.stat(bench.image(kind)).st_blocks
            said = guest.run(f"blkdiscard -l 4M {device} && blockdev --flushbufs {device} && echo done")
            check(said == "done", f"{kind}: {said}")
            after = os.stat(bench.image(kind)).st_blocks
            check(before - after >= (4 << 20) / 512, f"{kind}: {before} blocks before, {after} after")


def acpi_tables_are_clean():
    with Workbench() as guest:
        guest.run("(cd /tmp && acpidump -b)")
        for table in ("apic", "dsdt", "facp", "facs", "hpet", "ssdt", "waet"):
            said = guest.run(f"(cd /tmp && iasl -d {table}.dat && iasl -vw 3168 {table}.dsl) 2>&1")
            check("0 Errors, 0 Warnings" in said and "ERROR" not in said.upper().replace("0 ERRORS", ""), f"{table}: {said}")


def keys_and_mouse_reach_evdev():
    with Workbench() as guest:
        record_input(guest)
        press_every_key(guest, "/tmp/event*", 4)
        guest.vmm.hmp("mouse_move 5 3 1")
        wanted = ("KEY_A), value 1", "KEY_A), value 0", "REL_X), value 5", "REL_Y), value 3", "REL_WHEEL), value")
        for event in wanted:
            wait_for(event, lambda: guest.run(f"grep -cF '{event}' /tmp/event* | grep -vc ':0'") == "1", TIMEOUT)
        client = SpiceClient(guest.vmm.port)
        client.wait("the inputs channel", lambda: (3, "opened") in client.events, TIMEOUT)
        main = client.channels[1, 0]
        client.wait("client mode", lambda: main.get_property("mouse-mode") == CLIENT_MODE, TIMEOUT)
        client.spice.MainChannel.request_mouse_mode(main, SERVER_MODE)
        client.wait("server mode", lambda: main.get_property("mouse-mode") == SERVER_MODE, TIMEOUT)
        press_every_button(client)
        client.close()
        mouse = guest.run("grep -lx '.*PS/2.*Mouse' /sys/class/input/event*/device/name").split("/")[4]
        recorded(guest, "/tmp/" + mouse, *CLICKS)


def poweroff_ends_it():
    with Workbench() as guest:
        guest.ends("poweroff -f")


def power_button_is_a_key():
    with Workbench() as guest:
        button = guest.run("grep -lx 'Power Button' /sys/class/input/event*/device/name").split("/")[4]
        guest.run(f"evtest /dev/input/{button} > /tmp/button 2>&1 &")
        wait_for("evtest", lambda: "Testing" in guest.run("cat /tmp/button"), TIMEOUT)
        guest.vmm.hmp("system_powerdown")
        wait_for("the button", lambda: guest.run("grep -c 'KEY_POWER), value 1' /tmp/button") == "1", TIMEOUT)


def reboot_boots_again():
    with Workbench() as guest:
        guest.shell.send("reboot -f")
        guest.wait("guest: desktop")
        guest.wait_shell()
        check(guest.run("nproc") == "2", "not two processors online")


def record(number):
    """As the recorder in the guest makes them."""
    seed = number.to_bytes(8, "little")
    return seed + hashlib.sha512(seed).digest() * (RECORD_BYTES // 64 - 1) + bytes(56)


def flushed_records_are_there(path, first, last):
    """Of each place of the disk the last flushed record, or a later one that was under way."""
    blocks = SCRATCH_BYTES // RECORD_BYTES
    flushed = {number * 7919 % blocks: number for number in range(first, last + 1)}
    contents = read_file(path)
    for place, number in flushed.items():
        block = contents[place * RECORD_BYTES:(place + 1) * RECORD_BYTES]
        found = int.from_bytes(block[:8], "little")
        under_way = found > last and (found - number) % blocks == 0
        check(block == record(found) and (found == number or under_way), f"{path}: record {number} is lost, {found} is there")


def start_recorders(guest):
    for kind in KINDS:
        guest.run(f"port=$(grep -lx recorder.{kind} /sys/class/virtio-ports/*/name); "
                  f"recorder {scratch_device(guest, kind)} /dev/$(basename $(dirname $port)) &")


def flushed_data_survives_a_kill():
    """minivmm is killed while the guest writes to every disk: what it was told to be flushed is in the images."""
    counted = 0
    for _ in range(int(os.environ.get("KILLS", "2"))):
        bench = Workbench(recording=True)
        with bench as guest:
            said = {kind: guest.connect(kind) for kind in KINDS}
            for peer in said.values():
                peer.recv(1, 0x2)  # MSG_PEEK: it records
            time.sleep(random.random())
            guest.vmm.kill()
            for kind, peer in said.items():
                numbers = [int(line) for line in receive_all(peer).split(b"\n")[:-1]]
                counted += numbers[-1] - numbers[0]
                flushed_records_are_there(bench.image(kind), numbers[0] + 1, numbers[-1])
    check(counted > 0, "nothing was flushed")
    print(f"{counted} flushed records found")


def receive_all(peer):
    said = b""
    try:
        while piece := peer.recv(65536):
            said += piece
    except ConnectionResetError:
        pass
    return said


CASES = {function.__name__: function for function in (
    boots_from_ide, boots_from_ahci, restored_guest_has_its_desktop, fio_verifies_every_disk, trim_gives_blocks_back,
    acpi_tables_are_clean, keys_and_mouse_reach_evdev, poweroff_ends_it, power_button_is_a_key, reboot_boots_again,
    flushed_data_survives_a_kill)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
