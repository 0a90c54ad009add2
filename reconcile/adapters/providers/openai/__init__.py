"""OpenAI's organization usage and costs APIs. Contract: github.com/openai/openai-openapi (2026-08).

`OpenAIUsage` reads completions by the minute, for runs; `OpenAIBilling` reads every endpoint and the costs of whole
days, for a comparison. Both ask one page at a time and accept only an answer that is complete and means one thing.
Fields that are not read here are ignored: the service runs ahead of its specification.
"""

from reconcile.adapters.providers.openai.asking import BASE_URL
from reconcile.adapters.providers.openai.billing import MOST_REQUESTS, OpenAIBilling
from reconcile.adapters.providers.openai.completions import OpenAIUsage, curl_line
from reconcile.adapters.providers.openai.responses import OpenAIResponses

__all__ = ["BASE_URL", "MOST_REQUESTS", "OpenAIBilling", "OpenAIResponses", "OpenAIUsage", "curl_line"]
