"""What is looked for: for each kind a hint that is cheap to search for, the expression itself, and a check.

Expressions are RE2 over UTF-8, so none can take more than linear time. A hint may find too much, never too little.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import re2

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.scrub import checks


class Kind(StrEnum):
    """What is known without being told; own patterns bear the name they are given."""

    PRIVATE_KEY = "private_key"
    JWT = "jwt"
    CLOUD_KEY = "cloud_key"
    BEARER = "bearer"
    URL_PASSWORD = "url_password"  # noqa: S105 -- the name of a kind
    PASSWORD = "password"  # noqa: S105 -- the name of a kind
    IBAN = "iban"
    CARD = "card"
    EMAIL = "email"
    PHONE = "phone"
    IP = "ip"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One thing that is looked for.

    Attributes:
        kind: its name, as it is counted and as it stands in masked text.
        hint: a short expression that is in every text that holds one.
        expression: what is taken out; of expressions with groups, the group that took part.
        check: gives the part that must go, or None where it is something else.
        gives_way: whether it is left out where something else was found.
    """

    kind: str
    hint: str
    expression: str
    check: checks.Check | None = None
    gives_way: bool = False


_NAMES: Final = (
    r"password|passwd|passphrase|pwd|secret|api[_-]?key|client[_-]?secret|private[_-]?key|account[_-]?key"
    r"|access[_-]?key|(?:access|refresh|auth|id|session|api|secret)[_-]?token"
)
SECRET_NAMES: Final = rf"(?i)(?:^|[_.-])(?:{_NAMES}|token|authorization|proxy[_-]authorization|cookie|set[_-]cookie)$"
_B: Final = r"(?:\b|\\[nrt]|%[0-9A-F]{2})"  # where a word begins, also within JSON and addresses of the web
_CLOUD: Final = (
    rf"{_B}(?:AKIA|ASIA|ABIA|ACCA|AIDA|AROA|AGPA|ANPA)[A-Z0-9]{{16}}\b",  # AWS
    rf"AIza[0-9A-Za-z_-]{{35}}|{_B}ya29\.[0-9A-Za-z_-]{{20,}}|GOCSPX-[0-9A-Za-z_-]{{20,}}",  # Google
    r"AccountKey=[A-Za-z0-9+/]{40,}={0,2}|SharedAccessKey=[A-Za-z0-9+/]{40,}={0,2}",  # Azure
    rf"[A-Za-z0-9_~.-]{{3}}[0-9]Q~[A-Za-z0-9_~.-]{{31,34}}|{_B}sig=[A-Za-z0-9%+/]{{40,}}={{0,2}}",  # Azure
    rf"{_B}gh[pousr]_[A-Za-z0-9]{{20,}}|{_B}github_pat_[A-Za-z0-9_]{{20,}}",  # GitHub
    rf"{_B}glpat-[A-Za-z0-9_.-]{{20,}}",  # GitLab
    rf"{_B}xox[abeoprs]-[A-Za-z0-9-]{{10,}}|{_B}xapp-[A-Za-z0-9-]{{10,}}",  # Slack
    r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]+",
    rf"{_B}[srp]k[_-](?:live|test|proj|ant|svcacct)[_-][A-Za-z0-9_-]{{16,}}",  # Stripe, OpenAI
    rf"{_B}sk-[A-Za-z0-9]{{32,}}",
    rf"{_B}npm_[A-Za-z0-9]{{30,}}|{_B}pypi-[A-Za-z0-9_-]{{40,}}|{_B}hf_[A-Za-z0-9]{{30,}}",
    rf"{_B}SG\.[A-Za-z0-9_-]{{16,}}\.[A-Za-z0-9_-]{{16,}}|{_B}do[opr]_v1_[0-9a-f]{{40,}}|{_B}hv[sbr]\.[A-Za-z0-9_-]{{20,}}",
)
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_HEX: Final = r"[0-9A-Fa-f]{1,4}"

