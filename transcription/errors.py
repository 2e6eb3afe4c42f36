"""What can go wrong between sound and words, each as one sentence for an operator at 3 a.m."""
# ruff: noqa: N818 - a model that is missing is no error of the program: it is named for the fact

from pathlib import Path
from typing import ClassVar


class SpeechError(Exception):
    """The root of this folder's errors: `str(error)` is one sentence that says what to do.

    `code` is a stable key for the message catalogue. `passing` is true where the same job can
    succeed later without anybody touching the recording: wait or retry instead of failing it.
    """

    code: ClassVar[str] = "speech"
    passing: ClassVar[bool] = False


class ModelError(SpeechError):
    """The speech model cannot be used; calls go on and transcripts wait as pending."""

    code = "model"
    passing = True

    def __init__(self, sentence: str, *, path: Path) -> None:
        super().__init__(sentence)
        self.path = path


class ModelMissing(ModelError):
    """No model stands where one is expected."""

    code = "model_missing"


class ModelDamaged(ModelError):
    """A file of the model, or a download of it, is not what its checksum says."""

    code = "model_damaged"


class ModelNotFetched(ModelError):
    """Neither source of the model could be reached, or there is no room for it."""

    code = "model_not_fetched"


class AudioError(SpeechError):
    """This file cannot be transcribed; the recording itself is left as it is."""

    code = "audio"

    def __init__(self, sentence: str, *, path: Path) -> None:
        super().__init__(sentence)
        self.path = path


class AudioMissing(AudioError):
    """There is no such file, or it cannot be opened."""

    code = "audio_missing"


class AudioEmpty(AudioError):
    """The file holds no sound at all."""

    code = "audio_empty"


class AudioTruncated(AudioError):
    """The file ends inside its header, so no sound can be found in it."""

    code = "audio_truncated"


class AudioUnreadable(AudioError):
    """The file is not a WAV file."""

    code = "audio_unreadable"


class AudioUnsupported(AudioError):
    """The file is a WAV file of a form the line does not record."""

    code = "audio_unsupported"


class EngineError(SpeechError):
    """The engine gave no transcript."""

    code = "engine"


class EngineClosed(EngineError):
    """The service is stopping; the job waits for the next start."""

    code = "engine_closed"
    passing = True


class DecoderNotStarted(EngineError):
    """The decoding process ended before it could work; the job can be tried again."""

    code = "decoder_not_started"
    passing = True


class DecoderDied(EngineError):
    """The decoding process died twice under the same recording, the second time alone."""

    code = "decoder_died"

    def __init__(self, sentence: str, *, last_words: str = "") -> None:
        super().__init__(sentence)
        self.last_words = last_words


class DecodingFailed(EngineError):
    """The decoder refused the recording or the model and said why."""

    code = "decoding_failed"
