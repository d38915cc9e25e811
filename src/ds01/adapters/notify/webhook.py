"""A webhook of the user's own choice, at the services an admin allows.

ds01d would otherwise fetch any address a user names, with the server's place in the network. Only HTTPS, only the hosts
of the limits file, no redirects, and the answer's content is not read.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from ds01.domain.errors import NOTICE_FAILED, Ds01Error
from ds01.domain.lifecycle.case import Level
from ds01.ports.channel import Letter

SECONDS = 10.0
_URGENCY = {Level.NOTICE: "3", Level.WARNING: "4", Level.LAST: "5"}


class Webhook:
    """``allowed`` are the hosts of the limits file; ``context`` is how servers prove who they are."""

    name = "webhook"
    proves = True
    inside = False
    nowhere = "none is set"

    def __init__(self, allowed: Callable[[], tuple[str, ...]], context: ssl.SSLContext | None = None) -> None:
        self._allowed = allowed
        self._context = context

    async def deliver(self, letter: Letter) -> str:
        """To the address she gave."""
        if not letter.wishes.webhook:
            return ""
        url = urlsplit(letter.wishes.webhook)
        host = url.hostname or ""
        if url.scheme != "https" or url.netloc not in self._allowed():
            raise Ds01Error(NOTICE_FAILED, f"Webhooks to {host} are not allowed.", reason="notices.webhooks")
        await asyncio.to_thread(self._post, url.netloc, url.path + (f"?{url.query}" if url.query else ""), letter)
        return host

    def _post(self, place: str, path: str, letter: Letter) -> None:
        headers, body = shaped(letter)
        connection = http.client.HTTPSConnection(place, timeout=SECONDS, context=self._context)
        try:
            connection.request("POST", path or "/", body=body, headers=dict(headers))
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Ds01Error(NOTICE_FAILED, f"{place} does not answer.", reason=str(error)) from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise Ds01Error(NOTICE_FAILED, f"{place} did not take the message.", reason=f"It answered {status}.")


def shaped(letter: Letter) -> tuple[Mapping[str, str], bytes]:
    """Headers and body in the shape the service wants."""
    as_json = {"Content-Type": "application/json"}
    match letter.wishes.shape:
        case "slack":
            return as_json, _json({"text": f"*{letter.subject}*\n```{letter.text}```"})
        case "teams":
            body = [
                {"type": "TextBlock", "text": letter.subject, "weight": "bolder", "wrap": True},
                {"type": "TextBlock", "text": letter.text.replace("\n", "\n\n"), "wrap": True},
            ]
            card = {"type": "AdaptiveCard", "version": "1.4", "body": body}
            attached = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
            return as_json, _json({"type": "message", "attachments": [attached]})
        case "ntfy":
            title = letter.subject.encode("ascii", errors="replace").decode()
            return {"Title": title, "Priority": _URGENCY[letter.level]}, letter.text.encode()
        case _:
            told = {"title": letter.subject, "text": letter.text, "level": letter.level.value}
            return as_json, _json({**told, "container": letter.name})


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
