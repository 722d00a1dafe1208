"""What a reader of reports can do about a file that is wrong."""


class ReportError(ValueError):
    """A file a report needs is missing or wrong; the message names file, field and remedy."""
