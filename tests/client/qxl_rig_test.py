#!/usr/bin/python3
"""Bare guests that drive the QXL device's rings themselves, on either CPU."""
import os
import sys

from harness import GOLDEN, MINIVMM, SpiceClient, Vmm, check, read_file, read_picture, run_cases, wait_for

TIMEOUT = 400  # the firmware alone is slow where KVM is emulated
# What QEMU 7.2 with libspice-server 0.15.1 says of the same picture, which is tests/golden/qxl_still.png, too.
CHECKSUM = b"checksum 5115644131368716189\n"


def bare_guest(name, *arguments, **options):
    image = os.path.join(os.path.dirname(MINIVMM), f"guests/{name}.img")
    return Vmm("--memory", "64M", "--disk", image + ",snapshot=on", "--debugcon", "file:{directory}/console", *arguments, **options)


def rig_runs_to_its_end():
    for revision in (2, 5):  # 1 has no ports for native mode
        vmm = bare_guest("qxl-rig", "--qxl", f"revision={revision}", qmp=False)
        status = vmm.wait_exit(TIMEOUT)
        said = read_file(os.path.join(vmm.directory, "console")).decode()
        vmm.close()
        check(status == 1 and said.endswith("done\n"), f"exit status {status}: {said[-500:]}")


def picture_is_the_references():
    with bare_guest("qxl_still") as vmm:
        client = SpiceClient(vmm.port)  # it sees the drawings, and another one only what they made
        client.wait_picture()
        console = os.path.join(vmm.directory, "console")
        # The firmware speaks there, too.
        wait_for("the guest's checksum", lambda: (said := read_file(console)).endswith(b"\n") and b"checksum" in said, TIMEOUT)
        said = read_file(console)
        check(said.endswith(CHECKSUM), f"the guest sees another picture: {said[-100:]}")
        wanted = read_picture(os.path.join(GOLDEN, "qxl_still.png"))
        check(vmm.screen() == wanted, "the screenshot shows another picture")
        check("commands that made no sense: 0" in vmm.hmp("info qxl"), vmm.hmp("info qxl"))
        late = SpiceClient(vmm.port)
        late.wait_picture()
        for each in (client, late):
            each.wait("the client to see it", lambda: each.screen() == wanted)
            each.close()


CASES = {function.__name__: function for function in (rig_runs_to_its_end, picture_is_the_references)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
