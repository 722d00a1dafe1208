"""Pages: each file loads, calls and draws one, and says in PAGE how it is found."""
