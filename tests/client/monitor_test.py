#!/usr/bin/python3
"""The monitors with real SPICE clients: who may come and until when, client policies, QMP's shapes as QEMU's, a terminal."""
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys

from harness import (GUESTS, MINIVMM, Failure, SpiceClient, Vmm, check, differing_cells, run_cases, same_screen, wait_for)
from slow_line import SlowLine

BOOT_SECTOR = GUESTS + "/boot_sector/hello.img"
BOOT_TIMEOUT = 240
PASSWORD = "port={{port}},addr=127.0.0.1,password={}"


def booted(spice):
    vmm = Vmm("--disk", BOOT_SECTOR + ",snapshot=on", spice=spice)
    vmm.wait_screen("hello", BOOT_TIMEOUT)
    return vmm


def opened(vmm, password=None):
    """A client with all its channels."""
    client = SpiceClient(vmm.port, password)
    client.wait("a client's channels", lambda: all((kind, "opened") in client.events for kind in (1, 2, 3, 4)))
    return client


def main_events(client):
    return [event for kind, event in client.events if kind == 1]


def outcome(vmm, password):
    """What becomes of a client: "opened", or the error."""
    client = SpiceClient(vmm.port, password)
    client.wait("a verdict", lambda: main_events(client))
    verdict = main_events(client)[0]
    client.close()
    return verdict


def error_of(vmm, command, **arguments):
    try:
        vmm.qmp(command, **arguments)
    except Failure as failure:
        return str(failure)
    raise Failure(f"{command} {arguments} was accepted")


def clients(vmm):
    return vmm.qmp("query-spice-clients")


def collect_events(vmm):
    vmm.qmp("query-status")
    return [(event["event"], event.get("data", {})) for event in vmm.events]


def no_channels(vmm):
    wait_for("all clients to be gone", lambda: not vmm.qmp("query-spice")["channels"])


# The members of QEMU 7.2's answers and events, recorded with the same session.
QEMU_SPICE = {"enabled": bool, "migrated": bool, "host": str, "port": int, "auth": str, "compiled-version": str,
              "mouse-mode": str, "channels": list}
QEMU_PEER = {"host": str, "port": str, "family": str}
QEMU_CHANNEL = {**QEMU_PEER, "connection-id": int, "channel-type": int, "channel-id": int, "tls": bool}
QEMU_EVENTS = {
    "SPICE_CONNECTED": {"client": QEMU_PEER, "server": QEMU_PEER},
    "SPICE_INITIALIZED": {"client": QEMU_CHANNEL, "server": {**QEMU_PEER, "auth": str}},
    "SPICE_DISCONNECTED": {"client": QEMU_PEER, "server": QEMU_PEER},
    "STOP": {}, "RESUME": {}, "POWERDOWN": {},
    "RESET": {"guest": bool, "reason": str}, "SHUTDOWN": {"guest": bool, "reason": str}}


def check_shape(what, value, shape):
    if isinstance(shape, type):
        check(type(value) is shape, f"{what} is {value!r}, no {shape.__name__}")
        return
    check(set(value) == set(shape), f"{what} has {sorted(value)}, not {sorted(shape)}")
    for key, inner in shape.items():
        check_shape(f"{what}.{key}", value[key], inner)


def answers_and_events_have_qemus_shape():
    vmm = Vmm(spice=PASSWORD.format("x"))
    client = opened(vmm, "x")
    answer = vmm.qmp("query-spice")
    check_shape("query-spice", answer, QEMU_SPICE)
    check(len(answer["channels"]) == 4, f"{answer['channels']}")
    for channel in answer["channels"]:
        check_shape("channel", channel, QEMU_CHANNEL)
    client.close()
    no_channels(vmm)
    for command in ("stop", "cont", "system_reset", "system_powerdown", "quit"):
        vmm.qmp(command)
    vmm.wait_exit()
    vmm.events += [json.loads(line) for line in vmm.lines]
    names = [event["event"] for event in vmm.events]
    check(names[0] == "SPICE_CONNECTED" and names[1] == "SPICE_INITIALIZED", f"the first events are {names[:2]}")
    check(names[-5:] == ["STOP", "RESUME", "RESET", "POWERDOWN", "SHUTDOWN"], f"the last events are {names[-5:]}")
    for kind, count in (("SPICE_CONNECTED", 4), ("SPICE_INITIALIZED", 4), ("SPICE_DISCONNECTED", 4)):
        check(names.count(kind) == count, f"{names.count(kind)} {kind} instead of {count}")
    for event in vmm.events:
        check_shape(event["event"], event.get("data", {}), QEMU_EVENTS[event["event"]])
        check_shape("timestamp", event["timestamp"], {"seconds": int, "microseconds": int})
    vmm.close()


