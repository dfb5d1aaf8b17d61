"""The runbook's entries for the alerts of the KPIs, by name."""

from kpi_stream.application.handbook.entry import Entry, both

_EXPLAIN = both(
    "Busque la aduana, el modo o el canal que lo explica, y desde cuándo.",
    "Find the office, mode or channel that explains it, and since when.",
)
_DATA_FIRST = both(
    "Descarte un problema de datos: eventos en espera o rechazados, una aduana que no envía.",
    "Rule out a problem of data: events that wait or are rejected, an office that does not send.",
)
_TELL_OWNER = both(
    "Avise al responsable, con el valor, lo esperado y lo que lo explica.",
    "Tell the owner the value, what was expected, and what explains it.",
)

KPI_ENTRIES: dict[str, Entry] = {
    "KpiOffTrack": Entry(
        title=both("Indicador fuera de meta", "KPI off track"),
        means=both(
            "El indicador es peor que lo que debería ser hoy, más allá de la tolerancia.",
            "The KPI is worse than it should be today, beyond the tolerance.",
        ),
        fires=both(
            "El estado del indicador es «fuera de meta» y el flujo de eventos está vivo.",
            "The status of the KPI is off track, and the feed of events is alive.",
        ),
        look=both(
            "El valor frente a su trayectoria: ¿cayó de golpe o poco a poco? Después, por aduana.",
            "The value against its trajectory: a sudden fall or a slow one? Then, by office.",
        ),
        steps=(
            _DATA_FIRST,
            _EXPLAIN,
            _TELL_OWNER,
            both(
                "Decida con el responsable qué iniciativa o medida lo corrige, y para cuándo.",
                "Decide with the owner which initiative or measure corrects it, and by when.",
            ),
            both(
                "Si la meta ya no es la correcta, la modifica quien la aprobó, en la estrategia; "
                "no se silencia la alerta en su lugar.",
                "If the target is no longer right, whoever approved it changes it in the strategy; "
                "the alert is not silenced instead.",
            ),
        ),
    ),
    "KpiAtRisk": Entry(
        title=both("Indicador en riesgo", "KPI at risk"),
        means=both(
            "El indicador es peor que lo que debería ser hoy, todavía dentro de la tolerancia.",
            "The KPI is worse than it should be today, still within the tolerance.",
        ),
        fires=both(
            "El estado del indicador es «en riesgo» y el flujo de eventos está vivo.",
            "The status of the KPI is at risk, and the feed of events is alive.",
        ),
        look=both(
            "La tendencia: si empeora, pronto estará fuera de meta.",
            "The trend: if it gets worse, the KPI will be off track soon.",
        ),
        steps=(_DATA_FIRST, _EXPLAIN, _TELL_OWNER),
    ),
    "KpiProjectedMiss": Entry(
        title=both("No llegará a la meta", "Projected miss"),
        means=both(
            "Al ritmo de las últimas cuatro semanas, el indicador no alcanzará la meta en su "
            "plazo, aunque hoy no está fuera de meta. Es un aviso, no una predicción.",
            "At the pace of the last four weeks the KPI will not reach its target by the deadline, "
            "although it is not off track today. A warning light, not a prediction.",
        ),
        fires=both(
            "El pronóstico dice que no llega, y el estado de hoy no es «fuera de meta».",
            "The forecast says that it falls short, and today's status is not off track.",
        ),
        look=both(
            "La tendencia y el pronóstico junto a la meta, y el avance de las iniciativas.",
            "The trend and the forecast beside the target, and the progress of the initiatives.",
        ),
        steps=(
            both(
                "Compruebe que la tendencia no venga de unos días raros: feriados, huelga, falta "
                "de datos.",
                "Check that the trend does not come from a few odd days: holidays, a strike, "
                "missing data.",
            ),
            both(
                "Mire las acciones vencidas de las iniciativas que debían mejorarlo.",
                "Look at the overdue actions of the initiatives that were to improve it.",
            ),
            both(
                "Lleve el pronóstico a la próxima reunión de seguimiento con el responsable.",
                "Take the forecast to the owner's next review meeting.",
            ),
        ),
    ),
    "KpiBelowBand": Entry(
        title=both("Indicador bajo su banda", "KPI below its band"),
        means=both(
            "El indicador es menor que el mínimo de su banda. Aquí menos no es mejor: por "
            "ejemplo, demasiado pocas declaraciones en canal rojo.",
            "The KPI is below the lower edge of its band. Less is not better here: for example, "
            "too few declarations in the red channel.",
        ),
        fires=both(
            "El valor es menor que el borde inferior de la banda y el flujo está vivo.",
            "The value is below the lower edge of the band, and the feed is alive.",
        ),
        look=both(
            "Cuándo salió de la banda, y si fue en todas las aduanas a la vez.",
            "When it left the band, and whether it did so in all offices at once.",
        ),
        steps=(
            both(
                "En todas las aduanas a la vez: pregunte qué cambió en las reglas de selección.",
                "In all offices at once: ask what changed in the rules of selection.",
            ),
            both(
                "En una sola: compruebe si a esa aduana le faltan eventos o cambió su tráfico.",
                "In one alone: check whether that office lacks events or its traffic changed.",
            ),
            _TELL_OWNER,
        ),
    ),
    "KpiAboveBand": Entry(
        title=both("Indicador sobre su banda", "KPI above its band"),
        means=both(
            "El indicador es mayor que el máximo de su banda: por ejemplo, se controla más de lo "
            "que se puede atender a tiempo.",
            "The KPI is above the upper edge of its band: for example, more is controlled than "
            "can be dealt with in time.",
        ),
        fires=both(
            "El valor es mayor que el borde superior de la banda y el flujo está vivo.",
            "The value is above the upper edge of the band, and the feed is alive.",
        ),
        look=both(
            "Cuándo salió de la banda, y si fue en todas las aduanas a la vez.",
            "When it left the band, and whether it did so in all offices at once.",
        ),
        steps=(
            both(
                "En todas las aduanas a la vez: pregunte qué cambió en las reglas de selección.",
                "In all offices at once: ask what changed in the rules of selection.",
            ),
            both(
                "Mire si los tiempos de despacho empeoran con ello; entonces corre prisa.",
                "Look whether the release times get worse with it; then it is urgent.",
            ),
            _TELL_OWNER,
        ),
    ),
    "DeclarationsAgeing": Entry(
        title=both("Pendientes que envejecen", "Ageing stock"),
        means=both(
            "De lo que está pendiente, la parte antigua es más de lo esperado y crece.",
            "Of what is open, the old part is more than expected, and grows.",
        ),
        fires=both(
            "La parte antigua supera lo que se espera hoy y es mayor que hace 24 horas; por "
            "aduana se compara con lo que se espera del país, si la aduana no tiene meta propia.",
            "The old part is more than is expected today and more than 24 hours ago; an office "
            "without a target of its own is held against what is expected of the nation.",
        ),
        look=both(
            "La aduana que más tiene, y cuántos casos son.",
            "The office that has most of it, and how many cases there are.",
        ),
        steps=(
            both(
                "Pida a la aduana la lista de los casos más antiguos.",
                "Ask the office for the list of its oldest cases.",
            ),
            both(
                "Sepárelos por lo que esperan: pago, documentos, reconocimiento u otra entidad.",
                "Sort them by what they wait for: payment, documents, inspection, another agency.",
            ),
            both(
                "Lo que espera a la aduana se reparte hoy; lo que espera a otros, se les recuerda.",
                "What waits for the office is assigned today; others are reminded of theirs.",
            ),
            both(
                "A los casos terminados que no se cerraron les falta un evento: avise al origen.",
                "Cases that are over but not closed lack their event; tell whoever sends.",
            ),
        ),
    ),
}
