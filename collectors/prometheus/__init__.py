"""Facts from what a Prometheus server keeps of the exporters that it reads.

To be read along the way that facts take: `command` has a `follower` for each source, whose `puller`
asks the `client` for `series` and stores what `facts` makes of them. That is, by what a `preset`
says of their metrics, `gathering` adds up what counters of a `target` grew by (`increase`) to a
`node`, and `node_samples` and `usage_minutes` make rows of it.
"""
