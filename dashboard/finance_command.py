"""The command that writes what the Finance page does, for a shell."""

from shlex import join

from dashboard.settings import Settings
from reports.finance import FinanceQuery, NamedBill


def shell_command(settings: Settings, query: FinanceQuery, bill: NamedBill | None) -> str:
    """Return the command for `query` and `bill`, an option a line; an uploaded bill by its name."""
    options: list[list[str]] = [
        ["--database", settings.database_name],
        ["--prices", settings.prices_name],
        ["--from", str(query.from_day), "--to", str(query.to_day)],
        ["--grain", query.grain.value],
        ["--idle", str(query.idle)],
    ]
    if query.cloud is not None:
        options.append(["--cloud", query.cloud])
    if query.simulated:
        options.append(["--with-simulated"])
    if bill is not None:
        options.append(["--invoice", str(bill.bill.total) if bill.is_total else bill.name])
    lines = [join(option) for option in [*options, ["--excel"], ["--out", "FOLDER"]]]
    return " \\\n    ".join(["python -m reports finance", *lines])
