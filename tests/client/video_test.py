#!/usr/bin/python3
"""Films over real clients: sent as video in each codec, shown alike, and without loss once they stand still."""
import os
import re
import tempfile
import time

from harness import SpiceClient, check, run_cases
from shown import Film
from slow_line import SlowLine

CODECS = {"mjpeg": "spice:mjpeg", "vp8": "gstreamer:vp8", "vp9": "gstreamer:vp9"}


class Log:
    """What spice-gtk says about streams while it is open: its debug lines go to standard output."""

    def __enter__(self):
        self.file = tempfile.TemporaryFile("w+")
        self.kept = os.dup(1)
        os.dup2(self.file.fileno(), 1)
        return self

    def text(self):
        with open(f"/proc/self/fd/{self.file.fileno()}", errors="replace") as file:
            return file.read()

    def __exit__(self, *_):
        os.dup2(self.kept, 1)
        os.close(self.kept)
        self.file.close()


def mean_error(a, b, box):
    """Of the colours inside a rectangle."""
    left, top, right, bottom = box
    total = 0
    for y in range(top, bottom):
        row = slice((y * a.width + left) * 3, (y * a.width + right) * 3)
        total += sum(abs(p - q) for p, q in zip(a.rgb[row], b.rgb[row]))
    return total / ((right - left) * (bottom - top) * 3)


FILM_BOX = (101, 61, 421, 301)
SOFT = 16  # mean error of what a codec makes of the film, at most


class Viewer:
    """A client that has seen the background, and then sees the film as a stream."""

    def __init__(self, mode, codecs, bytes_per_second=None, options=()):
        self.mode, self.codecs, self.rate, self.options = mode, codecs, bytes_per_second, options

    def __enter__(self):
        self.log = Log().__enter__()
        self.film = Film(self.mode, self.codecs, *self.options)
        self.line = SlowLine(self.film.port, self.rate) if self.rate else None
        self.client = self.connect()
        return self

    def __exit__(self, *exception):
        for client in list(SpiceClient.connected):
            client.close()
        if self.line is not None:
            self.line.close()
        try:
            self.film.close()
        finally:
            self.log.__exit__()

    def connect(self):
        client = SpiceClient(self.film.port if self.line is None else self.line.port)
        client.wait_picture()
        return client

    def play(self):
        self.client.wait("the background", self.is_exact)
        self.film.do("play")
        self.client.wait("a stream", lambda: self.streams("create") == 1)

    def pictures_per_second(self, seconds):
        before, start = self.client.invalidations, time.monotonic()
        self.client.pump(seconds)
        return (self.client.invalidations - before) / (time.monotonic() - start)

    def streams(self, event):
        return self.log.text().count("display_handle_stream_" + event)

    def is_exact(self, client=None):
        return (client or self.client).screen() == self.film.screen()

    def is_alike(self):
        return mean_error(self.client.screen(), self.film.screen(), FILM_BOX) < SOFT


def shows(codec):
    """25 pictures a second in a codec, and the last one exactly."""
    def case():
        with Viewer("filter", CODECS[codec]) as viewer:
            viewer.play()
            rate = viewer.pictures_per_second(4)
            viewer.film.do("stop")
            viewer.client.wait("the last picture as the codec has it", viewer.is_alike)
            viewer.client.wait("the last picture exactly", viewer.is_exact)
            decoders = set(re.findall(r"\((vp[89]dec)", viewer.log.text()))
            ended = viewer.streams("destroy")
        check(rate > 15, f"{rate:.0f} pictures a second")
        check(decoders == ({codec + "dec"} if codec != "mjpeg" else set()), f"the client decodes with {decoders}")
        check(ended == 1, f"{ended} streams have ended")
    return case


def over_a_slow_line(codec, bits_per_second):
    """At least 10 pictures a second, and no backlog."""
    def case():
        with Viewer("filter", CODECS[codec], bits_per_second / 8) as viewer:
            viewer.play()
            viewer.client.pump(8)
            rate = viewer.pictures_per_second(5)
            viewer.film.do("stop")
            start = time.monotonic()
            viewer.client.wait("the last picture exactly", viewer.is_exact)
            late = time.monotonic() - start
        check(rate >= 10, f"{rate:.0f} pictures a second")
        check(late < 6, f"the last picture came after {late:.1f} s")
    return case


