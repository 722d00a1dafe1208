"""The combinations of dimensions that a filter accepts, for rollups to be joined with."""

from store.filter import Filter
from usage.record import ON_BEHALF

# Of a row with a route: whether it was asked for, and is no execution on behalf of a request.
IS_REQUEST = f"route NOT IN ({', '.join(repr(route) for route in sorted(ON_BEHALF))})"


def chosen(
    where: Filter, *columns: str, condition: str = "TRUE", machines: bool = False
) -> tuple[str, dict[str, object]]:
    """Return the query of `dimension_id` and `columns` of what `where` accepts, and parameters.

    With `machines`, columns may also be those of `boot`. The result is small: rollups join it,
    and never `dimension_set` itself.
    """
    accepted = where.condition()
    boots = "LEFT JOIN boot USING (node_id, boot_id)" if machines else ""
    # Conditions stand inside: in `boot`, names of columns mean something else.
    sql = f"""
        SELECT {", ".join(("dimension_id", *columns))}
        FROM (FROM dimension_set WHERE {accepted.sql} AND {condition}) {boots}
    """
    return sql, accepted.bound
