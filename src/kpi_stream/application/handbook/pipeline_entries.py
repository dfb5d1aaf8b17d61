"""The runbook's entries for the alerts of the feed and of the processes, by name.

The limits in the texts are the constants of the rules themselves.
"""

from kpi_stream.application.handbook.entry import Entry, both
from kpi_stream.application.monitoring.alerts import feed, services

FEED_ENTRIES: dict[str, Entry] = {
    "FeedStale": Entry(
        title=both("Sin eventos", "No events"),
        means=both(
            "No llega ningún evento, o nadie los cuenta. Los indicadores están sin datos y sus "
            "alertas callan.",
            "No event comes, or nobody counts them. The KPIs are without data and their alerts "
            "are silent.",
        ),
        fires=both(
            "El scorecard no ha visto ningún evento nuevo durante más que su límite "
            "(`KPI_STREAM_STALE_AFTER_S`, 15 minutos si nadie lo cambió).",
            "The scorecard has seen no new event for longer than its limit "
            "(`KPI_STREAM_STALE_AFTER_S`, 15 minutes unless changed).",
        ),
        look=both(
            "La edad de los datos junto al retraso de los workers: con retraso, el problema es "
            "nuestro; sin retraso, de quien envía.",
            "The age of the data beside the workers' lag: with a lag the problem is ours, without "
            "one it is the sender's.",
        ),
        steps=(
            both(
                "Workers parados o con retraso: siga primero sus alertas, WorkerDown y "
                "WorkerLagging.",
                "Workers down or lagging: follow their alerts first, WorkerDown and WorkerLagging.",
            ),
            both(
                "Compruebe que Kafka responda y que el tópico `customs.events` reciba algo.",
                "Check that Kafka answers, and that the topic `customs.events` receives anything.",
            ),
            both(
                "Llame a quien opera los sistemas que envían los eventos.",
                "Call whoever runs the systems that send the events.",
            ),
            both(
                "Si de noche o en feriado nadie trabaja, suba el límite; no silencie la alerta.",
                "If nobody works at night or on holidays, raise the limit; do not silence it.",
            ),
        ),
    ),
    "OfficeSilent": Entry(
        title=both("Aduana sin eventos", "Silent office"),
        means=both(
            "Una aduana que suele enviar eventos no envía ninguno, mientras las demás sí.",
            "An office that usually sends events sends none, while the others do.",
        ),
        fires=both(
            "Horario de oficina transcurrido sin eventos, multiplicado por la actividad habitual "
            f"de la aduana, mayor que {feed.SILENT_S // 3600} horas. Una aduana activa en la "
            f"mitad de sus cuartos de hora puede callar {2 * feed.SILENT_S // 3600} horas.",
            "Office hours without events, times the usual activity of the office, are more than "
            f"{feed.SILENT_S // 3600} hours. An office that is active in half of its quarter "
            f"hours may be silent for {2 * feed.SILENT_S // 3600} hours.",
        ),
        look=both(
            "Qué aduana es, y si hay eventos rechazados desde la misma hora.",
            "Which office it is, and whether events are rejected since the same hour.",
        ),
        steps=(
            both(
                "Llame a la aduana: ¿trabaja hoy con normalidad?",
                "Call the office: is it a normal working day there?",
            ),
            both(
                "Si trabaja, avise a quien opera la conexión de su sistema.",
                "If it is, tell whoever runs the connection of its system.",
            ),
            both(
                "Cuando vuelva, lo que envíe tarde se cuenta en su fecha; no hay que hacer nada.",
                "When it comes back, what it sends late counts at its date; nothing is to be done.",
            ),
            both(
                "Un feriado local se añade al calendario de la estrategia.",
                "A holiday is added to the calendar of the strategy.",
            ),
        ),
    ),
    "WorkerLagging": Entry(
        title=both("Eventos en espera", "Events are waiting"),
        means=both(
            "Llegan más eventos de los que los workers cuentan; los indicadores se retrasan.",
            "More events come than the workers count; the KPIs fall behind.",
        ),
        fires=both(
            f"Más de {feed.LAG_EVENTS} eventos en espera, y no menos que hace 10 minutos.",
            f"More than {feed.LAG_EVENTS} events wait, and not fewer than 10 minutes ago.",
        ),
        look=both(
            "El retraso por partición: en una sola, es ese worker; en todas, falta capacidad.",
            "The lag by partition: in one alone it is that worker; in all, capacity is missing.",
        ),
        steps=(
            both(
                "Mire el tiempo de cada escritura y la memoria de los workers.",
                "Look at the time of a flush and at the memory of the workers.",
            ),
            both(
                "Escrituras lentas: mire Kafka (disco, réplicas). Memoria llena: dele más.",
                "Slow flushes: look at Kafka (disk, replicas). Memory full: give it more.",
            ),
            both(
                "Si ambos están bien, añada un worker, hasta uno por partición.",
                "If both are well, add a worker, up to one a partition.",
            ),
            both(
                "Tras una carga de historia, espere: la alerta termina cuando el retraso baja.",
                "After a load of history, wait: the alert ends as the lag goes down.",
            ),
        ),
    ),
    "EventsRejected": Entry(
        title=both("Eventos rechazados", "Rejected events"),
        means=both(
            "Parte de lo que llega no cumple el contrato de los eventos y no se cuenta.",
            "Part of what comes does not fit the contract of the events and is not counted.",
        ),
        fires=both(
            f"Más del {feed.REJECTED_SHARE * 100:g} % de los eventos de 10 minutos se rechaza, y "
            f"son por lo menos {feed.REJECTED_MINIMUM}.",
            f"More than {feed.REJECTED_SHARE * 100:g} % of the events of 10 minutes are rejected, "
            f"and they are at least {feed.REJECTED_MINIMUM}.",
        ),
        look=both(
            "Los rechazos por motivo: uno solo suele ser un cambio en un sistema que envía.",
            "The rejects by reason: a single one is usually a change in a sending system.",
        ),
        steps=(
            both(
                "Lea algunos en el tópico de rechazados: cada uno lleva su motivo y su detalle.",
                "Read some in the topic of dead letters: each has its reason and detail.",
            ),
            both(
                "Avise a quien envía; los esquemas están en `schemas/`.",
                "Tell whoever sends; the schemas are in `schemas/`.",
            ),
            both(
                "Una vez corregidos en el origen, que los envíe de nuevo: cada uno cuenta una vez.",
                "Once corrected at the source they are sent again: each counts once.",
            ),
        ),
    ),
}

