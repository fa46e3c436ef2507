"""Kinds that know a protocol but no product: tcp and its kin. Each module is one kind; `registry` lists them."""

__all__: list[str] = []
