"""Streamlit pages: load, call and draw."""
