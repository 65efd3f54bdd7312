#!/usr/bin/python3
"""spice-gtk with SASL accounts, good and bad; the accounts lie in a database of the test's own."""
import os
import shutil
import subprocess
import tempfile

from harness import GUESTS, SpiceClient, Vmm, check, differing_cells, run_cases, same_screen, wait_for
from transport_test import ca, certificates

BOOT_SECTOR = GUESTS + "/boot_sector/hello.img"
BOOT_TIMEOUT = 240  # SeaBIOS beside other tests
SPICE = "port={port},sasl=on,addr=127.0.0.1"


class Accounts:
    """A folder with what cyrus-sasl reads: the user ali, whose password is secret. minivmm inherits its place."""

    def __init__(self, mechanisms):
        self.directory = tempfile.mkdtemp(prefix="minivmm-sasl-")
        database = os.path.join(self.directory, "sasldb2")
        with open(os.path.join(self.directory, "qemu.conf"), "w") as file:
            file.write(f"mech_list: {mechanisms}\npwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
                       f"sasldb_path: {database}\n")
        subprocess.run(["/usr/sbin/saslpasswd2", "-p", "-c", "-f", database, "ali"], input=b"secret", check=True)

        # Debian's DIGEST-MD5 plug-in loses OpenSSL's legacy provider with every connection that it wraps.
        with open(os.path.join(self.directory, "leaks"), "w") as file:
            file.write("leak:libcrypto.so\n")

    def __enter__(self):
        os.environ["SASL_CONF_PATH"] = self.directory
        os.environ["LSAN_OPTIONS"] = f"suppressions={self.directory}/leaks:print_suppressions=0"
        return self

    def __exit__(self, *_):
        del os.environ["SASL_CONF_PATH"], os.environ["LSAN_OPTIONS"]
        shutil.rmtree(self.directory)


def connect(vmm, user, password, tls):
    if tls:
        return SpiceClient(None, password, username=user, tls_port=str(vmm.tls_port), ca_file=ca())
    return SpiceClient(vmm.port, password, username=user)


def good_account(vmm, tls=False):
    """It sees the guest and types, and a second client beside it."""
    clients = [connect(vmm, "ali", "secret", tls) for _ in range(2)]
    for client in clients:
        client.wait_picture()
        client.wait("the inputs channel", lambda c=client: (3, "opened") in c.events)
    before = vmm.screen()
    for client in clients:
        client.type([0x1e, 0x30])  # a b
    clients[0].wait("four letters", lambda: len(differing_cells(before, vmm.screen()) or ()) >= 4, 60)
    for client in clients:
        client.wait("the client to see them", lambda c=client: same_screen(c.screen(), vmm.screen()))
    check(vmm.qmp("query-spice")["auth"] == "sasl", "query-spice")
    for client in clients:
        client.close()


def bad_accounts(vmm, tls=False):
    for user, password in (("ali", "wrong"), ("nobody", "secret"), ("ali", "")):
        client = connect(vmm, user, password, tls)
        client.wait(f"the refusal of {user}", lambda c=client: (1, "error-auth") in c.events)
        client.close()
    wait_for("refused connections to end", lambda: not vmm.qmp("query-spice")["channels"])


def digest_md5():
    with Accounts("digest-md5"), Vmm("--disk", BOOT_SECTOR + ",snapshot=on", spice=SPICE) as vmm:
        vmm.wait_screen("hello", BOOT_TIMEOUT)
        good_account(vmm)
        bad_accounts(vmm)
        good_account(vmm)


def over_tls(mechanism):
    spice = "tls-port={tls_port},sasl=on,addr=127.0.0.1,x509-dir=" + certificates()
    with Accounts(mechanism), Vmm("--disk", BOOT_SECTOR + ",snapshot=on", spice=spice) as vmm:
        vmm.wait_screen("hello", BOOT_TIMEOUT)
        good_account(vmm, tls=True)
        bad_accounts(vmm, tls=True)


def scram_sha_256_over_tls():
    over_tls("scram-sha-256")


def digest_md5_over_tls():
    over_tls("digest-md5")


def plain_over_tls():
    over_tls("plain")


def nothing_without_protection_is_offered():
    """SCRAM and PLAIN do not encrypt: without TLS nobody gets in by them."""
    with Accounts("scram-sha-256 plain anonymous"), Vmm(spice=SPICE) as vmm:
        client = SpiceClient(vmm.port, "secret", username="ali")
        client.wait("the refusal", lambda: any(channel == 1 and event.startswith("error") for channel, event in client.events))
        client.close()
        check(not vmm.qmp("query-spice")["channels"], "somebody is in")


cases = {function.__name__: function for function in (
    digest_md5, scram_sha_256_over_tls, digest_md5_over_tls, plain_over_tls, nothing_without_protection_is_offered)}

if __name__ == "__main__":
    run_cases(cases)
