"""What can go wrong between the product and its database file, each told in one sentence."""


class StoreError(Exception):
    """Base of the errors of this package; the message is fit for a user."""


class DatabaseMissingError(StoreError):
    """There is no database yet: no collector has committed anything."""


class DatabaseBusyError(StoreError):
    """Another process held the file's lock for longer than this one was ready to wait."""


class DatabaseUnusableError(StoreError):
    """The file is no database, is damaged, or was written by a newer version of the product."""
