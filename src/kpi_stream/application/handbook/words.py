"""The words for milestones, fields and codes of the event table (`domain/events.py`).

A milestone has a word with its article, for "from ... to ...", and one for many of its events.
"""

from typing import NamedTuple

from kpi_stream.domain.events import Kind
from kpi_stream.domain.strategy import Text


class MilestoneWords(NamedTuple):
    """How a milestone is called."""

    one: Text
    many: Text


def _m(one_es: str, many_es: str, one_en: str, many_en: str) -> MilestoneWords:
    return MilestoneWords({"es": one_es, "en": one_en}, {"es": many_es, "en": many_en})


def _t(es: str, en: str) -> Text:
    return {"es": es, "en": en}


MILESTONES: dict[str, MilestoneWords] = {
    "manifested": _m(
        "la transmisión del manifiesto",
        "manifiestos transmitidos",
        "the transmission of the manifest",
        "manifests transmitted",
    ),
    "arrived": _m(
        "la llegada del medio de transporte",
        "llegadas del medio de transporte",
        "the arrival of the means of transport",
        "arrivals of the means of transport",
    ),
    "discharged": _m(
        "el término de la descarga",
        "descargas terminadas",
        "the end of the discharge",
        "discharges completed",
    ),
    "numbered": _m(
        "la numeración de la declaración",
        "declaraciones numeradas",
        "the registration of the declaration",
        "declarations registered",
    ),
    "refused": _m(
        "el rechazo de la declaración",
        "declaraciones rechazadas",
        "the rejection of the declaration",
        "declarations rejected",
    ),
    "settled": _m(
        "la cancelación o garantía de la deuda",
        "cancelaciones o garantías de la deuda",
        "the payment or guarantee of the debt",
        "payments or guarantees of the debt",
    ),
    "channel_assigned": _m(
        "la asignación del canal",
        "asignaciones de canal",
        "the assignment of the channel",
        "channel assignments",
    ),
    "channel_changed": _m(
        "el cambio de canal", "cambios de canal", "the change of channel", "changes of channel"
    ),
    "officer_assigned": _m(
        "la asignación del funcionario",
        "asignaciones de funcionario",
        "the assignment of the officer",
        "assignments of an officer",
    ),
    "documents_requested": _m(
        "el pedido de documentos",
        "pedidos de documentos",
        "the request for documents",
        "requests for documents",
    ),
    "documents_received": _m(
        "la recepción de los documentos",
        "recepciones de documentos",
        "the receipt of the documents",
        "receipts of documents",
    ),
    "reviewed": _m(
        "la conclusión de la revisión documentaria",
        "revisiones documentarias concluidas",
        "the end of the document review",
        "document reviews completed",
    ),
    "inspection_started": _m(
        "el inicio del reconocimiento físico",
        "reconocimientos físicos iniciados",
        "the start of the physical inspection",
        "physical inspections started",
    ),
    "inspected": _m(
        "el resultado del reconocimiento físico",
        "reconocimientos físicos concluidos",
        "the result of the physical inspection",
        "physical inspections completed",
    ),
    "scanned": _m("la inspección no intrusiva", "inspecciones no intrusivas", "the scan", "scans"),
    "oga_decided": _m(
        "la decisión de otra entidad",
        "decisiones de otras entidades",
        "the decision of another agency",
        "decisions of other agencies",
    ),
    "adjusted": _m(
        "el ajuste de valor, clasificación o tributos",
        "ajustes de valor, clasificación o tributos",
        "the adjustment of value, classification or duties",
        "adjustments of value, classification or duties",
    ),
    "amended": _m(
        "la rectificación de la declaración",
        "rectificaciones",
        "the amendment of the declaration",
        "amendments",
    ),
    "cancelled": _m(
        "el legajamiento de la declaración",
        "declaraciones legajadas",
        "the cancellation of the declaration",
        "declarations cancelled",
    ),
    "released": _m("el levante", "levantes", "the release", "releases"),
    "exited": _m(
        "la salida del terminal",
        "salidas del terminal",
        "the exit from the terminal",
        "exits from the terminal",
    ),
    "regularized": _m(
        "la regularización", "regularizaciones", "the regularisation", "regularisations"
    ),
    "audited": _m(
        "la conclusión de la fiscalización posterior",
        "fiscalizaciones posteriores concluidas",
        "the end of the post-clearance audit",
        "post-clearance audits completed",
    ),
    "enforced": _m(
        "la acción de control", "acciones de control", "the control action", "control actions"
    ),
    "appeal_filed": _m(
        "la presentación de la reclamación",
        "reclamaciones presentadas",
        "the filing of the appeal",
        "appeals filed",
    ),
    "appeal_resolved": _m(
        "la resolución de la reclamación",
        "reclamaciones resueltas",
        "the resolution of the appeal",
        "appeals resolved",
    ),
    "refund_requested": _m(
        "la solicitud de devolución",
        "solicitudes de devolución",
        "the request for a refund",
        "requests for a refund",
    ),
    "refund_paid": _m(
        "el pago de la devolución",
        "devoluciones pagadas",
        "the payment of the refund",
        "refunds paid",
    ),
    "aeo_changed": _m(
        "el cambio de la certificación OEA",
        "cambios de certificación OEA",
        "the change of the AEO certificate",
        "changes of an AEO certificate",
    ),
    "answered": _m(
        "la respuesta a la encuesta",
        "respuestas a la encuesta",
        "the answer to the survey",
        "answers to the survey",
    ),
    "target_revised": _m(
        "la modificación de la meta",
        "modificaciones de meta",
        "the revision of the target",
        "revisions of a target",
    ),
}

