"""Send a spool to a receiver on another machine."""
