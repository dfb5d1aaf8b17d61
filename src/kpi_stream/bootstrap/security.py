"""How this process proves to Kafka who it is, and checks who answers: from files, once, at start.

Everything that is wrong with a file is said here, with the variable that names it, before anything
is connected. The text of an error never holds what is in a file.
"""

import ssl
from dataclasses import replace

from kpi_stream.adapters.kafka.tls import tls_context
from kpi_stream.application.ports import BrokerOptions
from kpi_stream.bootstrap.secret_files import read, secret, show_certificate, unusable, variable
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import Settings

_TLS = ("broker_ca_file", "broker_certificate_file", "broker_key_file", "broker_key_password_file")
_SASL = ("sasl_username", "sasl_password_file")


def secured(broker: BrokerOptions, settings: Settings) -> BrokerOptions:
    """Return the options with what the security protocol needs.

    Raises:
        InputError: Settings contradict each other, or a file cannot be used.
    """
    protocol = settings.security_protocol
    _refuse_unused(settings, () if protocol == "SASL_SSL" else _SASL)
    _refuse_unused(settings, _TLS if protocol == "PLAINTEXT" else ())
    if protocol == "PLAINTEXT":
        return broker
    broker = replace(broker, security_protocol=protocol, ssl_context=_context(settings))
    if protocol == "SSL":
        return broker
    for name in _SASL:
        if not getattr(settings, name):
            msg = f"{variable(name)} is not set, and {protocol} needs it"
            raise InputError(msg)
    return replace(
        broker,
        sasl_mechanism=settings.sasl_mechanism,
        sasl_username=settings.sasl_username,
        sasl_password=secret(settings, "sasl_password_file"),
    )


def _refuse_unused(settings: Settings, names: tuple[str, ...]) -> None:
    """A certificate or password that nothing is done with means that its protocol was forgotten."""
    for name in names:
        if getattr(settings, name):
            msg = (
                f"{variable(name)} is set, but {variable('security_protocol')} is "
                f"{settings.security_protocol}, which does not use it; "
                f"{'SASL_SSL' if name in _SASL else 'SSL and SASL_SSL'} would"
            )
            raise InputError(msg)


def _context(settings: Settings) -> ssl.SSLContext:
    authorities = settings.broker_ca_file
    if authorities is not None:
        read(authorities, "broker_ca_file")
    try:
        context = tls_context(authorities)
    except ssl.SSLError as err:
        name, what = "broker_ca_file", "holds no PEM certificate"
        raise unusable(name, authorities, what) from err
    show_certificate(context, settings, "broker")
    return context
