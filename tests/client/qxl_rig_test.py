#!/usr/bin/python3
"""Bare guests that drive the QXL device's rings themselves, on either CPU."""
import os
import resource
import subprocess
import sys
import time

from harness import GOLDEN, MINIVMM, Failure, SpiceClient, Vmm, check, read_file, read_picture, run_cases, wait_for

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


def interrupts_are_those_of_the_reference():
    """FEATURES QX-30. QEMU 7.2 says the same of this guest, on KVM and on its TCG."""
    vmm = bare_guest("qxl_interrupts", qmp=False)
    status = vmm.wait_exit(TIMEOUT)
    said = read_file(os.path.join(vmm.directory, "console")).decode()
    vmm.close()
    wanted = """asynchronous commands 10
before the mask is opened 0
masked 1
cleared without interrupt 0
display 1
cursor 1
guest bug 1
interrupts counted
"""
    check(status == 1 and said.endswith(wanted), f"exit status {status}: {said[-500:]}")


def wait_still(vmm):
    console = os.path.join(vmm.directory, "console")
    # The firmware speaks there, too.
    wait_for("the guest's checksum", lambda: (said := read_file(console)).endswith(b"\n") and b"checksum" in said, TIMEOUT)
    said = read_file(console)
    check(said.endswith(CHECKSUM), f"the guest sees another picture: {said[-100:]}")


def picture_is_the_references():
    with bare_guest("qxl_still") as vmm:
        client = SpiceClient(vmm.port)  # it sees the drawings, and another one only what they made
        client.wait_picture()
        wait_still(vmm)
        wanted = read_picture(os.path.join(GOLDEN, "qxl_still.png"))
        check(vmm.screen() == wanted, "the screenshot shows another picture")
        check("commands that made no sense: 0" in vmm.hmp("info qxl"), vmm.hmp("info qxl"))
        late = SpiceClient(vmm.port)
        late.wait_picture()
        for each in (client, late):
            each.wait("the client to see it", lambda: each.screen() == wanted)
            each.close()


def client_stays_over_a_reset():
    with bare_guest("qxl_still") as vmm:
        client = SpiceClient(vmm.port)
        client.wait_picture()
        wait_still(vmm)
        wanted = read_picture(os.path.join(GOLDEN, "qxl_still.png"))
        client.wait("the client to see it", lambda: client.screen() == wanted)
        vmm.qmp("system_reset")
        client.wait("the screen of the firmware", lambda: client.screen() != wanted)
        console = os.path.join(vmm.directory, "console")
        wait_for("the second checksum", lambda: read_file(console).count(CHECKSUM) == 2, TIMEOUT)
        client.wait("the client to see it again", lambda: client.screen() == wanted)
        check(all(event == "opened" for _, event in client.events), f"the client was disconnected: {client.events}")
        client.close()


def client_stays_over_fifty_modes():
    """FEATURES VG-05."""
    with bare_guest("qxl_modes") as vmm:
        client = SpiceClient(vmm.port)
        client.wait_picture()
        console = os.path.join(vmm.directory, "console")
        client.wait("the last mode", lambda: read_file(console).endswith(b"modes done\n"), TIMEOUT)
        screen = vmm.screen()
        check((screen.width, screen.height) == (720, 400), f"the last mode is {screen.width} x {screen.height}")
        client.wait("the client to see it", lambda: client.screen() == screen)
        check(client.marked > 25, f"the client was shown {client.marked} pictures")
        check(all(event == "opened" for _, event in client.events), f"the client was disconnected: {client.events}")
        check("commands that made no sense: 0" in vmm.hmp("info qxl"), vmm.hmp("info qxl"))
        client.close()


def wake_ups(vmm, thread):
    tasks = f"/proc/{vmm.process.pid}/task"
    for task in os.listdir(tasks):
        if read_file(f"{tasks}/{task}/comm").decode().strip() == thread:
            status = read_file(f"{tasks}/{task}/status").decode()
            return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    raise Failure(f"there is no thread {thread}")


def idle_display_sleeps():
    with bare_guest("qxl_still") as vmm:
        wait_still(vmm)
        vmm.screen()
        before = wake_ups(vmm, "display0")
        time.sleep(1)
        check(wake_ups(vmm, "display0") - before <= 1, "the display's worker wakes up for nothing")


def developers_see_ports_and_commands():
    with bare_guest("qxl_still", "--qxl", "debug=1,cmdlog=1") as vmm:
        wait_still(vmm)
        said = vmm.output()
        for wanted in ("port 12 value 0", "mode", "fill", "copy", "text"):  # 12: CREATE_PRIMARY
            check(wanted in said, f"no {wanted!r} in {said[-2000:]}")


def replayed(recording):
    """What minivmm replay says, and the picture at the recording's end."""
    picture = recording + ".ppm"
    replay = subprocess.run([MINIVMM, "replay", recording, "--screendump", picture], capture_output=True, text=True, timeout=TIMEOUT)
    check(replay.returncode == 0, f"replay: {replay.stdout}{replay.stderr}")
    return replay.stdout, read_picture(picture)


def recorded_session_plays_to_the_same_pixels():
    with bare_guest("qxl_still", "--qxl", "record={directory}/first", "--qxl", "record={directory}/second") as vmm:
        recording = os.path.join(vmm.directory, "first")
        wait_for("a picture of the running guest", lambda: vmm.screen() == replayed(recording)[1])
        wait_still(vmm)
        screen = vmm.screen()
        said, played = replayed(recording)
        check(played == screen and "cannot be drawn" not in said, f"the recording plays to another picture: {said}")
        check(screen == read_picture(os.path.join(GOLDEN, "qxl_still.png")), "the recorded display shows another picture")
        other = os.path.join(vmm.directory, "other.ppm")
        vmm.qmp("screendump", filename=other, device="qxl1")
        check(replayed(os.path.join(vmm.directory, "second"))[1] == read_picture(other), "the second display's is another picture")


def full_disk_ends_the_recording_alone():
    with bare_guest("qxl_still", "--qxl", "record={directory}/display") as vmm:
        resource.prlimit(vmm.process.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        wait_for("the recording's end", lambda: "the recording ends here" in vmm.output())
        resource.prlimit(vmm.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        recording = os.path.join(vmm.directory, "display")
        size = os.path.getsize(recording)
        wait_still(vmm)
        check(vmm.screen() == read_picture(os.path.join(GOLDEN, "qxl_still.png")), "the screenshot shows another picture")
        check(vmm.output().count("the recording ends here") == 1, vmm.output())
        check(os.path.getsize(recording) == size, "something was written after the error")
        replayed(recording)  # as far as it goes


CASES = {function.__name__: function for function in (
    rig_runs_to_its_end, interrupts_are_those_of_the_reference, picture_is_the_references, client_stays_over_a_reset, client_stays_over_fifty_modes, idle_display_sleeps, developers_see_ports_and_commands, recorded_session_plays_to_the_same_pixels, full_disk_ends_the_recording_alone)}

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
