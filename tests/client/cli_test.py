#!/usr/bin/python3
"""The command line: every mistake is one clear line and exit status 1, and nothing is left half-started."""
import os
import socket
import subprocess
import tempfile

from harness import MINIVMM, Failure, SpiceClient, Vmm, check, free_port, run_cases, wait_for


def run(*arguments, timeout=30):
    return subprocess.run([MINIVMM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)


def refused(*arguments, naming):
    result = run(*arguments)
    lines = result.stderr.strip().splitlines()
    check(result.returncode == 1, f"{arguments}: exit status {result.returncode}, not 1: {result.stderr}")
    check(len(lines) == 1 and lines[0].startswith("minivmm: "), f"{arguments}: not one clear line: {result.stderr!r}")
    check(naming in lines[0], f"{arguments}: {lines[0]!r} does not name {naming!r}")
    check(result.stdout == "", f"{arguments}: printed {result.stdout!r}")


def help_version_manual():
    for option, wanted in (("--help", "--disk FILE"), ("--version", "minivmm 0."), ("--man-page", ".TH MINIVMM")):
        result = run(option)
        check(result.returncode == 0 and wanted in result.stdout, f"{option} does not show {wanted!r}")


def manual_page_is_valid():
    page = run("--man-page").stdout
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "error"], input=page, capture_output=True, text=True)
    check(lint.returncode == 0, f"mandoc: {lint.stdout}")


def bad_options():
    refused("--dsik", "x", naming="--dsik")
    refused("stray", naming="stray")
    refused("--memory", "lots", naming="--memory")
    refused("--cpus", "0", naming="--cpus")
    refused("--spice", "tls-port=1,port=2", naming="x509-dir")
    refused("--boot", "z", naming="--boot")
    refused("--bios", "none", naming="--kernel")
    refused("--initrd", "/tmp/x", naming="--kernel")


def missing_and_wrong_files():
    refused("--disk", "/nonexistent/disk.img", naming="/nonexistent/disk.img")
    refused("--disk", "/tmp", naming="/tmp")
    refused("--cdrom", "/nonexistent/cd.iso", naming="/nonexistent/cd.iso")
    refused("--kernel", "/nonexistent/vmlinuz", naming="/nonexistent/vmlinuz")
    refused("--kernel", "/etc/hostname", naming="/etc/hostname")
    refused("--bios", "/etc/hostname", naming="/etc/hostname")
    refused("--serial", "file:/nonexistent/log", naming="/nonexistent/log")
    refused("--qmp", "unix:/nonexistent/qmp", naming="/nonexistent/qmp")
    refused("--qxl", "record=/nonexistent/recording", naming="/nonexistent/recording")
    refused("--qxl", "record=/dev/full", naming="/dev/full")


def replayed_recording_becomes_a_picture():
    recording = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/replay/qxl-rig.rec.gz")
    with tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, "picture.png")
        result = run("replay", recording, "--screendump", picture)
        check(result.returncode == 0 and "all drawings" in result.stdout, f"replay: {result.stdout}{result.stderr}")
        with open(picture, "rb") as file:
            check(file.read(8) == b"\x89PNG\r\n\x1a\n", "the screendump is no PNG")


def replay_refuses_what_it_cannot_read():
    refused("replay", naming="recording")
    refused("replay", "/nonexistent/recording", naming="/nonexistent/recording")
    refused("replay", "/etc/hostname", naming="/etc/hostname")
    refused("replay", "/etc/hostname", "--screenshot", "x", naming="--screenshot")


def empty_disk():
    with tempfile.NamedTemporaryFile() as disk:
        refused("--disk", disk.name, naming=disk.name)


def cpu_models():
    listed = run("--cpu", "help")
    check(listed.returncode == 0 and "--accel soft: " in listed.stdout, f"--cpu help: {listed.stdout!r}")
    refused("--accel", "soft", "--cpu", "z80", naming="z80")
    refused("--accel", "kvm", "--cpu", "z80", naming="z80")


def icount_and_rtc():
    for accel in ("kvm,icount=3", "icount=3", "soft,icount=11", "soft,icount=x", "soft,sleep=off", "soft,icount=3,sleep=maybe", "soft,speed=9"):
        refused("--accel", accel, naming="--accel")
    for rtc in ("yesterday", "base=1979-12-31", "base=2020-13-01", "clock=vm"):
        refused("--rtc", rtc, naming="--rtc")


def busy_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        refused("--spice", str(port), naming=str(port))


def address_beyond_loopback_needs_a_ticket():
    refused("--spice", f"port={free_port()},addr=0.0.0.0", naming="0.0.0.0")


def second_writer_is_refused():
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(1 << 20)
        with Vmm("--disk", disk.name):
            refused("--disk", disk.name, naming=disk.name)


