"""The ground of the server: time, ids, errors, settings, rows, events, HTTP, secrets, people.

Owns what every room needs and no room should write twice. Refuses anything that knows what a check, an alert or a
metric is. Each module or subpackage here is a door of its own: import `holdfast.kernel.events`, not its inside.
"""

__all__: list[str] = []
