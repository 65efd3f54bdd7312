#!/usr/bin/python3
"""How real clients get in: TLS with good and bad certificates, policies, Unix sockets, given sockets, passwords in files."""
import os
import socket
import stat
import subprocess
import tempfile

from harness import MINIVMM, SpiceClient, Vmm, check, free_port, run_cases, same_screen, read_ppm, wait_for

SPARE = ("--memory", "16")
MAIN, DISPLAY, INPUTS = 1, 2, 3

pki = tempfile.TemporaryDirectory(prefix="minivmm-pki-")


def certificates(name="good"):
    """A directory for x509-dir, made by minivmm itself, once each."""
    directory = os.path.join(pki.name, name)
    if not os.path.exists(directory):
        made = subprocess.run([MINIVMM, "--spice", "gen-certs=" + directory], capture_output=True, text=True, timeout=60)
        check(made.returncode == 0 and "remote-viewer --spice-ca-file" in made.stdout, f"gen-certs: {made.stderr}")
    return directory


def ca(name="good"):
    return os.path.join(certificates(name), "ca-cert.pem")


def tls_vmm(more=""):
    return Vmm(*SPARE, spice="tls-port={tls_port},x509-dir=" + certificates() + more)


def tls_client(vmm, password=None, host="127.0.0.1", port=None, **properties):
    return SpiceClient(port, password, host, tls_port=str(vmm.tls_port), **{"ca_file": ca(), **properties})


def transports(vmm):
    """Which channel types go over TLS and which do not."""
    channels = vmm.qmp("query-spice")["channels"]
    return tuple({channel["channel-type"] for channel in channels if channel["tls"] == tls} for tls in (True, False))


def gen_certs_overwrites_nothing():
    directory = certificates()
    again = subprocess.run([MINIVMM, "--spice", "gen-certs=" + directory], capture_output=True, text=True, timeout=60)
    check(again.returncode == 1 and "exists already" in again.stderr, f"gen-certs again: {again.stderr}")
    for name in os.listdir(directory):
        mode = stat.S_IMODE(os.stat(os.path.join(directory, name)).st_mode)
        check(mode == (0o600 if "key" in name else 0o644), f"{name} has mode {mode:o}")


def tls_with_the_right_ca():
    with tls_vmm() as vmm:
        for host in ("127.0.0.1", "localhost"):
            client = tls_client(vmm, host=host)
            client.wait_picture()
            client.wait("the inputs channel", lambda c=client: (INPUTS, "opened") in c.events)
            check(transports(vmm)[0] >= {MAIN, DISPLAY, INPUTS} and not transports(vmm)[1], f"query-spice: {transports(vmm)}")
            client.wait("the same pixels", lambda c=client: same_screen(c.screen(), vmm.screen()))
            client.close()


def tls_with_another_ca_is_not_trusted():
    with tls_vmm() as vmm:
        client = tls_client(vmm, ca_file=ca("other"))
        client.wait("the refusal", lambda: (MAIN, "error-tls") in client.events)
        client.close()
        check(not vmm.qmp("query-spice")["channels"], "a client that does not trust us is in")


def tls_with_another_host_name_is_not_trusted():
    with tls_vmm(",addr=127.0.0.2") as vmm:
        client = tls_client(vmm, host="127.0.0.2")
        client.wait("the refusal", lambda: (MAIN, "error-tls") in client.events)
        client.close()


def tls_and_a_password():
    with tls_vmm(",password=secret,addr=127.0.0.1") as vmm:
        wrong = tls_client(vmm, "wrong")
        wrong.wait("the refusal", lambda: (MAIN, "error-auth") in wrong.events)
        wrong.close()
        right = tls_client(vmm, "secret")
        right.wait_picture()
        right.close()


