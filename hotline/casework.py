"""What routing needs of the world, loaded once at the start: city, policies, calendar, model."""

from dataclasses import dataclass
from pathlib import Path

import deploy
from hotline.config import Config
from routing.calendar import Calendar, load_calendar
from routing.classify import Classifier, Model
from routing.directory import City, load_city
from routing.in_force import InForce
from routing.policy import FOLDER, Policy, load_policies, newest

_DEPLOY = Path(next(iter(deploy.__path__)))
SHIPPED_POLICIES = _DEPLOY / "policies"
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


def load_casework(config: Config) -> Casework:
    """Read the city's folder, the policy packs, the calendar and the trained model, if any.

    Raises:
        RoutingError: one sentence says which file is missing or wrong.
    """
    city = load_city(config.city_dir)
    policies = load_policies(SHIPPED_POLICIES, config.city_dir / FOLDER)
    model = _load_model(config.classifier_model) if config.classifier_model else None
    return Casework(
        city=city,
        classifier=Classifier(city, model),
        policies=policies,
        policy=newest(policies, config.policy or city.policy),
        calendar=load_calendar(SHIPPED_CALENDARS, config.loaded_calendars),
        model=model,
    )


def _load_model(path: Path) -> Model:
    from routing import model  # noqa: PLC0415 - heavy, and only some cities train one

    return model.load(path)
