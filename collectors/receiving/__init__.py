"""Take the spools of nodes on other machines over HTTP."""
