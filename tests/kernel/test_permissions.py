"""Roles form a ladder."""

from __future__ import annotations

import pytest

from holdfast.kernel.permissions import Role


def test_each_role_covers_itself_and_the_roles_below_it():
    ladder = [Role.VIEWER, Role.RESPONDER, Role.OPERATOR, Role.ADMIN]
    for height, role in enumerate(ladder):
        assert [role.covers(other) for other in ladder] == [rank <= height for rank in range(4)]


def test_a_role_is_read_from_its_name():
    assert Role("operator") is Role.OPERATOR
    with pytest.raises(ValueError, match="root"):
        Role("root")
