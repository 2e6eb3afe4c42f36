"""The dashboards for Grafana, as code.

What enters: nothing; the series they ask for are those of the service and of the recording rules.
What leaves: one JSON document for each dashboard, which Grafana reads from a folder
(`provisioning/`). They are made by `hotline dashboards DIR` and never committed.

Read first: `panels.py` (the few kinds of panel), then `boards.py` (all dashboards).
The types are those of Grafana 11.6: the package's versions carry Grafana's own after an epoch, and
the highest epoch is an old Grafana's, so pyproject.toml names the line.
"""