def channels_that_need_tls_get_it():
    with tls_vmm(",port={port},tls-channel=main,tls-channel=inputs") as vmm:
        client = tls_client(vmm, port=vmm.port)
        client.wait_picture()
        client.wait("the inputs channel", lambda: (INPUTS, "opened") in client.events)
        wait_for("the channels' transports",
                 lambda: transports(vmm)[0] == {MAIN, INPUTS} and DISPLAY in transports(vmm)[1])
        client.close()
        plain = SpiceClient(vmm.port)
        plain.wait("the refusal", lambda: any(kind == MAIN and "error" in event for kind, event in plain.events))
        plain.close()


def channels_that_must_be_plain_are():
    with tls_vmm(",port={port},plaintext-channel=display") as vmm:
        mixed = tls_client(vmm, port=vmm.port, secure_channels=["main", "inputs"])
        mixed.wait_picture()
        wait_for("the channels' transports", lambda: MAIN in transports(vmm)[0] and DISPLAY in transports(vmm)[1])
        mixed.close()
        secure = tls_client(vmm, port=vmm.port, secure_channels=["all"])
        secure.wait("the refusal", lambda: any(kind == DISPLAY and "error" in event for kind, event in secure.events))
        secure.close()


def s_client(port, *arguments):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", ca(), *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60).stdout


def versions_and_ciphers():
    with tls_vmm(",tls-ciphers=ECDHE-ECDSA-AES128-GCM-SHA256") as vmm:
        for version in ("-tls1", "-tls1_1"):
            check("Cipher is (NONE)" in s_client(vmm.tls_port, version, "-cipher", "ALL:@SECLEVEL=0"), f"{version} is accepted")
        check("Cipher is ECDHE-ECDSA-AES128-GCM-SHA256" in s_client(vmm.tls_port, "-tls1_2"), "tls-ciphers is not obeyed")
        check("Cipher is (NONE)" in s_client(vmm.tls_port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"),
              "a cipher that is not in tls-ciphers is accepted")
        newest = s_client(vmm.tls_port, "-tls1_3", "-verify_ip", "127.0.0.1", "-verify_return_error")
        check("Verify return code: 0 (ok)" in newest and "Cipher is TLS_" in newest, f"TLS 1.3: {newest}")
        check("Compression: NONE" in newest, "compression")


def idle_tls_connections_keep_nobody_out():
    with tls_vmm() as vmm:
        idle = [socket.create_connection(("127.0.0.1", vmm.tls_port)) for _ in range(200)]
        client = tls_client(vmm)
        client.wait_picture()
        client.close()
        for connection in idle:
            connection.close()


def unix_socket():
    with Vmm(*SPARE, spice="unix=on,addr={directory}/spice") as vmm:
        path = vmm.directory + "/spice"
        check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "others may connect")
        client = SpiceClient(None, host=None, unix_path=path)
        client.wait_picture()
        client.close()
        vmm.qmp("stop")  # two pictures of one moment
        shot = vmm.directory + "/shot.ppm"
        subprocess.run(["spicy-screenshot", "--uri", "spice+unix://" + path, "-o", shot], check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        check(same_screen(read_ppm(shot), vmm.screen()), "spicy-screenshot shows other pixels")
        second = subprocess.run([MINIVMM, *SPARE, "--spice", "unix:" + path], capture_output=True, text=True, timeout=60)
        check(second.returncode == 1 and path in second.stderr, f"a second server on the socket: {second.stderr}")
        vmm.qmp("quit")
        vmm.wait_exit()
        check(not os.path.exists(path), "the socket was left behind")


def socket_of_a_killed_process_is_replaced():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "spice")
        killed = Vmm(*SPARE, spice="unix:" + path)
        killed.kill()
        killed.close()
        check(os.path.exists(path), "there is nothing to replace")
        with Vmm(*SPARE, spice="unix:" + path):
            client = SpiceClient(None, host=None, unix_path=path)
            client.wait_picture()
            client.close()


def addresses_of_both_families():
    def reached(address, port):
        try:
            socket.create_connection((address, port), 10).close()
            return True
        except OSError:
            return False
    for options, wanted in (("disable-ticketing=on", (True, True)), ("addr=127.0.0.1", (True, False)), ("ipv6=on", (False, True))):
        with Vmm(*SPARE, spice="port={port}," + options) as vmm:
            found = reached("127.0.0.1", vmm.port), reached("::1", vmm.port)
            check(found == wanted, f"{options}: IPv4 and IPv6 are {found}")


