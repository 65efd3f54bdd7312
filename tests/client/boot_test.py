#!/usr/bin/python3
"""Firmware and boot loaders to their screens (compared with tests/golden), on either CPU."""
import os
import sys
import tempfile

from harness import GUESTS, MINIVMM, SpiceClient, Vmm, check, differing_cells, run_cases, same_screen, wait_for

GRUB = "/usr/lib/grub-rescue/grub-rescue-cdrom.iso"
# Kernel-mode code in KVM runs at half a million instructions a second where KVM has no hardware behind it.
SEABIOS_TIMEOUT = 240
GRUB_TIMEOUT = 900


def seabios_without_bootable_device():
    with Vmm() as vmm:
        vmm.wait_screen("no_bootable_device", SEABIOS_TIMEOUT)


def grub_rescue_to_its_menu_and_shell_with_keys_through_spice():
    with Vmm("--cdrom", GRUB, "--boot", "d") as vmm:
        client = SpiceClient(vmm.port)
        client.wait_picture()
        client.wait("the inputs channel", lambda: (3, "opened") in client.events)
        vmm.wait_screen("grub_menu", GRUB_TIMEOUT, lines=range(21))  # below counts the seconds to the default entry
        client.key(0x2e)  # c: the command line
        vmm.wait_screen("grub_shell", GRUB_TIMEOUT)
        prompt = vmm.screen()
        client.type([0x12, 0x2e, 0x23, 0x18, 0x39, 0x11, 0x1e, 0x2f, 0x12, 0x1c])  # echo wave
        client.wait("the typed line, its echo and a prompt", lambda: len(differing_cells(prompt, vmm.screen()) or ()) >= 16,
                    GRUB_TIMEOUT)
        client.wait("the client to see it", lambda: same_screen(client.screen(), vmm.screen()))
        client.close()


def direct_boot(*options, timeout, status):
    for protocol in ("multiboot", "pvh"):
        with tempfile.NamedTemporaryFile() as serial:
            vmm = Vmm("--kernel", f"{GUESTS}/direct_boot/{protocol}.elf", "--append", "quick brown=fox", "--serial",
                      "file:" + serial.name, *options, qmp=False)
            check(vmm.wait_exit(timeout) == status, f"{protocol}: exit status {vmm.process.returncode}, not {status}")
            vmm.close()
            said = serial.read().decode()
            check(said.startswith(f"{protocol}: ") and said.endswith("quick brown=fox\n"), f"{protocol}: {said!r}")


def direct_boot_without_firmware():
    direct_boot("--bios", "none", timeout=60, status=0x21)


def direct_boot_after_the_firmware():
    direct_boot(timeout=SEABIOS_TIMEOUT, status=0)  # the guest powers off


def system_reset_boots_again():
    image = GUESTS + "/boot_sector/hello.img"
    with Vmm("--disk", image + ",readonly=on") as vmm:
        client = SpiceClient(vmm.port)
        client.wait_picture()
        vmm.wait_screen("hello", SEABIOS_TIMEOUT)
        client.wait("the prompt at the client", lambda: same_screen(client.screen(), vmm.screen()))
        prompt = vmm.screen()
        vmm.qmp("system_reset")
        client.wait("another screen", lambda: len(differing_cells(prompt, vmm.screen()) or ()) > 1, SEABIOS_TIMEOUT)
        vmm.wait_screen("hello", SEABIOS_TIMEOUT)
        client.wait("the client to follow", lambda: client.primary and same_screen(client.screen(), vmm.screen()))
        check(client.channels, "the client was disconnected by the reset")
        client.close()


def debug_exit_gives_its_status():
    image = GUESTS + "/boot_sector/exit.img"
    vmm = Vmm("--disk", image + ",snapshot=on", qmp=False)
    check(vmm.wait_exit(SEABIOS_TIMEOUT) == 0x21, f"exit status {vmm.process.returncode}, not {0x21}")
    vmm.close()


