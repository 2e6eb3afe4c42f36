"""Which speech engine serves, and where its model stands."""

import os
from pathlib import Path

from hotline.config import Config
from transcription.engines.apart import ApartTranscriber
from transcription.engines.sherpa import SherpaTranscriber
from transcription.engines.vosk import VoskTranscriber
from transcription.engines.vosk_live import VoskLive
from transcription.live import LiveEngine
from transcription.models import model_path


def speech_model_path(config: Config) -> Path:
    """The folder of the Vosk model: the one named, or where `hotline model fetch` puts it."""
    given = config.speech.model_path if config.speech.engine == "vosk" else None
    return model_path(config.models_dir, given)


def workers_of(config: Config) -> int:
    """How many recordings are heard at a time."""
    return config.speech.workers or len(os.sched_getaffinity(0))


def transcriber_of(config: Config) -> ApartTranscriber:
    """The configured engine; nothing is loaded before the first recording."""
    given = config.speech.model_path
    if config.speech.engine == "sherpa" and given is not None:
        return SherpaTranscriber(given, lanes=workers_of(config))
    return VoskTranscriber(speech_model_path(config), lanes=workers_of(config))


def live_engine_of(config: Config) -> LiveEngine:
    """The engine that hears while people speak; nothing is loaded before captions start."""
    return VoskLive(speech_model_path(config))