def given_socket():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with Vmm(*SPARE, spice=f"listen-fd={listener.fileno()}", pass_fds=(listener.fileno(),)):
            client = SpiceClient(listener.getsockname()[1])
            client.wait_picture()
            client.close()


def passwords_are_not_shown():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("from a file\n")
        file.flush()
        with Vmm(*SPARE, spice="port={port},addr=127.0.0.1,password-secret=" + file.name) as vmm:
            client = SpiceClient(vmm.port, "from a file")
            client.wait_picture()
            client.close()
        file.write("x" * 60)
        file.flush()
        refused = subprocess.run([MINIVMM, "--spice", "port=1,password-secret=" + file.name], capture_output=True, text=True, timeout=60)
        check(refused.returncode == 1 and file.name in refused.stderr and "xxx" not in refused.stderr, f"long password: {refused.stderr}")
    with Vmm(*SPARE, spice="port={port},addr=127.0.0.1,password=sesame") as vmm:
        with open(f"/proc/{vmm.process.pid}/cmdline") as shown:
            check("sesame" not in shown.read(), "ps shows the password")
        client = SpiceClient(vmm.port, "sesame")
        client.wait_picture()
        client.close()
        check("sesame" not in vmm.output(), "the log shows the password")


def remote_viewer_gets_in(vmm, arguments):
    script = f"remote-viewer {arguments} & viewer=$!; read line; kill $viewer"
    viewer = subprocess.Popen(["xvfb-run", "-a", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        wait_for("remote-viewer's channels", lambda: transports(vmm)[0] >= {MAIN, DISPLAY, INPUTS}, 60)
    finally:
        viewer.communicate(b"\n", 60)


def remote_viewer_trusts_the_ca():
    with tls_vmm() as vmm:
        remote_viewer_gets_in(vmm, f"--spice-ca-file={ca()} 'spice://localhost?tls-port={vmm.tls_port}'")


def remote_viewer_opens_the_vv_file():
    with tls_vmm(",addr=127.0.0.1,password=secret,vv={directory}/guest.vv") as vmm:
        path = vmm.directory + "/guest.vv"
        check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "others may read the password")
        remote_viewer_gets_in(vmm, path)
        vmm.qmp("quit")
        vmm.wait_exit()
        check(not os.path.exists(path), "the .vv file was left behind")


def bad_files_are_named():
    for options, naming in ((f"x509-dir={pki.name}/none", "server-cert.pem"),
                            (f"x509-dir={certificates()},x509-key-file={certificates('other')}/server-key.pem", "server-key.pem"),
                            (f"x509-dir={certificates()},tls-ciphers=NONSENSE", "tls-ciphers"),
                            (f"x509-dir={certificates()},vv=/nonexistent/guest.vv", "/nonexistent/guest.vv"),
                            (f"x509-dir={certificates()},password-secret=/nonexistent/secret", "/nonexistent/secret")):
        result = subprocess.run([MINIVMM, *SPARE, "--spice", f"tls-port={free_port()},{options}"], capture_output=True,
                                text=True, timeout=60)
        check(result.returncode == 1 and naming in result.stderr and result.stderr.count("\n") == 1,
              f"{options}: {result.stderr!r} does not name {naming}")


cases = {function.__name__: function for function in (
    gen_certs_overwrites_nothing, tls_with_the_right_ca, tls_with_another_ca_is_not_trusted,
    tls_with_another_host_name_is_not_trusted, tls_and_a_password, channels_that_need_tls_get_it,
    channels_that_must_be_plain_are, versions_and_ciphers, idle_tls_connections_keep_nobody_out, unix_socket,
    socket_of_a_killed_process_is_replaced, addresses_of_both_families, given_socket, passwords_are_not_shown,
    remote_viewer_trusts_the_ca, remote_viewer_opens_the_vv_file, bad_files_are_named)}

if __name__ == "__main__":
    run_cases(cases)
