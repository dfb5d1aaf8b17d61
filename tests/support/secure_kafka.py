"""An Apache Kafka that lets nobody in: TLS everywhere, SCRAM or certificates, ACLs, deny first.

One KRaft node with a listener for each way to come in, and for each way in which a broker can be
wrong: an expired certificate, and one for another host. Who comes by certificate is called by its
common name, so ACLs are the same for both.
"""

import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import KafkaError

from kpi_stream.adapters.embedded_broker import HOST
from tests.support.certificates import Authority, Certificate
from tests.support.counting_proxy import CountingProxy
from tests.support.kafka import kafka_java
from tests.support.ports import free_port
from tests.support.processes import Process, eventually

MECHANISM = "SCRAM-SHA-512"
SUPERUSER = "superuser"
_BROKER = "broker"
_CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
_READY_S = 150.0
_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"

_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=SCRAM://{host}:{scram},MTLS://{host}:{mtls},EXPIRED://{host}:{expired},\
ELSEWHERE://{host}:{elsewhere},CONTROLLER://{host}:{controller}
advertised.listeners=SCRAM://{host}:{proxy},MTLS://{host}:{mtls},EXPIRED://{host}:{expired},\
ELSEWHERE://{host}:{elsewhere}
listener.security.protocol.map=SCRAM:SASL_SSL,MTLS:SSL,EXPIRED:SASL_SSL,ELSEWHERE:SASL_SSL,\
CONTROLLER:SSL
controller.listener.names=CONTROLLER
inter.broker.listener.name=MTLS
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config={login}
listener.name.expired.scram-sha-512.sasl.jaas.config={login}
listener.name.elsewhere.scram-sha-512.sasl.jaas.config={login}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
ssl.keystore.type=PEM
ssl.keystore.location={broker}
listener.name.mtls.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
listener.name.expired.ssl.keystore.type=PEM
listener.name.expired.ssl.keystore.location={broker_expired}
listener.name.elsewhere.ssl.keystore.type=PEM
listener.name.elsewhere.ssl.keystore.location={broker_elsewhere}
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:broker;User:superuser
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=5000
"""


@dataclass(frozen=True, slots=True)
class Right:
    """One ACL: who may do what to which resource."""

    user: str
    operation: str
    """As Kafka's tools name it: Read, Write, Create, Describe, DescribeConfigs ..."""
    kind: str
    """Topic, Group or TransactionalId."""
    name: str
    prefixed: bool = False
    """Whether the name is the first part of the names that are meant."""

    def __str__(self) -> str:
        star = "*" if self.prefixed else ""
        return f"{self.user}-{self.operation}-{self.kind}-{self.name}{star}"

    def acl(self) -> ACL:
        """Return it as kafka-python wants it."""
        return ACL(
            principal=f"User:{self.user}",
            host="*",
            operation=ACLOperation[_constant(self.operation)],
            permission_type=ACLPermissionType.ALLOW,
            resource_pattern=ResourcePattern(
                ResourceType[_constant(self.kind)],
                self.name,
                ACLResourcePatternType.PREFIXED
                if self.prefixed
                else ACLResourcePatternType.LITERAL,
            ),
        )


def _constant(name: str) -> str:
    """Return DescribeConfigs as DESCRIBE_CONFIGS."""
    return "".join(f"_{char}" if char.isupper() else char for char in name).strip("_").upper()


