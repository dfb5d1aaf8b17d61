"""An independent second opinion: every KPI of the SUNAT strategy as SQL over a file of events.

Nothing here imports the product; `tests/golden/test_oracle_is_independent.py` keeps it so. The
queries are written by hand from the definition of each KPI. From the strategy's YAML come only
parameters: minimum sample, windows, dimensions and their members, the monthly plan.

* `lines.py`      which lines of a file are events, and the reason where they are not
* `facts.sql`     what was known at an instant: duplicates, corrections, set-once winners
* `subjects.sql`  one row per declaration, audit, control action, survey answer
* `kpis.sql`      one query a KPI: its contributions
* `stages.sql`    how long each stage of the way to the release took
* `worklist.sql`  who waits for the release, until when, and in which stage
* `local_time.py` panes, local days and windows as intervals of milliseconds
* `parameters.py` those numbers and lists
* `oracle.py`     puts them together and adds up
* `differences.py` what another set of readings says otherwise

`feed.py`, `wild.py` and `strategies.py` make events and strategies for the tests.

Cost on one core: half a million events load in 15 s, each `as_of` then takes 3 s.
"""
