"""The keys of Grafana's provisioning files, one model for each thing; all others are refused."""

import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

EXPRESSION = "__expr__"

_UNDERSCORES = frozenset(
    """
    group_by group_wait group_interval repeat_interval object_matchers mute_time_intervals
    active_time_intervals authorization_scheme authorization_credentials notification_settings
    missing_series_evals_to_resolve start_time end_time days_of_month time_intervals
    """.split()
)
"""Keys with underscores; every other one is camelCase."""

Uid = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,40}$")]
Words = Annotated[str, Field(pattern=r"\S")]
Title = Annotated[str, Field(pattern=r"^[^/]*[^/\s][^/]*$", max_length=190)]
"""Of a folder: a slash would mean one within another."""
Duration = Annotated[
    str, Field(pattern=r"^(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?(?<=[a-z])$")
]
Clock = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Version = Literal[1]
Number = Annotated[int, Field(strict=True, ge=0)]
RuleText = Annotated[str, Field(min_length=1)]
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except ZoneInfoNotFoundError as error:
        msg = f"no time zone {name!r}"
        raise ValueError(msg) from error
    return name


def _ranged(low: int, high: int) -> AfterValidator:
    def check(text: str) -> str:
        first, _, last = text.partition(":")
        for each in (first, last or first):
            if not each.lstrip("-").isdigit() or not low <= abs(int(each)) <= high:
                msg = f"{text!r} is not within {low}..{high}"
                raise ValueError(msg)
        return text

    return AfterValidator(check)


def _key(field: str) -> str:
    """Return how Grafana spells a field."""
    return field if field in _UNDERSCORES else to_camel(field.rstrip("_"))


