"""How GeoReport v2 speaks: its categories, its errors and its answers, as JSON and as XML; pure.

Source: the GeoReport v2 specification (wiki.open311.org), "Errors" and "Response formats".
"""

from http import HTTPStatus
from typing import Any
from xml.etree import ElementTree as ET

from aiohttp import web

from routing.rules import LEVEL1

CODES = {f"{place:02d}": name for place, name in enumerate(LEVEL1, start=1)}
"""The categories by their service_code."""


class Wrong(Exception):  # noqa: N818 - a request that cannot be answered, and why
    """A request that is refused, with the status and the sentence the specification asks for."""

    def __init__(self, status: HTTPStatus, says: str) -> None:
        super().__init__(says)
        self.status = status


def refused(http: web.Request, wrong: Wrong) -> web.Response:
    """The answer to a request that is refused."""
    told = [{"code": int(wrong.status), "description": str(wrong)}]
    return answer(http, "errors", "error", told, wrong.status)


def answer(
    http: web.Request, root: str, item: str, told: Any, status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    """What is told, in the format that the address asks for."""
    if http.path.endswith(".json"):
        return web.json_response(told, status=status)
    top = ET.Element(root)
    _fill(top, told, item)
    text = ET.tostring(top, encoding="unicode")
    return web.Response(
        text=f'<?xml version="1.0" encoding="utf-8"?>\n{text}',
        status=status,
        content_type="text/xml",
        charset="utf-8",
    )


def _fill(element: ET.Element, told: Any, item: str) -> None:
    match told:
        case dict():
            for name, value in told.items():
                _fill(ET.SubElement(element, name), value, name.removesuffix("s"))
        case list():
            for value in told:
                _fill(ET.SubElement(element, item), value, item)
        case bool():
            element.text = "true" if told else "false"
        case None:
            pass
        case _:
            element.text = "".join(char for char in str(told) if char >= " " or char in "\n\t")
