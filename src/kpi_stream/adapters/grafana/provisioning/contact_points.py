"""Whom Grafana tells: e-mail and webhook, with addresses from its environment."""

from kpi_stream.adapters.grafana.provisioning.writing import (
    File,
    contact_point_name,
    template_name,
)
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.places import uid

EMAIL = "KPI_STREAM_ALERT_EMAIL"
WEBHOOK_URL = "KPI_STREAM_ALERT_WEBHOOK_URL"
WEBHOOK_TOKEN = "KPI_STREAM_ALERT_WEBHOOK_TOKEN"  # noqa: S105  (the name of a variable)


def contact_points(edition: Edition) -> File:
    """Return the contact point of the people on duty: both ways at once, failing apart."""
    subject = f'{{{{ template "{template_name(edition, "subject")}" . }}}}'
    message = f'{{{{ template "{template_name(edition, "message")}" . }}}}'
    receivers = [
        {
            "uid": uid(edition.strategy, "email"),
            "type": "email",
            "disableResolveMessage": False,
            "settings": {
                "addresses": f"${EMAIL}",
                "singleEmail": True,
                "subject": subject,
                "message": message,
            },
        },
        {
            "uid": uid(edition.strategy, "webhook"),
            "type": "webhook",
            "disableResolveMessage": False,
            "settings": {
                "url": f"${WEBHOOK_URL}",
                "httpMethod": "POST",
                "authorization_credentials": f"${WEBHOOK_TOKEN}",
                "title": subject,
                "message": message,
            },
        },
    ]
    remark = f"""
Grafana's environment must have, and does not start without the first two:
  {EMAIL}          addresses, separated by semicolons
  {WEBHOOK_URL}    address that takes Grafana's JSON by POST
  {WEBHOOK_TOKEN}  sent as `Authorization: Bearer ...`; empty or unset for none
E-mail also needs Grafana's own GF_SMTP_ENABLED, GF_SMTP_HOST and GF_SMTP_FROM_ADDRESS.
"""
    point = {"orgId": 1, "name": contact_point_name(edition), "receivers": receivers}
    return File({"apiVersion": 1, "contactPoints": [point]}, remark)
