"""Who used what, and how sure that is: reported minutes shared out among the claims of all runs.

`attribute` gives every claim whose whole window was read its bounds, its point figure and what they rest on. The rules
and why they are sound stand in docs/attribution.md. What is conserved: attributed and unattributed usage together are
the reported usage, kind by kind.
"""

from reconcile.core.attribution.attribute import Attributed, Attribution, attribute, attribute_again
from reconcile.core.attribution.components import Component, Member, meeting
from reconcile.core.attribution.feed import Feed

__all__ = ["Attributed", "Attribution", "Component", "Feed", "Member", "attribute", "attribute_again", "meeting"]
