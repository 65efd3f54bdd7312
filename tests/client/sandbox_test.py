#!/usr/bin/python3
"""A running minivmm's sandbox: what the kernel says of each thread, and other users' rights. That everything else works
in it is what the other tests show: it is on by default."""
import os
import pwd
import subprocess

from harness import MINIVMM, SpiceClient, Vmm, check, run_cases

SPARE = ("--memory", "16")
NOBODY = pwd.getpwnam("nobody")


def threads(vmm):
    """Name to the words of /proc's status, of one thread of each name."""
    folder = f"/proc/{vmm.process.pid}/task"
    found = {}
    for task in os.listdir(folder):
        with open(f"{folder}/{task}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        found[status["Name"]] = status
    return found


def every_thread_is_held():
    with Vmm(*SPARE, "--serial", "pty") as vmm:
        client = SpiceClient(vmm.port)
        client.wait_picture()
        kinds = threads(vmm)
        wanted = {"minivmm", "control", "display0", "vcpu0", "guest-timers", "character"}
        check(wanted <= kinds.keys(), f"threads: {sorted(kinds)}")
        for name, status in kinds.items():
            check(status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", f"{name}: {status}")
        client.close()


def it_can_be_switched_off():
    with Vmm(*SPARE, "--sandbox", "off") as vmm:
        with open("/proc/self/status") as file:
            ours = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        for name, status in threads(vmm).items():
            check(status["Seccomp"] == ours["Seccomp"], f"{name} has a filter")


def another_user():
    if os.geteuid() != 0:
        print("     not root: skipped")
        return
    image = "/root/minivmm-sandbox-test.img"  # where nobody can look
    with open(image, "wb") as file:
        file.truncate(1 << 20)
    try:
        with Vmm(*SPARE, "--disk", image, "--user", "nobody") as vmm:
            client = SpiceClient(vmm.port)
            client.wait_picture()
            client.close()
            for name, status in threads(vmm).items():
                check(set(status["Uid"].split()) == {str(NOBODY.pw_uid)}, f"{name} runs as {status['Uid']}")
                check(set(status["Gid"].split()) == {str(NOBODY.pw_gid)}, f"{name} has group {status['Gid']}")
                check("0" not in status["Groups"].split(), f"{name} is still in {status['Groups']}")
                check(int(status["CapEff"], 16) == 0, f"{name} has capabilities {status['CapEff']}")
            refused = vmm.hmp("savevm /root/minivmm-sandbox-test.snapshot")
            check("Permission denied" in refused, f"savevm where nobody may write: {refused}")
    finally:
        os.unlink(image)


def users_that_cannot_be():
    for user, wanted in (("nobody-at-all", "no user"), ("1:", "no user")):
        result = subprocess.run([MINIVMM, *SPARE, "--user", user], capture_output=True, text=True, timeout=60)
        check(result.returncode == 1 and wanted in result.stderr, f"--user {user}: {result.stderr}")
    result = subprocess.run([MINIVMM, *SPARE, "--sandbox", "perhaps"], capture_output=True, text=True, timeout=60)
    check(result.returncode == 1 and "on or off" in result.stderr, f"--sandbox perhaps: {result.stderr}")


cases = {case.__name__: case for case in (every_thread_is_held, it_can_be_switched_off, another_user, users_that_cannot_be)}

if __name__ == "__main__":
    run_cases(cases)
