"""The keys of a 105-key board and the multimedia keys beside it: their names in the monitor and in Linux."""

KEYS = {
    **{name: name.upper() for name in "a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9".split()},
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
    **{f"kp_{number}": f"KP{number}" for number in range(10)},
    "esc": "ESC", "minus": "MINUS", "equal": "EQUAL", "backspace": "BACKSPACE", "tab": "TAB", "ret": "ENTER", "spc": "SPACE",
    "bracket_left": "LEFTBRACE", "bracket_right": "RIGHTBRACE", "semicolon": "SEMICOLON", "apostrophe": "APOSTROPHE",
    "grave_accent": "GRAVE", "backslash": "BACKSLASH", "comma": "COMMA", "dot": "DOT", "slash": "SLASH", "less": "102ND",
    "shift": "LEFTSHIFT", "shift_r": "RIGHTSHIFT", "ctrl": "LEFTCTRL", "ctrl_r": "RIGHTCTRL", "alt": "LEFTALT", "alt_r": "RIGHTALT",
    "meta_l": "LEFTMETA", "meta_r": "RIGHTMETA", "menu": "COMPOSE",
    "caps_lock": "CAPSLOCK", "num_lock": "NUMLOCK", "scroll_lock": "SCROLLLOCK", "print": "SYSRQ", "pause": "PAUSE",
    "insert": "INSERT", "delete": "DELETE", "home": "HOME", "end": "END", "pgup": "PAGEUP", "pgdn": "PAGEDOWN",
    "left": "LEFT", "right": "RIGHT", "up": "UP", "down": "DOWN",
    "kp_divide": "KPSLASH", "kp_multiply": "KPASTERISK", "kp_subtract": "KPMINUS", "kp_add": "KPPLUS", "kp_enter": "KPENTER",
    "kp_decimal": "KPDOT",
    # multimedia
    "audiomute": "MUTE", "volumeup": "VOLUMEUP", "volumedown": "VOLUMEDOWN", "audionext": "NEXTSONG", "audioprev": "PREVIOUSSONG",
    "audiostop": "STOPCD", "audioplay": "PLAYPAUSE", "calculator": "CALC", "mail": "MAIL", "ac_home": "HOMEPAGE", "ac_back": "BACK",
    "ac_forward": "FORWARD", "ac_refresh": "REFRESH", "ac_bookmarks": "BOOKMARKS",
}
assert len(KEYS) == 105 + 14