SUBJECTS: dict[Kind, Text] = {
    Kind.DECLARATION: _t("declaraciones", "declarations"),
    Kind.AUDIT: _t("fiscalizaciones", "audits"),
    Kind.CONTROL: _t("acciones de control", "control actions"),
    Kind.APPEAL: _t("reclamaciones", "appeals"),
    Kind.REFUND: _t("solicitudes de devolución", "requests for a refund"),
    Kind.OPERATOR: _t("operadores", "operators"),
    Kind.SURVEY: _t("encuestas", "surveys"),
    Kind.TARGET: _t("metas", "targets"),
}

FIELDS: dict[str, Text] = {
    "office": _t("la aduana", "the office"),
    "regime": _t("el régimen", "the regime"),
    "transport_mode": _t("la vía de transporte", "the transport mode"),
    "clearance_mode": _t("la modalidad de despacho", "the clearance mode"),
    "cif_cents": _t("el valor CIF", "the CIF value"),
    "duties_cents": _t("los tributos declarados", "the declared duties"),
    "reason_code": _t("el motivo", "the reason"),
    "settlement": _t("la forma de cancelar la deuda", "the way of settling the debt"),
    "amount_cents": _t("el importe", "the amount"),
    "channel": _t("el canal", "the channel"),
    "from_channel": _t("el canal anterior", "the channel before"),
    "basis": _t("el criterio de selección", "the basis of the selection"),
    "officer": _t("el funcionario", "the officer"),
    "result": _t("el resultado", "the result"),
    "agency": _t("la entidad", "the agency"),
    "waiting_ms": _t("la espera", "the waiting time"),
    "duties_before_cents": _t("los tributos antes del ajuste", "the duties before the adjustment"),
    "duties_after_cents": _t("los tributos después del ajuste", "the duties after the adjustment"),
    "gain_cents": _t("los tributos añadidos", "the duties added"),
    "action": _t("la acción", "the action"),
    "value_cents": _t("el valor de la mercancía", "the value of the goods"),
    "weight_grams": _t("el peso en gramos", "the weight in grams"),
    "outcome": _t("el resultado", "the outcome"),
    "role": _t("el rol del operador", "the role of the operator"),
    "status": _t("el estado de la certificación", "the status of the certificate"),
    "score": _t("el puntaje", "the score"),
    "kpi": _t("el indicador", "the KPI"),
    "old_value": _t("el valor anterior", "the value before"),
    "new_value": _t("el valor nuevo", "the new value"),
    "author": _t("el autor", "the author"),
}
"""Of fields with values; those that are true or false are in FLAGS."""

FLAGS: dict[str, tuple[Text, Text]] = {
    "aeo": (
        _t(
            "interviene un operador económico autorizado",
            "an authorised economic operator takes part",
        ),
        _t(
            "no interviene ningún operador económico autorizado",
            "no authorised economic operator takes part",
        ),
    ),
    "electronic": (
        _t("se presentó por vía electrónica", "it was lodged electronically"),
        _t("no se presentó por vía electrónica", "it was not lodged electronically"),
    ),
    "after_release": (
        _t("fue después del levante", "it was after the release"),
        _t("fue antes del levante", "it was before the release"),
    ),
    "finding": (
        _t("hubo hallazgo", "there was a finding"),
        _t("no hubo hallazgo", "there was no finding"),
    ),
}
"""What a field says when it is true, and when it is false."""

CODES: dict[str, Text] = {
    "risk": _t("riesgo", "risk"),
    "random": _t("azar", "chance"),
    "mandatory": _t("obligación", "obligation"),
    "discretion": _t("discreción del funcionario", "an officer's discretion"),
    "conforming": _t("conforme", "conforming"),
    "discrepancy": _t("discrepancia", "a discrepancy"),
    "paid": _t("pago", "payment"),
    "guaranteed": _t("garantía", "guarantee"),
    "approved": _t("aprobado", "approved"),
    "denied": _t("denegado", "denied"),
    "seizure": _t("incautación", "seizure"),
    "hold": _t("inmovilización", "hold"),
    "inspection": _t("inspección", "inspection"),
    "destruction": _t("destrucción", "destruction"),
    "upheld": _t("fundada", "upheld"),
    "dismissed": _t("infundada", "dismissed"),
    "partial": _t("fundada en parte", "upheld in part"),
    "importer": _t("importador", "importer"),
    "exporter": _t("exportador", "exporter"),
    "agent": _t("agente de aduana", "customs agent"),
    "warehouse": _t("almacén", "warehouse"),
    "express": _t("empresa de envíos de entrega rápida", "express carrier"),
    "granted": _t("otorgada", "granted"),
    "suspended": _t("suspendida", "suspended"),
    "revoked": _t("revocada", "revoked"),
    "green": _t("verde", "green"),
    "orange": _t("naranja", "orange"),
    "red": _t("rojo", "red"),
    "anticipated": _t("anticipado", "before arrival"),
    "deferred": _t("diferido", "after arrival"),
    "urgent": _t("urgente", "urgent"),
    "sea": _t("marítima", "sea"),
    "air": _t("aérea", "air"),
    "road": _t("terrestre", "road"),
    "river": _t("fluvial", "river"),
    "rail": _t("férrea", "rail"),
    "mail": _t("postal", "mail"),
}
"""Codes of the event contract, for values that no dimension of the strategy names."""
