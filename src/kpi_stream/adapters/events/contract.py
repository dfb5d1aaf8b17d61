"""The event contract: one pydantic model for each type of event on the wire.

One JSON object a message, the fields flat. Unknown further fields are ignored, so that a producer
may be newer than this service. Nothing is converted: an integer is a JSON integer (not 1.0, not
"1"), a flag is true or false. Each docstring names the Spanish term of the Peruvian procedure and,
where there is one, the WCO Data Model class or the response function code.

The models say what a message must look like; which milestone it sets is in `domain.events`.
"""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from kpi_stream.adapters.events.fields import (
    Cents,
    Channel,
    ClearanceMode,
    Code,
    CountryCode,
    Hours,
    HsChapter,
    Instant,
    Kilograms,
    KpiValue,
    OfficeCode,
    OptionalCode,
    RegimeCode,
    Remark,
    Result,
    SchemaVersion,
    Score,
    SourceText,
    TransportMode,
)


class Envelope(BaseModel):
    """What every event carries."""

    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    event_id: Code
    """Unique for ever; the same id again is a duplicate."""
    schema_version: SchemaVersion
    """Version of this contract."""
    subject: Code
    """What the event is about, and the Kafka key: a declaration, an audit, a survey answer ..."""
    occurred_at: Instant
    """Event time, RFC 3339 with an offset."""
    recorded_at: Instant
    """When the source system wrote it down, RFC 3339 with an offset."""
    office: OfficeCode
    """Code of a customs office of the strategy."""
    source: SourceText = ""
    """The system that reports it."""
    corrects: Code | None = None
    """The event_id of an earlier event that this one replaces everywhere."""


class ManifestTransmitted(Envelope):
    """Transmisión del manifiesto de carga (WCO: CUSCAR), reported per declaration."""

    type: Literal["manifest.transmitted"]
    manifest_id: Code
    transport_mode: TransportMode
    eta: Instant
    """Expected arrival; may lie in the future."""


class TransportArrived(Envelope):
    """Llegada del medio de transporte (WCO: BorderTransportMeans arrival), per declaration."""

    type: Literal["transport.arrived"]
    manifest_id: Code


class DischargeCompleted(Envelope):
    """Término de la descarga, reported per declaration."""

    type: Literal["discharge.completed"]
    manifest_id: Code


class DeclarationNumbered(Envelope):
    """Numeración de la DAM (WCO: Declaration AcceptanceDateTime, function 01)."""

    type: Literal["declaration.numbered"]
    regime: RegimeCode
    """Customs procedure (GovernmentProcedure), for example 10: import for consumption."""
    transport_mode: TransportMode
    clearance_mode: ClearanceMode
    """Anticipado, diferido or urgente."""
    importer: Code
    """A hash, never the taxpayer's number."""
    declarant: Code
    aeo: bool
    """True where an authorised economic operator takes part (OEA)."""
    electronic: bool
    """True where it was lodged without paper."""
    hs_chapter: HsChapter
    origin: CountryCode
    cif_cents: Cents
    """Customs value."""
    duties_cents: Cents
    """Duties and taxes as declared."""


class DeclarationRejected(Envelope):
    """Rechazo de la declaración (WCO function 03)."""

    type: Literal["declaration.rejected"]
    reason_code: Code


class DebtSettled(Envelope):
    """Cancelación o garantía de la deuda (WCO: DutyTaxFee.Payment, ObligationGuarantee)."""

    type: Literal["debt.settled"]
    settlement: Literal["paid", "guaranteed"]
    amount_cents: Cents


class ChannelAssigned(Envelope):
    """Asignación de canal: verde, naranja, rojo."""

    type: Literal["channel.assigned"]
    channel: Channel
    basis: Literal["risk", "random", "mandatory"]


class ChannelChanged(Envelope):
    """Cambio de canal after the assignment."""

    type: Literal["channel.changed"]
    from_channel: Channel
    channel: Channel
    """The new channel."""
    basis: Literal["discretion", "risk", "mandatory"]
    officer: Code
    reason: Remark


class OfficerAssigned(Envelope):
    """Asignación de especialista; the officer is a pseudonym."""

    type: Literal["officer.assigned"]
    officer: Code


class DocumentsRequested(Envelope):
    """Notificación: further documents are requested (WCO function 06)."""

    type: Literal["documents.requested"]


