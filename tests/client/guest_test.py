#!/usr/bin/python3
"""Guests as Debian ships them, on the software CPU: to a shell on the serial port, or to their screens (tests/golden)."""
import os
import sys

from harness import DEBIAN_GUESTS, SerialShell, SpiceClient, Vmm, run_cases, check, same_screen

TIMEOUT = 1200  # an instrumented build is slow


def guest(name):
    return os.path.join(DEBIAN_GUESTS, name)


def with_serial(*arguments):
    """A machine with its serial port, and what is said there from the first byte."""
    path = os.path.join("/tmp", f"minivmm-serial-{os.getpid()}")
    vmm = Vmm(*arguments, "--serial", "unix:" + path, "--memory", "512M")
    return vmm, SerialShell(vmm, path)


def shell_answers(vmm, shell, cpus):
    shell.wait(shell.PROMPT, TIMEOUT)
    check(shell.run("nproc") == str(cpus), f"not {cpus} processors online")
    check(shell.run("echo $((6 * 7))") == "42", "the shell cannot multiply")
    shell.send("poweroff -f")
    check(vmm.wait_exit(TIMEOUT) == 0, f"power-off ended minivmm with {vmm.process.returncode}")


def kernel_to_shell(flavour, cpus):
    vmm, shell = with_serial("--kernel", guest(flavour + "/vmlinuz"), "--initrd", guest("shell.initrd"), "--append", "console=ttyS0",
                             "--cpus", str(cpus))
    with vmm:
        shell_answers(vmm, shell, cpus)


def cloud_kernel_with_1_cpu():
    kernel_to_shell("cloud", 1)


def cloud_kernel_with_4_cpus():
    kernel_to_shell("cloud", 4)


def generic_kernel_with_1_cpu():
    kernel_to_shell("generic", 1)


def generic_kernel_with_4_cpus():
    kernel_to_shell("generic", 4)


def cloud_kernel_with_avx():
    """A model that has what the host has of AVX; the C library of the shell's programs then uses it, too."""
    with open("/proc/cpuinfo", encoding="ascii") as host:
        has_avx2 = " avx2 " in host.read()
    vmm, shell = with_serial("--kernel", guest("cloud/vmlinuz"), "--initrd", guest("shell.initrd"), "--append", "console=ttyS0",
                             "--cpu", "x86-64-v3", "--cpus", "2")
    with vmm:
        shell.wait(shell.PROMPT, TIMEOUT)
        counted = shell.run("grep -c -w avx2 /proc/cpuinfo")
        check(counted == ("2" if has_avx2 else "0"), f"{counted} processors with AVX2")
        shell.send("")  # another prompt
        shell_answers(vmm, shell, 2)


def isolinux_to_shell():
    vmm, shell = with_serial("--cdrom", guest("isolinux.iso"), "--boot", "d")
    with vmm:
        vmm.wait_screen("isolinux", TIMEOUT)
        for key in ("l", "i", "n", "u", "x", "ret"):
            vmm.hmp("sendkey " + key)
        shell_answers(vmm, shell, 1)


def ipxe_finds_no_network_card():
    with Vmm("--cdrom", guest("ipxe.iso"), "--boot", "d") as vmm:
        vmm.wait_screen("ipxe", TIMEOUT)


def memtest_tests():
    with Vmm("--cdrom", guest("memtest.iso"), "--boot", "d", "--memory", "256M") as vmm:
        # Between these lines it shows speeds and times.
        vmm.wait_screen("memtest", TIMEOUT, lines=(0, *range(8, 25)))


def installer(arch, screen):
    with Vmm("--kernel", guest(f"installer-{arch}/linux"), "--initrd", guest(f"installer-{arch}/initrd.gz"), "--append",
             screen + " quiet") as vmm:
        vmm.wait_screen("installer_" + arch, TIMEOUT)
        client = SpiceClient(vmm.port)
        client.wait_picture()
        client.wait("the client to see it", lambda: same_screen(client.screen(), vmm.screen()))
        client.close()


def installer_i386():
    installer("i386", "vga=normal fb=false")


def installer_amd64():
    installer("amd64", "vga=788")


CASES = {function.__name__: function for function in (
    cloud_kernel_with_1_cpu, cloud_kernel_with_4_cpus, cloud_kernel_with_avx, generic_kernel_with_1_cpu, generic_kernel_with_4_cpus,
    isolinux_to_shell, ipxe_finds_no_network_card, memtest_tests, installer_i386, installer_amd64)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