def live_qmp_socket_is_refused():
    with Vmm() as vmm:
        refused("--qmp", "unix:" + vmm.qmp_path, naming=vmm.qmp_path)


def disk_and_port_are_a_machine_for_spice():
    """What clients look for is there without being asked for."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "disk.img")
        with open(path, "wb") as disk:
            disk.truncate(1 << 20)
        with Vmm("--disk", path) as vmm:
            functions = vmm.hmp("info pci")
            # QXL, virtio-serial, EHCI and its companions
            for device in ("1b36:0100", "1af4:1003", "8086:293a", "8086:2934", "8086:2935", "8086:2936"):
                check("PCI device " + device in functions, f"{device} is missing: {functions}")
            client = SpiceClient(vmm.port)
            main, display, inputs, cursor, webdav = 1, 2, 3, 4, 11
            client.wait("its channels", lambda: {kind for kind, _ in client.channels} == {main, display, inputs, cursor, webdav})
            client.close()


def sigterm_and_sigint_end_with_0():
    for signal in (2, 15):
        vmm = Vmm()
        vmm.process.send_signal(signal)
        check(vmm.wait_exit() == 0, f"signal {signal} ended minivmm with {vmm.process.returncode}")
        check(not os.path.exists(vmm.qmp_path), "the QMP socket was left behind")
        vmm.close()


def quit_ends_with_0():
    with Vmm() as vmm:
        vmm.qmp("quit")
        check(vmm.wait_exit() == 0, "quit did not end with 0")


def monitor_on_unix_socket():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "monitor")
        with Vmm("--monitor", "unix:" + path):
            monitor = socket.socket(socket.AF_UNIX)
            wait_for("the monitor", lambda: os.path.exists(path))
            monitor.connect(path)
            monitor.settimeout(20)
            talk = monitor.makefile("rw")

            def ask(line, wanted):
                talk.write(line + "\n")
                talk.flush()
                text = ""
                while wanted not in text:
                    piece = monitor.recv(65536).decode()
                    if not piece:
                        raise Failure(f"monitor: {line}: {text!r} lacks {wanted!r}")
                    text += piece

            ask("info status", "VM status: running")
            ask("info pci", "PCI device 1b36:0100")
            ask("info mtree", "bios")
            ask("info irq", "interrupts")
            ask("info spice", "mouse-mode: server")
            ask("info version", "minivmm 0.")
            ask("stop", "(minivmm)")
            ask("info status", "VM status: paused")
            ask("cont", "(minivmm)")
            ask("info status", "VM status: running")
            ask("help", "system_powerdown")
            ask("nonsense", "unknown command: 'nonsense'")


def qmp_shapes():
    with Vmm("--name", "qmp-test") as vmm:
        check(vmm.greeting["QMP"]["capabilities"] == [], "the greeting lacks capabilities")
        check(vmm.qmp("query-status") == {"running": True, "singlestep": False, "status": "running"}, "query-status")
        check(vmm.qmp("query-name") == {"name": "qmp-test"}, "query-name")
        check(vmm.qmp("query-uuid")["UUID"].startswith("01234567-89ab"), "query-uuid")
        spice = vmm.qmp("query-spice")
        check(spice["enabled"] and spice["port"] == vmm.port and spice["auth"] == "none", f"query-spice: {spice}")
        devices = vmm.qmp("query-pci")[0]["devices"]
        check(any(d["id"] == {"vendor": 0x1b36, "device": 0x100, "subsystem-vendor": 0x1af4, "subsystem": 0x1100}
                  for d in devices), f"query-pci shows no QXL: {devices}")
        vmm.qmp("stop")
        check(vmm.qmp("query-status")["status"] == "paused", "stop")
        vmm.qmp("cont")
        vmm.qmp("system_reset")
        vmm.qmp("query-status")
        names = [event["event"] for event in vmm.events]
        check(names == ["STOP", "RESUME", "RESET"], f"events {names}")
        try:
            vmm.qmp("no-such-command")
            raise AssertionError
        except Failure as failure:
            check("has not been found" in str(failure), str(failure))
        check(vmm.qmp("query-current-machine")["wakeup-suspend-support"], "query-current-machine")
        try:
            vmm.qmp("system_wakeup")
            raise AssertionError
        except Failure as failure:
            check("not in suspended state" in str(failure), str(failure))


run_cases({function.__name__: function for function in (
    help_version_manual, manual_page_is_valid, bad_options, missing_and_wrong_files, replayed_recording_becomes_a_picture,
    replay_refuses_what_it_cannot_read, empty_disk, cpu_models, icount_and_rtc,
    busy_port, address_beyond_loopback_needs_a_ticket, second_writer_is_refused, live_qmp_socket_is_refused,
    disk_and_port_are_a_machine_for_spice, sigterm_and_sigint_end_with_0, quit_ends_with_0, monitor_on_unix_socket, qmp_shapes)})
