"""Charts: figures in, a plotly figure out. Pure functions that know nothing of Streamlit."""
