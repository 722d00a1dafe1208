"""What can go wrong in the model lab and can be told to a user in one line."""


class ModelLabError(Exception):
    """Base of every error the lab raises on purpose; the message is fit for a terminal."""


class SampleError(ModelLabError):
    """A sample file is missing, is no npz archive, or holds arrays of another shape or type."""


class CardError(ModelLabError):
    """A card is missing, is not JSON, or lacks or misspells a field."""


class ModelFileError(ModelLabError):
    """A model.onnx is missing, does not load, or has other inputs or outputs than expected."""


class MissingPackageError(ModelLabError):
    """Training was asked for where the development packages are not installed."""
