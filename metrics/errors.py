"""What can go wrong in counting, each as one sentence for an operator."""


class MetricsError(Exception):
    """The root of this folder's errors."""


class NoSuchStaffing(MetricsError):  # noqa: N818 - reads as what it is
    """No number of seats answers this question, or the question makes no sense."""


class NoSuchReport(MetricsError):  # noqa: N818 - as above
    """There is no such report, or not yet."""
