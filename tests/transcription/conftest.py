"""The Chinese model for tests that need it, and files of sound to decode."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from transcription.engines.vosk import VoskTranscriber
from transcription.errors import ModelError
from transcription.models import ensure_model

settings.register_profile("busy-machine", deadline=None)
settings.load_profile("busy-machine")

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def chinese_model() -> Path:
    """The folder of the real model, fetched at first need; skips where it cannot be had."""
    cache = Path(os.environ.get("HOTLINE_CACHE") or REPOSITORY / ".cache")
    try:
        return ensure_model(cache / "models")
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture
async def engine(chinese_model: Path) -> AsyncIterator[VoskTranscriber]:
    """Vosk with the real model, ended after the test."""
    vosk = VoskTranscriber(chinese_model, nice=0)
    yield vosk
    await vosk.aclose()