def set_password_keeps_disconnects_or_fails():
    with Vmm(spice=PASSWORD.format("one")) as vmm:
        vmm.qmp("set_password", protocol="spice", password="two", connected="fail")
        client = opened(vmm, "two")
        error = error_of(vmm, "set_password", protocol="spice", password="three", connected="fail")
        check("Could not set password" in error, error)
        vmm.hmp("set_password spice three keep")
        client.pump(0.5)
        check(len(clients(vmm)) == 1 and main_events(client) == ["opened"], "keep did not keep the client")
        check(outcome(vmm, "two") == "error-auth", "the old password still opens")
        check(outcome(vmm, "three") == "opened", "the new password does not open")
        vmm.qmp("set_password", protocol="spice", password="four", connected="disconnect")
        client.wait("the client's end", lambda: len(main_events(client)) > 1)
        no_channels(vmm)
        client.close()
        check("longer" in error_of(vmm, "set_password", protocol="spice", password="x" * 61), "a long password is accepted")
    with Vmm() as vmm:
        error_of(vmm, "set_password", protocol="spice", password="x")
    with Vmm(spice=False) as vmm:
        check("not in use" in error_of(vmm, "set_password", protocol="spice", password="x"), "without SPICE")


def password_expires():
    with Vmm(spice=PASSWORD.format("x")) as vmm:
        client = opened(vmm, "x")
        vmm.qmp("expire_password", protocol="spice", time="now")
        check(outcome(vmm, "x") == "error-auth", "an expired password opens")
        client.pump(0.2)
        check(main_events(client) == ["opened"], "expiry ended a client")
        client.close()
        vmm.hmp("expire_password spice +2")
        check(outcome(vmm, "x") == "opened", "the password expired early")
        wait_for("the password to expire", lambda: outcome(vmm, "x") == "error-auth", 20)
        vmm.qmp("set_password", protocol="spice", password="y")
        check(outcome(vmm, "y") == "error-auth", "a new password changed the expiry")
        vmm.qmp("expire_password", protocol="spice", time="never")
        check(outcome(vmm, "y") == "opened", "never is not never")
        error_of(vmm, "expire_password", protocol="spice", time="soon")


def share_is_the_default_and_the_owner_is_handed_on():
    with Vmm() as vmm:
        first = opened(vmm)
        second = opened(vmm)
        ids = [client["connection-id"] for client in clients(vmm)]
        check([client["owner"] for client in clients(vmm)] == [True, False], f"{clients(vmm)}")
        check(clients(vmm)[0]["channels"][0]["bytes-sent"] > 250 * 1024, "the net test is not counted")
        text = vmm.hmp("info spice")
        check("clients: share" in text and ": owner" in text and ": shares" in text, text)
        first.close()
        wait_for("the owner to change", lambda: [client["owner"] for client in clients(vmm)] == [True])
        changes = [data for name, data in collect_events(vmm) if name == "SPICE_OWNER_CHANGED"]
        check([data["connection-id"] for data in changes] == [ids[1]], f"{changes}")
        second.close()


def takeover_disconnects_the_others():
    with Vmm(spice="port={port},clients=takeover") as vmm:
        first = opened(vmm)
        second = opened(vmm)
        first.wait("the first to be thrown out", lambda: len(main_events(first)) > 1)
        wait_for("one client to be left", lambda: len(clients(vmm)) == 1 and clients(vmm)[0]["owner"])
        second.pump(0.2)
        check(main_events(second) == ["opened"], f"the second client: {main_events(second)}")
        for client in (first, second):
            client.close()


