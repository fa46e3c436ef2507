"""What goes wrong on the command line: a message for people, which names the place and the fix."""


class ShopError(Exception):
    """Printed without a trace; the exit code is 1."""