class Strict(BaseModel):
    """Refuses every key that it does not know."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        alias_generator=_key,
        protected_namespaces=(),
        regex_engine="python-re",
    )


class Datasource(Strict):
    """A data source."""

    name: Words
    uid: Uid
    type: Literal["prometheus"]
    access: Literal["proxy"]
    org_id: Number = 1
    url: Annotated[str, Field(pattern=r"^(https?://\S+|\$[A-Z_]+)$")]
    is_default: bool = False
    editable: bool = False
    version: Number = 1
    json_data: "PrometheusOptions"
    secure_json_data: dict[str, str] = Field(default_factory=dict)


class PrometheusOptions(Strict):
    """What the Prometheus data source knows."""

    http_method: Literal["GET", "POST"]
    time_interval: Duration
    manage_alerts: bool
    prometheus_type: Literal["Prometheus", "Mimir", "Cortex", "Thanos"]
    prometheus_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] | None = None
    cache_level: Literal["Low", "Medium", "High", "None"] = "Low"
    allow_as_recording_rules_target: bool = False
    incremental_querying: bool = False
    incremental_query_overlap_window: Duration | None = None
    disable_recording_rules: bool = False
    disable_metrics_lookup: bool = False
    series_endpoint: bool = False
    custom_query_parameters: str = ""
    exemplar_trace_id_destinations: list[dict[str, str]] = Field(default_factory=list)


class DatasourceName(Strict):
    """A data source to remove."""

    name: Words
    org_id: Number = 1


class DatasourcesFile(Strict):
    """A file of datasources/."""

    api_version: Version
    prune: bool = False
    delete_datasources: list[DatasourceName] = Field(default_factory=list)
    datasources: list[Datasource]


class ProviderOptions(Strict):
    """Where a provider reads."""

    path: Annotated[str, Field(pattern=r"^/\S+$")]
    folders_from_files_structure: bool = False


class Provider(Strict):
    """A provider of dashboards."""

    name: Words
    org_id: Number = 1
    folder: Title
    folder_uid: Uid
    type: Literal["file"]
    disable_deletion: bool = False
    update_interval_seconds: Annotated[int, Field(gt=0)] = 10
    allow_ui_updates: bool = False
    options: ProviderOptions


class DashboardsFile(Strict):
    """A file of dashboards/."""

    api_version: Version
    providers: list[Provider]


class TimeRange(Strict):
    """Seconds before the evaluation."""

    from_: Number
    to: Number

    @model_validator(mode="after")
    def _from_before_to(self) -> "TimeRange":
        if self.from_ <= self.to:
            msg = "`from` must be longer ago than `to`"
            raise ValueError(msg)
        return self


class Query(Strict):
    """A query or an expression of a rule."""

    ref_id: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    query_type: str = ""
    relative_time_range: TimeRange | None = None
    datasource_uid: str
    model: dict[str, Any]


class NotificationSettings(Strict):
    """Routing without the tree of policies."""

    receiver: Words
    group_by: list[str] = Field(default_factory=list)
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat_interval: Duration | None = None
    mute_time_intervals: list[str] = Field(default_factory=list)
    active_time_intervals: list[str] = Field(default_factory=list)


class Rule(Strict):
    """A rule."""

    uid: Uid
    title: Annotated[str, Field(pattern=r"\S", max_length=190)]
    condition: Words
    data: Annotated[list[Query], Field(min_length=1)]
    dashboard_uid: Uid | None = None
    panel_id: Annotated[int, Field(gt=0)] | None = None
    no_data_state: Literal["NoData", "Alerting", "OK", "KeepLast"]
    exec_err_state: Literal["Alerting", "Error", "OK", "KeepLast"]
    for_: Duration
    keep_firing_for: Duration = "0s"
    missing_series_evals_to_resolve: Annotated[int, Field(gt=0)] = 2
    labels: dict[LabelName, RuleText]
    annotations: dict[str, RuleText]
    is_paused: bool
    notification_settings: NotificationSettings | None = None

    @model_validator(mode="after")
    def _texts(self) -> "Rule":
        missing = {"summary", "description", "runbook_url", "dashboard_url"} - set(self.annotations)
        if missing:
            msg = f"annotations are missing: {', '.join(sorted(missing))}"
            raise ValueError(msg)
        return self


class Group(Strict):
    """Rules that are evaluated together."""

    org_id: Number = 1
    name: Words
    folder: Title
    interval: Duration
    rules: Annotated[list[Rule], Field(min_length=1)]


class EmailSettings(Strict):
    """Settings of an e-mail."""

    addresses: Words
    single_email: bool = False
    subject: str = ""
    message: str = ""


class WebhookSettings(Strict):
    """Settings of a webhook."""

    url: Words
    http_method: Literal["POST", "PUT"] = "POST"
    username: str = ""
    password: str = ""
    authorization_scheme: str = ""
    authorization_credentials: str = ""
    max_alerts: Number = 0
    title: str = ""
    message: str = ""


class Email(Strict):
    """Somebody to write to."""

    uid: Uid
    type: Literal["email"]
    disable_resolve_message: bool = False
    settings: EmailSettings


class Webhook(Strict):
    """A program to call."""

    uid: Uid
    type: Literal["webhook"]
    disable_resolve_message: bool = False
    settings: WebhookSettings


class ContactPoint(Strict):
    """Some receivers under one name."""

    org_id: Number = 1
    name: Words
    receivers: Annotated[
        list[Annotated[Email | Webhook, Field(discriminator="type")]], Field(min_length=1)
    ]


class Policy(Strict):
    """A node of the tree of policies."""

    org_id: Number = 1
    receiver: Words | None = None
    group_by: list[LabelName | Literal["..."]] = Field(default_factory=list)
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat_interval: Duration | None = None
    continue_: bool = False
    object_matchers: list[Annotated[list[str], Field(min_length=3, max_length=3)]] = Field(
        default_factory=list
    )
    mute_time_intervals: list[str] = Field(default_factory=list)
    active_time_intervals: list[str] = Field(default_factory=list)
    routes: list["Policy"] = Field(default_factory=list)

    @model_validator(mode="after")
    def _operators(self) -> "Policy":
        for label, operator, value in self.object_matchers:
            if operator not in {"=", "!=", "=~", "!~"} or not label:
                msg = f"no matcher: {label} {operator} {value}"
                raise ValueError(msg)
            if "~" in operator:
                re.compile(value)
        return self


class Times(Strict):
    """Part of a day."""

    start_time: Clock
    end_time: Clock

    @model_validator(mode="after")
    def _forward(self) -> "Times":
        if self.start_time >= self.end_time:
            msg = "a part of a day may not go over midnight"
            raise ValueError(msg)
        return self


Weekday = Annotated[
    str,
    Field(
        pattern=r"^(sunday|monday|tuesday|wednesday|thursday|friday|saturday)"
        r"(:(sunday|monday|tuesday|wednesday|thursday|friday|saturday))?$"
    ),
]


class Interval(Strict):
    """When all of these hold."""

    times: list[Times] = Field(default_factory=list)
    weekdays: list[Weekday] = Field(default_factory=list)
    days_of_month: list[Annotated[str, _ranged(1, 31)]] = Field(default_factory=list)
    months: list[Annotated[str, _ranged(1, 12)]] = Field(default_factory=list)
    years: list[Annotated[str, _ranged(1970, 9999)]] = Field(default_factory=list)
    location: Annotated[str, AfterValidator(_zone)] = "UTC"


class MuteTime(Strict):
    """A mute timing."""

    org_id: Number = 1
    name: Words
    time_intervals: Annotated[list[Interval], Field(min_length=1)]


class Template(Strict):
    """A group of definitions."""

    org_id: Number = 1
    name: Words
    template: Annotated[str, Field(pattern=r'define "')]


class AlertingFile(Strict):
    """A file of alerting/."""

    api_version: Version
    groups: list[Group] = Field(default_factory=list)
    contact_points: list[ContactPoint] = Field(default_factory=list)
    policies: list[Policy] = Field(default_factory=list)
    mute_times: list[MuteTime] = Field(default_factory=list)
    templates: list[Template] = Field(default_factory=list)
