"""An authority for tests and the certificates that it signs, made by openssl in a folder."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.required import missing

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
_OWN_NAMES = "DNS:localhost,IP:127.0.0.1"
_DAYS = 2


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key, as two PEM files and as one."""

    certificate: Path
    key: Path
    both: Path
    """The key before the certificate, as a broker's key store in PEM has it."""


class Authority:
    """Signs certificates; its own is in `file`.

    Args:
        folder: Where everything is put.
        name: Of the authority; another one is another authority, with a key of its own.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        if shutil.which("openssl") is None:
            missing("openssl", "it is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.file = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        _openssl("req", "-x509", *_CURVE, "-nodes", "-keyout", self._key, "-subj", f"/CN={name}",
                 "-days", _DAYS, "-out", self.file)  # fmt: skip

    def certificate(
        self,
        name: str,
        *,
        names: str = _OWN_NAMES,
        days: int = _DAYS,
        password: str | None = None,
        file: str | None = None,
    ) -> Certificate:
        """Return a signed certificate.

        Args:
            name: Its common name, which is who its owner is.
            names: Its alternative names, which are checked against a host's.
            days: How long it is valid from now on; a negative number is in the past.
            password: Encrypts the key; None leaves it open.
            file: First part of the files' names; the common name where it is None.
        """
        stem = file or name
        key, request = self._folder / f"{stem}.key", self._folder / f"{stem}.csr"
        signed, both = self._folder / f"{stem}.crt", self._folder / f"{stem}.pem"
        names_file = self._folder / f"{stem}.names"
        names_file.write_text(f"subjectAltName={names}\n")
        lock = ["-nodes"] if password is None else ["-passout", f"pass:{password}"]
        _openssl("req", "-new", *_CURVE, *lock, "-keyout", key, "-subj", f"/CN={name}",
                 "-out", request)  # fmt: skip
        _openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key,
                 "-CAcreateserial", "-days", days, "-extfile", names_file,
                 "-out", signed)  # fmt: skip
        both.write_text(key.read_text() + signed.read_text())
        return Certificate(signed, key, both)


def _openssl(*words: object) -> None:
    command = ["openssl", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        msg = f"{' '.join(command)}: {done.stderr}"
        raise RuntimeError(msg)
