"""The steps from an empty file to the newest schema; a step that was released never changes."""

from store.migrations.archive import ARCHIVE
from store.migrations.first import FIRST
from store.migrations.routes import ROUTES
from store.migrations.tokens import TOKENS

MIGRATIONS = (FIRST, ROUTES, ARCHIVE, TOKENS)

__all__ = ["MIGRATIONS"]