_RESTARTS = both(
    "Reinicie el proceso; sigue donde quedó, y nada se cuenta dos veces.",
    "Restart the process; it goes on where it was, and nothing is counted twice.",
)

SERVICE_ENTRIES: dict[str, Entry] = {
    "WorkerDown": Entry(
        title=both("Faltan workers", "Workers are missing"),
        means=both(
            "Un worker no responde o se detuvo por un error. Los demás toman sus particiones; sin "
            "ninguno no se cuenta nada.",
            "A worker does not answer, or stopped with an error. The others take over its "
            "partitions; without any, nothing is counted.",
        ),
        fires=both(
            "Funcionan menos workers que los que Prometheus conoce o que los que hubo en la última "
            "media hora, o no funciona ninguno; también si no hay nada que consultar.",
            "Fewer workers work than Prometheus knows, or than did in the last half hour, or none "
            "does; also where there is nothing to ask.",
        ),
        look=both(
            "Cuál falta, y la última línea de su registro: dice el error.",
            "Which one is missing, and the last line of its log: it tells the error.",
        ),
        steps=(
            both(
                "Faltan todos: compruebe Kafka primero; después, que Prometheus los alcance.",
                "All are missing: check Kafka first, then that Prometheus reaches them.",
            ),
            both(
                "Detenido por demasiados rechazos: siga EventsRejected antes de reiniciarlo.",
                "Stopped by too many rejects: follow EventsRejected before you restart it.",
            ),
            both("Sin memoria: dele más y reinícielo.", "Out of memory: give it more, restart it."),
            _RESTARTS,
            both(
                "Si se quitó a propósito, la alerta termina sola en media hora.",
                "If it was taken away on purpose, the alert ends by itself within half an hour.",
            ),
        ),
    ),
    "ScorecardDown": Entry(
        title=both("El scorecard no responde", "The scorecard is down"),
        means=both(
            "No hay indicadores, ni sus alertas. Los eventos se siguen contando: nada se pierde.",
            "There are no KPIs, nor their alerts. Events go on being counted: nothing is lost.",
        ),
        fires=both(
            "Prometheus no alcanza al scorecard, o no tiene ninguno que consultar.",
            "Prometheus does not reach the scorecard, or has none to ask.",
        ),
        look=both(
            "El registro del scorecard. Esta página la sirve él mismo: también está en "
            "`docs/runbook.md`.",
            "The log of the scorecard. It serves this page itself: there is a copy in "
            "`docs/runbook.md`.",
        ),
        steps=(
            both("Compruebe que llegue a Kafka.", "Check that it reaches Kafka."),
            both(
                "Reinícielo: lee todas las filas otra vez, lo que tarda segundos o pocos minutos.",
                "Restart it: it reads all rows again, which takes seconds or a few minutes.",
            ),
            both(
                "Si vuelve a caer, guarde su registro y avise a quien mantiene kpi-stream.",
                "If it falls again, keep its log and tell whoever maintains kpi-stream.",
            ),
        ),
    ),
    "ScorecardStalled": Entry(
        title=both("El scorecard no evalúa", "The scorecard does not evaluate"),
        means=both(
            "El proceso responde, pero los indicadores que muestra son viejos.",
            "The process answers, but the KPIs that it shows are old.",
        ),
        fires=both(
            f"La última evaluación es de hace más de {services.STALLED_S} segundos.",
            f"The last evaluation is more than {services.STALLED_S} seconds old.",
        ),
        look=both(
            "Cuánto duran las evaluaciones, y su memoria y CPU.",
            "How long the evaluations take, and its memory and CPU.",
        ),
        steps=(
            both(
                "Evaluaciones que duran más que su intervalo: dele más CPU.",
                "Evaluations that last longer than their interval: give it more CPU.",
            ),
            both(
                "Lea su registro: al leer filas o esperar a Kafka no evalúa.",
                "Read its log: while it reads rows or waits for Kafka it does not evaluate.",
            ),
            _RESTARTS,
        ),
    ),
    "StrategyReloadRefused": Entry(
        title=both("Estrategia rechazada", "Strategy refused"),
        means=both(
            "Los archivos de la estrategia cambiaron y tienen errores; sigue vigente la anterior.",
            "The files of the strategy changed and have errors; the one before stays in force.",
        ),
        fires=both(
            "El último intento de leer la estrategia fue rechazado.",
            "The last attempt to read the strategy was refused.",
        ),
        look=both(
            "`kpi-stream check` con esa carpeta: nombra todos los errores con su archivo.",
            "`kpi-stream check` with that folder: it names every error with its file.",
        ),
        steps=(
            both("Corrija los archivos, o devuélvalos.", "Correct the files, or take them back."),
            both(
                "Recargue: SIGHUP al scorecard, o `POST /-/reload` con su contraseña.",
                "Reload: SIGHUP to the scorecard, or `POST /-/reload` with its password.",
            ),
            both(
                "Tras aceptarla, genere otra vez tableros y alertas: `kpi-stream generate`.",
                "Once accepted, generate dashboards and alerts again: `kpi-stream generate`.",
            ),
        ),
    ),
    "StrategyMismatch": Entry(
        title=both("Contado con otra estrategia", "Counted by another strategy"),
        means=both(
            "Los workers cuentan con otras definiciones que las del scorecard, que por eso no "
            "muestra ningún indicador.",
            "The workers count by other definitions than the scorecard's, which therefore shows "
            "no KPI.",
        ),
        fires=both(
            "Las filas llevan la huella de otra estrategia que la vigente en el scorecard.",
            "The rows have the fingerprint of another strategy than the scorecard's.",
        ),
        look=both(
            "Qué carpeta de estrategia monta cada proceso, y cuándo la leyó el scorecard.",
            "Which folder of the strategy each process mounts, and when the scorecard read it.",
        ),
        steps=(
            both(
                "Si cambió una definición a propósito: `kpi-stream rebuild` con la estrategia "
                "nueva cuenta todo otra vez desde los eventos y después cambia a lo nuevo.",
                "If a definition changed on purpose: `kpi-stream rebuild` with the new strategy "
                "counts everything again from the events, then switches to it.",
            ),
            both(
                "Si no: devuelva la estrategia con la que cuentan los workers y recargue.",
                "If not: take back the strategy by which the workers count, and reload.",
            ),
        ),
    ),
}