def snapshots():
    with tempfile.TemporaryDirectory() as folder:
        snapshot = os.path.join(folder, "snapshot")
        arguments = ("--disk", GUESTS + "/boot_sector/hello.img,snapshot=on")
        with Vmm(*arguments) as vmm:
            vmm.wait_screen("hello", SEABIOS_TIMEOUT)
            check(vmm.hmp("savevm " + snapshot) == "", "savevm failed")
            check(os.listdir(folder) == ["snapshot"], "something is left beside the snapshot")
            vmm.hmp("system_reset")
            check(vmm.hmp("loadvm " + snapshot) == "", "loadvm failed")
            vmm.wait_screen("hello", SEABIOS_TIMEOUT)
            check(vmm.qmp("query-status")["status"] == "running", "it does not go on")
            check("No such file" in vmm.hmp(f"loadvm {folder}/none"), "loadvm of no file")
            check("cannot write" in vmm.hmp(f"savevm {folder}/none/snapshot"), "savevm into no folder")
        with Vmm(*arguments, "--restore", snapshot) as vmm:
            vmm.wait_screen("hello", SEABIOS_TIMEOUT)
            client = SpiceClient(vmm.port)
            client.wait_picture()
            client.wait("the client to see it", lambda: same_screen(client.screen(), vmm.screen()))
            client.close()
        vmm = Vmm(*arguments, "--restore", snapshot, "--memory", "64M", qmp=False)
        check(vmm.wait_exit() == 1 and "start it with the same options" in vmm.output(), "a snapshot of another machine is loaded")
        vmm.close()


def panic():
    image = GUESTS + "/boot_sector/panic.img"
    for action, status in (("shutdown", 0), ("exit-failure", 1), ("none", 0x21)):
        vmm = Vmm("--disk", image + ",snapshot=on", "--action", "panic=" + action, qmp=False)
        check(vmm.wait_exit(SEABIOS_TIMEOUT) == status, f"panic={action}: exit status {vmm.process.returncode}, not {status}")
        vmm.close()


def panic_pauses():
    with Vmm("--disk", GUESTS + "/boot_sector/panic.img,snapshot=on") as vmm:
        wait_for("the guest's panic", lambda: vmm.qmp("query-status")["status"] == "guest-panicked", SEABIOS_TIMEOUT)
        told = [event["event"] for event in vmm.events]
        check(told == ["GUEST_CRASHLOADED", "GUEST_PANICKED", "STOP"], f"events: {told}")
        check(vmm.hmp("info status").strip() == "VM status: paused (guest-panicked)", "info status does not say so")
        vmm.qmp("cont")
        check(vmm.wait_exit() == 0x21, f"exit status {vmm.process.returncode}, not {0x21}, after cont")


def sata_and_virtio_disks_boot():
    image = GUESTS + "/boot_sector/exit.img"
    for interface in ("ahci", "virtio"):
        vmm = Vmm("--disk", f"{image},snapshot=on,if={interface}", qmp=False)
        check(vmm.wait_exit(SEABIOS_TIMEOUT) == 0x21, f"{interface}: exit status {vmm.process.returncode}, not {0x21}")
        vmm.close()


def sleep_and_wake_up():
    image = os.path.join(os.path.dirname(MINIVMM), "guests/sleeper.img")
    vmm = Vmm("--disk", image + ",snapshot=on")
    wait_for("the guest's sleep", lambda: vmm.qmp("query-status")["status"] == "suspended", SEABIOS_TIMEOUT)
    vmm.qmp("system_wakeup")
    check(vmm.wait_exit(SEABIOS_TIMEOUT) == 0x01, f"exit status {vmm.process.returncode}, not 1, after the wake-up")
    vmm.close()


def usb_sticks_boot():
    stick = f"storage,file={GUESTS}/boot_sector/exit.img,snapshot=on"
    for controllers in ("ehci", "uhci"):
        vmm = Vmm("--usb", f"on,controllers={controllers}", "--usb-device", stick, qmp=False)
        check(vmm.wait_exit(SEABIOS_TIMEOUT) == 0x21, f"{controllers}: exit status {vmm.process.returncode}, not {0x21}")
        vmm.close()


CASES = {function.__name__: function for function in (
    seabios_without_bootable_device, debug_exit_gives_its_status, sata_and_virtio_disks_boot, usb_sticks_boot, snapshots, panic,
    panic_pauses, direct_boot_without_firmware, direct_boot_after_the_firmware, system_reset_boots_again, sleep_and_wake_up,
    grub_rescue_to_its_menu_and_shell_with_keys_through_spice)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
