"""Reads passwords, certificates and keys from the files that settings name.

What is wrong with a file is said with the variable that names it; the text of an error never holds
what is in the file.
"""

import ssl
from pathlib import Path

from kpi_stream.domain.errors import InputError
from kpi_stream.settings import PREFIX, Settings


def secret(settings: Settings, name: str) -> str:
    """Return the one line of a setting's file.

    Raises:
        InputError: The file cannot be read, or is not one line of text.
    """
    path: Path = getattr(settings, name)
    try:
        found = read(path, name).decode().strip("\r\n")
    except UnicodeDecodeError:
        # Not chained: it would carry the content.
        raise unusable(name, path, "is not text in UTF-8") from None
    if not found:
        raise unusable(name, path, "is empty")
    if "\n" in found:
        raise unusable(name, path, "has more than one line")
    return found


def read(path: Path, name: str) -> bytes:
    """Return what is in a setting's file.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as err:
        raise unusable(name, path, f"cannot be read: {err.strerror}") from err


def certificate_files(settings: Settings, stem: str) -> tuple[Path, ...]:
    """Return the files that `show_certificate` reads."""
    found = [getattr(settings, f"{stem}_{each}_file") for each in _CERTIFICATE]
    return tuple(path for path in found if path is not None)


def show_certificate(context: ssl.SSLContext, settings: Settings, stem: str) -> None:
    """Have a context show our certificate, if there is one.

    Args:
        context: Of the connections on which it is shown.
        settings: Name the files.
        stem: First part of the settings: `broker` or `http`.

    Raises:
        InputError: A file cannot be used, or is named without the certificate.
    """
    certificate_name, key_name, password_name = (f"{stem}_{each}_file" for each in _CERTIFICATE)
    certificate: Path | None = getattr(settings, certificate_name)
    if certificate is None:
        for name in (key_name, password_name):
            if getattr(settings, name) is not None:
                msg = f"{variable(name)} is set without {variable(certificate_name)}"
                raise InputError(msg)
        return
    read(certificate, certificate_name)
    name, key = certificate_name, certificate
    if getattr(settings, key_name) is not None:
        name, key = key_name, getattr(settings, key_name)
        read(key, name)
    encrypted = getattr(settings, password_name) is not None
    password = secret(settings, password_name) if encrypted else None

    def ask() -> str:
        # Without an answer of ours OpenSSL would ask the terminal.
        if password is None:
            lacks = f"is encrypted, and {variable(password_name)} is not set"
            raise unusable(name, key, lacks)
        return password

    try:
        context.load_cert_chain(certificate, key, ask)
    except ssl.SSLError as err:
        if err.reason == "KEY_VALUES_MISMATCH":
            what = f"is not the key of the certificate {certificate}"
        elif password is not None:
            path = getattr(settings, password_name)
            what = f"cannot be read with the password of {path} ({err.reason or 'bad PEM'})"
        else:
            what = f"with the certificate {certificate} is no usable PEM"
        raise unusable(name, key, what) from err


def unusable(setting: str, path: Path | None, what: str) -> InputError:
    """Return the error about a setting's file."""
    return InputError(f"{variable(setting)}: {path} {what}")


def variable(name: str) -> str:
    """Return the variable of a setting."""
    return PREFIX + name.upper()


_CERTIFICATE = ("certificate", "key", "key_password")
"""Of the settings that name a certificate's files."""
