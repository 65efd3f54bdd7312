#!/usr/bin/python3
"""spice-html5 in a headless Chromium over WebSocket, with TLS and without: it shows the guest, and its keys arrive. And WebSocket by hand."""
import base64
import functools
import http.server
import json
import os
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

from harness import GUESTS, Vmm, check, differing_cells, read_picture, run_cases, same_screen, wait_for
from transport_test import certificates

PAGES = "/usr/share/spice-html5"
BOOT_SECTOR = GUESTS + "/boot_sector/hello.img"
BOOT_TIMEOUT = 240  # SeaBIOS beside other tests
BROWSER_TIMEOUT = 120


class Pages:
    """spice-html5's files on an HTTP server, or HTTPS with a certificate: (certificate file, key file)."""

    def __init__(self, certificate=None):
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=PAGES))
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, **query):
        return f"{self.scheme}://127.0.0.1:{self.server.server_port}/spice_auto.html?{urllib.parse.urlencode(query)}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Browser:
    """A page in a headless Chromium, driven by the DevTools protocol over a pair of pipes."""

    def __init__(self, url):
        self.directory = tempfile.mkdtemp(prefix="minivmm-browser-")
        command_read, self.command = os.pipe()
        self.answers, answer_write = os.pipe()

        def place_pipes():  # the browser reads from 3 and writes to 4
            high = os.dup(command_read), os.dup(answer_write)
            kept = [os.dup2(fd, fd + 20) for fd in high]
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)
        self.log = open(os.path.join(self.directory, "log"), "wb")
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--ignore-certificate-errors", "--remote-debugging-pipe", "--user-data-dir=" + self.directory, "about:blank"],
            pass_fds=(3, 4), preexec_fn=place_pipes, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        os.close(command_read)
        os.close(answer_write)
        self.unread, self.count, self.session = b"", 0, None
        target = self.call("Target.createTarget", url=url)["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.command, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + BROWSER_TIMEOUT
        while True:
            line, found, rest = self.unread.partition(b"\0")
            if found:
                self.unread = rest
                answer = json.loads(line)
                if answer.get("method") == "Page.javascriptDialogOpening":  # and the page waits
                    check(False, f"the page asks: {answer['params']['message']}")
                if answer.get("id") == self.count:
                    check("result" in answer, f"{method}: {answer.get('error')}")
                    return answer["result"]
                continue
            ready, _, _ = select.select([self.answers], [], [], max(0, end - time.monotonic()))
            more = os.read(self.answers, 1 << 20) if ready else b""
            check(more, f"the browser did not answer {method}")
            self.unread += more

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]
        return result.get("value")

    def screen(self):
        """What is on the canvas of the first surface; None while there is none."""
        data = self.evaluate("(() => { const c = document.querySelector('canvas'); return c && c.toDataURL(); })()")
        if not data:
            return None
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(base64.b64decode(data.partition(",")[2]))
            file.flush()
            return read_picture(file.name)

    def type(self, text):
        self.evaluate("document.querySelector('canvas').focus()")
        for letter in text:
            key = {"key": letter, "code": "Key" + letter.upper(), "windowsVirtualKeyCode": ord(letter.upper())}
            self.call("Input.dispatchKeyEvent", type="rawKeyDown", **key)
            self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.command)
        os.close(self.answers)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def browser_shows_the_guest_and_types(spice, password="", certificate=None):
    """`spice` is what --spice is given; with a certificate, (certificate file, key file), all is over TLS."""
    with Vmm("--disk", BOOT_SECTOR + ",snapshot=on", spice=spice) as vmm, Pages(certificate) as pages:
        vmm.wait_screen("hello", BOOT_TIMEOUT)
        url = pages.url(host="127.0.0.1", port=vmm.tls_port if certificate else vmm.port, password=password)
        with Browser(url) as browser:
            shown = lambda: (screen := browser.screen()) and same_screen(screen, vmm.screen())
            wait_for("the browser to show the guest", shown, BROWSER_TIMEOUT)
            before = vmm.screen()
            browser.type("abc")
            wait_for("three letters", lambda: len(differing_cells(before, vmm.screen()) or ()) >= 3, 60)
            wait_for("the browser to show them", shown, BROWSER_TIMEOUT)
            channels = vmm.qmp("query-spice")["channels"]
            check({c["channel-type"] for c in channels} >= {1, 2, 3}, f"channels: {channels}")
            check(all(c["tls"] == bool(certificate) for c in channels), f"channels: {channels}")
        wait_for("the browser's channels to end", lambda: not vmm.qmp("query-spice")["channels"])


def browser_over_ws():
    browser_shows_the_guest_and_types(True)


def browser_over_ws_with_password():
    browser_shows_the_guest_and_types("port={port},password=secret,addr=127.0.0.1", "secret")


def browser_over_wss():
    directory = certificates()
    browser_shows_the_guest_and_types("tls-port={tls_port},password=secret,addr=127.0.0.1,x509-dir=" + directory, "secret",
                                      (directory + "/server-cert.pem", directory + "/server-key.pem"))


def request(port, text):
    """The answer to some HTTP, up to its empty line."""
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.settimeout(60)
        answer = b""
        for byte in text.encode():
            client.sendall(bytes([byte]))
        while b"\r\n\r\n" not in answer:
            more = client.recv(4096)
            check(more, f"ended after {answer!r}")
            answer += more
        return answer.decode().split("\r\n")


def requests_byte_by_byte():
    opening = ("GET /anything HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: {}\r\n{}\r\n")
    with Vmm() as vmm:
        lines = request(vmm.port, opening.format(13, "Sec-WebSocket-Protocol: binary\r\n"))
        check(lines[0] == "HTTP/1.1 101 Switching Protocols", f"{lines}")
        check("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in lines, f"{lines}")
        check("Sec-WebSocket-Protocol: binary" in lines, f"{lines}")
        lines = request(vmm.port, opening.format(13, ""))
        check(lines[0].startswith("HTTP/1.1 101 ") and not any("Protocol:" in line for line in lines), f"{lines}")
        lines = request(vmm.port, opening.format(8, ""))
        check(lines[0].startswith("HTTP/1.1 426 ") and "Sec-WebSocket-Version: 13" in lines, f"{lines}")
        lines = request(vmm.port, opening.format(13, "Sec-WebSocket-Protocol: base64\r\n"))
        check(lines[0].startswith("HTTP/1.1 400 "), f"{lines}")


def half_open_requests_keep_nobody_out():
    with Vmm() as vmm:
        idle = []
        for _ in range(200):
            client = socket.create_connection(("127.0.0.1", vmm.port), 60)
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            idle.append(client)
        lines = request(vmm.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(lines[0].startswith("HTTP/1.1 426 "), f"{lines}")
        check(vmm.descriptors() < 150, "half-open requests are not capped")
        for client in idle:
            client.close()


cases = {function.__name__: function for function in (
    browser_over_ws, browser_over_ws_with_password, browser_over_wss, requests_byte_by_byte, half_open_requests_keep_nobody_out)}

if __name__ == "__main__":
    run_cases(cases)
