"""A headless Chromium for tests, spoken to through its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

#: names under which distributions install it
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
#: keep the browser itself from talking to anybody: whatever is asked for then, the page asked for it
_FLAGS = ("--headless=new", "--no-first-run", "--no-default-browser-check", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
          "--metrics-recording-only", "--mute-audio", "--hide-scrollbars", "--disable-dev-shm-usage",
          "--remote-debugging-port=0", "--window-size=1200,800")


def chromium() -> str | None:
    """Return the browser's program, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One browser with one page.

    Args:
        profile: empty folder for its profile.
    """

    def __init__(self, profile: Path) -> None:
        self._profile = profile
        self.requests: list[str] = []
        self.console: list[str] = []
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._sent = 0

    async def __aenter__(self) -> Browser:
        program = chromium()
        assert program is not None
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
        self._process = await asyncio.create_subprocess_exec(
            program, *_FLAGS, *sandbox, f"--user-data-dir={self._profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True)
        async with asyncio.timeout(60):
            while not (self._profile / "DevToolsActivePort").exists():
                await asyncio.sleep(0.05)
        port = (self._profile / "DevToolsActivePort").read_text().split()[0]
        self._http = aiohttp.ClientSession()
        async with self._http.get(f"http://127.0.0.1:{port}/json/list") as answer:
            target = next(t for t in await answer.json() if t["type"] == "page")
        self._socket = await self._http.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        for domain in ("Network", "Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        await self._socket.close()
        await self._http.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _read(self) -> None:
        async for message in self._socket:
            data = json.loads(message.data)
            if "id" in data:
                self._answers.pop(data["id"]).set_result(data)
                continue
            what, args = data["method"], data["params"]
            if what == "Network.requestWillBeSent":
                self.requests.append(args["request"]["url"])
            elif what == "Network.webSocketCreated":
                self.requests.append(args["url"])
            elif what == "Log.entryAdded":
                self.console.append(args["entry"]["text"])
            elif what == "Runtime.exceptionThrown":
                self.console.append(json.dumps(args["exceptionDetails"]))

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol."""
        self._sent += 1
        answer = self._answers[self._sent] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._sent, "method": method, "params": params})
        data = await asyncio.wait_for(answer, 30)
        assert "error" not in data, data
        return data["result"]

    async def evaluate(self, script: str) -> Any:
        """Return the value of a script."""
        result = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, script: str, timeout_s: float = 40.0) -> None:
        """Wait until a script is true."""
        async with asyncio.timeout(timeout_s):
            while not await self.evaluate(f"document.body !== null && ({script})"):
                await asyncio.sleep(0.1)

    async def type(self, text: str) -> None:
        """Press keys that give text."""
        for char in text:
            await self.call("Input.dispatchKeyEvent", type="keyDown", text=char, key=char, unmodifiedText=char)
            await self.call("Input.dispatchKeyEvent", type="keyUp", key=char)

    async def picture(self) -> bytes:
        """Return a PNG of the page."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])
