"""Mail, handed to the lab's own mail server. Its acceptance counts as delivery; what it does with it is its affair.

A server that wants to know who sends is told a login and a password, over TLS alone and only after its certificate was
found good: anybody else on the way would have the password.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage

from ds01.adapters.notify.secret import secret
from ds01.domain.errors import NOTICE_FAILED, Ds01Error
from ds01.domain.settings import MailSettings
from ds01.ports.channel import Letter

SECONDS = 15.0
_USUAL_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class Mail:
    """``settings`` are asked for with every letter: the limits file may change."""

    name = "mail"
    proves = True
    inside = False
    nowhere = "no mail server or no address"

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
        message = self._written(settings, to, letter)
        try:
            with _connected(settings) as connection:
                connection.send_message(message)
        except smtplib.SMTPAuthenticationError as error:
            raise _failed(settings, f"It does not take the login {settings.user!r} ({error.smtp_code}).") from error
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise _failed(settings, str(error)) from error

    def _written(self, settings: MailSettings, to: str, letter: Letter) -> EmailMessage:
        """The library reads addresses as they are put in, and stumbles over some that are none."""
        message, sender = EmailMessage(), settings.sender or f"ds01@{self._server}"
        try:
            message["From"], message["To"] = sender, to
            message["Subject"] = f"[{self._server}] {letter.subject}"
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(f"{letter.subject}.\n\n{letter.text}\n\nDS01 on {self._server}\n")
        except (ValueError, IndexError, AttributeError) as error:
            raise _failed(settings, f"It cannot be written from {sender} to {to}.") from error
        return message


def _connected(settings: MailSettings) -> smtplib.SMTP:
    """A connection ready for a letter: protected, and logged in where the server wants that."""
    password = _password(settings)
    host, _, port = settings.server.partition(":")
    number = int(port or _USUAL_PORTS[settings.security])
    if settings.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, number, timeout=SECONDS, context=_trust(settings))
    else:
        connection = smtplib.SMTP(host, number, timeout=SECONDS)
    try:
        if settings.security == "starttls":
            connection.starttls(context=_trust(settings))
        if settings.user:
            connection.login(settings.user, password)
    except BaseException:
        connection.close()
        raise
    return connection


def _trust(settings: MailSettings) -> ssl.SSLContext:
    """Whose certificates are believed: the system's, and the lab's own where it has one."""
    context = ssl.create_default_context()
    if settings.ca:
        context.load_verify_locations(settings.ca)
    return context


def _password(settings: MailSettings) -> str:
    if not settings.user:
        return ""
    if settings.security == "none":
        raise _failed(settings, "notices.mail.user needs notices.mail.security starttls or tls: a password is not sent"
                                " where others can read it.")  # fmt: skip
    return secret(settings.password_file, "notices.mail.password_file")


def _failed(settings: MailSettings, reason: str) -> Ds01Error:
    return Ds01Error(NOTICE_FAILED, f"No mail could be sent by {settings.server}.", reason=reason)