class DocumentsReceived(Envelope):
    """Respuesta a la notificación: the documents are there."""

    type: Literal["documents.received"]


class ReviewCompleted(Envelope):
    """Revisión documentaria concluida (canal naranja)."""

    type: Literal["review.completed"]
    result: Result
    officer: Code


class InspectionStarted(Envelope):
    """Inicio del reconocimiento físico (WCO function 05)."""

    type: Literal["inspection.started"]
    officer: Code


class InspectionCompleted(Envelope):
    """Fin del reconocimiento físico (canal rojo)."""

    type: Literal["inspection.completed"]
    result: Result
    officer: Code
    discrepancy_class: OptionalCode = ""
    """What differed, in the codes of the administration; empty where nothing did."""


class ScanCompleted(Envelope):
    """Inspección no intrusiva: the container was scanned."""

    type: Literal["scan.completed"]
    result: Result
    officer: OptionalCode = ""


class OgaDecided(Envelope):
    """Permiso sectorial (VUCE): another government agency decided."""

    type: Literal["oga.decided"]
    agency: Code
    result: Literal["approved", "denied"]
    waiting_hours: Hours
    """Hours from the request to the agency until its decision."""


class AssessmentAdjusted(Envelope):
    """Ajuste de valor, clasificación o tributos (WCO: DutyTaxFee)."""

    type: Literal["assessment.adjusted"]
    duties_before_cents: Cents
    duties_after_cents: Cents
    officer: Code


class DeclarationAmended(Envelope):
    """Rectificación electrónica (WCO function 07)."""

    type: Literal["declaration.amended"]
    after_release: bool


class DeclarationCancelled(Envelope):
    """Legajamiento de la declaración (WCO function 10)."""

    type: Literal["declaration.cancelled"]
    reason_code: Code


class ReleaseGranted(Envelope):
    """Levante (WCO functions 08, 09)."""

    type: Literal["release.granted"]
    officer: OptionalCode = ""
    """Empty where the system released it by itself."""


class GoodsExited(Envelope):
    """Retiro de la mercancía del terminal (WCO function 16)."""

    type: Literal["goods.exited"]


class RegularizationCompleted(Envelope):
    """Regularización of an anticipated or urgent declaration."""

    type: Literal["regularization.completed"]


class AuditCompleted(Envelope):
    """Fiscalización posterior concluida."""

    type: Literal["audit.completed"]
    finding: bool
    amount_cents: Cents
    """Duties assessed by the audit; 0 without a finding."""


class EnforcementRecorded(Envelope):
    """Acción de control: incautación, inmovilización, inspección or destrucción."""

    type: Literal["enforcement.recorded"]
    action: Literal["seizure", "hold", "inspection", "destruction"]
    goods: Remark
    value_cents: Cents
    weight_kg: Kilograms


class AppealFiled(Envelope):
    """Reclamación presentada."""

    type: Literal["appeal.filed"]
    declaration: Code
    """Subject of the declaration that it is about."""


class AppealResolved(Envelope):
    """Reclamación resuelta."""

    type: Literal["appeal.resolved"]
    outcome: Literal["upheld", "dismissed", "partial"]


class RefundRequested(Envelope):
    """Solicitud de drawback o devolución."""

    type: Literal["refund.requested"]
    amount_cents: Cents


class RefundPaid(Envelope):
    """Devolución pagada."""

    type: Literal["refund.paid"]
    amount_cents: Cents


class AeoStatusChanged(Envelope):
    """Certificación OEA; the subject is the operator."""

    type: Literal["aeo.status_changed"]
    role: Literal["importer", "exporter", "agent", "warehouse", "express"]
    status: Literal["granted", "suspended", "revoked"]


class SurveyAnswered(Envelope):
    """Encuesta de satisfacción: one answer."""

    type: Literal["survey.answered"]
    score: Score
    """1 (very dissatisfied) to 5 (very satisfied)."""


class TargetRevised(Envelope):
    """Modificación de meta."""

    type: Literal["target.revised"]
    kpi: Code
    old_value: KpiValue
    new_value: KpiValue
    author: Remark
    reason: Remark


MODELS: dict[str, type[Envelope]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in Envelope.__subclasses__()
}
"""The model of each type, by its wire name, in the order of a declaration's life."""
