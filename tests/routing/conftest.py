"""The first city, the shipped policies and calendars, loaded once for these tests."""

from pathlib import Path

import pytest

from routing.calendar import Calendar, load_calendar
from routing.city_files import CityData
from routing.classify import Classifier
from routing.directory import City, city_of, read_city
from routing.policy import Policy, load_policies, newest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture(scope="session")
def data() -> CityData:
    return read_city(DEPLOY / "cities" / "mianyang")


@pytest.fixture(scope="session")
def city(data: CityData) -> City:
    return city_of(data)


@pytest.fixture(scope="session")
def classifier(city: City) -> Classifier:
    return Classifier(city)


@pytest.fixture(scope="session")
def calendar() -> Calendar:
    return load_calendar(DEPLOY / "calendars")


@pytest.fixture(scope="session")
def sichuan() -> Policy:
    return newest(load_policies(DEPLOY / "policies"), "sichuan-2025")
