"""What can keep a file from being imported, each told in one sentence fit for a user."""


class ImportingError(Exception):
    """Base of the errors of this package."""


class MapError(ImportingError):
    """The map cannot be used; the message names file, field, value and what is accepted."""


class InputError(ImportingError):
    """The file cannot be read as what it is said to be, or changed while it was read."""


class MisfitError(ImportingError):
    """None of the first rows is a fact by this map: the map is meant for another file."""


class SourceBusyError(ImportingError):
    """Another process imports the same file into the same database."""


class StoppedError(ImportingError):
    """The import was told to stop before it was done."""
