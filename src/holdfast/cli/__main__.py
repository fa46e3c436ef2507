"""Lets `python -m holdfast.cli` be the `holdfast` command."""

from holdfast.cli.main import main

main()
