"""The checks that ask over HTTP: workers, scorecard, Prometheus, Grafana."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib.util import find_spec

from kpi_stream import __version__
from kpi_stream.adapters.grafana.client import GrafanaError
from kpi_stream.adapters.grafana.doctor import cannot_ask
from kpi_stream.adapters.http_client.endpoint import Endpoint, Login
from kpi_stream.adapters.prometheus import served
from kpi_stream.adapters.web.api.strategy import version
from kpi_stream.application.checkup import prometheus as watched
from kpi_stream.application.checkup import services as judged
from kpi_stream.application.checkup.frame import Answer, Finding, NotAsked
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.bootstrap import grafana as wired
from kpi_stream.bootstrap.installation import Installation
from kpi_stream.bootstrap.scorecard_api import here
from kpi_stream.bootstrap.secret_files import secret, variable
from kpi_stream.domain.errors import InputError, Unavailable
from kpi_stream.settings import PREFIX

_LOOPBACK = re.compile(r"https?://(127\.|localhost|\[::1\])")


class HttpChecks:
    """Asks the services of an installation, and those that watch them.

    Args:
        of: The installation.
    """

    def __init__(self, of: Installation) -> None:
        self._of = of
        self._judged = ""
        self._metrics = ""

    def workers(self) -> Answer:
        """Do the workers answer, are they well, and of this version?"""
        settings = self._of.settings
        urls = [each.strip() for each in settings.worker_urls.split(",") if each.strip()]
        local = not urls
        seen = []
        for url in urls or [here(settings, settings.worker_port)]:
            endpoint = self._service(url, local=local)
            try:
                addresses: list[str | None] = [None]
                if not _LOOPBACK.match(url) and len(found := endpoint.each()) > 1:
                    addresses = [*found]
            except Unavailable as err:
                seen.append(judged.Service("worker", url, answers=False, reason=str(err)))
                continue
            for ip in addresses:
                one = endpoint if ip is None else self._service(url, local=local, ip=ip)
                seen.append(self._asked("worker", one)[0])
        return judged.services(seen, __version__)

    def scorecard(self) -> Answer:
        """Does the scorecard answer, is it well, and of this version?"""
        settings = self._of.settings
        url = settings.scorecard_url or here(settings, settings.scorecard_port)
        endpoint = self._service(url, local=not settings.scorecard_url)
        seen, self._metrics = self._asked("scorecard", endpoint)
        if seen.answers and seen.known:
            self._judged = str(endpoint.json("/api/v1/strategy").get("version"))
        return judged.services([seen], __version__)

    def strategies(self, counted: Callable[[], Mapping[int, str | None]]) -> Answer:
        """Are counts, scorecard and this machine of one strategy?"""
        return judged.strategies(
            judged.Strategies(
                self._of.fingerprint,
                version(self._of.edition.strategy),
                counted(),
                self._judged,
                _flag(self._metrics, c.STRATEGY_MATCHES.name),
                _flag(self._metrics, c.RELOAD_SUCCESSFUL.name),
            )
        )

    def prometheus(self) -> Answer | NotAsked:
        """Does Prometheus scrape us?"""
        if not self._of.settings.prometheus_url:
            return NotAsked(f"{PREFIX}PROMETHEUS_URL is not set")
        endpoint = self._prometheus()
        number = served.version(self._ask(endpoint))
        seen = served.targets(self._ask(endpoint))
        answer = watched.targets(seen, (c.SCORECARD_JOB, c.WORKER_JOB))
        return Answer(f"version {number}; {answer.said}", answer.findings)

    def rules(self) -> Answer:
        """Has it loaded our rules?"""
        ask = self._ask(self._prometheus())
        loaded = served.rules(ask)
        ours = served.written_alike(ask, served.generated(self._of.edition), loaded)
        return watched.rules(loaded, ours)

    def grafana(self) -> Answer | NotAsked:
        """Has Grafana loaded what was generated for it?"""
        url = self._of.settings.grafana_url
        if not url:
            return NotAsked(f"{PREFIX}GRAFANA_URL is not set")
        if find_spec("grafana_foundation_sdk") is None:
            return NotAsked("the generator is not installed: pip install 'kpi-stream[generate]'")
        try:
            doctor = wired.doctor(self._of.settings, self._of.edition, None)
            found = [*doctor.examine(lambda _: None)]
        except GrafanaError as err:
            why = cannot_ask(err)
            msg = f"{why.problem}; {why.fix}"
            raise Unavailable(msg) from err
        if not found:
            return Answer(f"{url} serves what was generated")
        first = found[0]
        more = f", and {len(found) - 1} further differences" * (len(found) > 1)
        problem = f"{first.place}: {first.problem}{more}"
        fix = first.fix if len(found) == 1 else "kpi-stream doctor grafana lists them"
        return Answer(f"{len(found)} differences", (Finding(f"grafana {url}", problem, fix),))

    def _service(self, url: str, *, local: bool, ip: str | None = None) -> Endpoint:
        """Return an endpoint of ours; who serves on this machine may ask there as well."""
        settings = self._of.settings
        stem = "scorecard" if settings.scorecard_username or not local else "http"
        return Endpoint(url, self._login(stem), ip=ip)

    def _login(self, stem: str) -> Login:
        settings = self._of.settings
        username: str = getattr(settings, f"{stem}_username")
        authorities = getattr(settings, f"{'scorecard' if stem == 'http' else stem}_ca_file")
        name = f"{stem}_password_file"
        if not username:
            return Login(ca_file=authorities)
        if getattr(settings, name) is None:
            msg = f"{variable(stem + '_username')} is set without {variable(name)}"
            raise InputError(msg)
        return Login(username, secret(settings, name), authorities)

    def _asked(self, name: str, endpoint: Endpoint) -> tuple[judged.Service, str]:
        """Return how a process is, and its metrics."""
        try:
            healthy, ready = endpoint.get("/-/healthy"), endpoint.get("/-/ready")
            metrics = endpoint.get("/metrics")
        except Unavailable as err:
            return judged.Service(name, endpoint.url, answers=False, reason=str(err)), ""
        well = healthy.status == HTTPStatus.OK
        known = metrics.status == HTTPStatus.OK
        found = re.search(rf'^{c.BUILD_INFO.name}{{version="([^"]+)"}}', metrics.text, re.MULTILINE)
        service = judged.Service(
            name,
            endpoint.url,
            answers=True,
            healthy=well,
            ready=ready.status == HTTPStatus.OK,
            reason=(ready if well else healthy).text.strip(),
            known=known,
            version=found[1] if found else None,
        )
        return service, metrics.text if known else ""

    def _prometheus(self) -> Endpoint:
        return Endpoint(self._of.settings.prometheus_url, self._login("prometheus"))

    def _ask(self, endpoint: Endpoint) -> served.Ask:
        def ask(path: str) -> object:
            try:
                return endpoint.json(path)
            except InputError as err:
                msg = f"{err}; set {PREFIX}PROMETHEUS_USERNAME and {PREFIX}PROMETHEUS_PASSWORD_FILE"
                raise InputError(msg) from err
            except Unavailable as err:
                msg = f"{err}; start Prometheus, or name it in {PREFIX}PROMETHEUS_URL"
                raise Unavailable(msg) from err

        return ask


def _flag(metrics: str, name: str) -> bool | None:
    """Return the value of a gauge without labels; None where it is absent."""
    found = re.search(rf"^{name} (\S+)$", metrics, re.MULTILINE)
    return None if found is None else float(found[1]) == 1
