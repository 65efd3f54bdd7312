#!/usr/bin/python3
"""What drivers drew, recorded, in real clients: the same picture whatever the images on the way are compressed by."""
import gzip
import os
import subprocess
import tempfile

from harness import SpiceClient, check, read_picture, read_ppm, run_cases
from shown import RECORDINGS, Player

# Recordings, up to which call, as their pictures are of.
SCENES = {"qxl-rig": None, "xspice": 684}
# What a compression has to send beside what is smaller without it.
METHODS = {"off": {"raw"}, "auto_glz": {"glz", "lz", "quic"}, "auto_lz": {"lz", "quic"}, "quic": {"quic"}, "glz": {"glz"}, "lz": {"lz"},
           "lz4": {"lz4"}}


def picture_of(scene):
    with tempfile.NamedTemporaryFile(suffix=".ppm") as file:
        with gzip.open(f"{RECORDINGS}/{scene}.ppm.gz") as packed:
            file.write(packed.read())
        file.flush()
        return read_ppm(file.name)


def spicy_screenshot(port):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "shot.ppm")
        subprocess.run(["spicy-screenshot", "-h", "127.0.0.1", "-p", str(port), "-o", path], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        return read_ppm(path)


def shows(wanted, *settings):
    """A client that is there while all is drawn, and one that comes when it is done."""
    used = set()
    for scene, calls in SCENES.items():
        player = Player(*settings)
        picture = picture_of(scene)
        client = SpiceClient(player.port)
        client.wait_picture()
        player.play(scene, calls)
        check(player.screen() == picture, f"{scene}: the server shows another picture")
        client.wait(f"{scene}: the picture", lambda c=client, p=picture: c.screen() == p)
        check(spicy_screenshot(player.port) == picture, f"{scene}: spicy-screenshot shows another picture")
        used |= player.methods()
        client.close()
        player.close()
    used |= shows_a_photo(wanted - used, *settings)
    check(wanted <= used, f"images were sent as {used}")


def shows_a_photo(wanted, *settings):
    """A large one, which goes in strips where that is possible. A client that is given its new screen may get it with that; the second
    time it is a drawing."""
    player = Player(*settings)
    client = SpiceClient(player.port)
    client.wait_picture()
    player.do("photo")
    client.wait("the photo", lambda: client.screen() == player.screen())
    check(spicy_screenshot(player.port) == player.screen(), "spicy-screenshot shows another photo")
    player.do("photo")
    client.wait(f"images as {wanted}", lambda: wanted <= player.methods())
    used = player.methods()
    client.close()
    player.close()
    return used


def with_hardly_any_room():
    """The client keeps next to no images, and the dictionary reaches back a screen and a half."""
    for scene, calls in SCENES.items():
        player = Player("glz")
        client = SpiceClient(player.port, cache_size=200_000, glz_window_size=3_000_000)
        client.wait_picture()
        for _ in range(3):
            player.play(scene, calls)
            client.wait(f"{scene}: the picture", lambda c=client, p=player: c.screen() == p.screen())
        check("glz" in player.methods(), f"images were sent as {player.methods()}")
        client.close()
        player.close()


def remote_viewer_shows_the_picture():
    player = Player()
    scene = picture_of("xspice")
    player.play("xspice", SCENES["xspice"])
    check(player.screen() == scene, "the server shows another picture")
    with tempfile.TemporaryDirectory() as directory:
        shot = os.path.join(directory, "window.png")
        script = (f"remote-viewer --hotkeys=none spice://127.0.0.1:{player.port} & viewer=$!; "
                  f"for i in $(seq 60); do sleep 1; import -window root {shot}; "
                  f"[ $(convert {shot} -format %k info:) -gt 20 ] && {{ sleep 2; import -window root {shot}; break; }}; done; "
                  "kill $viewer; wait $viewer 2>/dev/null; true")
        subprocess.run(["xvfb-run", "-a", "-s", "-screen 0 1600x1200x24", "sh", "-c", script], check=True, timeout=180,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        window = read_picture(shot)
    player.close()
    # Pieces of its rows stand somewhere in the window, pixel by pixel: all that have something in them.
    stride, piece = scene.width * 3, 64 * 3
    pieces = [row[x:x + piece] for y in range(0, scene.height, 16)
              for row in [scene.rgb[y * stride:(y + 1) * stride]] for x in range(0, stride - piece, piece)]
    busy = [each for each in pieces if len({each[x:x + 3] for x in range(0, piece, 3)}) > 3]
    check(len(busy) > 10, "the picture is nearly empty")
    missing = sum(each not in window.rgb for each in busy)
    check(missing <= len(busy) // 20, f"{missing} of {len(busy)} pieces of the picture are not in remote-viewer's window")


cases = {f"compression_{name}": lambda name=name, methods=methods: shows(methods, name) for name, methods in METHODS.items()}
cases |= {
    "jpeg_is_healed": lambda: shows({"jpeg"}, "auto_glz", "always"),
    "zlib_over_glz": lambda: shows({"zlib-glz"}, "glz", "never", "always"),
    "jpeg_and_zlib_are_healed": lambda: shows({"jpeg", "zlib-glz"}, "auto_glz", "always", "always"),
    "with_hardly_any_room": with_hardly_any_room,
    "remote_viewer_shows_the_picture": remote_viewer_shows_the_picture,
}

if __name__ == "__main__":
    run_cases(cases)
