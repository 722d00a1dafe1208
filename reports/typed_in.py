"""The files beside a database that people type in, which no fact can bring back."""

BUDGETS = "budgets.csv"
ACTIONS = "actions.csv"
TYPED_IN = (BUDGETS, ACTIONS)
