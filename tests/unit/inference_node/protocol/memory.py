"""Shared memory for tests: bytes by the name of their region."""

from inference_node.errors import InvalidRequestError
from inference_node.protocol.shared_memory import Place


class FakeMemory:
    """Regions of bytes; `required` are the places that somebody asked for."""

    def __init__(self, **regions: bytes) -> None:
        self.regions = {name: bytearray(content) for name, content in regions.items()}
        self.required: list[Place] = []

    def read(self, place: Place) -> bytes:
        self.require(place)
        return bytes(self.regions[place.region][place.offset : place.offset + place.byte_size])

    def require(self, place: Place) -> None:
        self.required.append(place)
        if place.region not in self.regions:
            raise InvalidRequestError(f"{place.region} is not registered")

    def write(self, place: Place, data: bytes) -> None:
        self.regions[place.region][place.offset : place.offset + len(data)] = data
