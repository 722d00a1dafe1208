"""The `config.toml` beside each model, which tells the node how to serve it.

The node owns parsing; this template is the lab's side of the contract.
"""

from model_lab.classifier import INPUT, OUTPUT
from model_lab.sample import CLASSES, GREY_SCALE, SIDE

MAX_BATCH_SIZE = 32


def render_config(variant: str) -> str:
    """Return the file's text; `variant` is `fp32` or `int8`."""
    labels = ", ".join(f'"{digit}"' for digit in range(CLASSES))
    return f"""variant = "{variant}"

[batching]
max_batch_size = {MAX_BATCH_SIZE}
max_queue_delay_microseconds = 0

[image]
input = "{INPUT}"
width = {SIDE}
height = {SIDE}
channels = 1
scale = {GREY_SCALE!r}

[classification]
output = "{OUTPUT}"
labels = [{labels}]
"""
