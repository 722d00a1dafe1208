"""What can go wrong in the model lab and can be told to a user in one line."""


class ModelLabError(Exception):
    """Base of every error the lab raises on purpose; the message is fit for a terminal."""


class SampleError(ModelLabError):
    """A sample file is missing, is no npz archive, or holds arrays of another shape or type."""


class CardError(ModelLabError):
    """A card is missing, is not JSON, or lacks or misspells a field."""


class MachineError(ModelLabError):
    """Something that the lab needs is not installed on this machine."""
