"""Mail by a server that wants TLS and a login. The server is aiosmtpd, which is a real one."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from ds01.adapters.notify.mail import Mail
from ds01.domain.errors import NOTICE_FAILED, Ds01Error
from ds01.domain.settings import MailSettings
from tests.contract.test_channels import letter

PASSWORD = "zebra-57-crossing"
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
"""With TLS from the first byte aiosmtpd does not see that there is TLS."""


@dataclass
class Post:
    """A mail server on loopback: what it was given, and by whom."""

    folder: Path
    letters: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        login = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else ""
        assert isinstance(envelope.content, bytes)
        self.letters.append((login, envelope.content))
        return "250 taken"

    def knows(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
        assert isinstance(given, LoginPassword)
        right = (given.login, given.password) == (b"ds01", PASSWORD.encode())
        return AuthResult(success=right, handled=False, auth_data=given)

    @property
    def certificate(self) -> Path:
        return self.folder / "cert.pem"

    @property
    def password_file(self) -> Path:
        return self.folder / "password"


def certified(folder: Path) -> ssl.SSLContext:
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


@dataclass
class Office:
    """The server, and the settings that reach it."""

    post: Post
    settings: MailSettings

    def mail(self, **changes: str) -> Mail:
        return Mail(lambda: replace(self.settings, **changes), "lab")


@pytest.fixture(params=["starttls", "tls"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    post, context = Post(tmp_path), certified(tmp_path)
    post.password_file.write_text(f"{PASSWORD}\nwhat else\n")
    post.password_file.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    starttls = request.param == "starttls"
    protected = {"tls_context": context, "require_starttls": True} if starttls else {"ssl_context": context}
    controller = Controller(
        post, hostname="127.0.0.1", port=port, authenticator=post.knows, auth_required=True,
        auth_require_tls=starttls, **protected,
    )  # fmt: skip
    controller.start()
    settings = MailSettings(
        server=f"127.0.0.1:{port}", security=request.param, user="ds01", password_file=str(post.password_file),
        ca=str(post.certificate),
    )  # fmt: skip
    yield Office(post, settings)
    controller.stop()


async def test_a_letter_goes_by_a_server_that_wants_a_login(office: Office) -> None:
    assert await office.mail().deliver(letter()) == "alice@lab.lan"
    ((login, content),) = office.post.letters
    assert login == "ds01"
    assert b"thesis stops on Mon 02 Mar at 15:30 CET" in content
    assert PASSWORD.encode() not in content


async def refused(office: Office, **changes: str) -> str:
    with pytest.raises(Ds01Error) as caught:
        await office.mail(**changes).deliver(letter())
    assert caught.value.kind == NOTICE_FAILED
    assert office.post.letters == []
    problem = caught.value.problem
    told = " ".join([problem.message, problem.reason, problem.hint])
    assert PASSWORD not in told
    return told


async def test_a_wrong_password_is_a_sentence_without_it(office: Office) -> None:
    office.post.password_file.write_text("wrong-one\n")
    told = await refused(office)
    assert "does not take the login 'ds01'" in told
    assert "wrong-one" not in told


async def test_nobody_who_shows_another_certificate_gets_the_password(office: Office) -> None:
    assert "certificate verify failed" in await refused(office, ca="")


async def test_the_password_is_not_sent_in_the_clear(office: Office) -> None:
    assert "starttls or tls" in await refused(office, security="none")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
async def test_a_password_file_that_others_read_is_not_used(office: Office, mode: int) -> None:
    office.post.password_file.chmod(mode)
    assert f"chmod 0600 {office.post.password_file}" in await refused(office)


async def test_a_password_file_that_is_a_link_or_missing_or_empty_is_told(office: Office, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(office.post.password_file)
    (tmp_path / "empty").touch(mode=0o600)
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "notices.mail.password_file names it" in await refused(office, password_file=str(tmp_path / "link"))
    assert "No such file" in await refused(office, password_file=str(tmp_path / "none"))
    assert "is empty" in await refused(office, password_file=str(tmp_path / "empty"))
    assert "no plain file" in await refused(office, password_file=str(tmp_path / "pipe"))
