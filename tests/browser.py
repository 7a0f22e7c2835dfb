"""A headless Chromium, driven by its DevTools protocol: pages as a reader sees them, and what they did meanwhile."""

import asyncio
import base64
import itertools
import json
from pathlib import Path
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

_PATIENCE_S = 60.0
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)


class Browser:
    """One browser with one page. `events` are those that the page has sent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            "chromium", *_FLAGS, f"--user-data-dir={self._folder}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port, path = await self._endpoint()
            self._socket: ClientConnection = await connect(
                f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None, ping_interval=None
            )
            target = await self.call("Target.createTarget", url="about:blank")
            attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Network", "Log"):
                await self.call(f"{domain}.enable")
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        await self._end()

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params, **session}))
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                message = json.loads(await self._socket.recv())
                if message.get("id") == number:
                    assert "error" not in message, message["error"]
                    result: dict[str, Any] = message["result"]
                    return result
                self.events.append(message)

    async def open(self, url: str) -> None:
        """Load a page and wait until it is complete."""
        await self.call("Page.navigate", url=url)
        await self.wait_for(f"document.readyState === 'complete' && location.href === {url!r}")

    async def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def wait_for(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        async with asyncio.timeout(_PATIENCE_S):
            while await self.evaluate(expression) is not True:
                await asyncio.sleep(0.05)

    async def press(self, key: str) -> None:
        """Press and let go of a key that writes a character."""
        for kind, text in (("keyDown", {"text": key}), ("keyUp", {})):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, **text)

    async def prefer(self, scheme: str) -> None:
        """Say that the reader prefers `light` or `dark`."""
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def screenshot(self, width: int, height: int) -> bytes:
        """Return what is seen, as PNG."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])

    def requested(self) -> list[str]:
        """List the URLs that the page asked for."""
        sent = (event for event in self.events if event["method"] == "Network.requestWillBeSent")
        return [event["params"]["request"]["url"] for event in sent]

    def complaints(self) -> list[Any]:
        """List what the browser had to say: errors, violations of the policy, dialogs."""
        told = {"Log.entryAdded", "Runtime.exceptionThrown", "Page.javascriptDialogOpening", "Runtime.consoleAPICalled"}
        return [event["params"] for event in self.events if event["method"] in told]

    async def _endpoint(self) -> tuple[str, str]:
        file = self._folder / "DevToolsActivePort"
        async with asyncio.timeout(_PATIENCE_S):
            while not (file.exists() and file.read_text().count("\n") >= 1):
                await asyncio.sleep(0.05)
        port, path = file.read_text().splitlines()[:2]
        return port, path

    async def _end(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 20)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
