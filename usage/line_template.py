"""Records that differ in a few fields only, written as lines faster than one by one.

A program that makes up millions of records knows most fields of each by the kind of request it is.
What those say is written once; the others are filled in by one format. The lines are byte for byte
those of `usage.encode_line`: the collector takes no others at full speed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from usage.record import UsageRecord

# How a value that varies is written. A digest is an integer of 64 bits here, everything else is
# what it is in a record. What people name is not among them: it may need escaping.
_INTEGER = "%d"
FORMATS: Mapping[str, str] = {
    "record_id": '"%s"',
    "input_digest": '"%016x"',
    **dict.fromkeys(
        (
            "seq",
            "worker",
            "arrived_at_us",
            "queue_us",
            "compute_us",
            "total_us",
            "batch_id",
            "batch_size",
            "request_bytes",
            "response_bytes",
            "items",
            "input_tokens",
            "output_tokens",
        ),
        _INTEGER,
    ),
}


class LineTemplate:
    """The line of `example`, in which the fields `varying` are to be filled in.

    Raises ValueError for a field that cannot vary.
    """

    def __init__(self, example: UsageRecord, varying: Collection[str]) -> None:
        for name in varying:
            if name not in FORMATS:
                raise ValueError(f"{name} varies; accepted: {', '.join(FORMATS)}")
        fields: dict[str, object] = msgspec.to_builtins(example)
        self.varying = tuple(name for name in fields if name in varying)
        parts = [
            f'"{name}":{FORMATS[name] if name in varying else _fixed(value)}'
            for name, value in fields.items()
        ]
        self._format = f"{{{','.join(parts)}}}\n"

    def lines(self, columns: Mapping[str, Sequence[int] | Sequence[str]]) -> Iterator[str]:
        """Yield a line with its newline for each row of `columns`, which has every field varying.

        The values are not checked: what is no record is rejected by whoever reads the line.
        """
        rows = zip(*(columns[name] for name in self.varying), strict=True)
        return map(self._format.__mod__, rows)


def _fixed(value: object) -> str:
    return msgspec.json.encode(value).decode().replace("%", "%%")
