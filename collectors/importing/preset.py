"""Maps for logs that many have."""

from collections.abc import Mapping
from typing import Any, Final

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    # Azure/AzurePublicDataset, AzureLLMInferenceDataset2023.md; times are UTC, in steps of 100 ns.
    "azure_llm": {
        "time": {
            "column": "TIMESTAMP",
            "format": "%Y-%m-%d %H:%M:%S.%f",
            "timezone": "UTC",
        },
        "columns": {"input_tokens": "ContextTokens", "output_tokens": "GeneratedTokens"},
    },
}
PRESET_FORMATS: Final[Mapping[str, str]] = {"azure_llm": "csv"}