def refuse_lets_nobody_in_beside_the_first():
    with Vmm(spice="port={port},clients=refuse") as vmm:
        first = opened(vmm)
        check(outcome(vmm, None) == "error-auth", "a second client came in")  # spice-gtk's name for any refusal
        check(main_events(first) == ["opened"] and len(clients(vmm)) == 1, "the first client suffered")
        first.close()
        no_channels(vmm)
        check(outcome(vmm, None) == "opened", "nobody came in after the first")


def watchers_see_and_do_not_type():
    with booted(PASSWORD.format("type") + ",view-only-password=watch,clients=refuse") as vmm:
        watcher = opened(vmm, "watch")
        typist = opened(vmm, "type")
        roles = [(client["owner"], client["view-only"]) for client in clients(vmm)]
        check(roles == [(False, True), (True, False)], f"{roles}")
        check(": watches" in vmm.hmp("info spice"), "info spice names no watcher")
        before = vmm.screen()
        watcher.type([0x1e, 0x30])
        typist.type([0x10])
        typist.wait("one letter", lambda: differing_cells(before, vmm.screen()))
        typist.pump(0.5)
        changed = len(differing_cells(before, vmm.screen()))
        check(changed <= 2, f"{changed} cells changed: the watcher typed")  # the letter and the cursor
        watcher.wait_picture()
        watcher.wait("the watcher to see it", lambda: same_screen(watcher.screen(), vmm.screen()))
        for client in (watcher, typist):
            client.close()


STUCK = """
import sys
sys.path.insert(0, {tests!r})
from harness import SpiceClient
client = SpiceClient({port})
client.wait_picture()
print("ready", flush=True)
while True:
    client.pump(0.1)
"""


def four_clients_of_which_one_is_stopped():
    with booted(True) as vmm:
        others = [opened(vmm) for _ in range(3)]
        script = STUCK.format(tests=os.path.dirname(os.path.abspath(__file__)), port=vmm.port)
        stuck = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        check(stuck.stdout.readline() == "ready\n", "the fourth client saw nothing")
        check(len(clients(vmm)) == 4, f"{len(clients(vmm))} clients")
        stuck.send_signal(signal.SIGSTOP)
        for _ in range(10):
            before = vmm.screen()
            others[0].key(0x25)
            others[0].wait("a letter", lambda: differing_cells(before, vmm.screen()), 20)
        for client in others:
            client.wait_picture()
            client.wait("all letters", lambda c=client: same_screen(c.screen(), vmm.screen()))
        stuck.send_signal(signal.SIGCONT)
        stuck.kill()
        stuck.wait()
        wait_for("three clients to be left", lambda: len(clients(vmm)) == 3)
        for client in others:
            client.close()


def four_clients_at_different_speeds():
    """All may type, and all see the same in the end."""
    with booted(True) as vmm:
        lines = [SlowLine(vmm.port, rate) for rate in (1_000_000, 200_000, 50_000)]
        viewers = [SpiceClient(port) for port in (vmm.port, *(line.port for line in lines))]
        for viewer in viewers:
            viewer.wait("a client's channels", lambda v=viewer: all((kind, "opened") in v.events for kind in (1, 2, 3, 4)))
        for _ in range(3):
            for viewer in viewers:
                before = vmm.screen()
                viewer.key(0x25)
                viewer.wait("a letter", lambda: differing_cells(before, vmm.screen()))
        vmm.qmp("stop")
        for viewer in viewers:
            viewer.wait_picture()
            viewer.wait("all letters", lambda v=viewer: same_screen(v.screen(), vmm.screen()))
            check(set(main_events(viewer)) == {"opened"}, f"{main_events(viewer)}")
            viewer.close()
        for line in lines:
            line.close()


