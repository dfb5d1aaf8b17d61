"""What Prometheus, Grafana and the runbook are made from, as plain data: names, places, rules.

The adapters write it down in each tool's own format; a metric, a panel or an alert that is named
in two of them is named here once.
"""
