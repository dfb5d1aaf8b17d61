"""Security settings are written once, as kafka-python names them."""

import ssl

import pytest

from kpi_stream.adapters.simulator.kafka_sink import _for_aiokafka


def test_plain_settings_pass_through():
    """What both libraries call the same is handed on."""
    settings = {"security_protocol": "SASL_PLAINTEXT", "sasl_plain_username": "u"}
    assert _for_aiokafka(settings) == settings


@pytest.mark.parametrize("checked", [True, False])
def test_files_of_tls_become_a_context(checked):
    """TLS needs a context in aiokafka; host names are checked unless that is switched off."""
    made = _for_aiokafka({"security_protocol": "SASL_SSL", "ssl_check_hostname": checked})
    assert set(made) == {"security_protocol", "ssl_context"}
    assert isinstance(made["ssl_context"], ssl.SSLContext)
    assert made["ssl_context"].check_hostname is checked
    assert made["ssl_context"].verify_mode is ssl.CERT_REQUIRED


def test_a_given_context_stays():
    """A context that the caller made is used as it is."""
    context = ssl.create_default_context()
    made = _for_aiokafka({"security_protocol": "SSL", "ssl_context": context})
    assert made["ssl_context"] is context


def test_a_missing_certificate_is_an_error():
    """A file that is not there is not passed over."""
    with pytest.raises(FileNotFoundError):
        _for_aiokafka({"security_protocol": "SSL", "ssl_cafile": "/nowhere/ca.pem"})
