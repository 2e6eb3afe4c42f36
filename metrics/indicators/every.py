"""All indicators, in the order in which people read them; pure."""

from collections.abc import Mapping

from metrics.indicators.calls import CALL_INDICATORS
from metrics.indicators.cases import CASE_INDICATORS
from metrics.indicators.definitions import Indicator

INDICATORS: tuple[Indicator, ...] = (*CALL_INDICATORS, *CASE_INDICATORS)
BY_KEY: Mapping[str, Indicator] = {it.key: it for it in INDICATORS}
