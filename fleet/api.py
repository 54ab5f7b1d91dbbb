"""GitHub's REST API as this program needs it: pages, limits, failures; the token goes nowhere else."""

import ipaddress
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from fleet.errors import FleetError, UsageError, one_line

DEFAULT = "https://api.github.com"
_LIMITS = 10


class RefusedError(FleetError):
    """An answer that is not the one asked for."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class LimitError(FleetError):
    """GitHub wants to be left alone for longer than anybody waits."""


@dataclass
class Api:
    """A client that many threads share; what one learns about limits, all keep."""

    base: str
    token: str = field(repr=False)
    say: Callable[[str], None] = lambda _: None
    attempts: int = 5
    backoff: float = 1.0
    """Seconds before the second attempt; doubled before each further one."""
    patience: float = 900.0
    """Seconds to wait for a limit to be lifted, at most."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._client = httpx.Client(
            base_url=self.base.rstrip("/") + "/",
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "copier-mlops-fleet",
            },
            follow_redirects=True,  # of renamed repositories; httpx keeps the token from other hosts
            timeout=30,
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, /, **params: Any) -> Any:
        """The content of an answer.

        Raises:
            RefusedError: there is no such thing, or it is not for this token.
            FleetError: GitHub does not answer, or not in time.
        """
        return self._content(self._ask("GET", path, params=params))

    def pages(self, path: str, /, **params: Any) -> Iterator[Any]:
        """All items of a list, over all its pages."""
        response = self._ask("GET", path, params={"per_page": 100, **params})
        while True:
            yield from self._content(response)
            following = response.links.get("next", {}).get("url")
            if not following:
                return
            if _origin(following) != _origin(self.base):
                raise FleetError(f"GitHub's next page is on another host: {one_line(_origin(following), 80)}")
            response = self._ask("GET", following)

    def post(self, path: str, content: Any) -> Any:
        """Have something done. Not asked again where it may have been done already."""
        return self._content(self._ask("POST", path, json=content))

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        failures, limits, pause, waited = 0, 0, self.backoff, 0.0
        while True:
            waited += self._keep_off(waited)
            try:
                response = self._client.request(method, path.lstrip("/") if "://" not in path else path, **how)
            except httpx.HTTPError as error:
                # A request that was never sent may be sent again; of any other nobody knows what it did.
                again, problem = method == "GET" or isinstance(error, httpx.ConnectError), _named(error)
            else:
                if response.is_success:
                    return response
                delay = _limit(response, pause)
                if delay is not None:
                    limits += 1
                    if limits > _LIMITS:
                        raise LimitError(f"GitHub's rate limit was met {limits} times in a row; try again later")
                    self._wait_until(time.time() + delay)
                    pause *= 2
                    continue
                if response.status_code < 500:
                    raise RefusedError(_refusal(response), response.status_code)
                again, problem = method == "GET", f"answered {response.status_code}"
            failures += 1
            if not again or failures >= self.attempts:
                times = f" {failures} times" if failures > 1 else ""
                raise FleetError(f"GitHub ({_origin(self.base)}) {problem}{times}; try again later")
            time.sleep(pause)
            pause *= 2

    def _wait_until(self, moment: float) -> None:
        with self._lock:
            self._not_before = max(self._not_before, moment)

    def _keep_off(self, waited: float) -> float:
        """Wait while a limit holds; returns for how many seconds."""
        with self._lock:
            delay = self._not_before - time.time()
        if delay <= 0:
            return 0.0
        until = time.strftime("%H:%M:%S", time.localtime(time.time() + delay))
        if waited + delay > self.patience:
            raise LimitError(f"GitHub's rate limit holds until {until}; run the same command again then")
        self.say(f"GitHub's rate limit holds until {until}; waiting")
        time.sleep(delay)
        return delay

    @staticmethod
    def _content(response: httpx.Response) -> Any:
        if response.status_code in {202, 204} or not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise FleetError("GitHub's answer is no JSON; does GITHUB_API_URL name an API?") from None


def connect(say: Callable[[str], None]) -> Api:
    """A client as GITHUB_API_URL and GITHUB_TOKEN say.

    Raises:
        UsageError: there is no token, or it would go over a network in the open.
    """
    base = os.environ.get("GITHUB_API_URL", "").strip() or DEFAULT
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError("GITHUB_API_URL is no URL; it is to look like https://github.example.com/api/v3")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise UsageError("GITHUB_API_URL begins with http://, which would show the token to the network; use https://")
    token = os.environ.get("GITHUB_TOKEN", "").strip()
    if not token:
        raise UsageError("GITHUB_TOKEN is not set; it needs a token that can read the organisation's repositories")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("GITHUB_TOKEN holds characters that no token has")
    return Api(base, token, say)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _named(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time"
    return f"cannot be reached ({one_line(error, 120) or type(error).__name__})"


def _limit(response: httpx.Response, pause: float) -> float | None:
    """Seconds to keep off where the answer is that of a rate limit, else None.

    See "Rate limits for the REST API" of GitHub's documentation: `retry-after` first, then the reset of
    the primary limit, else longer each time.
    """
    if response.status_code not in {403, 429}:
        return None
    headers = response.headers
    after = headers.get("retry-after", "")
    if after.isdigit():
        return max(float(after), 0.0)
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        return max(float(headers["x-ratelimit-reset"]) - time.time(), 0.0) + 1
    if response.status_code == 429 or "rate limit" in response.text[:2000].lower():
        return 60 * pause
    return None


def _refusal(response: httpx.Response) -> str:
    if response.status_code == 401:
        return "GitHub does not take the token in GITHUB_TOKEN"
    try:
        told = response.json().get("message", "")
    except (ValueError, AttributeError):
        told = ""
    path = one_line(response.request.url.path, 120)
    return f"GitHub answered {response.status_code} to {path}" + (f": {one_line(told, 120)}" if told else "")
