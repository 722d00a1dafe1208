"""How much of what a page shows never ran."""

from dataclasses import dataclass
from pathlib import Path

from reports.window import Window, read_frame
from store import EVERYTHING, Filter, Period, Simulated, open_reader, read_simulated

NOTHING = Simulated()


@dataclass(frozen=True)
class SimulatedShown:
    """How much of what is shown is simulated, and of the time `before` that changes are told from.

    That is nothing where there is nothing to compare with.
    """

    shown: Simulated = NOTHING
    before: Simulated = NOTHING


def load_simulated(
    database: Path, shown: Window | Period, now_us: int, where: Filter = EVERYTHING
) -> SimulatedShown:
    """Return how much of a period, or of the last window before `now_us`, is simulated.

    What `where` says of simulated runs decides where the window ends, and no more: hidden ones are
    counted, too, also where nothing else is stored. A period is not compared with anything. Raises
    StoreErrors.
    """
    with open_reader(database) as connection:
        if isinstance(shown, Period):
            return SimulatedShown(read_simulated(connection, shown, where))
        frame = read_frame(connection, shown, now_us, where)
        frame = frame or read_frame(connection, shown, now_us)
        if frame is None:
            return SimulatedShown()
        before = frame.period.before()
        return SimulatedShown(
            read_simulated(connection, frame.period, where),
            read_simulated(connection, before, where) if frame.comparable else NOTHING,
        )
