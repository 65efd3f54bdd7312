#!/usr/bin/python3
"""Devices as the drivers of Debian's kernel find them, on the software CPU."""
import hashlib
import os
import sys
import tempfile

from guests import TIMEOUT, KernelGuest
from harness import check, read_file, run_cases, wait_for

DISK_BYTES = 16 << 20
STICK_BYTES = 6 << 20  # at 1 MB/s


def make_disk(path, seed, size=DISK_BYTES):
    """A disk whose contents are known."""
    block = hashlib.sha512(seed.encode()).digest()
    with open(path, "wb") as file:
        for _ in range(size // 4096):
            block = hashlib.sha512(block).digest()
            file.write(block * 64)
    return path


def disk_keeps_what_it_is_given(guest, device, path):
    def digest():
        return hashlib.sha256(read_file(path)).hexdigest()

    check(guest.run(f"sha256sum {device} | cut -c1-64") == digest(), f"{device} does not read as its image")
    guest.run(f"dd if=/dev/zero of={device} bs=64k count=20 seek=30 conv=fsync")
    guest.run(f"dd if=/bin/busybox of={device} bs=4k count=100 seek=1000 conv=fsync")
    guest.run("echo 3 > /proc/sys/vm/drop_caches")
    check(read_file(path)[30 * 65536:50 * 65536] == bytes(20 * 65536), f"{device}: what was flushed is not in the image")
    check(guest.run(f"sha256sum {device} | cut -c1-64") == digest(), f"{device} does not read as what was written")


def make_disks(folder, options, *kinds):
    """Images of these kinds of disk in a folder, and minivmm's arguments for them."""
    images = {kind: make_disk(os.path.join(folder, kind), kind) for kind in kinds}
    return images, [word for kind, path in images.items() for word in ("--disk", f"{path},if={kind}{options}")]


def disks(system=KernelGuest.GENERIC):
    with tempfile.TemporaryDirectory() as folder:
        images, arguments = make_disks(folder, "", "virtio", "ahci", "ide")
        modules = ("virtio_pci", "virtio_blk", "ahci", "ata_piix", "sd_mod")
        with KernelGuest(*arguments, "--cpus", "2", system=system, modules=modules) as guest:
            wait_for("three disks", lambda: guest.run("ls /dev/vda /dev/sda /dev/sdb 2>/dev/null | wc -l") == "3", TIMEOUT)
            check(guest.run("cat /sys/block/vda/serial") == "MV00001", "the virtio disk has another serial number")
            check(guest.run("cat /sys/block/vda/mq/*/cpu_list | wc -l") == "2", "the virtio disk has not a queue for each CPU")
            sata, ide = [guest.run(f"basename $(ls -d /sys/bus/pci/drivers/{driver}/0*/ata*/host*/target*/*/block/*)")
                         for driver in ("ahci", "ata_piix")]
            for device, kind in (("vda", "virtio"), (sata, "ahci"), (ide, "ide")):
                disk_keeps_what_it_is_given(guest, "/dev/" + device, images[kind])
            check(guest.run("dmesg | grep -ciE 'error|timeout|reset failed'") == "0", guest.run("dmesg | tail -20"))
            guest.ends("poweroff -f")


def stick_at_a_piix3():
    """A controller of USB 1.1 without any other."""
    with tempfile.TemporaryDirectory() as folder:
        path = make_disk(os.path.join(folder, "stick"), "stick", STICK_BYTES)
        with KernelGuest("--usb", "on,controllers=uhci", "--usb-device", f"storage,file={path}",
                         modules=("uhci-hcd", "usbhid", "hid-generic", "usb-storage", "sd_mod")) as guest:
            controllers = guest.run("cat /sys/bus/pci/drivers/uhci_hcd/0*/device")
            check(controllers == "0x7020", f"controllers: {controllers}")
            wait_for("the stick", lambda: guest.run("ls /dev/sda") == "/dev/sda", TIMEOUT)
            check(guest.run("cat /sys/bus/usb/devices/1-[12]/speed").split() == ["12", "12"], "tablet and stick are not at full speed")
            disk_keeps_what_it_is_given(guest, "/dev/sda", path)
            check(guest.run("dmesg | grep -ciE 'usb.*(error|reset|timeout)|i/o error'") == "0", guest.run("dmesg | tail -20"))


WORKER = """
while true; do
  dd if=/dev/urandom of=/sent bs=64k count=8 2>/dev/null
  for disk in vda sda; do
    dd if=/sent of=/dev/$disk bs=64k seek=40 conv=fsync 2>/dev/null
    echo 3 > /proc/sys/vm/drop_caches
    dd if=/dev/$disk of=/back bs=64k skip=40 count=8 2>/dev/null
    cmp /sent /back || echo $disk >> /broken
  done
  echo >> /rounds
done
"""


def snapshots_under_load():
    """A guest that writes and checks all the time is saved and goes on, from the snapshot, here and in a new process."""
    def goes_on(guest, rounds):
        wait_for("the guest's work", lambda: int(guest.run("wc -l < /rounds")) > rounds + 1, TIMEOUT)
        check(guest.run("ls /broken 2>&1 | grep -c No") == "1", "data was broken")

    with tempfile.TemporaryDirectory() as folder:
        disk_arguments = make_disks(folder, ",snapshot=on", "virtio", "ahci")[1]
        arguments = [*disk_arguments, "--cpus", "2"]
        snapshot = os.path.join(folder, "snapshot")
        guest = KernelGuest(*arguments, modules=("virtio_pci", "virtio_blk", "ahci", "sd_mod"))
        wait_for("two disks", lambda: guest.run("ls /dev/vda /dev/sda 2>/dev/null | wc -l") == "2", TIMEOUT)
        guest.run("touch /rounds")
        for line in WORKER.strip().splitlines():
            guest.run(f"echo '{line}' >> /worker")
        guest.run("sh /worker &")
        for _ in range(int(os.environ.get("CYCLES", "1"))):
            with guest:
                rounds = int(guest.run("wc -l < /rounds"))
                check(guest.vmm.hmp("savevm " + snapshot) == "", "savevm failed")
                check(guest.vmm.hmp("loadvm " + snapshot) == "", "loadvm failed")
                goes_on(guest, rounds)
            guest = KernelGuest(*arguments, "--restore", snapshot)
        with guest:
            guest.run("")
            goes_on(guest, rounds)
            check(guest.run("dmesg | grep -ciE 'i/o error|timeout|reset failed|hung'") == "0", guest.run("dmesg | tail -20"))
            guest.ends("poweroff -f")


def sleep(guest):
    guest.shell.send("echo mem > /sys/power/state")
    guest.shell.wait("\n", TIMEOUT)  # the echo
    wait_for("a suspended guest", lambda: guest.vmm.qmp("query-status")["status"] == "suspended", TIMEOUT)


def wake(guest, *command):
    if command:
        guest.vmm.hmp(*command)
    guest.shell.wait(guest.shell.PROMPT, TIMEOUT)
    check(guest.run("echo awake") == "awake", "the shell is not there any more")


def sleep_and_wake(guest):
    """Five times, each in another way; in the end the guest sleeps."""
    vmm = guest.vmm
    check("deep" in guest.run("cat /sys/power/mem_sleep"), "the guest does not know suspend to RAM")
    for command in ("system_wakeup", "system_powerdown", "sendkey x", "mouse_button 1"):
        sleep(guest)
        wake(guest, command)
    check(vmm.qmp("query-status")["status"] == "running", "the guest does not run")
    check(vmm.hmp("system_wakeup") == "Error: Unable to wake up: guest is not in suspended state\n", "wake-up of who is awake")
    guest.run("echo +5 > /sys/class/rtc/rtc0/wakealarm")
    sleep(guest)
    wake(guest)
    sleep(guest)
    vmm.qmp("stop")
    check(vmm.qmp("query-status")["status"] == "paused", "stop")
    vmm.qmp("cont")
    check(vmm.qmp("query-status")["status"] == "suspended", "who sleeps is not woken up by cont")


def suspend_to_ram():
    """A guest sleeps (S3) and is woken up in every way; its disks and CPUs are there again each time."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot = os.path.join(folder, "snapshot")
        images, arguments = make_disks(folder, "", "virtio")
        arguments += ["--cpus", "2"]
        with KernelGuest(*arguments, modules=("virtio_pci", "virtio_blk")) as guest:
            sleep_and_wake(guest)
            check(guest.vmm.hmp("savevm " + snapshot) == "", "savevm failed")
            names = [event["event"] for event in guest.vmm.events]
            check(names.count("SUSPEND") == 6 and names.count("WAKEUP") == 5, f"events: {names}")
        with KernelGuest(*arguments, "--restore", snapshot) as guest:
            wait_for("the sleeping guest", lambda: guest.vmm.qmp("query-status")["status"] == "suspended", TIMEOUT)
            wake(guest, "system_wakeup")
            check(guest.run("nproc") == "2", "a CPU has not come back")
            disk_keeps_what_it_is_given(guest, "/dev/vda", images["virtio"])
            # How long ticks of the TSC are is measured in the host's time, which a busy host takes away.
            faults = guest.run("dmesg | grep -iE 'error|warning|timeout|call trace|failed' | grep -v 'TSC calibration'")
            check(faults == "", faults)
            guest.ends("poweroff -f")


def counted_time_is_the_alarms_at_once():
    with KernelGuest(accel="soft,icount=3,sleep=off") as guest:
        # In one line: while the guest waits for the next one, its time flies. The alarm goes by the RTC's seconds, which end
        # at another moment than those of the guest's clock.
        clock = "cat /sys/class/rtc/rtc0/since_epoch"
        times = guest.run(f"{clock}; echo +500 > /sys/class/rtc/rtc0/wakealarm; echo mem > /sys/power/state; {clock}")
        before, after = [int(line) for line in times.splitlines() if line.isdigit()]
        check(500 <= after - before < 600, f"the guest slept for {after - before} s")
        check(guest.vmm.qmp("query-status")["status"] == "running", "the guest does not run")
        names = [event["event"] for event in guest.vmm.events]
        check(names == ["SUSPEND", "WAKEUP"], f"events: {names}")
        guest.ends("poweroff -f")


def virtio_devices(append="", system=KernelGuest.GENERIC):
    with KernelGuest("--virtio-console", "unix:{directory}/console", "--virtio-port", "org.minivmm.test.0=unix:{directory}/port",
                     "--rng", "on", "--balloon", "on", system=system, append=append,
                     modules=("virtio_pci", "virtio_console", "virtio-rng", "virtio_balloon")) as guest:
        check(guest.run("cat /sys/class/misc/hw_random/rng_current").startswith("virtio_rng"), "no source of entropy")
        check(guest.run("dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c") == "64", "no entropy")
        named = guest.run("grep -l org.minivmm.test.0 /sys/class/virtio-ports/*/name")
        port = "/dev/" + named.split("/")[-2]
        peer = guest.connect("port")
        guest.run(f"exec 3<>{port}")
        guest.run("echo to the host >&3")
        check(peer.recv(100) == b"to the host\n", "the host did not get what the guest sent")
        peer.sendall(b"to the guest\n")
        check(guest.run("read line <&3; echo $line") == "to the guest", "the guest did not get what the host sent")
        console = guest.connect("console")
        guest.run("echo to the console > /dev/hvc0")
        check(console.recv(100).startswith(b"to the console"), "nothing came from the console")
        balloon = {"path": "/machine/peripheral/balloon0"}
        guest.vmm.qmp("qom-set", **balloon, property="guest-stats-polling-interval", value=1)
        told = wait_for("the guest's statistics", lambda: (stats := guest.vmm.qmp("qom-get", **balloon, property="guest-stats"))
                        ["last-update"] > 0 and stats["stats"], TIMEOUT)
        total = int(guest.run("awk '/MemTotal/ {print $2}' /proc/meminfo"))
        check(told["stat-total-memory"] == total << 10, f"the guest's memory is {told}")
        check("free-memory: " in guest.vmm.hmp("info balloon"), guest.vmm.hmp("info balloon"))
        guest.vmm.hmp("qom-set balloon0 guest-stats-polling-interval 0")
        guest.run("dd if=/dev/zero of=/much bs=1M count=160 2>/dev/null")
        used = guest.vmm.resident_kib()
        guest.run("rm /much")
        wait_for("free pages to come back", lambda: guest.vmm.resident_kib() < used - (128 << 10), TIMEOUT)
        guest.vmm.qmp("balloon", value=256 << 20)
        wait_for("the balloon", lambda: guest.vmm.qmp("query-balloon")["actual"] == 256 << 20, TIMEOUT)
        guest.ends("poweroff -f")


def virtio_devices_with_legacy_registers():
    virtio_devices("virtio_pci.force_legacy=1")


def disks_of_an_i386_kernel():
    disks(KernelGuest.I386_INSTALLER)


def virtio_devices_of_an_i386_kernel():
    virtio_devices(system=KernelGuest.I386_INSTALLER)


CASES = {function.__name__: function for function in (disks, stick_at_a_piix3, snapshots_under_load, suspend_to_ram,
                                                       counted_time_is_the_alarms_at_once, virtio_devices,
                                                       virtio_devices_with_legacy_registers, disks_of_an_i386_kernel,
                                                       virtio_devices_of_an_i386_kernel)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
