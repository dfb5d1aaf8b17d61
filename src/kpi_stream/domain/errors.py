"""The errors, each named for what the caller must do.

* KpiStreamError
  x StrategyError    the strategy files are wrong: report all problems, refuse to start (exit 2)
  x EventRejected    one message is wrong: dead-letter it with its reason, carry on
  x InputError       a file, an option or a setting is wrong: say what to do (exit 2)
  x StateError       stored state cannot be trusted: stop, say what is missing (exit 1)
  x Unavailable      the outside is down: retry with back-off, then stop (exit 1)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class KpiStreamError(Exception):
    """Base of every error that this package raises on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a strategy file."""

    file: str
    path: str
    message: str
    """What is wrong and what would be right."""

    def __str__(self) -> str:
        """Return `file: path: message`."""
        return (
            f"{self.file}: {self.path}: {self.message}"
            if self.path
            else (f"{self.file}: {self.message}")
        )


class StrategyError(KpiStreamError):
    """The strategy files are wrong; carries every problem, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems, sorted by file and path."""
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Reason(StrEnum):
    """Why an event was rejected; closed, since it becomes a metric label."""

    NOT_JSON = "not_json"
    UNKNOWN_TYPE = "unknown_type"
    INVALID_FIELD = "invalid_field"
    """A field is missing, of the wrong type, or not one of the allowed values."""
    IMPOSSIBLE_NUMBER = "impossible_number"
    """Not finite, or negative where that cannot be."""
    NAIVE_TIME = "naive_time"
    FUTURE_TIME = "future_time"
    UNKNOWN_OFFICE = "unknown_office"
    OVERSIZED = "oversized"
    KEY_MISMATCH = "key_mismatch"
    """The Kafka key is null or differs from the subject."""
    EXPIRED = "expired"
    """The subject has left the state; counting the event would count by half."""


class EventRejected(KpiStreamError):
    """One event is not accepted; dead-letter it with `reason` and `detail`."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the reason (a label) apart from the detail (free text)."""
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


class InputError(KpiStreamError):
    """A file, an option or a setting is wrong; the text says which and what to do."""


class StateError(KpiStreamError):
    """Stored state cannot be trusted; the process stops rather than count wrongly."""


class DamagedSubject(StateError):
    """What is stored of a subject is not what was written."""

    def __init__(self, key: str, why: str) -> None:
        """Keep the key of the record, by which its offset can be found."""
        self.key = key
        self.why = why
        super().__init__(f"{key}: {why}")


class OtherDefinitions(KpiStreamError):
    """A row was counted by other dimensions than those of the strategy."""


class Unavailable(KpiStreamError):
    """A broker or another service does not answer."""
