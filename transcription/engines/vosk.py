"""Vosk, the default engine, as the service sees it; `vosk_decoder.py` runs in its processes."""

from pathlib import Path

from transcription.engines.apart import ApartTranscriber
from transcription.models import check_model


class VoskTranscriber(ApartTranscriber):
    """Transcribes legs with Vosk; numbers said digit by digit are heard a second time."""

    library = "vosk"
    title = "Vosk"
    module = "transcription.engines.vosk_decoder"
    hears_digits = True

    def verify(self, model: Path) -> None:
        """Check the folder of the model; raises `ModelMissing` or `ModelDamaged`."""
        check_model(model)
