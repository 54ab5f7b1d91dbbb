"""A headless Chromium in a test's hands, driven over its own protocol through two pipes."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from select import select

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--mute-audio"),
    *("--window-size=1500,1000", "--remote-debugging-pipe", "about:blank"),
)
# The browser reads commands from descriptor 3 and answers on 4.
LAUNCH = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(read, 3), os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
KEYS = {
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    " ": {"code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
    "Escape": {"code": "Escape", "windowsVirtualKeyCode": 27},
    "ArrowDown": {"code": "ArrowDown", "windowsVirtualKeyCode": 40},
}


def find():
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened(path, folder):
    """A page of a file, and what was said on its console: `page("expression")` is its value."""
    commands, answers = os.pipe(), os.pipe()
    command = [sys.executable, "-c", LAUNCH, str(commands[0]), str(answers[1]), find(), *FLAGS]
    command.insert(-1, f"--user-data-dir={folder}")
    process = subprocess.Popen(
        command, pass_fds=(commands[0], answers[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(commands[0])
    os.close(answers[1])
    try:
        page = Page(commands[1], answers[0])
        page.open(path)
        yield page
        page.send("Browser.close", session=False)
        process.wait(30)
    finally:
        process.kill()
        process.wait()
        os.close(commands[1])
        os.close(answers[0])


class Page:
    def __init__(self, write, read):
        self.write, self.read, self.rest, self.number, self.session = write, read, b"", 0, None
        self.said = []

    def open(self, path):
        (target,) = [one for one in self.send("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        attached = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send("Page.navigate", url=path.as_uri())
        while self("document.readyState + location.protocol") != "completefile:":
            pass

    def __call__(self, expression):
        """The value of an expression of JavaScript; the page's own faults are raised here."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key, times=1):
        for _ in range(times):
            what = KEYS.get(key) or {"text": key}
            self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **what)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=key, **{**what, "text": ""})

    def type(self, text):
        for letter in text:
            self.press(letter)

    def send(self, method, session=True, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session and self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            if answer.get("method") in {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}:
                self.said.append(answer["params"])

    def _receive(self):
        while b"\0" not in self.rest:
            assert select([self.read], [], [], 60)[0], "Chromium says nothing"
            part = os.read(self.read, 1 << 20)
            assert part, "Chromium has ended"
            self.rest += part
        line, _, self.rest = self.rest.partition(b"\0")
        return json.loads(line)
