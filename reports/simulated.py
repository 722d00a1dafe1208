"""How much of what a page shows never ran."""

from pathlib import Path

from reports.window import Window, read_frame
from store import EVERYTHING, Filter, Period, Simulated, open_reader, read_simulated


def load_simulated(
    database: Path, shown: Window | Period, now_us: int, where: Filter = EVERYTHING
) -> Simulated:
    """Return how much of a period, or of the last window before `now_us`, is simulated.

    What `where` says of simulated runs decides where the window ends, and no more: hidden ones are
    counted, too, also where nothing else is stored. Raises StoreErrors.
    """
    with open_reader(database) as connection:
        if isinstance(shown, Period):
            return read_simulated(connection, shown, where)
        frame = read_frame(connection, shown, now_us, where)
        frame = frame or read_frame(connection, shown, now_us)
        return Simulated() if frame is None else read_simulated(connection, frame.period, where)
