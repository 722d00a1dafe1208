"""Tables of documents, so that tests can hold the program to them."""

Table = list[list[str]]


def table(text: str, first: str, after: str = "") -> Table:
    """Return the rows of the first table, behind `after`, whose first column is called `first`."""
    lines = text[text.index(after) :].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip()[1:-1].split("|")])
    return rows
