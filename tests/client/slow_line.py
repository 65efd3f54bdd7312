"""A line to a server that takes only so many bytes a second."""
import socket
import threading
import time


class SlowLine:
    """A line of so many bytes a second to a server, in front of which nothing is buffered for long."""

    def __init__(self, port, bytes_per_second):
        self.target, self.rate, self.free_at, self.lock = port, bytes_per_second, time.monotonic(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
            server.connect(("127.0.0.1", self.target))
            threading.Thread(target=self._forward, args=(server, client, True), daemon=True).start()
            threading.Thread(target=self._forward, args=(client, server, False), daemon=True).start()

    def _forward(self, source, sink, is_slow):
        try:
            while data := source.recv(4096):
                if is_slow:
                    with self.lock:
                        self.free_at = max(self.free_at, time.monotonic()) + len(data) / self.rate
                        pause = self.free_at - time.monotonic()
                    time.sleep(max(pause, 0))
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
