"""Two strategies over one history as one HTML file: it needs no script, no font, no network.

Here belongs how the comparison looks; what is compared does not.
"""

from kpi_stream.adapters.whatif_page.page import whatif_page

__all__ = ["whatif_page"]