BUILT_IN: Final = (
    Pattern(
        Kind.PRIVATE_KEY,
        "PRIVATE KEY",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s:,.-]|\\+[nr])*?"
        r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"|-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\\]*",
    ),
    Pattern(Kind.JWT, "eyJ", r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}"),
    Pattern(
        Kind.CLOUD_KEY,
        r"A(?:KIA|SIA|BIA|CCA|IDA|ROA|GPA|NPA|Iza|ccountKey|ccessKey)|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|xapp-"
        r"|hooks\.slack|[srp]k[_-]|npm_|pypi-|SG\.|do[opr]_v1|hf_|hv[sbr]\.|ya29|GOCSPX|Q~|sig=",
        "|".join(_CLOUD),
    ),
    Pattern(
        Kind.BEARER,
        "(?i:bearer|authorization)",
        r"(?i:\bbearer(?:\s|%20|\+)+([A-Za-z0-9._~+/=-]{8,})"
        rf"|{_B}authorization(?:\\*[\"'])?\s*[:=]\s*(?:\\*[\"'])?(?:basic|bearer|digest|token|negotiate|apikey)\s+([^\s\"'\\,]+))",
    ),
    Pattern(Kind.URL_PASSWORD, "://", r"://[^\s/:@\"'<>]*:([^\s/\"'<>]+)@"),
    Pattern(
        Kind.PASSWORD,
        r"(?i:pass|pwd|secret|key|token)",
        rf"(?i:(?:{_NAMES})(?:\\*[\"'])?\s*(?:=>|[=:])\s*|{_B}token=)"
        r"(?:\"((?:[^\"\\\n]|\\.)+)\"|\\+\"((?:[^\"\\\n]|\\\\)+)|'([^'\n]+)'|([^\s\"'\\&]+))",
        checks.value,
    ),
    Pattern(
        Kind.IBAN,
        rf"{_B}[A-Z][A-Z][0-9][0-9] ?[A-Z0-9]{{4}}",
        rf"{_B}[A-Z]{{2}}[0-9]{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}}(?: ?[A-Z0-9]{{1,3}})?",
        checks.iban,
    ),
    Pattern(
        Kind.CARD,
        "[0-9]{13}|[0-9]{4}[ -][0-9]{4}[ -]|[0-9]{4}[ -][0-9]{6}[ -]",
        rf"{_B}[2-6][0-9]{{3}}[ -][0-9]{{4}}[ -][0-9]{{4}}[ -][0-9]{{4}}(?:[ -][0-9]{{3}})?\b"
        rf"|{_B}3[0-9]{{3}}[ -][0-9]{{6}}[ -][0-9]{{4,5}}\b"
        rf"|{_B}[2-6][0-9]{{12,18}}\b",
        checks.card,
    ),
    Pattern(
        Kind.EMAIL,
        r"[^\s](?:@|%40)[^\s]",
        r"[\pL\pN._%+-]+(?:@|%40)[\pL\pN-]+(?:\.[\pL\pN-]+)*\.\pL{2,}",
        gives_way=True,
    ),
    Pattern(
        Kind.PHONE,
        rf"\+[1-9][0-9]|\+[1-9][ (-]|{_B}00[1-9][0-9]|[0-9]{{3}}\)? ?-?[0-9]{{3}}-[0-9]{{4}}",
        rf"(?:\+|{_B}00)[1-9][0-9]{{0,2}}(?:[ .-]?\(?[0-9]{{1,5}}\)?){{2,7}}\b"
        rf"|\([2-9][0-9]{{2}}\) ?[0-9]{{3}}-[0-9]{{4}}\b"
        rf"|{_B}[2-9][0-9]{{2}}-[0-9]{{3}}-[0-9]{{4}}\b",
        checks.phone,
    ),
    Pattern(
        Kind.IP,
        r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        rf"{_B}{_OCTET}(?:\.{_OCTET}){{3}}\b",
        checks.ipv4,
    ),
    Pattern(
        Kind.IP,
        rf"::|:{_HEX}:{_HEX}:{_HEX}:{_HEX}:",
        rf"(?:{_HEX}(?::{_HEX})*)?::(?:{_HEX}(?::{_HEX})*)?(?::?{_OCTET}(?:\.{_OCTET}){{3}})?|(?:{_HEX}:){{7}}{_HEX}",
        checks.ipv6,
    ),
)

_MEMORY_BYTES: Final = 16 << 20


def compile_expression(expression: str, *, captures: bool = True) -> re2._Regexp[bytes]:
    r"""Compile an expression; `^` and `$` are the ends of a line.

    Raises:
        InvalidError: the expression is no RE2, or finds nothing at all everywhere.
    """
    options = re2.Options()
    options.log_errors, options.max_mem, options.never_capture = False, _MEMORY_BYTES, not captures
    try:
        compiled = re2.compile(b"(?m)" + expression.encode(), options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidError(
            f"no expression of RE2: {told}: `{expression}`", hint="no lookaround, no backreferences"
        ) from error
    if compiled.search(b"") is not None:
        raise InvalidError(
            f"the expression `{expression}` finds nothing at all everywhere", hint="let it need a letter"
        )
    return compiled
