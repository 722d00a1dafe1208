"""Categories of services, and the subcategories under each, as FOCUS 1.2 allows them."""

from collections.abc import Mapping

SUBCATEGORIES: Mapping[str, tuple[str, ...]] = {
    "AI and Machine Learning": (
        "AI Platforms", "Bots", "Generative AI", "Machine Learning", "Natural Language Processing",
    ),
    "Analytics": (
        "Analytics Platforms", "Business Intelligence", "Data Processing", "Search",
        "Streaming Analytics",
    ),
    "Business Applications": ("Productivity and Collaboration",),
    "Compute": (
        "Containers", "End User Computing", "Quantum Compute", "Serverless Compute",
        "Virtual Machines",
    ),
    "Databases": (
        "Caching", "Data Warehouses", "Ledger Databases", "NoSQL Databases",
        "Relational Databases", "Time Series Databases",
    ),
    "Developer Tools": (
        "Continuous Integration and Deployment", "Developer Platforms",
        "Development Environments", "Quality Assurance", "Source Code Management",
    ),
    "Multicloud": ("Multicloud Integration",),
    "Identity": ("Identity and Access Management",),
    "Integration": ("API Management", "Messaging", "Workflow Orchestration"),
    "Internet of Things": ("IoT Analytics", "IoT Platforms"),
    "Management and Governance": (
        "Architecture", "Compliance", "Cost Management", "Data Governance", "Disaster Recovery",
        "Endpoint Management", "Observability", "Support",
    ),
    "Media": ("Content Creation", "Gaming", "Media Streaming", "Mixed Reality"),
    "Migration": ("Data Migration", "Resource Migration"),
    "Mobile": (),
    "Networking": (
        "Application Networking", "Content Delivery", "Network Connectivity",
        "Network Infrastructure", "Network Routing", "Network Security",
    ),
    "Security": ("Secret Management", "Security Posture Management",
        "Threat Detection and Response",
    ),
    "Storage": (
        "Backup Storage", "Block Storage", "File Storage", "Object Storage", "Storage Platforms",
    ),
    "Web": ("Application Platforms",),
    "Other": (),
}  # fmt: skip


def is_subcategory(subcategory: str, category: str) -> bool:
    """Return whether `subcategory` is one of `category`; each has one for what is none of them."""
    known = SUBCATEGORIES.get(category)
    return known is not None and (subcategory in known or subcategory == f"Other ({category})")
