"""The configuration of the speech engine."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hotline.config_tables import Table


class Speech(Table):
    """Who turns sound into words, with how many recordings at a time (0 = one a core)."""

    engine: Literal["vosk", "sherpa"] = "vosk"
    model_path: Path | None = None
    workers: Annotated[int, Field(ge=0, le=256)] = 0
    in_service: bool = True
    """Whether the service itself hears recordings; if not, `hotline worker` must run somewhere."""

    @model_validator(mode="after")
    def _has_a_model(self) -> Self:
        if self.engine == "sherpa" and self.model_path is None:
            raise ValueError("engine sherpa needs model_path, the folder of its model")
        return self
