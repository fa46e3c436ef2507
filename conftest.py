"""Names the fixtures that every test of the repository may use, in tests/ and beside an example.

The fixtures themselves stand in tests/fixtures, one file per subject.
"""

pytest_plugins = (
    "fixtures.clocks",
    "fixtures.databases",
    "fixtures.engines_of_runs",
    "fixtures.forks",
    "fixtures.hung_teardowns",
    "fixtures.log_levels",
    "fixtures.network",
    "fixtures.ops",
    "fixtures.prometheus_api",
    "fixtures.properties",
    "fixtures.route_models",
    "fixtures.services",
    "fixtures.stores",
    "fixtures.terminals",
    "fixtures.whole_suites",
)