def add_client_takes_a_passed_descriptor():
    with Vmm(spice=PASSWORD.format("secret")) as vmm:
        ours, theirs = socket.socketpair()
        socket.send_fds(vmm.socket, [json.dumps({"execute": "getfd", "arguments": {"fdname": "client"}}).encode()],
                        [theirs.fileno()])
        check(json.loads(vmm.lines.readline()) == {"return": {}}, "getfd")
        theirs.close()
        vmm.qmp("add_client", protocol="spice", fdname="client", skipauth=True)
        ours.sendall(b"REDQ" + struct.pack("<IIIIBBIII", 2, 2, 22, 0, 1, 0, 1, 0, 18) + struct.pack("<I", 9))
        ours.settimeout(20)
        header = ours.recv(16, socket.MSG_WAITALL)
        size, = struct.unpack("<I", header[12:])
        check(header[:4] == b"REDQ" and struct.unpack("<I", ours.recv(size, socket.MSG_WAITALL)[:4]) == (0,), "the link reply")
        check("not been found" in error_of(vmm, "add_client", protocol="spice", fdname="client"), "used twice")
        check("No file descriptor" in error_of(vmm, "getfd", fdname="x"), "getfd without a descriptor")
        ours.close()


def schema_tells_every_command():
    with Vmm() as vmm:
        schema = {entity["name"]: entity for entity in vmm.qmp("query-qmp-schema")}
        for command in vmm.qmp("query-commands"):
            check(schema[command["name"]]["meta-type"] == "command", f"{command}")
        arguments = schema[schema["set_password"]["arg-type"]]
        check({member["name"] for member in arguments["members"]} == {"protocol", "password", "connected"}, f"{arguments}")


def a_socket_has_so_many_clients():
    def more():
        client = socket.socket(socket.AF_UNIX)
        client.connect(vmm.qmp_path)
        client.settimeout(60)
        return client, client.recv(4096)

    with Vmm(spice=False) as vmm:
        others = [more() for _ in range(15)]
        check(all(greeting for _, greeting in others), "the first fifteen beside the harness are greeted")
        check(not more()[1], "the seventeenth is greeted")
        others[0][0].close()
        wait_for("room for another", lambda: more()[1])


def terminal_edits_and_completes():
    main, line = pty.openpty()
    process = subprocess.Popen([MINIVMM, "--accel", "soft", "--monitor", "stdio", "--name", "tty"], stdin=line, stdout=line,
                               stderr=subprocess.DEVNULL, close_fds=True)
    os.set_blocking(main, False)
    said = ""

    def read():
        nonlocal said
        try:
            said += os.read(main, 65536).decode()
        except BlockingIOError:
            pass
        return said

    def type_and_wait(keys, wanted):
        nonlocal said
        said = ""
        os.write(main, keys.encode())
        wait_for(f"{wanted!r}; said {said!r}", lambda: wanted in read())

    wait_for("the prompt", lambda: "(minivmm) " in read())
    type_and_wait("info na\t\r", "\ntty\r")
    type_and_wait("\x1b[A\r", "\ntty\r")
    type_and_wait("sys\t\t", "system_powerdown  system_reset")
    type_and_wait("\x15quit\r", "quit\r")
    check(process.wait(20) == 0, f"quit ended with {process.returncode}")
    import termios
    check(termios.tcgetattr(line)[3] & termios.ECHO, "the terminal was left without echo")
    os.close(main)
    os.close(line)


def pty_is_a_terminal_of_its_own():
    with Vmm("--monitor", "pty") as vmm:
        path = wait_for("the terminal's name", lambda: next((line.split()[-1] for line in vmm.output().splitlines()
                                                             if "pty is" in line), None))
        with open(path, "r+b", buffering=0) as terminal:
            terminal.write(b"info ver\t\r")
            said = b""
            while b"\nminivmm 0." not in said:
                piece = terminal.read(4096)
                check(piece, f"the terminal closed: {said!r}")
                said += piece


run_cases({function.__name__: function for function in (
    answers_and_events_have_qemus_shape, set_password_keeps_disconnects_or_fails, password_expires,
    share_is_the_default_and_the_owner_is_handed_on, takeover_disconnects_the_others, refuse_lets_nobody_in_beside_the_first,
    watchers_see_and_do_not_type, four_clients_of_which_one_is_stopped, four_clients_at_different_speeds,
    add_client_takes_a_passed_descriptor, schema_tells_every_command, a_socket_has_so_many_clients,
    terminal_edits_and_completes, pty_is_a_terminal_of_its_own)})
