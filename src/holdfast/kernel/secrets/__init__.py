"""Secrets: values that may be used but not shown.

Owns the `Secret` type, references such as `${env:TOKEN}`, the providers that fill them, and the redaction of text.
Refuses to store a secret, to write one anywhere, and to decide who may use it.
"""

from holdfast.kernel.secrets.providers import (
    DirectorySecrets,
    EnvironmentSecrets,
    FileSecrets,
    SecretProvider,
)
from holdfast.kernel.secrets.redaction import Redactor
from holdfast.kernel.secrets.references import Reference, find_references
from holdfast.kernel.secrets.resolver import Secrets
from holdfast.kernel.secrets.secret import MASK, Secret

__all__ = [
    "MASK",
    "DirectorySecrets",
    "EnvironmentSecrets",
    "FileSecrets",
    "Redactor",
    "Reference",
    "Secret",
    "SecretProvider",
    "Secrets",
    "find_references",
]
