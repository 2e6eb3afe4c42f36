"""What routing needs of the world: city, policies, calendar, model.

Policies, calendar and model are read once at the start. The city is the newest version that the
database keeps (`hotline city load`), and where nothing was loaded yet the folder `city_dir`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import deploy
from hotline.config import Config
from routing.calendar import Calendar, load_calendar
from routing.city_files import CityData
from routing.classify import Classifier, Model
from routing.directory import City, city_of, load_city
from routing.in_force import InForce
from routing.policy import FOLDER, Policy, load_policies, newest

_DEPLOY = Path(next(iter(deploy.__path__)))
SHIPPED = _DEPLOY
SHIPPED_POLICIES = _DEPLOY / "policies"
SHIPPED_REPORTING = _DEPLOY / "duty" / "reporting.yaml"
SHIPPED_CALENDARS = _DEPLOY / "calendars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Casework:
    """Everything by which cases are judged; immutable."""

    city: City
    classifier: Classifier
    policies: dict[str, Policy]
    policy: Policy
    calendar: Calendar
    model: Model | None

    @property
    def limits(self) -> InForce:
        """The rules by which cases are judged now."""
        return InForce(policies=self.policies, policy=self.policy, calendar=self.calendar)


def load_casework(config: Config, loaded: CityData | None = None) -> Casework:
    """Read the policy packs, the calendar and the trained model, if any, for a city.

    The city is made of `loaded`, the database's version of it, else of its folder.

    Raises:
        RoutingError: one sentence says which file is missing or wrong.
    """
    city = load_city(config.city_dir) if loaded is None else city_of(loaded)
    policies = policy_packs(config.city_dir)
    model = _load_model(config.classifier_model) if config.classifier_model else None
    return Casework(
        city=city,
        classifier=Classifier(city, model, model.leaves if model else None),
        policies=policies,
        policy=newest(policies, config.policy or city.policy),
        calendar=load_calendar(SHIPPED_CALENDARS, config.loaded_calendars),
        model=model,
    )


def policy_packs(city_dir: Path) -> dict[str, Policy]:
    """Every policy pack that ships or stands in a city's folder, by name."""
    return load_policies(SHIPPED_POLICIES, city_dir / FOLDER)


def with_city(now: Casework, config: Config, loaded: CityData) -> Casework:
    """The same policies, calendar and model, for another version of the city."""
    city = city_of(loaded)
    return replace(
        now,
        city=city,
        classifier=Classifier(city, now.model, now.model.leaves if now.model else None),
        policy=newest(now.policies, config.policy or city.policy),
    )


def _load_model(path: Path) -> Model:
    from routing import model  # noqa: PLC0415 - heavy, and only some cities train one

    return model.load(path)
