"""Displays without a machine that real clients look at: programs that prepare one, print its port and obey lines."""
import os
import subprocess
import tempfile

from harness import Failure, ROOT, check, read_ppm, wait_for

TREE = os.path.join(ROOT, "build/release/tests")
FILM = os.environ.get("FILM", os.path.join(TREE, "film"))
PLAYER = os.environ.get("PLAYER", os.path.join(TREE, "player"))
RECORDINGS = os.path.join(ROOT, "tests/data/replay")


class Shown:
    def __init__(self, *command):
        self.directory = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Failure(f"{self.process.args[0]} has gone")
        return answer.strip()

    def do(self, line):
        answer = self.ask(line)
        check(answer == "done", f"{line}: {answer}")

    def screen(self):
        path = os.path.join(self.directory.name, "shot.ppm")
        self.do("shot " + path)
        return read_ppm(path)

    def close(self):
        self.process.stdin.close()
        check(self.process.wait(20) == 0, "the display ended badly")
        self.directory.cleanup()


class Film(Shown):
    """25 pictures a second."""

    def __init__(self, mode, codecs, *options):
        super().__init__(FILM, mode, codecs, *options)


class Player(Shown):
    """Recordings, by image-compression, jpeg-wan-compression and zlib-glz-wan-compression."""

    def __init__(self, compression="auto_glz", jpeg="never", zlib="never"):
        super().__init__(PLAYER, compression, jpeg, zlib)

    def play(self, recording, calls=None):
        self.do(f"play {RECORDINGS}/{recording}.rec.gz" + (f" {calls}" if calls else ""))
        wait_for("the recording's end", lambda: self.ask("left") == "0", pause=0.002)  # clients live on meanwhile

    def methods(self):
        return set(self.ask("methods").split())
