"""The table of commands: which module has which, and what stands beside its name in `holdfast --help`."""

from __future__ import annotations

from typing import ClassVar

from holdfast.cli.offering import Offer, Offering


class Contents(Offering):
    """All commands; each is imported when it is run."""

    offers: ClassVar[tuple[Offer, ...]] = (
        Offer(
            "up",
            "holdfast.cli.serving:register",
            "Start Holdfast, every role in this one process, and serve until stopped.",
        ),
        Offer("run", "holdfast.cli.serving:register", "Start some roles of Holdfast in this process."),
        Offer("query", "holdfast.cli.queries:register", "Ask for metrics: a table for one time, a chart with --since."),
        Offer(
            "ship",
            "holdfast.cli.ship:register",
            "Follow files and the journal, and send every line at least once; the token comes from HOLDFAST_TOKEN.",
        ),
        Offer(
            "usage",
            "holdfast.cli.usage:register",
            "Say what came in by signal and service, what was left out and why, what is kept, who reads it, its cost.",
        ),
        Offer(
            "storage",
            "holdfast.cli.usage:register",
            "Say what the store is made of: tables, rows, parts, what is oldest and newest, retention, "
            "room on the disk.",
        ),
        Offer(
            "around",
            "holdfast.cli.around:register",
            "Tell what moved around a moment: metrics, logs, operations, checks, events, neighbours.",
        ),
        Offer(
            "deploys",
            "holdfast.cli.deploys:register",
            "List deploys of services, the newest first: since when, what ran before, and how each ended.",
        ),
        Offer(
            "recover",
            "holdfast.cli.people:register",
            "Give a user a new password, enable them, and end their sessions; stop the server first.",
        ),
        Offer(
            "targets",
            "holdfast.cli.targets:register",
            "List the targets that are scraped, with their health and the last error, and discoveries that fail.",
        ),
        Offer(
            "demo",
            "holdfast.cli.demo:register",
            "Watch a small shop: see it green, see a bad release turn it red, see it heal.",
        ),
        Offer("config", "holdfast.cli.configuration:register", "Print every setting that is in force, secrets masked."),
        Offer(
            "check-config",
            "holdfast.cli.configuration:register",
            "Validate the settings and the whole ops folder, and start nothing. Exit code 0: fine, 2: faults.",
        ),
        Offer("openapi", "holdfast.cli.documents:register", "Print the OpenAPI 3.1 description of the REST API."),
        Offer(
            "discover",
            "holdfast.cli.rooms:register_checks",
            "Find what listens on this host, ask what it is, and write checks for it.",
        ),
        Offer("check", "holdfast.cli.rooms:register_checks", "Run checks once, without a server."),
        Offer(
            "host",
            "holdfast.cli.rooms:register_host",
            "Show this machine: processors, memory, disks, network and the processes that use the most.",
        ),
        Offer(
            "import",
            "holdfast.cli.rooms:register_transfer",
            "Send samples with timestamps to a running server: OpenMetrics, Prometheus' text and dumps, CSV, Parquet.",
        ),
        Offer(
            "export",
            "holdfast.cli.rooms:register_transfer",
            "Write the raw samples of a running server to a file, as OpenMetrics or Parquet.",
        ),
        Offer(
            "exporter",
            "holdfast.cli.rooms:register_exporter",
            "Turn JSON, text and SQL into metrics, as a file says, and serve them to Prometheus.",
        ),
        Offer("runs", "holdfast.cli.runs:register", "Durable runs of a server."),
        Offer("queues", "holdfast.cli.runs:register", "The queues of runs."),
        Offer("schedules", "holdfast.cli.runs:register", "What starts runs by the clock."),
        Offer("metrics", "holdfast.cli.metrics:register", "Metrics and their series."),
        Offer(
            "logs",
            "holdfast.cli.logs:register",
            """Lines that match a query, such as '{service_name="orders"} |= "timeout"'; `analyze` reads files.""",
        ),
        Offer(
            "trace",
            "holdfast.cli.traces:register",
            "A trace by its id, as a waterfall; searches for traces, and what many traces tell together.",
        ),
        Offer("deploy", "holdfast.cli.deploys:register", "Deploys of services, for programs that deploy."),
        Offer("saved", "holdfast.cli.saved:register", "Saved searches of logs, traces and metrics."),
        Offer(
            "investigation",
            "holdfast.cli.investigations:register",
            "Investigations: what people collected, with notes.",
        ),
        Offer("token", "holdfast.cli.tokens:register", "API tokens of a running server."),
    )
