"""Budgets, month-end forecasts and anomalies: what a month will have cost, and what is unusual."""
