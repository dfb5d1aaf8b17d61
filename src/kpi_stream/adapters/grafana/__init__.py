"""Everything that speaks Grafana: its dashboards, its provisioning files, its HTTP interface.

The only package that imports `grafana_api` and `grafana_foundation_sdk`. What is shown and under
which name comes from `application/monitoring`; here it becomes Grafana's own formats.
"""
