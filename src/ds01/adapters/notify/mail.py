"""Mail, handed to the lab's own mail server. Its acceptance counts as delivery; what it does with it is its affair."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable
from email.message import EmailMessage

from ds01.domain.errors import NOTICE_FAILED, Ds01Error
from ds01.domain.settings import MailSettings
from ds01.ports.channel import Letter

SECONDS = 15.0


class Mail:
    """``settings`` are asked for with every letter: the limits file may change."""

    name = "mail"
    proves = True

    def __init__(self, settings: Callable[[], MailSettings], server: str) -> None:
        self._settings = settings
        self._server = server

    async def deliver(self, letter: Letter) -> str:
        """To the address she gave, or to her login at the lab's domain."""
        settings = self._settings()
        to = letter.wishes.mail or settings.address_of(letter.user.login)
        if not settings.server or not to:
            return ""
        await asyncio.to_thread(self._send, settings, to, letter)
        return to

    def _send(self, settings: MailSettings, to: str, letter: Letter) -> None:
        host, _, port = settings.server.partition(":")
        message = EmailMessage()
        message["From"] = settings.sender or f"ds01@{self._server}"
        message["To"], message["Subject"] = to, f"[{self._server}] {letter.title}"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(f"{letter.title}.\n\n{letter.text}\n\nDS01 on {self._server}\n")
        kind = smtplib.SMTP_SSL if settings.security == "tls" else smtplib.SMTP
        try:
            with kind(host, int(port or 25), timeout=SECONDS) as connection:
                if settings.security == "starttls":
                    connection.starttls()
                connection.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Ds01Error(NOTICE_FAILED, f"No mail could be sent by {settings.server}.", reason=str(error)) from error