def painted_film_is_a_stream():
    """As a guest without a driver shows it: only changed pixels of a frame buffer are known."""
    with Viewer("filter", "spice:mjpeg", options=("painted",)) as viewer:
        viewer.play()
        rate = viewer.pictures_per_second(4)
        viewer.film.do("stop")
        viewer.client.wait("the last picture as the codec has it", viewer.is_alike)
        viewer.client.wait("the last picture exactly", viewer.is_exact)
        streams = viewer.streams("create")
    check(rate > 15 and streams == 1, f"{rate:.0f} pictures a second in {streams} streams")


def a_client_that_stood_still_goes_on():
    with Viewer("filter", "spice:mjpeg") as viewer:
        viewer.play()
        time.sleep(5)  # nobody reads
        rate = viewer.pictures_per_second(4)
        viewer.film.do("stop")
        viewer.client.wait("the last picture exactly", viewer.is_exact)
    check(rate >= 3, f"{rate:.0f} pictures a second")  # for now: pictures had to be left out


def nothing_is_streamed_when_it_is_off():
    with Viewer("off", "auto") as viewer:
        viewer.client.wait("the background", viewer.is_exact)
        viewer.film.do("play")
        viewer.client.pump(2)
        viewer.film.do("stop")
        viewer.client.wait("the last picture", viewer.is_exact)
        streams = viewer.streams("create")
    check(streams == 0, f"{streams} streams")


def a_running_film_becomes_a_stream_and_stops_being_one_when_told():
    with Viewer("off", "spice:mjpeg") as viewer:
        viewer.client.wait("the background", viewer.is_exact)
        viewer.film.do("play")
        viewer.client.pump(1)
        check(viewer.streams("create") == 0, "a stream that nobody wanted")
        viewer.film.do("video filter")
        viewer.client.wait("a stream", lambda: viewer.streams("create") == 1)
        viewer.film.do("video off")
        viewer.client.wait("its end", lambda: viewer.streams("destroy") == 1)
        viewer.client.pump(1)
        viewer.film.do("stop")
        viewer.client.wait("the last picture exactly", viewer.is_exact)
        check(viewer.streams("create") == 1, "another stream began")


def the_clients_preference_counts():
    with Viewer("all", "auto") as viewer:
        viewer.client.spice.DisplayChannel.display_channel_change_preferred_video_codec_types(
            viewer.client.channels[2, 0], [4, 1])
        viewer.client.pump(0.5)
        viewer.play()
        viewer.client.wait("VP9", lambda: "(vp9dec" in viewer.log.text())


def what_lies_on_a_film_stays_sharp():
    with Viewer("filter", "spice:mjpeg") as viewer:
        viewer.play()
        viewer.film.do("stop")
        viewer.film.do("box")
        viewer.client.wait("all of it exactly", viewer.is_exact)


def a_zoomed_film_goes_on_in_its_stream():
    with Viewer("filter", "spice:mjpeg") as viewer:
        viewer.play()
        viewer.film.do("zoom")
        rate = viewer.pictures_per_second(3)
        viewer.film.do("stop")
        viewer.client.wait("all of it exactly", viewer.is_exact)
        streams = viewer.streams("create")
    check(rate > 15 and streams == 1, f"{rate:.0f} pictures a second in {streams} streams")


def copies_of_a_film_are_exact():
    with Viewer("filter", "spice:mjpeg") as viewer:
        viewer.play()
        viewer.film.do("copy")
        viewer.client.pump(1)
        viewer.film.do("stop")
        viewer.client.wait("all of it exactly", viewer.is_exact)


def a_client_that_comes_later_gets_the_film_from_its_next_picture():
    with Viewer("filter", "gstreamer:vp8") as viewer:
        viewer.play()
        later = viewer.connect()
        later.wait("a second stream", lambda: viewer.streams("create") == 2)
        viewer.film.do("stop")
        later.wait("the last picture exactly", lambda: viewer.is_exact(later) and viewer.is_exact())


cases = {f"film_in_{codec}": shows(codec) for codec in CODECS}
cases |= {"mjpeg_at_3_mbit": over_a_slow_line("mjpeg", 3_000_000), "vp8_at_1_mbit": over_a_slow_line("vp8", 1_000_000)}
cases |= {case.__name__: case for case in (
    painted_film_is_a_stream, a_client_that_stood_still_goes_on,
    nothing_is_streamed_when_it_is_off, a_running_film_becomes_a_stream_and_stops_being_one_when_told, the_clients_preference_counts, what_lies_on_a_film_stays_sharp,
    a_zoomed_film_goes_on_in_its_stream, copies_of_a_film_are_exact, a_client_that_comes_later_gets_the_film_from_its_next_picture)}

if __name__ == "__main__":
    os.environ["G_MESSAGES_DEBUG"] = "all"
    os.environ["SPICE_DEBUG"] = "1"
    run_cases(cases)