@dataclass
class SecureKafka:
    """The broker, as a context manager.

    Args:
        folder: Gets certificates, settings, data and the log.
        passwords: Of the users that come with SCRAM, by name.
    """

    folder: Path
    passwords: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.authority = Authority(self.folder / "pki")
        self.proxy = CountingProxy()
        """In front of the SCRAM listener; the broker tells its clients the proxy's port."""
        names = ("scram", "mtls", "expired", "elsewhere", "controller")
        self._ports = {name: free_port() for name in names}
        self.proxy.target = self._ports["scram"]
        self._java = kafka_java("512m")
        self._settings = self.folder / "server.properties"
        self._superuser = self.authority.certificate(SUPERUSER)
        log = self.folder / "kafka.log"
        self.process = Process(
            [*self._java, "kafka.Kafka", self._settings], log=log, dies_with_parent=True
        )

    @property
    def scram(self) -> str:
        """Where one comes in with a password, through the proxy."""
        return f"{HOST}:{self.proxy.port}"

    def address(self, listener: str) -> str:
        """Return the address of a listener: mtls, expired or elsewhere."""
        return f"{HOST}:{self._ports[listener]}"

    def certificate(self, name: str, **how: Any) -> Certificate:
        """Return a certificate of the authority that the broker trusts."""
        return self.authority.certificate(name, **how)

    def start(self) -> Self:
        """Start the broker and return once it answers; data of an earlier start is still there."""
        if not self._settings.exists():
            self._format()
        self.process.start()
        self.process.wait_until(self._answers, within_s=_READY_S, what="Kafka answers")
        return self

    def restart(self) -> None:
        """Stop and start again: every connection has to prove itself anew."""
        self.process.terminate(within_s=_READY_S)
        self.start()

    def __enter__(self) -> Self:
        self.proxy.__enter__()
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.proxy.__exit__(kind, error, traceback)

    @contextmanager
    def admin(self) -> Iterator[Any]:
        """Yield a client that may do everything."""
        client = KafkaAdminClient(
            bootstrap_servers=self.address("mtls"),
            security_protocol="SSL",
            ssl_cafile=str(self.authority.file),
            ssl_certfile=str(self._superuser.certificate),
            ssl_keyfile=str(self._superuser.key),
            bootstrap_timeout_ms=5_000,
        )
        try:
            yield client
        finally:
            client.close()

    def allow(self, rights: Iterable[Right]) -> None:
        """Give these rights, and return once they are in force."""
        self._change(rights, given=True)

    def deny(self, rights: Iterable[Right]) -> None:
        """Take these rights away, and return once that is in force."""
        self._change(rights, given=False)

    def _change(self, rights: Iterable[Right], *, given: bool) -> None:
        acls = {each.acl() for each in rights}
        with self.admin() as admin:
            if given:
                admin.create_acls(list(acls))
            else:
                admin.delete_acls(list(acls))
            # ACLs of KRaft are in force once the broker has read its own metadata log.
            eventually(
                lambda: all((each in _all_acls(admin)) is given for each in acls),
                within_s=10,
                what="the ACLs are in force",
            )

    def _answers(self) -> bool:
        try:
            # Before it listens, the client would say at length that it does not.
            socket.create_connection((HOST, self._ports["mtls"]), timeout=1).close()
            with self.admin() as admin:
                return bool(admin.describe_cluster())
        except (KafkaError, OSError):
            return False

    def _format(self) -> None:
        files = {
            "authority": self.authority.file,
            "broker": self.certificate(_BROKER).both,
            "broker_expired": self.certificate(_BROKER, days=-1, file="broker_expired").both,
            "broker_elsewhere": self.certificate(
                _BROKER, names="DNS:kafka.elsewhere.example", file="broker_elsewhere"
            ).both,
        }
        text = _SETTINGS.format(
            host=HOST,
            data=self.folder / "data",
            login=_LOGIN,
            proxy=self.proxy.port,
            **self._ports,
            **files,
        )
        self._settings.write_text(text)
        tool = [*self._java, "kafka.tools.StorageTool", "format"]
        tool += ["--cluster-id", _CLUSTER_ID, "--config", str(self._settings)]
        for user, password in self.passwords.items():
            tool += ["--add-scram", f"{MECHANISM}=[name={user},password={password}]"]
        done = subprocess.run(tool, check=False, capture_output=True, text=True, timeout=_READY_S)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)


def _all_acls(admin: Any) -> set[ACL]:
    everything = ACLFilter(
        None,
        None,
        ACLOperation.ANY,
        ACLPermissionType.ANY,
        ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
    found, _ = admin.describe_acls(everything)
    return set(found)
