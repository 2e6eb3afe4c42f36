"""SenseVoice or Paraformer by sherpa-onnx: more exact than Vosk's small model, off by default.

It needs the extra `sherpa` of this package, and a folder with the model that a person fetched:
`model.onnx` or `model.int8.onnx` and `tokens.txt`, as the sherpa-onnx project packs SenseVoice and
Paraformer (a folder whose name holds `paraformer` is one of those). It gives no confidences, and
none are made up: whatever asks for one takes its words for guesses.
"""

from pathlib import Path

from transcription.engines.apart import ApartTranscriber
from transcription.errors import ModelDamaged, ModelMissing

WEIGHTS = ("model.int8.onnx", "model.onnx")
TOKENS = "tokens.txt"


class SherpaTranscriber(ApartTranscriber):
    """Transcribes legs with sherpa-onnx."""

    library = "sherpa-onnx"
    title = "sherpa-onnx"
    module = "transcription.engines.sherpa_decoder"

    def verify(self, model: Path) -> None:
        """Check that the folder holds the files of a model.

        Raises:
            ModelMissing: there is no such folder.
            ModelDamaged: its weights or its tokens are missing.
        """
        if not model.is_dir():
            raise ModelMissing(
                f"There is no sherpa-onnx model in {model}: put its folder there, or name another "
                "as speech.model_path; calls go on and their transcripts wait.",
                path=model,
            )
        if weights(model) is None or not (model / TOKENS).is_file():
            raise ModelDamaged(
                f"The folder {model} holds no sherpa-onnx model: it needs "
                f"{' or '.join(WEIGHTS)}, and {TOKENS}.",
                path=model,
            )


def weights(model: Path) -> Path | None:
    """The file of the weights, the smaller one where there are two; None where there is none."""
    return next((model / name for name in WEIGHTS if (model / name).is_file()), None)
