"""Facts from what a Prometheus server keeps of the exporters that it reads."""
