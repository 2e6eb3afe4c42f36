"""Every address of the API in one table.

The server routes by it, checks requests and answers by it, and openapi.py documents it.
"""

from hotline.console import (
    absences_api,
    blocks_api,
    callbacks_api,
    callouts_api,
    calls_api,
    cards_api,
    cases_api,
    clocks_api,
    control_api,
    evidence_api,
    moves_api,
    notices_api,
    numbers,
    openid_api,
    operators_api,
    people_api,
    phones_api,
    policies_api,
    seen_api,
    stream,
    tokens_api,
    told_api,
    units_api,
    users_api,
)
from hotline.console.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *people_api.ENDPOINTS,
    *users_api.ENDPOINTS,
    *tokens_api.ENDPOINTS,
    *openid_api.ENDPOINTS,
    *absences_api.ENDPOINTS,
    *calls_api.ENDPOINTS,
    *cases_api.ENDPOINTS,
    *seen_api.ENDPOINTS,
    *moves_api.ENDPOINTS,
    *evidence_api.ENDPOINTS,
    *callbacks_api.ENDPOINTS,
    *blocks_api.ENDPOINTS,
    *control_api.ENDPOINTS,
    *operators_api.ENDPOINTS,
    *phones_api.ENDPOINTS,
    *callouts_api.ENDPOINTS,
    *policies_api.ENDPOINTS,
    *clocks_api.ENDPOINTS,
    *notices_api.ENDPOINTS,
    *cards_api.ENDPOINTS,
    *told_api.ENDPOINTS,
    *units_api.ENDPOINTS,
    *stream.ENDPOINTS,
    *numbers.ENDPOINTS,
)
